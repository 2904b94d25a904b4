/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check.h - how a case reports what it found.
 */
#ifndef CONFORMANCE_CHECK_H
#define CONFORMANCE_CHECK_H

#include "tap.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define check(cond, ...) \
	do { \
		if (!(cond)) \
			fail(__VA_ARGS__); \
	} while (0)

/* @got: 0 or -errno */
#define check_err(got, want, ...) \
	check_err_at(__FILE__, __LINE__, got, want, __VA_ARGS__)

void check_err_at(const char *file, int line, int got, int want,
		  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* "EINVAL", "0", ... of 0 or -errno, in a static buffer of several */
const char *errname(int err);

#endif

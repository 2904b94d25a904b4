/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * expect.h - for code that tests and the tool share, and that cannot continue
 * once an expectation fails: what happens then is up to the program.
 */
#ifndef NVME_VFIO_EXPECT_H
#define NVME_VFIO_EXPECT_H

#include "util.h"

/**
 * expect_failed - an expectation failed; the program defines it
 *
 * Does not return.
 */
void expect_failed(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), noreturn));

/**
 * expect_missing - the device lacks what was asked for; the program defines it
 *
 * Does not return.
 */
void expect_missing(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* @cond must hold; the rest says what was expected and seen */
#define check(cond, ...) \
	do { \
		if (!(cond)) \
			expect_failed(__FILE__, __LINE__, __VA_ARGS__); \
	} while (0)

/* a library call has to give 0 */
#define must(call) \
	do { \
		int err__ = (call); \
		if (err__) \
			expect_failed(__FILE__, __LINE__, \
				      "%s: expected 0, got %d (%s)", #call, \
				      err__, lib_msg()); \
	} while (0)

#define check_eq(a, b, what) \
	do { \
		long long a__ = (a), b__ = (b); \
		if (a__ != b__) \
			expect_failed(__FILE__, __LINE__, \
				      "%s: expected %lld, got %lld", what, \
				      b__, a__); \
	} while (0)

#endif

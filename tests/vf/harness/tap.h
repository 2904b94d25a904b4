/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tap.h - test cases with TAP output, each in a process of its own.
 *
 * A case that crashes, hangs or leaves a device in disorder ends with its
 * process; the device fds close with it and the next case starts afresh.
 */
#ifndef NVME_VFIO_TAP_H
#define NVME_VFIO_TAP_H

#include <stdbool.h>

#include "expect.h"

/**
 * struct tap_case - one test case
 * @name: short description
 * @fn: returns when the case passed; ends by one of the functions below else
 * @arg: handed to @fn
 * @limit_s: longest time in seconds, 0 = 30; times VF_SLOW in the environment
 * @quick: also part of the short run
 * @deep: long, and much the same on every kernel: left out of brief runs
 * @log: warning that the driver must give, a part of its text; "" = it may
 *	warn; NULL = it must not
 */
struct tap_case {
	const char *name;
	void (*fn)(const void *arg);
	const void *arg;
	unsigned int limit_s;
	bool quick;
	bool deep;
	const char *log;
};

/* how much is run: all cases, all but the deep ones, only the quick ones */
enum tap_level { TAP_ALL, TAP_BRIEF, TAP_QUICK };

/**
 * tap_run - run cases and print TAP
 * @cases: ends with an entry without @fn
 * @level: which of them
 * @only: only cases whose name contains this text; NULL = all
 * @before: called in this process before every case; may be NULL
 * @after: called after it; false = the case has failed; may be NULL
 *
 * Return: number of failed cases.
 */
int tap_run(const struct tap_case *cases, enum tap_level level,
	    const char *only, void (*before)(void),
	    bool (*after)(const struct tap_case *c));

/** tap_note - a line of explanation */
void tap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** tap_fail - the case has failed; does not return */
void tap_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), noreturn));

/** tap_skip - the case cannot be run here; says why; does not return */
void tap_skip(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

#define fail(...)	tap_fail(__FILE__, __LINE__, __VA_ARGS__)

#endif

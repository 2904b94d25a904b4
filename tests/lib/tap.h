/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tap.h - cases with TAP output. Each runs in a process of its own: whatever
 * becomes of it, its files close with it and the next case starts afresh.
 */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>

/**
 * struct tap_case - one case
 * @name: what is true
 * @fn: returns if the case passed; else ends by one of the functions below
 * @arg: handed to @fn
 * @limit_s: longest time in seconds, 0 = that of the run
 * @needs: what must be there, for the run's @missing
 * @quick: also part of a short run, for the run's @wanted
 * @deep: long, and much the same on every kernel; also for @wanted
 * @log: part of the warning that the driver must give; "" = it may warn;
 *	NULL = it must not. For the run's @judge
 */
struct tap_case {
	const char *name;
	void (*fn)(const void *arg);
	const void *arg;
	unsigned int limit_s;
	unsigned int needs;
	bool quick;
	bool deep;
	const char *log;
};

/* TAP_HUNG: the process cannot be ended */
enum tap_result { TAP_OK, TAP_SKIPPED, TAP_FAILED, TAP_HUNG };

/**
 * struct tap_run - how cases are run, and their results so far
 * @prefix: printed in front of each name; NULL = nothing
 * @limit_s: longest time of a case that has no limit of its own
 * @slow: all limits are multiplied by it, 0 = 1
 * @times: say how long each case took
 * @until_failure: stop after the first failure
 * @wanted: is this case to be run? NULL = all are
 * @missing: what the case needs but is not there: it is skipped; NULL =
 *	nothing. May be NULL
 * @before: called in this process before every case; may be NULL
 * @judge: called after it; false = it has failed, and a note says why; may be
 *	NULL
 * @ran: cases whose line was printed
 * @failed: how many of them failed
 * @over: why nothing more can be run, NULL = the run continues
 */
struct tap_run {
	const char *prefix;
	unsigned int limit_s;
	unsigned int slow;
	bool times;
	bool until_failure;
	bool (*wanted)(const struct tap_case *c);
	const char *(*missing)(const struct tap_case *c);
	void (*before)(void);
	bool (*judge)(const struct tap_case *c, enum tap_result result);
	unsigned int ran;
	unsigned int failed;
	const char *over;
};

/**
 * tap_cases - run cases and print a line for each
 * @cases: ends with an entry without @fn
 *
 * May be called again with the same run: numbers continue.
 */
void tap_cases(struct tap_run *r, const struct tap_case *cases);

/** tap_end - print the plan, or why the run was given up */
void tap_end(const struct tap_run *r);

/** tap_note - lines of explanation */
void tap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** tap_fail - the case has failed; does not return */
void tap_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), noreturn));
void tap_vfail(const char *file, int line, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0), noreturn));

/** tap_skip - the case cannot be run here; says why; does not return */
void tap_skip(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));
void tap_vskip(const char *fmt, va_list ap)
	__attribute__((format(printf, 1, 0), noreturn));

#define fail(...)	tap_fail(__FILE__, __LINE__, __VA_ARGS__)

#endif

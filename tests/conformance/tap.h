/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tap.h - cases with TAP output. Each runs in a process of its own: whatever
 * becomes of it, its files close with it and the next case starts afresh.
 */
#ifndef CONFORMANCE_TAP_H
#define CONFORMANCE_TAP_H

#include <stdbool.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/**
 * struct tap_case - one case
 * @name: "AREA: what is true"
 * @fn: returns when the case passed; ends by fail() or skip() else
 * @arg: handed to @fn
 * @needs: what must be offered, for the caller of tap_one() to judge
 */
struct tap_case {
	const char *name;
	void (*fn)(const void *arg);
	const void *arg;
	unsigned int needs;
};

enum tap_result { TAP_OK, TAP_FAILED, TAP_HUNG };

/**
 * tap_one - run a case and print its line
 * @c: the case
 * @prefix: printed in front of its name
 * @limit_s: it fails if it takes longer
 * @trouble: called after the case; a text = it failed, and why; may be NULL
 *
 * Return: TAP_HUNG = its process cannot be ended, the run had better end.
 */
enum tap_result tap_one(const struct tap_case *c, const char *prefix,
			unsigned int limit_s, const char *(*trouble)(void));

/** tap_one_skipped - print the line of a case that cannot run */
void tap_one_skipped(const struct tap_case *c, const char *prefix,
		     const char *why);

/** tap_end - print the plan */
void tap_end(void);

void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* the case cannot be run, and why */
void skip(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

void fail_at(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), noreturn));

#define fail(...)	fail_at(__FILE__, __LINE__, __VA_ARGS__)

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

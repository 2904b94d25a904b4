// SPDX-License-Identifier: GPL-2.0-only
/*
 * run.c - the cases of a program on VFs, and how many of them are run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

#define DEFAULT_LIMIT_S	30

static struct {
	enum run_level level;
	const char *only;
	bool until_failure;
} wants;

void expect_failed(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_vfail(file, line, fmt, ap);
}

void expect_missing(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_vskip(fmt, ap);
}

/* A kernel full of checkers is slow. */
static unsigned int slowness(void)
{
	const char *s = getenv("VF_SLOW");
	unsigned long n = s ? strtoul(s, NULL, 10) : 1;

	return n >= 1 && n <= 100 ? n : 1;
}

static bool wanted(const struct tap_case *c)
{
	if (wants.level == RUN_QUICK && !c->quick)
		return false;
	if (wants.level == RUN_BRIEF && c->deep)
		return false;
	return !wants.only || strstr(c->name, wants.only);
}

void run_until_failure(void)
{
	wants.until_failure = true;
}

int run_cases(const struct tap_case *cases, enum run_level level,
	      const char *only, void (*before)(void),
	      bool (*judge)(const struct tap_case *c, enum tap_result result))
{
	struct tap_run run = {
		.limit_s = DEFAULT_LIMIT_S, .slow = slowness(), .times = true,
		.wanted = wanted, .before = before, .judge = judge,
		.until_failure = wants.until_failure,
	};

	wants.level = level;
	wants.only = only;
	tap_cases(&run, cases);
	if (!run.ran && !run.over) {
		printf("not ok 1 - no case matches\n1..1\n");
		return 1;
	}
	tap_end(&run);
	return run.failed || run.over;
}

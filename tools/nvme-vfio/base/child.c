// SPDX-License-Identifier: GPL-2.0-only
/*
 * child.c - how a process that cannot continue ends: see child.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "child.h"
#include "expect.h"

static struct {
	char *why;
	size_t len;
	int *result;
	int failed;
	int missing;
} to;

void expect_into(char *why, size_t len, int *result, int failed, int missing)
{
	to.why = why;
	to.len = len;
	to.result = result;
	to.failed = failed;
	to.missing = missing;
}

__attribute__((noreturn, format(printf, 2, 0)))
static void give_up(int result, const char *fmt, va_list ap)
{
	vsnprintf(to.why, to.len, fmt, ap);
	if (to.result)
		*to.result = result;
	_exit(1);
}

void expect_failed(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	(void)file;
	(void)line;
	va_start(ap, fmt);
	give_up(to.failed, fmt, ap);
}

void expect_missing(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	give_up(to.missing, fmt, ap);
}

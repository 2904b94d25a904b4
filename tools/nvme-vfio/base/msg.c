// SPDX-License-Identifier: GPL-2.0-only
/*
 * msg.c - what is said on standard error, and how much.
 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "tool.h"

struct tool_options tool;

static void say(const char *fmt, va_list ap)
{
	/* What a report has printed so far stays in front of it. */
	fflush(stdout);
	fputs(TOOL_NAME ": ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int fail(enum tool_exit code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	return code;
}

void warn(const char *fmt, ...)
{
	va_list ap;

	if (tool.quiet)
		return;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void note(const char *fmt, ...)
{
	va_list ap;

	if (!tool.verbose)
		return;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

int need_root(void)
{
	if (!geteuid())
		return TOOL_OK;
	return fail(TOOL_PERM, "must be root: try again with sudo");
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * msg.c - messages on standard error.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

struct tool_options tool;

/*
 * It may contain foreign names: control characters are not passed to the
 * terminal.
 */
static void say_from(const char *who, const char *text)
{
	/* Keep it behind what a report has printed so far. */
	fflush(stdout);
	fputs(who, stderr);
	for (; *text; text++)
		fputc(iscntrl((unsigned char)*text) ? '?' : *text, stderr);
	fputc('\n', stderr);
}

static void say(const char *text)
{
	say_from(TOOL_NAME ": ", text);
}

static void vsay(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		return say("out of memory");
	say(text);
	free(text);
}

static char **texts;
static size_t ntexts;

/* For readers of JSON; without memory they still have the exit status. */
static void keep(char *text)
{
	char **more = realloc(texts, (ntexts + 1) * sizeof(*more));

	if (!more) {
		free(text);
		return;
	}
	texts = more;
	texts[ntexts++] = text;
}

int fail(enum tool_exit code, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		say("out of memory");
		return code;
	}
	say(text);
	keep(text);
	return code;
}

void fail_said(const char *line)
{
	const char *text = strstr(line, ": ");
	char *copy = strdup(text ? text + 2 : line);

	say_from("", line);
	if (copy)
		keep(copy);
}

const char *const *fail_texts(size_t *n)
{
	*n = ntexts;
	return (const char *const *)texts;
}

void warn(const char *fmt, ...)
{
	va_list ap;

	if (tool.quiet)
		return;
	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
}

void note(const char *fmt, ...)
{
	va_list ap;

	if (!tool.verbose)
		return;
	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
}

int need_root(void)
{
	if (!geteuid())
		return TOOL_OK;
	return fail(TOOL_PERM, "must be root: try again with sudo");
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * check.c - what all checks use to answer.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/tool.h"
#include "check.h"

/* Nothing is changed by a check-up, so nothing need be undone. */
static char *words(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		exit(fail(TOOL_FAILED, "out of memory"));
	return text;
}

void say(struct answer *a, enum check_status status, const char *fmt, ...)
{
	va_list ap;

	free(a->text);
	va_start(ap, fmt);
	a->text = words(fmt, ap);
	va_end(ap);
	a->status = status;
}

void cure(struct answer *a, const char *fmt, ...)
{
	va_list ap;

	free(a->cure);
	va_start(ap, fmt);
	a->cure = words(fmt, ap);
	va_end(ap);
}

void answer_free(struct answer *a)
{
	free(a->text);
	free(a->cure);
	*a = (struct answer){ };
}

struct fn_facts *facts_of(struct checkup *c, const struct host_fn *fn)
{
	return &c->facts[fn - c->host->fn];
}

const char *check_status_name(enum check_status status)
{
	static const char * const name[] = { "ok", "warn", "fail", "unknown" };

	return name[status];
}

// SPDX-License-Identifier: GPL-2.0-only
/* said.c - replaces the tool's msg.c: keeps the messages. */
#include <stdarg.h>
#include <stdio.h>

#include "base/tool.h"
#include "said.h"

struct tool_options tool = { .quiet = true };
int said_lines, said_warnings;
char said[1024];

void said_forget(void)
{
	said_lines = 0;
	said_warnings = 0;
	said[0] = 0;
}

int fail(enum tool_exit code, const char *fmt, ...)
{
	va_list ap;

	if (!said_lines++) {
		va_start(ap, fmt);
		vsnprintf(said, sizeof(said), fmt, ap);
		va_end(ap);
	}
	return code;
}

const char *const *fail_texts(size_t *n)
{
	static const char *first[] = { said };

	*n = said_lines ? 1 : 0;
	return first;
}

void note(const char *fmt, ...)
{
	(void)fmt;
}

void warn(const char *fmt, ...)
{
	said_warnings++;
	(void)fmt;
}

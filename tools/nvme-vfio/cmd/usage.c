// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage.c - argp and getopt print their messages themselves: they get another
 * stream for that, whose content is printed when they are done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool.h"
#include "usage.h"

static FILE *terminal;
static char *said;
static size_t length;
static bool json;

bool usage_json(void)
{
	return json;
}

void usage_begin(int argc, char **argv)
{
	FILE *f = open_memstream(&said, &length);
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		json = json || !strcmp(argv[i], "--json") ||
		       !strcmp(argv[i], "-j");
	if (!f)
		return;
	terminal = stderr;
	stderr = f;
}

/* Their advice is not part of the error, and a whole help text is no error. */
static void print(char *text)
{
	char *advice = strstr(text, "\nTry `" TOOL_NAME);

	if (advice) {
		*advice = 0;
		fail_said(text);
		text = advice + 1;
	}
	fputs(text, stderr);
}

void usage_end(void)
{
	if (!terminal)
		return;
	fclose(stderr);
	stderr = terminal;
	terminal = NULL;
	if (said && *said) {
		tool.json = tool.json || json;
		print(said);
	}
	free(said);
	said = NULL;
}

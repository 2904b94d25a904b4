// SPDX-License-Identifier: GPL-2.0-only
/*
 * ini.c - reads a file of sections and settings. Lines of other kinds are
 * reported, and so is what is not text.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ini.h"

#define FILE_MAX	(1 << 20)	/* bytes; nothing longer is a configuration */

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	len = strlen(text);
	while (len && strchr(" \t\r", text[len - 1]))
		len--;
	text[len] = 0;
	return text;
}

/* A comment begins the line, or has a blank in front of it. */
static void uncomment(char *text)
{
	char *c;

	for (c = text; *c; c++)
		if ((*c == '#' || *c == ';') &&
		    (c == text || c[-1] == ' ' || c[-1] == '\t')) {
			*c = 0;
			return;
		}
}

/* Invisible characters are not intended, and would be printed in messages. */
static bool is_text(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (iscntrl((unsigned char)text[i]) && text[i] != '\t' &&
		    !(text[i] == '\r' && i + 1 == len))
			return false;
	return true;
}

static bool read_section(const struct ini_calls *calls, void *arg, int line,
			 char *text)
{
	char *end = strchr(text, ']');

	if (!end || end[1])
		return calls->mistake(arg, line,
				      "a section is [name], with nothing after it") &&
		       calls->section(arg, line, NULL);
	*end = 0;
	return calls->section(arg, line, trim(text + 1));
}

static bool read_line(const struct ini_calls *calls, void *arg, int line,
		      char *text, size_t len)
{
	char *equals;

	if (!is_text(text, len))
		return calls->mistake(arg, line,
				      "contains a control character") &&
		       (*trim(text) != '[' ||
			calls->section(arg, line, NULL));
	uncomment(text);
	text = trim(text);
	if (!*text)
		return true;
	if (*text == '[')
		return read_section(calls, arg, line, text);
	equals = strchr(text, '=');
	if (!equals)
		return calls->mistake(arg, line,
				      "neither [section] nor key = value");
	*equals = 0;
	return calls->setting(arg, line, trim(text), trim(equals + 1));
}

static bool is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/* Return: the text of a file, free() it; NULL with *@why set. */
static char *slurp(const char *path, size_t *len, const char **why)
{
	char *text = NULL;
	struct stat st;
	ssize_t n;
	int fd;

	/* Whatever it is: opening it must not wait. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		*why = strerror(errno);
	} else if (!S_ISREG(st.st_mode) && !is_null(&st)) {
		*why = "not a regular file";
	} else if (st.st_size > FILE_MAX) {
		*why = "too large for a configuration";
	} else {
		text = malloc(FILE_MAX + 1);
		*why = "out of memory";
		*len = 0;
		n = 1;
		while (text && n > 0 && *len < FILE_MAX) {
			n = read(fd, text + *len, FILE_MAX - *len);
			*len += n > 0 ? n : 0;
		}
		if (text && n < 0) {
			*why = strerror(errno);
			free(text);
			text = NULL;
		}
	}
	if (fd >= 0)
		close(fd);
	return text;
}

const char *ini_read(const char *path, const struct ini_calls *calls, void *arg)
{
	static const char mark[] = "\xef\xbb\xbf";	/* some editors' */
	char *text, *line, *end;
	const char *why;
	bool on = true;
	size_t len;
	int n = 0;

	text = slurp(path, &len, &why);
	if (!text)
		return why;
	text[len] = 0;
	line = len >= 3 && !memcmp(text, mark, 3) ? text + 3 : text;
	for (; on && line < text + len; line = end + 1) {
		end = memchr(line, '\n', text + len - line);
		if (!end)
			end = text + len;
		*end = 0;
		on = read_line(calls, arg, ++n, line, end - line);
	}
	free(text);
	return NULL;
}

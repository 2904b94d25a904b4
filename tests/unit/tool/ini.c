// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of sections and settings: what is called for which line.
 */
#include <stdarg.h>
#include <stdbool.h>

#include "here.h"
#include "setup/ini.h"
#include "tap.h"

struct calls {
	char text[1024];
	int left;	/* calls until no more is wanted */
};

__attribute__((format(printf, 2, 3)))
static bool add(void *arg, const char *fmt, ...)
{
	struct calls *c = arg;
	size_t len = strlen(c->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->text + len, sizeof(c->text) - len, fmt, ap);
	va_end(ap);
	return --c->left;
}

static bool section(void *arg, int line, const char *name)
{
	return add(arg, "%d[%s]", line, name ? name : "?");
}

static bool setting(void *arg, int line, const char *key, const char *value)
{
	return add(arg, "%d(%s=%s)", line, key, value);
}

static bool mistake(void *arg, int line, const char *what)
{
	return add(arg, "%d!%.7s", line, what);
}

static const struct ini_calls calls = { section, setting, mistake };

static void reads(const char *what, const char *text, int left, const char *want)
{
	struct calls c = { .left = left };
	const char *why;

	put("file", text);
	why = ini_read("file", &calls, &c);
	ok(!why && !strcmp(c.text, want), "%s: %s", what, c.text);
}

static void refuses(const char *what, const char *path, const char *want)
{
	struct calls c = { .left = 99 };
	const char *why = ini_read(path, &calls, &c);

	ok(why && strstr(why, want) && !*c.text, "%s: %s", what, why ? why : "read");
}

int main(void)
{
	static char many[1100000];
	struct calls c = { .left = 99 };

	here_begin();
	reads("sections and settings", "[ a b ]\nkey=v\n\n  k e y = v = w\t\n", 99, "1[a b]2(key=v)4(k e y=v = w)");
	reads("no value", "a =\n=\n", 99, "1(a=)2(=)");
	reads("comments", "# a\n ; b\n[s] # c\nk = v ;d\nserial = S#1;2\nk = # d\n", 99, "3[s]4(k=v)5(serial=S#1;2)6(k=)");
	reads("ends of lines", "[a]\r\nk = v\r\n\r\nx = y", 99, "1[a]2(k=v)4(x=y)");
	reads("a mark of order of bytes", "\xef\xbb\xbf[a]\n", 99, "1[a]");
	reads("no such line", "word\nkey: v\nk = \x1b\nk\r = v\n", 99, "1!neither2!neither3!contain4!contain");
	reads("a section that cannot be read", "[a\n[b]c\n [\x1b]\nk = v\n", 99, "1!a secti1[?]2!a secti2[?]3!contain3[?]4(k=v)");
	reads("who wants no more after one", "[a\nk = v\n", 1, "1!a secti");
	reads("a last line without its end", "k", 99, "1!neither");
	reads("nothing", "", 99, "");
	reads("who wants no more gets no more", "[a]\nx\nk = v\n[b]\n", 2, "1[a]2!neither");
	memset(many, 'x', 9000);
	memcpy(many, "k = ", 4);
	put("file", many);
	ok(!ini_read("file", &calls, &c) && strlen(c.text) > 1000, "a long line is one");
	memset(many, '\n', sizeof(many) - 1);
	put("file", many);
	refuses("a file that is too large", "file", "too large");
	refuses("a folder", ".", "not a regular file");
	refuses("no file", "nothing", "No such file");
	refuses("a device", "/dev/zero", "not a regular file");
	c = (struct calls){ .left = 99 };
	ok(!ini_read("/dev/null", &calls, &c) && !*c.text, "/dev/null is an empty file");
	here_end();
	return tap_done();
}

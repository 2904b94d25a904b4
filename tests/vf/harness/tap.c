// SPDX-License-Identifier: GPL-2.0-only
/*
 * tap.c - test cases with TAP output, each in a process of its own.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"
#include "util.h"

#define SKIPPED		77
#define DEFAULT_LIMIT_S	30
#define KILL_GRACE_S	10
#define NAP_US		2000

static char skip_file[] = "/tmp/tap-skip-XXXXXX";

static void vnote(const char *fmt, va_list ap)
{
	fputs("# ", stdout);
	vprintf(fmt, ap);
	putchar('\n');
	fflush(stdout);
}

void tap_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vnote(fmt, ap);
	va_end(ap);
}

__attribute__((noreturn))
static void vfail(const char *file, int line, const char *fmt, va_list ap)
{
	printf("# %s:%d: ", file, line);
	vprintf(fmt, ap);
	putchar('\n');
	fflush(stdout);
	_exit(1);
}

void tap_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfail(file, line, fmt, ap);
}

/* what the library finds wrong fails the case as well */
void expect_failed(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfail(file, line, fmt, ap);
}

__attribute__((noreturn))
static void vskip(const char *fmt, va_list ap)
{
	FILE *f = fopen(skip_file, "w");

	if (f) {
		vfprintf(f, fmt, ap);
		fclose(f);
	}
	_exit(SKIPPED);
}

void tap_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vskip(fmt, ap);
}

void expect_missing(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vskip(fmt, ap);
}

/*
 * Wait for a child, at most @limit_s, counted in naps: a machine that is not let
 * run naps for longer. A child in the kernel that ignores even SIGKILL is given
 * up: that is a hang of the driver.
 *
 * Return: wait status, -1 = killed for time, -2 = could not be killed.
 */
static int wait_limited(pid_t pid, unsigned int limit_s)
{
	int64_t left_us = limit_s * 1000000LL;
	bool killed = false;
	int status;

	for (;;) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return killed ? -1 : status;
		if (left_us < 0) {
			if (killed)
				return -2;
			kill(pid, SIGKILL);
			killed = true;
			left_us = KILL_GRACE_S * 1000000LL;
		}
		sleep_us(NAP_US);
		left_us -= NAP_US;
	}
}

static void show_skip(const char *name, int n)
{
	char why[200] = "";

	sysfs_read(why, sizeof(why), "%s", skip_file);
	printf("ok %d - %s # SKIP %s\n", n, name, why);
}

/* A kernel full of checkers is slow: the limits are multiplied by VF_SLOW. */
static unsigned int slowness(void)
{
	const char *s = getenv("VF_SLOW");
	unsigned long n = s ? strtoul(s, NULL, 10) : 1;

	return n >= 1 && n <= 100 ? n : 1;
}

/* Return: 0 or 1 = ok or not, -1 = the run cannot go on */
static int run_one(const struct tap_case *c, int n,
		   bool (*after)(const struct tap_case *c))
{
	unsigned int limit = (c->limit_s ? c->limit_s : DEFAULT_LIMIT_S) *
			     slowness();
	uint64_t t0 = now_us();
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		printf("Bail out! fork failed\n");
		return -1;
	}
	if (!pid) {
		c->fn(c->arg);
		fflush(stdout);
		_exit(0);
	}
	status = wait_limited(pid, limit);
	if (status == -2) {
		tap_note("still there %u s after SIGKILL", KILL_GRACE_S);
		printf("not ok %d - %s\nBail out! a process hangs in the kernel\n",
		       n, c->name);
		return -1;
	}
	if (status == -1)
		tap_note("not finished after %u s", limit);
	else if (WIFSIGNALED(status))
		tap_note("ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) == SKIPPED) {
		show_skip(c->name, n);
		return 0;
	}
	if (after && !after(c) && !status)
		status = -1;
	printf("%s %d - %s (%llu ms)\n", status ? "not ok" : "ok", n, c->name,
	       (unsigned long long)(now_us() - t0) / 1000);
	fflush(stdout);
	return status != 0;
}

int tap_run(const struct tap_case *cases, enum tap_level level,
	    const char *only, void (*before)(void),
	    bool (*after)(const struct tap_case *c))
{
	const struct tap_case *c;
	int n = 0, failed = 0;
	int fd = mkstemp(skip_file);

	if (fd >= 0)
		close(fd);
	for (c = cases; c->fn; c++) {
		int bad;

		if ((level == TAP_QUICK && !c->quick) ||
		    (level == TAP_BRIEF && c->deep) ||
		    (only && !strstr(c->name, only)))
			continue;
		if (before)
			before();
		bad = run_one(c, ++n, after);
		failed += bad != 0;
		if (bad < 0)
			break;
	}
	unlink(skip_file);
	if (!n)
		printf("not ok 1 - no case matches\n");
	printf("1..%d\n", n ? n : 1);
	fflush(stdout);
	return n ? failed : 1;
}

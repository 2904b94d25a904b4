// SPDX-License-Identifier: GPL-2.0-only
/*
 * tap.c - cases with TAP output, each in a process of its own: see tap.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define GRACE_S		15	/* from SIGKILL to the end of the process */
#define STATUS_SKIP	77

/* why a case was skipped; shared with its process */
static char *reason;
#define REASON_LEN	256

static unsigned int count;

static void say(const char *fmt, va_list ap)
{
	char text[1024], *line, *rest = text;

	vsnprintf(text, sizeof(text), fmt, ap);
	while ((line = strsep(&rest, "\n")))
		printf("# %s\n", line);
	fflush(stdout);
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void fail_at(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	note("(%s:%d)", file, line);
	_exit(1);
}

void skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, REASON_LEN, fmt, ap);
	va_end(ap);
	_exit(STATUS_SKIP);
}

const char *errname(int err)
{
	static const struct {
		int err;
		const char *name;
	} names[] = {
		{ 0, "success" }, { E2BIG, "E2BIG" }, { EAGAIN, "EAGAIN" },
		{ EBADF, "EBADF" }, { EBUSY, "EBUSY" }, { EFAULT, "EFAULT" },
		{ EINTR, "EINTR" }, { EINVAL, "EINVAL" }, { EIO, "EIO" },
		{ ENODEV, "ENODEV" }, { ENOMEM, "ENOMEM" },
		{ ENOMSG, "ENOMSG" }, { ENOSPC, "ENOSPC" },
		{ ENOTTY, "ENOTTY" }, { EOPNOTSUPP, "EOPNOTSUPP" },
		{ EOVERFLOW, "EOVERFLOW" }, { EPERM, "EPERM" },
		{ ESPIPE, "ESPIPE" }, { ENXIO, "ENXIO" },
	};
	static char room[4][24];
	static unsigned int next;
	unsigned int i;
	char *other;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].err == -err)
			return names[i].name;
	}
	other = room[next++ % 4];
	snprintf(other, sizeof(room[0]), "errno %d", -err);
	return other;
}

void check_err_at(const char *file, int line, int got, int want,
		  const char *fmt, ...)
{
	char what[400];
	va_list ap;

	if (got == want)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	fail_at(file, line, "%s: expected %s, got %s", what, errname(want),
		errname(got));
}

/*
 * The limit is counted in naps: a machine that is not let run, as an emulated one
 * beside others, naps for longer.
 *
 * Return: false = the process is there for good
 */
static bool wait_for(pid_t pid, unsigned int limit_s, int *status, bool *late)
{
	static const struct timespec nap = { .tv_nsec = 1000000 };
	unsigned int left_ms = limit_s * 1000;

	*late = false;
	while (waitpid(pid, status, WNOHANG) != pid) {
		if (!left_ms) {
			if (*late)
				return false;
			*late = true;
			kill(pid, SIGKILL);
			left_ms = GRACE_S * 1000;
		}
		left_ms--;
		nanosleep(&nap, NULL);
	}
	return true;
}

static void line(bool ok, const char *prefix, const char *name,
		 const char *why_skipped)
{
	printf("%s %u - %s%s%s%s\n", ok ? "ok" : "not ok", ++count, prefix,
	       name, why_skipped ? " # SKIP " : "",
	       why_skipped ? why_skipped : "");
	fflush(stdout);
}

void tap_one_skipped(const struct tap_case *c, const char *prefix,
		     const char *why)
{
	line(true, prefix, c->name, why);
}

enum tap_result tap_one(const struct tap_case *c, const char *prefix,
			unsigned int limit_s, const char *(*trouble)(void))
{
	const char *found;
	bool late, ok;
	int status;
	pid_t pid;

	if (!reason) {
		reason = mmap(NULL, REASON_LEN, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (reason == MAP_FAILED) {
			reason = NULL;
			note("no memory: %s", strerror(errno));
			return TAP_HUNG;
		}
	}
	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		note("no process: %s", strerror(errno));
		return TAP_HUNG;
	}
	if (!pid) {
		c->fn(c->arg);
		fflush(stdout);
		_exit(0);
	}

	if (!wait_for(pid, limit_s, &status, &late)) {
		note("after %u s it hangs in the kernel: SIGKILL does not end it",
		     limit_s);
		line(false, prefix, c->name, NULL);
		return TAP_HUNG;
	}
	ok = !late && WIFEXITED(status) && !WEXITSTATUS(status);
	if (late)
		note("not finished after %u s", limit_s);
	else if (WIFSIGNALED(status))
		note("ended by signal %d", WTERMSIG(status));

	found = trouble ? trouble() : NULL;
	if (found) {
		note("the kernel log says: %s", found);
		ok = false;
	} else if (!late && WIFEXITED(status) &&
		   WEXITSTATUS(status) == STATUS_SKIP) {
		line(true, prefix, c->name, reason);
		return TAP_OK;
	}
	line(ok, prefix, c->name, NULL);
	return ok ? TAP_OK : TAP_FAILED;
}

void tap_end(void)
{
	printf("1..%u\n", count);
	fflush(stdout);
}

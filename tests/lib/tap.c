// SPDX-License-Identifier: GPL-2.0-only
/*
 * tap.c - cases with TAP output, each in a process of its own: see tap.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define GRACE_S		10	/* from SIGKILL to the end of the process */
#define STATUS_SKIP	77
#define NAP_MS		50

/* why a case was skipped; shared with its process */
static char *reason;
#define REASON_LEN	256

static void say(const char *fmt, va_list ap)
{
	char text[8192], *line, *rest = text;

	vsnprintf(text, sizeof(text), fmt, ap);
	while ((line = strsep(&rest, "\n")))
		printf("# %s\n", line);
	fflush(stdout);
}

void tap_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void tap_vfail(const char *file, int line, const char *fmt, va_list ap)
{
	say(fmt, ap);
	tap_note("(%s:%d)", file, line);
	_exit(1);
}

void tap_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_vfail(file, line, fmt, ap);
}

void tap_vskip(const char *fmt, va_list ap)
{
	if (reason)
		vsnprintf(reason, REASON_LEN, fmt, ap);
	else
		say(fmt, ap);
	_exit(STATUS_SKIP);
}

void tap_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_vskip(fmt, ap);
}

/*
 * The limit is counted in naps: a machine that gets no processor time, such as
 * an emulated one beside others, naps longer. A process in the kernel that
 * ignores even SIGKILL is given up: that is a hang of the driver. A nap ends
 * when the process does.
 *
 * Return: false = the process will not go away
 */
static bool wait_for(pid_t pid, unsigned int limit_s, int *status, bool *late)
{
	static const struct timespec nap = { .tv_nsec = NAP_MS * 1000000 };
	unsigned int left_ms = limit_s * 1000;
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGCHLD);
	*late = false;
	while (waitpid(pid, status, WNOHANG) != pid) {
		if (!left_ms) {
			if (*late)
				return false;
			*late = true;
			kill(pid, SIGKILL);
			left_ms = GRACE_S * 1000;
		}
		if (sigtimedwait(&ends, NULL, &nap) < 0 && errno == EAGAIN)
			left_ms -= NAP_MS;
	}
	return true;
}

/* what became of a case's process; reports why it failed */
static enum tap_result await(pid_t pid, unsigned int limit_s)
{
	bool late;
	int status;

	if (!wait_for(pid, limit_s, &status, &late)) {
		tap_note("after %u s it hangs in the kernel: SIGKILL does not end it",
			 limit_s);
		return TAP_HUNG;
	}
	if (late)
		tap_note("not finished after %u s", limit_s);
	else if (WIFSIGNALED(status))
		tap_note("ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) == STATUS_SKIP)
		return TAP_SKIPPED;
	else if (!WEXITSTATUS(status))
		return TAP_OK;
	return TAP_FAILED;
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void show(struct tap_run *r, const struct tap_case *c,
		 enum tap_result result, long long ms)
{
	printf("%s %u - %s%s", result < TAP_FAILED ? "ok" : "not ok",
	       ++r->ran, r->prefix ? r->prefix : "", c->name);
	if (result == TAP_SKIPPED)
		printf(" # SKIP %s", reason);
	else if (r->times && result != TAP_HUNG)
		printf(" (%lld ms)", ms);
	putchar('\n');
	fflush(stdout);
	r->failed += result >= TAP_FAILED;
	if (r->failed && r->until_failure)
		r->over = "one has failed, the others were not to be run then";
	if (result == TAP_HUNG)
		r->over = "a process hangs in the kernel, the device cannot be used any more";
}

static void run_one(struct tap_run *r, const struct tap_case *c)
{
	unsigned int limit_s = c->limit_s ? c->limit_s : r->limit_s;
	long long start = now_ms();
	enum tap_result result;
	sigset_t ends, was;
	pid_t pid;

	*reason = 0;
	fflush(stdout);
	/* a blocked one is kept for whoever waits for it */
	sigemptyset(&ends);
	sigaddset(&ends, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ends, &was);
	pid = fork();
	if (pid < 0) {
		r->over = strerror(errno);
		return;
	}
	if (!pid) {
		sigprocmask(SIG_SETMASK, &was, NULL);
		c->fn(c->arg);
		fflush(stdout);
		_exit(0);
	}
	result = await(pid, limit_s * (r->slow ? r->slow : 1));
	sigprocmask(SIG_SETMASK, &was, NULL);
	if (result != TAP_HUNG && r->judge && !r->judge(c, result))
		result = TAP_FAILED;
	show(r, c, result, now_ms() - start);
}

static void make_reason(struct tap_run *r)
{
	void *p = mmap(NULL, REASON_LEN, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		r->over = strerror(errno);
	else
		reason = p;
}

void tap_cases(struct tap_run *r, const struct tap_case *cases)
{
	const struct tap_case *c;
	const char *why;

	if (!reason)
		make_reason(r);
	for (c = cases; c->fn && !r->over; c++) {
		if (r->wanted && !r->wanted(c))
			continue;
		why = r->missing ? r->missing(c) : NULL;
		if (why) {
			snprintf(reason, REASON_LEN, "%s", why);
			show(r, c, TAP_SKIPPED, 0);
			continue;
		}
		if (r->before)
			r->before();
		run_one(r, c);
	}
}

void tap_end(const struct tap_run *r)
{
	if (r->over)
		printf("Bail out! %s\n", r->over);
	else
		printf("1..%u\n", r->ran);
	fflush(stdout);
}

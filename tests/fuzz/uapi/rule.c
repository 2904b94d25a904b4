// SPDX-License-Identifier: GPL-2.0-only
/*
 * rule.c - what holds whatever is called in whatever order: a call ends, with
 * success or an errno that user space knows.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

/*
 * A command may take admin_timeout (60 s), and a PF is reset after that. Counted in
 * naps of who watches: what was not let run does not hang.
 */
#define HANG_US		(180 * 1000000u)

uint64_t rnd(struct thread *t, uint64_t n)
{
	uint64_t x = t->rnd += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return (x ^ x >> 31) % n;
}

static void show_thread(const struct thread *t)
{
	const struct op *op = t->doing;
	unsigned long n = t->done;
	unsigned int i;

	if (t->since)
		tap_note("thread %u (%d): operation %lu, %s, for %llu ms",
			 t->nr, t->tid, n, op ? op->name : "?",
			 (unsigned long long)(now_us() - t->since) / 1000);
	else
		tap_note("thread %u (%d): waits, %lu done", t->nr, t->tid, n);
	for (i = 0; i < RECENT && i < n; i++) {
		unsigned int k = (n - 1 - i) % RECENT;

		tap_note("    %lu %s, VF %d: %d", t->recent[k].n,
			 t->recent[k].name, t->recent[k].vf,
			 t->recent[k].result);
	}
}

void show_threads(void)
{
	unsigned int i;

	for (i = 0; i < fuzz.nall; i++)
		show_thread(&fuzz.thread[i]);
}

void broken(struct thread *t, const char *fmt, ...)
{
	static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
	const struct op *op = t->doing;
	char text[300];
	va_list ap;

	pthread_mutex_lock(&once);	/* never left: the first one counts */
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tap_note("BROKEN: %s", text);
	tap_note("seed %llu, thread %u, operation %lu (%s)",
		 (unsigned long long)fuzz.seed, t->nr, t->done,
		 op ? op->name : "end");
	show_threads();
	_exit(1);
}

/* What no call may give: EINTR as nobody sends signals, ERESTART as any. */
static bool proper(int err)
{
	return err > 0 && err < 134 && err != EINTR && err != ERESTART &&
	       err != EPROTONOSUPPORT && err != ENOSYS;
}

int ruled(struct thread *t, const char *what, int err)
{
	t->result = err;
	if (err > 0 || (err < 0 && !proper(-err)))
		broken(t, "%s: expected 0 or a proper errno, got %d", what,
		       err);
	return err;
}

long ruled_call(struct thread *t, const char *what, long ret)
{
	int err = errno;

	t->result = ret;
	if (ret >= 0)
		return ret;
	t->result = -err;
	if (!proper(err))
		broken(t, "%s: expected a proper errno, got %d", what, err);
	return -err;
}

static void show_stack(int tid)
{
	char text[4000], path[64], *line, *rest = text;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stack", tid);
	f = fopen(path, "r");
	if (!f)
		return;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = 0;
	while ((line = strsep(&rest, "\n")))
		tap_note("    %s", line);
}

void watch_for(unsigned int us)
{
	unsigned int i;

	sleep_us(us);

	for (i = 0; i < fuzz.nall; i++) {
		struct thread *t = &fuzz.thread[i];
		uint64_t since = t->since;

		t->waits = since && since == t->watched ? t->waits + us : 0;
		t->watched = since;
		if (t->waits < HANG_US)
			continue;
		tap_note("seed %llu: thread %u does not come back",
			 (unsigned long long)fuzz.seed, t->nr);
		show_threads();
		for (i = 0; i < fuzz.nall; i++) {
			tap_note("kernel stack of thread %u:", i);
			show_stack(fuzz.thread[i].tid);
		}
		_exit(1);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * rule.c - what holds for any calls in any order: a call ends, with success or
 * an errno that this call may return. Some errnos have a reason, which must
 * have existed during the call.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

/*
 * A command may take admin_timeout (60 s), and a PF is reset after that.
 * Counted in naps of the watching thread: what was not let run does not hang.
 */
#define HANG_US		(180 * 1000000u)

/* The watch is only this late if nothing else ran either. */
#define STALL_US	500000

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

void event_begins(struct event *e)
{
	e->busy++;
}

void event_ends(struct event *e)
{
	e->count++;
	e->busy--;
}

static struct times times_of(struct event *e)
{
	struct times n;

	/* in this order, so that what ends meanwhile is seen in one of them */
	n.busy = e->busy;
	n.count = e->count;
	return n;
}

/* was it so at any time between two moments? */
static bool happened(struct times from, struct times to)
{
	return from.busy || to.busy || from.count != to.count;
}

struct moment moment_of(struct vf *v)
{
	struct times pf = times_of(&v->pf->lost), vf = times_of(&v->lost);

	return (struct moment){
		.lost = { pf.busy + vf.busy, pf.count + vf.count },
		.reset = times_of(&v->reset),
		.stalls = fuzz.stalls,
		.us = now_us(),
	};
}

bool vf_was_lost(struct vf *v, const struct moment *since)
{
	return happened(since->lost, moment_of(v).lost);
}

void vf_is_calm(struct vf *v, const struct moment *since)
{
	v->calm = *since;
	v->slow = false;
}

bool vf_may_be_busy(struct vf *v)
{
	struct moment now = moment_of(v);

	return v->slow || happened(v->calm.lost, now.lost) ||
	       v->calm.stalls != now.stalls;
}

/*
 * What a call may return. Never EINTR, as nobody sends signals; nor ENOTTY,
 * unless the feature may be missing.
 */
struct rule {
	const char *what;
	bool device;		/* on the device fd, which may be closed */
	bool command;		/* may need the PF */
	int err[8];		/* at any time */
	int lost[6];		/* while the VF is being removed */
};

static const struct rule rules[] = {
	{ "set state", true, true, { EINVAL, EIO }, { 0 } },
	{ "get state", true, false, { 0 }, { 0 } },
	{ "data size", true, false, { 0 }, { 0 } },
	{ "read", false, true, { EBADF, ENODEV, ENOMSG, EFAULT, EIO }, { 0 } },
	/* ENOSPC: a stream that says it is very large */
	{ "write", false, true,
	  { EBADF, ENODEV, EINVAL, EFAULT, EIO, ENOSPC }, { 0 } },
	{ "lseek", false, false, { ESPIPE }, { 0 } },
	{ "pread", false, false, { ESPIPE, EBADF }, { 0 } },
	{ "pwrite", false, false, { ESPIPE, EBADF }, { 0 } },
	{ "poll", false, false, { 0 }, { 0 } },
	{ "precopy info", false, true, { EINVAL, ENOTTY }, { 0 } },
	{ "ioctl", false, true, { EINVAL, ENOTTY }, { 0 } },
	/* the device may say that the VF is suspended, or that it has no room */
	{ "logging start", true, true,
	  { EINVAL, EIO, EFAULT, ENOTTY, EAGAIN, ENOSPC }, { 0 } },
	{ "logging report", true, true, { EINVAL, EIO, EFAULT, ENOTTY }, { 0 } },
	{ "logging stop", true, true, { EINVAL, EIO, ENOTTY }, { 0 } },
	{ "reset", true, false, { EAGAIN }, { 0 } },
	{ "FLR", true, false, { 0 }, { 0 } },
	{ "config", true, false, { 0 }, { 0 } },
	{ "bus master", true, false, { 0 }, { 0 } },
	{ "region info", true, false, { 0 }, { 0 } },
	{ "mmap", true, false, { 0 }, { 0 } },
	/* a VF without a PF has lost most of its vectors */
	{ "enable interrupts", true, false, { ENOSPC }, { 0 } },
	{ "disable interrupts", true, false, { 0 }, { 0 } },
	/* EINVAL: it is not on the bus; ENXIO: its node has not gone yet */
	{ "open", false, false, { EBUSY, EAGAIN },
	  { ENODEV, ENOENT, EPERM, EINVAL, ENXIO } },
	{ "map memory", true, false, { 0 }, { 0 } },
	{ "reset of the PF", false, false, { EBUSY }, { 0 } },
	{ }
};

/* lists end with 0 */
static bool listed(const int *list, int err)
{
	size_t i;

	for (i = 0; list[i]; i++)
		if (list[i] == err)
			return true;
	return false;
}

/* the driver waits at least this long for its own commands */
#define BRIEF_US	1000000

/* The VF's PF had gone before, and nobody has been told yet. */
static bool told_of_pf(struct vf *v)
{
	unsigned int now = v->pf->gone;

	return atomic_exchange(&v->gone, now) != now;
}

void vf_is_told(struct vf *v, unsigned int gone)
{
	v->gone = gone;
}

/* errnos that say why a command was not sent, or that it was given up */
static bool has_reason(const struct thread *t, const char *what, int err)
{
	struct vf *v = t->on;
	struct moment now = moment_of(v);
	bool lost = happened(t->call.lost, now.lost);
	bool slow = now.us - t->call.us >= BRIEF_US;

	/* what has been written cannot be written again */
	if (!strcmp(what, "write") && err != ETIMEDOUT)
		return false;
	switch (err) {
	case EAGAIN:
		return lost || slow || happened(t->call.reset, now.reset);
	case ENODEV:
		return lost || told_of_pf(v);
	case EBUSY:
		return vf_may_be_busy(v);
	case ETIMEDOUT:
		return slow;
	}
	return false;
}

/* For calls without a rule: only errnos that some call may return. */
static bool proper(int err)
{
	return err > 0 && err < 134 && err != EINTR && err != ERESTART &&
	       err != EPROTONOSUPPORT && err != ENOSYS;
}

static bool allowed(struct thread *t, const char *what, int err)
{
	const struct rule *r;
	struct vf *v = t->on;
	bool ok;

	for (r = rules; r->what && strcmp(r->what, what); r++)
		;
	if (!r->what)
		return proper(err);
	if (r->device && v->dev.fd < 0)
		return err == EBADF || listed(r->err, err);
	ok = listed(r->err, err) ||
	     (r->command && has_reason(t, what, err));
	if (!ok && *r->lost && vf_was_lost(v, &t->call))
		ok = listed(r->lost, err);
	return ok;
}

void call_begins(struct thread *t)
{
	if (t->on)
		t->call = moment_of(t->on);
}

static void call_ends(struct thread *t)
{
	if (t->on && now_us() - t->call.us >= BRIEF_US)
		t->on->slow = true;
}

int judged(struct thread *t, const char *what, int err)
{
	t->result = err;
	call_ends(t);
	if (err > 0 || (err < 0 && !allowed(t, what, -err)))
		broken(t, "%s: expected 0 or an errno that it may give, got %d",
		       what, err);
	return err;
}

long judged_call(struct thread *t, const char *what, long ret)
{
	int err = errno;

	if (ret < 0)
		return judged(t, what, -err);
	t->result = ret;
	call_ends(t);
	return ret;
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
	uint64_t began = now_us();
	unsigned int i;

	sleep_us(us);
	if (now_us() - began > us + STALL_US)
		fuzz.stalls++;

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

// SPDX-License-Identifier: GPL-2.0-only
/*
 * race.c - events of the table: a reset of the VF and an arc at the
 * same time, either of them first.
 */
#include <errno.h>
#include <unistd.h>

#include "beside.h"
#include "table.h"

#define COMMAND_US	2000000	/* a reset begins sooner */
#define TRIES		20
#define NAP_US		1000	/* a reset takes 100 ms at least */

/* what a thread does: an arc to a MIG_* state, or this */
enum { NEXT = -1, RESET = -2 };

/* the arcs out of each state; a list's last one is a migration's next step */
static const struct arc {
	int to;
	bool command;	/* the device is told */
} arcs[MIG_NR][3] = {
	[MIG_RUNNING] = { { MIG_PRE_COPY, true }, { NEXT, true } },
	[MIG_RUNNING_P2P] = { { MIG_STOP, false }, { MIG_PRE_COPY_P2P, true },
			      { NEXT, true } },
	[MIG_STOP] = { { MIG_RUNNING_P2P, false }, { MIG_RESUMING, false },
		       { NEXT, true } },
	[MIG_STOP_COPY] = { { MIG_STOP, false }, { NEXT, true } },
	[MIG_PRE_COPY] = { { MIG_RUNNING, false }, { NEXT, true } },
	[MIG_PRE_COPY_P2P] = { { MIG_PRE_COPY, true },
			       { MIG_RUNNING_P2P, false }, { NEXT, true } },
	[MIG_RESUMING] = { { MIG_STOP, false }, { NEXT, true } },
	[MIG_ERROR] = { { NEXT, false } },
};

static int perform(struct scene *s, int what)
{
	switch (what) {
	case RESET:
		return vfio_reset(&s->dev);
	case NEXT:
		return s->st->next(s);
	default:
		return vfio_mig_set(&s->dev, what, NULL);
	}
}

struct first {
	struct beside b;
	struct scene *s;
	int what;
};

static int do_first(struct beside *b)
{
	struct first *f = (struct first *)b;

	return perform(f->s, f->what);
}

/* returns when the VF was told of the reset, which then waits for it */
static void reset_begins(struct first *f)
{
	long before = model_vf_num(VF_A, ".resets");

	beside_call(&f->b, do_first);
	while (!f->b.done && model_vf_num(VF_A, ".resets") == before)
		sleep_us(NAP_US);
}

/*
 * Returns when the device has the arc's first command, if it has one. It takes
 * effect at once: a destination that is told to run has run in the memory of the
 * guest, who cannot go on at the source any more, whatever becomes of the arc.
 */
static void arc_begins(struct first *f)
{
	struct scene *s = f->s;

	model_set(0, "lm-command-us=%d", COMMAND_US);
	model_zero(0);
	beside_call(&f->b, do_first);
	while (!f->b.done && !model_commands(0))
		sleep_us(NAP_US);
	/* other kernels have limits of their own */
	model_set(0, "lm-command-us=0");
	s->arrived |= s->st->dest && f->what == NEXT && s->written == s->s.len;
}

/*
 * One after the other, the second before the first is over. Return: whether it
 * came to that; *@arc is the arc's result.
 */
static bool meet(struct scene *s, int to, bool reset_first, int *arc)
{
	struct first f = { .s = s, .what = reset_first ? RESET : to };
	int first, second;
	bool met;

	if (reset_first)
		reset_begins(&f);
	else
		arc_begins(&f);
	met = !f.b.done;
	second = perform(s, reset_first ? to : RESET);
	if (reset_first)
		met = !f.b.done;
	first = beside_end(&f.b);
	must(reset_first ? first : second);
	*arc = reset_first ? second : first;
	return met;
}

/* Return: the state that an arc and a reset at the same time have left */
static unsigned int say_both(struct scene *s, const struct arc *a,
			     bool reset_first)
{
	unsigned int state, tries = 0;
	bool met;
	int err;

	do {
		check(tries < TRIES, "the two never met");
		if (tries++)
			enter_again(s);
		met = meet(s, a->to, reset_first, &err);
	} while (!met && (reset_first || a->command));
	check(!err || err == -EAGAIN || sane_errno(err),
	      "expected a sensible errno, got %d", err);
	state = scene_state(s);
	check(state == MIG_RUNNING || state == MIG_ERROR,
	      "a reset has led to %s", mig_name(state));
	/*
	 * RUNNING has to be true: whoever is told so does not reset the VF
	 * again
	 */
	if (state == MIG_RUNNING)
		model_await(VF_A, "running");
	if (a->to == NEXT)
		say("next arc: %s, %s", errno_name(err), mig_name(state));
	else
		say("to %s: %s, %s", mig_name(a->to), errno_name(err),
		    mig_name(state));
	return state;
}

static bool is_offered(struct scene *s, const struct arc *a)
{
	uint64_t flags;

	must(vfio_mig_flags(&s->dev, &flags));
	return flags & VFIO_MIGRATION_PRE_COPY ||
	       (a->to != MIG_PRE_COPY && a->to != MIG_PRE_COPY_P2P);
}

static void both(struct scene *s, bool reset_first)
{
	const struct arc *a;
	unsigned int state;

	for (a = arcs[s->st->mig]; a->to != NEXT; a++) {
		if (!is_offered(s, a) || !(reset_first || a->command))
			continue;
		say_both(s, a, reset_first);
		enter_again(s);
	}
	state = say_both(s, a, reset_first);
	say_fd(s);
	if (state == MIG_ERROR) {
		say_cure(s);
		return;
	}
	/* without another reset */
	source_goes_on(s);
	new_guest(s);
	say("a new guest works");
}

static void arc_in_reset(struct scene *s)
{
	both(s, true);
}

static void reset_in_arc(struct scene *s)
{
	both(s, false);
}

const struct table_event race_events[] = {
	{ .name = "an arc during a reset", .fn = arc_in_reset },
	{ .name = "a reset during an arc", .fn = reset_in_arc },
	{ }
};

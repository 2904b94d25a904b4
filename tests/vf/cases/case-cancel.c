// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-cancel.c - a migration is cancelled: the source continues as if nothing
 * had happened, wherever it was.
 */
#include <unistd.h>

#include "cases.h"
#include "move.h"

enum read_part { READ_NONE, READ_SOME, READ_ALL };

struct cancel {
	unsigned int state;
	enum read_part part;
	bool keep_fd;		/* the data fd outlives the cancel */
	bool steps;		/* back arc by arc */
};

static void go_back(struct vfio_dev *dev, unsigned int from, bool steps)
{
	if (steps && from == MIG_STOP_COPY) {
		must(vfio_mig_set(dev, MIG_STOP, NULL));
		state_is(dev, MIG_STOP);
	}
	if (steps && from != MIG_RUNNING_P2P) {
		must(vfio_mig_set(dev, MIG_RUNNING_P2P, NULL));
		state_is(dev, MIG_RUNNING_P2P);
	}
	must(vfio_mig_set(dev, MIG_RUNNING, NULL));
	state_is(dev, MIG_RUNNING);
}

static void once(struct workload *w, struct vfio_dev *dev,
		 const struct cancel *c)
{
	struct mig_stream s = { 0 };
	int fd;

	workload_fill(w, 40);
	must(vfio_mig_set(dev, c->state, &fd));
	if (c->part == READ_SOME)
		must(mig_read(fd, &s, 100));
	else if (c->part == READ_ALL)
		must(mig_read(fd, &s, SIZE_MAX));
	if (fd >= 0 && !c->keep_fd)
		close(fd);
	go_back(dev, c->state, c->steps);
	if (fd >= 0 && c->keep_fd)
		close(fd);
	mig_stream_free(&s);
	workload_check(w);
	workload_event(w);
	workload_burst(w, 1);
}

static void cancel(const void *arg)
{
	struct vfio_dev a;
	struct workload *w;
	int i;

	w = solo_open(&a, VF_A, NULL);
	for (i = 0; i < 3; i++)
		once(w, &a, arg);
}

/* the completions that found no room must survive a cancel, too */
static void cancel_full_cq(const void *arg)
{
	static const struct workload_opts small = { .cq_size = 4 };
	struct vfio_dev a;
	struct workload *w;

	full_queues_suspend();
	w = solo_open(&a, VF_A, &small);
	workload_stuff(w, 30);
	once(w, &a, arg);
}

/* cancelled once, then completed; by then the first stream is stale */
static void cancel_then_migrate(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;

	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	once(w, &a, arg);
	workload_fill(w, 40);
	move(w, &a, &b, &s, NULL);
	workload_check(w);
	workload_event(w);
}

/* the destination has the state, but the user decides for the source */
static void cancel_late(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;

	(void)arg;
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	workload_fill(w, 40);
	must(mig_stop(&a, NULL));
	must(mig_save(&a, &s, NULL));
	must(mig_load(&b, &s, 0, NULL));
	vfio_close(&b);
	go_back(&a, MIG_STOP_COPY, false);
	workload_check(w);
	workload_event(w);
}

static const struct cancel p2p = { MIG_RUNNING_P2P, READ_NONE, .steps = true };
static const struct cancel stop = { .state = MIG_STOP };
static const struct cancel stop_steps = { MIG_STOP, READ_NONE, .steps = true };
static const struct cancel copy_none = { .state = MIG_STOP_COPY };
static const struct cancel copy_some = { .state = MIG_STOP_COPY,
					 .part = READ_SOME };
static const struct cancel copy_all = { MIG_STOP_COPY, READ_ALL,
					.steps = true };
static const struct cancel copy_keep = { MIG_STOP_COPY, READ_SOME,
					 .keep_fd = true };

const struct tap_case cancel_cases[] = {
	{ .name = "cancel in RUNNING_P2P", .fn = cancel, .arg = &p2p },
	{ .name = "cancel in STOP", .fn = cancel, .arg = &stop },
	{ .name = "cancel in STOP, arc by arc", .fn = cancel,
	  .arg = &stop_steps,
	  .deep = true },
	{ .name = "cancel in STOP_COPY, nothing read", .fn = cancel,
	  .arg = &copy_none, .quick = true },
	{ .name = "cancel in STOP_COPY, partly read", .fn = cancel,
	  .arg = &copy_some },
	{ .name = "cancel in STOP_COPY, all read, arc by arc", .fn = cancel,
	  .arg = &copy_all,
	  .deep = true },
	{ .name = "cancel in STOP_COPY, data fd stays open", .fn = cancel,
	  .arg = &copy_keep,
	  .deep = true },
	{ .name = "cancel with full completion queues", .fn = cancel_full_cq,
	  .arg = &copy_some },
	{ .name = "cancel, then migrate", .fn = cancel_then_migrate,
	  .arg = &copy_some },
	{ .name = "cancel after the destination has loaded",
	  .fn = cancel_late },
	{ }
};

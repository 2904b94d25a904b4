// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-queue.c - what happens to queues around a suspension: completions that
 * find no room, doorbells that ring at the wrong time, polled queues.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "move.h"

#define QUIET_US	150000

static const struct workload_opts small_cq = { .sq_size = 64, .cq_size = 4 };
static const struct workload_opts polled = { .poll = true };
static const struct workload_opts shadow = { .cq_size = 8, .shadow = true };

static void full_cq(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	unsigned int round;
	struct workload *w;

	(void)arg;
	full_queues_suspend();
	w = pair_open(&a, VF_A, &b, VF_C, &small_cq);
	for (round = 0; round < 3; round++) {
		struct vfio_dev *src = round % 2 ? &b : &a;
		struct vfio_dev *dst = round % 2 ? &a : &b;

		workload_stuff(w, 40);
		move(w, src, dst, &s, NULL);
		again(w, src, round % 2 ? VF_C : VF_A);
		workload_check(w);
		workload_burst(w, 1);
	}
	workload_event(w);
}

/* some are consumed before the move, so that the ring is in the middle */
static void half_drained(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	unsigned int i;

	(void)arg;
	full_queues_suspend();
	w = pair_open(&a, VF_A, &b, VF_C, &small_cq);
	workload_stuff(w, 30);
	for (i = 0; i < w->ctrl.nio; i++) {
		nvme_queue_reap(&w->ctrl.io[i], 1 + i % 2);
		workload_collect(w);
	}
	move(w, &a, &b, &s, NULL);
	workload_check(w);
	workload_event(w);
}

static void polled_queues(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;

	(void)arg;
	w = pair_open(&a, VF_A, &b, VF_C, &polled);
	workload_fill(w, 50);
	move(w, &a, &b, &s, NULL);
	workload_check(w);
	workload_event(w);
}

/* with the indexes in memory, most doorbells are never rung */
static void shadow_doorbells(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	unsigned int round;
	struct workload *w;

	(void)arg;
	full_queues_suspend();
	w = pair_open(&a, VF_A, &b, VF_C, &shadow);
	for (round = 0; round < 4; round++) {
		struct vfio_dev *src = round % 2 ? &b : &a;
		struct vfio_dev *dst = round % 2 ? &a : &b;

		if (round % 2)
			workload_stuff(w, 30);
		else
			workload_fill(w, 30);
		move(w, src, dst, &s, NULL);
		again(w, src, round % 2 ? VF_C : VF_A);
		workload_check(w);
		workload_burst(w, 4);
	}
	workload_event(w);
}

/*
 * Ring doorbells while the VF must not work: no completion, no fetched data,
 * not a byte of memory may change.
 */
static void ring_in_vain(struct workload *w, const char *where)
{
	uint64_t sum;

	workload_fill(w, 16);
	sum = workload_sum(w);
	sleep_us(QUIET_US);
	check(workload_sum(w) == sum,
	      "doorbells rung in %s: memory was written, expected silence",
	      where);
	check_eq(workload_out(w), 16 * w->ctrl.nio, "commands with the device");
}

static void ring_and_cancel(const void *arg)
{
	struct vfio_dev a;
	struct workload *w;

	w = solo_open(&a, VF_A, arg);
	must(vfio_mig_set(&a, MIG_RUNNING_P2P, NULL));
	ring_in_vain(w, "RUNNING_P2P");
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
	workload_event(w);
}

static void ring_and_move(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;

	w = pair_open(&a, VF_A, &b, VF_C, arg);
	must(vfio_mig_set(&a, MIG_RUNNING_P2P, NULL));
	ring_in_vain(w, "RUNNING_P2P");
	must(vfio_mig_set(&a, MIG_STOP, NULL));
	must(mig_save(&a, &s, NULL));
	move_load(w, &b, &s, NULL);
	workload_check(w);
	workload_event(w);
}

static void ring_destination(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;

	(void)arg;
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	must(mig_stop(&a, NULL));
	must(mig_save(&a, &s, NULL));
	must(mig_load(&b, &s, 0, NULL));
	must(nvme_rebind(&w->ctrl, &b));
	must(vfio_mig_set(&b, MIG_RUNNING_P2P, NULL));
	ring_in_vain(w, "RUNNING_P2P of the destination");
	must(vfio_mig_set(&b, MIG_RUNNING, NULL));
	workload_check(w);
	workload_event(w);
}

#define LAZY_MS		300

/* not a byte of memory may change, although the device would take its time */
static void is_quiet(struct workload *w, const char *where)
{
	uint64_t sum = workload_sum(w);

	sleep_us(2 * LAZY_MS * 1000);
	check(workload_sum(w) == sum, "memory was written in %s", where);
}

/*
 * SUSPEND of the vendor set may leave DMA in flight that only SAVE_DATA ends.
 * Then there is no P2P, and to stop is to save.
 */
static void save_drains(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	uint64_t flags;
	int i, fd = -1;

	(void)arg;
	if (bed.set != SET_VENDOR)
		tap_skip("Suspend of the standard set ends all DMA");
	bed_vouch(false);
	model_set(0, "lm-vendor-drain-ms=%d", LAZY_MS);
	model_set(1, "lm-vendor-drain-ms=%d", LAZY_MS);
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	must(vfio_mig_flags(&a, &flags));
	check(!(flags & VFIO_MIGRATION_P2P), "P2P, though nobody vouches for it");
	check(vfio_mig_set(&a, MIG_RUNNING_P2P, NULL) == -EINVAL,
	      "RUNNING_P2P, though there is no P2P");

	for (i = 0; i < 3; i++) {
		workload_fill(w, 40);
		must(vfio_mig_set(&a, MIG_STOP, NULL));
		is_quiet(w, "STOP");
		must(vfio_mig_set(&a, MIG_RUNNING, NULL));
		workload_check(w);
	}
	/* a pause works even if the state cannot move */
	model_set(0, "lm-fail=0xd2@1=0x4006");
	must(vfio_mig_set(&a, MIG_STOP, NULL));
	check_eq(vfio_mig_set(&a, MIG_STOP_COPY, &fd), -EIO,
		 "STOP_COPY of what could not be saved");
	state_is(&a, MIG_STOP);
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);

	if (flags & VFIO_MIGRATION_PRE_COPY) {
		must(vfio_mig_set(&a, MIG_PRE_COPY, &fd));
		model_set(0, "lm-fail=0xd2@1=0x4006");
		check_eq(vfio_mig_set(&a, MIG_STOP_COPY, NULL), -EIO,
			 "STOP_COPY with a save that fails");
		state_is(&a, MIG_PRE_COPY);
		workload_burst(w, 2);
		workload_fill(w, 40);
		must(vfio_mig_set(&a, MIG_STOP_COPY, NULL));
	} else {
		workload_fill(w, 40);
		must(vfio_mig_set(&a, MIG_STOP_COPY, &fd));
	}
	is_quiet(w, "STOP_COPY");
	must(mig_read(fd, &s, SIZE_MAX));
	close(fd);
	move_load(w, &b, &s, NULL);
	workload_check(w);
	workload_event(w);
}

/* completions that wait for room are in flight at any moment */
static void save_ends_suspend(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;

	(void)arg;
	if (bed.set != SET_VENDOR)
		tap_skip("Suspend of the standard set ends all DMA");
	full_queues_suspend();
	bed_vouch(false);
	/* by itself it would end long after the case */
	model_set(0, "lm-vendor-drain-ms=%d", 100 * LAZY_MS);
	w = pair_open(&a, VF_A, &b, VF_C, &small_cq);
	workload_stuff(w, 40);
	must(vfio_mig_set(&a, MIG_STOP, NULL));
	check(model_vf_is(VF_A, "suspended"), "STOP, and the VF is not suspended yet");
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
	/* the stream of a state that was read by the stop lacks nothing */
	workload_stuff(w, 40);
	move(w, &a, &b, &s, NULL);
	workload_check(w);
	workload_event(w);
}

/* the tail was written before the suspension, nothing was fetched yet */
static void unfetched(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	unsigned int round, before = 0;
	struct workload *w;

	(void)arg;
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	for (round = 0; round < 4; round++) {
		struct vfio_dev *src = round % 2 ? &b : &a;
		struct vfio_dev *dst = round % 2 ? &a : &b;
		unsigned int i;

		/* the same queue twice: the second doorbell comes in transit */
		workload_fill(w, 30);
		workload_fill(w, 30);
		must(mig_stop(src, NULL));
		for (i = 0; i < w->ctrl.nio; i++)
			before += nvme_queue_pending(&w->ctrl.io[i]);
		must(mig_save(src, &s, NULL));
		move_load(w, dst, &s, NULL);
		again(w, src, round % 2 ? VF_C : VF_A);
		workload_check(w);
	}
	tap_note("%u times a queue held completions at the stop", before);
	workload_event(w);
}

const struct tap_case queue_cases[] = {
	{ .name = "full completion queues", .fn = full_cq, .quick = true },
	{ .name = "completion queues half drained", .fn = half_drained },
	{ .name = "a stop ends all DMA, though SUSPEND does not",
	  .fn = save_drains, .log = "", .limit_s = 60 },
	{ .name = "a stop does not end before what SUSPEND leaves",
	  .fn = save_ends_suspend, .quick = true },
	{ .name = "polled queues", .fn = polled_queues },
	{ .name = "doorbells while suspended, then resume",
	  .fn = ring_and_cancel },
	{ .name = "doorbells while suspended, then migrate",
	  .fn = ring_and_move },
	{ .name = "shadow doorbells", .fn = shadow_doorbells },
	{ .name = "shadow doorbells while suspended, then resume",
	  .fn = ring_and_cancel, .arg = &shadow },
	{ .name = "shadow doorbells while suspended, then migrate",
	  .fn = ring_and_move, .arg = &shadow },
	{ .name = "doorbells on the destination before it runs",
	  .fn = ring_destination },
	{ .name = "commands the source has not fetched", .fn = unfetched },
	{ }
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-queue.c - what happens to queues around a suspension: completions that
 * find no room, doorbells that ring at the wrong time, polled queues.
 */
#include <stdlib.h>
#include <string.h>

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

/* some taken before the move, so that the ring stands in the middle */
static void half_drained(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	unsigned int i;

	(void)arg;
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

/* where the indexes are in memory and most doorbells are never rung */
static void shadow_doorbells(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	unsigned int round;
	struct workload *w;

	(void)arg;
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
 * Ring doorbells while the VF may not work: no completion, no fetched data,
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

/* the tail was told before the suspension, nothing was fetched yet */
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

		/* twice the same queue: the second doorbell is news in transit */
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

// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-migrate.c - a workload moves from VF to VF, several times, with commands
 * in flight and async events outstanding.
 */
#include <string.h>

#include "cases.h"
#include "move.h"

struct trip {
	struct place from;
	struct place to;
	unsigned int rounds;
	bool reset;	/* the old source is reset, not opened again */
	bool direct;	/* several arcs in one step, as QEMU does */
};

/* after a round the old source becomes the next destination */
static void prepare_return(struct workload *w, const struct trip *t,
			   struct vfio_dev *dev, struct place at)
{
	if (!t->reset) {
		again(w, dev, at);
		return;
	}
	must(vfio_reset(dev));
	state_is(dev, MIG_RUNNING);
	must(vfio_irq_enable(dev, dev->nefd));
}

static void move_direct(struct workload *w, struct vfio_dev *src,
			struct vfio_dev *dst, struct mig_stream *s)
{
	must(vfio_mig_set(src, MIG_STOP, NULL));
	must(mig_save(src, s, NULL));
	must(mig_load(dst, s, 0, NULL));
	must(nvme_rebind(&w->ctrl, dst));
	must(vfio_mig_set(dst, MIG_RUNNING, NULL));
}

static void there_and_back(const void *arg)
{
	const struct trip *t = arg;
	struct vfio_dev dev[2];
	struct place at[2] = { t->from, t->to };
	struct mig_stream s = { 0 };
	struct mig_times times = { { 0 } };
	unsigned int round, in_flight = 0, carried = 0;
	struct workload *w;

	w = pair_open(&dev[0], at[0], &dev[1], at[1], NULL);
	tap_note("%u I/O queues", w->ctrl.nio);
	for (round = 0; round < t->rounds; round++) {
		struct vfio_dev *src = &dev[round % 2];
		struct vfio_dev *dst = &dev[(round + 1) % 2];
		unsigned int i;

		workload_burst(w, 2);
		workload_fill(w, 50);
		in_flight += workload_out(w);
		if (t->direct)
			move_direct(w, src, dst, &s);
		else
			move(w, src, dst, &s, &times);
		for (i = 0; i < w->ctrl.nio; i++)
			carried += !nvme_queue_pending(&w->ctrl.io[i]);
		prepare_return(w, t, src, at[round % 2]);
		workload_check(w);
		workload_event(w);
		workload_burst(w, 2);
	}
	workload_check(w);
	tap_note("%u commands were in flight, %lu pieces compared, %u queues had nothing posted yet",
		 in_flight, w->checked, carried);
	if (!t->direct)
		move_show(&s, &times);
}

/* commands that the device takes long to finish at suspend */
static void slow_suspend(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	uint64_t t0;

	(void)arg;
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	model_set(0, "lm-suspend-delay-ms=300");
	model_set(1, "lm-resume-delay-ms=300");
	workload_fill(w, 50);
	t0 = now_us();
	move(w, &a, &b, &s, NULL);
	check(now_us() - t0 >= 500000,
	      "expected the arcs to wait for the device, they took %llu us",
	      (unsigned long long)(now_us() - t0));
	workload_check(w);
	workload_event(w);
}

/* the destination did other work before, of which nothing may remain */
static void used_destination(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w, *old;

	(void)arg;
	bed_need(VF_A);
	bed_need(VF_C);
	old = workload_new();
	bed_open(&b, VF_C, &old->mem);
	workload_start(old, &b, NULL);
	workload_burst(old, 2);
	w = workload_new();
	bed_open(&a, VF_A, &w->mem);
	workload_start(w, &a, NULL);
	/* a new user, but the fd stays: only the reset cleans it */
	must(vfio_reset(&b));
	must(vfio_dma_unmap(&b, &old->mem));
	must(vfio_dma_map(&b, &w->mem));
	must(vfio_irq_enable(&b, b.nefd));
	workload_fill(w, 40);
	move(w, &a, &b, &s, NULL);
	workload_check(w);
	workload_event(w);
}

/* an idle controller with only its admin queue */
static void before_io_queues(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	uint32_t dw0;

	(void)arg;
	bed_need(VF_A);
	bed_need(VF_C);
	w = workload_new();
	bed_open(&a, VF_A, &w->mem);
	bed_open(&b, VF_C, &w->mem);
	must(nvme_enable(&w->ctrl, &a, &w->mem, 32));
	must(nvme_set_feature(&w->ctrl, NVME_FEAT_TEMP, 0x151, NULL));
	must(mig_stop(&a, NULL));
	must(mig_save(&a, &s, NULL));
	must(mig_load(&b, &s, 0, NULL));
	must(nvme_rebind(&w->ctrl, &b));
	must(mig_start(&b, NULL));
	must(nvme_get_feature(&w->ctrl, NVME_FEAT_TEMP, &dw0));
	check_eq(dw0, 0x151, "temperature threshold");
	must(nvme_queue_audit(&w->ctrl.admin, 0));
	nvme_release(&w->ctrl);
	alive(&b, VF_C);
}

/* a controller that was never enabled: a guest that has not booted yet */
static void not_enabled(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;

	(void)arg;
	bed_need(VF_C);
	w = idle_open(&a, VF_A);
	bed_open(&b, VF_C, &w->mem);
	must(mig_stop(&a, NULL));
	must(mig_save(&a, &s, NULL));
	must(mig_load(&b, &s, 0, NULL));
	must(mig_start(&b, NULL));
	workload_start(w, &b, NULL);
	workload_check(w);
	workload_event(w);
}

static const struct trip same_pf = { { 0, 0 }, { 0, 1 }, 4, .reset = false };
static const struct trip two_pfs = { { 0, 0 }, { 1, 0 }, 4, .reset = false };
static const struct trip by_reset = { { 0, 1 }, { 1, 1 }, 4, .reset = true };
static const struct trip like_qemu = { { 1, 0 }, { 0, 0 }, 3, .direct = true };
static const struct trip last_vf = { { 0, 3 }, { 1, 2 }, 2, .reset = true };
static const struct trip one_way = { { 0, 1 }, { 1, 0 }, 1, .reset = false };

const struct tap_case migrate_cases[] = {
	{ .name = "one migration PF to PF", .fn = there_and_back,
	  .arg = &one_way, .quick = true },
	{ .name = "migrate on one PF, 4 rounds", .fn = there_and_back,
	  .arg = &same_pf, .limit_s = 60 },
	{ .name = "migrate PF to PF, 4 rounds", .fn = there_and_back,
	  .arg = &two_pfs, .limit_s = 60 },
	{ .name = "migrate PF to PF, old source reset, 4 rounds",
	  .fn = there_and_back, .arg = &by_reset, .limit_s = 60,
	  .deep = true },
	{ .name = "migrate with arcs in one step, 3 rounds",
	  .fn = there_and_back, .arg = &like_qemu, .limit_s = 60 },
	{ .name = "migrate another VF number, 2 rounds",
	  .fn = there_and_back, .arg = &last_vf, .limit_s = 60,
	  .deep = true },
	{ .name = "slow suspend and resume", .fn = slow_suspend,
	  .deep = true },
	{ .name = "destination was in use before", .fn = used_destination,
	  .deep = true },
	{ .name = "only the admin queue exists", .fn = before_io_queues },
	{ .name = "controller not enabled yet", .fn = not_enabled },
	{ }
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * move.c - workloads on VFs of the bed.
 */
#include "move.h"

void move_show(const struct mig_stream *s, const struct mig_times *t)
{
	unsigned int i;

	tap_note("state %zu bytes", s->len);
	for (i = 0; i < MIG_ARC_NR; i++)
		tap_note("%-36s %8llu us", mig_arc_name(i),
			 (unsigned long long)t->us[i]);
}

struct workload *idle_open(struct vfio_dev *a, struct place at_a)
{
	struct workload *w;

	bed_need(at_a);
	w = workload_new();
	bed_open(a, at_a, &w->mem);
	return w;
}

struct workload *pair_open(struct vfio_dev *a, struct place at_a,
			   struct vfio_dev *b, struct place at_b,
			   const struct workload_opts *opts)
{
	struct workload *w;

	bed_need(at_b);
	w = idle_open(a, at_a);
	bed_open(b, at_b, &w->mem);
	workload_start(w, a, opts);
	return w;
}

struct workload *pair_busy(struct vfio_dev *a, struct vfio_dev *b)
{
	struct workload *w = pair_open(a, VF_A, b, VF_C, NULL);

	workload_fill(w, 30);
	return w;
}

static void all_have(const char *property)
{
	int pf;

	for (pf = 0; pf < bed.npf; pf++)
		model_set(pf, "%s", property);
}

void full_queues_suspend(void)
{
	all_have("lm-suspend-waits=");
}

void one_command_each(void)
{
	all_have("lm-pad=0\nlm-fail=");
}

struct workload *solo_open(struct vfio_dev *a, struct place at_a,
			   const struct workload_opts *opts)
{
	struct workload *w = idle_open(a, at_a);

	workload_start(w, a, opts);
	return w;
}

void again(struct workload *w, struct vfio_dev *dev, struct place at)
{
	vfio_close(dev);
	bed_open(dev, at, &w->mem);
	state_is(dev, MIG_RUNNING);
}

void alive(struct vfio_dev *dev, struct place at)
{
	struct workload *w = workload_new();

	vfio_close(dev);
	bed_open(dev, at, &w->mem);
	state_is(dev, MIG_RUNNING);
	workload_start(w, dev, NULL);
	workload_burst(w, 2);
	workload_event(w);
	workload_check(w);
	vfio_close(dev);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-namespaces.c - a destination whose VF does not have the source's
 * namespaces: a guest that continued there would work on other data, so it is
 * refused, before the guest stops if the kernel has PRE_COPY.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "move.h"

/**
 * struct namespace_change - how the namespaces differ
 * @pf: whose model reports it
 * @knob: by this property
 */
struct namespace_change {
	int pf;
	const char *knob;
};

static bool has_precopy(struct vfio_dev *dev)
{
	uint64_t flags;

	must(vfio_mig_flags(dev, &flags));
	return flags & VFIO_MIGRATION_PRE_COPY;
}

/* What a destination can judge: in PRE_COPY if the kernel has it. */
static void take_first(struct vfio_dev *dev, struct mig_stream *s, int *out)
{
	s->len = 0;
	if (has_precopy(dev)) {
		int err;

		must(vfio_mig_set(dev, MIG_PRE_COPY, out));
		err = mig_read(*out, s, SIZE_MAX);
		check(err == -ENOMSG, "expected ENOMSG, got %d", err);
	} else {
		must(vfio_mig_set(dev, MIG_STOP_COPY, out));
		must(mig_read(*out, s, SIZE_MAX));
	}
}

/* Refused: the guest continues at the source, and moves once all is well. */
static void differs(const void *arg)
{
	const struct namespace_change *o = arg;
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	int out, in, err;

	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	workload_fill(w, 20);
	model_set(o->pf, "%s", o->knob);
	take_first(&a, &s, &out);
	must(vfio_mig_set(&b, MIG_RESUMING, &in));
	err = mig_write(in, s.data, s.len, 0);
	check(err == -EINVAL, "%s: expected EINVAL, got %d", o->knob, err);
	check(vfio_mig_set(&b, MIG_STOP, NULL), "a refused state was loaded");
	if (has_precopy(&a)) {
		state_is(&a, MIG_PRE_COPY);
		workload_burst(w, 1);
	}
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	close(out);
	close(in);
	workload_check(w);
	workload_event(w);
	must(vfio_reset(&b));
	must(vfio_irq_enable(&b, b.nefd));

	model_set(o->pf, "lm-reset-knobs=1");
	workload_fill(w, 20);
	s.len = 0;
	move(w, &a, &b, &s, NULL);
	workload_check(w);
}

/* @arg: a model that does not report them; what is not known is no obstacle */
static void not_known(const void *arg)
{
	const struct namespace_change *o = arg;
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;

	model_set(o->pf, "%s", o->knob);
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	workload_fill(w, 20);
	move(w, &a, &b, &s, NULL);
	workload_check(w);
	workload_event(w);
}

/* With PRE_COPY nothing is asked for while the guest is stopped. */
static void asked_before(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	size_t first;
	int out, in;

	(void)arg;
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	if (!has_precopy(&a))
		tap_skip("this kernel has no PRE_COPY");
	must(vfio_mig_set(&b, MIG_RESUMING, &in));
	model_zero(0);
	model_zero(1);
	take_first(&a, &s, &out);
	must(mig_write(in, s.data, s.len, 0));
	first = s.len;
	tap_note("asked while the guest runs: %ld times at the source, %ld at the destination",
		 model_count(0, 0x06, -1), model_count(1, 0x06, -1));
	check(model_count(0, 0x06, -1) >= 4, "the source did not ask");
	check(model_count(1, 0x06, -1) >= 4, "the destination did not ask");
	model_zero(0);
	model_zero(1);
	must(vfio_mig_set(&a, MIG_STOP_COPY, NULL));
	must(mig_read(out, &s, SIZE_MAX));
	must(mig_write(in, s.data + first, s.len - first, 0));
	must(vfio_mig_set(&b, MIG_STOP, NULL));
	must(nvme_rebind(&w->ctrl, &b));
	must(mig_start(&b, NULL));
	check_eq(model_count(0, 0x06, -1), 0, "Identify while the guest stands still");
	check_eq(model_count(1, 0x06, -1), 0, "Identify at the destination");
	close(out);
	close(in);
	workload_check(w);
}

const struct tap_case namespace_cases[] = {
	{ .name = "destination with another namespace is refused", .fn = differs,
	  .arg = &(const struct namespace_change){ 1, "lm-ns-other=1" }, .quick = true,
	  .log = "namespace 1 is a different one: its NGUID differs" },
	{ .name = "destination with a namespace of a different size is refused",
	  .fn = differs, .arg = &(const struct namespace_change){ 1, "lm-ns-more=8" },
	  .log = "namespace 1 has a different size" },
	{ .name = "destination without the namespace is refused", .fn = differs,
	  .arg = &(const struct namespace_change){ 1, "lm-ns-hide=1" },
	  .log = "namespace 1 is not attached to this VF" },
	{ .name = "destination with one namespace too many is refused",
	  .fn = differs, .arg = &(const struct namespace_change){ 0, "lm-ns-hide=1" },
	  .log = "namespace 1 is attached to this VF but not to the source's" },
	{ .name = "destination that does not know its namespaces is warned",
	  .fn = not_known, .arg = &(const struct namespace_change){ 1, "lm-ns-manage=off" },
	  .log = "not known whether the namespaces" },
	{ .name = "source that does not know its namespaces is warned about",
	  .fn = not_known, .arg = &(const struct namespace_change){ 0, "lm-ns-manage=off" },
	  .log = "not known whether the namespaces" },
	{ .name = "namespaces are asked for before the guest stops",
	  .fn = asked_before },
	{ }
};

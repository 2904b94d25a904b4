// SPDX-License-Identifier: GPL-2.0-only
/*
 * migrate.c - carry a workload from one VF to another.
 */
#include "migrate.h"

void state_is(struct vfio_dev *dev, unsigned int state)
{
	unsigned int now;

	must(vfio_mig_get(dev, &now));
	check(now == state, "%s: expected state %s, it is %s", dev->bdf,
	      mig_name(state), mig_name(now));
}

void move_load(struct workload *w, struct vfio_dev *dst, struct mig_stream *s,
	       struct mig_times *t)
{
	uint64_t sum = workload_sum(w);

	must(mig_load(dst, s, 0, t));
	must(nvme_rebind(&w->ctrl, dst));
	check(workload_sum(w) == sum,
	      "memory changed before the destination was started");
	must(mig_start(dst, t));
	state_is(dst, MIG_RUNNING);
}

void move_stop(struct workload *w, struct vfio_dev *src, struct mig_stream *s,
	       struct mig_times *t)
{
	uint64_t sum;

	must(mig_stop(src, t));
	sum = workload_sum(w);
	must(mig_save(src, s, t));
	state_is(src, MIG_STOP_COPY);
	check(s->len, "expected a state, the stream is empty");
	check(workload_sum(w) == sum,
	      "memory changed although the VF is stopped");
}

void move(struct workload *w, struct vfio_dev *src, struct vfio_dev *dst,
	  struct mig_stream *s, struct mig_times *t)
{
	move_stop(w, src, s, t);
	move_load(w, dst, s, t);
}

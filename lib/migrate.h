/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * migrate.h - carry a workload from one VF to another.
 */
#ifndef NVME_VFIO_MIGRATE_H
#define NVME_VFIO_MIGRATE_H

#include "vfio_mig.h"
#include "workload.h"

/** state_is - the device must be in this migration state */
void state_is(struct vfio_dev *dev, unsigned int state);

/**
 * move - stop @src, carry the state to @dst, continue there
 * @s: the state that was carried
 * @t: times, may be NULL
 *
 * Both devices are open with the workload's memory mapped. While stopped, no
 * byte of memory may change. The source stays in STOP_COPY.
 */
void move(struct workload *w, struct vfio_dev *src, struct vfio_dev *dst,
	  struct mig_stream *s, struct mig_times *t);

/** move_stop - the first half: stop, and read the state */
void move_stop(struct workload *w, struct vfio_dev *src, struct mig_stream *s,
	       struct mig_times *t);

/** move_load - the second half: @s into @dst, rebind, run */
void move_load(struct workload *w, struct vfio_dev *dst, struct mig_stream *s,
	       struct mig_times *t);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * move.h - carry a workload from one VF to another.
 */
#ifndef NVME_VFIO_MOVE_H
#define NVME_VFIO_MOVE_H

#include "work.h"

/* two VFs of the same PF, and two of different ones */
#define VF_A	((struct place){ 0, 0 })
#define VF_B	((struct place){ 0, 1 })
#define VF_C	((struct place){ 1, 0 })

/**
 * move - stop @src, carry the state to @dst, go on there
 * @s: the state that was carried
 * @t: times, may be NULL
 *
 * Both devices are open with the workload's memory mapped. While stopped, no
 * byte of memory may change. The source stays in STOP_COPY.
 */
void move(struct work *w, struct vfio_dev *src, struct vfio_dev *dst,
	  struct mig_stream *s, struct mig_times *t);

/** move_load - the second half: @s into @dst, rebind, run */
void move_load(struct work *w, struct vfio_dev *dst, struct mig_stream *s,
	       struct mig_times *t);

/** move_show - the times of a migration as notes */
void move_show(const struct mig_stream *s, const struct mig_times *t);

/**
 * pair_open - the usual start: a workload on VF @a, and VF @b open beside it
 * @opts: see work_start(); may be NULL
 */
struct work *pair_open(struct vfio_dev *a, struct place at_a,
		       struct vfio_dev *b, struct place at_b,
		       const struct work_opts *opts);

/** solo_open - the same without a second VF */
struct work *solo_open(struct vfio_dev *a, struct place at_a,
		       const struct work_opts *opts);

/** again - close and open a VF, as a new user of it would find it */
void again(struct work *w, struct vfio_dev *dev, struct place at);

/**
 * alive - is the VF, after all that was done to it, a good VF?
 *
 * Brings a controller up from the start on the open device and uses it.
 */
void alive(struct vfio_dev *dev, struct place at);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * move.h - workloads on VFs of the bed, and moving them.
 */
#ifndef NVME_VFIO_MOVE_H
#define NVME_VFIO_MOVE_H

#include "bed.h"
#include "migrate.h"

/* two VFs of the same PF, and two of different ones */
#define VF_A	((struct place){ 0, 0 })
#define VF_B	((struct place){ 0, 1 })
#define VF_C	((struct place){ 1, 0 })

/** move_show - the times of a migration as notes */
void move_show(const struct mig_stream *s, const struct mig_times *t);

/**
 * pair_open - the usual start: a workload on VF @a, and VF @b open beside it
 * @opts: see workload_start(); may be NULL
 */
struct workload *pair_open(struct vfio_dev *a, struct place at_a,
			   struct vfio_dev *b, struct place at_b,
			   const struct workload_opts *opts);

/** pair_busy - the same for VF_A and VF_C, with I/O in flight */
struct workload *pair_busy(struct vfio_dev *a, struct vfio_dev *b);

/**
 * full_queues_suspend - the drives suspend a VF although its completions find
 * no room in their queues; for cases that cause some
 *
 * A drive may wait for room, which a stopped guest does not make.
 */
void full_queues_suspend(void);

/**
 * one_command_each - a state needs one, none is refused; for cases that count
 */
void one_command_each(void);

/** solo_open - a workload on VF @a, and no second VF */
struct workload *solo_open(struct vfio_dev *a, struct place at_a,
			   const struct workload_opts *opts);

/** idle_open - VF @a open with a workload's memory, with nothing done yet */
struct workload *idle_open(struct vfio_dev *a, struct place at_a);

/** again - close and open a VF, so that it is as a new user finds it */
void again(struct workload *w, struct vfio_dev *dev, struct place at);

/**
 * alive - does the VF still work after everything that was done to it?
 *
 * Brings up a controller from scratch on the open device and uses it.
 */
void alive(struct vfio_dev *dev, struct place at);

#endif

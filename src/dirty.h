/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of what a VF writes to memory, for VFIO's DMA_LOGGING features.
 */
#ifndef _NVME_VFIO_DIRTY_H
#define _NVME_VFIO_DIRTY_H

#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/types.h>

#include "iova_range.h"

struct dirty_map;
struct iova_bitmap;
struct migration;
struct nvme_pf_buf;
struct rb_root_cached;

/**
 * enum dirty_state - where the log is
 * @DIRTY_OFF: there is none
 * @DIRTY_ARMED: asked for while the VF was suspended, when the device accepts
 *	no such command and the VF writes nothing: begins when the VF is resumed
 * @DIRTY_ON: the device tracks what the VF writes
 * @DIRTY_LOST: something may have been missed; user space must begin anew
 */
enum dirty_state {
	DIRTY_OFF,
	DIRTY_ARMED,
	DIRTY_ON,
	DIRTY_LOST,
};

/**
 * struct dirty_log - the log of one VF
 * @lock: one call of user space at a time; @map and @buf. Held while the
 *	bitmap of user space is written; taken before the migration's lock.
 * @map: what was written and not asked for yet
 * @buf: for reports of the device
 * @state: as the rest under the migration's lock
 * @device_on: the device tracks, or may do so, and is to be told to stop
 * @all: everything counts as written
 * @drained: the device has reported all that the VF wrote before it was
 *	suspended, and it is suspended still: there is nothing more to ask for
 * @ranges: of memory that user space asked for; changed under both locks
 * @nr: how many
 * @tracked: what the device was told to track for them; under the migration's
 *	lock
 * @nr_tracked: how many
 * @shift: log2 of the unit that the device tracks, bytes
 * @hole: the VF's own BARs, which the device does not track: always written
 * @holes: how many
 */
struct dirty_log {
	struct mutex lock;
	struct dirty_map *map;
	struct nvme_pf_buf *buf;

	enum dirty_state state;
	bool device_on;
	bool all;
	bool drained;
	struct iova_range *ranges;
	u32 nr;
	struct iova_range *tracked;
	u32 nr_tracked;
	u8 shift;
	struct iova_range hole[PCI_STD_NUM_BARS];
	u32 holes;
};

void nvme_vfio_dirty_init(struct dirty_log *log);
void nvme_vfio_dirty_destroy(struct dirty_log *log);

/* nvme_vfio_dirty_can_log - can this device on this kernel keep such a log? */
bool nvme_vfio_dirty_can_log(const struct migration *m);

/*
 * The three operations of struct vfio_log_ops. -EINVAL: not allowed now, or
 * arguments out of range; -EIO: the log is lost or the device fails; -ENOSPC:
 * the device cannot track these ranges; -ENODEV: the PF has gone; -EAGAIN:
 * it is being reset; -EBUSY, -EINTR, -ENOMEM.
 */
int nvme_vfio_dirty_start(struct migration *m, struct rb_root_cached *ranges,
			  u32 nr, u64 *page_size);
int nvme_vfio_dirty_stop(struct migration *m);
int nvme_vfio_dirty_report(struct migration *m, u64 iova, u64 len,
			   struct iova_bitmap *dirty);

/* For the states; with the migration's lock held. */

/**
 * nvme_vfio_dirty_confirm - the VF is about to be suspended: does the device
 *	still have the log that it was told to keep?
 * @m: the migration
 *
 * A reset of the PF may have cost it the log, and then it has nothing to
 * report. If so, or if it does not say, all memory counts as written.
 *
 * Return: 0; or what nvme_vfio_exec() returns when the device could not be
 * asked. The VF runs in any case.
 */
int nvme_vfio_dirty_confirm(struct migration *m);

/* nvme_vfio_dirty_resumes - the VF is about to run again, or may be */
void nvme_vfio_dirty_resumes(struct migration *m);

/* nvme_vfio_dirty_resumed - the VF runs again after a suspension */
void nvme_vfio_dirty_resumed(struct migration *m);

/* nvme_vfio_dirty_lost - a reset, or an error that leaves the VF in doubt */
void nvme_vfio_dirty_lost(struct migration *m);

/*
 * nvme_vfio_dirty_end - the user has gone: forget all, tell the device. May be
 * repeated. Return: false when the device could not be told, and may still
 * track.
 */
bool nvme_vfio_dirty_end(struct migration *m);

#endif

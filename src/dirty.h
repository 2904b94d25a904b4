/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of what a VF writes to memory, for VFIO's DMA_LOGGING features.
 */
#ifndef _NVME_VFIO_DIRTY_H
#define _NVME_VFIO_DIRTY_H

#include <linux/mutex.h>
#include <linux/types.h>

struct dirty_map;
struct iova_bitmap;
struct migration;
struct nvme_pf_buf;
struct rb_root_cached;
struct iova_range;

/**
 * enum dirty_state - where the log is
 * @DIRTY_OFF: there is none
 * @DIRTY_ARMED: asked for while the VF was suspended, when the device takes no
 *	such command, and the VF writes nothing: begins when the VF is resumed
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
 * @map: what was written and not asked for as yet
 * @buf: for reports of the device
 * @state: as the rest under the migration's lock
 * @device_on: the device tracks, or may do so, and is to be told to stop
 * @all: everything counts as written
 * @ranges: of memory that user space asked for; changed under both locks
 * @nr: how many
 * @shift: log2 of the unit that the device tracks, bytes
 */
struct dirty_log {
	struct mutex lock;
	struct dirty_map *map;
	struct nvme_pf_buf *buf;

	enum dirty_state state;
	bool device_on;
	bool all;
	struct iova_range *ranges;
	u32 nr;
	u8 shift;
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

/* nvme_vfio_dirty_resumed - the VF runs again after a suspension */
void nvme_vfio_dirty_resumed(struct migration *m);

/* nvme_vfio_dirty_lost - a reset, or an error that leaves the VF in doubt */
void nvme_vfio_dirty_lost(struct migration *m);

/*
 * nvme_vfio_dirty_end - the user has gone: forget all, tell the device. May be
 * repeated. Return: false when the device could not be told, and may still be.
 */
bool nvme_vfio_dirty_end(struct migration *m);

#endif

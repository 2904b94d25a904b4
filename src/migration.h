/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Migration of one VF: VFIO's states and arcs, locking, reset.
 */
#ifndef _NVME_VFIO_MIGRATION_H
#define _NVME_VFIO_MIGRATION_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/vfio.h>

#include "nvme_vf.h"
#include "dirty.h"
#include "save_buf.h"

struct mig_file;

/**
 * struct migration - migration side of one VF
 * @ref: one reference of the VFIO device, one of each data file. Data files
 *	outlive the device when user space keeps them open.
 * @lock: all below, and every command sent for this VF. Held across PF
 *	commands (up to nvme_core.admin_timeout), never across access to user
 *	memory. Taken inside a data file's own lock. Left only through
 *	nvme_vfio_mig_unlock().
 * @reset_lock: @deferred_reset, and whether @lock is being left. Innermost.
 * @deferred_reset: the VF was reset while @lock was held by somebody else
 * @vdev: the VF as VFIO sees it; valid while a user has it open
 * @state: enum vfio_device_mig_state
 * @vf: the VF as the commands see it
 * @file: the data file of PRE_COPY, STOP_COPY or RESUMING, else NULL
 * @prealloc: PRE_COPY: buffer for the state to come, else NULL
 * @rollback_state: the state of a VF that was disabled by reading it, to be
 *	loaded again if the VF is to run on here; NULL when the VF holds its
 *	state itself
 * @loaded: RESUMING: all of the state has reached the device
 * @load_failed: RESUMING: the stream was refused
 * @size: the last size of the state that the device told, bytes; 0 unknown
 * @size_at: when, in jiffies
 * @dirty: log of what the VF writes to memory
 */
struct migration {
	struct kref ref;
	struct mutex lock;
	spinlock_t reset_lock;
	bool deferred_reset;

	struct vfio_device *vdev;
	enum vfio_device_mig_state state;
	struct nvme_vf vf;
	struct mig_file *file;
	struct save_buf *prealloc;
	struct save_buf *rollback_state;
	bool loaded;
	bool load_failed;
	u64 size;
	unsigned long size_at;
	struct dirty_log dirty;
};

static inline struct device *nvme_vfio_mig_dev(const struct migration *m)
{
	return &m->vf.pdev->dev;
}

/**
 * nvme_vfio_mig_create - find out whether a VF can migrate
 * @pdev: the function
 * @vdev: the same, as VFIO sees it
 * @why: set to a constant text when it cannot
 *
 * Return: the migration, NULL when this function cannot migrate, or
 * ERR_PTR: -EPROBE_DEFER when the PF is busy now, -ENOMEM
 */
struct migration *nvme_vfio_mig_create(struct pci_dev *pdev,
				       struct vfio_device *vdev,
				       const char **why);

struct migration *nvme_vfio_mig_get(struct migration *m);
void nvme_vfio_mig_put(struct migration *m);

/* nvme_vfio_mig_open - a user has opened the VF: attach, state is RUNNING */
void nvme_vfio_mig_open(struct migration *m);

/* nvme_vfio_mig_close - the user has gone: end transfers */
void nvme_vfio_mig_close(struct migration *m);

/* nvme_vfio_mig_detach - and the VF was reset: let go of the PF */
void nvme_vfio_mig_detach(struct migration *m);

/**
 * nvme_vfio_mig_reset - the VF has been reset
 * @m: the migration
 *
 * May be called with any lock of VFIO PCI held, the memory lock that page
 * faults on BARs take among them: never waits and sends no command. The state
 * is RUNNING when this, or whoever holds @m->lock, is done.
 */
void nvme_vfio_mig_reset(struct migration *m);

/* The three operations of struct vfio_migration_ops. */
struct file *nvme_vfio_mig_set_state(struct migration *m,
				     enum vfio_device_mig_state new_state);
enum vfio_device_mig_state nvme_vfio_mig_get_state(struct migration *m);
u64 nvme_vfio_mig_data_size(struct migration *m);

/* All that is protected by @m->lock, and any command, happens between these. */
void nvme_vfio_mig_lock(struct migration *m);
void nvme_vfio_mig_unlock(struct migration *m);

/**
 * nvme_vfio_mig_is_suspended - is the VF suspended in this state?
 * @state: the state
 */
bool nvme_vfio_mig_is_suspended(enum vfio_device_mig_state state);

/* For data files. */

/**
 * nvme_vfio_mig_get_vdev - the VFIO device of a data file
 * @m: the migration
 * @f: the file
 *
 * A file does not keep the device. While the file is the current one a user has
 * the device open, which only @m->lock makes sure of.
 *
 * Return: the device, vfio_put_device() it, or NULL when @f is not the current
 * file any more
 */
struct vfio_device *nvme_vfio_mig_get_vdev(struct migration *m,
					   const struct mig_file *f);

/**
 * nvme_vfio_mig_save_more - read the next piece of the state from the device
 * @m: the migration
 * @f: the file that wants it
 * @sbuf: its buffer
 *
 * Return: 0, -ENODEV when @f is not the current file any more, or as
 * nvme_vfio_save_buf_read_next(). The VF is in ERROR when it is found not
 * suspended.
 */
int nvme_vfio_mig_save_more(struct migration *m, struct mig_file *f,
			    struct save_buf *sbuf);

/**
 * nvme_vfio_mig_load_identity - may the state in this stream be loaded?
 * nvme_vfio_mig_load_data - pass one record of checked data on to the device
 * nvme_vfio_mig_load_end - the stream is complete
 * nvme_vfio_mig_load_refuse - the stream is not acceptable
 * @m: the migration
 * @f: the file that the stream comes through
 * @r: its reader
 * @err: why, for user space
 *
 * Return: 0, -ENODEV when @f is not the current file any more, -EINVAL with
 * @r->why set, or what the command set returns
 */
int nvme_vfio_mig_load_identity(struct migration *m, struct mig_file *f,
				struct stream_reader *r);
int nvme_vfio_mig_load_data(struct migration *m, struct mig_file *f,
			    struct stream_reader *r);
int nvme_vfio_mig_load_end(struct migration *m, struct mig_file *f);
void nvme_vfio_mig_load_refuse(struct migration *m, struct mig_file *f, int err,
			       const char *why);

/* Largest state that is moved, in bytes: parameter max_state_mb. */
u64 nvme_vfio_max_state(void);

#endif

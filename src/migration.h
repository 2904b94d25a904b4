/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Migration of one VF: VFIO's states and arcs, locking, reset.
 */
#ifndef _NVME_VFIO_MIGRATION_H
#define _NVME_VFIO_MIGRATION_H

#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/vfio.h>
#include <linux/workqueue.h>

#include "nvme_vf.h"
#include "dirty.h"
#include "save_buf.h"
#include "vf_sysfs.h"

struct mig_file;

/**
 * enum mig_event - what happened to a VF while @lock was held
 * @MIG_NO_EVENT: nothing
 * @MIG_RESET: it was reset
 * @MIG_FAULT: its way to the host was broken, and repaired by a reset that
 *	nobody reports; its user has been told of the error
 */
enum mig_event { MIG_NO_EVENT, MIG_RESET, MIG_FAULT };

/**
 * struct migration - migration side of one VF
 * @ref: one reference held by the VFIO device, one by each data file. Data
 *	files outlive the device when user space keeps them open.
 * @lock: all below, and every command sent for this VF. Held across PF
 *	commands (up to the provider's command_timeout each), never across access
 *	to user memory. Taken inside a data file's own lock; VFIO's memory lock is
 *	taken inside it. Left only through nvme_vfio_mig_unlock().
 * @reset_lock: @event, @own_reset, and whether @lock is being left. Innermost.
 * @event: the latest that could not be dealt with because of @lock
 * @own_reset: the task that resets the VF for the driver, to ERROR and not to
 *	RUNNING
 * @vdev: the VF as VFIO sees it; valid while a user has it open
 * @state: enum vfio_device_mig_state
 * @arc_at: when the last arc began
 * @is_open: a user has the VF open
 * @in_doubt: the VF may be suspended although @state does not say so: it was
 *	reset when it was, and not every reset succeeds
 * @ask_work: resolves @in_doubt when nobody else does before
 * @settle_work: tries again what close could not do
 * @settle_tries: how many tries are left
 * @vf: the VF as the commands see it
 * @file: the data file of PRE_COPY, STOP_COPY or RESUMING, else NULL
 * @prealloc: buffer for the state to come; NULL where none is expected
 * @rollback_state: the state of a VF that was disabled by reading it, to be
 *	loaded again if the VF is to run on here; NULL when the VF holds its
 *	state itself
 * @half_loaded: a part of a state has reached the device, and was not committed:
 *	the VF may be unable to run, through resets
 * @not_saved: why the read of the state that is part of stopping has failed,
 *	else 0
 * @loaded: all of a state has reached the device, and it has not run since
 * @load_failed: RESUMING: the stream was refused
 * @size: the size of the state that the device last reported, bytes; 0 unknown
 * @size_at: when, in jiffies
 * @all_asked_at: when the PF was asked for all about the VF while it ran, in
 *	jiffies; 0 = not, or the answer no longer counts
 * @told: what a stream says about the VF besides its state was asked for since
 *	@rollback_state was read
 * @dirty: log of what the VF writes to memory
 * @failure: what failed last
 * @failure_told: @sysfs has it
 * @sysfs: what user space sees of all this without waiting for @lock
 */
struct migration {
	struct kref ref;
	struct mutex lock;
	spinlock_t reset_lock;
	enum mig_event event;
	struct task_struct *own_reset;

	struct vfio_device *vdev;
	enum vfio_device_mig_state state;
	ktime_t arc_at;
	bool is_open;
	bool in_doubt;
	struct work_struct ask_work;
	struct delayed_work settle_work;
	unsigned int settle_tries;
	struct nvme_vf vf;
	struct mig_file *file;
	struct save_buf *prealloc;
	struct save_buf *rollback_state;
	bool half_loaded;
	int not_saved;
	bool loaded;
	bool load_failed;
	u64 size;
	unsigned long size_at;
	unsigned long all_asked_at;
	bool told;
	struct dirty_log dirty;
	struct vf_failure failure;
	bool failure_told;
	struct vf_sysfs sysfs;
};

static inline struct device *nvme_vfio_mig_dev(const struct migration *m)
{
	return &m->vf.pdev->dev;
}

/**
 * nvme_vfio_mig_create - find out whether a VF can migrate
 * @pdev: the function
 * @vdev: the same, as VFIO sees it
 * @why: set to a constant text when it cannot, now or ever
 *
 * Takes about a second when the PF says nothing, five when it is slow.
 *
 * Return: the migration, which can migrate if nvme_vfio_mig_is_able(); NULL
 * when this function never will; or ERR_PTR(-ENOMEM)
 */
struct migration *nvme_vfio_mig_create(struct pci_dev *pdev,
				       struct vfio_device *vdev,
				       const char **why);

/* nvme_vfio_mig_is_able - has a command set been found for the VF? */
static inline bool nvme_vfio_mig_is_able(const struct migration *m)
{
	return m->vf.set;
}

/* nvme_vfio_mig_is_quiet - does Suspend end all DMA, as P2P requires? */
static inline bool nvme_vfio_mig_is_quiet(const struct migration *m)
{
	return !m->vf.set->is_quiet || m->vf.set->is_quiet();
}

struct migration *nvme_vfio_mig_get(struct migration *m);
void nvme_vfio_mig_put(struct migration *m);

/* nvme_vfio_mig_stop - no work is left behind; the VF is not open */
void nvme_vfio_mig_stop(struct migration *m);

/**
 * nvme_vfio_mig_open - a user opens the VF, which is reset: attach
 * @m: the migration
 * @was_reset: the reset has succeeded
 *
 * A PF that does not answer is no failure: the VF itself works, and the next
 * command tries again. Takes a second or two at most.
 *
 * Return: 0, state is RUNNING; or -EBUSY when a command of the last user has
 * not ended, or the VF may still be suspended or tracked by it. Logged.
 */
int nvme_vfio_mig_open(struct migration *m, bool was_reset);

/* nvme_vfio_mig_close - the user has gone: end transfers */
void nvme_vfio_mig_close(struct migration *m);

/**
 * nvme_vfio_mig_settle - and VFIO has tried to reset the VF: leave it running
 * @m: the migration
 * @was_reset: and succeeded
 *
 * Resumes the VF unless it was reset, ends tracking, and releases the PF. What
 * takes longer than a second each is tried again later.
 */
void nvme_vfio_mig_settle(struct migration *m, bool was_reset);

/**
 * nvme_vfio_mig_reset_begins - the VF is about to be reset
 * nvme_vfio_mig_reset - the VF has been reset, or that was tried
 * nvme_vfio_mig_fault - an error on its bus was repaired by a reset
 * @m: the migration
 *
 * May be called with any lock of VFIO PCI held, the memory lock that page
 * faults on BARs take among them: never waits and sends no command. The state
 * is RUNNING (after a fault ERROR) when this, or whoever holds @m->lock, is
 * done. It is ERROR as well when a command came between, or one that was given
 * up has not ended.
 */
void nvme_vfio_mig_reset_begins(struct migration *m);
void nvme_vfio_mig_reset(struct migration *m);
void nvme_vfio_mig_fault(struct migration *m);

/**
 * nvme_vfio_mig_after_reset - the user has had the VF reset
 * @m: the migration
 *
 * Before the VF is used again: removes a partly loaded state from it. With no
 * lock held; takes a second at most.
 */
void nvme_vfio_mig_after_reset(struct migration *m);

/* The operations of struct vfio_migration_ops. */
struct file *nvme_vfio_mig_set_state(struct migration *m,
				     enum vfio_device_mig_state new_state);
int nvme_vfio_mig_get_state(struct migration *m,
			    enum vfio_device_mig_state *state);
int nvme_vfio_mig_data_size(struct migration *m, u64 *size);

/**
 * nvme_vfio_mig_failed - remember it for sysfs
 * @m: the migration
 * @err: negative errno; 0 = nothing has failed
 * @what: constant text: what
 *
 * With the last command that has failed since nvme_vfio_mig_begin().
 */
void nvme_vfio_mig_failed(struct migration *m, int err, const char *what);

/* nvme_vfio_mig_begin - what fails from now on belongs to something new */
static inline void nvme_vfio_mig_begin(struct migration *m)
{
	m->vf.failed_opcode = 0;
}

/*
 * All that is protected by @m->lock, and any command, happens between these.
 * The lock may be held for some seconds: calls of user space give up waiting
 * for it, with -EINTR, for a fatal signal.
 */
void nvme_vfio_mig_lock(struct migration *m);
int __must_check nvme_vfio_mig_lock_killable(struct migration *m);
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
 * the device open, which only @m->lock guarantees.
 *
 * Return: the device, vfio_put_device() it; or ERR_PTR: -ENODEV when @f is not
 * the current file any more, -EINTR
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
 * nvme_vfio_mig_load_namespaces - are these this VF's namespaces?
 * nvme_vfio_mig_load_data - pass one record of checked data on to the device
 * nvme_vfio_mig_load_end - the stream is complete
 * nvme_vfio_mig_load_refuse - the stream is not acceptable
 * @m: the migration
 * @f: the file that the stream comes through
 * @r: its reader
 * @buf: where its data are
 * @err: why, for user space
 * @figure: and for what is counted
 *
 * Return: 0, -ENODEV when @f is not the current file any more, -EINVAL with
 * @r->why set, or what the command set returns
 */
int nvme_vfio_mig_load_identity(struct migration *m, struct mig_file *f,
				struct stream_reader *r);
int nvme_vfio_mig_load_namespaces(struct migration *m, struct mig_file *f,
				  struct stream_reader *r);
int nvme_vfio_mig_load_data(struct migration *m, struct mig_file *f,
			    struct stream_reader *r, struct nvme_pf_buf *buf);
int nvme_vfio_mig_load_end(struct migration *m, struct mig_file *f);
void nvme_vfio_mig_load_refuse(struct migration *m, struct mig_file *f, int err,
			       const char *why, enum figure figure);

/* Largest state that can be moved, in bytes: parameter max_state_mb. */
u64 nvme_vfio_max_state(void);

#endif

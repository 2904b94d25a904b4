/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A data file: what save_file.c and load_file.c have in common.
 */
#ifndef _NVME_VFIO_MIG_FILE_H
#define _NVME_VFIO_MIG_FILE_H

#include <linux/compiler.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct mig_file;
struct migration;

/**
 * struct mig_file_type - a file to read from, or one to write to
 * @name: of the anonymous inode
 * @flags: O_RDONLY or O_WRONLY
 * @fops: with nvme_vfio_file_release()
 * @end: release what the file holds, as soon as nobody uses it; waits for
 *	nothing that touches user memory
 * @free: the last reference has gone
 */
struct mig_file_type {
	const char *name;
	int flags;
	const struct file_operations *fops;
	void (*end)(struct mig_file *f);
	void (*free)(struct mig_file *f);
};

/**
 * struct mig_file - one transfer; the @private_data of its file
 * @type: which way
 * @m: the migration; a reference is held
 * @filp: the file; a reference is held by the migration until the end
 * @lock: one reader or writer at a time. Held while user memory is touched,
 *	which may wait for a page fault of any length: nobody else waits for it,
 *	the arcs and a reset end a file by @ended. Taken before @m->lock.
 * @end_lock: @ended, and what its type says. Innermost.
 * @ended: the state that this file belongs to was left
 */
struct mig_file {
	const struct mig_file_type *type;
	struct migration *m;
	struct file *filp;
	struct mutex lock;
	spinlock_t end_lock;
	bool ended;
};

/**
 * nvme_vfio_file_init - make a file
 * @f: zeroed; belongs to the file on success, and is freed by @type
 * @m: the migration, its lock held
 * @type: which way
 * @filp: set to the file, with one reference for user space. A second one is
 *	held until nvme_vfio_file_end().
 *
 * Return: 0 or a negative errno
 */
int nvme_vfio_file_init(struct mig_file *f, struct migration *m,
			const struct mig_file_type *type, struct file **filp);

/**
 * nvme_vfio_file_end - the state that a file belongs to is left
 * @f: the file
 *
 * Called with the migration's lock held, also from a reset. From now on the
 * file answers -ENODEV, also to a call that is under way.
 */
void nvme_vfio_file_end(struct mig_file *f);

static inline bool nvme_vfio_file_has_ended(const struct mig_file *f)
{
	return READ_ONCE(f->ended);
}

int nvme_vfio_file_release(struct inode *inode, struct file *filp);

#endif

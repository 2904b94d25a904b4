/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The data files that user space reads a state from or writes one to.
 */
#ifndef _NVME_VFIO_MIG_FILE_H
#define _NVME_VFIO_MIG_FILE_H

#include <linux/fs.h>

struct save_buf;
struct mig_file;
struct migration;
struct stream_identity;

/**
 * nvme_vfio_save_file - a file to read a stream from
 * @m: the migration, its lock held
 * @id: what the stream begins with
 * @filp: set to the file, with one reference for user space. A second one is
 *	held until nvme_vfio_file_end().
 *
 * Reading stops behind the identity record, with -ENOMSG, until a state
 * is attached.
 *
 * Return: the file, or ERR_PTR
 */
struct mig_file *nvme_vfio_save_file(struct migration *m,
				     const struct stream_identity *id,
				     struct file **filp);

/**
 * nvme_vfio_save_file_attach - the rest of the stream is there
 * @f: a file of nvme_vfio_save_file(), the migration's lock held
 * @sbuf: its first piece; the file takes a reference of its own
 */
void nvme_vfio_save_file_attach(struct mig_file *f, struct save_buf *sbuf);

/* nvme_vfio_load_file - to write a stream to; as nvme_vfio_save_file() */
struct mig_file *nvme_vfio_load_file(struct migration *m, struct file **filp);

/**
 * nvme_vfio_file_end - the state that a file belongs to is left
 * @f: the file
 *
 * Called with the migration's lock held, also from a reset: waits for nothing
 * that touches user memory. From now on the file answers -ENODEV, also to a
 * call that is under way, and its memory goes as soon as nobody copies.
 */
void nvme_vfio_file_end(struct mig_file *f);

#endif

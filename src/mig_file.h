/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The data files that user space reads a state from or writes one to.
 */
#ifndef _NVME_VFIO_MIG_FILE_H
#define _NVME_VFIO_MIG_FILE_H

#include <linux/fs.h>

struct image;
struct mig_file;
struct migration;

/**
 * mig_file_save - a file to read the stream of an image from
 * @m: the migration, its lock held
 * @img: the image; the file takes a reference of its own
 * @filp: set to the file, with one reference for user space. A second one is
 *	held until mig_file_end().
 *
 * Return: the file, or ERR_PTR
 */
struct mig_file *mig_file_save(struct migration *m, struct image *img,
			       struct file **filp);

/* mig_file_load - a file to write a stream to; as mig_file_save() */
struct mig_file *mig_file_load(struct migration *m, struct file **filp);

/**
 * mig_file_end - the state that a file belongs to is left
 * @f: the file
 *
 * Called with the migration's lock held, also from a reset: waits for nothing
 * that touches user memory. From now on the file answers -ENODEV, also to a
 * call that is under way, and its memory goes as soon as nobody copies.
 */
void mig_file_end(struct mig_file *f);

#endif

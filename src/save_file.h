/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The data file of PRE_COPY and STOP_COPY.
 */
#ifndef _NVME_VFIO_SAVE_FILE_H
#define _NVME_VFIO_SAVE_FILE_H

#include "mig_file.h"

struct save_buf;
struct stream_identity;
struct stream_namespaces;

/**
 * nvme_vfio_save_file - a file to read a stream from
 * @m: the migration, its lock held
 * @id: what the stream begins with
 * @ns: what follows; NULL = nothing, in a stream of minor version 1
 * @filp: as nvme_vfio_file_init()
 *
 * Reading stops behind these records, with -ENOMSG, until a state is
 * attached.
 *
 * Return: the file, or ERR_PTR
 */
struct mig_file *nvme_vfio_save_file(struct migration *m,
				     const struct stream_identity *id,
				     const struct stream_namespaces *ns,
				     struct file **filp);

/**
 * nvme_vfio_save_file_attach - the rest of the stream is there
 * @f: a file of nvme_vfio_save_file(), the migration's lock held
 * @sbuf: its first piece; the file takes a reference of its own
 */
void nvme_vfio_save_file_attach(struct mig_file *f, struct save_buf *sbuf);

#endif

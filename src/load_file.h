/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The data file of RESUMING.
 */
#ifndef _NVME_VFIO_LOAD_FILE_H
#define _NVME_VFIO_LOAD_FILE_H

#include "mig_file.h"

/**
 * nvme_vfio_load_file - a file to write a stream to
 * @m: the migration, its lock held
 * @filp: as nvme_vfio_file_init()
 *
 * Return: the file, or ERR_PTR
 */
struct mig_file *nvme_vfio_load_file(struct migration *m, struct file **filp);

#endif

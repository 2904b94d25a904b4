/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bed-vfs.h - the VFs of a PF as they were when the run began, and how they are
 * restored. Called outside cases: nothing here ends the process.
 */
#ifndef NVME_VFIO_BED_VFS_H
#define NVME_VFIO_BED_VFS_H

#include <stdbool.h>

/** vfs_note - remember a PF's VFs. Return: 0, or a negative errno. */
int vfs_note(int pf);

/**
 * vfs_wait - wait until the PF answers; its name may have changed if its driver
 * was bound again
 *
 * Return: 0, or a negative errno.
 */
int vfs_wait(int pf);

/** vfs_online - are all VFs online that were online? */
bool vfs_online(int pf);

/** vfs_cntlid - the controller id of a VF of the bed, 0 = there is none */
unsigned int vfs_cntlid(int pf, int vf);

/**
 * vfs_restore - give VFs their resources and bring them online; notes say what
 * fails
 */
void vfs_restore(int pf);

#endif

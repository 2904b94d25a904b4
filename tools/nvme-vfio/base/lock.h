/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lock.h - one process at a time changes a PF and its VFs.
 */
#ifndef NVME_VFIO_LOCK_H
#define NVME_VFIO_LOCK_H

/**
 * lock_pf - take the lock of a PF, without waiting
 * @bdf: address of the PF
 * @fd: set; unlock_pf() it. The end of the process does as well.
 *
 * Return: TOOL_OK, or a code after saying why.
 */
int lock_pf(const char *bdf, int *fd);

/** unlock_pf - give it back; -1 is fine */
void unlock_pf(int fd);

/**
 * lock_turn - wait until it is one's turn
 * @fd: set; unlock_pf() it
 *
 * At boot several processes are started to set up PFs, and each is to find the
 * work of those before it done. They take turns, and with that held look at the
 * host.
 *
 * Return: TOOL_OK, or a code after saying why.
 */
int lock_turn(int *fd);

#endif

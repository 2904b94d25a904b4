/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lock.h - one process at a time changes a PF and its VFs.
 */
#ifndef NVME_VFIO_LOCK_H
#define NVME_VFIO_LOCK_H

#include <stdint.h>

#ifndef LOCK_DIR		/* tests have their own */
#define LOCK_DIR	"/run/nvme-vfio"
#endif

/**
 * lock_pf - take the lock of a PF
 * @bdf: address of the PF
 * @until: by now_us(): when to give up; 0: at once
 * @fd: set; unlock_pf() it. The end of the process does as well.
 *
 * Return: TOOL_OK, TOOL_LOCKED after saying who has it, or another code after
 * saying why.
 */
int lock_pf(const char *bdf, uint64_t until, int *fd);

/** unlock_pf - give it back; -1 is fine */
void unlock_pf(int fd);

/**
 * lock_turn - wait for this process's turn
 * @until: by now_us(): when to give up; 0: at once
 * @fd: set; unlock_pf() it
 *
 * At boot several processes are started to set up PFs, and each has to find the
 * work of earlier ones done. They take turns, and look at the host during
 * theirs.
 *
 * Return: as lock_pf().
 */
int lock_turn(uint64_t until, int *fd);

#endif

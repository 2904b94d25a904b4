/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * failnth.h - let the n-th allocation (or copy from and to user memory) of this
 * thread fail: the kernel's fault injection.
 */
#ifndef NVME_VFIO_FAILNTH_H
#define NVME_VFIO_FAILNTH_H

#include <stdbool.h>

/**
 * failnth_need - get ready; skips the case if the kernel cannot do it
 *
 * Allocations that may sleep fail as well, and the kernel does not write a line
 * for each.
 */
void failnth_need(void);

/** failnth_arm - the @n-th one from now on fails, @n from 1 */
void failnth_arm(unsigned int n);

/** failnth_disarm - Return: whether one has failed since failnth_arm() */
bool failnth_disarm(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * failnth.h - let the n-th allocation (or copy from and to user memory) of this
 * thread fail: the kernel's fault injection.
 */
#ifndef NVME_VFIO_FAILNTH_H
#define NVME_VFIO_FAILNTH_H

#include <stdbool.h>

/**
 * failnth_need - make ready; skips the case where the kernel cannot do it
 *
 * Lets allocations that may sleep fail, too, and keeps the kernel from writing
 * a line for each.
 */
void failnth_need(void);

/** failnth_arm - the @n-th one from now on fails, @n from 1 */
void failnth_arm(unsigned int n);

/** failnth_disarm - Return: whether one has failed since failnth_arm() */
bool failnth_disarm(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * leak.h - what kmemleak, if the kernel has it, finds: memory that nothing
 * points to any more.
 */
#ifndef NVME_VFIO_LEAK_H
#define NVME_VFIO_LEAK_H

#include <stdbool.h>

/** leak_forget - start from here. Return: false = there is no kmemleak. */
bool leak_forget(void);

/** leak_check - the case fails if something has leaked since */
void leak_check(void);

#endif

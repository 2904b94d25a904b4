/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * busy.h - whether a function may be taken away from whoever has it.
 */
#ifndef NVME_VFIO_BUSY_H
#define NVME_VFIO_BUSY_H

#include "host.h"

/**
 * busy_is_open - whether a VFIO driver's function is open
 * @bdf: address of the function
 *
 * False for those of other drivers.
 */
bool busy_is_open(const char *bdf);

/**
 * busy_quick - whether the kernel would let go of a function now
 * @bdf: address of the function
 *
 * Sees users of every kind, mounts included, but not who they are.
 *
 * Return: TOOL_OK: it is free; TOOL_INUSE after saying so.
 */
int busy_quick(const char *bdf);

/**
 * busy_check - the same, and names the processes
 * @fn: function, with its users found by host_users()
 *
 * Return: as busy_quick().
 */
int busy_check(const struct host_fn *fn);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tracefs.h - an instance of the kernel's tracing of our own, so that nobody
 * else's is disturbed.
 */
#ifndef NVME_VFIO_TRACEFS_H
#define NVME_VFIO_TRACEFS_H

/**
 * tracefs_begin - create an instance and enable our events in it
 * @fd: set: the events can be read there as text, without blocking
 *
 * What a killed process has left behind is removed first. Return: TOOL_OK, or a
 * code after saying why; then nothing is left.
 */
int tracefs_begin(int *fd);

/** tracefs_end - close and remove it */
void tracefs_end(int fd);

#endif

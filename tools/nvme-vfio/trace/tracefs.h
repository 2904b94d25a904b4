/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tracefs.h - an own instance of the kernel's tracing, so that nobody else's is
 * disturbed.
 */
#ifndef NVME_VFIO_TRACEFS_H
#define NVME_VFIO_TRACEFS_H

/**
 * tracefs_begin - make an instance and switch our events on in it
 * @fd: set: the events can be read there as text, without blocking
 *
 * What a process that was killed has left behind goes first. Return: TOOL_OK,
 * or a code after saying why; then nothing is left.
 */
int tracefs_begin(int *fd);

/** tracefs_end - close and remove it */
void tracefs_end(int fd);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio_log.h - VFIO's log of DMA writes.
 */
#ifndef NVME_VFIO_VFIO_LOG_H
#define NVME_VFIO_VFIO_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "vfio_dev.h"
#include "vfio_uapi.h"

/** vfio_log_supported - does the device offer the log? */
bool vfio_log_supported(struct vfio_dev *dev);

/**
 * struct vfio_log_range - memory as the device sees it
 * @iova: first byte
 * @len: bytes
 */
struct vfio_log_range {
	uint64_t iova;
	uint64_t len;
};

/**
 * vfio_log_start - begin
 * @r: ranges of memory
 * @n: how many
 * @page_size: unit wanted, in bytes; set to the one that is had
 *
 * Return: 0, or a negative errno.
 */
int vfio_log_start(struct vfio_dev *dev, const struct vfio_log_range *r,
		   unsigned int n, uint64_t *page_size);

/** vfio_log_stop - end. Return: 0, or a negative errno. */
int vfio_log_stop(struct vfio_dev *dev);

/**
 * vfio_log_report - what was written since it was last asked for
 * @page_size: bytes that a bit of @bitmap stands for
 * @bitmap: bits are set, none is cleared; bit 0 of word 0 is at @iova
 *
 * Return: 0, or a negative errno.
 */
int vfio_log_report(struct vfio_dev *dev, uint64_t iova, uint64_t len,
		    uint64_t page_size, uint64_t *bitmap);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nvme_ctrl.h - a user-space NVMe driver on a VFIO device: controller set-up,
 * admin queue, I/O queue pairs, and moving all of it to another VFIO device
 * whose controller was given this one's state.
 */
#ifndef NVME_VFIO_NVME_CTRL_H
#define NVME_VFIO_NVME_CTRL_H

#include "nvme_queue.h"
#include "vfio_dev.h"

#define NVME_MAX_IO	15

/**
 * struct nvme_ctrl - a controller in use
 * @dev: the VFIO device that carries it now
 * @mem: memory of queues and buffers
 * @stride: doorbell distance in bytes
 * @timeout_ms: longest wait for CSTS changes, from CAP.TO, at least 5000
 * @admin: admin queue pair, vector 0
 * @io: I/O queue pairs; io[i] has number i + 1 and vector i + 1
 * @nio: how many of them
 * @scratch: one page for identify and log data
 * @scratch_iova: its device address
 */
struct nvme_ctrl {
	struct vfio_dev *dev;
	struct dma_mem *mem;
	unsigned int stride;
	unsigned int timeout_ms;
	struct nvme_queue admin;
	struct nvme_queue io[NVME_MAX_IO];
	unsigned int nio;
	uint8_t *scratch;
	uint64_t scratch_iova;
};

/**
 * nvme_enable - reset the controller, set up the admin queue, enable
 * @c: filled in; need not be initialised
 * @dev: open device with @mem mapped and at least one vector enabled
 * @entries: size of the admin queues in entries
 *
 * Return: 0, or a negative errno (-ETIMEDOUT, -EIO when CSTS.CFS is set).
 */
int nvme_enable(struct nvme_ctrl *c, struct vfio_dev *dev, struct dma_mem *mem,
		unsigned int entries);

/** nvme_release - forget the controller; the device is not touched */
void nvme_release(struct nvme_ctrl *c);

/**
 * nvme_rebind - continue with another device that has taken over the state
 * @dev: open, with the same memory mapped at the same address and at least as
 *	many vectors enabled as the old one has
 *
 * The rings, their positions and the cid trackers stay; the doorbells
 * are those of @dev. An interrupt that was signalled but not yet taken counts
 * as signalled on @dev as well, as it would for a guest.
 *
 * Return: 0, or a negative errno.
 */
int nvme_rebind(struct nvme_ctrl *c, struct vfio_dev *dev);

/** nvme_reg32 - read a register */
uint32_t nvme_reg32(struct nvme_ctrl *c, unsigned int off);

/**
 * nvme_wait_done - reap a queue until a request is done
 * @timeout_ms: longest wait in milliseconds
 *
 * Waits for interrupts when the queue has a vector. A completion that is in
 * memory without an interrupt within a second counts as a fault of the queue.
 *
 * Return: 0; -ETIMEDOUT; or another negative errno.
 */
int nvme_wait_done(struct nvme_ctrl *c, struct nvme_queue *q,
		   struct nvme_req *req, unsigned int timeout_ms);

/**
 * nvme_wait_out - reap a queue until at most @keep commands are with the device
 *
 * Otherwise like nvme_wait_done().
 */
int nvme_wait_out(struct nvme_ctrl *c, struct nvme_queue *q, unsigned int keep,
		  unsigned int timeout_ms);

/**
 * nvme_admin - one admin command, waited for (10 s)
 * @cmd: command without cid
 * @dw0: set to dword 0 of the completion; may be NULL
 *
 * Return: 0; a positive NVMe status (SCT << 8 | SC); or a negative errno.
 */
int nvme_admin(struct nvme_ctrl *c, const struct nvme_cmd *cmd, uint32_t *dw0);

/** nvme_status - SCT << 8 | SC of a completed request, 0 = success */
unsigned int nvme_status(const struct nvme_req *req);

/**
 * nvme_identify - identify data into @c->scratch
 *
 * Return: as nvme_admin().
 */
int nvme_identify(struct nvme_ctrl *c, unsigned int cns, uint32_t nsid);

/** nvme_set_feature - Set Features without data. Return: as nvme_admin(). */
int nvme_set_feature(struct nvme_ctrl *c, unsigned int fid, uint32_t cdw11,
		     uint32_t *dw0);

/** nvme_get_feature - Get Features, current value. Return: as nvme_admin(). */
int nvme_get_feature(struct nvme_ctrl *c, unsigned int fid, uint32_t *dw0);

/**
 * nvme_io_add - create the next I/O queue pair
 * @sq_size: entries of the submission queue
 * @cq_size: entries of the completion queue
 * @irq: with its own interrupt vector
 *
 * Return: as nvme_admin(); -ENOSPC when there is no vector or no room for it.
 */
int nvme_io_add(struct nvme_ctrl *c, unsigned int sq_size,
		unsigned int cq_size, bool irq);

/**
 * nvme_shadow - use shadow doorbells for the I/O queues
 *
 * All I/O queues must exist and must not have been used. The admin queue
 * keeps its doorbells.
 *
 * Return: as nvme_admin(); -EOPNOTSUPP when the controller has none.
 */
int nvme_shadow(struct nvme_ctrl *c);

/**
 * nvme_io_limit - I/O queue pairs the controller grants
 * @n: set to the number
 *
 * Must come before the first nvme_io_add(). Return: as nvme_admin().
 */
int nvme_io_limit(struct nvme_ctrl *c, unsigned int *n);

#endif

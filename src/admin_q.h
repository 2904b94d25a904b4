/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside nvme-pf-shim: the two ways to find a PF's admin queue, and what else
 * is proven of it.
 */
#ifndef _NVME_PF_ADMIN_Q_H
#define _NVME_PF_ADMIN_Q_H

#include <linux/blkdev.h>
#include <linux/blk-mq.h>
#include <linux/pci.h>
#include <linux/types.h>

struct nvme_ctrl;	/* nvme's own; never dereferenced here */

/**
 * struct nvme_pf_candidate - a PF whose admin queue is looked for
 * @pdev: the PF; bound to nvme, its device lock held by the caller
 * @cdev: its child of class "nvme", embedded in struct nvme_ctrl
 * @ctrl: that struct nvme_ctrl
 */
struct nvme_pf_candidate {
	struct pci_dev *pdev;
	struct device *cdev;
	struct nvme_ctrl *ctrl;
};

/*
 * Each returns the queue, NULL when it does not pass, or ERR_PTR(-EAGAIN) when
 * the controller has none as yet: nvme makes it in a work item of its own.
 */

/* Reads struct nvme_ctrl, issues no command; proof=anchor. */
struct request_queue *
nvme_pf_admin_q_by_layout(const struct nvme_pf_candidate *c);

/* Watches nvme complete a command of its own; proof=tracepoint. */
struct request_queue *
nvme_pf_admin_q_by_tracepoint(const struct nvme_pf_candidate *c);

/* nvme_pf_ctrl_is_live - does nvme say so, in the "state" of its sysfs? */
bool nvme_pf_ctrl_is_live(struct device *cdev);

/* What both must satisfy, in terms of public types; reads cannot fault. */
bool nvme_pf_admin_q_valid(const struct nvme_pf_candidate *c,
			   struct request_queue *q);

/**
 * nvme_pf_request_proven - is a request's private part where it is taken to be?
 * @q: an admin queue of nvme
 *
 * Makes a request and frees it; nothing is sent.
 *
 * Return: 0, -EOPNOTSUPP when it is not, -EAGAIN when no request was to be had,
 * -ENODEV when the queue is going away
 */
int nvme_pf_request_proven(struct request_queue *q);

#endif

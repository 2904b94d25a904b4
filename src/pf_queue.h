/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside nvme-pf-shim: the two ways to find a PF's admin queue.
 */
#ifndef _NVME_PF_QUEUE_H
#define _NVME_PF_QUEUE_H

#include <linux/blkdev.h>
#include <linux/blk-mq.h>
#include <linux/pci.h>

struct nvme_ctrl;	/* nvme's own; never dereferenced here */

/**
 * struct pf_candidate - a PF whose admin queue is looked for
 * @pdev: the PF; bound to nvme, its device lock held by the caller
 * @cdev: its child of class "nvme", embedded in struct nvme_ctrl
 * @ctrl: that struct nvme_ctrl
 */
struct pf_candidate {
	struct pci_dev *pdev;
	struct device *cdev;
	struct nvme_ctrl *ctrl;
};

/* Anchored proof: reads struct nvme_ctrl, issues no command. */
struct request_queue *pf_queue_by_anchor(const struct pf_candidate *c);

/* Tracepoint: watches nvme complete a command of its own. */
struct request_queue *pf_queue_by_trace(const struct pf_candidate *c);

/* What both must satisfy, in terms of public types; reads cannot fault. */
bool pf_queue_valid(const struct pf_candidate *c, struct request_queue *q);

#endif

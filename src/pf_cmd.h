/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the provider of nvme_pf.h: the life of a handle and of its command.
 */
#ifndef _NVME_PF_CMD_H
#define _NVME_PF_CMD_H

#include <linux/atomic.h>
#include <linux/blk-mq.h>
#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/list.h>
#include <linux/workqueue.h>

#include "nvme_pf.h"

struct nvme_pf_queue;

/**
 * enum nvme_pf_phase - where a handle's command is
 * @PF_WAITED: somebody waits for its end
 * @PF_ENDED: it has ended, and whoever waits is told
 * @PF_GIVEN_UP: nobody waits any more
 * @PF_UNDOING: it succeeded after that, and its undo is under way
 */
enum nvme_pf_phase { PF_WAITED, PF_ENDED, PF_GIVEN_UP, PF_UNDOING };

/**
 * struct nvme_pf - a handle
 * @ref: one held by the owner, one by a command that was given up
 * @vf: whose it is; a reference
 * @q: the PF's admin queue; a reference
 * @pdev: the PF; a reference
 * @owner: the PF's driver; a reference, or NULL where that is the provider
 * @pq: turns on the queue
 * @node: in the list of all handles
 * @phase: enum nvme_pf_phase; each step by cmpxchg, as three may take one
 * @done: @phase is PF_ENDED
 * @busy: a command was given up, for good
 * @blocks: and nothing else may be sent for the VF until it has ended
 * @c: the command, as it was submitted; its buffer is a reference
 * @dma: where the device finds the command's data, if mapped here
 * @dma_len: bytes at @dma; 0 = not mapped here
 * @dma_dir: which way they go
 * @status: how it ended, as nvme_pf_submit() returns it
 * @result: completion dwords 0 and 1
 * @undo_by: jiffies; until then sending the undo is retried
 * @work: what follows when a command that was given up ends
 */
struct nvme_pf {
	struct kref ref;
	struct pci_dev *vf;
	struct request_queue *q;
	struct pci_dev *pdev;
	struct module *owner;
	struct nvme_pf_queue *pq;
	struct list_head node;

	atomic_t phase;
	struct completion done;
	bool busy;
	bool blocks;
	struct nvme_pf_cmd c;
	dma_addr_t dma;
	u32 dma_len;
	enum dma_data_direction dma_dir;
	int status;
	u64 result;
	unsigned long undo_by;
	struct delayed_work work;
};

/**
 * nvme_pf_new - make a handle
 * @vf: the VF
 *
 * Return: the handle, without a queue as yet, or ERR_PTR: -EBUSY as
 * nvme_pf_get(), -ENOMEM
 */
struct nvme_pf *nvme_pf_new(struct pci_dev *vf);

/**
 * nvme_pf_use_queue - and give it a queue
 * @pf: the handle; its @q and @owner are set and belong to it from now on, also
 *	on failure
 *
 * Return: 0 or -ENOMEM
 */
int nvme_pf_use_queue(struct nvme_pf *pf);

/* nvme_pf_cmd_init, nvme_pf_cmd_exit - when the provider comes and goes */
int nvme_pf_cmd_init(void);
void nvme_pf_cmd_exit(void);

#endif

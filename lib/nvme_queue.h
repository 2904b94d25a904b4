/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nvme_queue.h - one submission queue and one completion queue of the same
 * number, in memory, with the tracker of their command ids.
 *
 * Nothing here touches a device except through the two doorbell pointers, so
 * the code runs on made-up memory as well, and a queue can be carried over to
 * another device by giving it other doorbells.
 */
#ifndef NVME_VFIO_NVME_QUEUE_H
#define NVME_VFIO_NVME_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cid_tracker.h"
#include "nvme_defs.h"

/**
 * struct nvme_req - one command and what came back
 * @cmd: the command; its cid is filled in by nvme_queue_add()
 * @cqe: the completion, valid when @done
 * @done: the completion has come
 *
 * Belongs to the caller and must stay until it is done.
 */
struct nvme_req {
	struct nvme_cmd cmd;
	struct nvme_cqe cqe;
	bool done;
};

/**
 * struct nvme_queue - a queue pair
 * @id: queue number, 0 = admin
 * @vector: MSI-X vector of the completion queue, -1 when polled
 * @sq: submission entries
 * @cq: completion entries, written by the device
 * @sq_iova: device address of @sq
 * @cq_iova: device address of @cq
 * @sq_size: entries in @sq
 * @cq_size: entries in @cq
 * @sq_tail: next free entry
 * @sq_rung: tail the device was told last
 * @sq_head: where the device is, as last reported
 * @cq_head: next entry to look at
 * @phase: phase tag a new entry has
 * @sq_db: tail doorbell
 * @cq_db: head doorbell
 * @sq_shadow: tail in memory that the device reads, NULL = not in use
 * @sq_event: the device wants a doorbell when the tail passes this
 * @cq_shadow: the same for the head
 * @cq_event: the same for the head
 * @seen: copy of every entry as it was when consumed
 * @cids: command ids
 * @faults: broken rules noticed so far
 * @fault: the first of them, one line
 */
struct nvme_queue {
	unsigned int id;
	int vector;
	struct nvme_cmd *sq;
	volatile struct nvme_cqe *cq;
	uint64_t sq_iova;
	uint64_t cq_iova;
	unsigned int sq_size;
	unsigned int cq_size;
	unsigned int sq_tail;
	unsigned int sq_rung;
	unsigned int sq_head;
	unsigned int cq_head;
	unsigned int phase;
	volatile uint32_t *sq_db;
	volatile uint32_t *cq_db;
	volatile uint32_t *sq_shadow;
	volatile uint32_t *sq_event;
	volatile uint32_t *cq_shadow;
	volatile uint32_t *cq_event;
	struct nvme_cqe *seen;
	struct cid_tracker cids;
	unsigned int faults;
	char fault[160];
};

/**
 * nvme_queue_init - set up an empty pair in zeroed memory
 * @sq: room for @sq_size entries of 64 bytes
 * @cq: room for @cq_size entries of 16 bytes
 *
 * Device addresses, vector and doorbells are left for the caller to fill in.
 *
 * Return: 0 or -ENOMEM.
 */
int nvme_queue_init(struct nvme_queue *q, unsigned int id, void *sq,
		    unsigned int sq_size, void *cq, unsigned int cq_size);

/** nvme_queue_free - give back what nvme_queue_init() took */
void nvme_queue_free(struct nvme_queue *q);

/**
 * nvme_queue_add - place a command; the device is not told yet
 *
 * Return: 0; -ENOSPC when the submission queue is full; -EBUSY when no id is
 * free.
 */
int nvme_queue_add(struct nvme_queue *q, struct nvme_req *req);

/** nvme_queue_ring - tell the device of all placed commands */
void nvme_queue_ring(struct nvme_queue *q);

/** nvme_queue_pending - is there a completion that was not consumed? */
bool nvme_queue_pending(const struct nvme_queue *q);

/**
 * nvme_queue_reap - consume completions that are there, and tell the device
 * @max: at most that many; 0 = all
 *
 * A broken rule is counted in @q->faults and described in @q->fault: an id
 * that had completed before or was never given out, a wrong queue number, a
 * submission queue head that cannot be.
 *
 * Return: number of entries consumed.
 */
unsigned int nvme_queue_reap(struct nvme_queue *q, unsigned int max);

/** nvme_queue_fault - note a broken rule; the first one's text is kept */
void nvme_queue_fault(struct nvme_queue *q, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * nvme_queue_audit - is the account of a queue at rest exact?
 * @keep: commands that should still be with the device (async events)
 *
 * Checks that nothing broke a rule, that no completion waits, that the
 * number of commands with the device is @keep, and that the device wrote no
 * completion entry but those that were consumed in order.
 *
 * Return: 0, or -EBADMSG with the reason in lib_msg().
 */
int nvme_queue_audit(struct nvme_queue *q, unsigned int keep);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * workload.h - what a guest would do with a VF: a controller with several I/O
 * queues, verified reads and writes, and async event requests outstanding.
 *
 * Whatever is wrong ends in expect.h.
 */
#ifndef NVME_VFIO_WORKLOAD_H
#define NVME_VFIO_WORKLOAD_H

#include <stdbool.h>

#include "expect.h"
#include "nvme_ctrl.h"

#define UNIT		4096		/* bytes of one piece of data */
#define UNITS		512		/* pieces in use at the start of the namespace */
#define WORKLOAD_IOS	256
#define WORKLOAD_AERS	2

/**
 * struct workload_opts - how the queues are made
 * @sq_size: entries of each submission queue, 0 = 64
 * @cq_size: entries of each completion queue, 0 = 64
 * @queues: I/O queue pairs, 0 = as many as the VF grants, at most 4
 * @poll: no interrupts for I/O queues
 * @shadow: shadow doorbells
 * @nsid: namespace, 0 = 1
 * @readonly: never write: pieces must stay what they were when first read
 * @skip: pieces of the namespace before ours, which others use
 */
struct workload_opts {
	unsigned int sq_size;
	unsigned int cq_size;
	unsigned int queues;
	bool poll;
	bool shadow;
	uint32_t nsid;
	bool readonly;
	unsigned int skip;
};

/**
 * struct io - one read or write
 * @req: the command
 * @q: queue it is on, NULL = idle
 * @buf: two pages
 * @iova: their device address
 * @unit: first piece
 * @count: 1 or 2 pieces
 * @gen: generation written, or expected per piece
 */
struct io {
	struct nvme_req req;
	struct nvme_queue *q;
	uint8_t *buf;
	uint64_t iova;
	unsigned int unit;
	unsigned int count;
	uint32_t gen[2];
};

/**
 * struct workload - a controller at work
 * @mem: what would be guest memory; allocated by workload_new()
 * @ctrl: the controller
 * @io: all reads and writes
 * @gen: generation of each piece on the medium, 0 = not written by us
 * @busy: piece is part of a command that is not finished
 * @aer: async event requests
 * @nsid: namespace
 * @readonly: nothing is written
 * @skip: pieces of the namespace before ours
 * @sum: then: a checksum of each piece, 0 = not read yet
 * @lba_shift: log2 of the block size
 * @rng: state of the random numbers
 * @checked: pieces that were read and compared so far
 */
struct workload {
	struct dma_mem mem;
	struct nvme_ctrl ctrl;
	struct io io[WORKLOAD_IOS];
	uint32_t gen[UNITS];
	bool busy[UNITS];
	struct nvme_req aer[WORKLOAD_AERS];
	uint32_t nsid;
	bool readonly;
	unsigned int skip;
	uint64_t sum[UNITS];
	unsigned int lba_shift;
	uint64_t rng;
	unsigned long checked;
};

/** workload_new - memory for a workload */
struct workload *workload_new(void);

/** workload_free - give it back; no device may have its memory mapped now */
void workload_free(struct workload *w);

/**
 * workload_start - enable the controller of an open device, arm async events,
 * create I/O queues and use each for the first time
 */
void workload_start(struct workload *w, struct vfio_dev *dev,
		    const struct workload_opts *opts);

/**
 * workload_submit - place reads and writes on one queue
 * @n: how many
 * @ring: tell the device
 *
 * Return: how many were placed, fewer when the queue is full.
 */
unsigned int workload_submit(struct workload *w, unsigned int queue,
			     unsigned int n, bool ring);

/** workload_fill - @n commands on every queue, then all doorbells in a row */
void workload_fill(struct workload *w, unsigned int n);

/**
 * workload_stuff - @n commands on every queue, and wait until each queue shows
 * completions; they are not consumed
 */
void workload_stuff(struct workload *w, unsigned int n);

/**
 * workload_unseen - a command on every queue, whose completion and interrupt
 * have come but were not looked at: where the VF continues, it has to interrupt
 * for it. Not for polled queues.
 */
void workload_unseen(struct workload *w);

/** workload_out - I/O commands with the device now */
unsigned int workload_out(const struct workload *w);

/** workload_collect - check data and status of what completed; no waiting */
void workload_collect(struct workload *w);

/** workload_drain - wait for all I/O, check data and status */
void workload_drain(struct workload *w);

/**
 * workload_check - drain, then check that every command completed exactly once,
 * that async events are still out, and all data on the medium
 */
void workload_check(struct workload *w);

/** workload_audit - the cid trackers of all queues, after a moment of grace */
void workload_audit(struct workload *w);

/** workload_event - raise an event: exactly one request fires; arm it again */
void workload_event(struct workload *w);

/** workload_burst - some rounds of I/O with checks */
void workload_burst(struct workload *w, unsigned int rounds);

/** workload_sum - a checksum of all memory that devices may reach */
uint64_t workload_sum(const struct workload *w);

/** workload_random - next random number below @n */
unsigned int workload_random(struct workload *w, unsigned int n);

#endif

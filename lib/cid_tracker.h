/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cid_tracker.h - which command ids of one queue are with the device.
 *
 * Each id must complete exactly once. Ids are handed out in turn over the
 * whole 16-bit range, not lowest-free-first, so that a second completion finds
 * its id not in use again, and is noticed.
 */
#ifndef NVME_VFIO_CID_TRACKER_H
#define NVME_VFIO_CID_TRACKER_H

#include <stdint.h>

#define CID_TRACKER_IDS	0xffffu		/* FFFFh is not a valid id */

/**
 * struct cid_tracker - the account of one queue
 * @state: per id, an enum of cid_tracker.c
 * @owner: per id, what was given to cid_tracker_take()
 * @next: id to try next
 * @out: ids with the device now
 * @taken: commands given out so far
 * @done: commands that completed properly
 * @doubled: completions for an id that had completed before
 * @unknown: completions for an id that was never given out
 */
struct cid_tracker {
	uint8_t *state;
	void **owner;
	unsigned int next;
	unsigned int out;
	uint64_t taken;
	uint64_t done;
	unsigned int doubled;
	unsigned int unknown;
};

/** cid_tracker_init - start an empty account. Return: 0 or -ENOMEM. */
int cid_tracker_init(struct cid_tracker *l);

/** cid_tracker_free - give the memory back */
void cid_tracker_free(struct cid_tracker *l);

/**
 * cid_tracker_take - hand out an id
 * @owner: comes back from cid_tracker_done(); not NULL
 *
 * Return: the id, or -EBUSY when all are with the device.
 */
int cid_tracker_take(struct cid_tracker *l, void *owner);

/**
 * cid_tracker_done - a completion for @id has come
 * @owner: set to the owner, or to NULL when the result is an error
 *
 * Return: 0; -EALREADY when that id had completed before; -ENOENT when it was
 * never given out.
 */
int cid_tracker_done(struct cid_tracker *l, uint16_t id, void **owner);

/**
 * cid_tracker_first_out - lowest id that is with the device
 * @from: where to begin
 *
 * Return: the id, or -ENOENT when there is none at or above @from.
 */
int cid_tracker_first_out(const struct cid_tracker *l, unsigned int from);

#endif

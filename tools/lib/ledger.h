/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ledger.h - which command ids of one queue are with the device.
 *
 * Each id must complete exactly once. Ids are handed out in turn over the
 * whole 16-bit range, not lowest-free-first, so that a completion that comes
 * twice meets an id that is not in use again, and is noticed.
 */
#ifndef NVME_VFIO_LEDGER_H
#define NVME_VFIO_LEDGER_H

#include <stdint.h>

#define LEDGER_IDS	0xffffu		/* FFFFh is not a valid id */

/**
 * struct ledger - the account of one queue
 * @state: per id, an enum of ledger.c
 * @owner: per id, what was given to ledger_take()
 * @next: id to try next
 * @out: ids with the device now
 * @taken: commands given out so far
 * @done: commands that completed properly
 * @doubled: completions for an id that had completed before
 * @unknown: completions for an id that was never given out
 */
struct ledger {
	uint8_t *state;
	void **owner;
	unsigned int next;
	unsigned int out;
	uint64_t taken;
	uint64_t done;
	unsigned int doubled;
	unsigned int unknown;
};

/** ledger_init - start an empty account. Return: 0 or -ENOMEM. */
int ledger_init(struct ledger *l);

/** ledger_free - give the memory back */
void ledger_free(struct ledger *l);

/**
 * ledger_take - hand out an id
 * @owner: comes back from ledger_done(); not NULL
 *
 * Return: the id, or -EBUSY when all are with the device.
 */
int ledger_take(struct ledger *l, void *owner);

/**
 * ledger_done - a completion for @id has come
 * @owner: set to the owner, or to NULL when the result is an error
 *
 * Return: 0; -EALREADY when that id had completed before; -ENOENT when it was
 * never given out.
 */
int ledger_done(struct ledger *l, uint16_t id, void **owner);

/**
 * ledger_first_out - lowest id that is with the device
 * @from: where to begin
 *
 * Return: the id, or -ENOENT when there is none at or above @from.
 */
int ledger_first_out(const struct ledger *l, unsigned int from);

#endif

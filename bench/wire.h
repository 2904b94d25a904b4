/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wire.h - the connection between the two sides of a migration: one reads while
 * the other writes, as two hosts would.
 */
#ifndef NVME_VFIO_BENCH_WIRE_H
#define NVME_VFIO_BENCH_WIRE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/types.h>

#define WIRE_SLOTS	4
#define WIRE_STEP	(1u << 20)	/* as much as QEMU moves at a time */

/**
 * struct wire - some pieces on their way
 * @slot: the pieces
 * @len: bytes of each; 0 is the end of a stream, -1 that of the thread
 * @room, @there: slots to be filled, and filled ones
 * @done: all of a stream has been written
 * @next: slot that is filled next
 * @to: data fd of the destination
 * @us: time that the destination's writes took
 * @thread: does them
 */
struct wire {
	uint8_t *slot[WIRE_SLOTS];
	ssize_t len[WIRE_SLOTS];
	sem_t room;
	sem_t there;
	sem_t done;
	unsigned int next;
	int to;
	uint64_t us;
	pthread_t thread;
};

/** wire_new - a wire and its thread, ready for use */
struct wire *wire_new(void);
void wire_free(struct wire *w);

/**
 * wire_carry - all that can be read from @from goes to @to
 * @size: bytes of state in it. A state that one read returns whole goes over
 *	without the second thread.
 * @read_us: set to the time that the reads took
 *
 * Return: bytes.
 */
uint64_t wire_carry(struct wire *w, int from, int to, uint64_t size,
		    uint64_t *read_us);

#endif

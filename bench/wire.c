// SPDX-License-Identifier: GPL-2.0-only
/*
 * wire.c - one side reads while the other writes.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "wire.h"

static void deliver(struct wire *w, unsigned int i)
{
	uint64_t t0 = now_us();

	must(mig_write(w->to, w->slot[i], w->len[i], 0));
	w->us += now_us() - t0;
}

static void *other_side(void *arg)
{
	struct wire *w = arg;
	unsigned int i;

	for (i = 0; ; i = (i + 1) % WIRE_SLOTS) {
		sem_wait(&w->there);
		if (w->len[i] < 0)
			return NULL;
		if (w->len[i])
			deliver(w, i);
		else
			sem_post(&w->done);
		sem_post(&w->room);
	}
}

struct wire *wire_new(void)
{
	struct wire *w = calloc(1, sizeof(*w));
	unsigned int i;

	check(w, "no memory");
	for (i = 0; i < WIRE_SLOTS; i++)
		w->slot[i] = pages_new(WIRE_STEP);
	sem_init(&w->room, 0, WIRE_SLOTS);
	sem_init(&w->there, 0, 0);
	sem_init(&w->done, 0, 0);
	check(!pthread_create(&w->thread, NULL, other_side, w), "no thread");
	return w;
}

/* the next slot, when there is room */
static unsigned int take_slot(struct wire *w)
{
	unsigned int i = w->next;

	sem_wait(&w->room);
	w->next = (i + 1) % WIRE_SLOTS;
	return i;
}

void wire_free(struct wire *w)
{
	unsigned int i;

	w->len[take_slot(w)] = -1;
	sem_post(&w->there);
	pthread_join(w->thread, NULL);
	for (i = 0; i < WIRE_SLOTS; i++)
		munmap(w->slot[i], WIRE_STEP);
	free(w);
}

static ssize_t fill(struct wire *w, unsigned int i, int from, uint64_t *read_us)
{
	uint64_t t0 = now_us();

	w->len[i] = read(from, w->slot[i], WIRE_STEP);
	*read_us += now_us() - t0;
	check(w->len[i] >= 0, "read: errno %d", errno);
	return w->len[i];
}

uint64_t wire_carry(struct wire *w, int from, int to, uint64_t size,
		    uint64_t *read_us)
{
	unsigned int i = w->next;
	uint64_t bytes;
	ssize_t n;

	*read_us = 0;
	w->us = 0;
	w->to = to;
	bytes = fill(w, i, from, read_us);
	if (bytes >= size) {
		deliver(w, i);
		check(!fill(w, i, from, read_us), "there is more to be read");
		return bytes;
	}
	take_slot(w);
	sem_post(&w->there);
	do {
		n = fill(w, take_slot(w), from, read_us);
		bytes += n;
		sem_post(&w->there);
	} while (n);
	sem_wait(&w->done);
	return bytes;
}

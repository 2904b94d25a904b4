// SPDX-License-Identifier: GPL-2.0-only
/*
 * change.c - memory that the processor changes at a given rate.
 *
 * The pages of a region are rewritten in turn, each time with the next
 * sequence number, and verified just before, so each page is looked at one
 * round after it was written. Time for which the guest was stopped is not made
 * up for.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "iocheck.h"

#define PAGES		4096u		/* 16 MiB */
#define TICK		20000u		/* microseconds */
#define CATCH_UP	500000u
#define PLACE		(1ull << 40)	/* unlike any block of the drive */

static pthread_t thread;
static bool running;
static uint64_t *memory;
static uint64_t rate;			/* pages per second */
static uint64_t begun, written, verified;

static void check(uint32_t page, uint64_t seq)
{
	char text[BLOCK_TEXT];

	if (!block_is(memory + page * WORDS, PLACE + page, seq, text))
		wrong("changed page %u at %p: %s", page, (void *)(memory + page * WORDS), text);
	verified++;
}

static void *change(void *arg)
{
	uint64_t due = 0, last = now();		/* due: millionths of a page */

	while (!iocheck_stop) {
		uint64_t t = now(), passed = t - last;

		last = t;
		due += (passed > CATCH_UP ? CATCH_UP : passed) * rate;
		for (; due >= 1000000 && !iocheck_stop; due -= 1000000) {
			uint32_t page = written % PAGES;
			uint64_t seq = written / PAGES + 1;

			check(page, seq);
			block_fill(memory + page * WORDS, PLACE + page, seq + 1);
			written++;
		}
		usleep(TICK);
	}
	return arg;
}

bool change_start(uint32_t kib_per_second)
{
	uint32_t page;

	rate = (uint64_t)kib_per_second * 1024 / BLOCK;
	memory = aligned_alloc(BLOCK, PAGES * BLOCK);
	if (!rate || !memory) {
		fprintf(stderr, "iocheck: cannot change %u KiB/s\n", kib_per_second);
		return false;
	}
	for (page = 0; page < PAGES; page++)
		block_fill(memory + page * WORDS, PLACE + page, 1);
	begun = now();
	running = !pthread_create(&thread, NULL, change, NULL);
	return running;
}

/* Stop, and verify every page once more. */
void change_end(void)
{
	uint32_t page;

	if (!running)
		return;
	pthread_join(thread, NULL);
	for (page = 0; page < PAGES; page++)
		check(page, 1 + written / PAGES + (page < written % PAGES));
}

void change_totals(bool all)
{
	uint64_t passed = now() - begun;

	if (running)
		printf("changed=%" PRIu64 " ", written);
	if (running && all)
		printf("changed_verified=%" PRIu64 " changed_kib_s=%" PRIu64 " ",
		       verified, written * BLOCK / 1024 * 1000000 / (passed ? passed : 1));
}

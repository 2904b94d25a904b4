// SPDX-License-Identifier: GPL-2.0-only
/*
 * pool.c - memory that only the drive writes.
 *
 * Each page of the pool is filled by reads from a stretch of the drive whose
 * blocks are all different and never change. The processor only compares: in
 * passes over the whole pool, and with each page just before it is filled
 * again. So when memory is moved while the drive writes to it, a page whose
 * change went unnoticed keeps what it held before, which is another block.
 *
 * A quarter of the pages is refilled all the time. The others are refilled
 * now and then and otherwise left alone: their changes must be noticed at once,
 * as no later change makes up for one that was missed.
 *
 * For this to prove anything, processors must not write to the pages at all,
 * hence no copies on the way from the drive (O_DIRECT, no page cache: see
 * cached()) and pages that stay where they are: see look_for_moved().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "iocheck.h"

#define MAX_RUN		8u		/* pages per command */
#define START_RUN	32u		/* and at the start */
#define SWEEP		32u		/* pages compared per command */
#define COLD_EVERY	3u		/* one command in this many: a page left alone */
#define SEQ		1u		/* of the blocks read */
#define PFN_MASK	((1ull << 55) - 1)

struct page {
	uint32_t holds;			/* block of the stretch */
	uint32_t before;		/* and what it held before that */
	uint64_t since;
	uint64_t frame;			/* physical page */
};

static pthread_t thread;
static bool running;
static int pagemap;
static struct page *pages;
static uint64_t *memory;
static uint64_t *frames;		/* as last read */
static uint32_t count, hot;
static uint64_t first;			/* block where the stretch begins */
static uint64_t rnd;
static uint64_t reads, filled, compared, passes, oldest, moved;
static uint32_t sweep_at, hot_at, turn;

static uint32_t below(uint32_t limit)
{
	rnd = mix(rnd + 0x632be59bd9b4e019ull);
	return rnd % limit;
}

static uint64_t *address(uint32_t i)
{
	return memory + (size_t)i * WORDS;
}

/* The frames of all pages, or false. In one call: with one call per page a
 * guest of an emulated host would need seconds, in which the drive writes
 * nothing.
 */
static bool read_frames(void)
{
	ssize_t len = (ssize_t)count * sizeof(*frames);
	uint32_t i;

	if (pread(pagemap, frames, len, (uintptr_t)memory / BLOCK * sizeof(*frames)) != len)
		return false;
	for (i = 0; i < count; i++)
		frames[i] &= PFN_MASK;
	return true;
}

static void compare(uint32_t i)
{
	struct page *p = &pages[i];
	uint64_t age = now() - p->since;
	char text[BLOCK_TEXT];

	compared++;
	if (age > oldest)
		oldest = age;
	if (block_is(address(i), first + p->holds, SEQ, text))
		return;
	wrong("page %u of the pool, guest address %#" PRIx64 ", read %" PRIu64 " ms ago: %s%s",
	      i, p->frame * BLOCK, age / 1000, text,
	      block_is(address(i), first + p->before, SEQ, text) ? " (stale: it held that before)" : "");
}

/* Read n blocks of the stretch into n pages. */
static bool refill(uint32_t at, uint32_t n)
{
	uint32_t block = below(POOL_BLOCKS - n), i;
	ssize_t rc;

	/* No page may get what it already holds: that would hide a loss. */
	for (i = 0; i < n; i++)
		if (pages[at + i].holds == block + i)
			return refill(at, n);
	for (i = 0; i < n && filled; i++)
		compare(at + i);
	rc = pread(iocheck_fd, address(at), n * BLOCK, (off_t)(first + block) * BLOCK);
	io_done();
	if (rc != (ssize_t)(n * BLOCK)) {
		wrong("read of %u blocks at %" PRIu64 " into page %u of the pool gave %zd (%s)",
		      n, first + block, at, rc, rc < 0 ? strerror(errno) : "short");
		return false;
	}
	for (i = 0; i < n; i++) {
		pages[at + i].before = pages[at + i].holds;
		pages[at + i].holds = block + i;
		pages[at + i].since = now();
	}
	reads++;
	return true;
}

/* Pages that moved have been copied, and so written by a processor. */
static void look_for_moved(void)
{
	uint32_t i;

	if (!read_frames()) {
		wrong("where the pages of the pool are cannot be read");
		return;
	}
	for (i = 0; i < count; i++) {
		if (frames[i] != pages[i].frame) {
			pages[i].frame = frames[i];
			moved++;
		}
	}
}

static void sweep(uint32_t n)
{
	while (n--) {
		compare(sweep_at);
		sweep_at = (sweep_at + 1) % count;
		if (!sweep_at) {
			look_for_moved();
			passes++;
		}
	}
}

static void *work(void *arg)
{
	while (!iocheck_stop) {
		uint32_t n = 1 + below(MAX_RUN), at;

		if (turn++ % COLD_EVERY) {
			at = hot_at + n > hot ? 0 : hot_at;
			hot_at = at + n;
		} else {
			n = 1 + n / 4;
			at = hot + below(count - hot - n + 1);
		}
		if (refill(at, n))
			filled += n;
		sweep(SWEEP);
	}
	return arg;
}

/* How many blocks of the stretch are in the page cache: reads that went through
 * it were copied.
 */
static uint32_t cached(void)
{
	unsigned char there[POOL_BLOCKS];
	uint32_t i, n = 0;
	void *map;

	map = mmap(NULL, POOL_BLOCKS * BLOCK, PROT_READ, MAP_SHARED, iocheck_fd, (off_t)first * BLOCK);
	if (map == MAP_FAILED || mincore(map, POOL_BLOCKS * BLOCK, there)) {
		wrong("the page cache cannot be looked at: %s", strerror(errno));
		return POOL_BLOCKS;
	}
	for (i = 0; i < POOL_BLOCKS; i++)
		n += there[i] & 1;
	munmap(map, POOL_BLOCKS * BLOCK);
	return n;
}

static bool write_stretch(void)
{
	uint64_t *buf = aligned_alloc(BLOCK, START_RUN * BLOCK);
	uint32_t at, i;

	for (at = 0; buf && at < POOL_BLOCKS; at += START_RUN) {
		for (i = 0; i < START_RUN; i++)
			block_fill(buf + i * WORDS, first + at + i, SEQ);
		if (pwrite(iocheck_fd, buf, START_RUN * BLOCK, (off_t)(first + at) * BLOCK) !=
		    START_RUN * BLOCK)
			break;
	}
	free(buf);
	return at >= POOL_BLOCKS;
}

bool pool_start(uint32_t mib, uint64_t first_block)
{
	uint32_t i;

	first = first_block;
	count = mib * (1048576 / BLOCK);
	hot = count / 4;
	rnd = mix(first);
	pages = calloc(count, sizeof(*pages));
	frames = calloc(count, sizeof(*frames));
	memory = mmap(NULL, (size_t)count * BLOCK, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pagemap = open("/proc/self/pagemap", O_RDONLY);
	/* small pages may be merged into a huge one at any time, by copying */
	if (!pages || !frames || memory == MAP_FAILED || pagemap < 0 ||
	    madvise(memory, (size_t)count * BLOCK, MADV_NOHUGEPAGE) ||
	    mlock(memory, (size_t)count * BLOCK)) {
		fprintf(stderr, "iocheck: no pool of %u MiB: %s\n", mib, strerror(errno));
		return false;
	}
	if (!write_stretch()) {
		fprintf(stderr, "iocheck: the pool's blocks cannot be written: %s\n", strerror(errno));
		return false;
	}
	for (i = 0; i < count; i++)
		pages[i].holds = POOL_BLOCKS;
	for (i = 0; i < count; i += START_RUN)
		if (!refill(i, START_RUN))
			return false;
	filled = count;
	if (!read_frames() || !frames[0]) {
		fprintf(stderr, "iocheck: physical addresses are not shown: this needs to be root\n");
		return false;
	}
	for (i = 0; i < count; i++)
		pages[i].frame = frames[i];
	running = !pthread_create(&thread, NULL, work, NULL);
	return running;
}

/* Stop, and compare every page once more. */
void pool_end(void)
{
	uint32_t i;

	if (!running)
		return;
	pthread_join(thread, NULL);
	for (i = 0; i < count; i++)
		compare(i);
	look_for_moved();
	i = cached();
	if (i)
		wrong("%u blocks read by the pool went through the page cache", i);
	if (moved)
		wrong("%" PRIu64 " times a page of the pool was moved in memory", moved);
}

void pool_totals(bool all)
{
	if (running)
		printf("dma_passes=%" PRIu64 " dma_compared=%" PRIu64 " ", passes, compared);
	if (running && all)
		printf("dma_pages=%u dma_reads=%" PRIu64 " dma_filled=%" PRIu64 " dma_oldest_ms=%" PRIu64
		       " dma_moved=%" PRIu64 " ",
		       count, reads, filled, oldest / 1000, moved);
}

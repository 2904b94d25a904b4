/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tally.h - what the kernel did for this thread: allocations, pages, bytes that
 * it copied. Told by its trace events, and the module in bench/copies.
 */
#ifndef NVME_VFIO_BENCH_TALLY_H
#define NVME_VFIO_BENCH_TALLY_H

#define TALLY_SITES	64

/**
 * struct tally - what happened between tally_start() and tally_stop()
 * @allocs: allocations of kernel memory, other than pages
 * @ours: those of them that our modules have asked for
 * @taken: pages that were allocated, buffers that stand in for others included
 * @pages: pages in use at the end, compared to the start
 * @peak: most pages in use at a time, compared to the start
 * @copied: bytes from and to user space, those of small structures left out
 * @nsite: entries in @site and @calls
 * @site: who has allocated, the call's place as the kernel names it
 * @calls: how often
 */
struct tally {
	unsigned long allocs;
	unsigned long ours;
	unsigned long taken;
	long pages;
	long peak;
	unsigned long copied;
	unsigned int nsite;
	char site[TALLY_SITES][96];
	unsigned int calls[TALLY_SITES];
};

/** tally_open - make ready. tally_close - leave nothing behind. */
void tally_open(void);
void tally_close(void);

/** tally_start - from now on, this thread */
void tally_start(void);

/** tally_stop - until now; @t is added to */
void tally_stop(struct tally *t);

/** tally_print - as a JSON object, without the newline */
void tally_print(const struct tally *t);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * counters.h - what the kernel did for this thread: allocations, pages,
 * bytes that it copied. Counted by its trace events, and the module in
 * bench/copies.
 */
#ifndef NVME_VFIO_BENCH_COUNTERS_H
#define NVME_VFIO_BENCH_COUNTERS_H

#define COUNTERS_SITES	64

/**
 * struct counters - what happened between counters_start() and counters_stop()
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
struct counters {
	unsigned long allocs;
	unsigned long ours;
	unsigned long taken;
	long pages;
	long peak;
	unsigned long copied;
	unsigned int nsite;
	char site[COUNTERS_SITES][96];
	unsigned int calls[COUNTERS_SITES];
};

/** counters_open - make ready. counters_close - leave nothing behind. */
void counters_open(void);
void counters_close(void);

/** counters_start - from now on, this thread */
void counters_start(void);

/** counters_stop - until now; @t is added to */
void counters_stop(struct counters *t);

/** counters_print - as a JSON object, without the newline */
void counters_print(const struct counters *t);

#endif

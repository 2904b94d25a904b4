/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slab.h - what the kernel holds: objects of its caches, pages, open files. To
 * find what a long run leaks, if that is an object per round or more.
 */
#ifndef NVME_VFIO_SLAB_H
#define NVME_VFIO_SLAB_H

#define SLAB_CACHES	512

/**
 * struct slab - what the kernel held at one moment
 * @n: entries in @name and @objects
 * @name: caches
 * @objects: objects in use
 * @slab_kib: kernel memory of caches that cannot be reclaimed, KiB; without
 *	those that are freed late
 * @vmalloc_kib: memory of vmalloc, KiB
 * @areas: areas of vmalloc and ioremap
 */
struct slab {
	int n;
	char name[SLAB_CACHES][48];
	long objects[SLAB_CACHES];
	long slab_kib;
	long vmalloc_kib;
	long areas;
};

/**
 * slab_take - take stock
 *
 * Objects that are free but kept by a CPU or by KASAN are given back first, so
 * that the numbers are exact; those of open files are in cache "filp". The
 * kernel should not merge caches of one size (slab_nomerge on its command
 * line). The case is skipped if the kernel does not say.
 */
void slab_take(struct slab *s);

/**
 * slab_compare - the case fails if something has grown with each round
 * @before: as it was before the first
 * @rounds: how many
 *
 * A few more objects are no leak. Nor is what goes away after a while, as the
 * kernel frees some objects late.
 */
void slab_compare(const struct slab *before, unsigned int rounds);

#endif

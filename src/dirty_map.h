/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which memory a VF has written: bitmaps between the device, which reports all
 * it has at once and forgets it, and user space, which asks range by range.
 */
#ifndef _NVME_VFIO_DIRTY_MAP_H
#define _NVME_VFIO_DIRTY_MAP_H

#include <linux/types.h>

#include "iova_range.h"

struct dirty_map;

/**
 * nvme_vfio_dirty_map_new - a clean map
 * @ranges: of memory, ascending, without overlap
 * @n: how many, not 0
 * @shift: log2 of the memory that a bit stands for, bytes; made larger where
 *	the bitmaps would take too much memory
 *
 * Return: the map, or NULL
 */
struct dirty_map *nvme_vfio_dirty_map_new(const struct iova_range *ranges,
					  u32 n, u8 shift);

/* nvme_vfio_dirty_map_free - NULL is no map */
void nvme_vfio_dirty_map_free(struct dirty_map *map);

/* nvme_vfio_dirty_map_covers - is all from @first to @last in the map? */
bool nvme_vfio_dirty_map_covers(const struct dirty_map *map, u64 first,
				u64 last);

/* nvme_vfio_dirty_map_units - number of bits of all ranges */
u64 nvme_vfio_dirty_map_units(const struct dirty_map *map);

/**
 * nvme_vfio_dirty_map_mark - memory was written
 * @map: the map
 * @first: first byte
 * @last: last byte; what the map does not know is left out
 */
void nvme_vfio_dirty_map_mark(struct dirty_map *map, u64 first, u64 last);

/**
 * nvme_vfio_dirty_map_take - take out what was written
 * @map: the map
 * @first: first byte of what is asked for
 * @last: last byte
 * @found: called for each stretch of written memory, ascending
 * @arg: its first argument
 *
 * A bit that stands for more than was asked for stays.
 */
void nvme_vfio_dirty_map_take(struct dirty_map *map, u64 first, u64 last,
			      void (*found)(void *arg, u64 first, u64 last),
			      void *arg);

#endif

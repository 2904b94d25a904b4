// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bitmaps of written memory: see dirty_map.h.
 */
#include <linux/bitmap.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "dirty_map.h"

/*
 * 128 MiB of bitmaps: 4 TiB of memory in pages of 4 KiB. bitmap_set() and the
 * like count in int.
 */
#define MAX_BITS	(1ull << 30)

struct map_range {
	struct iova_range iova;
	unsigned long *bits;
	unsigned long nbits;
};

struct dirty_map {
	u8 shift;
	u32 nr;
	struct map_range range[];
};

/* Bits count from the unit that holds the range's first byte. */
static unsigned long nvme_vfio_map_bit(const struct dirty_map *map,
				       const struct map_range *r, u64 addr)
{
	return (addr >> map->shift) - (r->iova.first >> map->shift);
}

/* The memory of bits @from to @to, as far as it belongs to the range. */
static struct iova_range nvme_vfio_map_range(const struct dirty_map *map,
					     const struct map_range *r,
					     unsigned long from,
					     unsigned long to)
{
	u64 base = r->iova.first >> map->shift;
	u64 mask = (1ull << map->shift) - 1;

	return (struct iova_range) {
		.first = max(r->iova.first, (base + from) << map->shift),
		.last = min(r->iova.last, ((base + to) << map->shift) | mask),
	};
}

static u64 nvme_vfio_map_bits(const struct iova_range *r, u32 n, u8 shift)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < n; i++)
		sum += (r[i].last >> shift) - (r[i].first >> shift) + 1;
	return sum;
}

struct dirty_map *nvme_vfio_dirty_map_new(const struct iova_range *ranges,
					  u32 n, u8 shift)
{
	struct dirty_map *map;
	u32 i;

	map = kzalloc(struct_size(map, range, n), GFP_KERNEL_ACCOUNT);
	if (!map)
		return NULL;

	while (nvme_vfio_map_bits(ranges, n, shift) > MAX_BITS)
		shift++;
	map->shift = shift;
	map->nr = n;
	for (i = 0; i < n; i++) {
		struct map_range *r = &map->range[i];

		r->iova = ranges[i];
		r->nbits = nvme_vfio_map_bit(map, r, ranges[i].last) + 1;
		r->bits = kvcalloc(BITS_TO_LONGS(r->nbits), sizeof(long),
				   GFP_KERNEL_ACCOUNT);
		if (!r->bits) {
			nvme_vfio_dirty_map_free(map);
			return NULL;
		}
	}
	return map;
}

void nvme_vfio_dirty_map_free(struct dirty_map *map)
{
	u32 i;

	if (!map)
		return;
	for (i = 0; i < map->nr; i++)
		kvfree(map->range[i].bits);
	kfree(map);
}

bool nvme_vfio_dirty_map_covers(const struct dirty_map *map, u64 first,
				u64 last)
{
	u32 i;

	for (i = 0; i < map->nr; i++) {
		const struct iova_range *r = &map->range[i].iova;

		if (r->last < first)
			continue;
		if (r->first > first)
			return false;
		if (r->last >= last)
			return true;
		first = r->last + 1;
	}
	return false;
}

u64 nvme_vfio_dirty_map_units(const struct dirty_map *map)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < map->nr; i++)
		sum += map->range[i].nbits;
	return sum;
}

void nvme_vfio_dirty_map_mark(struct dirty_map *map, u64 first, u64 last)
{
	u32 i;

	for (i = 0; i < map->nr; i++) {
		struct map_range *r = &map->range[i];
		unsigned long from, to;

		if (r->iova.last < first || r->iova.first > last)
			continue;
		from = nvme_vfio_map_bit(map, r, max(first, r->iova.first));
		to = nvme_vfio_map_bit(map, r, min(last, r->iova.last));
		bitmap_set(r->bits, from, to - from + 1);
	}
}

static void nvme_vfio_map_take_range(struct dirty_map *map, struct map_range *r,
				     u64 first, u64 last,
				     void (*found)(void *arg, u64 first,
						   u64 last),
				     void *arg)
{
	unsigned long at = nvme_vfio_map_bit(map, r, first);
	unsigned long end = nvme_vfio_map_bit(map, r, last) + 1;

	while ((at = find_next_bit(r->bits, end, at)) < end) {
		unsigned long stop = find_next_zero_bit(r->bits, end, at);
		struct iova_range s = nvme_vfio_map_range(map, r, at, stop - 1);
		unsigned long from = at, to = stop;

		found(arg, max(s.first, first), min(s.last, last));

		if (s.first < first)
			from++;
		if (s.last > last)
			to--;
		if (to > from)
			bitmap_clear(r->bits, from, to - from);
		at = stop;
	}
}

void nvme_vfio_dirty_map_take(struct dirty_map *map, u64 first, u64 last,
			      void (*found)(void *arg, u64 first, u64 last),
			      void *arg)
{
	u32 i;

	for (i = 0; i < map->nr; i++) {
		struct map_range *r = &map->range[i];

		if (r->iova.last < first || r->iova.first > last)
			continue;
		nvme_vfio_map_take_range(map, r, max(first, r->iova.first),
					 min(last, r->iova.last), found, arg);
	}
}

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

/* 256 MiB of bitmaps: 8 TiB of memory in pages of 4 KiB. */
#define MAX_BITS	(1ull << 31)

struct map_range {
	struct track_span span;
	unsigned long *bits;
	unsigned long nbits;
};

struct dirty_map {
	u8 shift;
	u32 nr;
	struct map_range range[];
};

/* Bits count from the unit that holds the range's first byte. */
static unsigned long bit_of(const struct dirty_map *map, const struct map_range *r,
			    u64 addr)
{
	return (addr >> map->shift) - (r->span.first >> map->shift);
}

/* The memory of bits @from to @to, as far as it belongs to the range. */
static struct track_span span_of(const struct dirty_map *map,
				 const struct map_range *r, unsigned long from,
				 unsigned long to)
{
	u64 base = r->span.first >> map->shift;
	u64 mask = (1ull << map->shift) - 1;

	return (struct track_span) {
		.first = max(r->span.first, (base + from) << map->shift),
		.last = min(r->span.last, ((base + to) << map->shift) | mask),
	};
}

static u64 bits_needed(const struct track_span *s, u32 n, u8 shift)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < n; i++)
		sum += (s[i].last >> shift) - (s[i].first >> shift) + 1;
	return sum;
}

struct dirty_map *dirty_map_new(const struct track_span *s, u32 n, u8 shift)
{
	struct dirty_map *map;
	u32 i;

	map = kzalloc(struct_size(map, range, n), GFP_KERNEL_ACCOUNT);
	if (!map)
		return NULL;

	while (bits_needed(s, n, shift) > MAX_BITS)
		shift++;
	map->shift = shift;
	map->nr = n;
	for (i = 0; i < n; i++) {
		struct map_range *r = &map->range[i];

		r->span = s[i];
		r->nbits = bit_of(map, r, s[i].last) + 1;
		r->bits = kvcalloc(BITS_TO_LONGS(r->nbits), sizeof(long),
				   GFP_KERNEL_ACCOUNT);
		if (!r->bits) {
			dirty_map_free(map);
			return NULL;
		}
	}
	return map;
}

void dirty_map_free(struct dirty_map *map)
{
	u32 i;

	if (!map)
		return;
	for (i = 0; i < map->nr; i++)
		kvfree(map->range[i].bits);
	kfree(map);
}

bool dirty_map_covers(const struct dirty_map *map, u64 first, u64 last)
{
	u32 i;

	for (i = 0; i < map->nr; i++) {
		const struct track_span *s = &map->range[i].span;

		if (s->last < first)
			continue;
		if (s->first > first)
			return false;
		if (s->last >= last)
			return true;
		first = s->last + 1;
	}
	return false;
}

u64 dirty_map_units(const struct dirty_map *map)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < map->nr; i++)
		sum += map->range[i].nbits;
	return sum;
}

void dirty_map_mark(struct dirty_map *map, u64 first, u64 last)
{
	u32 i;

	for (i = 0; i < map->nr; i++) {
		struct map_range *r = &map->range[i];
		unsigned long from, to;

		if (r->span.last < first || r->span.first > last)
			continue;
		from = bit_of(map, r, max(first, r->span.first));
		to = bit_of(map, r, min(last, r->span.last));
		bitmap_set(r->bits, from, to - from + 1);
	}
}

static void take_range(struct dirty_map *map, struct map_range *r, u64 first,
		       u64 last, void (*found)(void *arg, u64 first, u64 last),
		       void *arg)
{
	unsigned long at = bit_of(map, r, first);
	unsigned long end = bit_of(map, r, last) + 1;

	while ((at = find_next_bit(r->bits, end, at)) < end) {
		unsigned long stop = find_next_zero_bit(r->bits, end, at);
		struct track_span s = span_of(map, r, at, stop - 1);
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

void dirty_map_take(struct dirty_map *map, u64 first, u64 last,
		    void (*found)(void *arg, u64 first, u64 last), void *arg)
{
	u32 i;

	for (i = 0; i < map->nr; i++) {
		struct map_range *r = &map->range[i];

		if (r->span.last < first || r->span.first > last)
			continue;
		take_range(map, r, max(first, r->span.first),
			   min(last, r->span.last), found, arg);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fitting ranges to what a device can track: see track_span.h. There are few
 * ranges, VFIO takes 256 at most, and this is done once a migration.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "track_span.h"

/* Join entries @i and @i + 1. */
static void join(struct track_span *s, u32 *n, u32 i)
{
	s[i].last = max(s[i].last, s[i + 1].last);
	s[i].first = min(s[i].first, s[i + 1].first);
	memmove(&s[i + 1], &s[i + 2], (*n - i - 2) * sizeof(*s));
	(*n)--;
}

/* Join what overlaps or touches. Return: whether there was any. */
static bool join_overlaps(struct track_span *s, u32 *n)
{
	bool any = false;
	u32 i = 0;

	while (i + 1 < *n) {
		if (s[i].last == U64_MAX || s[i].last + 1 >= s[i + 1].first) {
			join(s, n, i);
			any = true;
			/* It may reach down to the one before by now. */
			if (i)
				i--;
		} else {
			i++;
		}
	}
	return any;
}

static void join_nearest(struct track_span *s, u32 *n)
{
	u64 best = U64_MAX;
	u32 i, at = 0;

	for (i = 0; i + 1 < *n; i++) {
		u64 gap = s[i + 1].first - s[i].last;

		if (gap < best) {
			best = gap;
			at = i;
		}
	}
	join(s, n, at);
}

static u64 units_of(const struct track_span *s, u8 shift)
{
	return ((s->last - s->first) >> shift) + 1;
}

/* Upwards, or downwards where the addresses end. */
static void grow_to_pow2(struct track_span *s, u8 shift)
{
	u64 units = units_of(s, shift), want = 1;

	while (want < units)
		want <<= 1;

	if (want - 1 <= (U64_MAX - s->first) >> shift) {
		s->last = s->first + (want << shift) - 1;
	} else {
		s->last = U64_MAX;
		s->first = U64_MAX - ((want << shift) - 1);
	}
}

int track_fit(struct track_span *s, u32 n, const struct track_limits *limits,
	      u8 shift)
{
	u64 mask = (1ull << shift) - 1;
	u32 i;

	for (i = 0; i < n; i++) {
		s[i].first &= ~mask;
		s[i].last |= mask;
	}
	join_overlaps(s, &n);
	while (n > limits->ranges)
		join_nearest(s, &n);

	if (limits->pow2) {
		do {
			for (i = 0; i < n; i++)
				grow_to_pow2(&s[i], shift);
		} while (join_overlaps(s, &n));
	}

	for (i = 0; i < n; i++)
		if (units_of(&s[i], shift) > U32_MAX)
			return -EOVERFLOW;
	return n;
}

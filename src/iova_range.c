// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fitting ranges to what a device can track: see iova_range.h. There are few
 * ranges, VFIO takes 256 at most, and this is done once a migration.
 *
 * vfio_combine_iova_ranges() knows only a number of ranges. Here they also have
 * to be whole units, at times powers of two of them and never 2^32, which makes
 * ranges meet that did not before; it changes the tree that it is given, and a
 * retry needs the original; and 6.1 does not have it.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "iova_range.h"

/* Join entries @i and @i + 1. */
static void nvme_vfio_join_ranges(struct iova_range *r, u32 *n, u32 i)
{
	r[i].last = max(r[i].last, r[i + 1].last);
	r[i].first = min(r[i].first, r[i + 1].first);
	memmove(&r[i + 1], &r[i + 2], (*n - i - 2) * sizeof(*r));
	(*n)--;
}

/* Join what overlaps or touches. Return: whether there was any. */
static bool nvme_vfio_join_overlaps(struct iova_range *r, u32 *n)
{
	bool any = false;
	u32 i = 0;

	while (i + 1 < *n) {
		if (r[i].last == U64_MAX || r[i].last + 1 >= r[i + 1].first) {
			nvme_vfio_join_ranges(r, n, i);
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

static void nvme_vfio_join_nearest(struct iova_range *r, u32 *n)
{
	u64 best = U64_MAX;
	u32 i, at = 0;

	for (i = 0; i + 1 < *n; i++) {
		u64 gap = r[i + 1].first - r[i].last;

		if (gap < best) {
			best = gap;
			at = i;
		}
	}
	nvme_vfio_join_ranges(r, n, at);
}

static u64 nvme_vfio_range_units(const struct iova_range *r, u8 shift)
{
	return ((r->last - r->first) >> shift) + 1;
}

/* Upwards, or downwards where the addresses end. */
static void nvme_vfio_grow_to_pow2(struct iova_range *r, u8 shift)
{
	u64 units = nvme_vfio_range_units(r, shift), want = 1;

	while (want < units)
		want <<= 1;

	if (want - 1 <= (U64_MAX - r->first) >> shift) {
		r->last = r->first + (want << shift) - 1;
	} else {
		r->last = U64_MAX;
		r->first = U64_MAX - ((want << shift) - 1);
	}
}

int nvme_vfio_combine_ranges(struct iova_range *r, u32 n,
			     const struct track_limits *limits, u8 shift)
{
	u64 mask = (1ull << shift) - 1;
	u32 i;

	for (i = 0; i < n; i++) {
		r[i].first &= ~mask;
		r[i].last |= mask;
	}
	nvme_vfio_join_overlaps(r, &n);
	while (n > limits->ranges)
		nvme_vfio_join_nearest(r, &n);

	if (limits->pow2) {
		do {
			for (i = 0; i < n; i++)
				nvme_vfio_grow_to_pow2(&r[i], shift);
		} while (nvme_vfio_join_overlaps(r, &n));
	}

	for (i = 0; i < n; i++)
		if (nvme_vfio_range_units(&r[i], shift) > U32_MAX)
			return -EOVERFLOW;
	return n;
}

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

/* The part of a range from its start on that the device takes as one. */
static u64 nvme_vfio_first_part(const struct iova_range *r,
				const struct track_limits *limits, u8 shift)
{
	u64 units = nvme_vfio_range_units(r, shift), part = 1;

	if (!limits->pow2)
		return r->last;
	while (part <= units / 2)
		part <<= 1;
	return r->first + ((part << shift) - 1);
}

/* Put a range in at entry @i. Return: entries. */
static int nvme_vfio_put_range(struct iova_range *r, u32 n, u32 room, u32 i,
			       struct iova_range whole,
			       const struct track_limits *limits, u8 shift)
{
	for (;;) {
		u64 last = nvme_vfio_first_part(&whole, limits, shift);

		if (n == room)
			return -ENOSPC;
		memmove(&r[i + 1], &r[i], (n - i) * sizeof(*r));
		r[i++] = (struct iova_range) { whole.first, last };
		n++;
		if (last == whole.last)
			return n;
		whole.first = last + 1;
	}
}

/* Put what a hole of whole units leaves of entry @i in its place. */
static int nvme_vfio_cut_range(struct iova_range *r, u32 n, u32 room, u32 i,
			       struct iova_range hole,
			       const struct track_limits *limits, u8 shift)
{
	const struct iova_range whole = r[i];
	int ret = n - 1;

	memmove(&r[i], &r[i + 1], (n - i - 1) * sizeof(*r));
	if (hole.last < whole.last)
		ret = nvme_vfio_put_range(r, ret, room, i, (struct iova_range) {
					  hole.last + 1, whole.last },
					  limits, shift);
	if (ret >= 0 && hole.first > whole.first)
		ret = nvme_vfio_put_range(r, ret, room, i, (struct iova_range) {
					  whole.first, hole.first - 1 },
					  limits, shift);
	return ret;
}

static int nvme_vfio_cut_hole(struct iova_range *r, u32 n, u32 room,
			      const struct iova_range *hole,
			      const struct track_limits *limits, u8 shift)
{
	const u64 mask = (1ull << shift) - 1;
	const struct iova_range units = {
		hole->first & ~mask, hole->last | mask
	};
	int ret = n, i = 0;

	while (ret >= 0 && i < ret) {
		/* What comes to stand here does not meet the hole. */
		if (units.last < r[i].first || units.first > r[i].last)
			i++;
		else
			ret = nvme_vfio_cut_range(r, ret, room, i, units,
						  limits, shift);
	}
	return ret;
}

int nvme_vfio_fit_ranges(const struct iova_range *in, u32 n,
			 struct iova_range *out, u32 room,
			 const struct track_limits *limits, u8 shift,
			 const struct iova_range *hole, u32 holes)
{
	struct track_limits joined = *limits;
	u32 h;
	int ret;

	/* The more are joined, the more are left for what is cut. */
	for (joined.ranges = min(limits->ranges, n); joined.ranges;
	     joined.ranges--) {
		memcpy(out, in, n * sizeof(*in));
		ret = nvme_vfio_combine_ranges(out, n, &joined, shift);
		for (h = 0; ret >= 0 && h < holes; h++)
			ret = nvme_vfio_cut_hole(out, ret, room, &hole[h],
						 limits, shift);
		if (ret < 0 || ret <= limits->ranges)
			return ret;
	}
	return -ENOSPC;
}

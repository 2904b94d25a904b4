/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fitting the ranges that user space wants tracked to what a device can track.
 * Knows nothing of VFIO or NVMe; also compiled by the unit tests.
 */
#ifndef _NVME_VFIO_IOVA_RANGE_H
#define _NVME_VFIO_IOVA_RANGE_H

#include <linux/types.h>

/**
 * struct track_limits - what a device can do to track its writes to memory
 * @ranges: ranges it tracks at a time, 0 = it cannot track
 * @min_shift: log2 of the smallest unit that it tracks, in bytes
 * @max_shift: log2 of the largest
 * @pow2: a range must have a power of two of units
 */
struct track_limits {
	u32 ranges;
	u8 min_shift;
	u8 max_shift;
	bool pow2;
};

/**
 * struct iova_range - a range of addresses, as a device sees them
 * @first: first byte
 * @last: last byte
 */
struct iova_range {
	u64 first;
	u64 last;
};

/**
 * nvme_vfio_combine_ranges - make ranges such that a device can track them
 * @r: ranges, ascending, without overlap; replaced by at most as many
 * @n: how many, not 0
 * @limits: what the device can do; at least one range
 * @shift: log2 of the unit, in bytes
 *
 * The result covers all that @r covered, and more where it must: ranges begin
 * and end at units, those with the smallest gap between them are joined, and
 * lengths are made powers of two where the device wants that.
 *
 * Return: how many ranges there are now, or -EOVERFLOW when one has more than
 * U32_MAX units: a larger unit would do.
 */
int nvme_vfio_combine_ranges(struct iova_range *r, u32 n,
			     const struct track_limits *limits, u8 shift);

/**
 * nvme_vfio_fit_ranges - the same, without holes that the device does not take
 * @in: ranges, ascending, without overlap
 * @n: how many, not 0
 * @out: the result
 * @room: entries that it has room for; NVME_VFIO_FIT_ROOM() is always enough
 * @limits: what the device can do; at least one range
 * @shift: log2 of the unit, in bytes
 * @hole: spans to be left out, in any order
 * @holes: how many
 *
 * The result covers all that @in covers but the units that holes are in.
 *
 * Return: as nvme_vfio_combine_ranges(); 0 when nothing is left; -ENOSPC when the
 * device has too few ranges for what the holes leave.
 */
int nvme_vfio_fit_ranges(const struct iova_range *in, u32 n,
			 struct iova_range *out, u32 room,
			 const struct track_limits *limits, u8 shift,
			 const struct iova_range *hole, u32 holes);

/* A hole makes two parts of a range, each of 33 powers of two at most. */
#define NVME_VFIO_FIT_ROOM(n, holes)	((n) + 66 * (holes))

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Bit by bit. */
#ifndef _UNIT_LINUX_BITMAP_H
#define _UNIT_LINUX_BITMAP_H

#include <linux/types.h>

#define UNIT_BITS		(8 * sizeof(long))
#define BITS_TO_LONGS(n)	(((n) + UNIT_BITS - 1) / UNIT_BITS)

static inline bool unit_bit(const unsigned long *map, unsigned long i)
{
	return map[i / UNIT_BITS] >> i % UNIT_BITS & 1;
}

static inline void bitmap_set(unsigned long *map, unsigned long from,
			      unsigned long n)
{
	for (; n; n--, from++)
		map[from / UNIT_BITS] |= 1ul << from % UNIT_BITS;
}

static inline void bitmap_clear(unsigned long *map, unsigned long from,
				unsigned long n)
{
	for (; n; n--, from++)
		map[from / UNIT_BITS] &= ~(1ul << from % UNIT_BITS);
}

static inline unsigned long find_next_bit(const unsigned long *map,
					  unsigned long end, unsigned long at)
{
	while (at < end && !unit_bit(map, at))
		at++;
	return at < end ? at : end;
}

static inline unsigned long find_next_zero_bit(const unsigned long *map,
					       unsigned long end,
					       unsigned long at)
{
	while (at < end && unit_bit(map, at))
		at++;
	return at < end ? at : end;
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * reader.c - fuzz target: any bytes as a stream. The mutator forges records
 * with correct checksums as often as it changes raw bytes.
 */
#include <string.h>

#include "feed.h"
#include "forge.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (size >= FEED_CONTROL)
		feed(feed_control(data), data + FEED_CONTROL,
		     size - FEED_CONTROL, NULL);
	return 0;
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max,
			       unsigned int seed)
{
	uint64_t rnd = seed;

	if (size < FEED_CONTROL || max <= FEED_CONTROL || !(seed & 7))
		return LLVMFuzzerMutate(data, size, max);
	if (seed & 1)
		return FEED_CONTROL + forge(data + FEED_CONTROL,
					    size - FEED_CONTROL,
					    max - FEED_CONTROL, &rnd);
	size = LLVMFuzzerMutate(data, size, max);
	if (size > FEED_CONTROL && seed & 2)
		forge_mend(data + FEED_CONTROL, size - FEED_CONTROL);
	return size;
}

// SPDX-License-Identifier: GPL-2.0-only
/* What a block of iocheck holds; see iocheck.h. */
#include <inttypes.h>
#include <stdio.h>
#include "iocheck.h"

#define MAGIC		0x6b636568636f6921ull

enum { W_MAGIC, W_PLACE, W_SEQ, W_FIRST };

uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x9e3779b97f4a7c15ull;
	x ^= x >> 29;
	x *= 0xd6e8feb86659fd93ull;
	return x ^ x >> 32;
}

/* What all words of a block's contents are derived from, and word i of them */
static uint64_t seed(uint64_t place, uint64_t seq)
{
	return mix(place + (seq << 20));
}

static uint64_t word(uint64_t base, unsigned int i)
{
	return (base + i) * 0x9e3779b97f4a7c15ull;
}

void block_fill(uint64_t *b, uint64_t place, uint64_t seq)
{
	uint64_t base = seed(place, seq);
	unsigned int i;

	b[W_MAGIC] = MAGIC;
	b[W_PLACE] = place;
	b[W_SEQ] = seq;
	for (i = W_FIRST; i < WORDS; i++)
		b[i] = word(base, i);
}

bool block_is(const uint64_t *b, uint64_t place, uint64_t seq, char *text)
{
	uint64_t base = seed(place, seq);
	unsigned int i;

	if (b[W_MAGIC] != MAGIC) {
		snprintf(text, BLOCK_TEXT, "holds no block but %016" PRIx64 "..., not block %" PRIu64
			 " sequence %" PRIu64, b[W_MAGIC], place, seq);
		return false;
	}
	if (b[W_PLACE] != place || b[W_SEQ] != seq) {
		snprintf(text, BLOCK_TEXT, "holds block %" PRIu64 " sequence %" PRIu64
			 ", not block %" PRIu64 " sequence %" PRIu64, b[W_PLACE], b[W_SEQ], place, seq);
		return false;
	}
	for (i = W_FIRST; i < WORDS; i++)
		if (b[i] != word(base, i)) {
			snprintf(text, BLOCK_TEXT, "block %" PRIu64 " sequence %" PRIu64 " has %016"
				 PRIx64 " at word %u, not %016" PRIx64, place, seq, b[i], i, word(base, i));
			return false;
		}
	return true;
}

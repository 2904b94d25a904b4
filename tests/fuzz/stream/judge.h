/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * judge.h - what must happen to a stream, found by looking at the whole of it.
 * Shares no code with the reader under test, CRC32C included.
 */
#ifndef FUZZ_JUDGE_H
#define FUZZ_JUDGE_H

#include "stream.h"

/**
 * struct verdict - of one record
 * @event: what the reader has to return at its end: an enum stream_event or a
 * negative errno
 * @at: offset of the byte after which it has to return it
 * @start: offset of the record
 * @len: bytes of its payload
 *
 * An event that needs bytes beyond the end of the input never comes: then @at
 * is larger than the input.
 */
struct verdict {
	int event;
	size_t at;
	size_t start;
	u32 len;
};

/**
 * struct judge - goes through a stream record by record
 * @p: the stream
 * @n: its length in bytes
 * @limit: largest state that is accepted
 *
 * The other members are private.
 */
struct judge {
	const u8 *p;
	size_t n;
	u64 limit;

	size_t at;
	int expect;
	u64 size;
	u32 max_data;
	u64 done;
	u64 records;
};

/** judge_init - begin */
void judge_init(struct judge *j, const u8 *p, size_t n, u64 limit);

/** judge_next - the next record; not to be called after END or an error */
struct verdict judge_next(struct judge *j);

/** judge_digest - of namespaces, @n of 64 bytes each */
u64 judge_digest(const u8 *ns, u64 n);

/** judge_crc - CRC32C */
u32 judge_crc(const void *data, size_t len);

#endif

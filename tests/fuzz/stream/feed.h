/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * feed.h - drive the reader over a stream as the driver's data file does, and
 * hold it against the judge at every step.
 */
#ifndef FUZZ_FEED_H
#define FUZZ_FEED_H

#include "stream.h"

#define FEED_CONTROL	8	/* bytes in front of a stream in an input */

/**
 * struct feed - how a stream is fed
 * @limit: largest state accepted
 * @rnd: state of the random segment sizes; 0: everything at once
 * @stop_at: at this event, counted from 1, the user refuses; 0 = never
 */
struct feed {
	u64 limit;
	u32 rnd;
	unsigned int stop_at;
};

/**
 * struct feed_result - what came out of a stream
 * @identity: the identity
 * @namespaces: the namespaces, if they came
 * @size: bytes of state announced
 * @data: room for @room bytes, set by the caller; NULL = not wanted
 * @room: see @data
 * @done: bytes of state that came
 */
struct feed_result {
	struct stream_identity identity;
	struct stream_namespaces namespaces;
	u64 size;
	u8 *data;
	size_t room;
	u64 done;
};

/** feed_control - from the first FEED_CONTROL bytes of an input */
struct feed feed_control(const u8 *control);

/**
 * feed - run the reader over a stream
 *
 * Aborts if the reader does anything wrong.
 *
 * Return: the last event, negative when the stream was refused.
 */
int feed(struct feed f, const u8 *p, size_t n, struct feed_result *got);

#endif

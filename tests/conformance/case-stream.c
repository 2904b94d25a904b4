// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-stream.c - the stream of STOP_COPY does not depend on how it is read,
 * and RESUMING accepts it in any pieces.
 *
 * It is not promised that two sessions of a stopped device return the same
 * bytes. If they do, all ways of reading must; in any case the device must
 * accept what was read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "mig.h"

#define SMALL_MAX	65536	/* how many bytes are transferred one by one */

static const size_t pieces[] = { 1, 2, 3, 7, 61, 512, 4095, 4096, 4097, 65536, 0 };

/* a large stream would take for ever, one byte at a time */
static bool too_slow(size_t seg, size_t len)
{
	return seg && seg < 16 && len > SMALL_MAX * seg;
}

/* Return: whether two plain sessions returned the same */
static bool reference(struct dev *d, struct stream *ref)
{
	struct stream again = { 0 };
	bool same;

	save(d, ref);
	go(d, ST_STOP);
	save(d, &again);
	go(d, ST_STOP);
	same = stream_equal(ref, &again);
	if (!same)
		tap_note("two sessions differ: streams are judged by loading them");
	stream_free(&again);
	return same;
}

static void compare(const struct stream *ref, const struct stream *s,
		    const char *how)
{
	size_t i;

	check(ref->len == s->len, "%s: expected %zu bytes, got %zu", how,
	      ref->len, s->len);
	for (i = 0; i < s->len; i++)
		check(ref->data[i] == s->data[i],
		      "%s: byte %zu: expected %02x, got %02x", how, i,
		      ref->data[i], s->data[i]);
}

static void read_in_pieces(const void *arg)
{
	size_t seg = *(const size_t *)arg;
	struct stream ref = { 0 }, s = { 0 };
	struct dev d;
	bool same;
	int fd;

	dev_open(&d, 0);
	same = reference(&d, &ref);
	if (too_slow(seg, ref.len))
		tap_skip("%zu bytes would take too long, %zu at a time",
			 ref.len, seg);
	fd = go_fd(&d, ST_STOP_COPY);
	read_to_end(fd, &s, seg);
	if (same)
		compare(&ref, &s, "read in pieces");
	go(&d, ST_STOP);
	loads(&d, &s);
}

static void read_at_random(const void *arg)
{
	struct stream ref = { 0 }, s = { 0 };
	struct dev d;
	unsigned int seed = 1;
	ssize_t n;
	bool same;
	int fd;

	(void)arg;
	dev_open(&d, 0);
	same = reference(&d, &ref);
	fd = go_fd(&d, ST_STOP_COPY);
	do {
		n = read_some(fd, &s, 1 + rand_r(&seed) % (ref.len / 8 + 1));
		check(n >= 0, "read() at byte %zu: %s", s.len, errname(n));
	} while (n);
	if (same)
		compare(&ref, &s, "read in random pieces");
	go(&d, ST_STOP);
	loads(&d, &s);
}

static void write_in_pieces(const void *arg)
{
	size_t seg = *(const size_t *)arg;
	struct stream s = { 0 };
	struct dev d;

	dev_open(&d, 0);
	save(&d, &s);
	if (too_slow(seg, s.len))
		tap_skip("%zu bytes would take too long, %zu at a time",
			 s.len, seg);
	go(&d, ST_STOP);
	load(&d, &s, seg);
	go(&d, ST_RUNNING);
	whole_cycle(&d);
}

static void end_for_ever(const void *arg)
{
	struct stream s = { 0 };
	unsigned int i;
	struct dev d;
	size_t len;
	int fd;

	(void)arg;
	dev_open(&d, 0);
	fd = go_fd(&d, ST_STOP_COPY);
	read_to_end(fd, &s, 0);
	len = s.len;
	for (i = 0; i < 20; i++) {
		read_to_end(fd, &s, i % 2 ? 1 : 0);
		check(s.len == len, "data came after the end of the stream");
		/* these do not revive it either */
		if (i == 5)
			mig_set(&d, ST_NR, NULL);
		if (i == 10)
			check_err(mig_set(&d, ST_STOP_COPY, NULL), 0,
				  "STOP_COPY -> STOP_COPY");
	}
	state_is(&d, ST_STOP_COPY);
}

/* a session that was left early does not move the end */
static void left_half_way(const void *arg)
{
	struct stream ref = { 0 }, half = { 0 }, s = { 0 };
	struct dev d;
	bool same;
	int fd;

	(void)arg;
	dev_open(&d, 0);
	same = reference(&d, &ref);
	fd = go_fd(&d, ST_STOP_COPY);
	read_some(fd, &half, ref.len / 2 + 1);
	go(&d, ST_STOP);
	session_is_dead(fd, true);
	close(fd);
	save(&d, &s);
	if (same)
		compare(&ref, &s, "session after one that was left half way");
	go(&d, ST_STOP);
	loads(&d, &s);
}

/* RESUMING -> STOP -> STOP_COPY: what was loaded can be moved on immediately */
static void moved_on(const void *arg)
{
	struct stream s = { 0 }, next = { 0 };
	struct dev d;

	(void)arg;
	dev_open(&d, 0);
	own_stream(&d, &s);
	load(&d, &s, 0);
	save(&d, &next);
	go(&d, ST_STOP);
	loads(&d, &next);
	whole_cycle(&d);
}

#define READ(n, what) \
	{ .name = "stream: read " what, .fn = read_in_pieces, \
	  .arg = &pieces[n] }
#define WRITTEN(n, what) \
	{ .name = "stream: written " what, .fn = write_in_pieces, \
	  .arg = &pieces[n] }

const struct tap_case stream_cases[] = {
	READ(0, "1 byte at a time"),
	WRITTEN(0, "1 byte at a time"),
	READ(1, "2 bytes at a time"),
	WRITTEN(1, "2 bytes at a time"),
	READ(2, "3 bytes at a time"),
	WRITTEN(2, "3 bytes at a time"),
	READ(3, "7 bytes at a time"),
	WRITTEN(3, "7 bytes at a time"),
	READ(4, "61 bytes at a time"),
	WRITTEN(4, "61 bytes at a time"),
	READ(5, "512 bytes at a time"),
	WRITTEN(5, "512 bytes at a time"),
	READ(6, "4095 bytes at a time"),
	WRITTEN(6, "4095 bytes at a time"),
	READ(7, "4096 bytes at a time"),
	WRITTEN(7, "4096 bytes at a time"),
	READ(8, "4097 bytes at a time"),
	WRITTEN(8, "4097 bytes at a time"),
	READ(9, "64 KiB at a time"),
	WRITTEN(9, "64 KiB at a time"),
	READ(10, "at once"),
	WRITTEN(10, "at once"),
	{ .name = "stream: read in random pieces", .fn = read_at_random },
	{ .name = "stream: its end stays its end", .fn = end_for_ever },
	{ .name = "stream: whole after a session that was left half way",
	  .fn = left_half_way },
	{ .name = "stream: loaded, saved again before running, loaded",
	  .fn = moved_on },
	{ }
};

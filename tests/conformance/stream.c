// SPDX-License-Identifier: GPL-2.0-only
/*
 * stream.c - reading, writing and loading streams: see mig.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mig.h"
#include "check.h"

#define CHUNK		(1UL << 20)
#define STREAM_MAX	(16UL << 30)

static void reserve(struct stream *s, size_t more)
{
	size_t room = s->room ? s->room : 65536;
	uint8_t *p;

	check(more < STREAM_MAX && s->len < STREAM_MAX,
	      "the stream does not end: %zu bytes so far", s->len);
	while (room - s->len < more)
		room *= 2;
	if (room == s->room)
		return;
	p = realloc(s->data, room);
	check(p, "no memory for a stream of %zu bytes", room);
	s->data = p;
	s->room = room;
}

void stream_add(struct stream *s, const void *data, size_t len)
{
	reserve(s, len);
	memcpy(s->data + s->len, data, len);
	s->len += len;
}

struct stream stream_copy(const struct stream *s)
{
	struct stream copy = { 0 };

	stream_add(&copy, s->data, s->len);
	return copy;
}

bool stream_equal(const struct stream *a, const struct stream *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

void stream_free(struct stream *s)
{
	free(s->data);
	memset(s, 0, sizeof(*s));
}

ssize_t read_some(int fd, struct stream *s, size_t max)
{
	ssize_t n;

	if (!max || max > CHUNK)
		max = CHUNK;
	reserve(s, max);
	do
		n = read(fd, s->data + s->len, max);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	check((size_t)n <= max, "read() of %zu bytes gave %zd", max, n);
	s->len += n;
	return n;
}

void read_to_end(int fd, struct stream *s, size_t seg)
{
	ssize_t n;

	do {
		n = read_some(fd, s, seg);
		check(n != -ENOMSG,
		      "read() in STOP_COPY gave ENOMSG, which is for PRE_COPY only");
		check(n >= 0, "read() in STOP_COPY, at byte %zu: %s", s->len,
		      errname(n));
	} while (n);
}

int write_some(int fd, const void *data, size_t len, size_t seg)
{
	const uint8_t *p = data;

	if (!seg || seg > CHUNK)
		seg = CHUNK;
	while (len) {
		size_t want = len < seg ? len : seg;
		ssize_t n = write(fd, p, want);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		check(n && (size_t)n <= want, "write() of %zu bytes gave %zd",
		      want, n);
		p += n;
		len -= n;
	}
	return 0;
}

void save(struct dev *d, struct stream *s)
{
	int fd = go_fd(d, ST_STOP_COPY);

	s->len = 0;
	read_to_end(fd, s, 0);
	check(s->len, "the stream is empty");
	close(fd);
}

void load(struct dev *d, const struct stream *s, size_t seg)
{
	int fd = go_fd(d, ST_RESUMING);

	check_err(write_some(fd, s->data, s->len, seg), 0,
		  "write() of a complete stream of %zu bytes, %zu at a time",
		  s->len, seg);
	go(d, ST_STOP);
	close(fd);
}

void own_stream(struct dev *d, struct stream *s)
{
	save(d, s);
	go(d, ST_RUNNING);
}

void loads(struct dev *d, const struct stream *s)
{
	load(d, s, 0);
	go(d, ST_RUNNING);
}

void whole_cycle(struct dev *d)
{
	struct stream s = { 0 };

	save(d, &s);
	go(d, ST_STOP);
	loads(d, &s);
	stream_free(&s);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-resume.c - streams that are not what a source gave.
 *
 * A stream that is incomplete, inconsistent or invalid must fail write() or
 * RESUMING -> STOP. With --lenient it may load, but kernel and device must
 * still survive it: after a reset a good stream must load.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "mig.h"

enum outcome { REFUSED_BY_WRITE, REFUSED_BY_ARC, LOADED };

static const char *outcome_name(enum outcome o)
{
	static const char * const names[] = {
		"refused by write()", "refused by RESUMING -> STOP", "loaded",
	};

	return names[o];
}

/* errors about the device or the caller, not the stream */
static void check_refusal(int err, const char *who)
{
	check(err != -ENODEV && err != -EFAULT && err != -ENOMSG &&
	      err != -ESPIPE && err != -EBADF && err != -EINTR,
	      "%s refused with %s, which does not say that the stream is bad",
	      who, errname(err));
}

/* a device in RUNNING is given @s; it is in RUNNING afterwards */
static enum outcome try_stream(struct dev *d, const struct stream *s,
			       size_t seg)
{
	enum outcome o = LOADED;
	int fd = go_fd(d, ST_RESUMING), err;
	unsigned int state;

	err = write_some(fd, s->data, s->len, seg);
	if (err) {
		check_refusal(err, "write()");
		state_is(d, ST_RESUMING);
		o = REFUSED_BY_WRITE;
		/* what follows does not make it good */
		write_some(fd, s->data, s->len < 64 ? s->len : 64, 0);
	}
	err = mig_set(d, ST_STOP, NULL);
	state = mig_get(d);
	if (err) {
		if (o == LOADED)
			o = REFUSED_BY_ARC;
		check_refusal(err, "RESUMING -> STOP");
		check(state == ST_RESUMING || state == ST_ERROR,
		      "RESUMING -> STOP failed, but the state is %s",
		      st_name(state));
	} else {
		check(state == ST_STOP, "RESUMING -> STOP worked, but the state is %s",
		      st_name(state));
		check(o == LOADED || run.lenient,
		      "write() refused the stream, but RESUMING -> STOP worked");
	}
	if (state != ST_RESUMING)
		session_is_dead(fd, false);
	reset(d);
	state_is(d, ST_RUNNING);
	session_is_dead(fd, false);
	close(fd);
	return o;
}

static void must_refuse(struct dev *d, const struct stream *s, size_t seg,
			const char *what, size_t n)
{
	enum outcome o = try_stream(d, s, seg);

	check(o != LOADED || run.lenient, "%s %zu: it was %s", what, n,
	      outcome_name(o));
}

static void open_with_stream(struct dev *d, struct stream *s)
{
	dev_open(d, 0);
	own_stream(d, s);
}

/* the last step of each case */
static void good_one(struct dev *d, const struct stream *s)
{
	loads(d, s);
	whole_cycle(d);
}

static void empty(const void *arg)
{
	struct stream s = { 0 }, none = { 0 };
	struct dev d;

	(void)arg;
	open_with_stream(&d, &s);
	must_refuse(&d, &none, 0, "stream of bytes:", 0);
	good_one(&d, &s);
}

static void truncated(const void *arg)
{
	static const unsigned int parts = 16;
	struct stream s = { 0 };
	unsigned int i;
	struct dev d;
	size_t len;

	(void)arg;
	open_with_stream(&d, &s);
	len = s.len;
	for (i = 1; i < parts; i++) {
		s.len = len * i / parts;
		if (s.len)
			must_refuse(&d, &s, 0, "length", s.len);
	}
	for (i = 1; i <= 8 && i < len; i++) {
		s.len = i;
		must_refuse(&d, &s, 0, "length", s.len);
		s.len = len - i;
		must_refuse(&d, &s, 0, "length", s.len);
	}
	s.len = len;
	good_one(&d, &s);
}

/* a combined transition is no way around the check */
static void truncated_to_other(const void *arg)
{
	static const unsigned int to[] = {
		ST_RUNNING, ST_STOP_COPY, ST_RUNNING_P2P, ST_PRE_COPY,
		ST_PRE_COPY_P2P,
	};
	struct stream s = { 0 };
	struct dev d;
	unsigned int i, state;

	(void)arg;
	open_with_stream(&d, &s);
	for (i = 0; i < 5; i++) {
		int fd, session, err;

		if (!st_supported(to[i]))
			continue;
		session = go_fd(&d, ST_RESUMING);
		check_err(write_some(session, s.data, s.len / 2, 0), 0,
			  "write() of the first half");
		err = mig_set(&d, to[i], &fd);
		state = mig_get(&d);
		check(err || run.lenient, "half a stream, RESUMING -> %s worked",
		      st_name(to[i]));
		check(!err || state == ST_RESUMING || state == ST_ERROR,
		      "half a stream, RESUMING -> %s failed, but the state is %s",
		      st_name(to[i]), st_name(state));
		reset(&d);
		close(session);
		if (fd >= 0)
			close(fd);
	}
	good_one(&d, &s);
}

static void fill(struct stream *s, size_t len, int byte)
{
	uint8_t block[4096];

	s->len = 0;
	memset(block, byte, sizeof(block));
	while (s->len < len) {
		size_t n = len - s->len;

		stream_add(s, block, n < sizeof(block) ? n : sizeof(block));
	}
}

static void garbage(const void *arg)
{
	struct stream s = { 0 }, bad = { 0 };
	unsigned int seed = 7, i;
	struct dev d;
	size_t k;

	(void)arg;
	open_with_stream(&d, &s);
	fill(&bad, s.len, 0);
	must_refuse(&d, &bad, 0, "zeros:", bad.len);
	fill(&bad, s.len, 0xff);
	must_refuse(&d, &bad, 0, "ones:", bad.len);
	for (i = 0; i < 8; i++) {
		for (k = 0; k < bad.len; k++)
			bad.data[k] = rand_r(&seed) >> 8;
		must_refuse(&d, &bad, i % 2 ? 0 : 4095, "random stream", i);
	}
	good_one(&d, &s);
}

/* a good beginning makes it more likely to be accepted */
static void garbage_behind(const void *arg)
{
	struct stream s = { 0 };
	unsigned int seed = 9, i;
	struct dev d;
	size_t k;

	(void)arg;
	open_with_stream(&d, &s);
	for (i = 1; i < 8; i++) {
		struct stream bad = stream_copy(&s);
		size_t from = s.len * i / 8;

		for (k = from; k < bad.len; k++)
			bad.data[k] = ~s.data[k] ^ (rand_r(&seed) & 0x7f);
		must_refuse(&d, &bad, 0, "garbage from byte", from);
		stream_free(&bad);
	}
	good_one(&d, &s);
}

static void flip(struct dev *d, struct stream *s, size_t byte, unsigned int bit)
{
	s->data[byte] ^= 1U << bit;
	must_refuse(d, s, 0, "one bit flipped in byte", byte);
	s->data[byte] ^= 1U << bit;
}

static void flips_at_start(const void *arg)
{
	struct stream s = { 0 };
	struct dev d;
	size_t i;

	(void)arg;
	open_with_stream(&d, &s);
	for (i = 0; i < 48 && i < s.len; i++)
		flip(&d, &s, i, i % 8);
	good_one(&d, &s);
}

static void flips_everywhere(const void *arg)
{
	struct stream s = { 0 };
	unsigned int i;
	struct dev d;

	(void)arg;
	open_with_stream(&d, &s);
	for (i = 0; i < 40; i++)
		flip(&d, &s, (uint64_t)s.len * i / 40, (i * 5 + 3) % 8);
	flip(&d, &s, s.len - 1, 0);
	good_one(&d, &s);
}

static void cut_and_joined(const void *arg)
{
	struct stream s = { 0 }, bad = { 0 };
	size_t third;
	struct dev d;

	(void)arg;
	open_with_stream(&d, &s);
	third = s.len / 3;
	stream_add(&bad, s.data + third, s.len - third);
	must_refuse(&d, &bad, 0, "begun at byte", third);
	bad.len = 0;
	stream_add(&bad, s.data, third);
	stream_add(&bad, s.data + 2 * third, s.len - 2 * third);
	must_refuse(&d, &bad, 0, "middle missing, bytes:", third);
	bad.len = 0;
	stream_add(&bad, s.data, 2 * third);
	stream_add(&bad, s.data + third, s.len - third);
	must_refuse(&d, &bad, 0, "middle twice, bytes:", third);
	bad.len = 0;
	stream_add(&bad, s.data + s.len / 2, s.len - s.len / 2);
	stream_add(&bad, s.data, s.len / 2);
	must_refuse(&d, &bad, 0, "halves swapped at byte", s.len / 2);
	good_one(&d, &s);
}

static void trailing(const void *arg)
{
	static const char junk[] = "and that is not all";
	struct stream s = { 0 }, bad;
	struct dev d;

	(void)arg;
	open_with_stream(&d, &s);
	bad = stream_copy(&s);
	stream_add(&bad, "", 1);
	must_refuse(&d, &bad, 0, "trailing bytes:", 1);
	/* not in the same write() as the end */
	must_refuse(&d, &bad, s.len, "trailing bytes in a write() of their own:",
		    1);
	bad.len = s.len;
	stream_add(&bad, junk, sizeof(junk));
	must_refuse(&d, &bad, 0, "trailing bytes:", sizeof(junk));
	bad.len = s.len;
	stream_add(&bad, s.data, s.len);
	must_refuse(&d, &bad, 0, "the whole stream again, bytes:", s.len);
	good_one(&d, &s);
}

/* what is accepted before the end must have a limit */
static void too_much(const void *arg)
{
	static const size_t enough = 64UL << 20;
	struct stream s = { 0 }, more = { 0 };
	size_t done = 0;
	int fd, err = 0;
	struct dev d;

	(void)arg;
	open_with_stream(&d, &s);
	fill(&more, 1UL << 20, 0x5a);
	fd = go_fd(&d, ST_RESUMING);
	check_err(write_some(fd, s.data, s.len / 2, 0), 0, "write()");
	while (done < enough && !err) {
		err = write_some(fd, more.data, more.len, 0);
		done += more.len;
	}
	check(err || run.lenient, "%zu MiB of garbage were taken", done >> 20);
	if (err)
		check_refusal(err, "write()");
	err = mig_set(&d, ST_STOP, NULL);
	check(err || run.lenient, "a stream of %zu MiB of garbage was loaded",
	      done >> 20);
	reset(&d);
	close(fd);
	good_one(&d, &s);
}

/* write() may not be what ends a session */
static void many_aborted(const void *arg)
{
	struct stream s = { 0 };
	unsigned int i;
	struct dev d;

	(void)arg;
	open_with_stream(&d, &s);
	for (i = 0; i < 10; i++) {
		int fd = go_fd(&d, ST_RESUMING);

		write_some(fd, s.data, s.len * i / 10, 0);
		if (i % 2)
			close(fd);
		reset(&d);
		state_is(&d, ST_RUNNING);
		if (!(i % 2)) {
			session_is_dead(fd, false);
			close(fd);
		}
	}
	good_one(&d, &s);
}

static void twice(const void *arg)
{
	struct stream s = { 0 };
	struct dev d;

	(void)arg;
	open_with_stream(&d, &s);
	load(&d, &s, 0);
	load(&d, &s, 100);
	good_one(&d, &s);
}

#define BAD(what, func) \
	{ .name = "resuming: " what, .fn = func, .needs = NEED_RESET }

const struct tap_case resume_cases[] = {
	BAD("nothing written", empty),
	BAD("truncated streams", truncated),
	BAD("half a stream, then other states than STOP", truncated_to_other),
	BAD("garbage", garbage),
	BAD("garbage behind a good beginning", garbage_behind),
	BAD("bit flips in the first bytes", flips_at_start),
	BAD("bit flips everywhere", flips_everywhere),
	BAD("parts missing, doubled, swapped", cut_and_joined),
	BAD("bytes behind the end", trailing),
	BAD("too much", too_much),
	BAD("aborted by resets", many_aborted),
	{ .name = "resuming: a good stream over a good stream", .fn = twice },
	{ }
};

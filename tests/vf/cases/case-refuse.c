// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-refuse.c - a destination gets a stream that is not the one that was
 * sent. It must say so with an errno and never let the VF run with it; a reset
 * makes the VF usable, and afterwards the good stream is accepted.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "move.h"

#define CHANGES	36

/* a stopped source with work in flight, its stream, and a destination */
struct refusal {
	struct vfio_dev a;
	struct vfio_dev b;
	struct mig_stream good;
	struct mig_stream bad;
	struct workload *w;
};

static struct refusal *refusal_new(void)
{
	struct refusal *sc = calloc(1, sizeof(*sc));

	check(sc, "no memory");
	sc->w = pair_open(&sc->a, VF_A, &sc->b, VF_C, NULL);
	workload_fill(sc->w, 40);
	must(mig_stop(&sc->a, NULL));
	must(mig_save(&sc->a, &sc->good, NULL));
	return sc;
}

/* the good stream after all the bad ones */
static void refusal_end(struct refusal *sc)
{
	must(vfio_irq_enable(&sc->b, sc->b.nefd));
	move_load(sc->w, &sc->b, &sc->good, NULL);
	workload_check(sc->w);
	workload_event(sc->w);
}

static void expect_refusal(struct refusal *sc, const char *what, size_t n)
{
	unsigned int state;
	int err;

	err = mig_load(&sc->b, &sc->bad, 0, NULL);
	check(err, "%s %zu: expected a refusal, the stream was accepted", what,
	      n);
	check(sane_errno(err), "%s %zu: expected a sensible errno, got %d (%s)",
	      what, n, err, lib_msg());
	must(vfio_mig_get(&sc->b, &state));
	check(state == MIG_RESUMING || state == MIG_STOP || state == MIG_ERROR,
	      "%s %zu: expected RESUMING, STOP or ERROR, it is %s", what, n,
	      mig_name(state));
	must(vfio_reset(&sc->b));
	state_is(&sc->b, MIG_RUNNING);
}

/* The kernel prints ten warnings of one kind, then none for a while. */
#define WARN_INTERVAL_US	5100000

static void let_warn_again(void)
{
	sleep_us(WARN_INTERVAL_US);
}

static void truncated(const void *arg)
{
	struct refusal *sc = refusal_new();
	size_t len = sc->good.len;
	unsigned int i, n = 0;

	(void)arg;
	must(mig_stream_copy(&sc->bad, &sc->good));
	for (i = 0; i < 30; i++) {
		/* short ones around headers, then some beyond, then the end */
		size_t cut = i < 10 ? i * 13 :
			     i < 22 ? workload_random(sc->w, len) :
				      len - 1 - (i - 22) * 3;

		if (cut >= len)
			continue;
		sc->bad.len = cut;
		expect_refusal(sc, "cut at byte", cut);
		n++;
	}
	tap_note("%u lengths of %zu", n, len);
	refusal_end(sc);
	let_warn_again();
}

static void corrupted(const void *arg)
{
	struct refusal *sc = refusal_new();
	size_t len = sc->good.len;
	unsigned int i;

	(void)arg;
	must(mig_stream_copy(&sc->bad, &sc->good));
	for (i = 0; i < CHANGES; i++) {
		size_t at = i < 12 ? i * 7 :
			    i < CHANGES - 4 ? workload_random(sc->w, len) :
				     len - 1 - (i - (CHANGES - 4));
		uint8_t flip = 1u << workload_random(sc->w, 8);

		if (at >= len)
			continue;
		sc->bad.data[at] ^= flip;
		expect_refusal(sc, "changed byte", at);
		sc->bad.data[at] ^= flip;
	}
	tap_note("%u positions of %zu", CHANGES, len);
	refusal_end(sc);
	let_warn_again();
}

static void trailing(const void *arg)
{
	static const uint8_t junk[4096] = { 1, 2, 3 };
	static const size_t extra[] = { 1, 4, 24, 100, 4096 };
	struct refusal *sc = refusal_new();
	unsigned int i;

	(void)arg;
	for (i = 0; i < sizeof(extra) / sizeof(extra[0]); i++) {
		must(mig_stream_copy(&sc->bad, &sc->good));
		must(mig_stream_append(&sc->bad, junk, extra[i]));
		expect_refusal(sc, "trailing bytes", extra[i]);
	}
	must(mig_stream_copy(&sc->bad, &sc->good));
	must(mig_stream_append(&sc->bad, sc->good.data, sc->good.len));
	expect_refusal(sc, "twice the stream", sc->good.len);
	refusal_end(sc);
}

static void garbage(const void *arg)
{
	struct refusal *sc = refusal_new();
	unsigned int round;

	(void)arg;
	for (round = 0; round < 6; round++) {
		uint8_t block[4096];
		unsigned int i, k;

		sc->bad.len = 0;
		for (k = 0; k < 16; k++) {
			for (i = 0; i < sizeof(block); i++)
				block[i] = round == 0 ? 0 : round == 1 ? 0xff :
					   workload_random(sc->w, 256);
			must(mig_stream_append(&sc->bad, block, sizeof(block)));
		}
		expect_refusal(sc, "garbage", round);
	}
	refusal_end(sc);
	let_warn_again();
}

/* the same pieces, but in a different order, or without some in the middle */
static void shuffled(const void *arg)
{
	struct refusal *sc = refusal_new();
	size_t len = sc->good.len, half = len / 2;

	(void)arg;
	sc->bad.len = 0;
	must(mig_stream_append(&sc->bad, sc->good.data + half, len - half));
	must(mig_stream_append(&sc->bad, sc->good.data, half));
	expect_refusal(sc, "halves swapped", half);

	sc->bad.len = 0;
	must(mig_stream_append(&sc->bad, sc->good.data, half - 8));
	must(mig_stream_append(&sc->bad, sc->good.data + half, len - half));
	expect_refusal(sc, "8 bytes missing before", half);

	sc->bad.len = 0;
	must(mig_stream_append(&sc->bad, sc->good.data, half));
	must(mig_stream_append(&sc->bad, sc->good.data + half - 8,
			       len - half + 8));
	expect_refusal(sc, "8 bytes doubled before", half);
	refusal_end(sc);
	let_warn_again();
}

static void nothing(const void *arg)
{
	struct refusal *sc = refusal_new();

	(void)arg;
	sc->bad.len = 0;
	expect_refusal(sc, "bytes:", 0);
	refusal_end(sc);
}

/* after a refusal the rest of the stream is not accepted either */
static void stays_refused(const void *arg)
{
	struct refusal *sc = refusal_new();
	int fd, err;

	(void)arg;
	must(mig_stream_copy(&sc->bad, &sc->good));
	sc->bad.data[2] ^= 0x40;
	must(vfio_mig_set(&sc->b, MIG_RESUMING, &fd));
	err = mig_write(fd, sc->bad.data, sc->bad.len, 0);
	if (!err) {
		err = vfio_mig_set(&sc->b, MIG_STOP, NULL);
		check(err, "a damaged stream was accepted");
	} else {
		err = mig_write(fd, sc->good.data, sc->good.len, 0);
		check(err, "the good stream was accepted after a refused one");
		err = vfio_mig_set(&sc->b, MIG_RUNNING, NULL);
		check(err, "the VF runs after a refused stream");
	}
	check(sane_errno(err), "expected a sensible errno, got %d", err);
	close(fd);
	must(vfio_reset(&sc->b));
	state_is(&sc->b, MIG_RUNNING);
	refusal_end(sc);
}

/* the good stream in pieces as small and odd as any user may choose */
static void segments(const void *arg)
{
	static const size_t seg[] = { 1, 3, 7, 24, 25, 511, 4096, 4097 };
	struct refusal *sc = refusal_new();
	struct vfio_dev *src = &sc->a, *dst = &sc->b;
	unsigned int i;

	(void)arg;
	for (i = 0; i < sizeof(seg) / sizeof(seg[0]); i++) {
		struct vfio_dev *t = src;

		must(mig_load(dst, &sc->good, seg[i], NULL));
		must(nvme_rebind(&sc->w->ctrl, dst));
		must(mig_start(dst, NULL));
		workload_check(sc->w);
		again(sc->w, src, src == &sc->a ? VF_A : VF_C);
		workload_fill(sc->w, 20);
		src = dst;
		dst = t;
		must(mig_stop(src, NULL));
		must(mig_save(src, &sc->good, NULL));
	}
	tap_note("stream of %zu bytes in 8 kinds of pieces", sc->good.len);
	move_load(sc->w, dst, &sc->good, NULL);
	workload_check(sc->w);
	workload_event(sc->w);
}

const struct tap_case refuse_cases[] = {
	{ .name = "good stream in odd segments", .fn = segments,
	  .limit_s = 60 },
	{ .name = "truncated stream is refused", .fn = truncated,
	  .limit_s = 90, .log = "incomplete",
	  .deep = true },
	{ .name = "changed byte is refused", .fn = corrupted, .limit_s = 90,
	  .log = "refused" },
	{ .name = "trailing bytes are refused", .fn = trailing,
	  .log = "refused",
	  .deep = true },
	{ .name = "garbage is refused", .fn = garbage,
	  .log = "refused",
	  .deep = true },
	{ .name = "shuffled stream is refused", .fn = shuffled,
	  .log = "refused",
	  .deep = true },
	{ .name = "empty stream is refused", .fn = nothing,
	  .log = "incomplete" },
	{ .name = "nothing is accepted after a refusal", .fn = stays_refused,
	  .log = "refused" },
	{ }
};

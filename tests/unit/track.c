// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fitting ranges of memory to what a device can track: given examples, and
 * random ranges against what must always hold.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/errno.h>
#include <linux/limits.h>

#include "iova_range.h"
#include "tap.h"

#define MAX	256
#define PAGE	12

static u64 seed = 20261125;

static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static bool same(const struct iova_range *a, const struct iova_range *b, int n)
{
	return !memcmp(a, b, n * sizeof(*a));
}

#define EXAMPLE(what, lim, shift, wanted_n, ...) do {			\
	struct iova_range want[] = { __VA_ARGS__ };			\
	int n_ = nvme_vfio_combine_ranges(s, n, &(lim), shift);		\
	ok(n_ == (wanted_n) && same(s, want, n_), what);		\
} while (0)

static void test_examples(void)
{
	static const struct track_limits many = { .ranges = 16 },
		two = { .ranges = 2 }, one = { .ranges = 1 },
		pow2 = { .ranges = 16, .pow2 = true };
	/* below 3.5 GiB, above 4 GiB, and a hole far away */
	static const struct iova_range guest[] = {
		{ 0, 0xdfffffff }, { 0x100000000, 0x11fffffff },
		{ 0x380000000000, 0x380000003fff },
	};
	struct iova_range s[MAX];
	int n = 3;

	memcpy(s, guest, sizeof(guest));
	EXAMPLE("what fits stays", many, PAGE, 3, guest[0], guest[1], guest[2]);
	memcpy(s, guest, sizeof(guest));
	EXAMPLE("the nearest are joined", two, PAGE, 2,
		{ 0, 0x11fffffff }, guest[2]);
	memcpy(s, guest, sizeof(guest));
	ok(nvme_vfio_combine_ranges(s, n, &one, PAGE) == -EOVERFLOW,
	   "all in one are too many pages");
	memcpy(s, guest, sizeof(guest));
	EXAMPLE("all in one, larger units", one, 21, 1, { 0, 0x3800001fffff });
	memcpy(s, guest, sizeof(guest));
	EXAMPLE("powers of two that meet", pow2, PAGE, 2,
		{ 0, 0x1ffffffff }, guest[2]);
	memcpy(s, guest, sizeof(guest));
	EXAMPLE("whole units of 2 MiB", many, 21, 3, guest[0], guest[1],
		{ 0x380000000000, 0x3800001fffff });

	n = 1;
	s[0] = (struct iova_range) { 0, U64_MAX };
	ok(nvme_vfio_combine_ranges(s, 1, &many, PAGE) == -EOVERFLOW,
	   "all memory has too many pages");
	s[0] = (struct iova_range) { 0, U64_MAX };
	EXAMPLE("but not too many larger units", many, 33, 1, { 0, U64_MAX });
	s[0] = (struct iova_range) { U64_MAX - 0x2fff, U64_MAX };
	EXAMPLE("a power of two grows downwards at the end", pow2, PAGE, 1,
		{ U64_MAX - 0x3fff, U64_MAX });
	n = 2;
	s[0] = (struct iova_range) { U64_MAX - 0x3fff, U64_MAX - 0x3000 };
	s[1] = (struct iova_range) { U64_MAX - 0x2fff, U64_MAX };
	EXAMPLE("what touches is one", many, PAGE, 1,
		{ U64_MAX - 0x3fff, U64_MAX });
}

static int make_ranges(struct iova_range *s)
{
	int i, n = 1 + rnd() % MAX;
	u64 at = rnd() >> (rnd() % 60);

	for (i = 0; i < n; i++) {
		u64 gap = rnd() >> (20 + rnd() % 40);
		u64 len = 1 + (rnd() >> (20 + rnd() % 40));

		if (at > U64_MAX - gap - len - 1)
			break;
		s[i].first = at + gap;
		s[i].last = s[i].first + len - 1;
		at = s[i].last + 1;
	}
	if (!i)
		s[i++] = (struct iova_range) { U64_MAX - 99, U64_MAX };
	return i;
}

static const char *wrong(const struct iova_range *in, int n,
			 const struct iova_range *out, int m,
			 const struct track_limits *lim, u8 shift)
{
	u64 mask = (1ull << shift) - 1;
	int i, k;

	if (m < 1 || m > n || (u32)m > lim->ranges)
		return "number of ranges";
	for (k = 0; k < m; k++) {
		u64 units = ((out[k].last - out[k].first) >> shift) + 1;

		if ((out[k].first & mask) || ~out[k].last & mask)
			return "not whole units";
		if (k && out[k].first <= out[k - 1].last)
			return "order";
		if (units > U32_MAX)
			return "too many units";
		if (lim->pow2 && (units & (units - 1)))
			return "not a power of two";
	}
	for (i = 0; i < n; i++) {
		for (k = 0; k < m; k++)
			if (out[k].first <= in[i].first &&
			    out[k].last >= in[i].last)
				break;
		if (k == m)
			return "something is not covered";
	}
	return NULL;
}

static void test_random(void)
{
	struct iova_range in[MAX], out[MAX];
	const char *why = NULL;
	int round, overflow = 0, fitted = 0;

	for (round = 0; round < 20000 && !why; round++) {
		struct track_limits lim = {
			.ranges = 1 + rnd() % 40, .pow2 = rnd() % 2,
		};
		u8 shift = PAGE + rnd() % 40;
		int m, n = make_ranges(in);

		memcpy(out, in, sizeof(in));
		m = nvme_vfio_combine_ranges(out, n, &lim, shift);
		if (m == -EOVERFLOW) {
			overflow++;
			continue;
		}
		why = wrong(in, n, out, m, &lim, shift);
		fitted++;
	}
	ok(!why, "random ranges%s%s", why ? ": " : "", why ?: "");
	ok(fitted > 500 && overflow > 500,
	   "of which %d fitted and %d had too many units", fitted, overflow);
}

static bool in_hole(u64 at, const struct iova_range *hole, int holes, u64 mask)
{
	while (holes--)
		if (at >= (hole[holes].first & ~mask) &&
		    at <= (hole[holes].last | mask))
			return true;
	return false;
}

static bool covered(u64 at, const struct iova_range *r, int n)
{
	while (n--)
		if (at >= r[n].first && at <= r[n].last)
			return true;
	return false;
}

static void test_hole_examples(void)
{
	static const struct track_limits many = { .ranges = 16 },
		one = { .ranges = 1 }, two = { .ranges = 2 },
		pow2 = { .ranges = 16, .pow2 = true };
	static const struct iova_range in[] = {
		{ 0, 0xdfffffff }, { 0x100000000, 0x11fffffff },
	};
	static const struct iova_range bar = { 0x8000, 0xbfff },
		small = { 0x100000010, 0x100000013 },
		beside = { 0xe0000000, 0xefffffff },
		all = { 0, U64_MAX };
	struct iova_range s[MAX];
	int n = 2;

#define HOLE(what, lim, shift, hole, wanted_n, ...) do {		\
	struct iova_range want[] = { __VA_ARGS__ };			\
	int n_ = nvme_vfio_fit_ranges(in, n, s, MAX, &(lim), shift,	\
				      &(hole), 1);			\
	ok(n_ == (wanted_n) && same(s, want, n_), what);		\
} while (0)

	HOLE("a hole is cut out", many, PAGE, bar, 3,
	     { 0, 0x7fff }, { 0xc000, 0xdfffffff }, in[1]);
	HOLE("a hole takes its unit with it", many, PAGE, small, 2,
	     in[0], { 0x100001000, 0x11fffffff });
	HOLE("a hole that no range has cuts nothing", two, PAGE, beside, 2,
	     in[0], in[1]);
	HOLE("ranges are joined to make room, and cut", two, PAGE, bar, 2,
	     { 0, 0x7fff }, { 0xc000, 0x11fffffff });
	HOLE("what is left are powers of two", pow2, 30, small, 3,
	     { 0, 0xffffffff }, { 0x140000000, 0x1bfffffff },
	     { 0x1c0000000, 0x1ffffffff });
	ok(nvme_vfio_fit_ranges(in, 1, s, MAX, &one, PAGE, &bar, 1) == -ENOSPC,
	   "one range cannot have a hole");
	ok(!nvme_vfio_fit_ranges(in, n, s, MAX, &many, PAGE, &all, 1),
	   "nothing is left");
}

static void test_holes(void)
{
	struct iova_range in[64], out[64 + 3 * 66], hole[3];
	int round, cut = 0, refused = 0, i, k;
	const char *why = NULL;

	for (round = 0; round < 20000 && !why; round++) {
		struct track_limits lim = {
			.ranges = 1 + rnd() % 60, .pow2 = rnd() % 2,
		};
		u8 shift = PAGE + rnd() % 6;
		u64 mask = (1ull << shift) - 1, at = rnd() % 0x100000;
		int n = 1 + rnd() % 8, holes = rnd() % 4, m;

		for (i = 0; i < n; i++) {
			in[i].first = at;
			in[i].last = at + rnd() % 0x800000;
			at = in[i].last + 1 + rnd() % 0x100000;
		}
		for (i = 0; i < holes; i++) {
			hole[i].first = rnd() % at;
			hole[i].last = hole[i].first + rnd() % 0x20000;
		}
		m = nvme_vfio_fit_ranges(in, n, out, NVME_VFIO_FIT_ROOM(n, holes),
					 &lim, shift, hole, holes);
		if (m == -ENOSPC) {
			refused++;
			continue;
		}
		cut += holes > 0;
		if (m < 0 || (u32)m > lim.ranges)
			why = "number of ranges";
		for (i = 0; i < m && !why; i++) {
			u64 units = ((out[i].last - out[i].first) >> shift) + 1;

			if (out[i].last < out[i].first ||
			    (out[i].first & mask) || ~out[i].last & mask)
				why = "not whole units";
			else if (i && out[i].first <= out[i - 1].last)
				why = "order";
			else if (lim.pow2 && (units & (units - 1)))
				why = "not a power of two";
			for (k = 0; k < holes; k++)
				if (out[i].first <= (hole[k].last | mask) &&
				    out[i].last >= (hole[k].first & ~mask))
					why = "a hole is in it";
		}
		for (i = 0; i < 64 && !why; i++) {
			const struct iova_range *r = &in[rnd() % n];

			at = r->first + rnd() % (r->last - r->first + 1);
			if (!covered(at, out, m) &&
			    !in_hole(at, hole, holes, mask))
				why = "something is not covered";
		}
	}
	ok(!why, "ranges with holes%s%s", why ? ": " : "", why ?: "");
	ok(cut > 500 && refused > 500,
	   "of which %d fitted and %d were too many", cut, refused);
}

int main(void)
{
	test_examples();
	test_random();
	test_hole_examples();
	test_holes();
	return tap_done();
}

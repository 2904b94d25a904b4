// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bitmaps of written memory: given examples, and random writes and queries
 * against a plain array.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/slab.h>

#include "dirty_map.h"
#include "tap.h"

#define PAGE	12

int allocs_left = -1;

static u64 seed = 20261129;

static u64 rnd(u64 n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

/* What a map reports, as text: "first-last" in hexadecimal. */
static char told[4096];

static void tell(void *arg, u64 first, u64 last)
{
	size_t len = strlen(told);

	(void)arg;
	snprintf(told + len, sizeof(told) - len, "%s%llx-%llx",
		 len ? " " : "", (unsigned long long)first,
		 (unsigned long long)last);
}

static const char *take(struct dirty_map *map, u64 first, u64 last)
{
	*told = 0;
	nvme_vfio_dirty_map_take(map, first, last, tell, NULL);
	return told;
}

#define TOLD(first, last, want, what) do {				\
	const char *got = take(map, first, last);			\
	ok(!strcmp(got, want), "%s: \"%s\"", what, got);		\
} while (0)

static void test_examples(void)
{
	/* two ranges that touch, a hole, one that begins inside a page */
	static const struct iova_range r[] = {
		{ 0x10000, 0x13fff }, { 0x14000, 0x17fff }, { 0x20800, 0x24fff },
	};
	struct dirty_map *map = nvme_vfio_dirty_map_new(r, 3, PAGE);

	if (!map)
		exit(1);
	ok(nvme_vfio_dirty_map_units(map) == 4 + 4 + 5, "a bit for each page");
	TOLD(0, U64_MAX, "", "nothing was written");

	nvme_vfio_dirty_map_mark(map, 0x11234, 0x11234);
	TOLD(0x12000, 0x13fff, "", "what is asked for was not written");
	TOLD(0x10000, 0x13fff, "11000-11fff", "a byte is a page");
	TOLD(0x10000, 0x13fff, "", "and is told once");

	nvme_vfio_dirty_map_mark(map, 0x13fff, 0x14000);
	TOLD(0, U64_MAX, "13000-13fff 14000-14fff", "across two ranges");
	nvme_vfio_dirty_map_mark(map, 0x18000, 0x1ffff);
	nvme_vfio_dirty_map_mark(map, 0, 0xffff);
	nvme_vfio_dirty_map_mark(map, 0x25000, U64_MAX);
	TOLD(0, U64_MAX, "", "what the map does not know is left out");
	nvme_vfio_dirty_map_mark(map, 0, U64_MAX);
	TOLD(0, U64_MAX, "10000-13fff 14000-17fff 20800-24fff",
	     "all of it, ranges end where they end");

	nvme_vfio_dirty_map_mark(map, 0x10000, 0x12fff);
	TOLD(0x10800, 0x117ff, "10800-117ff", "parts of pages that were written");
	TOLD(0x10000, 0x13fff, "10000-12fff", "whose rest is not told stay");
	nvme_vfio_dirty_map_mark(map, 0x10000, 0x12fff);
	TOLD(0x10800, 0x11fff, "10800-11fff", "half a page and a whole one");
	TOLD(0x10000, 0x13fff, "10000-10fff 12000-12fff",
	     "only the whole one is told");

	ok(nvme_vfio_dirty_map_covers(map, 0x10000, 0x17fff),
	   "ranges that touch cover what is in both");
	ok(nvme_vfio_dirty_map_covers(map, 0x20800, 0x24fff) &&
	   nvme_vfio_dirty_map_covers(map, 0x12345, 0x12345), "a part is covered");
	ok(!nvme_vfio_dirty_map_covers(map, 0xffff, 0x10000) &&
	   !nvme_vfio_dirty_map_covers(map, 0x17fff, 0x18000) &&
	   !nvme_vfio_dirty_map_covers(map, 0x17000, 0x20fff) &&
	   !nvme_vfio_dirty_map_covers(map, 0x207ff, 0x20800) &&
	   !nvme_vfio_dirty_map_covers(map, 0, U64_MAX), "a hole is not");
	nvme_vfio_dirty_map_free(map);
	nvme_vfio_dirty_map_free(NULL);
}

static void test_limits(void)
{
	struct iova_range all = { 0, U64_MAX };
	struct iova_range end[] = { { 0, 0xfff }, { U64_MAX - 0xfff, U64_MAX } };
	struct dirty_map *map;
	int n;

	map = nvme_vfio_dirty_map_new(&all, 1, PAGE);
	if (!map)
		exit(1);
	ok(nvme_vfio_dirty_map_units(map) == 1u << 30,
	   "all addresses: larger units, 2^30 of them");
	nvme_vfio_dirty_map_mark(map, U64_MAX, U64_MAX);
	TOLD(U64_MAX - 0xfff, U64_MAX, "fffffffffffff000-ffffffffffffffff",
	     "the last byte of all");
	nvme_vfio_dirty_map_free(map);

	map = nvme_vfio_dirty_map_new(end, 2, PAGE);
	if (!map)
		exit(1);
	nvme_vfio_dirty_map_mark(map, 0, U64_MAX);
	ok(nvme_vfio_dirty_map_covers(map, U64_MAX, U64_MAX) &&
	   !nvme_vfio_dirty_map_covers(map, 0xfff, U64_MAX) &&
	   !strcmp(take(map, 0, U64_MAX), "0-fff fffffffffffff000-ffffffffffffffff"),
	   "a range at the end of all addresses");
	nvme_vfio_dirty_map_free(map);

	for (n = 0; n < 3; n++) {
		allocs_left = n;
		ok(!nvme_vfio_dirty_map_new(end, 2, PAGE),
		   "no memory at allocation %d", n + 1);
	}
	allocs_left = -1;
}

#define PAGES	400

/* Pages of ranges with arbitrary ends, and what should be known about each. */
struct model {
	struct iova_range range[8];
	u32 n;
	bool known[PAGES << 2];		/* by quarters of pages */
	bool written[PAGES];
};

static void make_model(struct model *m)
{
	u64 at = rnd(8), q;

	memset(m, 0, sizeof(*m));
	while (m->n < 8 && at < 4 * PAGES - 40) {
		u64 len = 1 + rnd(120);

		if (at + len > 4 * PAGES)
			len = 4 * PAGES - at;
		m->range[m->n++] = (struct iova_range) {
			at << 10, ((at + len) << 10) - 1 };
		for (q = at; q < at + len; q++)
			m->known[q] = true;
		/* the next one begins in another page */
		at = ((at + len + 3) & ~3ull) + rnd(3) * rnd(30);
	}
}

/* Must the quarter be reported? A page belongs to one range only. */
static bool told_quarter(const struct model *m, u64 q)
{
	return m->known[q] && m->written[q / 4];
}

static bool got_quarter[PAGES << 2];

static void collect(void *arg, u64 first, u64 last)
{
	u64 q;

	for (q = first >> 10; q <= last >> 10; q++)
		got_quarter[q] = true;
	*(bool *)arg |= first & 0x3ff || ~last & 0x3ff;
}

static const char *ask(struct model *m, struct dirty_map *map, u64 from, u64 to)
{
	bool odd = false, whole;
	u64 q, p;

	memset(got_quarter, 0, sizeof(got_quarter));
	nvme_vfio_dirty_map_take(map, from << 10, (to << 10) - 1, collect, &odd);
	if (odd)
		return "neither asked for nor a range's end";
	for (q = 0; q < 4 * PAGES; q++)
		if (got_quarter[q] != (q >= from && q < to && told_quarter(m, q)))
			return got_quarter[q] ? "told what was not written" :
						"did not tell what was written";
	for (p = from / 4; p <= (to - 1) / 4; p++) {
		whole = true;
		for (q = 4 * p; q < 4 * p + 4; q++)
			whole &= !m->known[q] || (q >= from && q < to);
		if (whole)
			m->written[p] = false;
	}
	return NULL;
}

static const char *play(struct model *m, struct dirty_map *map)
{
	const char *why = NULL;
	int i;

	for (i = 0; i < 60 && !why; i++) {
		u64 from = rnd(4 * PAGES), to = from + 1 + rnd(60), q;

		if (to > 4 * PAGES)
			to = 4 * PAGES;
		if (rnd(2)) {
			nvme_vfio_dirty_map_mark(map, from << 10,
						 (to << 10) - 1);
			for (q = from; q < to; q++)
				if (m->known[q])
					m->written[q / 4] = true;
		} else {
			why = ask(m, map, from, to);
		}
	}
	return why ?: ask(m, map, 0, 4 * PAGES);
}

static void test_random(void)
{
	const char *why = NULL;
	int round;

	for (round = 0; round < 3000 && !why; round++) {
		struct dirty_map *map;
		struct model m;

		make_model(&m);
		map = nvme_vfio_dirty_map_new(m.range, m.n, PAGE);
		if (!map)
			exit(1);
		why = play(&m, map);
		nvme_vfio_dirty_map_free(map);
	}
	ok(!why, "random writes and questions%s%s", why ? ": " : "", why ?: "");
}

int main(void)
{
	test_examples();
	test_limits();
	test_random();
	return tap_done();
}

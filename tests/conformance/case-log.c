// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-log.c - the rules of DMA_LOGGING_START, STOP and REPORT.
 *
 * The suite cannot make a device write to memory, so what it writes is not
 * checked; what the calls accept, refuse and leave alone is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cases.h"
#include "mig.h"

#define PAGE		4096ULL
#define BASE		0x10000000ULL
#define LENGTH		0x1000000ULL		/* 16 MiB */
#define MAX_WORDS	4096

static int start_one(struct dev *d, uint64_t iova, uint64_t length,
		     uint64_t page_size)
{
	struct log_range r = { iova, length };

	return log_start(d, &r, 1, &page_size);
}

static void must_start(struct dev *d)
{
	check_err(start_one(d, BASE, LENGTH, PAGE), 0, "START");
}

static void must_stop(struct dev *d)
{
	check_err(log_stop(d), 0, "STOP");
}

static void must_report(struct dev *d)
{
	static uint64_t map[MAX_WORDS];

	check_err(log_report(d, BASE, LENGTH, PAGE, map), 0,
		  "REPORT of all that is logged");
}

static void must_be_off(struct dev *d)
{
	static uint64_t map[MAX_WORDS];

	check(log_report(d, BASE, LENGTH, PAGE, map),
	      "REPORT succeeded, and the log is not on");
}

/* start, report, stop: afterwards it is off */
static void works(struct dev *d)
{
	must_start(d);
	must_report(d);
	must_stop(d);
	must_be_off(d);
}

static void on_and_off(const void *arg)
{
	struct dev d;
	unsigned int i;

	(void)arg;
	dev_open(&d, 0);
	for (i = 0; i < 5; i++)
		works(&d);
	state_is(&d, ST_RUNNING);
}

static void page_sizes(const void *arg)
{
	static const uint64_t hints[] = {
		PAGE, 4 * PAGE, 65536, 2UL << 20, 4UL << 20, 1, 512,
	};
	struct dev d;
	unsigned int i;

	(void)arg;
	dev_open(&d, 0);
	for (i = 0; i < ARRAY_SIZE(hints); i++) {
		struct log_range r = { BASE, LENGTH };
		uint64_t size = hints[i];

		check_err(log_start(&d, &r, 1, &size), 0,
			  "START with page size %llu, which is a hint only",
			  (unsigned long long)hints[i]);
		check(size && !(size & (size - 1)),
		      "the page size chosen is %llu, not a power of two",
		      (unsigned long long)size);
		if (size != hints[i])
			tap_note("page size %llu was asked for, %llu chosen",
				 (unsigned long long)hints[i],
				 (unsigned long long)size);
		must_report(&d);
		must_stop(&d);
	}
}

static void odd_page_sizes(const void *arg)
{
	static const uint64_t odd[] = { 0, 3, 3000, PAGE + 1, ~0ULL };
	struct dev d;
	unsigned int i;

	(void)arg;
	dev_open(&d, 0);
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		int err = start_one(&d, BASE, LENGTH, odd[i]);

		if (!err)
			must_stop(&d);
		must_be_off(&d);
	}
	works(&d);
}

static void twice(const void *arg)
{
	struct dev d;

	(void)arg;
	dev_open(&d, 0);
	must_start(&d);
	check(start_one(&d, BASE, LENGTH, PAGE), "START while it is on succeeded");
	check(start_one(&d, 2 * BASE, LENGTH, PAGE),
	      "START of another range while it is on succeeded");
	must_report(&d);
	must_stop(&d);
	must_be_off(&d);
	works(&d);
}

static void refused(struct dev *d, struct log_range *r, uint32_t n, int want,
		    const char *what)
{
	uint64_t size = PAGE;

	check_err(log_start(d, r, n, &size), want, "START with %s", what);
	must_be_off(d);
}

static void bad_ranges(const void *arg)
{
	static struct log_range many[65536 / sizeof(struct log_range) + 1];
	unsigned int max = sysconf(_SC_PAGESIZE) / sizeof(many[0]), i;
	struct dev d;

	(void)arg;
	dev_open(&d, 0);
	check(max < ARRAY_SIZE(many), "the page is too large");
	for (i = 0; i <= max; i++)
		many[i] = (struct log_range) { BASE + i * 4 * PAGE, PAGE };
	refused(&d, many, 0, -EINVAL, "no range");
	refused(&d, many, max + 1, -E2BIG, "one range more than fit a page");
	refused(&d, many, ~0U, -E2BIG, "2^32-1 ranges");
	refused(&d, NULL, 1, -EFAULT, "ranges that are not there");
	many[0] = (struct log_range) { BASE, 4 * PAGE };
	many[1] = (struct log_range) { BASE + 2 * PAGE, 4 * PAGE };
	refused(&d, many, 2, -EINVAL, "overlapping ranges");
	many[1] = many[0];
	refused(&d, many, 2, -EINVAL, "the same range twice");
	many[0].iova = BASE + 1;
	refused(&d, many, 1, -EINVAL, "a range that begins within a page");
	many[0] = (struct log_range) { BASE, PAGE + 8 };
	refused(&d, many, 1, -EINVAL, "a range that ends within a page");
	many[0] = (struct log_range) { ~0ULL & ~(PAGE - 1), 2 * PAGE };
	refused(&d, many, 1, -EOVERFLOW, "a range that wraps");
	works(&d);
}

/* lengths that the uAPI does not explicitly forbid */
static void odd_ranges(const void *arg)
{
	static const struct log_range odd[] = {
		{ BASE, 0 }, { 0, 0 }, { 0, PAGE }, { 0, ~0ULL & ~(PAGE - 1) },
		{ 1ULL << 52, PAGE }, { BASE, 1ULL << 40 },
	};
	struct dev d;
	unsigned int i;

	(void)arg;
	dev_open(&d, 0);
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		int err = start_one(&d, odd[i].iova, odd[i].length, PAGE);

		tap_note("iova %llx, length %llx: %s",
			 (unsigned long long)odd[i].iova,
			 (unsigned long long)odd[i].length, errname(err));
		if (!err)
			must_stop(&d);
		must_be_off(&d);
	}
	works(&d);
}

/* as many as fit into a page are guaranteed */
static void many_ranges(const void *arg)
{
	unsigned int max = sysconf(_SC_PAGESIZE) / sizeof(struct log_range);
	struct log_range *r = calloc(max, sizeof(*r));
	static const unsigned int counts[] = { 2, 3, 16, 17 };
	uint64_t size, map[16] = { 0 };
	unsigned int i, n;
	struct dev d;

	(void)arg;
	check(r, "no memory");
	dev_open(&d, 0);
	for (i = 0; i < max; i++)
		r[i] = (struct log_range) { BASE + i * 64 * PAGE, PAGE * (1 + i % 7) };
	for (n = 0; n < 5; n++) {
		unsigned int count = n < 4 ? counts[n] : max;

		size = PAGE;
		check_err(log_start(&d, r, count, &size), 0, "START with %u ranges",
			  count);
		for (i = 0; i < count; i += count / 8 + 1)
			check_err(log_report(&d, r[i].iova, r[i].length, PAGE, map),
				  0, "REPORT of range %u of %u", i, count);
		must_stop(&d);
		must_be_off(&d);
	}
}

static void bad_control(const void *arg)
{
	struct full {
		struct feature_head head;
		struct log_control c;
	} *full;
	struct log_range r = { BASE, LENGTH };
	size_t page = sysconf(_SC_PAGESIZE);
	struct dev d;

	(void)arg;
	dev_open(&d, 0);
	full = mmap(NULL, page, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(full != MAP_FAILED, "no memory");
	full->head = (struct feature_head) {
		.argsz = sizeof(*full), .flags = FEAT_LOG_START | FEATURE_SET,
	};
	full->c = (struct log_control) {
		.page_size = PAGE, .num_ranges = 1, .ranges = (uintptr_t)&r,
	};
	check(!mprotect(full, page, PROT_READ), "mprotect");
	check_err(ioctl(d.fd, IOC_FEATURE, full) ? -errno : 0, -EFAULT,
		  "START with an answer that cannot be written");
	must_be_off(&d);
	works(&d);
}

static void report_rules(const void *arg)
{
	static uint64_t map[MAX_WORDS];
	static const uint64_t bad[] = { 0, 1, 2048, 3000, PAGE + 1, 3 * PAGE };
	struct dev d;
	unsigned int i;

	(void)arg;
	dev_open(&d, 0);
	must_start(&d);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		check_err(log_report(&d, BASE, LENGTH, bad[i], map), -EINVAL,
			  "REPORT with page size %llu",
			  (unsigned long long)bad[i]);
	check_err(log_report(&d, ~0ULL & ~(PAGE - 1), 2 * PAGE, PAGE, map),
		  -EOVERFLOW, "REPORT of a range that wraps");
	must_report(&d);
	must_stop(&d);
}

static void fill(uint64_t *map, unsigned int from)
{
	unsigned int i;

	for (i = 0; i < MAX_WORDS; i++)
		map[i] = from + i * 0x9e3779b97f4a7c15ULL;
}

/* bits are only set, those of other pages stay as they are */
static void bits_only_set(const void *arg)
{
	static const uint64_t sizes[] = { PAGE, 2 * PAGE, 65536, 2UL << 20 };
	static uint64_t map[MAX_WORDS], before[MAX_WORDS];
	uint64_t lengths[] = { LENGTH, LENGTH / 2, 64 * PAGE, 0 };
	unsigned int i, k, w;
	struct dev d;

	(void)arg;
	dev_open(&d, 0);
	must_start(&d);
	for (i = 0; i < 4; i++) {
		for (k = 0; k < 4; k++) {
			/* the last round: one page of what is reported */
			uint64_t len = lengths[k] ? lengths[k] : sizes[i];
			uint64_t bits = len / sizes[i];

			if (!bits)
				continue;
			fill(map, k);
			memcpy(before, map, sizeof(map));
			check_err(log_report(&d, BASE, len, sizes[i], map), 0,
				  "REPORT of %llu bytes in pages of %llu",
				  (unsigned long long)len,
				  (unsigned long long)sizes[i]);
			for (w = 0; w < MAX_WORDS; w++) {
				uint64_t mine = bits >= 64 ? ~0ULL :
						(1ULL << bits) - 1;

				bits -= bits >= 64 ? 64 : bits;
				check(!(before[w] & ~map[w]),
				      "pages of %llu: bits of word %u were cleared: %llx",
				      (unsigned long long)sizes[i], w,
				      (unsigned long long)(before[w] & ~map[w]));
				check(!((map[w] ^ before[w]) & ~mine),
				      "pages of %llu: bits of word %u were set that are not in the range: %llx",
				      (unsigned long long)sizes[i], w,
				      (unsigned long long)((map[w] ^ before[w]) & ~mine));
			}
		}
	}
	must_stop(&d);
}

static bool any_bit(const uint64_t *map)
{
	unsigned int w;

	for (w = 0; w < MAX_WORDS; w++) {
		if (map[w])
			return true;
	}
	return false;
}

/* a report clears the log: nothing is left for a device that does nothing */
static void report_clears(const void *arg)
{
	static uint64_t map[MAX_WORDS];
	struct dev d;

	(void)arg;
	dev_open(&d, 0);
	must_start(&d);
	must_report(&d);
	check_err(log_report(&d, BASE, LENGTH, PAGE, map), 0, "second REPORT");
	check(!any_bit(map),
	      "a device that does nothing has written between two reports");
	must_stop(&d);
}

static void report_outside(const void *arg)
{
	static uint64_t map[MAX_WORDS];
	static const struct log_range out[] = {
		{ 0, LENGTH }, { BASE + LENGTH, LENGTH }, { BASE / 2, LENGTH },
		{ BASE - LENGTH / 2, LENGTH }, { BASE + LENGTH / 2, LENGTH },
		{ BASE, 2 * LENGTH }, { 1ULL << 45, PAGE }, { BASE, 0 },
	};
	struct dev d;
	unsigned int i;

	(void)arg;
	dev_open(&d, 0);
	must_start(&d);
	for (i = 0; i < ARRAY_SIZE(out); i++) {
		int err = log_report(&d, out[i].iova, out[i].length, PAGE, map);

		tap_note("iova %llx, length %llx: %s",
			 (unsigned long long)out[i].iova,
			 (unsigned long long)out[i].length, errname(err));
	}
	check_err(log_stop(&d), 0, "STOP after reports outside of what is logged");
	works(&d);
}

static void bad_bitmap(const void *arg)
{
	struct dev d;
	int err;

	(void)arg;
	dev_open(&d, 0);
	must_start(&d);
	/*
	 * Kernels that only look at the bitmap when a bit is to be set cannot
	 * report it. It must do no harm.
	 */
	err = log_report(&d, BASE, LENGTH, PAGE, bad_address(0));
	tap_note("REPORT into memory that is not there: %s", errname(err));
	must_stop(&d);
	works(&d);
}

/* it need not be an error, but must have no effect */
static void stop_without_start(const void *arg)
{
	struct dev d;

	(void)arg;
	dev_open(&d, 0);
	must_be_off(&d);
	tap_note("STOP without START: %s", errname(log_stop(&d)));
	must_be_off(&d);
	works(&d);
	tap_note("STOP after STOP: %s", errname(log_stop(&d)));
	works(&d);
}

static void ends_at_close(const void *arg)
{
	struct dev d;

	(void)arg;
	dev_open(&d, 0);
	must_start(&d);
	dev_close(&d);
	dev_open(&d, 0);
	must_be_off(&d);
	works(&d);
}

/* after a reset the log may be lost; then it says so and can start again */
static void after_reset(const void *arg)
{
	static uint64_t map[MAX_WORDS];
	struct dev d;
	int report, stop;

	(void)arg;
	dev_open(&d, 0);
	must_start(&d);
	reset(&d);
	report = log_report(&d, BASE, LENGTH, PAGE, map);
	stop = log_stop(&d);
	tap_note("after a reset: REPORT %s, STOP %s", errname(report),
		 errname(stop));
	must_be_off(&d);
	works(&d);
	state_is(&d, ST_RUNNING);
}

/* independent of the migration state, so in each of them */
static void in_state(const void *arg)
{
	unsigned int state = *(const unsigned int *)arg;
	struct stream s = { 0 };
	struct dev d;
	int fd = -1;

	dev_open(&d, 0);
	if (st_saving(state))
		fd = go_fd(&d, state);
	else
		go(&d, state);
	must_start(&d);
	check(start_one(&d, BASE, LENGTH, PAGE), "START while it is on succeeded");
	must_report(&d);
	state_is(&d, state);
	if (fd >= 0) {
		if (state != ST_STOP_COPY)
			go(&d, ST_STOP_COPY);
		read_to_end(fd, &s, 0);
	}
	must_report(&d);
	go(&d, ST_RUNNING);
	must_report(&d);
	must_stop(&d);
	must_be_off(&d);
	if (fd >= 0)
		loads(&d, &s);
	works(&d);
}

/* what user space does: on beforehand, the last report and off while stopped */
static void through_a_migration(const void *arg)
{
	struct stream s = { 0 };
	struct dev d;
	unsigned int i;

	(void)arg;
	dev_open(&d, 0);
	for (i = 0; i < 3; i++) {
		must_start(&d);
		must_report(&d);
		go(&d, ST_STOP);
		must_report(&d);
		save(&d, &s);
		must_report(&d);
		must_stop(&d);
		must_be_off(&d);
		if (i % 2)
			load(&d, &s, 0);
		go(&d, ST_RUNNING);
		must_be_off(&d);
	}
	/* abandoned while it is on */
	must_start(&d);
	go(&d, ST_STOP);
	go(&d, ST_RUNNING);
	must_report(&d);
	must_stop(&d);
	whole_cycle(&d);
	works(&d);
}

static const unsigned int p2p = ST_RUNNING_P2P, stop = ST_STOP,
	stop_copy = ST_STOP_COPY, pre_copy = ST_PRE_COPY;

#define LOG(what, func, more) \
	{ .name = "log: " what, .fn = func, .needs = NEED_LOG | (more) }
#define LOG_IN(what, state, more) \
	{ .name = "log: " what, .fn = in_state, .arg = &state, \
	  .needs = NEED_LOG | (more) }

const struct tap_case log_cases[] = {
	LOG("START, REPORT, STOP", on_and_off, 0),
	LOG("page size is a hint", page_sizes, 0),
	LOG("page sizes that are none", odd_page_sizes, 0),
	LOG("START while it is on", twice, 0),
	LOG("ranges that must be refused", bad_ranges, 0),
	LOG("ranges at the limits", odd_ranges, 0),
	LOG("as many ranges as fit a page", many_ranges, 0),
	LOG("START whose answer cannot be written", bad_control, 0),
	LOG("REPORT with a bad page size or range", report_rules, 0),
	LOG("bits are set, never cleared, none outside", bits_only_set, 0),
	LOG("REPORT clears the log", report_clears, 0),
	LOG("REPORT outside of the ranges", report_outside, 0),
	LOG("REPORT into bad memory", bad_bitmap, 0),
	LOG("STOP without START", stop_without_start, 0),
	LOG("ends when the device is closed", ends_at_close, 0),
	LOG("after a reset", after_reset, NEED_RESET),
	LOG_IN("started in RUNNING_P2P", p2p, NEED_P2P),
	LOG_IN("started in STOP", stop, 0),
	LOG_IN("started in STOP_COPY", stop_copy, 0),
	LOG_IN("started in PRE_COPY", pre_copy, NEED_PRE_COPY),
	LOG("through a migration", through_a_migration, 0),
	{ }
};

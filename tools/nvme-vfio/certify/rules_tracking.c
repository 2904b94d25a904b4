// SPDX-License-Identifier: GPL-2.0-only
/*
 * rules_tracking.c - what the drive reports of the memory that a VF has
 * written.
 */
#include <endian.h>
#include <string.h>

#include "cert.h"

#define CAPS		570
#define REPORT		65536
#define MORE		(1 << 0)
#define IS_SUSPENDED	(1 << 1)
#define ROUNDS		1000	/* reports until there is no more */
#define BEGUN_US	100
#define BEGUN_NAPS	100000	/* counted, as an emulated host may stand still */

struct report_header {
	uint8_t ver;
	uint8_t attrb;
	uint16_t cntlid;
	uint32_t ntmcd;
	uint16_t rpmpg;
	uint8_t rsvd10[6];
};

struct report_range {
	uint64_t saddr;
	uint32_t len;
	uint32_t rsvd12;
};

/* Memory of a guest, a byte for each unit: whether it was reported. */
struct told {
	struct workload *w;
	unsigned int shift;	/* of a unit */
	uint8_t *unit;
	size_t units;
	unsigned int number;
	unsigned int commands;
	uint8_t attrb;
};

static unsigned int id(const struct cert *c)
{
	return c->vf[0].cntlid;
}

static unsigned int least(const struct cert *c)
{
	return c->id[CAPS + 4];
}

/* The memory as one range, of a length that is a power of two if required. */
static int start(struct cert *c, struct workload *w, unsigned int grain)
{
	unsigned int shift = 12 + grain;
	struct cert_range all = {
		w->mem.iova >> shift << shift,
		(w->mem.size + (1ull << shift) - 1) >> shift,
	};

	if (c->id[CAPS + 6] & 1 << 2)
		while (all.len & (all.len - 1))
			all.len += all.len & -all.len;
	return cert_track(c, id(c), grain, &all, 1);
}

/* In the smallest unit for which the drive has room just now. */
static void track(struct cert *c, struct told *t, struct workload *w)
{
	unsigned int grain = least(c);
	int ret;

	for (;;) {
		ret = start(c, w, grain);
		if (ret != CERT_NO_RESOURCES || ++grain > c->id[CAPS + 5])
			break;
	}
	cert_is(c, ret, 0, "Track start");
	memset(t, 0, sizeof(*t));
	t->w = w;
	t->shift = 12 + grain;
	t->units = (w->mem.size >> t->shift) + 1;
	t->unit = cert_buf(t->units);
}

static void take(struct cert *c, struct told *t, const uint8_t *page, uint32_t len)
{
	const struct report_header *h = (const void *)page;
	const struct report_range *r = (const void *)(h + 1);
	uint32_t i, n = le32toh(h->ntmcd);

	check(!h->ver, "the report has version %u", h->ver);
	check(le16toh(h->cntlid) == id(c), "the report is about controller %u, not %u",
	      le16toh(h->cntlid), id(c));
	check(n <= (len - sizeof(*h)) / sizeof(*r),
			"the report has %u ranges, but only %zu fit", n,
	      (len - sizeof(*h)) / sizeof(*r));
	check(le16toh(h->rpmpg) + 12u == t->shift,
			"the report is in units of 2^%u, not 2^%u",
	      le16toh(h->rpmpg) + 12, t->shift);
	for (i = 0; i < n; i++) {
		uint64_t at = le64toh(r[i].saddr), units = le32toh(r[i].len);
		uint64_t base = t->w->mem.iova >> t->shift << t->shift;

		check(!(at & ((1ull << t->shift) - 1)),
				"address %llx in the report is not a multiple of the unit",
		      (unsigned long long)at);
		check(at >= base && units && ((at - base) >> t->shift) + units <= t->units,
		      "the report has %llu units at %llx that are not tracked",
		      (unsigned long long)units, (unsigned long long)at);
		t->number += units;
		memset(t->unit + ((at - base) >> t->shift), 1, units);
	}
	t->attrb = h->attrb;
}

/* Reads everything there is to report. */
static void ask(struct cert *c, struct told *t, uint32_t len)
{
	static uint8_t *page;

	if (!page)
		page = cert_buf(REPORT);
	t->number = 0;
	t->commands = 0;
	memset(t->unit, 0, t->units);
	do {
		check(t->commands < ROUNDS, "still more to report after %u reports", ROUNDS);
		cert_is(c, cert_report(c, id(c), page, len), 0, "Track Receive");
		t->commands++;
		take(c, t, page, len);
	} while (t->attrb & MORE);
}

static uint32_t whole(const struct cert *c)
{
	return c->step < REPORT ? c->step : REPORT;
}

/* Whatever has changed has to be in the report. */
static void compare(struct told *t, const uint8_t *before)
{
	const struct dma_mem *m = &t->w->mem;
	uint64_t base = m->iova >> t->shift << t->shift;
	size_t at, missing = 0, first = 0, changed = 0;

	for (at = 0; at < m->size; at += CERT_PAGE) {
		if (!memcmp(before + at, m->va + at, CERT_PAGE))
			continue;
		changed++;
		if (t->unit[(m->iova + at - base) >> t->shift])
			continue;
		if (!missing++)
			first = at;
	}
	check(changed, "nothing was written");
	check(!missing, "%zu of %zu pages that the VF wrote are not reported, the first at %llx",
	      missing, changed, (unsigned long long)(m->iova + first));
}

/*
 * Commands whose doorbell has not been rung: what changes from here on, the VF
 * has written. Return: the memory as it is now.
 */
static uint8_t *placed(struct workload *w, unsigned int n)
{
	uint8_t *copy = cert_buf(w->mem.size);
	unsigned int i;

	for (i = 0; i < w->ctrl.nio; i++)
		workload_submit(w, i, n, false);
	memcpy(copy, w->mem.va, w->mem.size);
	return copy;
}

static void ring(struct workload *w)
{
	unsigned int i;

	for (i = 0; i < w->ctrl.nio; i++)
		nvme_queue_ring(&w->ctrl.io[i]);
}

/* The drive has begun: nothing says how soon it looks at a doorbell. */
static void has_begun(const struct workload *w, const uint8_t *before)
{
	unsigned int naps;

	for (naps = 0; naps < BEGUN_NAPS && !memcmp(before, w->mem.va, w->mem.size); naps++)
		sleep_us(BEGUN_US);
}

static void nothing_lost(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);
	struct told t;
	unsigned int i;

	track(c, &t, w);
	for (i = 0; i < 8; i++) {
		uint8_t *before;

		workload_drain(w);
		ask(c, &t, whole(c));
		before = placed(w, 30);
		ring(w);
		workload_drain(w);
		ask(c, &t, whole(c));
		compare(&t, before);
	}
	workload_check(w);
	cert_is(c, cert_untrack(c, id(c)), 0, "Track stop");
}

static void cleared(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);
	struct told t;

	track(c, &t, w);
	workload_fill(w, 20);
	workload_drain(w);
	ask(c, &t, whole(c));
	check(t.number, "nothing is reported");
	check(!(t.attrb & IS_SUSPENDED), "the report says that a VF that runs is suspended");
	ask(c, &t, whole(c));
	check(!t.number, "%u units are reported although nothing was written since", t.number);
}

/* a report at a time, in a buffer that is too small for all */
static void in_parts(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);
	struct told t;
	uint8_t *before;

	track(c, &t, w);
	workload_drain(w);
	ask(c, &t, whole(c));
	before = placed(w, 40);
	ring(w);
	workload_drain(w);
	ask(c, &t, 16 + 4 * 16);
	compare(&t, before);
	workload_check(w);
}

/* the last report of a migration */
static void after_suspend(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);
	uint8_t *before;
	struct told t;

	track(c, &t, w);
	workload_drain(w);
	ask(c, &t, whole(c));
	before = placed(w, 40);
	ring(w);
	has_begun(w, before);
	cert_is(c, cert_suspend_vf(c, 0), 0, "Suspend");
	ask(c, &t, whole(c));
	check(t.attrb & IS_SUSPENDED, "the report does not say that the VF is suspended");
	compare(&t, before);
	ask(c, &t, whole(c));
	check(!t.number, "%u units are reported although the VF is suspended and all was reported before",
			t.number);
	cert_is(c, cert_resume_vf(c, 0), 0, "Resume");
	workload_check(w);
}

static void operands(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);
	struct cert_range page = { w->mem.iova, 1 }, bad = { w->mem.iova + 512, 1 };
	struct cert_range none = { w->mem.iova, 0 };
	unsigned int grain = least(c);

	page.addr = page.addr >> (12 + grain) << (12 + grain);
	cert_refused(c, cert_track(c, 0xfff0, grain, &page, 1), CERT_INVALID_CTRL,
		     "Track start of a controller that does not exist");
	cert_refused(c, cert_track(c, id(c), grain, &bad, 1), CERT_INVALID_FIELD,
		     "Track start at an address that is not a multiple of the unit");
	cert_refused(c, cert_track(c, id(c), grain, &none, 1), CERT_INVALID_FIELD,
			"Track start of no units");
	cert_refused(c, cert_track(c, id(c), c->id[CAPS + 5] + 1, &page, 1), CERT_INVALID_FIELD,
		     "Track start with units larger than MAXMRTG");
	cert_refused(c, cert_untrack(c, id(c)), CERT_INVALID_CTRL,
			"Track stop of a VF that is not tracked");
}

static void of_suspended(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);
	struct told t;

	cert_is(c, cert_suspend_vf(c, 0), 0, "Suspend");
	cert_refused(c, start(c, w, least(c)), CERT_SUSPENDED, "Track start of a suspended VF");
	cert_is(c, cert_resume_vf(c, 0), 0, "Resume");
	track(c, &t, w);
	cert_is(c, cert_suspend_vf(c, 0), 0, "Suspend");
	cert_refused(c, cert_untrack(c, id(c)), CERT_SUSPENDED, "Track stop of a suspended VF");
	cert_is(c, cert_resume_vf(c, 0), 0, "Resume");
	cert_is(c, cert_untrack(c, id(c)), 0, "Track stop");
	workload_check(w);
}

static void twice(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);
	struct told t;

	track(c, &t, w);
	cert_refused(c, start(c, w, t.shift - 12), 0, "Track start of a tracked VF");
	workload_burst(w, 1);
	ask(c, &t, whole(c));
	check(t.number, "nothing is reported after that");
	workload_check(w);
	cert_is(c, cert_untrack(c, id(c)), 0, "Track stop");
	workload_burst(w, 1);
	workload_check(w);
}

const struct cert_rule cert_tracking[] = {
	{ "track-all", "each page that a VF writes is reported", "Track Receive",
	  CERT_MUST, CERT_STANDARD | CERT_TRACKS | CERT_VF, 0, nothing_lost },
	{ "track-cleared", "a written page is reported only once", "Track Receive",
	  CERT_SHOULD, CERT_STANDARD | CERT_TRACKS | CERT_VF, 0, cleared },
	{ "track-parts", "pages that do not fit a report are in the next", "Track Receive, MTR",
	  CERT_MUST, CERT_STANDARD | CERT_TRACKS | CERT_VF, 0, in_parts },
	{ "track-suspended", "the report after Suspend is the last", "Track Receive, SUSP",
	  CERT_MUST, CERT_STANDARD | CERT_TRACKS | CERT_VF, 0, after_suspend },
	{ "track-operands", "ranges and units that make no sense are refused", "Track Send",
	  CERT_MUST, CERT_STANDARD | CERT_TRACKS | CERT_VF, 0, operands },
	{ "track-start-suspended", "tracking neither starts nor stops while a VF is suspended", "Track Send",
	  CERT_SHOULD, CERT_STANDARD | CERT_TRACKS | CERT_VF, 0, of_suspended },
	{ "track-twice", "a second start is refused, and tracking continues", "Track Send",
	  CERT_SHOULD, CERT_STANDARD | CERT_TRACKS | CERT_VF, 0, twice },
	{ }
};

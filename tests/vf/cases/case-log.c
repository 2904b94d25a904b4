// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-log.c - the log of what a VF writes to memory: everything that it writes
 * and nothing else, in every state that a migration passes through.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cases.h"
#include "move.h"
#include "vfio_log.h"

#define PAGE		4096
#define READS		24

/*
 * @seen: pages that the log has reported, a byte each
 * @sure: pages that the VF must have written since the log began
 * @maybe: pages that it may have written
 */
struct log {
	struct workload *w;
	struct vfio_dev *dev;
	uint64_t unit;
	unsigned int pages;
	uint64_t *bitmap;
	uint8_t *seen;
	uint8_t *sure;
	uint8_t *maybe;
};

static void need_log(struct vfio_dev *dev)
{
	if (!vfio_log_supported(dev))
		tap_skip("no dirty tracking: %s", bed.set == SET_VENDOR ?
			 "this command set has none" :
			 "this kernel has no iova_bitmap");
}

static struct log *log_new(struct workload *w, struct vfio_dev *dev)
{
	struct log *l = calloc(1, sizeof(*l));

	l->w = w;
	l->dev = dev;
	l->unit = PAGE;
	l->pages = w->mem.size / PAGE;
	l->bitmap = calloc(l->pages / 64 + 1, 8);
	l->seen = calloc(l->pages, 1);
	l->sure = calloc(l->pages, 1);
	l->maybe = calloc(l->pages, 1);
	return l;
}

static void log_start(struct log *l)
{
	struct vfio_log_range r = { l->w->mem.iova, l->w->mem.size };

	must(vfio_log_start(l->dev, &r, 1, &l->unit));
}

/* memory, and 255 other ranges that nobody writes to */
static void log_start_many(struct log *l)
{
	const struct dma_mem *mem = &l->w->mem;
	struct vfio_log_range r[256];
	unsigned int i;

	for (i = 0; i < 255; i++)
		r[i] = (struct vfio_log_range){
			mem->iova + mem->size + (i + 1) * 64ull * PAGE,
			(1 + i % 5) * PAGE,
		};
	r[255] = (struct vfio_log_range){ mem->iova, mem->size };
	must(vfio_log_start(l->dev, r, 256, &l->unit));
}

/* in pieces, as user space does, none of them whole words */
static void log_collect(struct log *l)
{
	uint64_t step = 37 * l->unit, at, end = l->w->mem.size;
	unsigned int i, n, scale = l->unit / PAGE;

	for (at = 0; at < end; at += step) {
		n = (end - at < step ? end - at : step) / l->unit;
		memset(l->bitmap, 0, l->pages / 8);
		must(vfio_log_report(l->dev, l->w->mem.iova + at, n * l->unit,
				     l->unit, l->bitmap));
		for (i = 0; i < n * scale; i++) {
			unsigned int bit = i / scale;

			if (l->bitmap[bit / 64] >> (bit % 64) & 1)
				l->seen[at / PAGE + i] = 1;
		}
		for (i = n; i < 64; i++)
			check(!(l->bitmap[i / 64] >> (i % 64) & 1),
			      "a bit beyond the end of what was asked for");
	}
}

static unsigned int page_of(struct log *l, uint64_t iova)
{
	return (iova - l->w->mem.iova) / PAGE;
}

static void queue_pages(struct log *l, struct nvme_queue *q, uint8_t *set)
{
	uint64_t at;

	for (at = 0; at < q->cq_size * 16; at += PAGE)
		set[page_of(l, q->cq_iova + at)] = 1;
}

/* reads into pages of their own; only the VF writes to them */
static void do_reads(struct log *l)
{
	struct nvme_req req[READS] = { 0 };
	struct nvme_ctrl *c = &l->w->ctrl;
	unsigned int i, k;
	uint64_t iova;

	for (i = 0; i < READS; i++) {
		struct nvme_queue *q = &c->io[i % c->nio];
		unsigned int pages = 1 + i % 2;

		check(dma_alloc(&l->w->mem, pages * PAGE, &iova),
		      "no memory left");
		req[i].cmd = (struct nvme_cmd){
			.opc = NVME_READ, .nsid = 1, .prp1 = iova,
			.prp2 = pages == 2 ? iova + PAGE : 0,
			.cdw12 = (pages * PAGE >> l->w->lba_shift) - 1,
		};
		for (k = 0; k < pages; k++)
			l->sure[page_of(l, iova) + k] = 1;
		must(nvme_queue_add(q, &req[i]));
		nvme_queue_ring(q);
		queue_pages(l, q, l->sure);
	}
	for (i = 0; i < READS; i++)
		must(nvme_wait_done(c, &c->io[i % c->nio], &req[i], 10000));
	check(!nvme_identify(c, 1, 0), "Identify failed");
	l->sure[page_of(l, c->scratch_iova)] = 1;
	queue_pages(l, &c->admin, l->sure);
}

/* whole units if the device does not track pages */
static bool in_unit(struct log *l, const uint8_t *set, unsigned int page)
{
	unsigned int scale = l->unit / PAGE, first = page / scale * scale, i;

	for (i = first; i < first + scale && i < l->pages; i++)
		if (set[i])
			return true;
	return false;
}

static void log_judge(struct log *l, bool exact)
{
	unsigned int i, n = 0;

	for (i = 0; i < l->pages; i++) {
		if (l->sure[i])
			check(l->seen[i], "page %u was written and not reported", i);
		n += l->seen[i];
		if (exact && l->seen[i])
			check(in_unit(l, l->sure, i) || in_unit(l, l->maybe, i),
			      "page %u was reported and not written", i);
	}
	check(n, "nothing was reported");
	tap_note("%u of %u pages, unit %llu", n, l->pages,
		 (unsigned long long)l->unit);
}

static void log_forget(struct log *l)
{
	memset(l->seen, 0, l->pages);
	memset(l->sure, 0, l->pages);
}

/* @arg: properties of the model, a line each; or NULL */
static void exact(const void *arg)
{
	struct vfio_dev a;
	struct workload *w;
	struct log *l;

	if (arg)
		model_set(0, "%s", (const char *)arg);
	w = solo_open(&a, VF_A, NULL);
	need_log(&a);
	l = log_new(w, &a);
	do_reads(l);
	log_forget(l);
	log_start(l);
	log_collect(l);
	do_reads(l);
	log_collect(l);
	log_judge(l, true);
	/* what was reported once is not reported again */
	log_forget(l);
	log_collect(l);
	check(!memchr(l->seen, 1, l->pages), "reported again");
	/* and what comes later is not lost */
	do_reads(l);
	log_collect(l);
	log_judge(l, true);
	must(vfio_log_stop(&a));
	workload_check(w);
}

/* what the VF writes while it is being suspended belongs to the last report */
static void last_report(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	struct log *l;
	uint8_t *was;
	unsigned int i, changed = 0;

	(void)arg;
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	need_log(&a);
	l = log_new(w, &a);
	log_start(l);
	workload_burst(w, 2);
	workload_fill(w, 60);
	log_collect(l);
	log_forget(l);
	was = malloc(w->mem.size);
	memcpy(was, w->mem.va, w->mem.size);
	must(mig_stop(&a, NULL));
	must(mig_save(&a, &s, NULL));
	/* nobody but the VF has written since the copy was made */
	for (i = 0; i < l->pages; i++) {
		l->sure[i] = !!memcmp(was + i * PAGE, w->mem.va + i * PAGE, PAGE);
		changed += l->sure[i];
	}
	log_collect(l);
	tap_note("%u pages changed behind the last report but one", changed);
	for (i = 0; i < l->pages; i++)
		check(!l->sure[i] || l->seen[i], "page %u is lost", i);
	must(vfio_log_stop(&a));
	move_load(w, &b, &s, NULL);
	workload_check(w);
}

/*
 * The drive loses its log while the VF runs, and has nothing to report from
 * then on: @arg, whether it would track again.
 */
static void lost_by_drive(const void *arg)
{
	bool refuses = !*(const bool *)arg;
	struct vfio_dev a;
	struct workload *w;
	struct log *l;

	w = solo_open(&a, VF_A, NULL);
	need_log(&a);
	l = log_new(w, &a);
	log_start(l);
	do_reads(l);
	log_collect(l);
	log_judge(l, true);
	log_forget(l);

	do_reads(l);
	model_set(0, "lm-track=off\nlm-track-void=on");
	model_set(0, "lm-track=on");
	do_reads(l);
	log_collect(l);
	do_reads(l);
	if (refuses)
		model_set(0, "lm-fail=0x3d/1@1=0x4002");
	must(mig_stop(&a, NULL));
	log_collect(l);
	log_judge(l, false);
	/* what was reported once is not reported again */
	log_forget(l);
	log_collect(l);
	check(!memchr(l->seen, 1, l->pages), "reported again");
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	vfio_log_stop(&a);
	workload_check(w);
}

/* the drive is asked before each suspend, and says that it still tracks */
static void confirmed(const void *arg)
{
	struct vfio_dev a;
	struct workload *w;
	struct log *l;

	(void)arg;
	w = solo_open(&a, VF_A, NULL);
	need_log(&a);
	l = log_new(w, &a);
	log_start(l);
	do_reads(l);
	log_collect(l);
	log_forget(l);
	model_zero(0);
	do_reads(l);
	must(mig_stop(&a, NULL));
	check_eq(model_count(0, 0x3d, 1), 1, "Track Send");
	log_collect(l);
	log_judge(l, true);
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	check_eq(model_count(0, 0x3d, 1), 1, "Track Send");
	must(vfio_log_stop(&a));
	workload_check(w);
}

static long reports(void)
{
	return model_count(0, 0x3e, -1);
}

/*
 * User space asks for one range of memory after the other, but once the device
 * has reported everything that a suspended VF wrote, there is nothing more to
 * ask it for until it runs again.
 */
static void told_once(const void *arg)
{
	struct vfio_dev a;
	struct workload *w;
	struct log *l;
	long n;
	int i;

	(void)arg;
	w = solo_open(&a, VF_A, NULL);
	need_log(&a);
	l = log_new(w, &a);
	log_start(l);
	for (i = 0; i < 2; i++) {
		log_forget(l);
		do_reads(l);
		model_zero(0);
		must(mig_stop(&a, NULL));
		log_collect(l);
		n = reports();
		log_collect(l);
		must(vfio_mig_set(&a, MIG_STOP_COPY, NULL));
		log_collect(l);
		log_judge(l, true);
		check_eq(reports(), n, "reports when all has been told");
		check_eq(n, 1, "reports of a suspended VF");
		must(vfio_mig_set(&a, MIG_RUNNING, NULL));
		log_collect(l);
		check(reports() > n, "a VF that runs again is not asked");
	}
	must(vfio_log_stop(&a));
	workload_check(w);
}

/* where the device has its own registers */
static struct vfio_log_range own_bar(struct vfio_dev *dev)
{
	unsigned long long first, last;
	char text[4096];

	check(sysfs_read(text, sizeof(text), "/sys/bus/pci/devices/%s/resource",
			 dev->bdf) > 0, "no resources");
	check(sscanf(text, "%llx %llx", &first, &last) == 2 && last > first,
	      "no BAR: %.40s", text);
	return (struct vfio_log_range){ first, last - first + 1 };
}

/*
 * A device refuses a range with a BAR of its own in it: that range is left out,
 * and always counts as written. @arg: properties of the model; may be NULL
 */
static void around_bar(const void *arg)
{
	const uint64_t around = 64 * PAGE;
	struct vfio_log_range r[2], bar;
	uint64_t bitmap[64] = { 0 }, unit = PAGE;
	struct vfio_dev a;
	struct workload *w;
	unsigned int i, k, n;
	struct log *l;

	if (arg)
		model_set(0, "%s", (const char *)arg);
	w = solo_open(&a, VF_A, NULL);
	need_log(&a);
	bar = own_bar(&a);
	n = (bar.len + 2 * around) / PAGE;
	check(n <= 64 * 64, "a BAR of %llu bytes",
	      (unsigned long long)bar.len);
	r[0] = (struct vfio_log_range){ bar.iova - around,
					bar.len + 2 * around };
	l = log_new(w, &a);
	r[1] = (struct vfio_log_range){ w->mem.iova, w->mem.size };
	must(vfio_log_start(&a, r, 2, &unit));
	check_eq(unit, PAGE, "unit");
	for (k = 0; k < 3; k++) {
		if (k == 2)
			must(mig_stop(&a, NULL));
		memset(bitmap, 0, sizeof(bitmap));
		must(vfio_log_report(&a, r[0].iova, r[0].len, PAGE, bitmap));
		for (i = 0; i < n; i++) {
			uint64_t at = r[0].iova + (uint64_t)i * PAGE;
			bool own = at >= bar.iova && at < bar.iova + bar.len;

			check_eq(bitmap[i / 64] >> (i % 64) & 1, own,
				 "page of the BAR, or beside it");
		}
	}
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	log_collect(l);
	log_forget(l);
	do_reads(l);
	log_collect(l);
	log_judge(l, true);
	must(vfio_log_stop(&a));
}

/* a guest that is paused when its migration begins, and resumed amid it */
static void paused(const void *arg)
{
	struct vfio_dev a;
	struct workload *w;
	struct log *l;
	uint8_t *was;
	unsigned int i;

	(void)arg;
	model_set(0, "lm-track-ranges=256");
	w = solo_open(&a, VF_A, NULL);
	need_log(&a);
	l = log_new(w, &a);
	was = malloc(w->mem.size);
	must(mig_stop(&a, NULL));
	log_start_many(l);
	log_collect(l);
	check(!memchr(l->seen, 1, l->pages), "a suspended VF has written");
	/*
	 * Work for the very moment when it is resumed; and a device that does
	 * not track at first, until there are only a 256th of the ranges.
	 */
	model_set(0, "lm-fail=0x3d/1@1=0x2+0x3d/1@2=0x2+0x3d/1@3=0x2+0x3d/1@4=0x2+0x3d/1@5=0x2+0x3d/1@6=0x2+0x3d/1@7=0x2+0x3d/1@8=0x2");
	workload_fill(w, 50);
	memcpy(was, w->mem.va, w->mem.size);
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_drain(w);
	/* only the VF has written since the copy was made */
	for (i = 0; i < l->pages; i++)
		l->sure[i] = !!memcmp(was + i * PAGE, w->mem.va + i * PAGE, PAGE);
	check(memchr(l->sure, 1, l->pages), "the VF has written nothing");
	log_collect(l);
	log_judge(l, false);
	log_forget(l);
	do_reads(l);
	log_collect(l);
	log_judge(l, true);
	must(vfio_log_stop(&a));
	workload_check(w);
}

/* does the first PF's device track any of its VFs? */
static bool tracked(void)
{
	char report[4096];

	must(pf_test_get(bed.pf[0].name, report, sizeof(report)));
	return strstr(report, ".tracked=");
}

/* the device accepts no stop while the VF is suspended; it comes later */
static void stop_when_suspended(const void *arg)
{
	struct vfio_dev a;
	struct workload *w;
	struct log *l;
	int i;

	(void)arg;
	w = solo_open(&a, VF_A, NULL);
	need_log(&a);
	l = log_new(w, &a);
	for (i = 0; i < 3; i++) {
		log_start(l);
		workload_fill(w, 20);
		must(mig_stop(&a, NULL));
		must(vfio_log_stop(&a));
		if (i == 1) {
			/* again, before the device could be told */
			log_start(l);
			must(vfio_log_stop(&a));
		}
		must(vfio_mig_set(&a, MIG_RUNNING, NULL));
		check(!tracked(), "the VF is tracked although the log has ended");
		workload_check(w);
	}
	/* and by closing */
	log_start(l);
	must(mig_stop(&a, NULL));
	check(tracked(), "the device does not say what it tracks");
	vfio_close(&a);
	check(!tracked(), "the VF is tracked although nobody has it open");
	workload_free(w);
	w = solo_open(&a, VF_A, NULL);
	l = log_new(w, &a);
	log_start(l);
	do_reads(l);
	log_collect(l);
	log_judge(l, true);
	must(vfio_log_stop(&a));
}

/* a reset ends the log: it says so, and another can begin */
static void ends_by_reset(const void *arg)
{
	static const unsigned int state[] = { MIG_RUNNING, MIG_STOP_COPY };
	uint64_t word[64] = { 0 };
	struct vfio_dev a;
	struct workload *w;
	struct log *l;
	unsigned int i;
	int err;

	(void)arg;
	for (i = 0; i < 2; i++) {
		w = solo_open(&a, VF_A, NULL);
		need_log(&a);
		l = log_new(w, &a);
		log_start(l);
		must(vfio_mig_set(&a, state[i], NULL));
		must(vfio_reset(&a));
		err = vfio_log_report(&a, w->mem.iova, 64 * PAGE, PAGE, word);
		check(err == -EIO, "report after a reset: expected EIO, got %d",
		      err);
		must(vfio_irq_enable(&a, a.nefd));
		workload_free(w);
		vfio_close(&a);
		w = solo_open(&a, VF_A, NULL);
		l = log_new(w, &a);
		log_start(l);
		must(vfio_reset(&a));
		log_start(l);
		must(vfio_log_stop(&a));
		must(vfio_log_stop(&a));
		vfio_close(&a);
	}
}

/* what the driver must refuse itself, as the core lets it through */
static void nonsense(const void *arg)
{
	struct vfio_log_range r[3];
	uint64_t unit, word[64] = { 0 };
	struct vfio_dev a;
	struct workload *w;

	(void)arg;
	w = solo_open(&a, VF_A, NULL);
	need_log(&a);
	r[0] = (struct vfio_log_range){ w->mem.iova, w->mem.size };
	check_eq(vfio_log_report(&a, r[0].iova, PAGE, PAGE, word), -EINVAL,
		 "report without a log");
	must(vfio_log_stop(&a));
	unit = 0;
	r[1] = (struct vfio_log_range){ 0, 0 };
	check_eq(vfio_log_start(&a, &r[1], 1, &unit), -EINVAL, "unit 0");
	unit = 12288;
	r[1] = (struct vfio_log_range){ 0, 12288 };
	check_eq(vfio_log_start(&a, &r[1], 1, &unit), -EINVAL, "unit 12288");
	unit = PAGE;
	r[1] = (struct vfio_log_range){ 0x100000, 0 };
	check_eq(vfio_log_start(&a, &r[1], 1, &unit), -EINVAL, "empty range");
	unit = PAGE;
	must(vfio_log_start(&a, r, 1, &unit));
	check_eq(vfio_log_start(&a, r, 1, &unit), -EINVAL, "a second start");
	check_eq(vfio_log_report(&a, r[0].iova, 0, PAGE, word), -EINVAL,
		 "report of nothing");
	check_eq(vfio_log_report(&a, r[0].iova + r[0].len, PAGE, PAGE, word),
		 -EINVAL, "report of memory that is not tracked");
	check_eq(vfio_log_report(&a, r[0].iova - PAGE, 2 * PAGE, PAGE, word),
		 -EINVAL, "report of memory half of which is tracked");
	must(vfio_log_stop(&a));
	workload_check(w);
}

/* 256 ranges with gaps, on a device that tracks only a few */
static void many_ranges(const void *arg)
{
	struct vfio_dev a;
	struct workload *w;
	struct log *l;

	model_set(0, "%s", (const char *)arg);
	w = solo_open(&a, VF_A, NULL);
	need_log(&a);
	l = log_new(w, &a);
	log_start_many(l);
	do_reads(l);
	log_collect(l);
	log_judge(l, true);
	must(vfio_log_stop(&a));
}

struct failing {
	const char *rule;
	bool start;
};

static const unsigned int status[] = {
	0x002, 0x006, 0x00c, 0x11f, 0x137, 0x138, 0x139, 0x371,
};

/* a tracking command fails: the log says so, migration is not affected */
static void track_fails(const void *arg)
{
	uint64_t unit, word[64] = { 0 };
	struct mig_stream s = { 0 };
	const struct failing *f = arg;
	struct vfio_dev a, b;
	struct workload *w;
	unsigned int i;
	int err;

	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	need_log(&a);
	for (i = 0; i < sizeof(status) / sizeof(status[0]); i++) {
		struct vfio_log_range r = { w->mem.iova, w->mem.size };

		unit = PAGE;
		if (!f->start)
			must(vfio_log_start(&a, &r, 1, &unit));
		model_set(0, "lm-fail=%s=0x%x", f->rule, status[i]);
		err = f->start ? vfio_log_start(&a, &r, 1, &unit) :
				 vfio_log_report(&a, r.iova, 64 * PAGE, PAGE,
						 word);
		model_set(0, "lm-fail=");
		tap_note("%s status %03x: errno %d", f->rule, status[i], -err);
		if (f->start && status[i] == 0x11f) {
			/* the device tracks already: stop, start */
			check(!err, "expected a second try to succeed, got %d",
			      err);
		} else {
			check(err < 0 && sane_errno(err),
			      "expected a sensible errno, got %d", err);
		}
		if (!f->start) {
			err = vfio_log_report(&a, r.iova, PAGE, PAGE, word);
			check(err == -EIO, "a lost log answers %d", err);
		}
		must(vfio_log_stop(&a));
		state_is(&a, MIG_RUNNING);
	}
	workload_fill(w, 20);
	move(w, &a, &b, &s, NULL);
	workload_check(w);
}

/*
 * The device may keep tracking when it refuses to stop: for user space the log
 * is still over, and a new one reports nothing that was written before it.
 */
static void stop_fails(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	uint64_t word = 0;
	struct workload *w;
	struct log *l;
	unsigned int i;
	int err;

	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	need_log(&a);
	l = log_new(w, &a);
	for (i = 0; i < sizeof(status) / sizeof(status[0]); i++) {
		l->unit = PAGE;
		log_start(l);
		workload_burst(w, 1);
		model_set(0, "lm-fail=%s=0x%x", (const char *)arg, status[i]);
		err = vfio_log_stop(&a);
		model_set(0, "lm-fail=");
		tap_note("stop with status %03x: errno %d", status[i], -err);
		check(!err || sane_errno(err),
		      "expected a sensible errno, got %d", err);
		err = vfio_log_report(&a, w->mem.iova, PAGE, PAGE, &word);
		check(err == -EINVAL, "a log that is over answers %d", err);

		log_forget(l);
		l->unit = PAGE;
		log_start(l);
		do_reads(l);
		log_collect(l);
		log_judge(l, true);
		must(vfio_log_stop(&a));
		log_forget(l);
	}
	workload_fill(w, 20);
	move(w, &a, &b, &s, NULL);
	workload_check(w);
}

/* this test must notice a device that conceals pages */
static void notices_forgotten(const void *arg)
{
	struct vfio_dev a;
	struct workload *w;
	struct log *l;
	unsigned int i, missed = 0;

	(void)arg;
	model_set(0, "lm-lie=forget-page");
	w = solo_open(&a, VF_A, NULL);
	need_log(&a);
	l = log_new(w, &a);
	log_start(l);
	do_reads(l);
	log_collect(l);
	for (i = 0; i < l->pages; i++)
		missed += l->sure[i] && !l->seen[i];
	check(missed, "no forgotten page was noticed");
	tap_note("%u forgotten pages", missed);
}

const struct tap_case log_cases[] = {
	{ .name = "log of writes, page by page", .fn = exact, .quick = true },
	{ .name = "log in units of 64 KiB", .fn = exact,
	  .arg = "lm-track-min=4\n" },
	{ .name = "log in the units that the device offers instead",
	  .fn = exact, .arg = "lm-track-grain=2\n" },
	{ .name = "log of a device that reports a little at a time",
	  .fn = exact, .arg = "lm-track-batch=1\n" },
	{ .name = "log of powers of two", .fn = exact,
	  .arg = "lm-track-pow2=on\n" },
	{ .name = "log of 256 ranges", .fn = many_ranges, .arg = "lm-track=on\n" },
	{ .name = "log of 256 ranges on a device with one", .fn = many_ranges,
	  .arg = "lm-track-ranges=1\n" },
	{ .name = "log of 256 ranges, room for three", .fn = many_ranges,
	  .arg = "lm-track-room=3\n" },
	{ .name = "log of 256 ranges, powers of two", .fn = many_ranges,
	  .arg = "lm-track-pow2=on\nlm-track-ranges=3\n" },
	{ .name = "last report after the suspend", .fn = last_report,
	  .quick = true },
	{ .name = "log of memory with the VF's own BAR in it",
	  .fn = around_bar },
	{ .name = "log with the VF's own BAR in it, powers of two",
	  .fn = around_bar, .arg = "lm-track-pow2=on\nlm-track-ranges=64" },
	{ .name = "log of a suspended VF is asked for once", .fn = told_once },
	{ .name = "log begun while the guest is paused", .fn = paused },
	{ .name = "log lost by the drive, which tracks again",
	  .fn = lost_by_drive, .arg = &(const bool){ true },
	  .log = "has lost its log" },
	{ .name = "log lost by the drive, which does not say so",
	  .fn = lost_by_drive, .arg = &(const bool){ false },
	  .log = "does not say that it tracks" },
	{ .name = "log confirmed by the drive before a suspend",
	  .fn = confirmed },
	{ .name = "log ended while the VF is suspended",
	  .fn = stop_when_suspended },
	{ .name = "log ended by a reset", .fn = ends_by_reset },
	{ .name = "nonsense asked of the log", .fn = nonsense },
	{ .name = "start of the log fails", .fn = track_fails, .log = "",
	  .arg = &(const struct failing){ "0x3d/1@1", true } },
	{ .name = "report of the log fails", .fn = track_fails, .log = "",
	  .arg = &(const struct failing){ "0x3e/0@1", false } },
	{ .name = "stop of the log fails", .fn = stop_fails, .log = "",
	  .arg = "0x3d/1@1" },
	{ .name = "a device that forgets pages is noticed",
	  .fn = notices_forgotten },
	{ }
};

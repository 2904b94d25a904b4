// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-drive.c - a guest is to move between drives of kinds that were drawn by
 * chance, or that lie. Drives that conform lose no guest and no byte: it
 * arrives with all data right, or stays with all data right and the kernel log
 * says why.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "drive.h"
#include "draws.h"
#include "klog.h"
#include "move.h"
#include "vfio_log.h"

#define PAGE		4096
#define MAX_DRAWS	240
#define FAR_RANGES	5
#define BURSTS		8

/* what became of a guest that was to move */
enum fate { ARRIVED, STAYED, LOST };

/**
 * struct journey - a guest, and how far it came
 * @a: where it is
 * @b: where it is to go
 * @w: the guest
 * @p2p: the source has the states of P2P
 * @logged: the source's writes to memory are logged
 * @unit: what a bit of the log stands for
 * @was: memory as it would be at the destination without what the log reports
 * @all_done: everything submitted to the VF is done before it is stopped
 * @missed: pages that differ and are not in the log
 * @step: what failed
 * @err: how
 * @why: the driver's last message
 */
struct journey {
	struct vfio_dev a;
	struct vfio_dev b;
	struct workload *w;
	bool p2p;
	bool logged;
	uint64_t unit;
	uint8_t *was;
	bool all_done;
	unsigned int missed;
	const char *step;
	int err;
	char why[256];
};

static bool is_ours(const char *line)
{
	return strstr(line, "nvme-vfio-pci") || strstr(line, "nvme_vfio_pci") ||
	       strstr(line, "nvme-pf-shim");
}

/* the driver's last message since klog_start() */
static void last_word(struct journey *j)
{
	unsigned int level;
	const char *line;

	while ((line = klog_next(&level)))
		if (is_ours(line) && !strstr(line, ": resetting") &&
		    !strstr(line, ": reset done") && !strstr(line, "enabling device"))
			snprintf(j->why, sizeof(j->why), "%s", line);
}

static int failed(struct journey *j, const char *step, int err)
{
	if (err) {
		j->step = step;
		j->err = err;
	}
	return err;
}

/* memory, and ranges that nobody writes to: more than some drives can track */
static int begin_log(struct journey *j)
{
	const struct dma_mem *mem = &j->w->mem;
	struct vfio_log_range r[FAR_RANGES + 1] = { { mem->iova, mem->size } };
	unsigned int i;

	j->logged = vfio_log_supported(&j->a);
	if (!j->logged)
		return 0;
	for (i = 1; i <= FAR_RANGES; i++)
		r[i] = (struct vfio_log_range){
			mem->iova + (i + 1) * 4 * mem->size, i * PAGE,
		};
	j->unit = PAGE;
	return vfio_log_start(&j->a, r, FAR_RANGES + 1, &j->unit);
}

static int ask_log(struct journey *j, uint64_t *bitmap)
{
	const struct dma_mem *mem = &j->w->mem;

	memset(bitmap, 0, mem->size / PAGE / 8 + 8);
	return vfio_log_report(&j->a, mem->iova, mem->size, j->unit, bitmap);
}

/* whether the VF has completed all commands, or as many as the queue has room for */
static bool is_at_rest(const struct nvme_queue *q)
{
	unsigned int at = q->cq_head, phase = q->phase, n = 0;

	while (n < q->cq_size - 1 && (q->cq[at].status & 1) == phase) {
		n++;
		if (++at == q->cq_size) {
			at = 0;
			phase ^= 1;
		}
	}
	return n == q->cids.out || n == q->cq_size - 1;
}

static void comes_to_rest(struct journey *j)
{
	const struct nvme_ctrl *c = &j->w->ctrl;
	unsigned int i, q;

	for (i = 0; i < 1000; i++) {
		for (q = 0; q < c->nio && is_at_rest(&c->io[q]); q++)
			;
		if (q == c->nio)
			return;
		sleep_us(10000);
	}
	check(0, "the VF does not do its work, or does not finish it");
}

/*
 * Work is queued, memory is copied, then the doorbells are rung; from then on
 * only the VF writes to memory until it is stopped.
 */
static int get_going(struct journey *j, uint64_t *bitmap)
{
	struct nvme_ctrl *c = &j->w->ctrl;
	unsigned int i;
	int err = 0;

	/* of what has been written, half of the commands read */
	if (j->all_done)
		workload_burst(j->w, BURSTS);
	for (i = 0; i < c->nio; i++)
		workload_submit(j->w, i, 50, false);
	if (j->logged)
		err = failed(j, "log of writes while it runs", ask_log(j, bitmap));
	memcpy(j->was, j->w->mem.va, j->w->mem.size);
	for (i = 0; i < c->nio; i++)
		nvme_queue_ring(&c->io[i]);
	if (j->all_done)
		comes_to_rest(j);
	else
		sleep_us(workload_random(j->w, 3000));
	return err;
}

/* What a page of the destination would lack if the log's pages were copied. */
static int compare_log(struct journey *j, uint64_t *bitmap)
{
	const uint8_t *now = j->w->mem.va;
	uint64_t at;
	int err;

	if (!j->logged)
		return 0;
	err = failed(j, "log of writes when it is stopped", ask_log(j, bitmap));
	if (err)
		return err;
	for (at = 0; at < j->w->mem.size; at += PAGE) {
		uint64_t bit = at / j->unit;

		if (memcmp(j->was + at, now + at, PAGE) &&
		    !(bitmap[bit / 64] >> bit % 64 & 1))
			j->missed++;
	}
	return 0;
}

/* PRE_COPY at both ends. Return: 0, also where the kernel has none. */
static int precopy(struct journey *j, int *out, int *in, struct mig_stream *s)
{
	uint64_t flags;
	int err;

	must(vfio_mig_flags(&j->a, &flags));
	if (!(flags & VFIO_MIGRATION_PRE_COPY))
		return 0;
	err = failed(j, "source to PRE_COPY", vfio_mig_set(&j->a, MIG_PRE_COPY, out)) ?:
	      failed(j, "destination to RESUMING", vfio_mig_set(&j->b, MIG_RESUMING, in));
	if (err)
		return err;
	err = mig_read(*out, s, SIZE_MAX);
	check(err == -ENOMSG, "expected ENOMSG at the end of what PRE_COPY has, got %d", err);
	return failed(j, "destination judges", mig_write(*in, s->data, s->len, 0));
}

static int stop_and_copy(struct journey *j, int *out, int *in, struct mig_stream *s,
			 uint64_t *bitmap)
{
	size_t first = s->len;
	uint64_t sum;
	int err = 0;

	/* without P2P there is no state between PRE_COPY and that */
	if (*out < 0 || j->p2p)
		err = failed(j, "Suspend", vfio_mig_set(&j->a, *out < 0 ? MIG_STOP :
							MIG_PRE_COPY_P2P, NULL));
	if (err)
		return err;
	sum = workload_sum(j->w);
	err = failed(j, "source to STOP_COPY",
		     vfio_mig_set(&j->a, MIG_STOP_COPY, *out < 0 ? out : NULL));
	if (!err && !j->p2p)
		sum = workload_sum(j->w);
	err = err ?:
	      compare_log(j, bitmap) ?:
	      failed(j, "read", mig_read(*out, s, SIZE_MAX));
	if (!err && *in < 0)
		err = failed(j, "destination to RESUMING",
			     vfio_mig_set(&j->b, MIG_RESUMING, in));
	err = err ?: failed(j, "write", mig_write(*in, s->data + first, s->len - first, 0)) ?:
	      failed(j, "destination to STOP", vfio_mig_set(&j->b, MIG_STOP, NULL));
	check(workload_sum(j->w) == sum, "memory changed although no VF runs");
	if (err)
		return err;
	must(nvme_rebind(&j->w->ctrl, &j->b));
	return failed(j, "destination is let run", mig_start(&j->b, NULL));
}

/* Whoever moves it lets the source run again. */
static enum fate go_on_at_source(struct journey *j)
{
	int err;

	vfio_close(&j->b);
	err = vfio_mig_set(&j->a, MIG_RUNNING, NULL);
	if (!err && j->logged)
		vfio_log_stop(&j->a);
	last_word(j);
	if (err)
		return LOST;
	must(nvme_rebind(&j->w->ctrl, &j->a));
	return STAYED;
}

static enum fate migrate(struct journey *j)
{
	uint64_t *bitmap = calloc(j->w->mem.size / PAGE / 64 + 2, 8);
	struct mig_stream s = { 0 };
	int out = -1, in = -1, err;

	j->was = malloc(j->w->mem.size);
	check(bitmap && j->was, "out of memory");
	err = failed(j, "start of the log", begin_log(j)) ?:
	      precopy(j, &out, &in, &s) ?:
	      get_going(j, bitmap) ?:
	      stop_and_copy(j, &out, &in, &s, bitmap);
	if (out >= 0)
		close(out);
	if (in >= 0)
		close(in);
	mig_stream_free(&s);
	free(bitmap);
	free(j->was);
	return err ? go_on_at_source(j) : ARRIVED;
}

/* @drive: properties of the source's and of the destination's */
static enum fate set_out(struct journey *j, const char *const drive[2],
			 const struct workload_opts *opts)
{
	uint64_t flags;
	enum fate fate;

	klog_start();
	drive_is(0, drive[0]);
	drive_is(1, drive[1]);
	j->w = pair_open(&j->a, VF_A, &j->b, VF_C, opts);
	if (vfio_mig_flags(&j->a, &flags) || vfio_mig_flags(&j->b, &flags)) {
		j->step = "migration is not offered";
		last_word(j);
		return STAYED;
	}
	j->p2p = flags & VFIO_MIGRATION_P2P;
	fate = migrate(j);
	if (fate == ARRIVED)
		tap_note("arrived%s", j->logged ? ", writes were logged" : "");
	else
		tap_note("%s: %s: %d (%s)", fate == LOST ? "lost" : "stays",
			 j->step, j->err, j->why);
	return fate;
}

/* --- by chance --- */

/**
 * struct draw - two drives
 * @drive: properties
 * @sure: a guest has no reason to stay
 */
struct draw {
	const char *drive[2];
	bool sure;
};

static void drawn(const void *arg)
{
	const struct draw *d = arg;
	struct journey j = { 0 };
	enum fate fate;

	bed_need(VF_C);
	fate = set_out(&j, d->drive, NULL);
	check(fate != LOST, "the guest is lost: %s: %d (%s)", j.step, j.err, lib_msg());
	check(fate == ARRIVED || *j.why, "it stays, and the driver does not say why: %s: %d",
	      j.step, j.err);
	check(fate == ARRIVED || !d->sure, "it stays, and there is no reason: %s: %d (%s)",
	      j.step, j.err, j.why);
	check(!j.missed, "%u pages were written and not reported", j.missed);
	workload_check(j.w);
	workload_event(j.w);
	workload_burst(j.w, 2);
	workload_check(j.w);
}

const struct tap_case *drawn_cases(const char *path)
{
	static struct tap_case cases[MAX_DRAWS + 1];
	FILE *f = fopen(path, "re");
	char line[1024];
	unsigned int n = 0;

	while (f && n < MAX_DRAWS && fgets(line, sizeof(line), f)) {
		char *name = malloc(sizeof(line) + 32);
		struct draw *d = calloc(1, sizeof(*d));
		char *source, *destination;

		line[strcspn(line, "\n")] = 0;
		source = strchr(line, ':');
		destination = source ? strchr(source, '|') : NULL;
		if (!d || !name || !destination)
			break;
		*source++ = 0;
		*destination++ = 0;
		d->drive[0] = strdup(source);
		d->drive[1] = strdup(destination);
		if (!d->drive[0] || !d->drive[1])
			break;
		d->sure = strstr(line, " sure");
		sprintf(name, "draw %s: [%s] to [%s]", line, source, destination);
		cases[n++] = (struct tap_case){
			.name = name, .fn = drawn, .arg = d, .limit_s = 90, .log = "",
		};
	}
	if (f)
		fclose(f);
	return cases;
}

/* --- lies --- */

/**
 * struct lie - a drive that breaks the standard
 * @name: which one of the personalities
 * @fate: what becomes of a guest that is moved from it and to it
 * @vendor: the vendor set can tell this lie as well
 * @finds: what the guest finds then; NULL = that all is well
 * @limit: how long the driver waits for a command, s; 0 = as usual
 */
struct lie {
	const char *name;
	enum fate fate;
	bool vendor;
	void (*finds)(struct journey *j);
	unsigned int limit;
};

/* The guest's commands that never complete, and completions that come twice. */
static void count_wrong(struct workload *w, unsigned int *lost, unsigned int *doubled)
{
	unsigned int i;

	*lost = 0;
	*doubled = 0;
	for (i = 0; i < w->ctrl.nio; i++)
		nvme_wait_out(&w->ctrl, &w->ctrl.io[i], 0, 3000);
	for (i = 0; i < w->ctrl.nio; i++) {
		struct nvme_queue *q = &w->ctrl.io[i];

		sleep_us(20000);
		nvme_queue_reap(q, 0);
		*lost += q->cids.out;
		*doubled += q->cids.doubled;
	}
}

static void one_never_completes(struct journey *j)
{
	unsigned int lost, doubled;

	count_wrong(j->w, &lost, &doubled);
	check_eq(lost, 1, "commands that never complete");
}

static void one_completes_twice(struct journey *j)
{
	unsigned int lost, doubled;

	count_wrong(j->w, &lost, &doubled);
	check_eq(doubled, 1, "completions that come twice");
}

static void pages_are_missing(struct journey *j)
{
	if (!j->logged)
		tap_skip("no log of writes");
	tap_note("%u pages that were written are not in the log", j->missed);
	check(j->missed, "all pages that were written are in the log");
	workload_check(j->w);
}

/* which is what a guest does about it by itself */
static void reset_helps(struct journey *j)
{
	workload_fill(j->w, 4);
	check_eq(nvme_wait_out(&j->w->ctrl, &j->w->ctrl.io[0], 0, 2000), -ETIMEDOUT,
		 "waiting for a VF that does nothing");
	check(model_vf_is(VF_C, "suspended"), "the VF was resumed");
	model_set(1, "lm-lie=");
	alive(&j->b, VF_C);
}

static void starts_anew(struct journey *j)
{
	/* after a Suspend that never ends, the next one would not either */
	model_set(0, "lm-suspend-waits=");
	must(vfio_reset(&j->a));
	alive(&j->a, VF_A);
}

static void tell_lie(const void *arg)
{
	static const struct workload_opts small_cq = { .cq_size = 4 };
	const struct lie *lie = arg;
	const char *both[2];
	struct journey j = { 0 };

	bed_need(VF_C);
	if (lie->limit)
		limit_set(lie->limit);
	both[0] = strdup(drive_named(lie->name));
	both[1] = both[0];
	if (bed.set == SET_VENDOR && !lie->vendor)
		tap_skip("the vendor set has nothing of the kind");
	/* a VF that is stopped early has not written what it would conceal */
	j.all_done = lie->finds == pages_are_missing;
	check_eq(set_out(&j, both, strstr(both[0], "cqe") ? &small_cq : NULL), lie->fate,
		 "what became of the guest (0: arrived, 1: stayed, 2: lost)");
	if (lie->fate != ARRIVED)
		check(*j.why, "the driver does not say why: %s: %d", j.step, j.err);
	if (lie->finds)
		lie->finds(&j);
	else
		workload_check(j.w);
}

#define LIE(n, f, ...)	{ .name = "lie-" n, .fn = tell_lie, .limit_s = 60, .log = "", \
	.arg = &(const struct lie){ .name = "lie-" n, .fate = f, __VA_ARGS__ } }

const struct tap_case drive_cases[] = {
	LIE("lose-cqe", ARRIVED, .vendor = true, .finds = one_never_completes),
	LIE("double-cqe", ARRIVED, .vendor = true, .finds = one_completes_twice),
	LIE("forget-page", ARRIVED, .finds = pages_are_missing),
	LIE("csup-clear", STAYED),
	LIE("report-without-end", STAYED),
	LIE("report-overflow", STAYED),
	LIE("huge-state", STAYED),
	LIE("deaf", ARRIVED, .vendor = true, .finds = reset_helps),
	LIE("suspend-ever", LOST, .vendor = true, .finds = starts_anew, .limit = 2),
	{ }
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-soak.c - migrations in a row, back and forth between VFs of two drives,
 * with I/O in flight; now and then one is cancelled. All data is verified after
 * each, and at the end the kernel holds no more than it did after the first few.
 *
 * Then some that are disturbed at a random moment, at the source or at the
 * destination. What docs/states-and-events.md says must hold for them: one may
 * fail at the end that was disturbed and at no other; a guest whose VF was not
 * disturbed continues; so does any on a VF that is being removed, until it
 * leaves; and a reset repairs the rest. The next migration works.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "disturb.h"
#include "holders.h"
#include "move.h"
#include "slab.h"
#include "soak.h"

#define WARM_UP		10
#define PER_EVENT	10	/* one in this many is disturbed */
#define PER_CANCEL	5	/* and one in this many is cancelled */

/* This takes a while, so that a command is in flight at any moment. */
#define SLOW		"lm-suspend-delay-ms=200\nlm-resume-delay-ms=200\nlm-command-us=30000"
#define QUICK		"lm-suspend-delay-ms=0\nlm-resume-delay-ms=0\nlm-command-us=0"
#define SLOW_PAD	"\nlm-pad=300000"	/* several commands */
#define QUICK_PAD	"\nlm-pad=0"

/**
 * struct pair - two VFs and a guest
 * @dev: the VFs
 * @at: which ones
 * @w: the guest
 * @side: where it is
 * @slow_us: how long a slow migration takes undisturbed
 */
struct pair {
	struct vfio_dev dev[2];
	struct place at[2];
	struct workload *w;
	unsigned int side;
	unsigned int slow_us;
};

/* how far a migration got, by the end that failed */
enum how_far { AT_SOURCE, AT_DESTINATION, LET_RUN, ARRIVED };

struct outcome {
	enum how_far how_far;
	uint64_t read_us;	/* when the source's state had been read */
	int err;
};

static struct vfio_dev *guests_vf(struct pair *p)
{
	return &p->dev[p->side];
}

static struct vfio_dev *other_vf(struct pair *p)
{
	return &p->dev[!p->side];
}

static struct outcome try_to_move(struct pair *p)
{
	struct vfio_dev *from = guests_vf(p), *to = other_vf(p);
	struct outcome o = { .how_far = AT_SOURCE };
	struct mig_stream s = { 0 };
	uint64_t sum;

	o.err = mig_stop(from, NULL);
	sum = workload_sum(p->w);
	if (!o.err)
		o.err = mig_save(from, &s, NULL);
	if (o.err)
		goto out;
	check(s.len, "expected a state, the stream is empty");
	o.read_us = now_us();

	o.how_far = AT_DESTINATION;
	o.err = mig_load(to, &s, 0, NULL);
	check(workload_sum(p->w) == sum, "memory changed although no VF runs");
	if (o.err)
		goto out;

	o.how_far = LET_RUN;
	must(nvme_rebind(&p->w->ctrl, to));
	o.err = mig_start(to, NULL);
	if (o.err)
		goto out;
	state_is(to, MIG_RUNNING);
	o.how_far = ARRIVED;
	p->side = !p->side;
out:
	mig_stream_free(&s);
	return o;
}

static void guest_is_well(struct pair *p)
{
	workload_check(p->w);
}

/* the destination of the next one must not have been in use */
static void ready(struct vfio_dev *dev)
{
	must(vfio_reset(dev));
	state_is(dev, MIG_RUNNING);
	must(vfio_irq_enable(dev, dev->nvec < BED_VECTORS ? dev->nvec :
			     BED_VECTORS));
}

static void once(struct pair *p)
{
	struct outcome o;

	workload_fill(p->w, 30);
	o = try_to_move(p);
	must(o.err);
	guest_is_well(p);
	ready(other_vf(p));
}

/* Nobody has to do anything: it was resumed, and runs. */
static void goes_on(struct pair *p)
{
	must(vfio_mig_set(guests_vf(p), MIG_RUNNING, NULL));
	check(model_vf_is(p->at[p->side], "running"),
	      "the source is in RUNNING, and its VF does not run");
	guest_is_well(p);
}

/* all of the state has been read, and nobody loads it */
static void cancelled(struct pair *p)
{
	struct mig_stream s = { 0 };

	workload_fill(p->w, 30);
	must(mig_stop(guests_vf(p), NULL));
	must(mig_save(guests_vf(p), &s, NULL));
	mig_stream_free(&s);
	goes_on(p);
}

static void be_slow(bool slow)
{
	/* a whole state of the vendor set has to fit one command */
	bool pad = bed.set == SET_STANDARD;
	int pf;

	for (pf = 0; pf < 2; pf++)
		model_set(pf, "%s%s", slow ? SLOW : QUICK,
			  pad ? slow ? SLOW_PAD : QUICK_PAD : "");
}

static void measure(struct pair *p)
{
	uint64_t t0;

	be_slow(true);
	t0 = now_us();
	once(p);
	p->slow_us = now_us() - t0;
	be_slow(false);
}

static void put_in(struct vfio_dev *dev, const struct workload *w)
{
	must(vfio_dma_map(dev, &w->mem));
}

/* The guest is lost. A new one starts on the same VF, which stays open. */
static void new_guest(struct pair *p)
{
	struct workload *old = p->w;
	unsigned int i;

	p->w = workload_new();
	for (i = 0; i < 2; i++) {
		must(vfio_dma_unmap(&p->dev[i], &old->mem));
		put_in(&p->dev[i], p->w);
		ready(&p->dev[i]);
	}
	workload_free(old);
	workload_start(p->w, guests_vf(p), NULL);
}

/* a sensible errno, and what holds in ERROR */
static void failed_well(struct vfio_dev *dev, const struct outcome *o)
{
	unsigned int state;

	check(sane_errno(o->err) || o->err == -EAGAIN,
	      "expected a sensible errno, got %d", o->err);
	must(vfio_mig_get(dev, &state));
	check(state < MIG_NR, "state %u does not exist", state);
	if (state == MIG_ERROR)
		check_eq(vfio_mig_set(dev, MIG_RUNNING, NULL), -EINVAL,
			 "an arc from ERROR");
}

/* The source was not disturbed: its guest goes on there. */
static void go_on_at_source(struct pair *p)
{
	goes_on(p);
	ready(other_vf(p));
}

/*
 * The PF of one end was reset, or lost its driver for a moment: its VFs went
 * offline. @hit: the PF of the source, or else that of the destination.
 */
static void after_loss(struct pair *p, const struct disturb *d,
		       const struct outcome *o, bool hit_source)
{
	/* the end that was not disturbed has no reason to fail */
	if (o->how_far == AT_SOURCE)
		check(hit_source, "the source was not disturbed, and failed: %d (%s)",
		      o->err, lib_msg());
	if (o->how_far == AT_DESTINATION || o->how_far == LET_RUN)
		check(!hit_source, "the destination was not disturbed, and failed: %d (%s)",
		      o->err, lib_msg());

	switch (o->how_far) {
	case ARRIVED:
		/* it had already left */
		if (hit_source && d->began_us > o->read_us) {
			guest_is_well(p);
			ready(other_vf(p));
			return;
		}
		break;
	case AT_DESTINATION:
		failed_well(other_vf(p), o);
		go_on_at_source(p);
		return;
	case LET_RUN:
		/* it may have run there for a moment */
		failed_well(other_vf(p), o);
		break;
	case AT_SOURCE:
		failed_well(guests_vf(p), o);
		break;
	}
	new_guest(p);
}

/* One VF is removed, and comes back once its user has left. */
static void after_taking(struct pair *p, struct disturb *d,
			 const struct outcome *o, unsigned int side)
{
	struct vfio_dev *dev = &p->dev[side];

	check(!o->err, "a VF that is waited for does not migrate any more: %d (%s)",
	      o->err, lib_msg());
	guest_is_well(p);
	check(!d->taking.done, "nobody waited for the VF's user");
	vfio_close(dev);
	disturb_end(d);
	bed_open(dev, p->at[side], &p->w->mem);
	state_is(dev, MIG_RUNNING);
	if (side != p->side)
		guest_is_well(p);
	else
		new_guest(p);
}

static void disturbed(struct pair *p, enum disturb_kind kind, bool hit_source)
{
	unsigned int side = hit_source ? p->side : !p->side;
	unsigned int delay = workload_random(p->w, p->slow_us + 1);
	struct disturb d;
	struct outcome o;

	be_slow(true);
	workload_fill(p->w, 30);
	disturb_start(&d, kind, p->at[side], delay);
	o = try_to_move(p);
	disturb_wait(&d);
	tap_note("%s at the %s, %u ms after the start: %s", disturb_name(kind),
		 hit_source ? "source" : "destination", delay / 1000,
		 o.how_far == ARRIVED ? "arrived" :
		 o.how_far == AT_SOURCE ? "failed at the source" :
		 o.how_far == AT_DESTINATION ? "failed at the destination" :
		 "failed when it was let run");
	if (disturb_takes(kind))
		after_taking(p, &d, &o, side);
	else
		after_loss(p, &d, &o, hit_source);
	be_slow(false);
}

static void row(struct pair *p, unsigned int n)
{
	while (n--) {
		once(p);
		if (!(n % PER_CANCEL))
			cancelled(p);
	}
	workload_event(p->w);
}

/* After each the next one has to work. @first: of the kinds. */
static void disturbed_row(struct pair *p, unsigned int n, unsigned int first)
{
	unsigned int i;

	measure(p);
	for (i = 0; i < n; i++) {
		disturbed(p, (first + i / 2) % DISTURB_KINDS, i % 2);
		once(p);
	}
	workload_event(p->w);
}

static void in_a_row(const void *arg)
{
	unsigned int n = *(const unsigned int *)arg, first;
	struct holders before = holders_now();
	struct pair p = { .at = { VF_A, VF_C } };
	static struct slab slab;

	p.w = pair_open(&p.dev[0], VF_A, &p.dev[1], VF_C, NULL);
	row(&p, WARM_UP);
	slab_take(&slab);
	row(&p, n);
	slab_compare(&slab, n);

	/* a few are only of some kinds, the next time of others */
	first = workload_random(p.w, DISTURB_KINDS);
	disturbed_row(&p, n / PER_EVENT, first);
	vfio_close(&p.dev[0]);
	vfio_close(&p.dev[1]);
	holders_gone(&before);
	tap_note("%lu pieces compared", p.w->checked);
}

const struct tap_case *soak_cases(unsigned int migrations)
{
	static unsigned int n;
	static char name[48];
	static struct tap_case cases[2];

	/* back and forth: it ends where it began */
	n = migrations + migrations % 2;
	snprintf(name, sizeof(name), "%u migrations in a row", n);
	cases[0] = (struct tap_case){
		.name = name, .fn = in_a_row, .arg = &n,
		.limit_s = 300 + 6 * n,
		/* for what was given up, aborted or refused */
		.log = "",
	};
	return cases;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-together.c - a guest with four VFs of two drives, moved there and back many
 * times with I/O in flight on each. All VFs are stopped before the first is saved,
 * one after the other; then each state is saved and loaded by a thread of its own,
 * so that they meet in any order; then they are let run, one after the other. The
 * orders are drawn anew each time. All data is verified after each migration.
 */
#include <pthread.h>
#include <stdio.h>

#include "holders.h"
#include "move.h"
#include "slab.h"
#include "together.h"

#define VFS		4u
#define WARM_UP		5u	/* round trips, before what the kernel holds is counted */
#define NOTES		10u	/* of how far it came */
#define IN_FLIGHT	20u	/* commands on each queue */

/* Bytes that are added to the states of the two drives' VFs */
#define SMALL		"lm-pad=64000"
#define LARGE		"lm-pad=16777216"

/**
 * struct seat - one VF of the guest, and where it goes to and comes back from
 * @dev: the VFs at both ends
 * @at: which ones
 * @w: what the guest does with it
 * @sum: of its memory when all were stopped
 * @thread: that moves it
 */
struct seat {
	struct vfio_dev dev[2];
	struct place at[2];
	struct workload *w;
	uint64_t sum;
	pthread_t thread;
};

/**
 * struct party - the guest
 * @seat: its VFs
 * @side: where it is
 * @bytes: of state that were moved
 */
struct party {
	struct seat seat[VFS];
	unsigned int side;
	uint64_t bytes;
};

/* the drives differ by the size of their VFs' states: each VF stays on one */
static const struct place PLACES[VFS][2] = {
	{ { 0, 0 }, { 0, 2 } },
	{ { 1, 0 }, { 1, 2 } },
	{ { 0, 1 }, { 0, 3 } },
	{ { 1, 1 }, { 1, 3 } },
};

struct errand {
	struct seat *seat;
	unsigned int side;
	uint64_t bytes;
};

/* the next of 0 ... VFS - 1 in an order by chance */
static void draw_order(struct workload *w, unsigned int *order)
{
	unsigned int i;

	for (i = 0; i < VFS; i++) {
		unsigned int j = workload_random(w, i + 1);

		order[i] = order[j];
		order[j] = i;
	}
}

static void *carry(void *arg)
{
	struct errand *e = arg;
	struct seat *s = e->seat;
	struct mig_stream stream = { 0 };

	must(mig_save(&s->dev[e->side], &stream, NULL));
	e->bytes = stream.len;
	must(mig_load(&s->dev[!e->side], &stream, 0, NULL));
	mig_stream_free(&stream);
	return NULL;
}

/* the place that was left takes the VF in the next time */
static void *look_after(void *arg)
{
	struct errand *e = arg;
	struct seat *s = e->seat;
	struct vfio_dev *old = &s->dev[!e->side];

	workload_check(s->w);
	must(vfio_reset(old));
	state_is(old, MIG_RUNNING);
	must(vfio_irq_enable(old, old->nvec < BED_VECTORS ? old->nvec :
			     BED_VECTORS));
	return NULL;
}

/* all at once, and wait for all */
static void each(struct party *p, void *(*what)(void *arg))
{
	struct errand e[VFS];
	unsigned int i;

	for (i = 0; i < VFS; i++) {
		e[i] = (struct errand){ &p->seat[i], p->side, 0 };
		check(!pthread_create(&p->seat[i].thread, NULL, what, &e[i]),
		      "no thread");
	}
	for (i = 0; i < VFS; i++) {
		pthread_join(p->seat[i].thread, NULL);
		p->bytes += e[i].bytes;
	}
}

static void trip(struct party *p)
{
	unsigned int stop[VFS], start[VFS], i;
	struct seat *s;

	draw_order(p->seat[0].w, stop);
	draw_order(p->seat[0].w, start);
	for (i = 0; i < VFS; i++)
		workload_fill(p->seat[i].w, IN_FLIGHT);
	for (i = 0; i < VFS; i++)
		must(mig_stop(&p->seat[stop[i]].dev[p->side], NULL));
	for (i = 0; i < VFS; i++)
		p->seat[i].sum = workload_sum(p->seat[i].w);
	each(p, carry);
	for (i = 0; i < VFS; i++) {
		s = &p->seat[start[i]];
		check(workload_sum(s->w) == s->sum,
		      "memory changed although no VF runs");
		must(nvme_rebind(&s->w->ctrl, &s->dev[!p->side]));
		must(mig_start(&s->dev[!p->side], NULL));
		state_is(&s->dev[!p->side], MIG_RUNNING);
	}
	p->side = !p->side;
	each(p, look_after);
}

static void round_trip(struct party *p)
{
	trip(p);
	trip(p);
}

static void be_of_kinds(void)
{
	bool carries = bed.set == SET_STANDARD;

	/* a whole state of the vendor set has to fit one command */
	model_set(0, "%s", carries ? SMALL : "lm-pad=0");
	model_set(1, "%s", carries ? LARGE : "lm-pad=0");
}

static void round_trips(const void *arg)
{
	unsigned int n = *(const unsigned int *)arg, i;
	struct holders before = holders_now();
	static struct slab slab;
	static struct party p;
	unsigned long pieces = 0;
	uint64_t began, us;

	be_of_kinds();
	for (i = 0; i < VFS; i++) {
		struct workload_opts own = { .skip = i * UNITS };
		struct seat *s = &p.seat[i];

		s->at[0] = PLACES[i][0];
		s->at[1] = PLACES[i][1];
		s->w = pair_open(&s->dev[0], s->at[0], &s->dev[1], s->at[1],
				 &own);
	}
	for (i = 0; i < WARM_UP; i++)
		round_trip(&p);
	slab_take(&slab);
	began = now_us();
	for (i = 0; i < n; i++) {
		round_trip(&p);
		if (!((i + 1) % (n / NOTES + 1)))
			tap_note("%u round trips, %llu s", i + 1,
				 (unsigned long long)(now_us() - began) / 1000000);
	}
	us = now_us() - began;
	slab_compare(&slab, 2 * n);
	for (i = 0; i < VFS; i++) {
		workload_event(p.seat[i].w);
		pieces += p.seat[i].w->checked;
		vfio_close(&p.seat[i].dev[0]);
		vfio_close(&p.seat[i].dev[1]);
	}
	holders_gone(&before);
	tap_note("%u round trips of %u VFs in %llu s, %llu MiB of states, %lu pieces compared",
		 n, VFS, (unsigned long long)us / 1000000,
		 (unsigned long long)p.bytes >> 20, pieces);
}

const struct tap_case *together_cases(unsigned int trips)
{
	static unsigned int n;
	static char name[64];
	static struct tap_case cases[2];

	n = trips;
	snprintf(name, sizeof(name), "%u round trips of a guest with %u VFs", n,
		 VFS);
	cases[0] = (struct tap_case){
		.name = name, .fn = round_trips, .arg = &n,
		.limit_s = 300 + 20 * n,
	};
	return cases;
}

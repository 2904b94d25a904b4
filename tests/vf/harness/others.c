// SPDX-License-Identifier: GPL-2.0-only
/*
 * others.c - the other VFs of a drive at work.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "bed-vfs.h"
#include "move.h"
#include "others.h"

#define OTHERS		8
#define AT_ONCE		4	/* commands on each queue */
#define PAUSE_US	10000	/* nine of them leave a processor time */
#define MORE_ROUNDS	2

struct neighbour {
	struct vfio_dev dev;
	struct workload *w;
	pthread_t thread;
	atomic_uint rounds;
	unsigned int mark;
};

static struct neighbour others[OTHERS];
static int nothers;
static atomic_bool stop;

static void *other_main(void *arg)
{
	struct neighbour *o = arg;

	while (!stop) {
		workload_fill(o->w, AT_ONCE);
		workload_drain(o->w);
		o->rounds++;
		sleep_us(PAUSE_US);
	}
	return NULL;
}

void others_start(void)
{
	int i;

	nothers = bed.pf[0].nvfs - 1;
	if (nothers > OTHERS)
		nothers = OTHERS;
	check(nothers > 0, "the drive has one VF only");
	for (i = 0; i < nothers; i++) {
		/* VF_A has the first pieces */
		struct workload_opts opts = {
			.queues = 2, .skip = (i + 1) * UNITS
		};
		struct neighbour *o = &others[i];

		o->w = solo_open(&o->dev, (struct place){ 0, i + 1 }, &opts);
		check(!pthread_create(&o->thread, NULL, other_main, o),
		      "no thread");
	}
	tap_note("%d other VFs at work", nothers);
}

void others_mark(void)
{
	int i;

	for (i = 0; i < nothers; i++)
		others[i].mark = others[i].rounds;
}

void others_did(void)
{
	unsigned int least = ~0u;
	int i;

	for (i = 0; i < nothers; i++) {
		unsigned int n = others[i].rounds - others[i].mark;

		check(n, "%s has done no I/O meanwhile", others[i].dev.bdf);
		if (n < least)
			least = n;
	}
	tap_note("each of %d other VFs has done %u rounds of I/O at least",
		 nothers, least);
}

void others_stop(void)
{
	int i;

	others_mark();
	for (i = 0; i < nothers; i++)
		while (others[i].rounds - others[i].mark < MORE_ROUNDS)
			sleep_us(1000);
	stop = true;
	for (i = 0; i < nothers; i++)
		pthread_join(others[i].thread, NULL);
	check(vfs_online(0), "not all VFs are online: the PF was reset");
	for (i = 0; i < nothers; i++) {
		workload_check(others[i].w);
		vfio_close(&others[i].dev);
	}
}

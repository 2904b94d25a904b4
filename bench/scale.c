// SPDX-License-Identifier: GPL-2.0-only
/*
 * scale.c - VFs of one PF that migrate at once, to VFs of another. Commands of
 * one PF take turns; nothing else should.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define KIB	1024ull

/**
 * struct racer - one VF of them
 * @c: must be first
 * @start, @end: of its downtime, microseconds
 * @cpu: of the thread, in it
 * @size: bytes of state
 */
struct racer {
	struct carrier c;
	uint64_t start;
	uint64_t end;
	uint64_t cpu;
	uint64_t size;
};

static pthread_barrier_t all;

/*
 * nobody starts before all are ready, and nobody cleans up before all are done
 */
static void race_turn(struct carrier *c, enum side side)
{
	struct racer *r = (struct racer *)c;

	if (side == SOURCE && !r->start) {
		pthread_barrier_wait(&all);
		r->cpu = cpu_us(false);
		r->start = now_us();
	} else if (side == NOBODY) {
		r->end = now_us();
		r->cpu = cpu_us(false) - r->cpu;
		pthread_barrier_wait(&all);
	}
}

static void *race(void *arg)
{
	struct racer *r = arg;
	struct downtime t;

	r->start = 0;
	carrier_move(&r->c, &t);
	return NULL;
}

static void report(const struct racer *r, unsigned int n, uint64_t baseline)
{
	uint64_t first = r->start, last = 0, cpu = 0, longest = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		uint64_t us = r[i].end - r[i].start;

		first = r[i].start < first ? r[i].start : first;
		last = r[i].end > last ? r[i].end : last;
		longest = us > longest ? us : longest;
		cpu += r[i].cpu;
	}
	printf("{\"figure\": \"scale\", \"set\": \"%s\", \"n\": %u, \"size\": %llu, \"us\": %llu, \"baseline\": %llu, \"longest\": %llu, \"cpu\": %llu}\n",
	       bed_set_name(bed.set), n, (unsigned long long)r->size,
	       (unsigned long long)(last - first), (unsigned long long)baseline,
	       (unsigned long long)longest, (unsigned long long)cpu);
	fflush(stdout);
}

static void once(struct racer *r, unsigned int n, bool show)
{
	pthread_t *thread = calloc(n, sizeof(*thread));
	uint64_t baseline = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		baseline += carrier_baseline(&r[i].c, r[i].size, NULL);
	pthread_barrier_init(&all, NULL, n);
	for (i = 0; i < n; i++)
		check(!pthread_create(&thread[i], NULL, race, &r[i]),
		      "no thread");
	for (i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	pthread_barrier_destroy(&all);
	free(thread);
	if (show)
		report(r, n, baseline);
}

static void measure(unsigned int n, unsigned int times, uint64_t want)
{
	struct racer *r = calloc(n, sizeof(*r));
	unsigned int i;

	for (i = 0; i < n; i++) {
		r[i].size = carrier_open(&r[i].c, (struct place){ 0, i },
					 (struct place){ 1, i }, want);
		r[i].c.turn = race_turn;
	}
	once(r, n, false);
	for (i = 0; i < times; i++)
		once(r, n, true);
	for (i = 0; i < n; i++)
		carrier_close(&r[i].c);
	free(r);
}

/* arguments: repetitions, KiB of state, numbers of VFs */
void scale_run(char **argv)
{
	unsigned int times = atoi(*argv++);
	uint64_t want = strtoull(*argv++, NULL, 10) * KIB;

	for (; *argv; argv++)
		measure(atoi(*argv), times, want);
}

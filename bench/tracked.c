// SPDX-License-Identifier: GPL-2.0-only
/*
 * tracked.c - the downtime without PRE_COPY, and what the log of the VF's
 * writes to memory adds to it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "vfio_log.h"

#define KIB	1024ull

/* what the VF had begun is written, and only commands from now on count */
static void zero(struct carrier *c)
{
	usleep(5000);
	model_zero(c->at[0].pf);
	model_zero(c->at[1].pf);
}

static void measure(uint64_t want, unsigned int reports, unsigned int times)
{
	uint64_t size, baseline;
	struct carrier c;
	struct downtime t;
	unsigned int i;

	size = carrier_open(&c, VF_A, VF_C, want);
	check(vfio_log_supported(&c.dev[0]), "no dirty tracking here");
	c.reports = reports;
	c.last_words = zero;
	for (i = 0; i <= times; i++) {
		baseline = carrier_baseline(&c, size, NULL);
		carrier_move(&c, &t);
		if (!i)
			continue;
		printf("{\"figure\": \"tracked\", \"set\": \"%s\", \"reports\": %u, \"want\": %llu, \"size\": %llu, \"step\": %u, \"commands\": %lu, \"identify\": %lu, \"us\": %llu, \"report\": %llu, \"baseline\": %llu}\n",
		       bed_set_name(bed.set), reports, (unsigned long long)want,
		       (unsigned long long)size, c.port[0].step, t.commands, t.identify,
		       (unsigned long long)t.us, (unsigned long long)t.report,
		       (unsigned long long)baseline);
		fflush(stdout);
	}
	carrier_close(&c);
}

/*
 * arguments: repetitions, microseconds a command, MiB of data a second, reports,
 * sizes in KiB
 */
void tracked_run(char **argv)
{
	unsigned int times = atoi(*argv++), us = atoi(*argv++), reports;

	bench_pace(us, atoi(*argv++));
	reports = atoi(*argv++);
	for (; *argv; argv++)
		measure(strtoull(*argv, NULL, 10) * KIB, reports, times);
	bench_pace(0, 0);
}

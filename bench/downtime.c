// SPDX-License-Identifier: GPL-2.0-only
/*
 * downtime.c - how long a guest is stopped for its VF, compared with the time
 * that the commands alone take.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define KIB	1024ull

/* commands take time of their own */
static bool paced;

static void measure(uint64_t want, unsigned int times)
{
	struct carrier c;
	uint64_t size, baseline, cpu;
	struct downtime t;
	unsigned int i;

	size = carrier_open(&c, VF_A, VF_C, want);
	/* everything is slow in an emulator the first time */
	carrier_baseline(&c, size, &cpu);
	carrier_move(&c, &t);
	for (i = 0; i < times; i++) {
		baseline = carrier_baseline(&c, size, &cpu);
		carrier_move(&c, &t);
		printf("{\"figure\": \"downtime\", \"set\": \"%s\", \"paced\": %d, \"want\": %llu, \"size\": %llu, \"stream\": %llu, \"us\": %llu, \"baseline\": %llu, \"stop\": %llu, \"read\": %llu, \"load\": %llu, \"run\": %llu, \"cpu\": %llu, \"baseline_cpu\": %llu}\n",
		       bed_set_name(bed.set), paced, (unsigned long long)want,
		       (unsigned long long)size, (unsigned long long)t.bytes,
		       (unsigned long long)t.us, (unsigned long long)baseline,
		       (unsigned long long)t.stop, (unsigned long long)t.read,
		       (unsigned long long)t.load, (unsigned long long)t.run,
		       (unsigned long long)t.cpu, (unsigned long long)cpu);
		fflush(stdout);
	}
	carrier_close(&c);
}

void bench_pace(unsigned int us, unsigned int mib_per_s)
{
	int pf;

	for (pf = 0; pf < bed.npf; pf++)
		model_set(pf, "lm-command-us=%u\nlm-mib-per-s=%u\n", us,
			  mib_per_s);
	paced = us || mib_per_s;
}

/* arguments: repetitions, microseconds a command, MiB of data a second, sizes in KiB */
void downtime_run(char **argv)
{
	unsigned int times = atoi(*argv++), us = atoi(*argv++);

	bench_pace(us, atoi(*argv++));
	for (; *argv; argv++)
		measure(strtoull(*argv, NULL, 10) * KIB, times);
	bench_pace(0, 0);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * blackout.c - how long a guest stands still for its VF, beside the time that
 * the commands alone take.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define KIB	1024ull

static void measure(uint64_t want, unsigned int times)
{
	struct carrier c;
	uint64_t size, floor, cpu;
	struct blackout t;
	unsigned int i;

	size = carrier_open(&c, VF_A, VF_C, want);
	/* what is done for the first time is slow in an emulator */
	carrier_floor(&c, size, &cpu);
	carrier_move(&c, &t);
	for (i = 0; i < times; i++) {
		floor = carrier_floor(&c, size, &cpu);
		carrier_move(&c, &t);
		printf("{\"figure\": \"blackout\", \"set\": \"%s\", \"want\": %llu, \"size\": %llu, \"stream\": %llu, \"us\": %llu, \"floor\": %llu, \"stop\": %llu, \"read\": %llu, \"load\": %llu, \"run\": %llu, \"cpu\": %llu, \"floor_cpu\": %llu}\n",
		       bed_set_name(bed.set), (unsigned long long)want,
		       (unsigned long long)size, (unsigned long long)t.bytes,
		       (unsigned long long)t.us, (unsigned long long)floor,
		       (unsigned long long)t.stop, (unsigned long long)t.read,
		       (unsigned long long)t.load, (unsigned long long)t.run,
		       (unsigned long long)t.cpu, (unsigned long long)cpu);
		fflush(stdout);
	}
	carrier_close(&c);
}

/* arguments: repetitions, sizes in KiB */
void blackout_run(char **argv)
{
	unsigned int times = *argv ? atoi(*argv++) : 5;

	for (; *argv; argv++)
		measure(strtoull(*argv, NULL, 10) * KIB, times);
}

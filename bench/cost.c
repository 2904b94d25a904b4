// SPDX-License-Identifier: GPL-2.0-only
/*
 * cost.c - the countable costs of a migration: commands, allocations, bytes
 * copied, memory. The same on every run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "counters.h"

#define KIB	1024ull

static const char * const side_name[SIDES] = {
	[SOURCE_EARLY] = "source_early", [DEST_EARLY] = "dest_early",
	[SOURCE] = "source", [DEST] = "dest",
};

static struct counters counters[SIDES];
static enum side now;
static bool begun[SIDES];
static unsigned long sent;	/* commands in the downtime */

/* "count.41=4", which "count.41.0=1" and others are parts of; @only: of one opcode */
static unsigned long count(int pf, const char *only)
{
	char report[4096], *line, *at = report;
	unsigned long n = 0;

	must(pf_test_get(bed.pf[pf].name, report, sizeof(report)));
	while ((line = strsep(&at, "\n"))) {
		if (!strncmp(line, "count.", 6) && line[8] == '=' &&
		    (!only || !strncmp(line + 6, only, 2)))
			n += strtoul(line + 9, NULL, 0);
	}
	return n;
}

unsigned long commands_seen(int pf)
{
	return count(pf, NULL);
}

unsigned long identify_seen(int pf)
{
	return count(pf, "06");
}

static void begin(struct carrier *c, enum side side)
{
	enum side early = side == SOURCE ? SOURCE_EARLY : DEST_EARLY;

	/* what was prepared is still there */
	if (side >= SOURCE && !begun[side]) {
		counters[side].pages = counters[early].pages;
		counters[side].peak = counters[early].peak;
	}
	if (side == SOURCE && !begun[side]) {
		model_zero(c->at[0].pf);
		model_zero(c->at[1].pf);
	}
	begun[side] = true;
}

static void count_turn(struct carrier *c, enum side side)
{
	if (side == now)
		return;
	if (now != NOBODY)
		counters_stop(&counters[now]);
	/* later ones are for opening the VFs again */
	if (side == NOBODY)
		sent = commands_seen(0) + commands_seen(1);
	if (side != NOBODY) {
		begin(c, side);
		counters_start();
	}
	now = side;
}

static void measure(uint64_t want)
{
	struct downtime t;
	struct carrier c;
	unsigned int i;
	uint64_t size;

	size = carrier_open(&c, VF_A, VF_C, want);
	/* caches of the kernel fill on first use */
	carrier_move(&c, &t);
	carrier_move(&c, &t);
	memset(counters, 0, sizeof(counters));
	memset(begun, 0, sizeof(begun));
	now = NOBODY;
	c.turn = count_turn;
	carrier_move(&c, &t);
	printf("{\"figure\": \"cost\", \"set\": \"%s\", \"want\": %llu, \"size\": %llu, \"stream\": %llu, \"step\": %u, \"commands\": %lu",
	       bed_set_name(bed.set), (unsigned long long)want,
	       (unsigned long long)size, (unsigned long long)t.bytes,
	       c.port[0].step, sent);
	for (i = NOBODY + 1; i < SIDES; i++) {
		printf(", \"%s\": ", side_name[i]);
		counters_print(&counters[i]);
	}
	printf("}\n");
	fflush(stdout);
	carrier_close(&c);
}

/* arguments: sizes in KiB */
void cost_run(char **argv)
{
	counters_open();
	for (; *argv; argv++)
		measure(strtoull(*argv, NULL, 10) * KIB);
	counters_close();
}

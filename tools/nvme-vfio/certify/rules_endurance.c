// SPDX-License-Identifier: GPL-2.0-only
/*
 * rules_endurance.c - many moves one after the other; and how long commands take.
 */
#include "cert.h"

#define SAMPLES		20

static void rounds(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);
	unsigned int i, at = 0;

	if (c->nvf > 1)
		cert_open(c, 1, w);
	for (i = 0; i < 2 * c->rounds; i++) {
		unsigned int to = c->nvf > 1 ? !at : at;

		workload_fill(w, 8 + workload_random(w, 40));
		cert_move(c, w, at, to);
		workload_check(w);
		at = to;
	}
	workload_event(w);
}

/*
 * Every rule keeps the times of its commands; the commands of these are alike.
 */
static void times(struct cert *c, unsigned int load)
{
	struct workload *w = cert_guest(c, 0, NULL);
	unsigned int i;

	for (i = 0; i < SAMPLES; i++) {
		workload_drain(w);
		if (load)
			workload_fill(w, load);
		cert_move(c, w, 0, 0);
	}
	workload_check(w);
}

static void idle(struct cert *c)
{
	times(c, 0);
}

static void loaded(struct cert *c)
{
	times(c, 40);
}

const struct cert_rule cert_endurance[] = {
	{ "endure-rounds", "many moves with I/O in flight", "-",
	  CERT_MUST, CERT_BOTH | CERT_VF, 3600, rounds },
	{ }
};

const struct cert_rule cert_speed[] = {
	{ "speed-idle", "how long an idle VF takes to move", "-",
	  CERT_QUALITY, CERT_BOTH | CERT_VF, 600, idle },
	{ "speed-loaded", "how long a busy VF takes to move", "-",
	  CERT_QUALITY, CERT_BOTH | CERT_VF, 600, loaded },
	{ }
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * mig_trace.c - from events to what is going on.
 *
 * A VF stands still from the beginning of the step that leaves RUNNING or
 * PRE_COPY until the end of the step that leads back to one of them. A source
 * that has been read is gone as far as this host knows: its time stops with the
 * end of STOP_COPY, and what follows happens at the destination. There it
 * stands still from RESUMING on, because nothing else is seen of it.
 */
#include <stdio.h>
#include <string.h>

#include "mig_trace.h"

#define OP_IDENTIFY	0x06
#define OP_GET		0x42	/* Migration Receive: Get Controller State */
#define NOT_SUSPENDED	0x13a	/* status of Resume */

/* The time is what stands in front of the event's name. */
static bool when(const char *line, const char *name, uint64_t *us)
{
	unsigned long long sec, frac;
	const char *s = name;

	while (s > line && s[-1] == ' ')
		s--;
	while (s > line && s[-1] != ' ')
		s--;
	if (sscanf(s, "%llu.%6llu:", &sec, &frac) != 2)
		return false;
	*us = sec * 1000000 + frac;
	return true;
}

bool mig_event_parse(struct mig_event *e, const char *line)
{
	const char *s;

	memset(e, 0, sizeof(*e));
	s = strstr(line, " state_arc: ");
	if (s) {
		e->arc = true;
		return when(line, s, &e->us) &&
		       sscanf(s, " state_arc: vf=%31s from=%31s to=%31s now=%31s usecs=%lld ret=%d",
			      e->vf, e->from, e->to, e->now, &e->usecs,
			      &e->status) == 6;
	}
	s = strstr(line, " admin_cmd: ");
	return s && when(line, s, &e->us) &&
	       sscanf(s, " admin_cmd: vf=%31s opcode=%x cdw10=%x cdw11=%*x len=%llu usecs=%lld status=%d",
		      e->vf, &e->opcode, &e->cdw10, &e->len, &e->usecs,
		      &e->status) == 6;
}

bool mig_event_failed(const struct mig_event *e)
{
	if (!e->arc && e->status > 0 &&
	    (e->opcode == 0xcc ||
	     (e->opcode == 0x41 && (e->cdw10 & 0xff) == 1 &&
	      e->status == NOT_SUSPENDED)))
		return false;
	return e->status != 0;
}

static bool runs(const char *state)
{
	return !strcmp(state, "RUNNING") || !strcmp(state, "PRE_COPY");
}

/* Does the command carry state? */
static bool carries(const struct mig_event *e)
{
	switch (e->opcode) {
	case OP_GET:
	case 0xd2:	/* vendor set: SAVE_DATA */
	case 0xd5:	/* LOAD_DATA */
		return true;
	case 0x41:	/* Migration Send: Set Controller State is select 2 */
		return (e->cdw10 & 0xff) == 2;
	}
	return false;
}

static void begin(struct mig_trace *f, const char *role)
{
	f->role = role;
	f->bytes = 0;
	f->at_most = false;
	f->failed = 0;
	f->over = false;
	f->downtime_us = 0;
}

static void stop(struct mig_trace *f, const struct mig_event *e)
{
	if (f->stopped)
		return;
	f->stopped = true;
	f->over = false;
	f->since = e->us - e->usecs;
}

/* The VF was opened again: its last user left unnoticed. */
static void left(struct mig_trace *f, uint64_t us)
{
	if (!f->over)
		f->downtime_us = us - f->since;
	f->stopped = false;
	f->over = true;
	*f->state = 0;
}

static void add_arc(struct mig_trace *f, const struct mig_event *e)
{
	bool ran = runs(e->from), does = runs(e->now);

	f->failed += e->status != 0;
	snprintf(f->state, sizeof(f->state), "%s", e->now);
	if (e->status)
		return;
	if (ran && !does && !f->stopped) {
		if (strcmp(e->from, "PRE_COPY"))
			begin(f, "");
		stop(f, e);
	}
	if (!strcmp(e->now, "PRE_COPY") && !f->stopped)
		begin(f, "source");
	if (!strcmp(e->now, "STOP_COPY")) {
		f->role = "source";
	} else if (!strcmp(e->now, "RESUMING")) {
		begin(f, "destination");
		f->stopped = false;
		stop(f, e);
	} else if (!strcmp(e->from, "STOP_COPY")) {
		f->over = true;
		f->downtime_us = e->us - f->since;
	}
	if (does && f->stopped) {
		f->downtime_us = e->us - f->since;
		f->stopped = false;
		f->over = false;
	}
}

void mig_trace_add(struct mig_trace *f, const struct mig_event *e)
{
	if (!f->role)
		f->role = "";
	f->last_us = e->us;
	if (e->arc) {
		add_arc(f, e);
		return;
	}
	f->failed += mig_event_failed(e);
	if (!e->status && carries(e)) {
		f->bytes += e->len;
		f->at_most = f->at_most || e->opcode == OP_GET;
	}
	if (e->opcode == OP_IDENTIFY && f->stopped)
		left(f, e->us);
}

uint64_t mig_trace_downtime(const struct mig_trace *f, uint64_t now_us)
{
	if (!f->stopped || f->over || now_us < f->since)
		return f->downtime_us;
	return now_us - f->since;
}

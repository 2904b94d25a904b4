// SPDX-License-Identifier: GPL-2.0-only
/*
 * timeline.c - one migration, with the time of all that happens in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "ftrace.h"

#define KIB	1024ull
#define AROUND	4000		/* microseconds of I/O before and after */
#define MOST_IO	4096

static uint64_t zero;		/* when the stop began */

static void span(const char *row, const char *what, uint64_t from, uint64_t to)
{
	printf("{\"figure\": \"timeline\", \"row\": \"%s\", \"what\": \"%s\", \"from\": %lld, \"to\": %lld}\n",
	       row, what, (long long)(from - zero), (long long)(to - zero));
}

/* printed afterwards, so that nothing but the I/O takes time */
static struct {
	uint64_t from;
	uint64_t to;
} io[MOST_IO];
static unsigned int nio;

static uint64_t iova;

static void guest_runs(struct carrier *c)
{
	struct workload *w = c->w;
	struct nvme_queue *q = &w->ctrl.io[0];
	uint64_t t0 = now_us();

	while (now_us() - t0 < AROUND && nio < MOST_IO) {
		struct nvme_req req = { .cmd = {
			.opc = NVME_READ, .nsid = w->nsid, .prp1 = iova,
			.cdw12 = (UNIT >> w->lba_shift) - 1,
		} };

		io[nio].from = now_us();
		must(nvme_queue_add(q, &req));
		nvme_queue_ring(q);
		must(nvme_wait_done(&w->ctrl, q, &req, 10000));
		io[nio++].to = now_us();
	}
}

static const char *command_name(unsigned int opcode, unsigned int select)
{
	static const char * const sends[] = { "Suspend", "Resume", "Set" };

	switch (opcode) {
	case 0x41:
		return select < 3 ? sends[select] : "Send";
	case 0x42:
		return "Get";
	case 0xc4:
		return "Query size";
	case 0xc8:
		return "SUSPEND";
	case 0xcc:
		return "RESUME";
	case 0xd2:
		return "SAVE";
	case 0xd5:
		return "LOAD";
	}
	return "?";
}

struct names {
	const char *source;
};

static void event(void *arg, const char *text)
{
	const struct names *n = arg;
	const char *at = strstr(text, ": admin_cmd: "), *side;
	bool arc = !at;
	char what[96], from[24], to[24], row[32];
	double stamp;
	uint64_t end;

	if (arc)
		at = strstr(text, ": state_arc: ");
	if (!at)
		return;
	while (at > text && at[-1] != ' ')
		at--;
	stamp = strtod(at, NULL);
	end = stamp * 1e6 + .5;
	side = strstr(text, n->source) ? "source" : "destination";
	if (arc) {
		check(sscanf(strstr(at, "from="), "from=%23s to=%23s", from,
			     to) == 2, "trace: %s", text);
		snprintf(what, sizeof(what), "%s to %s", from, to);
		snprintf(row, sizeof(row), "%s arcs", side);
	} else {
		snprintf(what, sizeof(what), "%s",
			 command_name(ftrace_number(at, "opcode="),
				      ftrace_number(at, "cdw10=") & 0xff));
		snprintf(row, sizeof(row), "%s commands", side);
	}
	span(row, what, end - ftrace_number(at, "usecs="), end);
}

/* argument: KiB of state */
void timeline_run(char **argv)
{
	static const char * const events[] = {
		"nvme_vfio/admin_cmd", "nvme_vfio/state_arc", NULL
	};
	struct names names;
	struct downtime t;
	struct carrier c;
	uint64_t size;
	unsigned int i;

	size = carrier_open(&c, VF_A, VF_C, strtoull(*argv, NULL, 10) * KIB);
	check(dma_alloc(&c.w->mem, UNIT, &iova), "no memory");
	for (i = 0; i < 2; i++)
		carrier_move(&c, &t);
	ftrace_open(events, false);
	names.source = c.dev[c.now].bdf;
	c.last_words = guest_runs;
	ftrace_start();
	carrier_move_only(&c, &t);
	zero = t.start;
	guest_runs(&c);
	ftrace_stop(event, &names);
	ftrace_close();
	for (i = 0; i < nio; i++)
		span("guest I/O", "read", io[i].from, io[i].to);
	printf("{\"figure\": \"timeline\", \"row\": \"downtime\", \"what\": \"%llu bytes\", \"from\": 0, \"to\": %llu}\n",
	       (unsigned long long)size, (unsigned long long)t.us);
	carrier_arrived(&c);
	carrier_close(&c);
}

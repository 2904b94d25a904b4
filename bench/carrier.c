// SPDX-License-Identifier: GPL-2.0-only
/*
 * carrier.c - a workload that is moved between two VFs, by the driver or by
 * commands that bypass it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "vfio_log.h"

uint64_t cpu_us(bool all)
{
	struct timespec t;

	clock_gettime(all ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_THREAD_CPUTIME_ID,
		      &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

void *pages_new(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	check(p != MAP_FAILED, "no memory");
	memset(p, 0xa5, size);
	return p;
}

static void pad_both(const struct carrier *c, long pad)
{
	model_set(c->at[0].pf, "lm-pad=%ld", pad);
	if (c->at[1].pf != c->at[0].pf)
		model_set(c->at[1].pf, "lm-pad=%ld", pad);
}

/* all VFs see one namespace: nobody writes what others read */
static const struct workload_opts reader = { .readonly = true };

uint64_t carrier_open(struct carrier *c, struct place a, struct place b,
		      uint64_t size)
{
	uint64_t least;

	memset(c, 0, sizeof(*c));
	c->at[0] = a;
	c->at[1] = b;
	c->w = pair_open(&c->dev[0], a, &c->dev[1], b, &reader);
	port_open(&c->port[0], a);
	port_open(&c->port[1], b);
	pad_both(c, 0);
	least = port_size(&c->port[0]);
	if (size > least)
		pad_both(c, size - least);
	size = port_size(&c->port[0]);
	c->size = size;
	c->room = (size + 0xffff) & ~0xfffull;
	c->buf = pages_new(c->room);
	c->wire = wire_new();
	return size;
}

void carrier_close(struct carrier *c)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		vfio_close(&c->dev[i]);
		port_close(&c->port[i]);
	}
	workload_free(c->w);
	munmap(c->buf, c->room);
	wire_free(c->wire);
}

/* the workload is on the other VF now; the old one starts afresh */
void carrier_arrived(struct carrier *c)
{
	unsigned int old = c->now;

	c->now = !old;
	workload_check(c->w);
	again(c->w, &c->dev[old], c->at[old]);
	workload_burst(c->w, 1);
	workload_check(c->w);
}

/*
 * A drive is suspended when it has done what it had begun: that takes the drive,
 * not whoever asks, as long as its namespace is slow. Before any watch runs.
 */
#define DRAIN_US	5000

static void turn(struct carrier *c, enum side side)
{
	if (c->turn)
		c->turn(c, side);
}

/*
 * Everything that can be read now goes to the other side, piece by piece.
 * @early: the guest still runs
 */
static uint64_t pass(struct carrier *c, int from, int to, bool early,
		     struct downtime *t)
{
	uint64_t bytes = 0, t0, t1;

	for (;;) {
		ssize_t n;

		turn(c, early ? SOURCE_EARLY : SOURCE);
		t0 = now_us();
		n = read(from, c->wire->slot[0], WIRE_STEP);
		t1 = now_us();
		t->read += t1 - t0;
		if (n <= 0) {
			check_eq(n < 0 ? errno : 0, early ? ENOMSG : 0,
				 "end of the data");
			return bytes;
		}
		turn(c, early ? DEST_EARLY : DEST);
		t1 = now_us();
		must(mig_write(to, c->wire->slot[0], n, 0));
		t->load += now_us() - t1;
		bytes += n;
	}
}

static bool has_precopy(struct vfio_dev *dev)
{
	uint64_t flags;

	must(vfio_mig_flags(dev, &flags));
	return flags & VFIO_MIGRATION_PRE_COPY;
}

#define LOG_UNIT	4096ull

static void log_begin(struct carrier *c, struct vfio_dev *src)
{
	struct vfio_log_range all = { c->w->mem.iova, c->w->mem.size };
	uint64_t unit = LOG_UNIT;

	must(vfio_log_start(src, &all, 1, &unit));
	check_eq(unit, LOG_UNIT, "unit of the log");
}

/* a user asks section by section of its memory */
static void log_end(struct carrier *c, struct vfio_dev *src)
{
	uint64_t each = c->w->mem.size / LOG_UNIT / c->reports * LOG_UNIT;
	uint64_t map[512];
	unsigned int i;

	check(each && each / LOG_UNIT <= 64 * 512, "%u reports of %zu bytes",
	      c->reports, c->w->mem.size);
	for (i = 0; i < c->reports; i++) {
		memset(map, 0, sizeof(map));
		must(vfio_log_report(src, c->w->mem.iova + i * each, each,
				     LOG_UNIT, map));
	}
}

bool carrier_early(struct carrier *c, int *out, int *in)
{
	struct vfio_dev *src = &c->dev[c->now], *dst = &c->dev[!c->now];
	bool precopy = has_precopy(src);
	struct downtime none = { };
	uint64_t size;

	*out = -1;
	if (c->reports)
		log_begin(c, src);
	/* without PRE_COPY this is asked for while the guest runs */
	if (!precopy)
		must(vfio_mig_data_size(src, &size));
	turn(c, DEST_EARLY);
	must(vfio_mig_set(dst, MIG_RESUMING, in));
	if (precopy) {
		turn(c, SOURCE_EARLY);
		must(vfio_mig_set(src, MIG_PRE_COPY, out));
		pass(c, *out, *in, true, &none);
	}
	return precopy;
}

void carrier_move_only(struct carrier *c, struct downtime *t)
{
	struct vfio_dev *src = &c->dev[c->now], *dst = &c->dev[!c->now];
	int out, in, none;
	bool precopy = carrier_early(c, &out, &in);
	uint64_t t0, t1, t2, cpu;

	memset(t, 0, sizeof(*t));
	if (c->last_words)
		c->last_words(c);
	else
		usleep(DRAIN_US);

	turn(c, SOURCE);
	cpu = cpu_us(true);
	t0 = now_us();
	must(vfio_mig_set(src, MIG_STOP_COPY, precopy ? &none : &out));
	t->stop = now_us() - t0;
	if (c->reports) {
		log_end(c, src);
		t->report = now_us() - t0 - t->stop;
	}
	if (c->turn) {
		t->bytes = pass(c, out, in, false, t);
	} else {
		t->bytes = wire_carry(c->wire, out, in, c->size,
				      &t->read);
		t->load = c->wire->us;
	}
	turn(c, DEST);
	t1 = now_us();
	must(vfio_mig_set(dst, MIG_RUNNING, NULL));
	t2 = now_us();
	t->cpu = cpu_us(true) - cpu;
	t->start = t0;
	t->run = t2 - t1;
	t->us = t2 - t0;
	turn(c, NOBODY);
	t->commands = commands_seen(0) + commands_seen(1);
	t->identify = identify_seen(0) + identify_seen(1);

	close(in);
	close(out);
	if (c->reports)
		must(vfio_log_stop(src));
	must(nvme_rebind(&c->w->ctrl, dst));
}

void carrier_move(struct carrier *c, struct downtime *t)
{
	carrier_move_only(c, t);
	carrier_arrived(c);
}

uint64_t carrier_baseline(struct carrier *c, uint64_t size, uint64_t *cpu)
{
	struct port *from = &c->port[c->now], *to = &c->port[!c->now];
	uint64_t us, before;

	port_suspend(to);
	usleep(DRAIN_US);
	before = cpu_us(true);
	us = baseline_move(from, to, c->buf, size);
	if (cpu)
		*cpu = cpu_us(true) - before;
	must(nvme_rebind(&c->w->ctrl, &c->dev[!c->now]));
	carrier_arrived(c);
	return us;
}

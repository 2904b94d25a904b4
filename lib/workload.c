// SPDX-License-Identifier: GPL-2.0-only
/*
 * workload.c - what a guest would do with a VF.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "workload.h"

#define MEM_BYTES	(4 << 20)
#define MEM_IOVA	0x100000000ULL
#define IO_TIMEOUT_MS	15000
#define GRACE_US	20000

#define TEMP_NORMAL	0x157		/* above the temperature: no event */
#define TEMP_LOW	0x100		/* below it: an event */
#define AEC_TEMP	2u
#define EVENT_SMART	1
#define EVENT_TEMP	1

static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

unsigned int workload_random(struct workload *w, unsigned int n)
{
	return mix(++w->rng) % n;
}

/* content of a piece depends on its place and on how often it was written */
static void fill_unit(uint64_t *p, unsigned int unit, uint32_t gen)
{
	uint64_t x = mix((uint64_t)gen << 32 | unit);
	unsigned int i;

	for (i = 0; i < UNIT / 8; i++)
		p[i] = x += 0x9e3779b97f4a7c15ULL;
}

/* never 0, which stands for a piece that was not read */
static uint64_t sum_of(const uint64_t *p)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < UNIT / 8; i++)
		sum = mix(sum + p[i]);
	return sum ? sum : 1;
}

/* of data that is not ours: it must not change */
static void compare_unit(struct workload *w, const uint64_t *p,
			 unsigned int unit)
{
	uint64_t sum = sum_of(p);

	if (!w->sum[unit])
		w->sum[unit] = sum;
	check(w->sum[unit] == sum,
	      "namespace %u, piece %u: the data differs from the first read",
	      w->nsid, unit);
}

static void verify_unit(const uint64_t *p, unsigned int unit, uint32_t gen)
{
	uint64_t want[UNIT / 8];
	unsigned int i;

	fill_unit(want, unit, gen);
	for (i = 0; i < UNIT / 8; i++)
		check(p[i] == want[i],
		      "piece %u generation %u, byte %u: expected %016llx, read %016llx",
		      unit, gen, i * 8, (unsigned long long)want[i],
		      (unsigned long long)p[i]);
}

struct workload *workload_new(void)
{
	struct workload *w = calloc(1, sizeof(*w));

	check(w, "no memory");
	must(dma_mem_new(&w->mem, MEM_BYTES, MEM_IOVA));
	w->rng = now_us();
	return w;
}

void workload_free(struct workload *w)
{
	nvme_release(&w->ctrl);
	dma_mem_free(&w->mem);
	free(w);
}

static void arm_event(struct workload *w, unsigned int i)
{
	w->aer[i].cmd = (struct nvme_cmd){ .opc = NVME_ASYNC_EVENT };
	must(nvme_queue_add(&w->ctrl.admin, &w->aer[i]));
	nvme_queue_ring(&w->ctrl.admin);
}

static void make_queues(struct workload *w, const struct workload_opts *o)
{
	unsigned int i, n, nefd = w->ctrl.dev->nefd;

	must(nvme_io_limit(&w->ctrl, &n));
	if (n > 4)
		n = 4;
	if (o->queues && n > o->queues)
		n = o->queues;
	if (!o->poll && n > nefd - 1)
		n = nefd - 1;
	check(n, "the VF has no I/O queue: %u vectors", nefd);
	for (i = 0; i < n; i++)
		must(nvme_io_add(&w->ctrl, o->sq_size ? o->sq_size : 64,
				 o->cq_size ? o->cq_size : 64, !o->poll));
	if (o->shadow) {
		int err = nvme_shadow(&w->ctrl);

		if (err == -EOPNOTSUPP)
			expect_missing("%s", lib_msg());
		must(err);
	}
}

void workload_start(struct workload *w, struct vfio_dev *dev,
		    const struct workload_opts *opts)
{
	static const struct workload_opts plain;
	uint64_t blocks;
	unsigned int i;

	opts = opts ? opts : &plain;
	w->nsid = opts->nsid ? opts->nsid : 1;
	w->readonly = opts->readonly;
	w->skip = opts->skip;
	must(nvme_enable(&w->ctrl, dev, &w->mem, 32));
	must(nvme_identify(&w->ctrl, NVME_CNS_NS, w->nsid));
	memcpy(&blocks, w->ctrl.scratch, 8);
	/* data size of the format in use: byte 2 of the LBA format entry */
	w->lba_shift = w->ctrl.scratch[128 + 4 * (w->ctrl.scratch[26] & 15) + 2];
	check(w->lba_shift >= 9 && w->lba_shift <= 12 &&
	      blocks << w->lba_shift >= (uint64_t)(w->skip + UNITS) * UNIT,
	      "namespace %u (%llu blocks of 2^%u bytes) cannot be used",
	      w->nsid, (unsigned long long)blocks, w->lba_shift);
	must(nvme_set_feature(&w->ctrl, NVME_FEAT_TEMP, TEMP_NORMAL, NULL));
	must(nvme_set_feature(&w->ctrl, NVME_FEAT_AEC, AEC_TEMP, NULL));
	for (i = 0; i < WORKLOAD_AERS; i++)
		arm_event(w, i);
	make_queues(w, opts);
	for (i = 0; i < WORKLOAD_IOS && !w->io[i].buf; i++) {
		w->io[i].buf = dma_alloc(&w->mem, 2 * UNIT, &w->io[i].iova);
		check(w->io[i].buf, "%s", lib_msg());
	}
	workload_burst(w, 1);
}

static struct io *idle_io(struct workload *w)
{
	unsigned int i;

	for (i = 0; i < WORKLOAD_IOS; i++)
		if (!w->io[i].q)
			return &w->io[i];
	return NULL;
}

/* pieces that no other command touches now */
static bool pick_units(struct workload *w, struct io *io)
{
	unsigned int tries, i;

	for (tries = 0; tries < 1000; tries++) {
		unsigned int count = 1 + workload_random(w, 2);
		unsigned int unit = workload_random(w, UNITS - 1);

		if (w->busy[unit] || (count == 2 && w->busy[unit + 1]))
			continue;
		io->unit = unit;
		io->count = count;
		for (i = 0; i < count; i++)
			w->busy[unit + i] = true;
		return true;
	}
	return false;
}

static void release_io(struct workload *w, struct io *io)
{
	unsigned int i;

	for (i = 0; i < io->count; i++)
		w->busy[io->unit + i] = false;
	io->q = NULL;
}

static void build_io(struct workload *w, struct io *io, bool write)
{
	unsigned int per_unit = UNIT >> w->lba_shift;
	unsigned int i;

	for (i = 0; i < io->count; i++) {
		uint32_t *gen = &w->gen[io->unit + i];
		void *piece = io->buf + i * UNIT;

		io->gen[i] = write ? *gen + 1 : *gen;
		if (write)
			fill_unit(piece, w->skip + io->unit + i,
				  io->gen[i]);
		else
			memset(piece, 0xa5, UNIT);
	}
	io->req.cmd = (struct nvme_cmd){
		.opc = write ? NVME_WRITE : NVME_READ,
		.nsid = w->nsid,
		.prp1 = io->iova,
		.prp2 = io->count == 2 ? io->iova + UNIT : 0,
		.cdw10 = (w->skip + io->unit) * per_unit,
		.cdw12 = io->count * per_unit - 1,
	};
}

static bool all_written(const struct workload *w, const struct io *io)
{
	return w->gen[io->unit] && (io->count == 1 || w->gen[io->unit + 1]);
}

unsigned int workload_submit(struct workload *w, unsigned int queue,
			     unsigned int n, bool ring)
{
	struct nvme_queue *q = &w->ctrl.io[queue];
	unsigned int placed;

	for (placed = 0; placed < n; placed++) {
		struct io *io = idle_io(w);

		if (!io || !pick_units(w, io))
			break;
		build_io(w, io, !w->readonly &&
			 (!all_written(w, io) || workload_random(w, 2)));
		if (nvme_queue_add(q, &io->req)) {
			release_io(w, io);
			break;
		}
		io->q = q;
	}
	if (ring)
		nvme_queue_ring(q);
	return placed;
}

void workload_fill(struct workload *w, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < w->ctrl.nio; i++)
		workload_submit(w, i, n, false);
	for (i = 0; i < w->ctrl.nio; i++)
		nvme_queue_ring(&w->ctrl.io[i]);
}

void workload_stuff(struct workload *w, unsigned int n)
{
	unsigned int i, ms = 0;

	workload_fill(w, n);
	for (i = 0; i < w->ctrl.nio; i++) {
		while (!nvme_queue_pending(&w->ctrl.io[i])) {
			check(ms++ < IO_TIMEOUT_MS, "expected queue %u to hold completions",
			      i + 1);
			sleep_us(1000);
		}
	}
	/* as many as fit the completion queue; more is not needed */
	sleep_us(50000);
}

void workload_unseen(struct workload *w)
{
	unsigned int i, ms = 0;

	for (i = 0; i < w->ctrl.nio; i++)
		workload_submit(w, i, 1, true);
	for (i = 0; i < w->ctrl.nio; i++) {
		struct nvme_queue *q = &w->ctrl.io[i];

		while (!nvme_queue_pending(q) ||
		       vfio_irq_take(w->ctrl.dev, q->vector) < 1) {
			check(ms++ < IO_TIMEOUT_MS, "queue %u: a command did not complete, or did so without an interrupt",
			      i + 1);
			sleep_us(1000);
		}
	}
}

unsigned int workload_out(const struct workload *w)
{
	unsigned int i, n = 0;

	for (i = 0; i < w->ctrl.nio; i++)
		n += w->ctrl.io[i].cids.out;
	return n;
}

static void finish_io(struct workload *w, struct io *io)
{
	bool write = io->req.cmd.opc == NVME_WRITE;
	unsigned int i;

	check(!nvme_status(&io->req), "queue %u, %s of %u pieces at %u: status %x",
	      io->q->id, write ? "write" : "read", io->count, io->unit,
	      nvme_status(&io->req));
	for (i = 0; i < io->count; i++) {
		if (write) {
			w->gen[io->unit + i] = io->gen[i];
		} else {
			void *piece = io->buf + i * UNIT;

			if (w->readonly)
				compare_unit(w, piece, io->unit + i);
			else
				verify_unit(piece, w->skip + io->unit + i,
					    io->gen[i]);
			w->checked++;
		}
	}
	release_io(w, io);
}

void workload_collect(struct workload *w)
{
	unsigned int i;

	for (i = 0; i < WORKLOAD_IOS; i++)
		if (w->io[i].q && w->io[i].req.done)
			finish_io(w, &w->io[i]);
}

void workload_drain(struct workload *w)
{
	unsigned int i;

	for (i = 0; i < w->ctrl.nio; i++)
		must(nvme_wait_out(&w->ctrl, &w->ctrl.io[i], 0, IO_TIMEOUT_MS));
	workload_collect(w);
}

void workload_audit(struct workload *w)
{
	unsigned int i;

	sleep_us(GRACE_US);
	must(nvme_queue_audit(&w->ctrl.admin, WORKLOAD_AERS));
	for (i = 0; i < WORKLOAD_AERS; i++)
		check(!w->aer[i].done, "an async event arrived although none was raised");
	for (i = 0; i < w->ctrl.nio; i++)
		must(nvme_queue_audit(&w->ctrl.io[i], 0));
}

static bool known(const struct workload *w, unsigned int unit)
{
	return w->readonly ? w->sum[unit] : w->gen[unit];
}

/* read back all that was ever written or read, over all queues */
static void verify_all(struct workload *w)
{
	unsigned int unit = 0, queue = 0;

	while (unit < UNITS) {
		struct nvme_queue *q = &w->ctrl.io[queue];
		struct io *io;

		if (!known(w, unit)) {
			unit++;
			continue;
		}
		io = idle_io(w);
		if (io) {
			io->unit = unit;
			io->count = 1;
			build_io(w, io, false);
			if (!nvme_queue_add(q, &io->req)) {
				io->q = q;
				w->busy[unit] = true;
				unit++;
				if (unit % 32)
					continue;
			}
		}
		nvme_queue_ring(q);
		queue = (queue + 1) % w->ctrl.nio;
		if (!io || !queue)
			workload_drain(w);
	}
	for (queue = 0; queue < w->ctrl.nio; queue++)
		nvme_queue_ring(&w->ctrl.io[queue]);
	workload_drain(w);
}

void workload_check(struct workload *w)
{
	workload_drain(w);
	workload_audit(w);
	verify_all(w);
	workload_audit(w);
}

void workload_burst(struct workload *w, unsigned int rounds)
{
	while (rounds--) {
		workload_fill(w, 24);
		workload_drain(w);
	}
	workload_audit(w);
}

/* which request the device used; exactly one */
static unsigned int fired(struct workload *w)
{
	unsigned int i, n = 0, last = 0;

	for (i = 0; i < WORKLOAD_AERS; i++) {
		if (w->aer[i].done) {
			last = i;
			n++;
		}
	}
	check_eq(n, 1, "async event requests that completed");
	return last;
}

void workload_event(struct workload *w)
{
	struct nvme_ctrl *c = &w->ctrl;
	struct nvme_cmd log = {
		.opc = NVME_GET_LOG, .nsid = 0xffffffff,
		.prp1 = c->scratch_iova, .cdw10 = NVME_LOG_SMART | 127 << 16,
	};
	unsigned int i;
	uint32_t dw0;

	must(nvme_get_feature(c, NVME_FEAT_TEMP, &dw0));
	check_eq(dw0, TEMP_NORMAL, "temperature threshold feature");
	must(nvme_get_feature(c, NVME_FEAT_AEC, &dw0));
	check_eq(dw0, AEC_TEMP, "async event configuration feature");

	must(nvme_set_feature(c, NVME_FEAT_TEMP, TEMP_LOW, NULL));
	must(nvme_wait_out(c, &c->admin, WORKLOAD_AERS - 1, 5000));
	i = fired(w);
	check_eq(nvme_status(&w->aer[i]), 0, "status of the event");
	check_eq(w->aer[i].cqe.dw0 & 0xffffff,
		 EVENT_SMART | EVENT_TEMP << 8 | NVME_LOG_SMART << 16,
		 "event");
	must(nvme_set_feature(c, NVME_FEAT_TEMP, TEMP_NORMAL, NULL));
	sleep_us(GRACE_US);
	must(nvme_queue_audit(&c->admin, WORKLOAD_AERS - 1));
	must(nvme_admin(c, &log, NULL));	/* allows the next event */
	arm_event(w, i);
	workload_audit(w);
}

uint64_t workload_sum(const struct workload *w)
{
	const uint64_t *p = (const uint64_t *)w->mem.va;
	size_t i, n = w->mem.used / 8;
	uint64_t sum = 0;

	for (i = 0; i < n; i++)
		sum = (sum << 1 | sum >> 63) + p[i];
	return sum;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * cert_bed.c - the building blocks of rules: guests, states, moves.
 */
#include <endian.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cert.h"

#define VECTORS		5
#define QUIET_US	200000
#define HEADER		48
#define NAPS		3000	/* of a millisecond, until a guest takes completions */

void *cert_buf(size_t len)
{
	void *p = mmap(NULL, len ? len : 1, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	check(p != MAP_FAILED, "out of memory");
	return p;
}

void cert_is(struct cert *c, int got, int want, const char *what)
{
	(void)c;
	check(got >= 0, "%s: %s", what, strerror(-got));
	check(got == want, "%s: status %03xh, not %03xh", what, got, want);
}

void cert_refused(struct cert *c, int got, int want, const char *what)
{
	(void)c;
	check(got >= 0, "%s: %s", what, strerror(-got));
	check(got, "%s: succeeded instead of being refused", what);
	check(!want || got == want, "%s: status %03xh, not %03xh", what, got,
	      want);
}

static void interrupts(struct vfio_dev *dev)
{
	check(!vfio_irq_enable(dev, dev->nvec < VECTORS ? dev->nvec : VECTORS),
	      "%s", lib_msg());
}

void cert_open(struct cert *c, unsigned int i, struct workload *w)
{
	struct vfio_dev *dev = &c->dev[i];

	check(!vfio_open(dev, c->vf[i].bdf), "%s", lib_msg());
	check(!vfio_dma_map(dev, &w->mem), "%s", lib_msg());
	interrupts(dev);
}

struct workload *cert_guest(struct cert *c, unsigned int i,
			    const struct workload_opts *opts)
{
	struct workload_opts o = opts ? *opts : (struct workload_opts){ 0 };
	struct workload *w = workload_new();

	o.nsid = c->nsid;
	o.readonly = !c->write;
	/* VFs have the namespace in common. */
	o.skip = c->write ? i * UNITS : 0;
	cert_open(c, i, w);
	workload_start(w, &c->dev[i], &o);
	return w;
}

/* -- states -------------------------------------------------------------------- */

#define VND_QUERY	0xc4
#define VND_SAVE	0xd2
#define VND_LOAD	0xd5
#define STATE_MAX	(1u << 30)

static void vendor_save(struct cert *c, unsigned int vf, struct cert_state *s)
{
	struct cert_cmd query = { .name = "QUERY_DATA_SIZE",
		.kind = CERT_T_OTHER, .opcode = VND_QUERY,
		.cdw10 = c->vf[vf].vfn };
	struct cert_cmd save = { .name = "SAVE_DATA", .kind = CERT_T_GET,
		.opcode = VND_SAVE, .cdw10 = c->vf[vf].vfn };

	cert_is(c, cert_send(c, &query), 0, "QUERY_DATA_SIZE");
	s->len = query.result;
	check(s->len && s->len <= c->step,
	      "the state has %zu bytes, but one command carries only %u", s->len,
	      c->step);
	s->data = cert_buf(s->len + 3);
	save.data = s->data;
	save.len = (s->len + 3) & ~3u;
	cert_is(c, cert_send(c, &save), 0, "SAVE_DATA");
}

static uint64_t total(const uint8_t *header)
{
	uint64_t part[4];

	memcpy(part, header + 16, sizeof(part));
	check(!part[1] && !part[3], "the header gives a state of over 2^66 bytes");
	check(le64toh(part[0]) < STATE_MAX && le64toh(part[2]) < STATE_MAX,
	      "the header gives a state of over 4 GiB");
	return HEADER + 4 * (le64toh(part[0]) + le64toh(part[2]));
}

void cert_save(struct cert *c, unsigned int vf, struct cert_state *s)
{
	unsigned int version = c->format.index.version;
	unsigned int uuid = c->format.index.uuid;
	uint8_t *head;
	size_t at;
	bool csup;

	if (c->set == CERT_VENDOR) {
		vendor_save(c, vf, s);
		return;
	}
	head = cert_buf(CERT_PAGE);
	cert_is(c, cert_get(c, c->vf[vf].cntlid, version, uuid, 0, head,
			    HEADER, &csup), 0, "Get of the header");
	check(csup, "Get of a suspended VF does not set CSUP, bit 0 of dword 0");
	check(head[2] & 1, "the header of a suspended VF's state has CP clear");
	s->len = total(head);
	check(s->len <= STATE_MAX, "the state is too large: %zu bytes", s->len);
	s->data = cert_buf(s->len);
	for (at = 0; at < s->len; at += c->step) {
		uint32_t n = s->len - at < c->step ? s->len - at : c->step;

		cert_is(c, cert_get(c, c->vf[vf].cntlid, version, uuid, at,
				    s->data + at, n, &csup), 0, "Get");
		check(csup, "Get at %zu of a suspended VF does not set CSUP",
		      at);
	}
	check(!memcmp(head, s->data, HEADER),
	      "the header of the state differs when it is read again");
}

void cert_load(struct cert *c, unsigned int vf, const struct cert_state *s,
	       uint32_t step)
{
	struct cert_cmd load = { .name = "LOAD_DATA", .kind = CERT_T_SET,
		.opcode = VND_LOAD, .cdw10 = c->vf[vf].vfn, .cdw11 = s->len,
		.data = s->data, .len = (s->len + 3) & ~3u };
	size_t at;

	if (c->set == CERT_VENDOR) {
		cert_is(c, cert_send(c, &load), 0, "LOAD_DATA");
		return;
	}
	step = step ? step : c->step;
	for (at = 0; at < s->len; at += step) {
		uint32_t n = s->len - at < step ? s->len - at : step;

		cert_is(c, cert_set(c, c->vf[vf].cntlid,
				    c->format.index.version,
				    c->format.index.uuid,
				    (at ? 0 : 1) |
				    (at + n == s->len ? 2 : 0), at,
				    s->data + at, n), 0, "Set");
	}
}

/* -- guests that are moved --------------------------------------------------------- */

void cert_quiet(struct workload *w, unsigned int us)
{
	uint64_t sum = workload_sum(w);

	sleep_us(us);
	check(workload_sum(w) == sum, "memory changed while the VF was suspended");
}

static void again(struct cert *c, unsigned int i)
{
	struct vfio_dev *dev = &c->dev[i];

	check(!vfio_reset(dev), "%s", lib_msg());
	interrupts(dev);
}

/*
 * Interrupts that were raised belong to the guest, whatever becomes of the VF.
 */
static void again_for(struct cert *c, unsigned int i)
{
	struct vfio_dev *dev = &c->dev[i];
	int fired[VECTORS] = { 0 };
	unsigned int k, n = dev->nefd < VECTORS ? dev->nefd : VECTORS;

	for (k = 0; k < n; k++)
		fired[k] = vfio_irq_take(dev, k);
	again(c, i);
	for (k = 0; k < n; k++)
		if (fired[k] > 0)
			check(!vfio_irq_give(dev, k), "%s", lib_msg());
}

void cert_move_on(struct cert *c, struct workload *w, unsigned int from,
		  unsigned int to)
{
	struct cert_state s;
	uint64_t sum;

	cert_save(c, from, &s);
	/* Suspend of the vendor set may leave writes to its end to SAVE_DATA */
	cert_quiet(w, QUIET_US / 10);
	sum = workload_sum(w);
	if (from == to)
		again_for(c, from);
	cert_is(c, cert_suspend_vf(c, to), 0, "Suspend of the destination");
	cert_load(c, to, &s, 0);
	check(!nvme_rebind(&w->ctrl, &c->dev[to]), "%s", lib_msg());
	check(workload_sum(w) == sum,
	      "memory changed before the destination was resumed");
	cert_is(c, cert_resume_vf(c, to), 0, "Resume of the destination");
	if (from != to)
		again(c, from);
	munmap(s.data, s.len);
}

void cert_move(struct cert *c, struct workload *w, unsigned int from,
	       unsigned int to)
{
	cert_is(c, cert_suspend_vf(c, from), 0, "Suspend of the source");
	cert_move_on(c, w, from, to);
}

struct other {
	struct cert *c;
	unsigned int vf;
	int ret;
	volatile bool done;
};

static void *suspend_beside(void *arg)
{
	struct other *o = arg;

	o->ret = cert_suspend_vf(o->c, o->vf);
	o->done = true;
	return NULL;
}

bool cert_suspend_full(struct cert *c, unsigned int vf, struct workload *w)
{
	struct other o = { .c = c, .vf = vf };
	unsigned int i, naps = 0;
	pthread_t thread;
	bool waited = false;

	check(!pthread_create(&thread, NULL, suspend_beside, &o), "cannot start a thread");
	while (!o.done) {
		/*
		 * counted: a host that stood still says nothing about the drive
		 */
		if (++naps > NAPS) {
			waited = true;
			for (i = 0; i < w->ctrl.nio; i++)
				nvme_queue_reap(&w->ctrl.io[i], 0);
			workload_collect(w);
		}
		sleep_us(1000);
	}
	pthread_join(thread, NULL);
	cert_is(c, o.ret, 0, "Suspend with full completion queues");
	return waited;
}

void cert_works(struct cert *c, unsigned int i)
{
	struct workload_opts opts = { .nsid = c->nsid, .readonly = !c->write };
	struct workload *w = workload_new();

	vfio_close(&c->dev[i]);
	cert_open(c, i, w);
	workload_start(w, &c->dev[i], &opts);
	workload_burst(w, 2);
	workload_check(w);
}

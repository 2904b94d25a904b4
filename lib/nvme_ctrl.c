// SPDX-License-Identifier: GPL-2.0-only
/*
 * nvme_ctrl.c - a user-space NVMe driver on a VFIO device.
 */
#include <errno.h>
#include <string.h>

#include "nvme_ctrl.h"
#include "util.h"

#define ADMIN_TIMEOUT_MS	10000
#define IRQ_GRACE_MS		1000

/*
 * Limits are counted in naps. A machine that gets no processor time, such as an
 * emulated one beside others, naps for longer, which must not count.
 */
#define NAP_MS			10
#define READY_US		200
#define POLL_US			50

static volatile uint32_t *reg(struct nvme_ctrl *c, unsigned int off)
{
	return (volatile uint32_t *)(c->dev->bar + off);
}

uint32_t nvme_reg32(struct nvme_ctrl *c, unsigned int off)
{
	return *reg(c, off);
}

static void write64(struct nvme_ctrl *c, unsigned int off, uint64_t v)
{
	*reg(c, off) = v;
	*reg(c, off + 4) = v >> 32;
}

static void set_doorbells(struct nvme_ctrl *c, struct nvme_queue *q)
{
	q->sq_db = reg(c, NVME_DB + 2 * q->id * c->stride);
	q->cq_db = reg(c, NVME_DB + (2 * q->id + 1) * c->stride);
}

static int wait_ready(struct nvme_ctrl *c, unsigned int ready)
{
	int64_t left_us = c->timeout_ms * 1000LL;
	uint32_t csts;

	for (;;) {
		csts = nvme_reg32(c, NVME_CSTS);
		if (csts & NVME_CSTS_CFS)
			return lib_fail(-EIO, "%s: CSTS %x, offline or failed",
					c->dev->bdf, csts);
		if ((csts & NVME_CSTS_RDY) == ready)
			return 0;
		if (left_us <= 0)
			return lib_fail(-ETIMEDOUT, "%s: CSTS.RDY stays %x",
					c->dev->bdf, csts & NVME_CSTS_RDY);
		sleep_us(READY_US);
		left_us -= READY_US;
	}
}

static int new_queue(struct nvme_ctrl *c, struct nvme_queue *q, unsigned int id,
		     unsigned int sq_size, unsigned int cq_size)
{
	uint64_t sq_iova, cq_iova;
	void *sq, *cq;
	int err;

	sq = dma_alloc(c->mem, sq_size * sizeof(struct nvme_cmd), &sq_iova);
	cq = dma_alloc(c->mem, cq_size * sizeof(struct nvme_cqe), &cq_iova);
	if (!sq || !cq)
		return -ENOMEM;
	memset(cq, 0, cq_size * sizeof(struct nvme_cqe));
	err = nvme_queue_init(q, id, sq, sq_size, cq, cq_size);
	if (err)
		return err;
	q->sq_iova = sq_iova;
	q->cq_iova = cq_iova;
	set_doorbells(c, q);
	return 0;
}

int nvme_enable(struct nvme_ctrl *c, struct vfio_dev *dev, struct dma_mem *mem,
		unsigned int entries)
{
	uint32_t cap_lo, cap_hi;
	int err;

	memset(c, 0, sizeof(*c));
	c->dev = dev;
	c->mem = mem;
	cap_lo = nvme_reg32(c, NVME_CAP);
	cap_hi = nvme_reg32(c, NVME_CAP + 4);
	c->stride = 4u << (cap_hi & 15);
	c->timeout_ms = (cap_lo >> 24) * 500;
	if (c->timeout_ms < 5000)
		c->timeout_ms = 5000;

	*reg(c, NVME_CC) = 0;
	err = wait_ready(c, 0);
	if (err)
		return err;
	err = new_queue(c, &c->admin, 0, entries, entries);
	if (err)
		return err;
	c->admin.vector = dev->nefd ? 0 : -1;
	c->scratch = dma_alloc(mem, 4096, &c->scratch_iova);
	if (!c->scratch)
		return -ENOMEM;
	*reg(c, NVME_AQA) = (entries - 1) << 16 | (entries - 1);
	write64(c, NVME_ASQ, c->admin.sq_iova);
	write64(c, NVME_ACQ, c->admin.cq_iova);
	*reg(c, NVME_CC) = NVME_CC_ENABLE;
	return wait_ready(c, NVME_CSTS_RDY);
}

void nvme_release(struct nvme_ctrl *c)
{
	unsigned int i;

	for (i = 0; i < c->nio; i++)
		nvme_queue_free(&c->io[i]);
	nvme_queue_free(&c->admin);
	memset(c, 0, sizeof(*c));
}

int nvme_rebind(struct nvme_ctrl *c, struct vfio_dev *dev)
{
	struct vfio_dev *old = c->dev;
	unsigned int i;
	int err;

	if (dev->nefd < old->nefd)
		return lib_fail(-ENOSPC, "%s: %u vectors enabled, %s had %u",
				dev->bdf, dev->nefd, old->bdf, old->nefd);
	for (i = 0; i < old->nefd; i++) {
		int n = vfio_irq_take(old, i);

		if (n < 0)
			return lib_fail(n, "%s: vector %u", old->bdf, i);
		if (!n)
			continue;
		err = vfio_irq_give(dev, i);
		if (err)
			return lib_fail(err, "%s: vector %u", dev->bdf, i);
	}
	c->dev = dev;
	set_doorbells(c, &c->admin);
	for (i = 0; i < c->nio; i++)
		set_doorbells(c, &c->io[i]);
	return 0;
}

/*
 * Sleep for an interrupt, at most IRQ_GRACE_MS and *@left_us, from which it is
 * taken. Return: as vfio_irq_wait().
 */
static int irq_wait(struct nvme_ctrl *c, struct nvme_queue *q, int64_t *left_us)
{
	unsigned int ms;
	int n = 0;

	for (ms = 0; !n && ms < IRQ_GRACE_MS && *left_us > 0; ms += NAP_MS) {
		int64_t passed = now_us();

		n = vfio_irq_wait(c->dev, q->vector, NAP_MS);
		passed = now_us() - passed;
		*left_us -= passed < NAP_MS * 1000 ? passed : NAP_MS * 1000;
	}
	return n;
}

/* one round of waiting: sleep for an interrupt or a moment, then reap */
static int wait_round(struct nvme_ctrl *c, struct nvme_queue *q,
		      int64_t *left_us)
{
	int64_t grace_us = IRQ_GRACE_MS * 1000;
	int n;

	if (q->vector < 0) {
		if (nvme_queue_reap(q, 0))
			return 0;
		sleep_us(POLL_US);
		*left_us -= POLL_US;
		return 0;
	}
	n = irq_wait(c, q, left_us);
	if (n < 0)
		return lib_fail(n, "%s: wait for vector %d", c->dev->bdf,
				q->vector);
	if (!n && nvme_queue_pending(q)) {
		/* it may have come in the last moment: once more */
		n = irq_wait(c, q, &grace_us);
		if (!n)
			nvme_queue_fault(q, "queue %u: completion without an interrupt",
					 q->id);
		nvme_queue_reap(q, 0);
	} else if (n) {
		nvme_queue_reap(q, 0);
	}
	return 0;
}

static int wait_for(struct nvme_ctrl *c, struct nvme_queue *q,
		    struct nvme_req *req, unsigned int keep,
		    unsigned int timeout_ms)
{
	int64_t left_us = timeout_ms * 1000LL;
	int err;

	while (req ? !req->done : q->cids.out > keep) {
		if (left_us <= 0)
			return lib_fail(-ETIMEDOUT, "%s: queue %u: no completion in %u ms, %u commands out, first id %d",
					c->dev->bdf, q->id, timeout_ms,
					q->cids.out,
					cid_tracker_first_out(&q->cids, 0));
		err = wait_round(c, q, &left_us);
		if (err)
			return err;
		if (q->faults)
			return lib_fail(-EBADMSG, "%s", q->fault);
	}
	return 0;
}

int nvme_wait_done(struct nvme_ctrl *c, struct nvme_queue *q,
		   struct nvme_req *req, unsigned int timeout_ms)
{
	return wait_for(c, q, req, 0, timeout_ms);
}

int nvme_wait_out(struct nvme_ctrl *c, struct nvme_queue *q, unsigned int keep,
		  unsigned int timeout_ms)
{
	return wait_for(c, q, NULL, keep, timeout_ms);
}

unsigned int nvme_status(const struct nvme_req *req)
{
	return req->cqe.status >> 1 & 0x7ff;
}

int nvme_admin(struct nvme_ctrl *c, const struct nvme_cmd *cmd, uint32_t *dw0)
{
	struct nvme_req req = { .cmd = *cmd };
	int err;

	err = nvme_queue_add(&c->admin, &req);
	if (err)
		return lib_fail(err, "%s: admin queue", c->dev->bdf);
	nvme_queue_ring(&c->admin);
	err = nvme_wait_done(c, &c->admin, &req, ADMIN_TIMEOUT_MS);
	if (err) {
		/* @req goes away: a late completion must not find it */
		if (!req.done)
			c->admin.cids.owner[req.cmd.cid] = NULL;
		return err;
	}
	if (dw0)
		*dw0 = req.cqe.dw0;
	if (nvme_status(&req))
		lib_fail(-EIO, "%s: admin command %02x: status %x",
			 c->dev->bdf, cmd->opc, nvme_status(&req));
	return nvme_status(&req);
}

int nvme_identify(struct nvme_ctrl *c, unsigned int cns, uint32_t nsid)
{
	struct nvme_cmd cmd = {
		.opc = NVME_IDENTIFY, .nsid = nsid, .prp1 = c->scratch_iova,
		.cdw10 = cns,
	};

	return nvme_admin(c, &cmd, NULL);
}

int nvme_set_feature(struct nvme_ctrl *c, unsigned int fid, uint32_t cdw11,
		     uint32_t *dw0)
{
	struct nvme_cmd cmd = {
		.opc = NVME_SET_FEATURES, .cdw10 = fid, .cdw11 = cdw11,
	};

	return nvme_admin(c, &cmd, dw0);
}

int nvme_get_feature(struct nvme_ctrl *c, unsigned int fid, uint32_t *dw0)
{
	struct nvme_cmd cmd = { .opc = NVME_GET_FEATURES, .cdw10 = fid };

	return nvme_admin(c, &cmd, dw0);
}

int nvme_io_limit(struct nvme_ctrl *c, unsigned int *n)
{
	unsigned int sqs, cqs;
	uint32_t dw0;
	int err;

	err = nvme_set_feature(c, NVME_FEAT_QUEUES,
			       (NVME_MAX_IO - 1) << 16 | (NVME_MAX_IO - 1),
			       &dw0);
	if (err)
		return err;
	sqs = (dw0 & 0xffff) + 1;
	cqs = (dw0 >> 16) + 1;
	*n = sqs < cqs ? sqs : cqs;
	if (*n > NVME_MAX_IO)
		*n = NVME_MAX_IO;
	return 0;
}

int nvme_io_add(struct nvme_ctrl *c, unsigned int sq_size,
		unsigned int cq_size, bool irq)
{
	struct nvme_queue *q = &c->io[c->nio];
	unsigned int id = c->nio + 1;
	struct nvme_cmd cmd;
	int err;

	if (c->nio == NVME_MAX_IO || (irq && id >= c->dev->nefd))
		return lib_fail(-ENOSPC, "%s: no room for I/O queue %u",
				c->dev->bdf, id);
	err = new_queue(c, q, id, sq_size, cq_size);
	if (err)
		return err;
	cmd = (struct nvme_cmd){
		.opc = NVME_CREATE_CQ, .prp1 = q->cq_iova,
		.cdw10 = (cq_size - 1) << 16 | id,
		.cdw11 = 1 | (irq ? 2 | id << 16 : 0),
	};
	err = nvme_admin(c, &cmd, NULL);
	if (err)
		goto err;
	cmd = (struct nvme_cmd){
		.opc = NVME_CREATE_SQ, .prp1 = q->sq_iova,
		.cdw10 = (sq_size - 1) << 16 | id,
		.cdw11 = 1 | id << 16,
	};
	err = nvme_admin(c, &cmd, NULL);
	if (err)
		goto err;
	q->vector = irq ? (int)id : -1;
	c->nio++;
	return 0;
err:
	nvme_queue_free(q);
	return err;
}

int nvme_shadow(struct nvme_ctrl *c)
{
	struct nvme_cmd cmd = { .opc = NVME_DBBUF };
	uint8_t *shadow, *event;
	unsigned int i;
	int err;

	err = nvme_identify(c, NVME_CNS_CTRL, 0);
	if (err)
		return err;
	if (!(c->scratch[257] & 1))	/* bit 8 of OACS */
		return lib_fail(-EOPNOTSUPP, "%s: shadow doorbells",
				c->dev->bdf);
	shadow = dma_alloc(c->mem, 4096, &cmd.prp1);
	event = dma_alloc(c->mem, 4096, &cmd.prp2);
	if (!shadow || !event)
		return -ENOMEM;
	err = nvme_admin(c, &cmd, NULL);
	if (err)
		return err;
	for (i = 0; i < c->nio; i++) {
		struct nvme_queue *q = &c->io[i];
		unsigned int sq = 2 * q->id * c->stride;
		unsigned int cq = sq + c->stride;

		q->sq_shadow = (volatile uint32_t *)(shadow + sq);
		q->sq_event = (volatile uint32_t *)(event + sq);
		q->cq_shadow = (volatile uint32_t *)(shadow + cq);
		q->cq_event = (volatile uint32_t *)(event + cq);
	}
	return 0;
}

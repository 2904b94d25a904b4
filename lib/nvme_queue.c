// SPDX-License-Identifier: GPL-2.0-only
/*
 * nvme_queue.c - rings in memory, and the rules a device has to keep in them.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nvme_queue.h"
#include "util.h"

int nvme_queue_init(struct nvme_queue *q, unsigned int id, void *sq,
		    unsigned int sq_size, void *cq, unsigned int cq_size)
{
	int err;

	memset(q, 0, sizeof(*q));
	q->id = id;
	q->vector = -1;
	q->sq = sq;
	q->cq = cq;
	q->sq_size = sq_size;
	q->cq_size = cq_size;
	q->phase = 1;
	q->seen = calloc(cq_size, sizeof(*q->seen));
	err = cid_tracker_init(&q->cids);
	if (q->seen && !err)
		return 0;
	nvme_queue_free(q);
	return lib_fail(-ENOMEM, "queue %u", id);
}

void nvme_queue_free(struct nvme_queue *q)
{
	free(q->seen);
	cid_tracker_free(&q->cids);
	memset(q, 0, sizeof(*q));
}

int nvme_queue_add(struct nvme_queue *q, struct nvme_req *req)
{
	unsigned int next = (q->sq_tail + 1) % q->sq_size;
	int id;

	if (next == q->sq_head)
		return -ENOSPC;
	id = cid_tracker_take(&q->cids, req);
	if (id < 0)
		return id;
	req->cmd.cid = id;
	req->done = false;
	memset(&req->cqe, 0, sizeof(req->cqe));
	q->sq[q->sq_tail] = req->cmd;
	q->sq_tail = next;
	return 0;
}

/*
 * Tell the device of a new index: by its doorbell or, where shadow doorbells
 * are in use, in memory, with the doorbell only if the device asks for it.
 */
static void tell(volatile uint32_t *db, volatile uint32_t *shadow,
		 volatile uint32_t *event, uint16_t value)
{
	uint16_t old;

	/* entries before the index; the index before looking at @event */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (shadow) {
		old = *shadow;
		*shadow = value;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if ((uint16_t)(value - *event - 1) >= (uint16_t)(value - old))
			return;
	}
	*db = value;
}

void nvme_queue_ring(struct nvme_queue *q)
{
	if (q->sq_rung == q->sq_tail)
		return;
	tell(q->sq_db, q->sq_shadow, q->sq_event, q->sq_tail);
	q->sq_rung = q->sq_tail;
}

bool nvme_queue_pending(const struct nvme_queue *q)
{
	return (q->cq[q->cq_head].status & 1) == q->phase;
}

void nvme_queue_fault(struct nvme_queue *q, const char *fmt, ...)
{
	va_list ap;

	if (q->faults++)
		return;
	va_start(ap, fmt);
	vsnprintf(q->fault, sizeof(q->fault), fmt, ap);
	va_end(ap);
}

/* entries from @from up to @to, going round */
static unsigned int distance(const struct nvme_queue *q, unsigned int from,
			     unsigned int to)
{
	return (to + q->sq_size - from) % q->sq_size;
}

static void take_sq_head(struct nvme_queue *q, const struct nvme_cqe *cqe)
{
	if (cqe->sqhd >= q->sq_size ||
	    distance(q, q->sq_head, cqe->sqhd) >
	    distance(q, q->sq_head, q->sq_rung)) {
		nvme_queue_fault(q, "queue %u: SQ head %u reported, it was %u and the tail is %u",
				 q->id, cqe->sqhd, q->sq_head, q->sq_rung);
		return;
	}
	q->sq_head = cqe->sqhd;
}

static void take_cqe(struct nvme_queue *q, const struct nvme_cqe *cqe)
{
	struct nvme_req *req;
	void *owner;

	if (cqe->sqid != q->id) {
		nvme_queue_fault(q, "queue %u: completion says SQ %u", q->id,
				 cqe->sqid);
		return;
	}
	take_sq_head(q, cqe);
	switch (cid_tracker_done(&q->cids, cqe->cid, &owner)) {
	case 0:
		req = owner;
		if (req) {	/* not given up by its sender */
			req->cqe = *cqe;
			req->done = true;
		}
		break;
	case -EALREADY:
		nvme_queue_fault(q, "queue %u: command %u completed twice",
				 q->id, cqe->cid);
		break;
	default:
		nvme_queue_fault(q, "queue %u: completion of command %u, which was never sent",
				 q->id, cqe->cid);
	}
}

unsigned int nvme_queue_reap(struct nvme_queue *q, unsigned int max)
{
	unsigned int n = 0;

	while ((!max || n < max) && nvme_queue_pending(q)) {
		struct nvme_cqe cqe;

		/* the phase tag first, then what it guards */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		memcpy(&cqe, (const void *)&q->cq[q->cq_head], sizeof(cqe));
		q->seen[q->cq_head] = cqe;
		if (++q->cq_head == q->cq_size) {
			q->cq_head = 0;
			q->phase ^= 1;
		}
		take_cqe(q, &cqe);
		n++;
	}
	if (n)
		tell(q->cq_db, q->cq_shadow, q->cq_event, q->cq_head);
	return n;
}

int nvme_queue_audit(struct nvme_queue *q, unsigned int keep)
{
	unsigned int i;

	if (q->faults)
		return lib_fail(-EBADMSG, "%s (%u faults)", q->fault,
				q->faults);
	if (nvme_queue_pending(q))
		return lib_fail(-EBADMSG, "queue %u: an unexpected completion",
				q->id);
	if (q->cids.out != keep)
		return lib_fail(-EBADMSG, "queue %u: %u commands with the device, %u expected; first id %d",
				q->id, q->cids.out, keep,
				cid_tracker_first_out(&q->cids, 0));
	for (i = 0; i < q->cq_size; i++)
		if (memcmp((const void *)&q->cq[i], &q->seen[i],
			   sizeof(q->seen[i])))
			return lib_fail(-EBADMSG, "queue %u: CQ entry %u was written out of turn",
					q->id, i);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests as nvme has them: see pf_request.h.
 *
 * nvme keeps what it knows of a request in the request's private part. Its
 * start has been the same in every kernel since 5.15; which is not taken for
 * granted but tested on each queue, with the function by which nvme fills it.
 */
#include <linux/err.h>
#include <linux/string.h>
#include <asm/byteorder.h>

#include "admin_q.h"
#include "pf_compat.h"
#include "pf_request.h"

struct nvme_pf_private {
	struct nvme_command *cmd;
	union nvme_result result;
	u8 genctr;
	u8 retries;
	u8 flags;
	u16 status;
};

#define PRIVATE_CANCELLED	(1 << 0)
#define PRIVATE_USERCMD		(1 << 1)

#define STATUS_CODE		0x7ff	/* type and code */
#define STATUS_MORE		0x2000	/* in a log page: of no use here */
#define STATUS_PATH		0x370	/* made up by the host: never sent */
#define SCT_PATH		3

void nvme_pf_request_init(struct request *rq, struct nvme_command *cmd)
{
	struct nvme_pf_private *p = blk_mq_rq_to_pdu(rq);

	nvme_init_request(rq, cmd);
	/* A failure is for the caller to report. */
	rq->rq_flags |= RQF_QUIET;
	p->flags |= PRIVATE_USERCMD;
}

int nvme_pf_request_end(struct request *rq, blk_status_t err, u64 *result)
{
	const struct nvme_pf_private *p = blk_mq_rq_to_pdu(rq);
	int status = p->status & STATUS_CODE;

	*result = 0;
	if (p->flags & PRIVATE_CANCELLED)
		return -EIO;
	if (status == STATUS_PATH)
		return -EAGAIN;
	/* A status that no device sent must not pass for one. */
	if (status >> 8 == SCT_PATH)
		return -EIO;
	if (!status && err)
		/* Refused on its way to the device, which has not seen it. */
		return err == BLK_STS_TIMEOUT ? -EIO : -EAGAIN;

	*result = le64_to_cpu(p->result.u64);
	return status ? p->status & ~STATUS_MORE : 0;
}

/*
 * What nvme has not been seen to set was not there: each byte is poisoned
 * before, and nvme_init_request() is known to zero three of them and to copy
 * the command to where the first word points, inside the private part.
 */
static bool nvme_pf_private_fits(struct request *rq, unsigned int size)
{
	struct nvme_pf_private *p = blk_mq_rq_to_pdu(rq);
	struct nvme_command cmd;
	unsigned long at, start = (unsigned long)p;

	if (size < sizeof(*p) + sizeof(cmd))
		return false;

	at = (unsigned long)p->cmd;
	if (at < start + sizeof(*p) || at > start + size - sizeof(cmd))
		return false;

	memset(&cmd, 0x5a, sizeof(cmd));
	cmd.common.opcode = nvme_admin_identify;
	memset(p->cmd, 0xa5, sizeof(cmd));
	p->retries = 0xa5;
	p->flags = 0xa5;
	p->status = 0xa5a5;
	nvme_init_request(rq, &cmd);

	return (unsigned long)p->cmd == at && !p->retries && !p->flags &&
	       !p->status && !memcmp(p->cmd, &cmd, sizeof(cmd));
}

int nvme_pf_request_proven(struct request_queue *q)
{
	struct request *rq;
	bool fits;

	rq = blk_mq_alloc_request(q, REQ_OP_DRV_IN, BLK_MQ_REQ_NOWAIT);
	if (IS_ERR(rq))
		return PTR_ERR(rq) == -ENODEV ? -ENODEV : -EAGAIN;

	fits = nvme_pf_private_fits(rq, q->tag_set->cmd_size);
	blk_mq_free_request(rq);
	return fits ? 0 : -EOPNOTSUPP;
}

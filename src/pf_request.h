/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the provider of nvme_pf.h: requests as nvme has them.
 */
#ifndef _NVME_PF_REQUEST_H
#define _NVME_PF_REQUEST_H

#include <linux/blk-mq.h>
#include <linux/nvme.h>

/**
 * nvme_pf_request_init - make a request of nvme's admin queue an admin command
 * @rq: new, of a queue that has been proven
 * @cmd: the command; copied
 *
 * nvme takes it for a command of user space: it fails as not sent while the
 * controller is not live, and is not tried again.
 */
void nvme_pf_request_init(struct request *rq, struct nvme_command *cmd);

/**
 * nvme_pf_request_end - how a request ended
 * @rq: the request, in its end_io
 * @err: what the block layer says
 * @result: set to completion dwords 0 and 1 if the device has completed it,
 *	else to 0
 *
 * Return: as nvme_pf_submit()
 */
int nvme_pf_request_end(struct request *rq, blk_status_t err, u64 *result);

/**
 * nvme_pf_request_proven - is a request's private part where it is taken to be?
 * @q: an admin queue of nvme
 *
 * Makes a request and frees it; nothing is sent.
 *
 * Return: 0, -EOPNOTSUPP when it is not, -EAGAIN when no request was to be had,
 * -ENODEV when the queue is going away
 */
int nvme_pf_request_proven(struct request_queue *q);

#endif

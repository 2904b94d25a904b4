/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the provider of nvme_pf.h: requests as nvme has them.
 */
#ifndef _NVME_PF_REQUEST_H
#define _NVME_PF_REQUEST_H

#include <linux/blk-mq.h>
#include <linux/nvme.h>
#include <linux/types.h>

/**
 * nvme_pf_request_init - make a request of nvme's admin queue an admin command
 * @rq: new, of such a queue
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

#endif

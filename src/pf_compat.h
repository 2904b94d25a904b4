/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the shim calls in nvme-core and the block layer, and how that differs
 * between kernels.
 */
#ifndef _NVME_PF_COMPAT_H
#define _NVME_PF_COMPAT_H

#include <linux/blk-mq.h>
#include <linux/nvme.h>
#include <linux/types.h>

/*
 * Exported by nvme-core, declared only in its private header. Importing
 * nvme_get_features also ties the module to the layout of struct nvme_ctrl
 * wherever the kernel keeps symbol versions.
 */
struct nvme_ctrl;

int nvme_get_features(struct nvme_ctrl *dev, unsigned int fid,
		      unsigned int dword11, void *buffer, size_t buflen,
		      void *result);
void nvme_init_request(struct request *req, struct nvme_command *cmd);

/* 6.16 or so: the queue is the request's. */
#ifdef HAVE_RQ_MAP_KERN_BY_RQ
#define compat_rq_map_kern(rq, data, len, gfp) \
	blk_rq_map_kern(rq, data, len, gfp)
#else
#define compat_rq_map_kern(rq, data, len, gfp) \
	blk_rq_map_kern((rq)->q, rq, data, len, gfp)
#endif

/* 7.2 or so: and the batch that a request ends in. */
#ifdef HAVE_RQ_END_IO_BATCH
#define compat_end_io_error(err) \
	blk_status_t err, const struct io_comp_batch *iob
#else
#define compat_end_io_error(err) \
	blk_status_t err
#endif

#endif

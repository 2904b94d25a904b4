/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the shim calls in nvme-core, and how that differs between kernels. No
 * public header shows it, hence the version number.
 */
#ifndef _NVME_PF_COMPAT_H
#define _NVME_PF_COMPAT_H

#include <linux/blk-mq.h>
#include <linux/nvme.h>
#include <linux/types.h>
#include <linux/version.h>

/*
 * Exported by nvme-core, declared only in its private header. Importing
 * nvme_get_features also ties the module to the layout of struct nvme_ctrl
 * wherever the kernel keeps symbol versions.
 */
struct nvme_ctrl;

int nvme_get_features(struct nvme_ctrl *dev, unsigned int fid,
		      unsigned int dword11, void *buffer, size_t buflen,
		      void *result);

/*
 * 6.8 merged the last two arguments into one. A kernel older than that with
 * the new form back-ported ignores the superfluous zero.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
int __nvme_submit_sync_cmd(struct request_queue *q, struct nvme_command *cmd,
			   union nvme_result *result, void *buffer,
			   unsigned int bufflen, int qid, u32 flags);

static inline int compat_nvme_submit(struct request_queue *q,
				     struct nvme_command *cmd,
				     union nvme_result *result, void *buf,
				     unsigned int len)
{
	return __nvme_submit_sync_cmd(q, cmd, result, buf, len, -1, 0);
}
#else
int __nvme_submit_sync_cmd(struct request_queue *q, struct nvme_command *cmd,
			   union nvme_result *result, void *buffer,
			   unsigned int bufflen, int qid, int at_head,
			   blk_mq_req_flags_t flags);

static inline int compat_nvme_submit(struct request_queue *q,
				     struct nvme_command *cmd,
				     union nvme_result *result, void *buf,
				     unsigned int len)
{
	return __nvme_submit_sync_cmd(q, cmd, result, buf, len, -1, 0, 0);
}
#endif

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding the admin queue by nvme's own tracepoint: proof=tracepoint.
 *
 * nvme fires the exported tracepoint nvme_sq for every completion of a PCI
 * queue, with the request. Have nvme issue one Get Features on the controller
 * and look which queue its completion comes from. Depends on no private
 * layout at all, but needs tracepoints and a live PF, and waits for nvme, with
 * the PF's device lock held, for as long as nvme likes: for who asks for it.
 */
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/tracepoint.h>

#include "pf_compat.h"
#include "admin_q.h"

#ifdef CONFIG_TRACEPOINTS

extern struct tracepoint __tracepoint_nvme_sq;

struct nvme_pf_seen {
	const struct nvme_pf_candidate *c;
	struct request_queue *q;
};

/* Runs in the completion path of every nvme queue, in interrupt context. */
static void nvme_pf_on_completion(void *data, struct request *req,
				  __le16 sq_head, int sq_tail)
{
	struct nvme_pf_seen *seen = data;

	if (!req->q->queuedata && nvme_pf_admin_q_valid(seen->c, req->q))
		WRITE_ONCE(seen->q, req->q);
}

struct request_queue *
nvme_pf_admin_q_by_tracepoint(const struct nvme_pf_candidate *c)
{
	struct nvme_pf_seen seen = { .c = c };
	u32 result;
	int ret;

	/* Without an admin queue nvme_get_features() would oops. */
	if (!nvme_pf_ctrl_is_live(c->cdev))
		return ERR_PTR(-EAGAIN);

	if (tracepoint_probe_register(&__tracepoint_nvme_sq,
				      nvme_pf_on_completion, &seen))
		return NULL;

	ret = nvme_get_features(c->ctrl, NVME_FEAT_NUM_QUEUES, 0, NULL, 0,
				&result);

	tracepoint_probe_unregister(&__tracepoint_nvme_sq,
				    nvme_pf_on_completion, &seen);
	/* seen is on this stack: wait until no probe can run any more. */
	tracepoint_synchronize_unregister();

	return ret < 0 ? NULL : seen.q;
}

#else

struct request_queue *
nvme_pf_admin_q_by_tracepoint(const struct nvme_pf_candidate *c)
{
	return NULL;
}

#endif

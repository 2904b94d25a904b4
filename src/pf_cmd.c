// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a command on a PF's admin queue: turn, request, wait, and what
 * follows when nobody waits any more. See nvme_pf.h for what is promised.
 *
 * A request that was handed to the block layer ends when nvme says so, which
 * may be after any time: a queue that nvme has quiesced starts nothing and
 * runs no timer. Hence the wait is limited, and killable unless it is brief; all
 * that the request still needs belongs to the handle, which lives until it has
 * ended.
 */
#include <linux/blkdev.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/limits.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>
#include <asm/byteorder.h>

#include "pf_cmd.h"
#include "pf_compat.h"
#include "pf_request.h"

static unsigned int nvme_pf_command_timeout = 10;
module_param_named(command_timeout, nvme_pf_command_timeout, uint, 0644);
MODULE_PARM_DESC(command_timeout, "seconds after which a command for a VF is given up (default 10, 1 to 600); should be well below nvme_core.admin_timeout");

static unsigned int nvme_pf_max_commands;
module_param_named(max_commands, nvme_pf_max_commands, uint, 0644);
MODULE_PARM_DESC(max_commands, "commands for the VFs of a PF that may be in flight at a time (default 0: as many as its queue has room for, less 4); for PFs attached to from then on");

/* Tags of the admin queue that are left for nvme: Abort, keep alive, sysfs. */
#define TAGS_OF_NVME	4

/* What nvme sets its controllers to, whatever the processor's page is. */
#define CTRL_PAGE	4096u
#define offset_in_ctrl_page(p)	((unsigned long)(p) & (CTRL_PAGE - 1))

/*
 * Commands with a longer limit are given up when the task is killed. One that
 * closes a VF is killed then as a rule, by the end of its process.
 */
#define BRIEF_MS	1000

/* For a request when tags have run out, or an undo while the PF is not live. */
#define RETRY_MS	10
#define UNDO_RETRY_MS	100
#define UNDO_FOR_MS	(60 * MSEC_PER_SEC)

/*
 * Turns on one admin queue, shared by the handles of all VFs of a PF.
 * @lock: @free and @waiting. Innermost; never taken in interrupt context.
 */
struct nvme_pf_queue {
	struct list_head node;
	struct request_queue *q;
	unsigned int users;
	spinlock_t lock;
	unsigned int free;
	struct list_head waiting;
};

struct nvme_pf_waiter {
	struct list_head node;
	struct completion turn;
};

/* Both lists, and @users. No other lock is taken inside. */
static DEFINE_MUTEX(nvme_pf_lists);
static LIST_HEAD(nvme_pf_handles);
static LIST_HEAD(nvme_pf_queues);

static struct workqueue_struct *nvme_pf_wq;

/* --- buffers --- */

static void nvme_pf_buf_release(struct kref *ref)
{
	struct nvme_pf_buf *buf = container_of(ref, struct nvme_pf_buf, ref);

	kvfree(buf->data);
	kfree(buf);
}

void nvme_pf_buf_put(struct nvme_pf_buf *buf)
{
	if (buf)
		kref_put(&buf->ref, nvme_pf_buf_release);
}
EXPORT_SYMBOL_GPL(nvme_pf_buf_put);

/* --- turns --- */

static unsigned int nvme_pf_turns(const struct blk_mq_tag_set *set)
{
	unsigned int most = READ_ONCE(nvme_pf_max_commands) ?: UINT_MAX;
	unsigned int tags = set->queue_depth - set->reserved_tags;

	return min(most, tags > TAGS_OF_NVME ? tags - TAGS_OF_NVME : 1);
}

static struct nvme_pf_queue *nvme_pf_queue_get(struct request_queue *q)
{
	struct nvme_pf_queue *pq, *fresh;

	/* Not under the mutex, which resets of VFs wait for. */
	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	if (!fresh)
		return NULL;
	fresh->q = q;
	fresh->users = 1;
	fresh->free = nvme_pf_turns(q->tag_set);
	spin_lock_init(&fresh->lock);
	INIT_LIST_HEAD(&fresh->waiting);

	mutex_lock(&nvme_pf_lists);
	list_for_each_entry(pq, &nvme_pf_queues, node)
		if (pq->q == q) {
			pq->users++;
			mutex_unlock(&nvme_pf_lists);
			kfree(fresh);
			return pq;
		}
	list_add(&fresh->node, &nvme_pf_queues);
	mutex_unlock(&nvme_pf_lists);
	return fresh;
}

static void nvme_pf_queue_put(struct nvme_pf_queue *pq)
{
	mutex_lock(&nvme_pf_lists);
	if (!--pq->users) {
		list_del(&pq->node);
		kfree(pq);
	}
	mutex_unlock(&nvme_pf_lists);
}

static void nvme_pf_give_turn(struct nvme_pf_queue *pq)
{
	struct nvme_pf_waiter *w;

	spin_lock(&pq->lock);
	w = list_first_entry_or_null(&pq->waiting, struct nvme_pf_waiter, node);
	if (w) {
		list_del_init(&w->node);
		complete(&w->turn);
	} else {
		pq->free++;
	}
	spin_unlock(&pq->lock);
}

static long nvme_pf_left(unsigned long until)
{
	long left = until - jiffies;

	return max(left, 0l);
}

static bool nvme_pf_is_brief(const struct nvme_pf_cmd *c)
{
	return c->limit_ms && c->limit_ms <= BRIEF_MS;
}

/* As wait_for_completion_killable_timeout(). */
static long nvme_pf_wait(struct completion *done, unsigned long until,
			 bool brief)
{
	long left = nvme_pf_left(until);

	return brief ? wait_for_completion_timeout(done, left) :
	       wait_for_completion_killable_timeout(done, left);
}

/* Return: false if the task was killed. */
static bool nvme_pf_nap(bool brief)
{
	__set_current_state(brief ? TASK_UNINTERRUPTIBLE : TASK_KILLABLE);
	schedule_timeout(msecs_to_jiffies(RETRY_MS));
	return brief || !fatal_signal_pending(current);
}

static int nvme_pf_take_turn(struct nvme_pf_queue *pq, unsigned long until,
			     bool brief)
{
	struct nvme_pf_waiter w;
	bool mine;
	long ret;

	spin_lock(&pq->lock);
	if (pq->free) {
		pq->free--;
		spin_unlock(&pq->lock);
		return 0;
	}
	init_completion(&w.turn);
	list_add_tail(&w.node, &pq->waiting);
	spin_unlock(&pq->lock);

	ret = nvme_pf_wait(&w.turn, until, brief);
	if (ret > 0)
		return 0;

	/* Given up, unless the turn came at the last moment. */
	spin_lock(&pq->lock);
	mine = list_empty(&w.node);
	list_del_init(&w.node);
	spin_unlock(&pq->lock);
	if (mine)
		nvme_pf_give_turn(pq);
	return ret ? -EINTR : -EAGAIN;
}

/* --- handles --- */

/* A VF that was recreated has a new pci_dev, but is the same to the device. */
static bool nvme_pf_same_function(struct pci_dev *a, struct pci_dev *b)
{
	return pci_domain_nr(a->bus) == pci_domain_nr(b->bus) &&
	       pci_dev_id(a) == pci_dev_id(b);
}

static bool nvme_pf_blocked(struct pci_dev *vf)
{
	struct nvme_pf *pf;

	list_for_each_entry(pf, &nvme_pf_handles, node)
		if (READ_ONCE(pf->blocks) && nvme_pf_same_function(pf->vf, vf))
			return true;
	return false;
}

bool nvme_pf_pending(struct pci_dev *vf)
{
	bool blocked;

	mutex_lock(&nvme_pf_lists);
	blocked = nvme_pf_blocked(vf);
	mutex_unlock(&nvme_pf_lists);
	return blocked;
}
EXPORT_SYMBOL_GPL(nvme_pf_pending);

struct nvme_pf *nvme_pf_new(struct pci_dev *vf)
{
	struct nvme_pf *pf;

	pf = kzalloc(sizeof(*pf), GFP_KERNEL);
	if (!pf)
		return ERR_PTR(-ENOMEM);
	kref_init(&pf->ref);
	init_completion(&pf->done);

	mutex_lock(&nvme_pf_lists);
	if (nvme_pf_blocked(vf)) {
		mutex_unlock(&nvme_pf_lists);
		kfree(pf);
		return ERR_PTR(-EBUSY);
	}
	pf->vf = pci_dev_get(vf);
	/* Not through the VF later: it may have gone. */
	pf->pdev = pci_dev_get(pci_physfn(vf));
	list_add(&pf->node, &nvme_pf_handles);
	mutex_unlock(&nvme_pf_lists);
	return pf;
}

int nvme_pf_use_queue(struct nvme_pf *pf)
{
	pf->pq = nvme_pf_queue_get(pf->q);
	return pf->pq ? 0 : -ENOMEM;
}

static void nvme_pf_release(struct kref *ref)
{
	struct nvme_pf *pf = container_of(ref, struct nvme_pf, ref);
	struct module *owner = pf->owner;

	mutex_lock(&nvme_pf_lists);
	list_del(&pf->node);
	mutex_unlock(&nvme_pf_lists);
	if (pf->pq)
		nvme_pf_queue_put(pf->pq);

	/* The module last: the others may run its release functions. */
	if (pf->q)
		blk_put_queue(pf->q);
	module_put(owner);
	pci_dev_put(pf->pdev);
	pci_dev_put(pf->vf);
	kfree(pf);
}

void nvme_pf_put(struct nvme_pf *pf)
{
	kref_put(&pf->ref, nvme_pf_release);
}
EXPORT_SYMBOL_GPL(nvme_pf_put);

u32 nvme_pf_max_transfer(const struct nvme_pf *pf)
{
	u64 bytes = (u64)queue_max_hw_sectors(pf->q) << SECTOR_SHIFT;
	u64 segs = queue_max_segments(pf->q);

	/* One segment a page in the worst case, one more if it starts inside. */
	if (segs > 1)
		segs--;
	bytes = min(bytes, segs << PAGE_SHIFT);
	bytes = clamp_t(u64, bytes, PAGE_SIZE, SZ_1G);

	return round_down(bytes, PAGE_SIZE);
}
EXPORT_SYMBOL_GPL(nvme_pf_max_transfer);

/* --- a command --- */

/*
 * The functions are exported, and whoever calls them is on the queue that can
 * format namespaces and replace firmware, past the checks of nvme's ioctl. Only
 * what migration needs is let through, so that a bug in a caller, or a module
 * that was not meant, gets no further.
 */
static bool nvme_pf_may_pass(u8 opcode)
{
	switch (opcode) {
	case nvme_admin_identify:
	case 0x3d:	/* Track Send */
	case 0x3e:	/* Track Receive */
	case 0x41:	/* Migration Send */
	case 0x42:	/* Migration Receive */
	case 0xc4:	/* vendor set of 2022: QUERY_DATA_SIZE ... */
	case 0xc8:	/* SUSPEND */
	case 0xcc:	/* RESUME */
	case 0xd2:	/* SAVE_DATA */
	case 0xd5:	/* LOAD_DATA */
		return true;
	}
	return false;
}

static int nvme_pf_check(const struct nvme_pf *pf, const struct nvme_pf_cmd *c)
{
	u8 undo = c->undo.common.opcode;

	if (!nvme_pf_may_pass(c->cmd.common.opcode) ||
	    (undo && !nvme_pf_may_pass(undo)))
		return -EPERM;
	if ((c->len | c->offset) & 3 || c->len > nvme_pf_max_transfer(pf))
		return -EINVAL;
	if (c->len && (!c->buf || c->offset > c->buf->len ||
		       c->len > c->buf->len - c->offset))
		return -EINVAL;
	return 0;
}

/*
 * Data of two pages at most, in one piece, are two addresses in the command.
 * Written here they save the block layer's bio and, for what nvme takes for a
 * command of user space, a list that is long, allocated and zeroed each time.
 * The device is that which nvme maps for, and nvme ends all requests before it
 * leaves the device.
 */
static bool nvme_pf_is_short(const void *data, u32 len)
{
	return !is_vmalloc_addr(data) &&
	       offset_in_ctrl_page(data) + len <= 2 * CTRL_PAGE;
}

static int nvme_pf_map_short(struct nvme_pf *pf, struct nvme_command *cmd,
			     void *data, u32 len)
{
	struct device *dev = &pf->pdev->dev;
	dma_addr_t next;

	pf->dma_dir = nvme_is_write(cmd) ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	pf->dma = dma_map_single(dev, data, len, pf->dma_dir);
	if (dma_mapping_error(dev, pf->dma))
		return -ENOMEM;
	pf->dma_len = len;

	next = (pf->dma & ~(dma_addr_t)(CTRL_PAGE - 1)) + CTRL_PAGE;
	cmd->common.dptr.prp1 = cpu_to_le64(pf->dma);
	cmd->common.dptr.prp2 = pf->dma + len > next ? cpu_to_le64(next) : 0;
	return 0;
}

static void nvme_pf_unmap(struct nvme_pf *pf)
{
	if (pf->dma_len)
		dma_unmap_single(&pf->pdev->dev, pf->dma, pf->dma_len,
				 pf->dma_dir);
	pf->dma_len = 0;
}

/*
 * nvme ends a request that it does not send as if it had taken it. If that was
 * the last of several, it has rung no doorbell for those before: one of its own
 * would be lost while it starts the PF, and the PF with it.
 */
static void nvme_pf_ring(struct request *rq)
{
	if (rq->q->mq_ops->commit_rqs)
		rq->q->mq_ops->commit_rqs(rq->mq_hctx);
}

static enum rq_end_io_ret nvme_pf_ended(struct request *rq,
					compat_end_io_error(err))
{
	struct nvme_pf *pf = rq->end_io_data;

	nvme_pf_unmap(pf);
	pf->status = nvme_pf_request_end(rq, err, &pf->result);
	if (pf->status == -EAGAIN)
		nvme_pf_ring(rq);
	/* From here on the handle may be gone, but for one that was given up. */
	if (atomic_cmpxchg(&pf->phase, PF_WAITED, PF_ENDED) == PF_WAITED)
		complete(&pf->done);
	else
		queue_delayed_work(nvme_pf_wq, &pf->work, 0);
	return RQ_END_IO_FREE;
}

static int nvme_pf_send(struct nvme_pf *pf, struct nvme_command *cmd,
			void *data, u32 len)
{
	struct request *rq;
	int ret;

	/* Not to be relied on, but it saves the wait. */
	if (blk_queue_dying(pf->q) ||
	    READ_ONCE(pf->pdev->error_state) == pci_channel_io_perm_failure)
		return -ENODEV;
	if (blk_queue_quiesced(pf->q) || pci_channel_offline(pf->pdev))
		return -EAGAIN;

	/* Never waits: on a frozen queue nothing would end that. */
	rq = blk_mq_alloc_request(pf->q, nvme_is_write(cmd) ? REQ_OP_DRV_OUT :
				  REQ_OP_DRV_IN, BLK_MQ_REQ_NOWAIT);
	if (IS_ERR(rq))
		return PTR_ERR(rq) == -ENODEV ? -ENODEV : -EBUSY;

	ret = 0;
	if (len && nvme_pf_is_short(data, len))
		ret = nvme_pf_map_short(pf, cmd, data, len);
	else if (len)
		ret = compat_rq_map_kern(rq, data, len, GFP_KERNEL);
	if (ret) {
		blk_mq_free_request(rq);
		return ret == -ENOMEM ? ret : -EINVAL;
	}
	nvme_pf_request_init(rq, cmd);
	rq->end_io = nvme_pf_ended;
	rq->end_io_data = pf;
	blk_execute_rq_nowait(rq, false);
	return 0;
}

static void nvme_pf_work(struct work_struct *work);

/*
 * Leave the command to its end. The turn, the buffer, the handle and the
 * module's text stay with it.
 */
static bool nvme_pf_give_up(struct nvme_pf *pf)
{
	kref_get(&pf->ref);
	__module_get(THIS_MODULE);
	INIT_DELAYED_WORK(&pf->work, nvme_pf_work);
	pf->undo_by = jiffies + msecs_to_jiffies(UNDO_FOR_MS);
	WRITE_ONCE(pf->blocks, pf->c.cmd.common.opcode != nvme_admin_identify);

	if (atomic_cmpxchg(&pf->phase, PF_WAITED, PF_GIVEN_UP) == PF_WAITED) {
		pf->busy = true;
		return true;
	}

	/* It has ended at the last moment. */
	wait_for_completion(&pf->done);
	WRITE_ONCE(pf->blocks, false);
	module_put(THIS_MODULE);
	nvme_pf_put(pf);
	return false;
}

/* Sends the command and sees it end: with a turn, which is kept if given up. */
static int nvme_pf_run(struct nvme_pf *pf, struct nvme_pf_cmd *c,
		       unsigned long until)
{
	void *data = c->len ? c->buf->data + c->offset : NULL;
	bool brief = nvme_pf_is_brief(c);
	long left;
	int ret;

	pf->c = *c;
	if (c->buf)
		kref_get(&c->buf->ref);
	reinit_completion(&pf->done);
	atomic_set(&pf->phase, PF_WAITED);

	for (;;) {
		ret = nvme_pf_send(pf, &pf->c.cmd, data, c->len);
		/* All tags are in use, by others than the turns count. */
		if (ret != -EBUSY)
			break;
		if (!nvme_pf_left(until)) {
			ret = -EAGAIN;
			break;
		}
		if (!nvme_pf_nap(brief)) {
			ret = -EINTR;
			break;
		}
	}

	if (!ret) {
		left = nvme_pf_wait(&pf->done, until, brief);
		if (left <= 0 && nvme_pf_give_up(pf))
			return left ? -ECANCELED : -ETIMEDOUT;
		ret = pf->status;
		c->result = pf->result;
		if (ret == -EAGAIN && blk_queue_dying(pf->q))
			ret = -ENODEV;
	}
	nvme_pf_buf_put(c->buf);
	nvme_pf_give_turn(pf->pq);
	return ret;
}

int nvme_pf_submit(struct nvme_pf *pf, struct nvme_pf_cmd *c)
{
	unsigned int s = clamp(READ_ONCE(nvme_pf_command_timeout), 1u, 600u);
	unsigned long until;
	int ret;

	c->result = 0;
	if (pf->busy)
		return -EBUSY;
	ret = nvme_pf_check(pf, c);
	if (ret)
		return ret;

	until = jiffies + msecs_to_jiffies(c->limit_ms ?: s * MSEC_PER_SEC);
	ret = nvme_pf_take_turn(pf->pq, until, nvme_pf_is_brief(c));
	return ret ?: nvme_pf_run(pf, c, until);
}
EXPORT_SYMBOL_GPL(nvme_pf_submit);

/* --- after it was given up --- */

/*
 * A success that nobody expects any more is undone: the VF has been reset or
 * has another owner by now. Returns true when the undo is on its way, or is to
 * be tried again.
 */
static bool nvme_pf_take_back(struct nvme_pf *pf)
{
	int ret;

	if (!pf->c.undo.common.opcode || pf->status)
		return false;

	atomic_set(&pf->phase, PF_UNDOING);
	ret = nvme_pf_send(pf, &pf->c.undo, NULL, 0);
	if (!ret)
		return true;
	atomic_set(&pf->phase, PF_GIVEN_UP);
	if (ret != -ENODEV && time_before(jiffies, pf->undo_by)) {
		queue_delayed_work(nvme_pf_wq, &pf->work,
				   msecs_to_jiffies(UNDO_RETRY_MS));
		return true;
	}
	return false;
}

static void nvme_pf_work(struct work_struct *work)
{
	struct nvme_pf *pf = container_of(to_delayed_work(work), struct nvme_pf,
					  work);

	if (atomic_read(&pf->phase) == PF_UNDOING) {
		/* Not sent after all: the controller went out of use. */
		if (pf->status == -EAGAIN &&
		    time_before(jiffies, pf->undo_by)) {
			pf->status = 0;
			atomic_set(&pf->phase, PF_GIVEN_UP);
			queue_delayed_work(nvme_pf_wq, &pf->work,
					   msecs_to_jiffies(UNDO_RETRY_MS));
			return;
		}
		pci_info(pf->vf, "PF command %02xh succeeded after it was given up, and was undone (%d)\n",
			 pf->c.cmd.common.opcode, pf->status);
	} else {
		if (nvme_pf_take_back(pf))
			return;
		pci_info(pf->vf, "PF command %02xh ended after it was given up (%d)\n",
			 pf->c.cmd.common.opcode, pf->status);
	}

	WRITE_ONCE(pf->blocks, false);
	nvme_pf_buf_put(pf->c.buf);
	nvme_pf_give_turn(pf->pq);
	nvme_pf_put(pf);
	module_put(THIS_MODULE);
}

int nvme_pf_cmd_init(void)
{
	nvme_pf_wq = alloc_workqueue("nvme-pf", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return nvme_pf_wq ? 0 : -ENOMEM;
}

void nvme_pf_cmd_exit(void)
{
	/*
	 * No handle is left, but the work that dropped the last one may still
	 * return, and so may the end of the request that has queued it.
	 */
	destroy_workqueue(nvme_pf_wq);
	synchronize_rcu();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of what a VF writes to memory: see dirty.h.
 *
 * A device report covers all ranges and is read-and-clear; user space queries
 * one range at a time. Hence a report is merged into bitmaps, and queries are
 * answered from these.
 */
#include <linux/err.h>
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/jiffies.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "dirty_map.h"
#include "migration.h"

/* One report of the device: 4095 ranges. */
#define REPORT_LEN	SZ_64K

/*
 * Each retry coarsens the unit, at best to what the device offers, or halves
 * the number of ranges, of which VFIO takes 256. A device that is consistent
 * needs far fewer retries; with one that contradicts itself this must end.
 */
#define START_TRIES	20

/*
 * A running VF may write as fast as it reports: what it has not reported after
 * this is left for the next time. Others wait for the migration's lock.
 */
#define RUNNING_DRAIN_MS	100

/* Each report of a suspended VF has a new unit; these come on top. */
#define FEW_REPORTS		16

void nvme_vfio_dirty_init(struct dirty_log *log)
{
	mutex_init(&log->lock);
}

bool nvme_vfio_dirty_can_log(const struct migration *m)
{
	return COMPAT_IOVA_BITMAP && m->vf.set->track_start &&
	       m->vf.track.ranges;
}

static void nvme_vfio_dirty_forget_ranges(struct dirty_log *log)
{
	kfree(log->ranges);
	log->ranges = NULL;
	log->nr = 0;
	kfree(log->tracked);
	log->tracked = NULL;
	log->nr_tracked = 0;
}

static void nvme_vfio_dirty_drop_memory(struct dirty_log *log)
{
	nvme_vfio_dirty_map_free(log->map);
	log->map = NULL;
	nvme_pf_buf_put(log->buf);
	log->buf = NULL;
}

void nvme_vfio_dirty_destroy(struct dirty_log *log)
{
	nvme_vfio_dirty_forget_ranges(log);
	nvme_vfio_dirty_drop_memory(log);
	mutex_destroy(&log->lock);
}

static void nvme_vfio_dirty_stop_device(struct migration *m, u32 limit_ms)
{
	struct nvme_vf *vf = &m->vf;
	int ret;

	if (!m->dirty.device_on)
		return;

	ret = vf->set->track_stop(vf, limit_ms);
	/* Still to be done if the command did not get through. */
	m->dirty.device_on = ret == -EAGAIN || ret == -ENOMEM ||
			     ret == -EBUSY || ret == -EINTR ||
			     ret == -ETIMEDOUT;
}

/* Retry as the device offers, else with coarser units or fewer ranges. */
static bool nvme_vfio_dirty_renegotiate(struct track_limits *limits, u8 *shift,
					u32 n, int err,
					const struct track_offer *offer)
{
	if (err == -EOVERFLOW) {
		(*shift)++;
	} else if (err == -ENOSPC && offer->shift > *shift) {
		*shift = offer->shift;
	} else if (err == -ENOSPC && offer->ranges && offer->ranges < n) {
		limits->ranges = offer->ranges;
	} else if (err == -EINVAL && n > 1) {
		/* Other VFs of the PF may have used up some of its ranges. */
		limits->ranges = n / 2;
	} else {
		return false;
	}
	return *shift <= limits->max_shift;
}

/*
 * A device accepts no range that contains its own BARs, or its memory behind
 * them. A guest may have that at another address as well (CMBMSC), which is not
 * known here: then the device refuses to track.
 */
static void nvme_vfio_dirty_find_holes(struct migration *m)
{
	struct dirty_log *log = &m->dirty;
	struct pci_dev *pdev = m->vf.pdev;
	int bar;

	log->holes = 0;
	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		u64 len = pci_resource_len(pdev, bar);
		u64 first = pci_bus_address(pdev, bar);

		if (!len || !(pci_resource_flags(pdev, bar) & IORESOURCE_MEM))
			continue;
		log->hole[log->holes++] = (struct iova_range) {
			first, first + (len - 1)
		};
	}
}

/* What is not tracked there may have been written. */
static void nvme_vfio_dirty_mark_holes(struct dirty_log *log)
{
	const u64 mask = (1ull << log->shift) - 1;
	u32 i;

	for (i = 0; i < log->holes; i++)
		nvme_vfio_dirty_map_mark(log->map, log->hole[i].first & ~mask,
					 log->hole[i].last | mask);
}

static int nvme_vfio_dirty_start_device(struct migration *m)
{
	struct dirty_log *log = &m->dirty;
	struct nvme_vf *vf = &m->vf;
	struct track_limits limits = vf->track;
	struct track_offer offer = { };
	struct iova_range *s;
	u8 shift = log->shift;
	bool stopped = false;
	int tries, n, ret;
	u32 room;

	/* What the PF reported at first may no longer be true. */
	if (!limits.ranges)
		return -ENOSPC;

	nvme_vfio_dirty_find_holes(m);
	room = NVME_VFIO_FIT_ROOM(log->nr, log->holes);
	s = kmalloc_array(room, sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return -ENOMEM;

	for (tries = 0; tries < START_TRIES; tries++) {
		n = nvme_vfio_fit_ranges(log->ranges, log->nr, s, room, &limits,
					 shift, log->hole, log->holes);
		if (n > 0)
			ret = vf->set->track_start(vf, s, n, shift, &offer);
		else
			ret = n ?: -EINVAL;
		if (!ret || vf->state_unknown)
			break;
		if (ret == -EALREADY && !stopped) {
			/* Left on by whoever used the VF before. */
			stopped = true;
			log->device_on = true;
			nvme_vfio_dirty_stop_device(m, 0);
			continue;
		}
		if (!nvme_vfio_dirty_renegotiate(&limits, &shift, n, ret,
						 &offer))
			break;
	}
	if (!ret) {
		kfree(log->tracked);
		log->tracked = s;
		log->nr_tracked = n;
		log->shift = shift;
		log->device_on = true;
		return 0;
	}
	kfree(s);
	/* An aborted command may have had its effect. */
	if (vf->state_unknown)
		log->device_on = true;
	dev_warn_ratelimited(nvme_vfio_mig_dev(m),
			     "the device cannot track writes to memory (%pe)\n",
			     ERR_PTR(ret));
	/* The device's own refusals mean something else here. */
	if (ret == -EAGAIN && vf->status)
		return -EIO;
	switch (ret) {
	case -EAGAIN:
	case -EBUSY:
	case -EINTR:
	case -ENODEV:
	case -ENOMEM:
	case -ENOSPC:
		return ret;
	case -EOVERFLOW:
		return -ENOSPC;
	default:
		return -EIO;
	}
}

void nvme_vfio_dirty_lost(struct migration *m)
{
	struct dirty_log *log = &m->dirty;

	if (log->state == DIRTY_ARMED || log->state == DIRTY_ON)
		log->state = DIRTY_LOST;
}

void nvme_vfio_dirty_resumes(struct migration *m)
{
	m->dirty.drained = false;
}

void nvme_vfio_dirty_resumed(struct migration *m)
{
	struct dirty_log *log = &m->dirty;

	if (log->state != DIRTY_ON)
		nvme_vfio_dirty_stop_device(m, 0);
	if (log->state != DIRTY_ARMED)
		return;

	/* The VF ran before tracking was on: all memory may be dirty. */
	if (nvme_vfio_dirty_start_device(m)) {
		log->state = DIRTY_LOST;
	} else {
		log->state = DIRTY_ON;
		log->all = true;
	}
}

/*
 * A device that tracks a VF refuses to begin. What it answers to a request for
 * a report while it does not track is specified nowhere: it may be just an
 * empty report.
 */
int nvme_vfio_dirty_confirm(struct migration *m)
{
	struct dirty_log *log = &m->dirty;
	struct nvme_vf *vf = &m->vf;
	struct track_offer offer;
	int ret;

	if (log->state != DIRTY_ON)
		return 0;

	do {
		ret = vf->set->track_start(vf, log->tracked, log->nr_tracked,
					   log->shift, &offer);
	} while (nvme_vfio_try_again(vf));
	/* It was not suspended, whatever has become of this. */
	vf->state_unknown = false;
	if (ret == -EALREADY)
		return 0;
	if (ret && !vf->status)
		return ret;

	dev_warn_ratelimited(nvme_vfio_mig_dev(m),
			     "the device %s: all memory counts as written\n",
			     ret ? "does not say that it tracks the VF" :
			     "has lost its log of the VF");
	log->all = true;
	return 0;
}

bool nvme_vfio_dirty_end(struct migration *m)
{
	struct dirty_log *log = &m->dirty;

	log->state = DIRTY_OFF;
	nvme_vfio_dirty_stop_device(m, BRIEF_MS);
	nvme_vfio_dirty_forget_ranges(log);
	nvme_vfio_dirty_drop_memory(log);
	return !log->device_on;
}

static int nvme_vfio_dirty_take_ranges(struct dirty_log *log,
				       struct rb_root_cached *ranges, u32 nr)
{
	struct interval_tree_node *node;
	struct iova_range *s;

	s = kmalloc_array(nr, sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return -ENOMEM;

	nvme_vfio_dirty_forget_ranges(log);
	log->ranges = s;
	for (node = interval_tree_iter_first(ranges, 0, ULONG_MAX);
	     node && log->nr < nr;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX)) {
		/*
		 * An empty range is in the tree with its ends swapped, and one
		 * at 0 as all there is, which no length can say.
		 */
		if (node->start > node->last ||
		    (!node->start && node->last == ULONG_MAX))
			return -EINVAL;
		s[log->nr++] = (struct iova_range) { node->start, node->last };
	}
	return log->nr ? 0 : -EINVAL;
}

/* The finest unit that the device has and that is not finer than asked for. */
static u8 nvme_vfio_dirty_unit(const struct track_limits *limits, u64 page_size)
{
	return clamp_t(u8, ilog2(page_size), limits->min_shift,
		       limits->max_shift);
}

static int nvme_vfio_dirty_start_locked(struct migration *m,
					struct rb_root_cached *ranges, u32 nr,
					u64 page_size)
{
	struct dirty_log *log = &m->dirty;
	int ret;

	if (log->state == DIRTY_ARMED || log->state == DIRTY_ON ||
	    m->state == VFIO_DEVICE_STATE_ERROR)
		return -EINVAL;

	nvme_vfio_dirty_drop_memory(log);
	log->state = DIRTY_OFF;
	log->all = false;
	log->drained = false;
	log->shift = nvme_vfio_dirty_unit(&m->vf.track, page_size);
	ret = nvme_vfio_dirty_take_ranges(log, ranges, nr);
	if (ret)
		return ret;

	log->map = nvme_vfio_dirty_map_new(log->ranges, log->nr, log->shift);
	log->buf = nvme_vfio_buf_alloc(REPORT_LEN);
	if (!log->map || !log->buf)
		return -ENOMEM;

	if (nvme_vfio_mig_is_suspended(m->state)) {
		log->state = DIRTY_ARMED;
		return 0;
	}
	nvme_vfio_dirty_stop_device(m, 0);
	ret = nvme_vfio_dirty_start_device(m);
	if (!ret)
		log->state = DIRTY_ON;
	return ret;
}

int nvme_vfio_dirty_start(struct migration *m, struct rb_root_cached *ranges,
			  u32 nr, u64 *page_size)
{
	struct dirty_log *log = &m->dirty;
	bool none;
	int ret;

	if (!is_power_of_2(*page_size))
		return -EINVAL;

	if (mutex_lock_killable(&log->lock))
		return -EINTR;
	ret = nvme_vfio_mig_lock_killable(m);
	if (ret)
		goto unlock;
	nvme_vfio_mig_begin(m);
	ret = nvme_vfio_dirty_start_locked(m, ranges, nr, *page_size);
	if (ret)
		nvme_vfio_mig_failed(m, ret, "starting the log of writes");
	none = ret && log->state == DIRTY_OFF;
	if (!ret)
		*page_size = 1ull << log->shift;
	else if (none)
		nvme_vfio_dirty_forget_ranges(log);
	nvme_vfio_mig_unlock(m);
	if (none)
		nvme_vfio_dirty_drop_memory(log);
unlock:
	mutex_unlock(&log->lock);
	return ret;
}

int nvme_vfio_dirty_stop(struct migration *m)
{
	struct dirty_log *log = &m->dirty;
	int ret;

	if (mutex_lock_killable(&log->lock))
		return -EINTR;
	ret = nvme_vfio_mig_lock_killable(m);
	if (ret)
		goto unlock;
	log->state = DIRTY_OFF;
	nvme_vfio_dirty_stop_device(m, 0);
	nvme_vfio_dirty_forget_ranges(log);
	nvme_vfio_mig_unlock(m);
	nvme_vfio_dirty_drop_memory(log);
unlock:
	mutex_unlock(&log->lock);
	return ret;
}

/*
 * Merge all that the device has. A running VF may write faster than that; a
 * suspended one no longer writes, so each report has a new unit.
 */
static int nvme_vfio_dirty_drain(struct migration *m)
{
	struct dirty_log *log = &m->dirty;
	struct nvme_vf *vf = &m->vf;
	u32 len = min_t(u32, REPORT_LEN, vf->max_transfer);
	bool suspended = nvme_vfio_mig_is_suspended(m->state);
	u64 tries = nvme_vfio_dirty_map_units(log->map) + FEW_REPORTS;
	unsigned long until = jiffies + msecs_to_jiffies(RUNNING_DRAIN_MS);
	struct track_report r = { .map = log->map };
	int ret;

	for (; tries; tries--) {
		ret = vf->set->track_report(vf, log->buf, len, &r);
		if (ret)
			return ret;
		if (!r.more)
			break;
		if (fatal_signal_pending(current))
			return -EINTR;
		if (!suspended && time_after(jiffies, until))
			break;
	}
	if (!suspended)
		return 0;
	if (!tries) {
		dev_warn_ratelimited(nvme_vfio_mig_dev(m),
				     "the device's reports of dirty memory do not end\n");
		return -EIO;
	}
	if (!r.suspended) {
		dev_warn_ratelimited(nvme_vfio_mig_dev(m),
				     "the VF is not suspended: it was reset behind the migration's back\n");
		return -EIO;
	}
	log->drained = true;
	return 0;
}

static int nvme_vfio_dirty_report_locked(struct migration *m)
{
	struct dirty_log *log = &m->dirty;
	int ret;

	switch (log->state) {
	case DIRTY_OFF:
		return -EINVAL;
	case DIRTY_LOST:
		return -EIO;
	case DIRTY_ARMED:
		return 0;
	case DIRTY_ON:
		break;
	}
	/* While the guest is stopped user space asks once per range. */
	ret = log->drained ? 0 : nvme_vfio_dirty_drain(m);
	/* Not sent: nothing was cleared. */
	if (ret == -EAGAIN || ret == -EBUSY || ret == -ENOMEM)
		return ret;
	if (ret) {
		/* The report that failed was cleared in the device. */
		dev_warn_ratelimited(nvme_vfio_mig_dev(m),
				     "the log of dirty memory is lost (%pe)\n",
				     ERR_PTR(ret));
		nvme_vfio_dirty_lost(m);
		return ret;
	}
	if (log->all)
		nvme_vfio_dirty_map_mark(log->map, 0, U64_MAX);
	log->all = false;
	nvme_vfio_dirty_mark_holes(log);
	return 0;
}

static void nvme_vfio_dirty_set_bitmap(void *arg, u64 first, u64 last)
{
	cond_resched();
	iova_bitmap_set(arg, first, last - first + 1);
}

int nvme_vfio_dirty_report(struct migration *m, u64 iova, u64 len,
			   struct iova_bitmap *dirty)
{
	struct dirty_log *log = &m->dirty;
	u64 last = iova + len - 1;
	int ret;

	if (!len || last < iova)
		return -EINVAL;

	if (mutex_lock_killable(&log->lock))
		return -EINTR;
	/* Memory that nobody tracks must not pass for clean. */
	ret = log->map && !nvme_vfio_dirty_map_covers(log->map, iova, last) ?
	      -EINVAL : 0;
	if (!ret)
		ret = nvme_vfio_mig_lock_killable(m);
	if (!ret) {
		nvme_vfio_mig_begin(m);
		ret = nvme_vfio_dirty_report_locked(m);
		if (ret)
			nvme_vfio_mig_failed(m, ret, "reading the log of writes");
		nvme_vfio_mig_unlock(m);
	}
	if (!ret)
		nvme_vfio_dirty_map_take(log->map, iova, last,
					 nvme_vfio_dirty_set_bitmap, dirty);
	mutex_unlock(&log->lock);
	return ret;
}

/* iova_bitmap lives in this namespace since 6.7; before, nobody asks. */
MODULE_INFO(import_ns, "IOMMUFD");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The standard command set's tracking of memory: Track Send and Track Receive
 * of NVM Express Base Specification 2.1, sent to the PF and about a VF.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/limits.h>

#include "dirty_map.h"
#include "nvme_vf.h"
#include "standard_track.h"

static_assert(sizeof(struct std_track_header) == 8);
static_assert(sizeof(struct std_track_range) == 12);
static_assert(sizeof(struct std_report_header) == 16);
static_assert(sizeof(struct std_report_range) == 16);

#define UNIT_SHIFT	12	/* units are 2^n * 4 KiB */
#define MAX_SHIFT	51	/* so that 2^n * 4 KiB stays a number */

void nvme_vfio_std_track_limits(struct vf_facts *f,
				const struct nvme_id_ctrl *id)
{
	const struct std_track_caps *caps = (const void *)id + STD_TRACK_CAPS;
	struct track_limits *l = &f->track;
	u32 min = caps->minmrtg + UNIT_SHIFT, max = caps->maxmrtg + UNIT_SHIFT;

	if (!(caps->trattr & STD_TRATTR_THMCS) || min > max || max > MAX_SHIFT)
		return;

	l->ranges = min(le16_to_cpu(caps->cmmrtd), le16_to_cpu(caps->nmmrtd));
	l->min_shift = min;
	l->max_shift = max;
	l->pow2 = caps->trattr & STD_TRATTR_MRTLL;
}

/* These fail for reasons that the caller can do something about. */
static int nvme_vfio_std_track_errno(const struct nvme_vf *vf, int ret)
{
	switch (vf->status) {
	case 0:
		return ret;
	case STD_SC_SUSPENDED:
		return -EAGAIN;
	case STD_SC_INVALID_CTRL:
		return -EALREADY;
	case STD_SC_NO_RESOURCES:
		return -ENOSPC;
	case STD_SC_INVALID_FIELD:
		return -EINVAL;
	default:
		return -EIO;
	}
}

int nvme_vfio_std_track_start(struct nvme_vf *vf,
			      const struct iova_range *ranges, u32 n, u8 shift,
			      struct track_offer *offer)
{
	struct nvme_pf_cmd c = { };
	struct std_track_header *h;
	struct std_track_range *r;
	u32 i;
	int ret;

	c.len = sizeof(*h) + n * sizeof(*r);
	c.buf = nvme_vfio_buf_alloc(c.len);
	if (!c.buf)
		return -ENOMEM;
	h = c.buf->data;
	h->rmrtg = shift - UNIT_SHIFT;
	h->rnmrtd = cpu_to_le32(n);
	r = (void *)(h + 1);
	for (i = 0; i < n; i++) {
		u64 size = ranges[i].last - ranges[i].first;

		r[i].saddr = cpu_to_le64(ranges[i].first);
		r[i].len = cpu_to_le32((size >> shift) + 1);
	}

	std_track_memory(&c.cmd.common, vf->cntlid, true);
	std_track_memory(&c.undo.common, vf->cntlid, false);
	ret = nvme_vfio_try_exec(vf, &c);
	nvme_pf_buf_put(c.buf);

	if (vf->status == STD_SC_NO_RESOURCES) {
		offer->shift = min_t(u32, lower_32_bits(c.result) & 0xffff,
				     MAX_SHIFT) + UNIT_SHIFT;
		offer->ranges = upper_32_bits(c.result);
	}
	return nvme_vfio_std_track_errno(vf, ret);
}

int nvme_vfio_std_track_stop(struct nvme_vf *vf, u32 limit_ms)
{
	struct nvme_pf_cmd c = { .limit_ms = limit_ms };
	int ret;

	std_track_memory(&c.cmd.common, vf->cntlid, false);
	ret = nvme_vfio_try_exec(vf, &c);
	return nvme_vfio_std_track_errno(vf, ret);
}

int nvme_vfio_std_track_report(struct nvme_vf *vf, struct nvme_pf_buf *buf,
			       u32 len, struct track_report *report)
{
	const struct std_report_header *h = buf->data;
	const struct std_report_range *r = (void *)(h + 1);
	struct nvme_pf_cmd c = { .buf = buf, .len = len };
	u32 i, n, shift;
	int ret;

	std_track_receive(&c.cmd.common, vf->cntlid, len);
	ret = nvme_vfio_exec(vf, &c);
	if (ret)
		return ret;

	n = le32_to_cpu(h->ntmcd);
	shift = le16_to_cpu(h->rpmpg) + UNIT_SHIFT;
	report->more = h->attrb & STD_REPORT_MTR;
	report->suspended = h->attrb & STD_REPORT_SUSP;
	if (h->ver || n > (len - sizeof(*h)) / sizeof(*r) ||
	    (n && shift > MAX_SHIFT) || (!n && report->more)) {
		dev_warn_ratelimited(&vf->pdev->dev,
				     "the device's report of dirty memory makes no sense\n");
		return -EIO;
	}

	for (i = 0; i < n; i++) {
		u64 first = le64_to_cpu(r[i].saddr), last = U64_MAX;
		u64 units = le32_to_cpu(r[i].len);

		if (!units)
			continue;
		/* No range goes beyond the last address. */
		if (units <= (U64_MAX - first) >> shift)
			last = first + (units << shift) - 1;
		nvme_vfio_dirty_map_mark(report->map, first, last);
	}
	return 0;
}

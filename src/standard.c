// SPDX-License-Identifier: GPL-2.0-only
/*
 * The standard command set: host managed live migration of NVM Express Base
 * Specification 2.1. Everything goes to the PF (the "migration management
 * controller") and names the VF by its controller id.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "nvme_vf.h"
#include "standard_half.h"
#include "standard_track.h"

static_assert(sizeof(struct std_state_header) == LM_STATE_HEADER);

static int nvme_vfio_std_probe(struct nvme_vf *vf, struct vf_facts *f,
			       const struct nvme_id_ctrl *id, const char **why)
{
	struct nvme_pf_buf *page;
	int ret;

	if (!lm_says_standard(le16_to_cpu(id->oacs)))
		return -EOPNOTSUPP;

	nvme_vfio_std_track_limits(f, id);

	page = nvme_vfio_buf_alloc(IDENTIFY_LEN);
	if (!page)
		return -ENOMEM;

	ret = nvme_vfio_find_secondary(vf, f, le16_to_cpu(id->cntlid), page,
				       why);
	if (!ret)
		ret = nvme_vfio_identify(vf, STD_CNS_STATE_FORMATS, 0, page);
	if (!ret) {
		memcpy(f->formats, page->data, sizeof(f->formats));
		*why = lm_find_format(f->formats, &f->format);
		if (*why)
			ret = -EOPNOTSUPP;
	}

	nvme_pf_buf_put(page);
	return ret;
}

static int nvme_vfio_std_suspend(struct nvme_vf *vf)
{
	struct nvme_pf_cmd c = { };

	std_suspend(&c.cmd.common, vf->cntlid, STD_SUSPEND, false);
	std_resume(&c.undo.common, vf->cntlid);
	return nvme_vfio_exec_patiently(vf, &c);
}

static void nvme_vfio_std_announce(struct nvme_vf *vf)
{
	struct nvme_pf_cmd c = { .limit_ms = BRIEF_MS };
	bool overlapped = vf->overlapped;

	std_suspend(&c.cmd.common, vf->cntlid, STD_SUSPEND_NOTIFY, false);
	nvme_vfio_try_exec(vf, &c);
	/* The VF is unchanged, whatever became of the command. */
	vf->overlapped = overlapped;
	vf->state_unknown = false;
}

/*
 * A reset of the PF or of the VF ends a suspension, and more. Of all commands
 * only this one's refusal says so, and it is the last that a VF needs.
 */
static int nvme_vfio_std_resume(struct nvme_vf *vf)
{
	struct nvme_pf_cmd c = { };
	int ret;

	std_resume(&c.cmd.common, vf->cntlid);
	ret = nvme_vfio_exec_patiently(vf, &c);
	if (vf->status == STD_SC_NOT_SUSPENDED) {
		dev_warn_ratelimited(&vf->pdev->dev,
				     "the VF is not suspended: it was reset behind the migration's back\n");
		vf->state_unknown = true;
	}
	return ret;
}

static int nvme_vfio_std_find_out(struct nvme_vf *vf, u32 limit_ms,
				  bool *was_suspended)
{
	struct nvme_pf_cmd c = { .limit_ms = limit_ms };
	int ret;

	std_resume(&c.cmd.common, vf->cntlid);
	do {
		ret = nvme_vfio_try_exec(vf, &c);
	} while (nvme_vfio_try_again(vf));
	*was_suspended = !ret;
	switch (vf->status) {
	case STD_SC_NOT_SUSPENDED:
	case STD_SC_INVALID_CTRL:	/* offline */
		return 0;
	default:
		if (vf->status)
			dev_warn_ratelimited(&vf->pdev->dev,
					     "PF command %02xh (Resume of a VF that may be suspended) failed with status %03xh\n",
					     STD_MIGRATION_SEND, vf->status);
		return ret;
	}
}

/* Bytes of the whole structure; 0 when the header makes no sense. */
static u64 nvme_vfio_std_total_size(const struct std_state_header *h)
{
	u64 nvme = le64_to_cpu(h->nvmecss[0]), vendor = le64_to_cpu(h->vss[0]);

	/* 128 bit lengths of dwords; no real state is near 2^32 dwords. */
	if (h->ver || h->nvmecss[1] || h->vss[1] ||
	    nvme > U32_MAX || vendor > U32_MAX)
		return 0;

	return sizeof(*h) + 4 * (nvme + vendor);
}

/* What the device gave as a state's header: how large is the state? */
static int nvme_vfio_std_size_told(struct nvme_vf *vf,
				   const struct std_state_header *h, u64 *size)
{
	const char *why = lm_state_lacks(h, vf->format.index);

	if (why) {
		dev_warn_ratelimited(&vf->pdev->dev,
				     "the device's state cannot be used: %s\n",
				     why);
		return -EIO;
	}
	*size = nvme_vfio_std_total_size(h);
	if (!*size) {
		dev_warn_ratelimited(&vf->pdev->dev,
				     "the device reports an impossible state size\n");
		return -EOVERFLOW;
	}
	return 0;
}

static int nvme_vfio_std_get(struct nvme_vf *vf, u64 offset,
			     struct nvme_pf_buf *buf, u32 len, u64 *result)
{
	struct nvme_pf_cmd c = { .buf = buf, .len = len };
	int ret;

	std_get_state(&c.cmd.common, vf->cntlid, vf->format.index, offset, len);
	ret = nvme_vfio_exec_patiently(vf, &c);
	*result = c.result;
	return ret;
}

static int nvme_vfio_std_state_size(struct nvme_vf *vf, u64 *size)
{
	struct nvme_pf_buf *header;
	u64 result;
	int ret;

	header = nvme_vfio_buf_alloc(sizeof(struct std_state_header));
	if (!header)
		return -ENOMEM;

	ret = nvme_vfio_std_get(vf, 0, header, header->len, &result);
	if (!ret)
		ret = nvme_vfio_std_size_told(vf, header->data, size);
	nvme_pf_buf_put(header);
	return ret;
}

static int nvme_vfio_std_get_state(struct nvme_vf *vf, u64 offset,
				   struct nvme_pf_buf *buf, u32 len, u64 *total)
{
	const struct std_state_header *h = buf->data;
	u64 result;
	int ret;

	ret = nvme_vfio_std_get(vf, offset, buf, len, &result);
	if (ret)
		return ret;

	/*
	 * Only a state read from a suspended VF is consistent. Whether it is
	 * not suspended, or the device only fails to say so, Resume will show.
	 */
	if (!(result & STD_GET_CSUP) ||
	    (!offset && !(h->csattr & STD_CSATTR_CP))) {
		dev_warn_ratelimited(&vf->pdev->dev,
				     "the device does not confirm that the VF was suspended: its state is not used\n");
		return -EIO;
	}
	return offset ? 0 : nvme_vfio_std_size_told(vf, h, total);
}

static int nvme_vfio_std_check_start(const struct nvme_vf *vf, const void *buf,
				     u32 len, u64 total, const char **why)
{
	const struct std_state_header *h = buf;

	*why = "the first data record does not hold the state's header";
	if (len < sizeof(*h))
		return -EINVAL;

	*why = lm_state_lacks(h, vf->load_format.index);
	if (*why)
		return -EINVAL;
	if (nvme_vfio_std_total_size(h) != total)
		*why = "the state's header does not agree with its size";
	else if (!(h->csattr & STD_CSATTR_CP))
		*why = "the state was read from a running controller";
	else
		return 0;

	return -EINVAL;
}

static int nvme_vfio_std_set_state(struct nvme_vf *vf, u64 offset,
				   struct nvme_pf_buf *buf, u32 at, u32 len,
				   bool first, bool last)
{
	u8 seq = (first ? STD_SEQ_FIRST : 0) | (last ? STD_SEQ_LAST : 0);
	struct nvme_pf_cmd c = { .buf = buf, .offset = at, .len = len };

	std_set_state(&c.cmd.common, vf->cntlid, vf->load_format.index, seq,
		      offset, len);
	return nvme_vfio_try_exec(vf, &c);
}

const struct cmdset nvme_vfio_cmdset_standard = {
	.id		= CMDSET_STANDARD,
	.name		= "standard",
	.probe		= nvme_vfio_std_probe,
	.suspend	= nvme_vfio_std_suspend,
	.announce	= nvme_vfio_std_announce,
	.resume		= nvme_vfio_std_resume,
	.find_out	= nvme_vfio_std_find_out,
	.state_size	= nvme_vfio_std_state_size,
	.get_state	= nvme_vfio_std_get_state,
	.check_start	= nvme_vfio_std_check_start,
	.set_state	= nvme_vfio_std_set_state,
	.drop_half	= nvme_vfio_std_drop_half,
	.track_start	= nvme_vfio_std_track_start,
	.track_stop	= nvme_vfio_std_track_stop,
	.track_report	= nvme_vfio_std_track_report,
};

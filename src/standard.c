// SPDX-License-Identifier: GPL-2.0-only
/*
 * The standard command set: host managed live migration of NVM Express Base
 * Specification 2.1. Everything goes to the PF (the "migration management
 * controller") and names the VF by its controller id.
 */
#include <linux/build_bug.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "nvme_vf.h"
#include "standard_track.h"

static_assert(sizeof(struct std_state_header) == 48);

static int nvme_vfio_std_probe(struct nvme_vf *vf,
			       const struct nvme_id_ctrl *id, const char **why)
{
	void *page;
	int ret;

	if (!lm_says_standard(le16_to_cpu(id->oacs)))
		return -EOPNOTSUPP;

	nvme_vfio_std_track_limits(vf, id);

	page = kmalloc(IDENTIFY_LEN, GFP_KERNEL);
	if (!page)
		return -ENOMEM;

	ret = nvme_vfio_find_secondary(vf, le16_to_cpu(id->cntlid), page, why);
	if (!ret)
		ret = nvme_vfio_identify(vf, STD_CNS_STATE_FORMATS, 0, page);
	if (!ret) {
		*why = lm_find_format(page, &vf->format);
		if (*why)
			ret = -EOPNOTSUPP;
	}

	kfree(page);
	return ret;
}

static int nvme_vfio_std_suspend(struct nvme_vf *vf)
{
	struct nvme_command cmd = { };

	std_suspend(&cmd.common, vf->cntlid, STD_SUSPEND, false);
	return nvme_vfio_exec(vf, &cmd, NULL, 0, NULL);
}

/* A reset of the PF or of the VF ends a suspension, and more. */
static void nvme_vfio_std_lost(struct nvme_vf *vf)
{
	dev_warn(&vf->pdev->dev, "the VF is not suspended: it was reset behind the migration's back\n");
	vf->state_unknown = true;
}

static int nvme_vfio_std_resume(struct nvme_vf *vf)
{
	struct nvme_command cmd = { };
	int ret;

	std_resume(&cmd.common, vf->cntlid);
	ret = nvme_vfio_exec(vf, &cmd, NULL, 0, NULL);
	if (vf->status == STD_SC_NOT_SUSPENDED)
		nvme_vfio_std_lost(vf);
	return ret;
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

static int nvme_vfio_std_get(struct nvme_vf *vf, u64 offset, void *buf, u32 len,
			     u64 *result)
{
	struct nvme_command cmd = { };

	std_get_state(&cmd.common, vf->cntlid, vf->format.index, offset, len);
	return nvme_vfio_exec(vf, &cmd, buf, len, result);
}

static int nvme_vfio_std_state_size(struct nvme_vf *vf, u64 *size)
{
	struct std_state_header *h;
	int ret;

	h = kzalloc(sizeof(*h), GFP_KERNEL);
	if (!h)
		return -ENOMEM;

	ret = nvme_vfio_std_get(vf, 0, h, sizeof(*h), NULL);
	if (!ret) {
		*size = nvme_vfio_std_total_size(h);
		if (!*size)
			ret = -EOVERFLOW;
	}
	kfree(h);
	return ret;
}

static int nvme_vfio_std_get_state(struct nvme_vf *vf, u64 offset, void *buf,
				   u32 len, u64 *total)
{
	const struct std_state_header *h = buf;
	u64 result = 0;
	int ret;

	ret = nvme_vfio_std_get(vf, offset, buf, len, &result);
	/* A PF reset takes its VFs offline, and their ids out of use. */
	if (vf->status == STD_SC_INVALID_CTRL)
		nvme_vfio_std_lost(vf);
	if (ret)
		return ret;

	/* Only a state read from a suspended VF agrees with itself. */
	if (!(result & STD_GET_CSUP) ||
	    (!offset && !(h->csattr & STD_CSATTR_CP))) {
		nvme_vfio_std_lost(vf);
		return -EIO;
	}
	if (offset)
		return 0;

	*total = nvme_vfio_std_total_size(h);
	if (!*total) {
		dev_warn(&vf->pdev->dev, "the device reports an impossible state size\n");
		return -EOVERFLOW;
	}
	return 0;
}

static int nvme_vfio_std_check_start(const struct nvme_vf *vf, const void *buf,
				     u32 len, u64 total, const char **why)
{
	const struct std_state_header *h = buf;

	if (len < sizeof(*h))
		*why = "the first data record does not hold the state's header";
	else if (nvme_vfio_std_total_size(h) != total)
		*why = "the state's header does not agree with its size";
	else if (!(h->csattr & STD_CSATTR_CP))
		*why = "the state was read from a running controller";
	else
		return 0;

	return -EINVAL;
}

static int nvme_vfio_std_set_state(struct nvme_vf *vf, u64 offset,
				   const void *buf, u32 len, bool first,
				   bool last)
{
	u8 seq = (first ? STD_SEQ_FIRST : 0) | (last ? STD_SEQ_LAST : 0);
	struct nvme_command cmd = { };

	std_set_state(&cmd.common, vf->cntlid, vf->format.index, seq, offset,
		      len);
	return nvme_vfio_exec(vf, &cmd, (void *)buf, len, NULL);
}

const struct cmdset nvme_vfio_cmdset_standard = {
	.id		= CMDSET_STANDARD,
	.name		= "standard",
	.probe		= nvme_vfio_std_probe,
	.suspend	= nvme_vfio_std_suspend,
	.resume		= nvme_vfio_std_resume,
	.state_size	= nvme_vfio_std_state_size,
	.get_state	= nvme_vfio_std_get_state,
	.check_start	= nvme_vfio_std_check_start,
	.set_state	= nvme_vfio_std_set_state,
	.track_start	= nvme_vfio_std_track_start,
	.track_stop	= nvme_vfio_std_track_stop,
	.track_report	= nvme_vfio_std_track_report,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A state of which a VF has received a part, and never all of it. A VF with one
 * cannot be resumed, and the standard does not list a reset of the VF among
 * what removes it. What does is a complete sequence: of the VF's own state.
 */
#include <linux/errno.h>
#include <linux/minmax.h>

#include "nvme_vf.h"
#include "standard_half.h"

static int nvme_vfio_std_rewrite(struct nvme_vf *vf)
{
	struct nvme_pf_buf *buf;
	u64 size, told, at;
	int ret;
	u32 n;

	ret = vf->set->state_size(vf, &size);
	if (ret)
		return ret;
	buf = nvme_vfio_buf_alloc(min_t(u64, size, vf->max_transfer));
	if (!buf)
		return -ENOMEM;

	/* Its own state, not the one that was on its way. */
	vf->load_format = vf->format;
	for (at = 0; at < size && !ret; at += n) {
		n = min_t(u64, size - at, vf->max_transfer);
		ret = vf->set->get_state(vf, at, buf, n, &told);
		/* It was suspended when the size was asked for. */
		if (!ret && !at && told != size)
			ret = -EIO;
		if (ret)
			break;
		ret = vf->set->set_state(vf, at, buf, 0, n, !at,
					 at + n == size);
		nvme_vfio_warn_status(vf);
	}
	nvme_pf_buf_put(buf);
	return ret;
}

int nvme_vfio_std_drop_half(struct nvme_vf *vf)
{
	int ret = vf->set->suspend(vf);

	/* Offline: it cannot be used, and is reset before it can. */
	if (vf->status == STD_SC_INVALID_CTRL)
		return 0;
	if (ret)
		return ret;

	/* Most devices will have dropped it with the reset. */
	ret = vf->set->resume(vf);
	if (vf->status != STD_SC_SEQUENCE)
		return ret;

	ret = nvme_vfio_std_rewrite(vf);
	if (!ret)
		ret = vf->set->resume(vf);
	if (ret)
		vf->state_unknown = true;
	else
		dev_warn_ratelimited(&vf->pdev->dev,
				     "part of a state was left in the VF, and has been removed\n");
	return ret;
}

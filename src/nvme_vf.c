// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VF as the migration commands see it: attaching to the PF, finding the
 * command set, running a command.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "nvme_vf.h"
#include "trace.h"

static const struct cmdset * const nvme_vfio_cmdsets[] = {
	&nvme_vfio_cmdset_standard,	/* preferred */
	&nvme_vfio_cmdset_vendor,
};

void nvme_vfio_vf_init(struct nvme_vf *vf, struct pci_dev *pdev)
{
	memset(vf, 0, sizeof(*vf));
	vf->pdev = pdev;
}

void nvme_vfio_vf_detach(struct nvme_vf *vf)
{
	if (vf->pf)
		nvme_pf_put(vf->pf);
	vf->pf = NULL;
}

int nvme_vfio_try_exec(struct nvme_vf *vf, struct nvme_command *cmd, void *buf,
		       u32 len, u64 *result)
{
	ktime_t start;
	int ret;

	vf->state_unknown = false;
	vf->status = 0;
	if (!vf->pf) {
		const char *why;

		ret = nvme_vfio_vf_attach(vf, &why);
		if (ret)
			return ret == -EAGAIN || ret == -ENOMEM ? ret : -ENODEV;
	}

	start = ktime_get();
	ret = nvme_pf_submit(vf->pf, cmd, buf, len, result);
	trace_admin_cmd(&vf->pdev->dev, cmd->common.opcode,
			le32_to_cpu(cmd->common.cdw10),
			le32_to_cpu(cmd->common.cdw11), len,
			ktime_us_delta(ktime_get(), start), ret);

	if (ret > 0) {
		vf->status = ret;
		return -EIO;
	}
	if (ret == -ENODEV) {
		/* Unbound: the handle stays dead even if the PF returns. */
		nvme_vfio_vf_detach(vf);
	} else if (ret == -EIO) {
		vf->state_unknown = true;
		dev_warn_ratelimited(&vf->pdev->dev,
				     "PF command %02xh was aborted: the PF was reset, removed or timed out\n",
				     cmd->common.opcode);
	}
	return ret;
}

int nvme_vfio_exec(struct nvme_vf *vf, struct nvme_command *cmd, void *buf,
		   u32 len, u64 *result)
{
	int ret = nvme_vfio_try_exec(vf, cmd, buf, len, result);

	if (vf->status)
		dev_warn_ratelimited(&vf->pdev->dev,
				     "PF command %02xh (cdw10 %08x) failed with status %03xh\n",
				     cmd->common.opcode,
				     le32_to_cpu(cmd->common.cdw10),
				     vf->status);
	return ret;
}

static int nvme_vfio_identify_pf(struct nvme_vf *vf, struct nvme_id_ctrl **id)
{
	struct nvme_command cmd = { };
	int ret;

	*id = kzalloc(sizeof(**id), GFP_KERNEL);
	if (!*id)
		return -ENOMEM;

	std_identify(&cmd.common, NVME_ID_CNS_CTRL, 0);
	ret = nvme_vfio_exec(vf, &cmd, *id, sizeof(**id), NULL);
	if (ret) {
		kfree(*id);
		*id = NULL;
	}
	return ret;
}

static int nvme_vfio_find_set(struct nvme_vf *vf, const char **why)
{
	const char *reason = NULL;
	struct nvme_id_ctrl *id;
	int i, ret;

	*why = "the PF does not answer Identify";
	ret = nvme_vfio_identify_pf(vf, &id);
	if (ret)
		return ret;

	vf->max_transfer = min(nvme_pf_max_transfer(vf->pf), STREAM_MAX_DATA);

	for (i = 0; i < ARRAY_SIZE(nvme_vfio_cmdsets); i++) {
		const struct cmdset *set = nvme_vfio_cmdsets[i];

		/* Once offered to user space, a VF keeps its command set. */
		if (vf->set && vf->set != set)
			continue;

		*why = NULL;
		vf->cntlid = 0;
		vf->nvq = 0;
		vf->nvi = 0;
		memset(&vf->format, 0, sizeof(vf->format));
		memset(&vf->track, 0, sizeof(vf->track));
		ret = set->probe(vf, id, why);
		if (!ret) {
			vf->set = set;
			nvme_vfio_fill_identity(vf, id);
			break;
		}
		if (ret != -EOPNOTSUPP)
			break;
		/* What the preferred set lacks is worth more. */
		if (!reason)
			reason = *why;
	}
	if (ret == -EOPNOTSUPP)
		*why = reason ?: LM_NO_COMMANDS;
	else if (ret)
		*why = "the PF fails an Identify command";

	kfree(id);
	return ret;
}

int nvme_vfio_vf_attach(struct nvme_vf *vf, const char **why)
{
	struct nvme_pf *pf;
	int ret;

	*why = NULL;
	if (vf->pf)
		return 0;

	pf = nvme_pf_get(vf->pdev, why);
	if (IS_ERR(pf))
		return PTR_ERR(pf);

	vf->pf = pf;
	vf->vfn = pci_iov_vf_id(vf->pdev) + 1;
	ret = nvme_vfio_find_set(vf, why);
	if (ret)
		nvme_vfio_vf_detach(vf);

	return ret;
}

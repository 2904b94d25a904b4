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

static void nvme_vfio_describe(struct nvme_vf *vf,
			       const struct nvme_id_ctrl *id)
{
	struct stream_identity *me = &vf->identity;

	memset(me, 0, sizeof(*me));
	memcpy(me->magic, STREAM_MAGIC, sizeof(me->magic));
	me->major = cpu_to_le16(STREAM_MAJOR);
	me->minor = cpu_to_le16(STREAM_MINOR);
	memcpy(me->model, id->mn, sizeof(me->model));
	memcpy(me->firmware, id->fr, sizeof(me->firmware));
	me->pci_vendor = cpu_to_le16(vf->pdev->vendor);
	me->pci_device = cpu_to_le16(vf->pdev->device);
	me->nvme_version = id->ver;
}

static int nvme_vfio_find_set(struct nvme_vf *vf, const char **why)
{
	const char *reason = "the PF offers no migration commands";
	struct nvme_id_ctrl *id;
	int i, ret;

	*why = "the PF does not answer Identify";
	ret = nvme_vfio_identify_pf(vf, &id);
	if (ret)
		return ret;

	vf->max_transfer = min(nvme_pf_max_transfer(vf->pf), STREAM_MAX_DATA);
	nvme_vfio_describe(vf, id);

	for (i = 0; i < ARRAY_SIZE(nvme_vfio_cmdsets); i++) {
		const struct cmdset *set = nvme_vfio_cmdsets[i];

		/* Once offered to user space, a VF keeps its command set. */
		if (vf->set && vf->set != set)
			continue;

		*why = NULL;
		ret = set->probe(vf, id, why);
		if (!ret) {
			vf->set = set;
			vf->identity.cmdset = cpu_to_le32(set->id);
			break;
		}
		if (ret != -EOPNOTSUPP)
			break;
		/* The reason of a set that is nearly there is worth more. */
		if (*why)
			reason = *why;
	}
	if (ret == -EOPNOTSUPP)
		*why = reason;
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

bool nvme_vfio_compatible(struct nvme_vf *vf,
			  const struct stream_identity *from, const char **why)
{
	const struct stream_identity *me = &vf->identity;

	if (from->cmdset != me->cmdset)
		*why = "the state is of the other command set";
	else if (memcmp(from->model, me->model, sizeof(me->model)))
		*why = "the state is of another model";
	else if (memcmp(from->firmware, me->firmware, sizeof(me->firmware)))
		*why = "the state is of another firmware revision";
	else if (from->pci_vendor != me->pci_vendor ||
		 from->pci_device != me->pci_device)
		*why = "the state is of a function with another PCI id";
	else if (from->nvme_version != me->nvme_version)
		*why = "the state is of another NVMe version";
	else if (from->state_version != me->state_version ||
		 from->has_uuid != me->has_uuid ||
		 memcmp(from->uuid, me->uuid, sizeof(me->uuid)))
		*why = "the state has a format that this device does not have";
	else if (le16_to_cpu(from->nvq) > le16_to_cpu(me->nvq))
		*why = "this VF has fewer queues than the state needs";
	else if (le16_to_cpu(from->nvi) > le16_to_cpu(me->nvi))
		*why = "this VF has fewer interrupts than the state needs";
	else
		return true;

	return false;
}

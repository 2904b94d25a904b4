// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VF as the migration commands see it: attaching to the PF, finding the
 * command set, running a command.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "cmdset.h"
#include "trace.h"

static const struct cmdset * const cmdsets[] = {
	&cmdset_standard,	/* preferred */
	&cmdset_vendor_2022,
};

void target_init(struct target *t, struct pci_dev *vf)
{
	memset(t, 0, sizeof(*t));
	t->vf = vf;
}

void target_detach(struct target *t)
{
	if (t->pf)
		nvme_pf_put(t->pf);
	t->pf = NULL;
}

int target_try(struct target *t, struct nvme_command *cmd, void *buf, u32 len,
	       u64 *result)
{
	ktime_t start;
	int ret;

	t->uncertain = false;
	t->status = 0;
	if (!t->pf) {
		const char *why;

		ret = target_attach(t, &why);
		if (ret)
			return ret == -EAGAIN || ret == -ENOMEM ? ret : -ENODEV;
	}

	start = ktime_get();
	ret = nvme_pf_submit(t->pf, cmd, buf, len, result);
	trace_admin_cmd(&t->vf->dev, cmd->common.opcode,
			le32_to_cpu(cmd->common.cdw10),
			le32_to_cpu(cmd->common.cdw11), len,
			ktime_us_delta(ktime_get(), start), ret);

	if (ret > 0) {
		t->status = ret;
		return -EIO;
	}
	if (ret == -ENODEV) {
		/* Unbound: the handle stays dead even if the PF returns. */
		target_detach(t);
	} else if (ret == -EIO) {
		t->uncertain = true;
		dev_warn_ratelimited(&t->vf->dev,
				     "PF command %02xh was aborted: the PF was reset, removed or timed out\n",
				     cmd->common.opcode);
	}
	return ret;
}

int target_exec(struct target *t, struct nvme_command *cmd, void *buf,
		u32 len, u64 *result)
{
	int ret = target_try(t, cmd, buf, len, result);

	if (t->status)
		dev_warn_ratelimited(&t->vf->dev,
				     "PF command %02xh (cdw10 %08x) failed with status %03xh\n",
				     cmd->common.opcode,
				     le32_to_cpu(cmd->common.cdw10), t->status);
	return ret;
}

static int identify_pf(struct target *t, struct nvme_id_ctrl **id)
{
	struct nvme_command cmd = { };
	int ret;

	*id = kzalloc(sizeof(**id), GFP_KERNEL);
	if (!*id)
		return -ENOMEM;

	std_identify(&cmd.common, NVME_ID_CNS_CTRL, 0);
	ret = target_exec(t, &cmd, *id, sizeof(**id), NULL);
	if (ret) {
		kfree(*id);
		*id = NULL;
	}
	return ret;
}

static void describe(struct target *t, const struct nvme_id_ctrl *id)
{
	struct stream_identity *me = &t->identity;

	memset(me, 0, sizeof(*me));
	memcpy(me->magic, STREAM_MAGIC, sizeof(me->magic));
	me->major = cpu_to_le16(STREAM_MAJOR);
	me->minor = cpu_to_le16(STREAM_MINOR);
	memcpy(me->model, id->mn, sizeof(me->model));
	memcpy(me->firmware, id->fr, sizeof(me->firmware));
	me->pci_vendor = cpu_to_le16(t->vf->vendor);
	me->pci_device = cpu_to_le16(t->vf->device);
	me->nvme_version = id->ver;
}

static int find_set(struct target *t, const char **why)
{
	const char *reason = "the PF offers no migration commands";
	struct nvme_id_ctrl *id;
	int i, ret;

	*why = "the PF does not answer Identify";
	ret = identify_pf(t, &id);
	if (ret)
		return ret;

	t->max_transfer = min(nvme_pf_max_transfer(t->pf), STREAM_MAX_DATA);
	describe(t, id);

	for (i = 0; i < ARRAY_SIZE(cmdsets); i++) {
		const struct cmdset *set = cmdsets[i];

		/* Once offered to user space, a VF keeps its command set. */
		if (t->set && t->set != set)
			continue;

		*why = NULL;
		ret = set->probe(t, id, why);
		if (!ret) {
			t->set = set;
			t->identity.cmdset = cpu_to_le32(set->id);
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

int target_attach(struct target *t, const char **why)
{
	struct nvme_pf *pf;
	int ret;

	*why = NULL;
	if (t->pf)
		return 0;

	pf = nvme_pf_get(t->vf, why);
	if (IS_ERR(pf))
		return PTR_ERR(pf);

	t->pf = pf;
	t->vfn = pci_iov_vf_id(t->vf) + 1;
	ret = find_set(t, why);
	if (ret)
		target_detach(t);

	return ret;
}

bool target_compatible(struct target *t, const struct stream_identity *from,
		       const char **why)
{
	const struct stream_identity *me = &t->identity;

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

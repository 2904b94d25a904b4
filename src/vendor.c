// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vendor specific command set of 2022. The whole state moves in one
 * command each way, because neither has an offset, and SAVE_DATA disables the
 * VF. What the document leaves open is listed in docs/command-sets.md.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "cmdset.h"
#include "vendor_cmd.h"

static char *vendor_ids = "";
module_param(vendor_ids, charp, 0444);
MODULE_PARM_DESC(vendor_ids, "further PCI ids of VFs with the vendor command set of 2022, as vvvv:dddd[,vvvv:dddd...] in hexadecimal");

/*
 * The capability is a byte in the vendor's own area of Identify, where another
 * vendor's device may hold anything: only ids known to use it so are asked.
 */
static bool vendor_id_listed(u16 vendor, u16 device)
{
	const char *s = vendor_ids;
	unsigned int v, d;

	if (vendor == PCI_VENDOR_ID_INTEL && device == 0x1457)
		return true;

	while (s && sscanf(s, "%4x:%4x", &v, &d) == 2) {
		if (v == vendor && d == device)
			return true;
		s = strchr(s, ',');
		if (s)
			s++;
	}
	return false;
}

/*
 * The set names VFs by number and tells nothing of their queues. A PF that has
 * the standard's list of its VFs can tell, so that a destination with too few
 * is found before the state is on its way.
 */
static int find_resources(struct target *t, const struct nvme_id_ctrl *id)
{
	const char *why;
	void *page;
	int ret;

	if (!(le16_to_cpu(id->oacs) & STD_OACS_VIRT_MGMT))
		return 0;

	page = kmalloc(IDENTIFY_LEN, GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	ret = target_find_secondary(t, le16_to_cpu(id->cntlid), page, &why);
	kfree(page);

	/* Not to know is no harm; not to reach the PF is. */
	return ret == -EOPNOTSUPP || t->status ? 0 : ret;
}

static int vnd_probe(struct target *t, const struct nvme_id_ctrl *id,
		     const char **why)
{
	if (id->vs[0] != 1)
		return -EOPNOTSUPP;
	if (!vendor_id_listed(t->vf->vendor, t->vf->device)) {
		*why = "the PF may have the set of 2022, but the VF's id is not in vendor_ids";
		return -EOPNOTSUPP;
	}
	return find_resources(t, id);
}

static int command(struct target *t, u8 opcode, u64 *result)
{
	struct nvme_command cmd = { };

	vnd_command(&cmd.common, opcode, t->vfn);
	return target_exec(t, &cmd, NULL, 0, result);
}

static int vnd_suspend(struct target *t)
{
	return command(t, VND_SUSPEND, NULL);
}

static int vnd_resume(struct target *t)
{
	return command(t, VND_RESUME, NULL);
}

static int vnd_state_size(struct target *t, u64 *size)
{
	u64 result = 0;
	int ret;

	ret = command(t, VND_QUERY_DATA_SIZE, &result);
	if (ret)
		return ret;
	*size = lower_32_bits(result);
	if (!*size) {
		dev_warn(&t->vf->dev, "the device reports an empty state\n");
		return -EIO;
	}
	return 0;
}

static int vnd_get_state(struct target *t, u64 offset, void *buf, u32 len,
			 u64 *total)
{
	struct nvme_command cmd = { };

	*total = len;
	vnd_command(&cmd.common, VND_SAVE_DATA, t->vfn);
	return target_exec(t, &cmd, buf, ALIGN(len, 4), NULL);
}

static int vnd_check_start(const struct target *t, const void *buf, u32 len,
			   u64 total, const char **why)
{
	if (len == total && total <= t->max_transfer)
		return 0;

	*why = "the state does not fit one command of this device";
	return -EINVAL;
}

static int vnd_set_state(struct target *t, u64 offset, const void *buf,
			 u32 len, bool first, bool last)
{
	struct nvme_command cmd = { };

	vnd_load_data(&cmd.common, t->vfn, len);
	return target_exec(t, &cmd, (void *)buf, ALIGN(len, 4), NULL);
}

const struct cmdset cmdset_vendor_2022 = {
	.id		= CMDSET_VENDOR_2022,
	.name		= "vendor 2022",
	.whole		= true,
	.save_disables	= true,
	.probe		= vnd_probe,
	.suspend	= vnd_suspend,
	.resume		= vnd_resume,
	.state_size	= vnd_state_size,
	.get_state	= vnd_get_state,
	.check_start	= vnd_check_start,
	.set_state	= vnd_set_state,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vendor specific command set of 2022. The whole state moves in one
 * command each way, because neither has an offset, and SAVE_DATA disables the
 * VF. What the document leaves open is listed in docs/command-sets.md.
 */

#include <linux/errno.h>
#include <linux/compiler.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "nvme_vf.h"
#include "vendor_cmd.h"

/* PCI ids of VFs, from the module's parameter; written while it is loaded. */
static struct {
	u16 vendor;
	u16 device;
} nvme_vfio_vendor_ids[32];
static unsigned int nvme_vfio_vendor_ids_used;

static int nvme_vfio_vendor_ids_set(const char *val,
				    const struct kernel_param *kp)
{
	unsigned int n = 0;
	const char *s = val;
	unsigned int v, d;
	int len;

	while (*s && *s != '\n') {
		/* %4x would take a sign, a prefix, or fewer digits */
		len = strspn(s, "0123456789abcdefABCDEF:");
		if (len != 9 || s[4] != ':' || sscanf(s, "%4x:%4x", &v, &d) != 2 ||
		    (s[len] && s[len] != '\n' && (s[len] != ',' || !s[len + 1]))) {
			pr_err("%s: vendor_ids: '%s' is not vvvv:dddd in hexadecimal, or a comma-separated list of these\n",
			       KBUILD_MODNAME, s);
			return -EINVAL;
		}
		if (n == ARRAY_SIZE(nvme_vfio_vendor_ids)) {
			pr_err("%s: vendor_ids: more than %zu ids\n",
			       KBUILD_MODNAME,
			       ARRAY_SIZE(nvme_vfio_vendor_ids));
			return -EINVAL;
		}
		nvme_vfio_vendor_ids[n].vendor = v;
		nvme_vfio_vendor_ids[n++].device = d;
		s += len;
		if (*s == ',')
			s++;
	}
	nvme_vfio_vendor_ids_used = n;
	return 0;
}

static int nvme_vfio_vendor_ids_get(char *buffer, const struct kernel_param *kp)
{
	unsigned int i;
	int len = 0;

	for (i = 0; i < nvme_vfio_vendor_ids_used; i++)
		len += sysfs_emit_at(buffer, len, "%s%04x:%04x", i ? "," : "",
				     nvme_vfio_vendor_ids[i].vendor,
				     nvme_vfio_vendor_ids[i].device);
	return len + sysfs_emit_at(buffer, len, "\n");
}

static const struct kernel_param_ops nvme_vfio_vendor_ids_ops = {
	.set = nvme_vfio_vendor_ids_set,
	.get = nvme_vfio_vendor_ids_get,
};
module_param_cb(vendor_ids, &nvme_vfio_vendor_ids_ops, NULL, 0444);
MODULE_PARM_DESC(vendor_ids, "more PCI ids of VFs with the vendor command set of 2022, as vvvv:dddd[,vvvv:dddd...] in hexadecimal");

static bool nvme_vfio_vendor_p2p;
module_param_named(vendor_p2p, nvme_vfio_vendor_p2p, bool, 0644);
MODULE_PARM_DESC(vendor_p2p, "the drives with the vendor command set of 2022 end all DMA with SUSPEND, not only with SAVE_DATA: offer P2P; for VFs bound from then on (default 0)");

static bool nvme_vfio_vendor_id_listed(u16 vendor, u16 device)
{
	unsigned int i;

	if (lm_vendor_id_known(vendor, device))
		return true;
	for (i = 0; i < nvme_vfio_vendor_ids_used; i++)
		if (nvme_vfio_vendor_ids[i].vendor == vendor &&
		    nvme_vfio_vendor_ids[i].device == device)
			return true;
	return false;
}

/*
 * The set names VFs by number and says nothing about their queues. A PF that
 * has the standard's list of its VFs can, so that a destination with too few is
 * found before the state is on its way.
 */
static int nvme_vfio_vnd_find_resources(struct nvme_vf *vf, struct vf_facts *f,
					const struct nvme_id_ctrl *id)
{
	struct nvme_pf_buf *page;
	const char *why;
	int ret;

	if (!(le16_to_cpu(id->oacs) & STD_OACS_VIRT_MGMT))
		return 0;

	page = nvme_vfio_buf_alloc(IDENTIFY_LEN);
	if (!page)
		return -ENOMEM;
	ret = nvme_vfio_find_secondary(vf, f, le16_to_cpu(id->cntlid), page,
				       &why);
	nvme_pf_buf_put(page);

	/* Not knowing does no harm; not reaching the PF does. */
	return ret == -EOPNOTSUPP || vf->status ? 0 : ret;
}

static int nvme_vfio_vnd_probe(struct nvme_vf *vf, struct vf_facts *f,
			       const struct nvme_id_ctrl *id, const char **why)
{
	if (!lm_says_vendor(id->vs[0]))
		return -EOPNOTSUPP;
	if (!nvme_vfio_vendor_id_listed(vf->pdev->vendor, vf->pdev->device)) {
		*why = "the PF may have the set of 2022, but the VF's id is not in vendor_ids";
		return -EOPNOTSUPP;
	}
	return nvme_vfio_vnd_find_resources(vf, f, id);
}

static int nvme_vfio_vnd_suspend(struct nvme_vf *vf)
{
	struct nvme_pf_cmd c = { };

	vnd_command(&c.cmd.common, VND_SUSPEND, vf->vfn);
	vnd_command(&c.undo.common, VND_RESUME, vf->vfn);
	return nvme_vfio_exec_patiently(vf, &c);
}

/* The set's document has SAVE_DATA wait for what was fetched. */
static bool nvme_vfio_vnd_is_quiet(void)
{
	return READ_ONCE(nvme_vfio_vendor_p2p);
}

static int nvme_vfio_vnd_resume(struct nvme_vf *vf)
{
	struct nvme_pf_cmd c = { };

	vnd_command(&c.cmd.common, VND_RESUME, vf->vfn);
	return nvme_vfio_exec_patiently(vf, &c);
}

static int nvme_vfio_vnd_find_out(struct nvme_vf *vf, u32 limit_ms,
				  bool *was_suspended)
{
	struct nvme_pf_cmd c = { .limit_ms = limit_ms };
	int ret;

	vnd_command(&c.cmd.common, VND_RESUME, vf->vfn);
	do {
		ret = nvme_vfio_try_exec(vf, &c);
	} while (nvme_vfio_try_again(vf));
	/* The set does not say what RESUME of a running VF returns. */
	*was_suspended = false;
	return vf->status ? 0 : ret;
}

static int nvme_vfio_vnd_state_size(struct nvme_vf *vf, u64 *size)
{
	struct nvme_pf_cmd c = { };
	int ret;

	vnd_command(&c.cmd.common, VND_QUERY_DATA_SIZE, vf->vfn);
	ret = nvme_vfio_exec_patiently(vf, &c);
	if (ret)
		return ret;
	*size = lower_32_bits(c.result);
	if (!*size) {
		dev_warn_ratelimited(&vf->pdev->dev,
				     "the device reports an empty state\n");
		return -EIO;
	}
	return 0;
}

static int nvme_vfio_vnd_get_state(struct nvme_vf *vf, u64 offset,
				   struct nvme_pf_buf *buf, u32 len, u64 *total)
{
	struct nvme_pf_cmd c = { .buf = buf, .len = ALIGN(len, 4) };

	*total = len;
	vnd_command(&c.cmd.common, VND_SAVE_DATA, vf->vfn);
	return nvme_vfio_exec_patiently(vf, &c);
}

static int nvme_vfio_vnd_check_start(const struct nvme_vf *vf, const void *buf,
				     u32 len, u64 total, const char **why)
{
	if (len == total && total <= vf->max_transfer)
		return 0;

	*why = "the state does not fit one command of this device";
	return -EINVAL;
}

static int nvme_vfio_vnd_set_state(struct nvme_vf *vf, u64 offset,
				   struct nvme_pf_buf *buf, u32 at, u32 len,
				   bool first, bool last)
{
	struct nvme_pf_cmd c = {
		.buf = buf,
		.offset = at,
		.len = ALIGN(len, 4),
	};

	vnd_load_data(&c.cmd.common, vf->vfn, len);
	return nvme_vfio_try_exec(vf, &c);
}

const struct cmdset nvme_vfio_cmdset_vendor = {
	.id		= CMDSET_VENDOR_2022,
	.name		= "vendor 2022",
	.whole		= true,
	.save_disables	= true,
	.probe		= nvme_vfio_vnd_probe,
	.suspend	= nvme_vfio_vnd_suspend,
	.is_quiet	= nvme_vfio_vnd_is_quiet,
	.resume		= nvme_vfio_vnd_resume,
	.find_out	= nvme_vfio_vnd_find_out,
	.state_size	= nvme_vfio_vnd_state_size,
	.get_state	= nvme_vfio_vnd_get_state,
	.check_start	= nvme_vfio_vnd_check_start,
	.set_state	= nvme_vfio_vnd_set_state,
};

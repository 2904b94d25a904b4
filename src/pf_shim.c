// SPDX-License-Identifier: GPL-2.0-only
/*
 * nvme-pf-shim: lets a VF's driver use the admin queue of its PF while the
 * kernel's own nvme driver keeps the PF. See nvme_pf.h for the interface.
 *
 * Lifetime: three references (driver module, controller device, request
 * queue) are what an open /dev/nvmeN holds, and no lock of the PF is held
 * around a command. A PF that is reset, unbound or removed under a command
 * makes that command fail, nothing else.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "nvme_pf.h"
#include "pf_compat.h"
#include "admin_q.h"

static char *nvme_pf_proof = "auto";
module_param_named(proof, nvme_pf_proof, charp, 0444);
MODULE_PARM_DESC(proof, "how to find a PF's admin queue: auto (default), anchor, tracepoint, or none (VFs then cannot migrate)");

struct nvme_pf {
	struct module *owner;
	struct device *cdev;
	struct request_queue *q;
};

/* 20 tries of 10 ms: longer than a driver's probe holds the lock as a rule. */
#define PF_LOCK_TRIES	20
#define PF_LOCK_WAIT_MS	10

static bool nvme_pf_lock(struct pci_dev *pdev)
{
	int i;

	for (i = 0; i < PF_LOCK_TRIES; i++) {
		if (device_trylock(&pdev->dev))
			return true;
		msleep(PF_LOCK_WAIT_MS);
	}
	return false;
}

static int nvme_pf_match_ctrl(struct device *dev, void *data)
{
	struct device **found = data;

	if (!dev->class || strcmp(dev->class->name, "nvme"))
		return 0;
	*found = get_device(dev);
	return 1;
}

static struct request_queue *
nvme_pf_find_admin_q(const struct nvme_pf_candidate *c)
{
	struct request_queue *q = NULL;

	if (!strcmp(nvme_pf_proof, "none"))
		return NULL;

	if (strcmp(nvme_pf_proof, "tracepoint"))
		q = nvme_pf_admin_q_by_layout(c);

#ifdef NVME_VFIO_DEBUG
	/* Two independent ways: they must agree. */
	if (!strcmp(nvme_pf_proof, "auto")) {
		struct request_queue *other = nvme_pf_admin_q_by_tracepoint(c);

		WARN(q != other, "%s: admin queue: anchor and tracepoint differ\n",
		     pci_name(c->pdev));
		if (q != other)
			return NULL;
	}
#endif

	if (!q && strcmp(nvme_pf_proof, "anchor"))
		q = nvme_pf_admin_q_by_tracepoint(c);

	return q && nvme_pf_admin_q_valid(c, q) ? q : NULL;
}

/* Under the PF's device lock: nvme's probe and remove are not running. */
static int nvme_pf_attach(struct nvme_pf *pf, struct pci_dev *pdev,
			  const char **why)
{
	struct nvme_pf_candidate c = { .pdev = pdev };
	struct device_driver *drv = pdev->dev.driver;
	int ret = -ENODEV;

	*why = "the PF is not bound to nvme";
	if (!drv || strcmp(drv->name, "nvme") || !try_module_get(drv->owner))
		return -ENODEV;
	pf->owner = drv->owner;

	*why = "the PF has no NVMe controller";
	device_for_each_child(&pdev->dev, &c.cdev, nvme_pf_match_ctrl);
	if (!c.cdev)
		goto put_module;
	c.ctrl = dev_get_drvdata(c.cdev);
	if (!c.ctrl)
		goto put_cdev;
	pf->cdev = c.cdev;

	*why = "this kernel's nvme driver does not pass the proof of its admin queue";
	ret = -EOPNOTSUPP;
	pf->q = nvme_pf_find_admin_q(&c);
	if (!pf->q)
		goto put_cdev;

	*why = "the PF's admin queue is going away";
	ret = -ENODEV;
	if (!blk_get_queue(pf->q))
		goto put_cdev;

	return 0;

put_cdev:
	put_device(c.cdev);
put_module:
	module_put(pf->owner);
	return ret;
}

struct nvme_pf *nvme_pf_get(struct pci_dev *vf, const char **why)
{
	struct pci_dev *pdev;
	struct nvme_pf *pf;
	int ret;

	*why = "not a virtual function";
	if (!vf->is_virtfn)
		return ERR_PTR(-ENODEV);
	pdev = pci_physfn(vf);

	*why = "out of memory";
	pf = kzalloc(sizeof(*pf), GFP_KERNEL);
	if (!pf)
		return ERR_PTR(-ENOMEM);

	*why = "the PF is busy (driver probe or SR-IOV change)";
	ret = -EAGAIN;
	if (!nvme_pf_lock(pdev))
		goto free;

	ret = nvme_pf_attach(pf, pdev, why);
	device_unlock(&pdev->dev);
	if (ret)
		goto free;

	*why = NULL;
	return pf;

free:
	kfree(pf);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(nvme_pf_get);

void nvme_pf_put(struct nvme_pf *pf)
{
	struct module *owner = pf->owner;

	/* The module last: the other two may run its release functions. */
	blk_put_queue(pf->q);
	put_device(pf->cdev);
	module_put(owner);
	kfree(pf);
}
EXPORT_SYMBOL_GPL(nvme_pf_put);

u32 nvme_pf_max_transfer(const struct nvme_pf *pf)
{
	u64 bytes = (u64)queue_max_hw_sectors(pf->q) << SECTOR_SHIFT;
	u64 segs = queue_max_segments(pf->q);

	/* One segment a page in the worst case, one more if it starts inside. */
	if (segs > 1)
		segs--;
	bytes = min(bytes, segs << PAGE_SHIFT);
	bytes = clamp_t(u64, bytes, PAGE_SIZE, SZ_1G);

	return round_down(bytes, PAGE_SIZE);
}
EXPORT_SYMBOL_GPL(nvme_pf_max_transfer);

/*
 * The functions are exported, and whoever calls them is on the queue that can
 * format namespaces and replace firmware, past the checks of nvme's ioctl. Only
 * what migration needs is let through, so that a bug in a caller, or a module
 * that was not meant, gets no further.
 */
static bool nvme_pf_may_pass(u8 opcode)
{
	switch (opcode) {
	case nvme_admin_identify:
	case 0x3d:	/* Track Send */
	case 0x3e:	/* Track Receive */
	case 0x41:	/* Migration Send */
	case 0x42:	/* Migration Receive */
	case 0xc4:	/* vendor set of 2022: QUERY_DATA_SIZE ... */
	case 0xc8:	/* SUSPEND */
	case 0xcc:	/* RESUME */
	case 0xd2:	/* SAVE_DATA */
	case 0xd5:	/* LOAD_DATA */
		return true;
	}
	return false;
}

/* Status code and type; the rest (more, do not retry) is of no use here. */
#define STATUS_MASK	0x7ff
#define SCT_PATH	3	/* "path related": made up by the host */

int nvme_pf_submit(struct nvme_pf *pf, struct nvme_command *cmd, void *buf,
		   u32 len, u64 *result)
{
	union nvme_result res = { };
	int ret;

	if (!nvme_pf_may_pass(cmd->common.opcode))
		return -EPERM;
	if (len & 3 || len > nvme_pf_max_transfer(pf))
		return -EINVAL;

	ret = compat_nvme_submit(pf->q, cmd, &res, buf, len);
	if (ret > 0) {
		ret &= STATUS_MASK;
		/* A status that no device sent must not pass for one. */
		if (ret >> 8 == SCT_PATH)
			return -EIO;
	}
	/* -EINTR is how nvme spells "cancelled"; a signal it is not. */
	if (ret == -EINTR)
		return -EIO;
	if (ret >= 0 && result)
		*result = le64_to_cpu(res.u64);

	return ret;
}
EXPORT_SYMBOL_GPL(nvme_pf_submit);

static int __init nvme_pf_shim_init(void)
{
	if (strcmp(nvme_pf_proof, "auto") && strcmp(nvme_pf_proof, "anchor") &&
	    strcmp(nvme_pf_proof, "tracepoint") &&
	    strcmp(nvme_pf_proof, "none")) {
		pr_err("%s: proof=%s is unknown: use auto, anchor, tracepoint or none\n",
		       KBUILD_MODNAME, nvme_pf_proof);
		return -EINVAL;
	}
	return 0;
}

static void __exit nvme_pf_shim_exit(void)
{
}

module_init(nvme_pf_shim_init);
module_exit(nvme_pf_shim_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Admin queue of an NVMe physical function for its VFs' drivers");

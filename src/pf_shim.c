// SPDX-License-Identifier: GPL-2.0-only
/*
 * nvme-pf-shim: lets a VF's driver use the admin queue of its PF while the
 * kernel's own nvme driver keeps the PF. See nvme_pf.h for the interface.
 *
 * Lifetime: the driver's module, the request queue and the pci_dev are held,
 * and no lock of the PF is held around a command. A PF that is reset, unbound or
 * removed under a command makes that command fail, nothing else: nvme destroys
 * the queue before it lets go of the PF, which waits for all requests. The
 * controller is not held. Who drops the last reference to it frees what it has
 * in the device's IOMMU domain, and when the PF has been removed there is none
 * any more (6.1: shadow doorbells). pf_cmd.c runs the commands.
 */
#include <linux/bug.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "admin_q.h"
#include "pf_cmd.h"
#include "pf_request.h"

static char *nvme_pf_proof = "auto";
module_param_named(proof, nvme_pf_proof, charp, 0444);
MODULE_PARM_DESC(proof, "how to find a PF's admin queue: auto (default; as anchor), anchor, tracepoint, or none (VFs then cannot migrate)");

/* 20 tries of 10 ms: longer than a driver's probe holds the lock as a rule. */
#define PF_LOCK_TRIES	20
#define PF_LOCK_WAIT_MS	10

static bool nvme_pf_lock(struct pci_dev *pdev)
{
	int i;

	for (i = 0; i < PF_LOCK_TRIES; i++) {
		if (device_trylock(&pdev->dev))
			return true;
		if (fatal_signal_pending(current))
			return false;
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
	struct request_queue *q;

	if (!strcmp(nvme_pf_proof, "none"))
		return NULL;
	if (!strcmp(nvme_pf_proof, "tracepoint"))
		q = nvme_pf_admin_q_by_tracepoint(c);
	else
		q = nvme_pf_admin_q_by_layout(c);

#ifdef NVME_VFIO_DEBUG
	/* Two independent ways: they must agree. */
	if (!strcmp(nvme_pf_proof, "auto") && !IS_ERR_OR_NULL(q)) {
		struct request_queue *other = nvme_pf_admin_q_by_tracepoint(c);

		WARN(!IS_ERR_OR_NULL(other) && q != other,
		     "%s: admin queue: anchor and tracepoint differ\n",
		     pci_name(c->pdev));
	}
#endif

	if (IS_ERR_OR_NULL(q))
		return q;
	return nvme_pf_admin_q_valid(c, q) ? q : NULL;
}

static int nvme_pf_take_queue(struct nvme_pf *pf,
			      const struct nvme_pf_candidate *c,
			      const char **why)
{
	struct request_queue *q = nvme_pf_find_admin_q(c);
	int ret;

	*why = "the PF is starting";
	if (IS_ERR(q))
		return PTR_ERR(q);
	*why = "this kernel's nvme driver does not pass the proof of its admin queue";
	if (!q)
		return -EOPNOTSUPP;

	*why = "the PF's admin queue is going away";
	if (!blk_get_queue(q))
		return -ENODEV;
	pf->q = q;

	ret = nvme_pf_request_proven(q);
	if (ret == -EOPNOTSUPP)
		*why = "this kernel's nvme driver does not pass the proof of its requests";
	else if (ret == -EAGAIN)
		*why = "the PF's admin queue is busy or being reset";
	if (ret)
		return ret;

	*why = "out of memory";
	return nvme_pf_use_queue(pf);
}

/*
 * Under the PF's device lock: nvme's probe and remove are not running. Its
 * reset may be. What was taken is dropped with the handle, also on failure.
 */
static int nvme_pf_attach(struct nvme_pf *pf, const char **why)
{
	struct nvme_pf_candidate c = { .pdev = pf->pdev };
	struct device_driver *drv = c.pdev->dev.driver;
	int ret;

	*why = "the PF is not bound to nvme";
	if (!drv || strcmp(drv->name, "nvme") || !try_module_get(drv->owner))
		return -ENODEV;
	pf->owner = drv->owner;

	*why = "the PF has no NVMe controller";
	device_for_each_child(&c.pdev->dev, &c.cdev, nvme_pf_match_ctrl);
	if (!c.cdev)
		return -ENODEV;
	c.ctrl = dev_get_drvdata(c.cdev);
	ret = c.ctrl ? nvme_pf_take_queue(pf, &c, why) : -ENODEV;
	put_device(c.cdev);
	return ret;
}

struct nvme_pf *nvme_pf_get(struct pci_dev *vf, const char **why)
{
	struct nvme_pf *pf;
	int ret;

	*why = "not a virtual function";
	if (!vf->is_virtfn)
		return ERR_PTR(-ENODEV);

	pf = nvme_pf_new(vf);
	if (IS_ERR(pf)) {
		*why = PTR_ERR(pf) == -EBUSY ?
		       "a command for this VF was given up and has not ended" :
		       "out of memory";
		return pf;
	}

	*why = "the PF is busy (driver probe, reset or SR-IOV change)";
	ret = -EAGAIN;
	if (nvme_pf_lock(pf->pdev)) {
		ret = nvme_pf_attach(pf, why);
		device_unlock(&pf->pdev->dev);
	}
	if (ret) {
		nvme_pf_put(pf);
		return ERR_PTR(ret);
	}
	*why = NULL;
	return pf;
}
EXPORT_SYMBOL_GPL(nvme_pf_get);

static int __init nvme_pf_shim_init(void)
{
	if (strcmp(nvme_pf_proof, "auto") && strcmp(nvme_pf_proof, "anchor") &&
	    strcmp(nvme_pf_proof, "tracepoint") &&
	    strcmp(nvme_pf_proof, "none")) {
		pr_err("%s: proof=%s is unknown: use auto, anchor, tracepoint or none\n",
		       KBUILD_MODNAME, nvme_pf_proof);
		return -EINVAL;
	}
	return nvme_pf_cmd_init();
}

static void __exit nvme_pf_shim_exit(void)
{
	nvme_pf_cmd_exit();
}

module_init(nvme_pf_shim_init);
module_exit(nvme_pf_shim_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Admin queue of an NVMe physical function for its VFs' drivers");

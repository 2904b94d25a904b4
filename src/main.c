// SPDX-License-Identifier: GPL-2.0-only
/*
 * nvme-vfio-pci: VFIO PCI variant driver for NVMe functions.
 *
 * What the device is, in terms of PCI and VFIO. Whatever cannot migrate (a PF,
 * a drive without SR-IOV, a VF whose PF lacks the commands) behaves exactly as
 * under vfio-pci: user space picks this driver by class and has no second
 * choice when it fails.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pci_ids.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#include "compat.h"
#include "migration.h"
#include "quarantine.h"
#include "vf_sysfs.h"

#ifdef HAVE_VFIO_PCI_DEVICE_PARAMS
/* Older kernels have one of each for all drivers, which vfio-pci sets. */
static bool nvme_vfio_nointxmask;
module_param_named(nointxmask, nvme_vfio_nointxmask, bool, 0644);
MODULE_PARM_DESC(nointxmask, "as for vfio-pci: do not use PCI 2.3 INTx masking; for devices bound from then on");

static bool nvme_vfio_disable_idle_d3;
module_param_named(disable_idle_d3, nvme_vfio_disable_idle_d3, bool, 0644);
MODULE_PARM_DESC(disable_idle_d3, "as for vfio-pci: do not put unused devices into D3; for devices bound from then on");
#endif

struct nvme_vfio_device {
	struct vfio_pci_core_device core;
	struct migration *migration;	/* NULL: plain vfio-pci */
	struct vf_sysfs plain;		/* then: what sysfs shows */
};

static struct nvme_vfio_device *nvme_vfio_from_vdev(struct vfio_device *vdev)
{
	return container_of(vdev, struct nvme_vfio_device, core.vdev);
}

static struct nvme_vfio_device *nvme_vfio_from_pdev(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(&pdev->dev);

	return container_of(core, struct nvme_vfio_device, core);
}

const struct figures *nvme_vfio_vf_figures(struct device *dev)
{
	struct nvme_vfio_device *nvdev = nvme_vfio_from_pdev(to_pci_dev(dev));

	return nvdev->migration ? nvdev->migration->vf.figures : NULL;
}

struct vf_sysfs *nvme_vfio_vf_sysfs(struct device *dev)
{
	struct nvme_vfio_device *nvdev = nvme_vfio_from_pdev(to_pci_dev(dev));

	return nvdev->migration ? &nvdev->migration->sysfs : &nvdev->plain;
}

static struct file *nvme_vfio_set_state(struct vfio_device *vdev,
					enum vfio_device_mig_state new_state)
{
	return nvme_vfio_mig_set_state(nvme_vfio_from_vdev(vdev)->migration,
				       new_state);
}

static int nvme_vfio_get_state(struct vfio_device *vdev,
			       enum vfio_device_mig_state *state)
{
	return nvme_vfio_mig_get_state(nvme_vfio_from_vdev(vdev)->migration,
				       state);
}

#ifdef HAVE_VFIO_MIG_DATA_SIZE
static int nvme_vfio_get_data_size(struct vfio_device *vdev, unsigned long *len)
{
	u64 size;
	int ret;

	ret = nvme_vfio_mig_data_size(nvme_vfio_from_vdev(vdev)->migration,
				      &size);
	if (!ret)
		*len = size;
	return ret;
}
#endif

static const struct vfio_migration_ops nvme_vfio_mig_ops = {
	.migration_set_state	= nvme_vfio_set_state,
	.migration_get_state	= nvme_vfio_get_state,
#ifdef HAVE_VFIO_MIG_DATA_SIZE
	.migration_get_data_size = nvme_vfio_get_data_size,
#endif
};

static int nvme_vfio_log_start(struct vfio_device *vdev,
			       struct rb_root_cached *ranges, u32 nnodes,
			       u64 *page_size)
{
	return nvme_vfio_dirty_start(nvme_vfio_from_vdev(vdev)->migration,
				     ranges, nnodes, page_size);
}

static int nvme_vfio_log_stop(struct vfio_device *vdev)
{
	return nvme_vfio_dirty_stop(nvme_vfio_from_vdev(vdev)->migration);
}

static int nvme_vfio_log_read_and_clear(struct vfio_device *vdev,
					unsigned long iova,
					unsigned long length,
					struct iova_bitmap *dirty)
{
	return nvme_vfio_dirty_report(nvme_vfio_from_vdev(vdev)->migration,
				      iova, length, dirty);
}

static const struct vfio_log_ops nvme_vfio_log_ops = {
	.log_start		= nvme_vfio_log_start,
	.log_stop		= nvme_vfio_log_stop,
	.log_read_and_clear	= nvme_vfio_log_read_and_clear,
};

#ifndef HAVE_VFIO_MIG_DATA_SIZE
/* This kernel's core does not know the query: see compat.h. */
static int nvme_vfio_device_feature(struct vfio_device *vdev, u32 flags,
				    void __user *arg, size_t argsz)
{
	struct vfio_device_feature_mig_data_size answer = { };
	struct migration *m = nvme_vfio_from_vdev(vdev)->migration;
	u64 size;
	int ret;

	if (!vdev->mig_ops || (flags & VFIO_DEVICE_FEATURE_MASK) !=
		  VFIO_DEVICE_FEATURE_MIG_DATA_SIZE)
		return vfio_pci_core_ioctl_feature(vdev, flags, arg, argsz);

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET,
				 sizeof(answer));
	if (ret != 1)
		return ret;

	ret = nvme_vfio_mig_data_size(m, &size);
	if (ret)
		return ret;
	answer.stop_copy_length = size;
	return copy_to_user(arg, &answer, sizeof(answer)) ? -EFAULT : 0;
}
#endif

/*
 * Migration is offered as soon as the PF has said that it can: when the VF is
 * bound, or else when it is opened, before its user can ask. It is never
 * withdrawn.
 */
static void nvme_vfio_offer(struct nvme_vfio_device *nvdev)
{
	struct vfio_device *vdev = &nvdev->core.vdev;
	struct migration *m = nvdev->migration;

	if (vdev->mig_ops || !nvme_vfio_mig_is_able(m))
		return;

	vdev->migration_flags = VFIO_MIGRATION_STOP_COPY |
				COMPAT_MIGRATION_PRE_COPY;
	/* A device suspended for P2P must no longer write to others. */
	if (nvme_vfio_mig_is_quiet(m))
		vdev->migration_flags |= VFIO_MIGRATION_P2P;
	vdev->mig_ops = &nvme_vfio_mig_ops;
	if (nvme_vfio_dirty_can_log(m))
		vdev->log_ops = &nvme_vfio_log_ops;
	dev_info(vdev->dev,
		 "can migrate: %s command set, controller %u, %s dirty tracking\n",
		 m->vf.set->name, m->vf.cntlid,
		 vdev->log_ops ? "with" : "without");
}

static int nvme_vfio_init_device(struct vfio_device *vdev)
{
	struct nvme_vfio_device *nvdev = nvme_vfio_from_vdev(vdev);
	struct pci_dev *pdev = to_pci_dev(vdev->dev);
	struct migration *m;
	const char *why;
	int ret;

	m = nvme_vfio_mig_create(pdev, vdev, &why);
	if (IS_ERR(m))
		return PTR_ERR(m);

	nvdev->migration = m;
	nvme_vfio_vf_sysfs_plain(&nvdev->plain, why);
	if (!m)
		dev_info(&pdev->dev, "cannot migrate, plain passthrough: %s\n",
			 why);
	else if (!nvme_vfio_mig_is_able(m))
		dev_info(&pdev->dev, "cannot migrate for now: %s; the PF is asked again when the VF is opened\n",
			 why);
	else
		nvme_vfio_offer(nvdev);

#ifdef HAVE_VFIO_PCI_DEVICE_PARAMS
	nvdev->core.nointxmask = nvme_vfio_nointxmask;
	nvdev->core.disable_idle_d3 = nvme_vfio_disable_idle_d3;
#endif
	ret = vfio_pci_core_init_dev(vdev);
	if (ret && m)
		nvme_vfio_mig_put(m);
	return ret;
}

static void nvme_vfio_release_device(struct vfio_device *vdev)
{
	struct nvme_vfio_device *nvdev = nvme_vfio_from_vdev(vdev);

	if (nvdev->migration)
		nvme_vfio_mig_put(nvdev->migration);
	vfio_pci_core_release_dev(vdev);
}

static int nvme_vfio_open_device(struct vfio_device *vdev)
{
	struct nvme_vfio_device *nvdev = nvme_vfio_from_vdev(vdev);
	int ret;

	ret = vfio_pci_core_enable(&nvdev->core);
	if (ret)
		return ret;

	if (nvdev->migration) {
		ret = nvme_vfio_mig_open(nvdev->migration,
					 nvdev->core.reset_works);
		if (ret) {
			vfio_pci_core_disable(&nvdev->core);
			return ret;
		}
		nvme_vfio_offer(nvdev);
	}

	vfio_pci_core_finish_enable(&nvdev->core);
	return 0;
}

static void nvme_vfio_close_device(struct vfio_device *vdev)
{
	struct nvme_vfio_device *nvdev = nvme_vfio_from_vdev(vdev);

	if (nvdev->migration)
		nvme_vfio_mig_close(nvdev->migration);

	/* Resets the VF if nobody holds its lock, for an unbind that waits. */
	vfio_pci_core_close_device(vdev);

	if (nvdev->migration)
		nvme_vfio_mig_settle(nvdev->migration,
				     !nvdev->core.needs_reset);
}

static long nvme_vfio_ioctl(struct vfio_device *vdev, unsigned int cmd,
			    unsigned long arg)
{
	struct migration *m = nvme_vfio_from_vdev(vdev)->migration;
	long ret = vfio_pci_core_ioctl(vdev, cmd, arg);

	if (m && cmd == VFIO_DEVICE_RESET && !ret)
		nvme_vfio_mig_after_reset(m);
	return ret;
}

static const struct vfio_device_ops nvme_vfio_device_ops = {
	.name		= KBUILD_MODNAME,
	.init		= nvme_vfio_init_device,
	.release	= nvme_vfio_release_device,
	.open_device	= nvme_vfio_open_device,
	.close_device	= nvme_vfio_close_device,
	.ioctl		= nvme_vfio_ioctl,
#ifdef HAVE_VFIO_GET_REGION_INFO_CAPS
	.get_region_info_caps = vfio_pci_ioctl_get_region_info,
#endif
#ifdef HAVE_VFIO_MIG_DATA_SIZE
	.device_feature	= vfio_pci_core_ioctl_feature,
#else
	.device_feature	= nvme_vfio_device_feature,
#endif
	.read		= vfio_pci_core_read,
	.write		= vfio_pci_core_write,
	.mmap		= vfio_pci_core_mmap,
	.request	= vfio_pci_core_request,
	.match		= vfio_pci_core_match,
#ifdef HAVE_VFIO_MATCH_TOKEN_UUID
	.match_token_uuid = vfio_pci_core_match_token_uuid,
#endif
#ifdef HAVE_VFIO_BIND_IOMMUFD
	.bind_iommufd	= vfio_iommufd_physical_bind,
	.unbind_iommufd	= vfio_iommufd_physical_unbind,
	.attach_ioas	= vfio_iommufd_physical_attach_ioas,
#endif
#ifdef HAVE_VFIO_DETACH_IOAS
	.detach_ioas	= vfio_iommufd_physical_detach_ioas,
#endif
#ifdef HAVE_VFIO_PASID_ATTACH_IOAS
	.pasid_attach_ioas = vfio_iommufd_physical_pasid_attach_ioas,
	.pasid_detach_ioas = vfio_iommufd_physical_pasid_detach_ioas,
#endif
};

#ifdef HAVE_VFIO_GET_DMABUF_PHYS
/* Without it no BAR can be shared as a dma-buf. */
static const struct vfio_pci_device_ops nvme_vfio_pci_device_ops = {
	.get_dmabuf_phys = vfio_pci_core_get_dmabuf_phys,
};
#endif

static int nvme_vfio_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct nvme_vfio_device *nvdev;
	int ret;

	nvdev = vfio_alloc_device(nvme_vfio_device, core.vdev, &pdev->dev,
				  &nvme_vfio_device_ops);
	if (IS_ERR(nvdev))
		return PTR_ERR(nvdev);

	dev_set_drvdata(&pdev->dev, &nvdev->core);
#ifdef HAVE_VFIO_GET_DMABUF_PHYS
	nvdev->core.pci_ops = &nvme_vfio_pci_device_ops;
#endif
	ret = vfio_pci_core_register_device(&nvdev->core);
	if (ret)
		vfio_put_device(&nvdev->core.vdev);

	return ret;
}

static void nvme_vfio_remove(struct pci_dev *pdev)
{
	struct nvme_vfio_device *nvdev = nvme_vfio_from_pdev(pdev);

	vfio_pci_core_unregister_device(&nvdev->core);
	if (nvdev->migration)
		nvme_vfio_mig_stop(nvdev->migration);
	vfio_put_device(&nvdev->core.vdev);
}

static void nvme_vfio_reset_prepare(struct pci_dev *pdev)
{
	struct nvme_vfio_device *nvdev = nvme_vfio_from_pdev(pdev);

	if (nvdev->migration)
		nvme_vfio_mig_reset_begins(nvdev->migration);
}

static void nvme_vfio_reset_done(struct pci_dev *pdev)
{
	struct nvme_vfio_device *nvdev = nvme_vfio_from_pdev(pdev);

	if (nvdev->migration)
		nvme_vfio_mig_reset(nvdev->migration);
}

/* The reset that repairs a frozen channel notifies only the PF's driver. */
static pci_ers_result_t nvme_vfio_error_detected(struct pci_dev *pdev,
						 pci_channel_state_t state)
{
	struct nvme_vfio_device *nvdev = nvme_vfio_from_pdev(pdev);

	if (nvdev->migration && state != pci_channel_io_normal)
		nvme_vfio_mig_fault(nvdev->migration);
	return vfio_pci_core_aer_err_detected(pdev, state);
}

static const struct pci_error_handlers nvme_vfio_err_handlers = {
	.reset_prepare	= nvme_vfio_reset_prepare,
	.reset_done	= nvme_vfio_reset_done,
	.error_detected	= nvme_vfio_error_detected,
};

/*
 * Any NVMe function, but only by driver_override. The programming interface
 * byte is left out of the mask: libvirt compares it literally with the '*'
 * that the alias would end in, and would never choose this driver.
 */
static const struct pci_device_id nvme_vfio_pci_ids[] = {
	{
		.vendor		= PCI_ANY_ID,
		.device		= PCI_ANY_ID,
		.subvendor	= PCI_ANY_ID,
		.subdevice	= PCI_ANY_ID,
		.class		= PCI_CLASS_STORAGE_EXPRESS,
		.class_mask	= 0xffff00,
		.override_only	= PCI_ID_F_VFIO_DRIVER_OVERRIDE,
	},
	{ }
};
MODULE_DEVICE_TABLE(pci, nvme_vfio_pci_ids);

static const struct attribute_group *nvme_vfio_driver_groups[] = {
	&nvme_vfio_policy_group,
	&nvme_vfio_figures_group,
	&nvme_vfio_quarantine_group,
	NULL
};

static struct pci_driver nvme_vfio_pci_driver = {
	.name			= "nvme-vfio-pci",
	.id_table		= nvme_vfio_pci_ids,
	.probe			= nvme_vfio_probe,
	.remove			= nvme_vfio_remove,
	.err_handler		= &nvme_vfio_err_handlers,
	.groups			= nvme_vfio_driver_groups,
	.dev_groups		= nvme_vfio_dev_groups,
	/* VFIO claims the IOMMU group itself. */
	.driver_managed_dma	= true,
};

static int __init nvme_vfio_init(void)
{
	return pci_register_driver(&nvme_vfio_pci_driver);
}
module_init(nvme_vfio_init);

static void __exit nvme_vfio_exit(void)
{
	pci_unregister_driver(&nvme_vfio_pci_driver);
	nvme_vfio_policy_exit();
	nvme_vfio_figures_exit();
}
module_exit(nvme_vfio_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VFIO PCI driver with live migration for NVMe virtual functions");

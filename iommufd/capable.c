// SPDX-License-Identifier: GPL-2.0-only
/*
 * Part of the rebuilt iommufd.ko, which asks this instead of device_iommu_capable().
 *
 * The drivers of IOMMUs are built into the kernel, without
 * CONFIG_IOMMUFD_DRIVER. They still say that they track written memory if the
 * hardware does. But what they would record it with is a stub: depending on the
 * kernel, a report fails, or clears the hardware's marks and returns nothing,
 * and a guest that migrates would silently lose what its devices wrote. So no
 * IOMMU tracks memory here. Devices do, by the iova_bitmap of this module.
 */
#include <linux/iommu.h>
#include <linux/types.h>

bool nvme_vfio_iommu_capable(struct device *dev, enum iommu_cap cap);

bool nvme_vfio_iommu_capable(struct device *dev, enum iommu_cap cap)
{
	return cap != IOMMU_CAP_DIRTY_TRACKING && device_iommu_capable(dev, cap);
}

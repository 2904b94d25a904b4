// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio_log.c - VFIO's log of DMA writes.
 */
#include "util.h"
#include "vfio_log.h"

bool vfio_log_supported(struct vfio_dev *dev)
{
	return !vfio_feature(dev, VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
			     VFIO_DEVICE_FEATURE_PROBE |
			     VFIO_DEVICE_FEATURE_SET, NULL, 0);
}

int vfio_log_start(struct vfio_dev *dev, const struct vfio_log_range *r,
		   unsigned int n, uint64_t *page_size)
{
	struct vfio_device_feature_dma_logging_control c = {
		.page_size = *page_size,
		.num_ranges = n,
		.ranges = (uintptr_t)r,
	};
	int err;

	_Static_assert(sizeof(*r) ==
		       sizeof(struct vfio_device_feature_dma_logging_range),
		       "range of the uAPI");
	err = vfio_feature(dev, VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
			   VFIO_DEVICE_FEATURE_SET, &c, sizeof(c));
	if (!err)
		*page_size = c.page_size;
	return err;
}

int vfio_log_stop(struct vfio_dev *dev)
{
	return vfio_feature(dev, VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
			    VFIO_DEVICE_FEATURE_SET, NULL, 0);
}

int vfio_log_report(struct vfio_dev *dev, uint64_t iova, uint64_t len,
		    uint64_t page_size, uint64_t *bitmap)
{
	struct vfio_device_feature_dma_logging_report r = {
		.iova = iova,
		.length = len,
		.page_size = page_size,
		.bitmap = (uintptr_t)bitmap,
	};

	return vfio_feature(dev, VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
			    VFIO_DEVICE_FEATURE_GET, &r, sizeof(r));
}

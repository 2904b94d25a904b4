/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options that the kernel was built without. Whatever is built for the rebuilt
 * core has to read the kernel's headers with them: struct vfio_device is larger.
 */
#ifndef _NVME_VFIO_OPTIONS_H
#define _NVME_VFIO_OPTIONS_H

#define CONFIG_IOMMUFD_MODULE 1
#define CONFIG_IOMMUFD_DRIVER 1
#define CONFIG_IOMMUFD_DRIVER_CORE 1
#define CONFIG_VFIO_DEVICE_CDEV 1
#define CONFIG_INTERVAL_TREE_SPAN_ITER 1

#endif

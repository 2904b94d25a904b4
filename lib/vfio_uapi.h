/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio_uapi.h - <linux/vfio.h> plus the definitions that the headers of the
 * oldest supported distribution lack. Values are kernel ABI. Names that are
 * enum members in newer headers cannot be tested for, so they get names of
 * our own here.
 */
#ifndef NVME_VFIO_VFIO_UAPI_H
#define NVME_VFIO_VFIO_UAPI_H

#include <linux/types.h>
#include <linux/vfio.h>

#ifndef VFIO_MIGRATION_PRE_COPY
#define VFIO_MIGRATION_PRE_COPY			(1 << 2)
#endif

#ifndef VFIO_DEVICE_FEATURE_MIG_DATA_SIZE
#define VFIO_DEVICE_FEATURE_MIG_DATA_SIZE	9
#endif

#define MIG_GET_PRECOPY_INFO			_IO(VFIO_TYPE, VFIO_BASE + 21)

/* struct vfio_precopy_info */
struct mig_precopy_info {
	__u32 argsz;
	__u32 flags;
	__aligned_u64 initial_bytes;
	__aligned_u64 dirty_bytes;
};

#define VFIO_BIND_IOMMUFD			_IO(VFIO_TYPE, VFIO_BASE + 18)

/* struct vfio_device_bind_iommufd, before its UUID */
struct vfio_bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
};

#define MIG_ERROR		0
#define MIG_STOP		1
#define MIG_RUNNING		2
#define MIG_STOP_COPY		3
#define MIG_RESUMING		4
#define MIG_RUNNING_P2P		5
#define MIG_PRE_COPY		6
#define MIG_PRE_COPY_P2P	7
#define MIG_NR			8

#endif

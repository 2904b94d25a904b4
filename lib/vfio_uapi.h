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

#define VFIO_ATTACH_PT				_IO(VFIO_TYPE, VFIO_BASE + 19)

/* struct vfio_device_attach_iommufd_pt, before its PASID */
struct vfio_attach_pt {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
};

#define IOMMUFD_IOAS_ALLOC			_IO(';', 0x81)
#define IOMMUFD_IOAS_MAP			_IO(';', 0x85)
#define IOMMUFD_IOAS_UNMAP			_IO(';', 0x86)

/* struct iommu_ioas_alloc */
struct iommufd_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};

#define IOMMUFD_MAP_FIXED_IOVA			(1 << 0)
#define IOMMUFD_MAP_WRITEABLE			(1 << 1)
#define IOMMUFD_MAP_READABLE			(1 << 2)

/* struct iommu_ioas_map */
struct iommufd_ioas_map {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 reserved;
	__aligned_u64 user_va;
	__aligned_u64 length;
	__aligned_u64 iova;
};

/* struct iommu_ioas_unmap */
struct iommufd_ioas_unmap {
	__u32 size;
	__u32 ioas_id;
	__aligned_u64 iova;
	__aligned_u64 length;
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

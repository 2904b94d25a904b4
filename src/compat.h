/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernels, as told by features.mk in HAVE_*. Those that
 * only the shim meets are in pf_compat.h.
 */
#ifndef _NVME_VFIO_COMPAT_H
#define _NVME_VFIO_COMPAT_H

#include <linux/errno.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

/*
 * Before 6.2 VFIO has no query for the size of the state. QEMU makes it all the
 * same, takes silence for 100 GiB, and then never switches over; but VFIO hands
 * features it does not know to the driver, so the driver can answer.
 */
#ifndef HAVE_VFIO_MIG_DATA_SIZE
#define VFIO_DEVICE_FEATURE_MIG_DATA_SIZE 9

struct vfio_device_feature_mig_data_size {
	__aligned_u64 stop_copy_length;
};
#endif

/*
 * PRE_COPY came with 6.2. Without it VFIO refuses the two states, and the code
 * for them is never reached.
 */
#ifdef HAVE_VFIO_PRE_COPY
#define COMPAT_MIGRATION_PRE_COPY	VFIO_MIGRATION_PRE_COPY
#else
#define COMPAT_MIGRATION_PRE_COPY	0
#define VFIO_DEVICE_STATE_PRE_COPY	6
#define VFIO_DEVICE_STATE_PRE_COPY_P2P	7
#define VFIO_MIG_GET_PRECOPY_INFO	_IO(VFIO_TYPE, VFIO_BASE + 21)

struct vfio_precopy_info {
	__u32 argsz;
	__u32 flags;
	__aligned_u64 initial_bytes;
	__aligned_u64 dirty_bytes;
};
#endif

/* Came with the second form of PRECOPY_INFO, which older kernels lack. */
#ifndef HAVE_VFIO_CHECK_PRECOPY_IOCTL
static inline int vfio_check_precopy_ioctl(struct vfio_device *vdev,
					   unsigned int cmd, unsigned long arg,
					   struct vfio_precopy_info *info)
{
	const size_t minsz = offsetofend(struct vfio_precopy_info, dirty_bytes);

	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return -ENOTTY;
	if (copy_from_user(info, (void __user *)arg, minsz))
		return -EFAULT;
	return info->argsz < minsz ? -EINVAL : 0;
}
#endif

/*
 * The bitmap that a log of DMA writes is given in. Where iommufd owns it, a
 * kernel without iommufd's driver side has stubs that do nothing: VFIO would
 * let such a log start and fail every report.
 */
#ifdef HAVE_IOVA_BITMAP_OF_IOMMUFD
#define COMPAT_IOVA_BITMAP	IS_ENABLED(CONFIG_IOMMUFD_DRIVER)
#else
#define COMPAT_IOVA_BITMAP	1
#endif

#ifdef HAVE_ASSIGN_STR_ONE_ARG
#define compat_assign_str(dst, src)	__assign_str(dst)
#else
#define compat_assign_str(dst, src)	__assign_str(dst, src)
#endif

#endif

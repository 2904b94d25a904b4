/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernels. HAVE_* come from features.mk; a version number
 * is asked only where no public header shows the difference.
 */
#ifndef _NVME_VFIO_COMPAT_H
#define _NVME_VFIO_COMPAT_H

#include <linux/blk-mq.h>
#include <linux/nvme.h>
#include <linux/types.h>
#include <linux/version.h>
#include <linux/vfio.h>

/*
 * Exported by nvme-core, declared only in its private header. Importing
 * nvme_get_features also ties the module to the layout of struct nvme_ctrl
 * wherever the kernel keeps symbol versions.
 */
struct nvme_ctrl;

int nvme_get_features(struct nvme_ctrl *dev, unsigned int fid,
		      unsigned int dword11, void *buffer, size_t buflen,
		      void *result);

/*
 * 6.8 merged the last two arguments into one. A kernel older than that with
 * the new form back-ported ignores the superfluous zero.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
int __nvme_submit_sync_cmd(struct request_queue *q, struct nvme_command *cmd,
			   union nvme_result *result, void *buffer,
			   unsigned int bufflen, int qid, u32 flags);

static inline int compat_nvme_submit(struct request_queue *q,
				     struct nvme_command *cmd,
				     union nvme_result *result, void *buf,
				     unsigned int len)
{
	return __nvme_submit_sync_cmd(q, cmd, result, buf, len, -1, 0);
}
#else
int __nvme_submit_sync_cmd(struct request_queue *q, struct nvme_command *cmd,
			   union nvme_result *result, void *buffer,
			   unsigned int bufflen, int qid, int at_head,
			   blk_mq_req_flags_t flags);

static inline int compat_nvme_submit(struct request_queue *q,
				     struct nvme_command *cmd,
				     union nvme_result *result, void *buf,
				     unsigned int len)
{
	return __nvme_submit_sync_cmd(q, cmd, result, buf, len, -1, 0, 0);
}
#endif

/*
 * Before 6.2 VFIO has no question for the size of the state. QEMU asks it all
 * the same, takes silence for 100 GiB, and then never switches over; but VFIO
 * hands features it does not know to the driver, so the driver can answer.
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

/* Has user space agreed that the flags of PRECOPY_INFO are for output? */
static inline bool compat_precopy_info_v2(const struct vfio_device *vdev)
{
#ifdef HAVE_VFIO_PRECOPY_INFO_V2
	return vdev->precopy_info_v2;
#else
	return false;
#endif
}

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

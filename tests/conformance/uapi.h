/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uapi.h - the VFIO and iommufd ABI that the suite speaks.
 *
 * From <linux/vfio.h> comes only what every version of it has. The rest has
 * names of its own here, because enum members and structs cannot be tested
 * for, and what is checked must not depend on the headers of the machine that
 * builds. All values are kernel ABI.
 */
#ifndef CONFORMANCE_UAPI_H
#define CONFORMANCE_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/vfio.h>

/* VFIO_DEVICE_FEATURE, since Linux 5.7 */
struct feature_head {
	__u32 argsz;
	__u32 flags;
};

#define IOC_FEATURE		_IO(VFIO_TYPE, VFIO_BASE + 17)
#define FEATURE_MASK		0xffffU
#define FEATURE_GET		(1U << 16)
#define FEATURE_SET		(1U << 17)
#define FEATURE_PROBE		(1U << 18)
#define FEATURE_FIRST_UNKNOWN	(1U << 19)

enum feature_id {
	FEAT_MIGRATION = 1,
	FEAT_STATE = 2,
	FEAT_LOG_START = 6,
	FEAT_LOG_STOP = 7,
	FEAT_LOG_REPORT = 8,
	FEAT_DATA_SIZE = 9,
	FEAT_PRECOPY_V2 = 12,
	FEAT_UNKNOWN = 0xfff0,
};

/* FEAT_MIGRATION: one __u64 of these */
#define MIG_FLAG_STOP_COPY	(1U << 0)
#define MIG_FLAG_P2P		(1U << 1)
#define MIG_FLAG_PRE_COPY	(1U << 2)
#define MIG_FLAGS_KNOWN		7U

enum mig_state {
	ST_ERROR,
	ST_STOP,
	ST_RUNNING,
	ST_STOP_COPY,
	ST_RESUMING,
	ST_RUNNING_P2P,
	ST_PRE_COPY,
	ST_PRE_COPY_P2P,
	ST_NR,
};

struct mig_state_arg {
	__u32 device_state;
	__s32 data_fd;
};

/* ioctl on the data fd */
struct precopy_info {
	__u32 argsz;
	__u32 flags;
	__aligned_u64 initial_bytes;
	__aligned_u64 dirty_bytes;
};

#define IOC_PRECOPY_INFO	_IO(VFIO_TYPE, VFIO_BASE + 21)
#define PRECOPY_REINIT		(1U << 0)

struct log_control {
	__aligned_u64 page_size;
	__u32 num_ranges;
	__u32 reserved;
	__aligned_u64 ranges;
};

struct log_range {
	__aligned_u64 iova;
	__aligned_u64 length;
};

struct log_report {
	__aligned_u64 iova;
	__aligned_u64 length;
	__aligned_u64 page_size;
	__aligned_u64 bitmap;
};

/* device cdev, since Linux 6.6 */
struct bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
};

#define IOC_BIND_IOMMUFD	_IO(VFIO_TYPE, VFIO_BASE + 18)

struct attach_pt {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
};

#define IOC_ATTACH_PT		_IO(VFIO_TYPE, VFIO_BASE + 19)

/* iommufd, since Linux 6.2 */
struct ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};

#define IOC_IOAS_ALLOC		_IO(';', 0x81)

struct ioas_map {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 reserved;
	__aligned_u64 user_va;
	__aligned_u64 length;
	__aligned_u64 iova;
};

#define IOAS_MAP_FIXED		(1U << 0)
#define IOAS_MAP_WRITE		(1U << 1)
#define IOAS_MAP_READ		(1U << 2)

#define IOC_IOAS_MAP		_IO(';', 0x85)

#endif

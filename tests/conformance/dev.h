/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dev.h - a VFIO device, opened through its group, or through its own character
 * device and iommufd.
 */
#ifndef CONFORMANCE_DEV_H
#define CONFORMANCE_DEV_H

#include <limits.h>
#include <stdbool.h>

enum way { WAY_GROUP, WAY_IOMMUFD, WAY_NR };

extern const char * const way_names[WAY_NR];

/**
 * struct target - a device as the user named it
 * @name: as VFIO knows it, for PCI the address
 * @sysfs: its folder
 * @group: number of its IOMMU group
 */
struct target {
	char name[64];
	char sysfs[PATH_MAX];
	char group[32];
};

struct dev {
	const struct target *target;
	int fd;
	int group, container;	/* WAY_GROUP */
	int iommufd;		/* WAY_IOMMUFD */
	unsigned int ioas;
};

/**
 * target_find - find a device
 * @t: result
 * @arg: PCI address or folder in sysfs
 * @why: error message
 * @len: room for it
 */
bool target_find(struct target *t, const char *arg, char *why, size_t len);

/** target_driver - name of the driver it is bound to, "none" without one */
const char *target_driver(const struct target *t);

/** target_has_way - whether this kernel has the files for this way */
bool target_has_way(const struct target *t, enum way way);

/**
 * dev_try_open - open a device
 *
 * Return: 0 or -errno, with a message in @why
 */
int dev_try_open(struct dev *d, const struct target *t, enum way way,
		 char *why, size_t len);

void dev_close(struct dev *d);

/** dev_map - let the device reach memory; Return: 0 or -errno */
int dev_map(struct dev *d, void *va, unsigned long long iova, size_t len);

/** dev_reset - VFIO_DEVICE_RESET; Return: 0 or -errno */
int dev_reset(struct dev *d);

/** dev_can_reset - whether the device says it can */
bool dev_can_reset(struct dev *d);

#endif

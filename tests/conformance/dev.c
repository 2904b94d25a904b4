// SPDX-License-Identifier: GPL-2.0-only
/*
 * dev.c - a VFIO device, opened one way or the other: see dev.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dev.h"
#include "uapi.h"

const char * const way_names[WAY_NR] = { "group", "iommufd" };

/* last part of what a link in the device's folder points to */
static bool link_name(const struct target *t, const char *link, char *name,
		      size_t len)
{
	char path[PATH_MAX + 32], to[PATH_MAX];
	const char *last;

	snprintf(path, sizeof(path), "%s/%s", t->sysfs, link);
	if (!realpath(path, to))
		return false;
	last = strrchr(to, '/') + 1;
	if (strlen(last) >= len)
		return false;
	memcpy(name, last, strlen(last) + 1);
	return true;
}

bool target_find(struct target *t, const char *arg, char *why, size_t len)
{
	char path[PATH_MAX];
	const char *last;

	if (strchr(arg, '/'))
		snprintf(path, sizeof(path), "%s", arg);
	else
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", arg);
	if (!realpath(path, t->sysfs)) {
		snprintf(why, len, "%s: no such device (want a PCI address such as 0000:01:00.1, or a folder in /sys)",
			 arg);
		return false;
	}
	last = strrchr(t->sysfs, '/') + 1;
	if (strlen(last) >= sizeof(t->name)) {
		snprintf(why, len, "%s: not a device", arg);
		return false;
	}
	memcpy(t->name, last, strlen(last) + 1);
	if (!link_name(t, "iommu_group", t->group, sizeof(t->group))) {
		snprintf(why, len, "%s: no IOMMU group (is the IOMMU on?)", arg);
		return false;
	}
	return true;
}

const char *target_driver(const struct target *t)
{
	static char name[64];

	return link_name(t, "driver", name, sizeof(name)) ? name : "none";
}

static bool cdev_path(const struct target *t, char *path, size_t len)
{
	char folder[PATH_MAX + 32];
	struct dirent *e;
	bool found = false;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/vfio-dev", t->sysfs);
	dir = opendir(folder);
	while (dir && !found && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, len, "/dev/vfio/devices/%s", e->d_name);
		found = true;
	}
	if (dir)
		closedir(dir);
	return found;
}

bool target_has_way(const struct target *t, enum way way)
{
	char path[PATH_MAX];

	if (way == WAY_GROUP) {
		snprintf(path, sizeof(path), "/dev/vfio/%s", t->group);
		return !access(path, F_OK) && !access("/dev/vfio/vfio", F_OK);
	}
	return cdev_path(t, path, sizeof(path)) && !access(path, F_OK) &&
	       !access("/dev/iommu", F_OK);
}

static int failed(char *why, size_t len, const char *what)
{
	int err = -errno;

	snprintf(why, len, "%s: %s", what, strerror(-err));
	return err;
}

static int open_group(struct dev *d, char *why, size_t len)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[64];

	d->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (d->container < 0)
		return failed(why, len, "/dev/vfio/vfio");
	snprintf(path, sizeof(path), "/dev/vfio/%s", d->target->group);
	d->group = open(path, O_RDWR | O_CLOEXEC);
	if (d->group < 0)
		return failed(why, len, path);
	if (ioctl(d->group, VFIO_GROUP_GET_STATUS, &status))
		return failed(why, len, "VFIO_GROUP_GET_STATUS");
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		snprintf(why, len, "group %s is not viable: every device in it must be bound to a VFIO driver",
			 d->target->group);
		return -EPERM;
	}
	if (ioctl(d->group, VFIO_GROUP_SET_CONTAINER, &d->container))
		return failed(why, len, "VFIO_GROUP_SET_CONTAINER");
	if (ioctl(d->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return failed(why, len, "VFIO_SET_IOMMU");
	d->fd = ioctl(d->group, VFIO_GROUP_GET_DEVICE_FD, d->target->name);
	if (d->fd < 0)
		return failed(why, len, "VFIO_GROUP_GET_DEVICE_FD");
	return 0;
}

static int open_cdev(struct dev *d, char *why, size_t len)
{
	struct bind_iommufd bind = { .argsz = sizeof(bind) };
	struct ioas_alloc ioas = { .size = sizeof(ioas) };
	struct attach_pt attach = { .argsz = sizeof(attach) };
	char path[PATH_MAX];

	if (!cdev_path(d->target, path, sizeof(path))) {
		snprintf(why, len, "%s has no character device",
			 d->target->name);
		return -ENOENT;
	}
	d->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (d->iommufd < 0)
		return failed(why, len, "/dev/iommu");
	d->fd = open(path, O_RDWR | O_CLOEXEC);
	if (d->fd < 0)
		return failed(why, len, path);
	bind.iommufd = d->iommufd;
	if (ioctl(d->fd, IOC_BIND_IOMMUFD, &bind))
		return failed(why, len, "VFIO_DEVICE_BIND_IOMMUFD");
	if (ioctl(d->iommufd, IOC_IOAS_ALLOC, &ioas))
		return failed(why, len, "IOMMU_IOAS_ALLOC");
	attach.pt_id = d->ioas = ioas.out_ioas_id;
	if (ioctl(d->fd, IOC_ATTACH_PT, &attach))
		return failed(why, len, "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
	return 0;
}

int dev_try_open(struct dev *d, const struct target *t, enum way way,
		 char *why, size_t len)
{
	int err;

	*d = (struct dev) {
		.target = t, .fd = -1, .group = -1, .container = -1,
		.iommufd = -1,
	};
	err = way == WAY_GROUP ? open_group(d, why, len) :
				 open_cdev(d, why, len);
	if (err)
		dev_close(d);
	return err;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void dev_close(struct dev *d)
{
	close_one(&d->fd);
	close_one(&d->group);
	close_one(&d->container);
	close_one(&d->iommufd);
}

int dev_map(struct dev *d, void *va, unsigned long long iova, size_t len)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)va, .iova = iova, .size = len,
	};
	struct ioas_map ioas = {
		.size = sizeof(ioas),
		.flags = IOAS_MAP_FIXED | IOAS_MAP_WRITE | IOAS_MAP_READ,
		.ioas_id = d->ioas,
		.user_va = (uintptr_t)va, .iova = iova, .length = len,
	};

	if (d->iommufd < 0)
		return ioctl(d->container, VFIO_IOMMU_MAP_DMA, &map) ? -errno : 0;
	return ioctl(d->iommufd, IOC_IOAS_MAP, &ioas) ? -errno : 0;
}

int dev_reset(struct dev *d)
{
	return ioctl(d->fd, VFIO_DEVICE_RESET) ? -errno : 0;
}

bool dev_can_reset(struct dev *d)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	return !ioctl(d->fd, VFIO_DEVICE_GET_INFO, &info) &&
	       (info.flags & VFIO_DEVICE_FLAGS_RESET);
}

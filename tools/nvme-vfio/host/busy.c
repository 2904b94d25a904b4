// SPDX-License-Identifier: GPL-2.0-only
/*
 * busy.c - whether a function is in use.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/tool.h"
#include "busy.h"
#include "util.h"

static int in_use(const char *bdf, const char *what)
{
	return fail(TOOL_INUSE, "%s: in use: %s", bdf, what);
}

static bool refuses(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EBUSY;
}

/* A VFIO group is opened by one at a time. */
static bool group_is_open(const char *bdf)
{
	char group[32], path[64];

	if (sysfs_link(group, sizeof(group), HOST_PCI "/%s/iommu_group", bdf))
		return false;
	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	return refuses(path, O_RDWR);
}

bool busy_is_open(const char *bdf)
{
	char driver[HOST_NAME];

	return !sysfs_link(driver, sizeof(driver), HOST_PCI "/%s/driver", bdf) &&
	       host_is_vfio(driver) && group_is_open(bdf);
}

/*
 * The disk that a directory in sysfs stands for: itself, or where the kernel
 * has several paths to a namespace, the one that hides them.
 */
static bool disk_of(const char *name, char *disk, size_t len)
{
	unsigned int c, path, ns;

	if (sscanf(name, "nvme%uc%un%u", &c, &path, &ns) == 3)
		snprintf(disk, len, "nvme%un%u", c, ns);
	else if (sscanf(name, "nvme%un%u", &c, &ns) == 2)
		snprintf(disk, len, "nvme%un%u", c, ns);
	else
		return false;
	return true;
}

/*
 * The kernel grants nobody exclusive access to a disk that is mounted or held.
 */
static int check_disks(const char *bdf, const char *ctrl)
{
	char path[300], disk[64], text[400];
	struct dirent *e;
	int err = TOOL_OK;
	DIR *dir;

	snprintf(path, sizeof(path), HOST_PCI "/%s/nvme/%s", bdf, ctrl);
	dir = opendir(path);
	if (!dir)
		return TOOL_OK;
	while (!err && (e = readdir(dir))) {
		if (!disk_of(e->d_name, disk, sizeof(disk)))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", disk);
		if (!refuses(path, O_RDONLY | O_EXCL))
			continue;
		snprintf(text, sizeof(text), "%s is mounted or otherwise held; unmount it first",
			 path);
		err = in_use(bdf, text);
	}
	closedir(dir);
	return err;
}

int busy_quick(const char *bdf)
{
	char driver[HOST_NAME], path[128];
	struct dirent *e;
	int err = TOOL_OK;
	DIR *dir;

	if (sysfs_link(driver, sizeof(driver), HOST_PCI "/%s/driver", bdf))
		return TOOL_OK;
	if (host_is_vfio(driver))
		return group_is_open(bdf) ?
		       in_use(bdf, "its VFIO group is open; stop the VM that has it") :
		       TOOL_OK;
	snprintf(path, sizeof(path), HOST_PCI "/%s/nvme", bdf);
	dir = opendir(path);
	if (!dir)
		return TOOL_OK;
	while (!err && (e = readdir(dir)))
		if (*e->d_name != '.')
			err = check_disks(bdf, e->d_name);
	closedir(dir);
	return err;
}

int busy_check(const struct host_fn *fn)
{
	char text[96];

	if (!fn->nusers)
		return busy_quick(fn->bdf);
	snprintf(text, sizeof(text), "process %d (%s)%s has it open; stop it first",
		 (int)fn->users[0].pid, fn->users[0].name,
		 fn->nusers > 1 ? " and others" : "");
	return in_use(fn->bdf, text);
}

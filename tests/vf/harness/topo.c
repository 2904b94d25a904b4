// SPDX-License-Identifier: GPL-2.0-only
/*
 * topo.c - which NVMe PFs with VFs this host has, from sysfs.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topo.h"
#include "util.h"

#define PCI	"/sys/bus/pci/devices"

static void scan_vfs(struct topo_pf *pf, const char *driver)
{
	char drv[64];
	int i;

	for (i = 0; i < TOPO_VFS; i++) {
		char *vf = pf->vf[pf->nvfs];

		if (sysfs_link(vf, sizeof(pf->vf[0]), PCI "/%s/virtfn%d",
			       pf->bdf, i))
			break;
		if (sysfs_link(drv, sizeof(drv), PCI "/%s/driver", vf) ||
		    strcmp(drv, driver))
			continue;
		pf->vfn[pf->nvfs++] = i + 1;
	}
}

static int by_address(const void *a, const void *b)
{
	return strcmp(((const struct topo_pf *)a)->bdf,
		      ((const struct topo_pf *)b)->bdf);
}

int topo_scan(const char *driver, struct topo_pf *pf)
{
	struct dirent *e;
	int n = 0;
	DIR *dir;

	dir = opendir("/sys/class/nvme");
	if (!dir)
		return lib_fail(-errno, "/sys/class/nvme");
	while (n < TOPO_PFS && (e = readdir(dir))) {
		if (strncmp(e->d_name, "nvme", 4) ||
		    strlen(e->d_name) >= sizeof(pf->name))
			continue;
		memset(&pf[n], 0, sizeof(pf[n]));
		strcpy(pf[n].name, e->d_name);
		if (sysfs_link(pf[n].bdf, sizeof(pf[n].bdf),
			       "/sys/class/nvme/%s/device", e->d_name))
			continue;
		scan_vfs(&pf[n], driver);
		if (pf[n].nvfs)
			n++;
	}
	closedir(dir);
	qsort(pf, n, sizeof(*pf), by_address);
	return n;
}

int topo_name(const char *bdf, char *name, size_t len)
{
	struct dirent *e;
	char path[64];
	DIR *dir;
	int err = -ENOENT;

	snprintf(path, sizeof(path), PCI "/%s/nvme", bdf);
	dir = opendir(path);
	if (!dir)
		return lib_fail(-errno, "%s: no controller", bdf);
	while (err && (e = readdir(dir))) {
		if (strncmp(e->d_name, "nvme", 4) || strlen(e->d_name) >= len)
			continue;
		strcpy(name, e->d_name);
		err = 0;
	}
	closedir(dir);
	return err ? lib_fail(err, "%s: no controller", bdf) : 0;
}

int topo_rebind(const char *bdf)
{
	int err;

	err = sysfs_write(bdf, PCI "/%s/driver/unbind", bdf);
	if (err && err != -ENOENT)
		return lib_fail(err, "%s: unbind", bdf);
	err = sysfs_write(bdf, "/sys/bus/pci/drivers_probe");
	if (err)
		return lib_fail(err, "%s: probe", bdf);
	return 0;
}

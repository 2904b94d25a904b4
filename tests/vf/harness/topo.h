/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * topo.h - which NVMe PFs with VFs this host has, from sysfs.
 */
#ifndef NVME_VFIO_TOPO_H
#define NVME_VFIO_TOPO_H

#include <stddef.h>

#define TOPO_PFS	8
#define TOPO_VFS	64

/**
 * struct topo_pf - a PF that the kernel's nvme driver runs, with VFs
 * @bdf: PCI address
 * @name: controller name, e.g. "nvme0"
 * @nvfs: VFs in @vf
 * @vf: PCI addresses of the VFs bound to the wanted driver
 * @vfn: their numbers, from 1
 */
struct topo_pf {
	char bdf[16];
	char name[16];
	int nvfs;
	char vf[TOPO_VFS + 1][16];
	int vfn[TOPO_VFS];
};

/**
 * topo_scan - find PFs with VFs bound to a driver, in order of PCI address
 * @driver: PCI driver that the VFs must have
 * @pf: filled in, room for TOPO_PFS
 *
 * Return: how many PFs, or a negative errno.
 */
int topo_scan(const char *driver, struct topo_pf *pf);

/**
 * topo_name - the name of a PF's controller now, e.g. "nvme0"
 * @len: bytes of @name
 *
 * Return: 0, or a negative errno (-ENOENT: nvme does not run it).
 */
int topo_name(const char *bdf, char *name, size_t len);

/**
 * topo_rebind - unbind a function and probe again by its driver_override
 *
 * Return: 0, or a negative errno.
 */
int topo_rebind(const char *bdf);

#endif

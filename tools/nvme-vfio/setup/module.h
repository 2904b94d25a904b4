/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * module.h - kernel modules and the PCI drivers in them.
 */
#ifndef NVME_VFIO_MODULE_H
#define NVME_VFIO_MODULE_H

/**
 * module_driver - make sure that a PCI driver is there, loading its module if
 * need be
 * @driver: name in /sys/bus/pci/drivers, which is the module's as well
 *
 * Return: TOOL_OK, or TOOL_MODULE after saying why.
 */
int module_driver(const char *driver);

#endif

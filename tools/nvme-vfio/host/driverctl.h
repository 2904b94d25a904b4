/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * driverctl.h - what driverctl would do to a function.
 */
#ifndef NVME_VFIO_DRIVERCTL_H
#define NVME_VFIO_DRIVERCTL_H

#include <stddef.h>

#define DRIVERCTL_DIR	"/etc/driverctl.d"

/**
 * driverctl_has - the driver that driverctl keeps for a function
 * @driver: filled in
 * @len: its size
 *
 * Return: 0, or a negative errno: -ENOENT if it keeps none.
 */
int driverctl_has(const char *bdf, char *driver, size_t len);

/** driverctl_warn - say so if that is another driver than @driver */
void driverctl_warn(const char *bdf, const char *driver);

#endif

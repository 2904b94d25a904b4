/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * boot_unit.h - the unit that sets up what is configured when the host boots.
 */
#ifndef NVME_VFIO_BOOT_UNIT_H
#define NVME_VFIO_BOOT_UNIT_H

#include <stdbool.h>

#define BOOT_UNIT	"nvme-vfio.service"

/**
 * boot_unit_enabled - whether it will run at the next boot
 *
 * Return: what systemctl says; false also where there is no systemd.
 */
bool boot_unit_enabled(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * secure_boot.h - whether this host takes modules that nobody signed.
 */
#ifndef NVME_VFIO_SECURE_BOOT_H
#define NVME_VFIO_SECURE_BOOT_H

#include <stdbool.h>

/** secure_boot_on - Secure Boot is on; false as well where there is no UEFI */
bool secure_boot_on(void);

/** signatures_forced - this kernel refuses modules without a trusted signature */
bool signatures_forced(void);

/**
 * secure_boot_key - the certificate by which dkms signs on this host
 *
 * Return: its path, or NULL if there is none.
 */
const char *secure_boot_key(void);

/**
 * secure_boot_enrolled - whether the firmware knows a certificate
 *
 * Return: 1, 0, or -1 if that cannot be told.
 */
int secure_boot_enrolled(const char *path);

#endif

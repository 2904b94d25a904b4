/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * secure_boot.h - whether this host accepts unsigned modules.
 */
#ifndef NVME_VFIO_SECURE_BOOT_H
#define NVME_VFIO_SECURE_BOOT_H

#include <stdbool.h>

/** secure_boot_on - Secure Boot is on; false as well where there is no UEFI */
bool secure_boot_on(void);

/** signatures_forced - this kernel refuses modules without a trusted signature */
bool signatures_forced(void);

/**
 * struct signing_key - the key by which dkms signs what it builds on this host
 * @certificate: path of its certificate, which the firmware has to know
 * @there: that file is there
 * @by: the file that says so; empty: dkms' own choice
 */
struct signing_key {
	char certificate[256];
	bool there;
	char by[256];
};

/**
 * signing_key - find it as dkms does: framework.conf and what lies in
 * framework.conf.d, or else Ubuntu's key, or else dkms' own
 *
 * Everything that says something about the key asks here.
 */
void signing_key(struct signing_key *key);

/**
 * secure_boot_enrolled - whether the firmware knows a certificate
 *
 * Return: 1, 0, or -1 if it is not known.
 */
int secure_boot_enrolled(const char *path);

#endif

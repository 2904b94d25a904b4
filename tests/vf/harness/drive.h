/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * drive.h - drives of other kinds: the model's personalities, by name, and any
 * other properties that make it such a drive.
 */
#ifndef NVME_VFIO_DRIVE_H
#define NVME_VFIO_DRIVE_H

#include "bed.h"

/**
 * drive_is - give a PF's model properties, and have the driver look at it again
 * @properties: NAME=VALUE, separated by blanks; may be empty
 *
 * All VFs of the PF are bound again.
 */
void drive_is(int pf, const char *properties);

/** drive_carries - bytes of data that one command of a PF carries, by its MDTS */
unsigned long drive_carries(int pf);

/**
 * drive_named - the properties of a personality, for drive_is()
 * @name: one of tests/model/personalities, which has to be in the host's share
 *
 * Those of the machine are left out, as they cannot be changed while it runs.
 *
 * Return: until the next call.
 */
const char *drive_named(const char *name);

#endif

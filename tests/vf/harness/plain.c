// SPDX-License-Identifier: GPL-2.0-only
/*
 * plain.c - checks that a device offers no migration at all.
 */
#include <errno.h>

#include "plain.h"

void plain_device(struct vfio_dev *dev)
{
	unsigned int state;
	uint64_t x;

	check_eq(vfio_mig_flags(dev, &x), -ENOTTY, "migration flags");
	check_eq(vfio_mig_get(dev, &state), -ENOTTY, "state");
	check_eq(vfio_mig_set(dev, MIG_STOP, NULL), -ENOTTY, "set state");
	check_eq(vfio_mig_data_size(dev, &x), -ENOTTY, "data size");
}

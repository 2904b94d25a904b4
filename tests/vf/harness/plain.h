/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plain.h - checks that a device offers no migration at all.
 */
#ifndef NVME_VFIO_PLAIN_H
#define NVME_VFIO_PLAIN_H

#include "bed.h"

/** plain_device - the case fails if any migration feature is there */
void plain_device(struct vfio_dev *dev);

#endif

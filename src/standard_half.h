/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A half-loaded state, of the standard command set: what cmdset.h describes.
 */
#ifndef _NVME_STANDARD_HALF_H
#define _NVME_STANDARD_HALF_H

struct nvme_vf;

int nvme_vfio_std_drop_half(struct nvme_vf *vf);

#endif

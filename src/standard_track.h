/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracking of memory by the standard command set: what cmdset.h describes.
 */
#ifndef _NVME_STANDARD_TRACK_H
#define _NVME_STANDARD_TRACK_H

#include "nvme_vf.h"

/* nvme_vfio_std_track_limits - what the PF can track, into @f->track */
void nvme_vfio_std_track_limits(struct vf_facts *f,
				const struct nvme_id_ctrl *id);

int nvme_vfio_std_track_start(struct nvme_vf *vf,
			      const struct iova_range *ranges, u32 n, u8 shift,
			      struct track_offer *offer);
int nvme_vfio_std_track_stop(struct nvme_vf *vf, u32 limit_ms);
int nvme_vfio_std_track_report(struct nvme_vf *vf, struct nvme_pf_buf *buf,
			       u32 len, struct track_report *report);

#endif

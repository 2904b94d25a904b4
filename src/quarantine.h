/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions in quarantine: VFs that went to ERROR and were not proven good since,
 * PFs that were reset while a command moved a VF. The mark is kept with a
 * function's figures, under their lock, and as long. It changes nothing by itself: the
 * policy of a PF may have it refuse migrations.
 */
#ifndef _NVME_VFIO_QUARANTINE_H
#define _NVME_VFIO_QUARANTINE_H

#include <linux/sysfs.h>
#include <linux/types.h>

struct figures;
struct nvme_vf;

/**
 * enum quarantine - why a function is in quarantine
 * @QUARANTINE_NONE: it is not
 * @QUARANTINE_ERROR: a VF: its migration state was ERROR
 * @QUARANTINE_RESET: a PF: it was reset, removed or timed out
 */
enum quarantine { QUARANTINE_NONE, QUARANTINE_ERROR, QUARANTINE_RESET };

/**
 * nvme_vfio_quarantine_refuses - has the policy a VF's migration refused?
 * @vf: the VF
 *
 * Then this is counted and logged.
 */
bool nvme_vfio_quarantine_refuses(struct nvme_vf *vf);

extern const struct attribute_group nvme_vfio_quarantine_group;

#endif

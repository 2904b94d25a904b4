/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the driver says about a function in sysfs, group nvme_vfio of its
 * device: docs/ABI.md.
 */
#ifndef _NVME_VFIO_VF_SYSFS_H
#define _NVME_VFIO_VF_SYSFS_H

#include <linux/device.h>
#include <linux/spinlock.h>
#include <linux/sysfs.h>
#include <linux/types.h>
#include <linux/vfio.h>

#include "lm_caps.h"

struct figures;
struct migration;

/**
 * struct vf_failure - what failed last
 * @err: negative errno; 0 = nothing has since the VF was opened
 * @what: constant text; NULL = the arc @from -> @to
 * @from: state in which the arc began
 * @to: state that it led to
 * @opcode: of the last command that failed for it; 0 = none did
 * @status: NVMe status of that, 0 if it had none
 * @why: more words, or none
 */
struct vf_failure {
	int err;
	const char *what;
	enum vfio_device_mig_state from;
	enum vfio_device_mig_state to;
	u8 opcode;
	int status;
	char why[96];
};

/**
 * struct vf_view - what there is to say about a function
 * @offers: it can migrate, or could when it was asked for
 * @set: number of its command set, 0 = not known
 * @cntlid: controller id
 * @has_cntlid: which is known
 * @format: of the states that it sends; index 0 = none
 * @tracking: constant text
 * @why: constant text: why it cannot migrate, or not for now; NULL = it can
 * @state: enum vfio_device_mig_state
 * @failure: what failed last
 */
struct vf_view {
	bool offers;
	u8 set;
	u16 cntlid;
	bool has_cntlid;
	struct state_format format;
	const char *tracking;
	const char *why;
	enum vfio_device_mig_state state;
	struct vf_failure failure;
};

/**
 * struct vf_sysfs - a copy of it for readers
 * @lock: @view, for as long as it takes to copy it. Innermost.
 * @view: as it was when the lock of the migration was last left, or a state was
 *	last reached
 *
 * The migration's own lock is held across commands, of which a Suspend may take
 * as long as a guest likes; and whoever removes an attribute waits until nobody
 * reads it, with the device's lock held. So readers take no lock but this one,
 * and look at nothing else that changes.
 *
 * What they look at is there: the driver core adds the group when probe has
 * succeeded and takes it away before remove, and sysfs lets it go only when all
 * reads that have begun have ended. Then the function has its struct
 * nvme_vfio_device, and that its migration. The texts are constants of this
 * module, or of the one that has the way to the PF, which cannot leave before.
 *
 * Resets and errors of the bus change the view like everything else, by
 * nvme_vfio_mig_unlock(): one that comes while a command is under way is seen
 * when that has ended.
 */
struct vf_sysfs {
	spinlock_t lock;
	struct vf_view view;
};

extern const struct attribute_group *nvme_vfio_dev_groups[];

/**
 * nvme_vfio_vf_sysfs_plain - of a function that can never migrate
 * @s: to be filled
 * @why: constant text: why not
 */
void nvme_vfio_vf_sysfs_plain(struct vf_sysfs *s, const char *why);

/**
 * nvme_vfio_vf_sysfs_update - show readers what has become of a VF
 * @m: its migration, whose lock is held, or which nobody else knows yet
 */
void nvme_vfio_vf_sysfs_update(struct migration *m);

/* Of a device that has the group; main.c has them. What cannot migrate has no figures. */
struct vf_sysfs *nvme_vfio_vf_sysfs(struct device *dev);
const struct figures *nvme_vfio_vf_figures(struct device *dev);

#endif

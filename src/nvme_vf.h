/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One VF as the migration commands see it: attaching to its PF, running a
 * command, what is known of it.
 */
#ifndef _NVME_VFIO_NVME_VF_H
#define _NVME_VFIO_NVME_VF_H

#include <linux/nvme.h>
#include <linux/pci.h>
#include <linux/types.h>

#include "cmdset.h"
#include "iova_range.h"
#include "nvme_pf.h"
#include "standard_cmd.h"
#include "stream.h"

/**
 * struct nvme_vf - one VF as the migration commands see it
 * @pdev: the VF
 * @pf: way to the PF's admin queue; NULL while not attached
 * @set: the command set; NULL while nothing was found
 * @vfn: number of the VF, 1 for the first
 * @cntlid: controller id of the VF (standard set)
 * @nvq: virtual queue resources of the VF; 0 = not known
 * @nvi: virtual interrupt resources; likewise
 * @format: format of state in use (standard set)
 * @track: what the device can track; no ranges where it cannot
 * @max_transfer: bytes one command carries
 * @identity: what the stream says of this VF
 * @status: NVMe status of the last command, 0 if it had none
 * @state_unknown: after the last command the VF may be in another state than
 *	the one it was left in: the command was aborted, or the device says so
 *
 * Protected by the mutex of the migration that owns it.
 */
struct nvme_vf {
	struct pci_dev *pdev;
	struct nvme_pf *pf;
	const struct cmdset *set;
	u16 vfn;
	u16 cntlid;
	u16 nvq;
	u16 nvi;
	struct state_format format;
	struct track_limits track;
	u32 max_transfer;
	struct stream_identity identity;
	int status;
	bool state_unknown;
};

/**
 * nvme_vfio_vf_init - start with nothing known
 * @vf: to be filled
 * @pdev: its function
 */
void nvme_vfio_vf_init(struct nvme_vf *vf, struct pci_dev *pdev);

/**
 * nvme_vfio_vf_attach - attach to the PF, find out what it can do for this VF
 * @vf: the VF; unchanged when it is attached already
 * @why: on failure set to a constant text, else NULL
 *
 * Prefers the standard set. Whether the PF still is what it was when the set
 * was found first is checked again at each attach.
 *
 * Return: 0, or as nvme_pf_get(); -EOPNOTSUPP also when the PF has neither
 * command set.
 */
int nvme_vfio_vf_attach(struct nvme_vf *vf, const char **why);

/* nvme_vfio_vf_detach - let go of the PF; harmless when not attached */
void nvme_vfio_vf_detach(struct nvme_vf *vf);

/**
 * nvme_vfio_exec - run one command, trace it, make an errno of its status
 * @vf: the VF
 * @cmd: the command
 * @buf: buffer or NULL
 * @len: bytes at @buf
 * @result: NULL or where completion dwords 0 and 1 go, as nvme_pf_submit()
 *
 * Attaches first if need be. Sets @vf->status and @vf->state_unknown.
 *
 * Return: 0, -EIO for any failure status or an aborted command, -ENODEV when
 * the PF has gone or cannot be attached to, -EAGAIN, -ENOMEM
 */
int nvme_vfio_exec(struct nvme_vf *vf, struct nvme_command *cmd, void *buf,
		   u32 len, u64 *result);

/* nvme_vfio_try_exec - the same, but a failure status is not warned of */
int nvme_vfio_try_exec(struct nvme_vf *vf, struct nvme_command *cmd, void *buf,
		       u32 len, u64 *result);

#define IDENTIFY_LEN	4096

/**
 * nvme_vfio_identify - Identify, sent to the PF
 * @vf: the VF
 * @cns: what to identify
 * @cntid: controller id, or 0
 * @page: IDENTIFY_LEN bytes, filled
 *
 * Return: as nvme_vfio_exec()
 */
int nvme_vfio_identify(struct nvme_vf *vf, u8 cns, u16 cntid, void *page);

/**
 * nvme_vfio_find_secondary - what the PF says of this VF
 * @vf: the VF; its controller id, queues and interrupts are set
 * @pf_cntlid: controller id of the PF
 * @page: room for IDENTIFY_LEN bytes
 * @why: set to a constant text when the PF does not know the VF
 *
 * Return: 0, -EOPNOTSUPP when the PF does not list the VF, or as
 * nvme_vfio_exec()
 */
int nvme_vfio_find_secondary(struct nvme_vf *vf, u16 pf_cntlid, void *page,
			     const char **why);

/**
 * nvme_vfio_fill_identity - set @vf->identity, all but the hints
 * @vf: the command set has been found, its @probe has filled the rest
 * @id: Identify Controller of the PF
 */
void nvme_vfio_fill_identity(struct nvme_vf *vf, const struct nvme_id_ctrl *id);

#endif

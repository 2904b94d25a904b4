/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One VF as the migration commands see it: attaching to its PF, running a
 * command, what is known of it.
 */
#ifndef _NVME_VFIO_NVME_VF_H
#define _NVME_VFIO_NVME_VF_H

#include <linux/atomic.h>
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
 *	the one it was left in: the command was aborted or given up, a reset came
 *	between, or the device says so
 * @overlapped: a command that changes the VF and a reset of the VF came at the
 *	same time, and nobody knows which was first
 * @identify_until: jiffies; when an attach gives Identify up
 * @asked_at: @resets when the PF was asked what the VF has
 * @resets: counts resets of the VF, by two; odd while one is under way. Any
 *	context may read it.
 *
 * The rest is protected by the mutex of the migration that owns it.
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
	bool overlapped;
	unsigned long identify_until;
	int asked_at;
	atomic_t resets;
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
 * was found first is checked again at each attach. Takes about a second at
 * most.
 *
 * Return: 0, or as nvme_pf_get(); -EOPNOTSUPP also when the PF has neither
 * command set; -EIO, -ETIMEDOUT, -EINTR when it does not answer
 */
int nvme_vfio_vf_attach(struct nvme_vf *vf, const char **why);

/**
 * nvme_vfio_vf_refresh - make sure that @vf->identity is true
 * @vf: the VF; attached to if need be
 *
 * Queues and interrupts are given to a VF that is offline, and are its own from
 * its next reset on. So the PF is asked again if there was one since.
 *
 * Return: 0; -EAGAIN, -EINTR, -ENOMEM: not answered, all is as before; -ENODEV:
 * the PF has gone, or cannot migrate this VF any more
 */
int nvme_vfio_vf_refresh(struct nvme_vf *vf);

/* nvme_vfio_vf_detach - let go of the PF; harmless when not attached */
void nvme_vfio_vf_detach(struct nvme_vf *vf);

/* nvme_vfio_vf_reset_begins, nvme_vfio_vf_reset_ends - any context */
void nvme_vfio_vf_reset_begins(struct nvme_vf *vf);
void nvme_vfio_vf_reset_ends(struct nvme_vf *vf);

/**
 * nvme_vfio_buf_alloc - memory for commands' data
 * @len: bytes
 *
 * Zeroed: what a device fails to write must not be old kernel memory.
 *
 * Return: the buffer, of @len bytes rounded up to 4, or to pages where it is
 * larger than one; or NULL
 */
struct nvme_pf_buf *nvme_vfio_buf_alloc(u32 len);

/**
 * nvme_vfio_exec - run one command, trace it, make an errno of its status
 * @vf: the VF
 * @c: the command
 *
 * Attaches first if need be. Sends nothing while the VF is being reset. Sets
 * @vf->status, @vf->state_unknown and @vf->overlapped.
 *
 * Return: 0; -EIO for any failure status, for a command that was aborted, or
 * that a reset of the VF came between; -ETIMEDOUT or -EINTR for one that was
 * given up; and, without it having been sent, -ENODEV when the PF has gone or
 * is not what it was, -EAGAIN when it or the VF is being reset, -EBUSY when one
 * that was given up has not ended, -EINTR, -ENOMEM
 */
int nvme_vfio_exec(struct nvme_vf *vf, struct nvme_pf_cmd *c);

/* nvme_vfio_try_exec - the same, but a failure status is not warned of */
int nvme_vfio_try_exec(struct nvme_vf *vf, struct nvme_pf_cmd *c);

#define IDENTIFY_LEN	4096

/**
 * nvme_vfio_identify - Identify, sent to the PF
 * @vf: the VF
 * @cns: what to identify
 * @cntid: controller id, or 0
 * @page: room for IDENTIFY_LEN bytes, filled
 *
 * Return: as nvme_vfio_exec()
 */
int nvme_vfio_identify(struct nvme_vf *vf, u8 cns, u16 cntid,
		       struct nvme_pf_buf *page);

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
int nvme_vfio_find_secondary(struct nvme_vf *vf, u16 pf_cntlid,
			     struct nvme_pf_buf *page, const char **why);

/**
 * nvme_vfio_fill_identity - set @vf->identity, all but the hints
 * @vf: the command set has been found, its @probe has filled the rest
 * @id: Identify Controller of the PF
 */
void nvme_vfio_fill_identity(struct nvme_vf *vf, const struct nvme_id_ctrl *id);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One VF as the migration commands see it: attaching to its PF, running a
 * command, what is known about it.
 */
#ifndef _NVME_VFIO_NVME_VF_H
#define _NVME_VFIO_NVME_VF_H

#include <linux/atomic.h>
#include <linux/nvme.h>
#include <linux/pci.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include "cmdset.h"
#include "figures.h"
#include "iova_range.h"
#include "nvme_pf.h"
#include "policy.h"
#include "standard_cmd.h"
#include "stream.h"

/**
 * struct nvme_vf - one VF as the migration commands see it
 * @pdev: the VF
 * @figures: what is counted of it
 * @pf: way to the PF's admin queue; NULL while not attached
 * @set: the command set; NULL while nothing was found
 * @vfn: number of the VF, 1 for the first
 * @cntlid: controller id of the VF (standard set)
 * @nvq: virtual queue resources of the VF; 0 = not known
 * @nvi: virtual interrupt resources; likewise
 * @pf_cntlid: controller id of the PF
 * @tells_namespaces: the PF can be asked which namespaces the VF has
 * @format_missing: the policy wants states in a format that the PF does not list
 * @format: format of the states that are read (standard set)
 * @track: what the device can track; no ranges where it cannot
 * @max_transfer: bytes one command carries
 * @identity: what the stream says about this VF
 * @formats: all that the PF lists, for nvme_vfio_pick_format(); 0 = none
 * @facts: all these, as one probe found them
 * @policy_at: nvme_vfio_policy_changes() at that time
 * @why: constant text: why the PF could not be asked last, or cannot migrate the
 *	VF; NULL = it can
 * @load_format: format of the state that is written; @format, unless a stream
 *	has another
 * @namespaces: what it said last
 * @opcode: of the last command
 * @cdw10: likewise
 * @status: NVMe status of the last command, 0 if it had none: type << 8 | code
 * @failed_opcode: of the last command that failed since this was zeroed, by
 *	whoever wants to know
 * @failed_status: its @status
 * @retry_delay: what came with it: 1 to 3 is the index of a delay in @delays
 * @is_final: likewise: the device wants no retry
 * @delays: CRDT1 to CRDT3 of the PF, in 100 ms
 * @patience_ms: how much longer transient refusals are waited for
 * @nap_ms: how long the next nap is, if the device does not say
 * @in_haste: commands are sent and waited for until @haste_until only
 * @haste_until: jiffies
 * @state_unknown: after the last command the VF may be in another state than
 *	the one it was left in: the command was aborted or given up, a reset came
 *	between, or the device says so
 * @overlapped: a command that changes the VF and a reset of the VF came at the
 *	same time, and nobody knows which was first
 * @identify_until: jiffies; when Identify is given up
 * @silent_ms: how long one of them may take
 * @asked_at: @resets when the PF was asked what the VF has
 * @sent_at: @resets when the last command was sent
 * @resets: counts resets of the VF, by two; odd while one is under way. Any
 *	context may read it.
 *
 * The rest is protected by the mutex of the migration that owns it.
 */
struct nvme_vf {
	struct_group_tagged(vf_facts, facts,
		u16 cntlid;
		u16 nvq;
		u16 nvi;
		u16 pf_cntlid;
		bool tells_namespaces;
		bool format_missing;
		struct state_format format;
		struct track_limits track;
		struct stream_identity identity;
		u8 formats[LM_FORMATS_LEN];
	);
	struct pci_dev *pdev;
	struct figures *figures;
	struct nvme_pf *pf;
	const struct cmdset *set;
	u16 vfn;
	u32 policy_at;
	const char *why;
	struct state_format load_format;
	u32 max_transfer;
	u8 opcode;
	u32 cdw10;
	struct stream_namespaces namespaces;
	int status;
	u8 failed_opcode;
	int failed_status;
	u8 retry_delay;
	bool is_final;
	u16 delays[3];
	u32 patience_ms;
	u32 nap_ms;
	bool in_haste;
	unsigned long haste_until;
	bool state_unknown;
	bool overlapped;
	unsigned long identify_until;
	u32 silent_ms;
	int asked_at;
	int sent_at;
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
 * Prefers the standard set. Each attach checks that the PF still is what it was
 * when the set was first found. A PF that says nothing is given up after a
 * second, one that answers slowly after five in all.
 *
 * Return: 0, or as nvme_pf_get(); -EOPNOTSUPP also when the PF has neither
 * command set; -EIO, -ETIMEDOUT, -EINTR when it does not answer
 */
int nvme_vfio_vf_attach(struct nvme_vf *vf, const char **why);

/**
 * nvme_vfio_vf_reread - ask the PF again for all that it says about the VF
 * nvme_vfio_vf_refresh - the same, if the VF was reset since it was asked
 * @vf: the VF; attached to if need be
 *
 * Queues and interrupts are given to a VF that is offline, and are its own from
 * its next reset on; firmware is activated at any time. What is known changes on
 * success only, and is what the policy of the PF makes of it.
 *
 * Return: 0; -EAGAIN, -EINTR, -ENOMEM: not answered, all is as before; -ENODEV:
 * the PF has gone, or cannot migrate this VF any more
 */
int nvme_vfio_vf_reread(struct nvme_vf *vf);
int nvme_vfio_vf_refresh(struct nvme_vf *vf);

/* nvme_vfio_vf_detach - release the PF; harmless when not attached */
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
 * nvme_vfio_begin_asking - Identify commands follow: how long to wait for them
 * @vf: the VF
 * @all_ms: for all of them, in milliseconds
 * @silent_ms: for each one
 */
void nvme_vfio_begin_asking(struct nvme_vf *vf, u32 all_ms, u32 silent_ms);

/**
 * nvme_vfio_exec - run one command, trace it, turn its status into an errno
 * @vf: the VF
 * @c: the command
 *
 * Attaches first if need be. Sends nothing while the VF is being reset. Sets
 * @vf->status, @vf->state_unknown and @vf->overlapped.
 *
 * Return: 0; -EIO for any failure status, for a command that was aborted, or
 * that a reset of the VF overlapped; -ETIMEDOUT or -EINTR for one that was
 * given up; and, without it having been sent, -ENODEV when the PF has gone or
 * is not what it was, -EAGAIN when it or the VF is being reset, -EBUSY when one
 * that was given up has not ended, -EINTR, -ENOMEM
 */
int nvme_vfio_exec(struct nvme_vf *vf, struct nvme_pf_cmd *c);

/* nvme_vfio_try_exec - the same, without a warning about a failure status */
int nvme_vfio_try_exec(struct nvme_vf *vf, struct nvme_pf_cmd *c);

/* nvme_vfio_warn_status - warn of it, if the last command had one */
void nvme_vfio_warn_status(struct nvme_vf *vf);

/* nvme_vfio_exec_patiently - nvme_vfio_exec(), and again after a transient refusal */
int nvme_vfio_exec_patiently(struct nvme_vf *vf, struct nvme_pf_cmd *c);

/* What transient refusals may add to an arc and what is moved after it. */
#define PATIENCE_MS	500

/**
 * nvme_vfio_vf_be_patient - wait for transient refusals, PATIENCE_MS in all
 * nvme_vfio_vf_be_impatient - no longer
 * @vf: the VF
 */
void nvme_vfio_vf_be_patient(struct nvme_vf *vf);
void nvme_vfio_vf_be_impatient(struct nvme_vf *vf);

/**
 * nvme_vfio_try_again - is the last command to be sent again?
 * @vf: the VF
 *
 * It is if the device has refused it and lets it be repeated, the status does
 * not say that it will never be accepted, and there is patience left. This uses
 * up as much of that as the device has asked for.
 *
 * Return: true, that long later; false also for a fatal signal
 */
bool nvme_vfio_try_again(struct nvme_vf *vf);

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
 * nvme_vfio_identify_ns - the same for a namespace, without a warning about a
 *	failure
 * @vf: the VF
 * @cns: what to identify
 * @nsid: namespace id, or 0
 * @cntid: controller id, or 0
 * @page: room for IDENTIFY_LEN bytes, filled
 */
int nvme_vfio_identify_ns(struct nvme_vf *vf, u8 cns, u32 nsid, u16 cntid,
			  struct nvme_pf_buf *page);

/*
 * nvme_vfio_asked - the result of an Identify, for callers that do not report
 * commands
 */
int nvme_vfio_asked(struct nvme_vf *vf, int ret);

/**
 * nvme_vfio_find_namespaces - ask which namespaces the VF has
 * @vf: the VF; attached to if need be
 *
 * Sets @vf->namespaces, which are not known if the PF does not report them or
 * takes longer than two seconds.
 *
 * Return: as nvme_vfio_vf_refresh()
 */
int nvme_vfio_find_namespaces(struct nvme_vf *vf);

/**
 * nvme_vfio_find_secondary - what the PF says about this VF
 * @vf: the VF
 * @f: its controller id, queues and interrupts are set
 * @pf_cntlid: controller id of the PF
 * @page: room for IDENTIFY_LEN bytes
 * @why: set to a constant text when the PF does not know the VF
 *
 * Return: 0, -EOPNOTSUPP when the PF does not list the VF, or as
 * nvme_vfio_exec()
 */
int nvme_vfio_find_secondary(struct nvme_vf *vf, struct vf_facts *f,
			     u16 pf_cntlid, struct nvme_pf_buf *page,
			     const char **why);

/**
 * nvme_vfio_fill_identity - set @f->identity, all but the hints
 * @vf: the VF
 * @f: filled by the @probe of its command set
 * @set: that set
 * @id: Identify Controller of the PF
 */
void nvme_vfio_fill_identity(const struct nvme_vf *vf, struct vf_facts *f,
			     const struct cmdset *set,
			     const struct nvme_id_ctrl *id);

/* nvme_vfio_policy_get - the policy of a VF's PF: see policy.h */
void nvme_vfio_policy_get(struct pci_dev *vf, struct policy *policy);

/* nvme_vfio_policy_changes - a number that differs after each change */
u32 nvme_vfio_policy_changes(void);

/* nvme_vfio_policy_exit - the driver leaves */
void nvme_vfio_policy_exit(void);

extern const struct attribute_group nvme_vfio_policy_group;

#endif

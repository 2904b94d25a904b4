/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam between migration and what a device speaks: one struct of
 * functions for each command set.
 */
#ifndef _NVME_VFIO_CMDSET_H
#define _NVME_VFIO_CMDSET_H

#include <linux/nvme.h>
#include <linux/pci.h>
#include <linux/types.h>

#include "nvme_pf.h"
#include "standard_cmd.h"
#include "stream.h"
#include "track_span.h"

/* Numbers are part of the stream. */
enum cmdset_id {
	CMDSET_STANDARD		= 1,
	CMDSET_VENDOR_2022	= 2,
};

struct cmdset;

/**
 * struct target - one VF as the migration commands see it
 * @vf: the VF
 * @pf: way to the PF's admin queue; NULL while not attached
 * @set: the command set; NULL while nothing was found
 * @vfn: number of the VF, 1 for the first
 * @cntlid: controller id of the VF (standard set)
 * @format: layout of state in use (standard set)
 * @track: what the device can track; no ranges where it cannot
 * @max_transfer: bytes one command carries
 * @identity: what the stream says of this VF
 * @status: NVMe status of the last command, 0 if it had none
 * @uncertain: after the last command the VF may be in another state than the
 *	one it was left in: the command was aborted, or the device says so
 *
 * Protected by the mutex of the migration that owns it.
 */
struct target {
	struct pci_dev *vf;
	struct nvme_pf *pf;
	const struct cmdset *set;
	u16 vfn;
	u16 cntlid;
	struct std_format format;
	struct track_limits track;
	u32 max_transfer;
	struct stream_identity identity;
	int status;
	bool uncertain;
};

/**
 * struct track_offer - what a device could track instead
 * @shift: log2 of the finest unit, in bytes; 0 = it did not say
 * @ranges: how many ranges; 0 = it did not say
 */
struct track_offer {
	u32 shift;
	u32 ranges;
};

/**
 * struct track_report - how a report of written memory has ended
 * @more: there is more to report
 * @suspended: the VF is suspended
 */
struct track_report {
	bool more;
	bool suspended;
};

/**
 * struct cmdset - a command set
 * @id: number in the stream
 * @name: for messages
 * @whole: the state moves in one command each way, never in pieces
 * @save_disables: reading the state disables the VF; it runs on only after
 *	the same state has been loaded again
 * @probe: find out whether the PF has the set and can serve this VF; fills
 *	@cntlid, @format and the set's part of @identity.
 *	Return: 0, -EOPNOTSUPP with @why set, or another error
 * @suspend: stop the VF; it neither fetches nor issues DMA or interrupts when
 *	this returns. Repeating it is no error.
 * @resume: let a suspended VF go on
 * @state_size: bytes that @get_state would read now, at any time
 * @get_state: read up to @len bytes at @offset into @buf (multiples of 4; a
 *	whole state of any length with @whole). @total: set by the read at
 *	offset 0, in bytes. The VF must have been suspended throughout, else
 *	-EIO.
 * @check_start: @len bytes from the start of a received state of @total bytes:
 *	do they agree with each other? Nothing has reached the device yet.
 * @set_state: write @len bytes at @offset; @first and @last tell the device
 *	where the sequence starts and when to verify and commit
 *
 * @track_start: track what the VF writes to @n ranges in units of 2^@shift
 *	bytes. NULL where the set cannot track. Also returns -EAGAIN for a
 *	suspended VF, -EALREADY for one that is being tracked, -ENOSPC with
 *	@offer set, -EINVAL for ranges that the device does not take.
 * @track_stop: and stop. Also returns -EAGAIN for a suspended VF, -EALREADY
 *	for one that is not being tracked.
 * @track_report: one report, read into @buf of @len bytes; @mark is called
 *	for each range, with its first and last byte. The device forgets what
 *	it has told.
 *
 * All but @check_start sleep. They return 0 or a negative errno: -EIO for a
 * command that failed, -ENODEV when the PF has gone, -EOVERFLOW or -ENOSPC
 * for a state that is too large.
 */
struct cmdset {
	enum cmdset_id id;
	const char *name;
	bool whole;
	bool save_disables;

	int (*probe)(struct target *t, const struct nvme_id_ctrl *id,
		     const char **why);
	int (*suspend)(struct target *t);
	int (*resume)(struct target *t);
	int (*state_size)(struct target *t, u64 *size);
	int (*get_state)(struct target *t, u64 offset, void *buf, u32 len,
			 u64 *total);
	int (*check_start)(const struct target *t, const void *buf, u32 len,
			   u64 total, const char **why);
	int (*set_state)(struct target *t, u64 offset, const void *buf,
			 u32 len, bool first, bool last);

	int (*track_start)(struct target *t, const struct track_span *s, u32 n,
			   u8 shift, struct track_offer *offer);
	int (*track_stop)(struct target *t);
	int (*track_report)(struct target *t, void *buf, u32 len,
			    void (*mark)(void *arg, u64 first, u64 last),
			    void *arg, struct track_report *report);
};

extern const struct cmdset cmdset_standard;
extern const struct cmdset cmdset_vendor_2022;

/**
 * target_init - start with nothing known
 * @t: the target
 * @vf: the VF
 */
void target_init(struct target *t, struct pci_dev *vf);

/**
 * target_attach - attach to the PF and find out what it can do for this VF
 * @t: the target; unchanged when it is attached already
 * @why: on failure set to a constant text, else NULL
 *
 * Prefers the standard set. Whether the PF still is what it was when the set
 * was found first is checked again at each attach.
 *
 * Return: 0, or as nvme_pf_get(); -EOPNOTSUPP also when the PF has neither
 * command set.
 */
int target_attach(struct target *t, const char **why);

/* target_detach - let go of the PF; harmless when not attached */
void target_detach(struct target *t);

/**
 * target_exec - run one command, trace it, make an errno of its status
 * @t: the target
 * @cmd: the command
 * @buf: buffer or NULL
 * @len: bytes at @buf
 * @result: NULL or where completion dwords 0 and 1 go, as nvme_pf_submit()
 *
 * Attaches first if need be. Sets @t->status and @t->uncertain.
 *
 * Return: 0, -EIO for any failure status or an aborted command, -ENODEV when
 * the PF has gone or cannot be attached to, -EAGAIN, -ENOMEM
 */
int target_exec(struct target *t, struct nvme_command *cmd, void *buf,
		u32 len, u64 *result);

/* target_try - the same without a warning when the device answers a failure */
int target_try(struct target *t, struct nvme_command *cmd, void *buf, u32 len,
	       u64 *result);

#define IDENTIFY_LEN	4096

/**
 * target_identify - Identify, sent to the PF
 * @t: the target
 * @cns: what to identify
 * @cntid: controller id, or 0
 * @page: IDENTIFY_LEN bytes, filled
 *
 * Return: as target_exec()
 */
int target_identify(struct target *t, u8 cns, u16 cntid, void *page);

/**
 * target_find_secondary - what the PF says of this VF
 * @t: the target; its controller id, queues and interrupts are set
 * @pf_cntlid: controller id of the PF
 * @page: room for IDENTIFY_LEN bytes
 * @why: set to a constant text when the PF does not know the VF
 *
 * Return: 0, -EOPNOTSUPP when the PF does not list the VF, or as target_exec()
 */
int target_find_secondary(struct target *t, u16 pf_cntlid, void *page,
			  const char **why);

/**
 * target_compatible - may a state with this identity be loaded here?
 * @t: the VF
 * @from: the identity in the stream
 * @why: set to a constant text when not
 *
 * For the standard set also finds the index that this device has for the
 * format of the state.
 */
bool target_compatible(struct target *t, const struct stream_identity *from,
		       const char **why);

#endif

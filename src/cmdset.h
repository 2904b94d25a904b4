/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam between migration and what a device speaks: one struct of
 * functions for each command set.
 */
#ifndef _NVME_VFIO_CMDSET_H
#define _NVME_VFIO_CMDSET_H

#include <linux/nvme.h>
#include <linux/types.h>

#include "iova_range.h"
#include "lm_caps.h"

struct dirty_map;
struct nvme_pf_buf;
struct nvme_vf;
struct vf_facts;

/*
 * Limit of a command that open, close, or a work item waits for. Not more than
 * those have that are waited for when the task is killed, see struct nvme_pf_cmd.
 */
#define BRIEF_MS	1000

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
 * struct track_report - one report of written memory
 * @map: where it is marked; set by the caller
 * @more: there is more to report
 * @suspended: the VF is suspended
 */
struct track_report {
	struct dirty_map *map;
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
 *	of @f what the set knows of @cntlid, @nvq, @nvi, @format, @formats and
 *	@track, which are zeroed before.
 *	Return: 0, -EOPNOTSUPP with @why set, or another error
 * @suspend: stop the VF; it neither fetches nor issues DMA or interrupts when
 *	this returns, unless @is_quiet denies it. Repeating it is no error.
 * @is_quiet: does @suspend end all DMA? Else only @get_state of all of the state
 *	does, and the VF has no P2P. NULL: it does.
 * @announce: tell a running VF that a suspend will follow. NULL where the set
 *	has no word for it. Nothing depends on it, so it cannot fail.
 * @resume: let a suspended VF continue
 * @find_out: make sure that a VF runs, if that is not known: a Resume, which
 *	may be refused because it runs. @was_suspended: it was not running, as
 *	far as the set can tell. @limit_ms: as in struct nvme_pf_cmd.
 * @state_size: bytes that @get_state would read now, at any time
 * @get_state: read up to @len bytes at @offset to the start of @buf (multiples
 *	of 4; a whole state of any length with @whole). @total: set by the read at
 *	offset 0, in bytes. -EIO also when the device does not say that the VF
 *	was suspended throughout, which it may be all the same.
 * @check_start: @len bytes from the start of a received state of @total bytes:
 *	are they consistent? Nothing has reached the device yet.
 * @set_state: write @len bytes at @offset, from @buf at @at; @first and @last tell the device
 *	where the sequence starts and when to verify and commit. A failure
 *	status is the caller's to warn of, and ends the sequence: it may begin
 *	anew if nvme_vfio_try_again().
 * @drop_half: make a VF run that has received the first @set_state and maybe
 *	not the last, and is to continue without any of it. Its queues have not
 *	been created since. NULL where a state moves whole.
 *
 * @track_start: track what the VF writes to @n ranges in units of 2^@shift
 *	bytes. NULL where the set cannot track. Also returns -EAGAIN for a
 *	suspended VF, -EALREADY for one that is being tracked, -ENOSPC with
 *	@offer set, -EINVAL for ranges that the device does not accept.
 * @track_stop: and stop. Also returns -EAGAIN for a suspended VF, -EALREADY
 *	for one that is not being tracked. @limit_ms: likewise.
 * @track_report: one report, read into @buf of @len bytes. The device forgets
 *	what it has reported.
 *
 * Those of a migration wait for transient refusals, as long as there is patience:
 * see nvme_vfio_try_again().
 *
 * All but @check_start sleep. They return 0 or a negative errno: as
 * nvme_vfio_exec(), -EOVERFLOW or -ENOSPC for a state that is too large.
 */
struct cmdset {
	enum cmdset_id id;
	const char *name;
	bool whole;
	bool save_disables;

	int (*probe)(struct nvme_vf *vf, struct vf_facts *f,
		     const struct nvme_id_ctrl *id, const char **why);
	int (*suspend)(struct nvme_vf *vf);
	bool (*is_quiet)(void);
	void (*announce)(struct nvme_vf *vf);
	int (*resume)(struct nvme_vf *vf);
	int (*find_out)(struct nvme_vf *vf, u32 limit_ms, bool *was_suspended);
	int (*state_size)(struct nvme_vf *vf, u64 *size);
	int (*get_state)(struct nvme_vf *vf, u64 offset,
			 struct nvme_pf_buf *buf, u32 len, u64 *total);
	int (*check_start)(const struct nvme_vf *vf, const void *buf, u32 len,
			   u64 total, const char **why);
	int (*set_state)(struct nvme_vf *vf, u64 offset,
			 struct nvme_pf_buf *buf, u32 at, u32 len, bool first,
			 bool last);
	int (*drop_half)(struct nvme_vf *vf);

	int (*track_start)(struct nvme_vf *vf, const struct iova_range *ranges,
			   u32 n, u8 shift, struct track_offer *offer);
	int (*track_stop)(struct nvme_vf *vf, u32 limit_ms);
	int (*track_report)(struct nvme_vf *vf, struct nvme_pf_buf *buf,
			    u32 len, struct track_report *report);
};

extern const struct cmdset nvme_vfio_cmdset_standard;
extern const struct cmdset nvme_vfio_cmdset_vendor;

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * undo_file.h - what a PF was like before it was set up, kept for teardown.
 *
 * A file per PF in /var/lib/nvme-vfio, which only root may read, named by vendor,
 * serial number and address: several PFs may have the same serial number. What
 * a reboot undoes by itself (VFs, their resources and drivers) counts only in
 * the boot it was written in; attached namespaces are kept by the drive, so
 * they count until they are detached, also when the card is in another slot
 * after a reboot. That a PF is disabled counts until it is set up by hand.
 */
#ifndef NVME_VFIO_UNDO_FILE_H
#define NVME_VFIO_UNDO_FILE_H

#include "pf.h"

#ifndef UNDO_DIR		/* tests have their own */
#define UNDO_DIR	"/var/lib/nvme-vfio"
#endif

/**
 * struct undo_file - what is recorded about a PF
 * @there: there is a file
 * @elsewhere: the file of the same drive at another address, or under the name that
 *	it had in an earlier version; goes when the file is written. NULL: none
 * @disabled: the boot units leave the PF alone
 * @has_before: it is of this boot: @before is filled in
 * @before: what the PF was like
 * @attached: per VF, namespaces that were attached to it by the tool
 */
struct undo_file {
	bool there;
	char *elsewhere;
	bool disabled;
	bool has_before;
	struct pf_state before;
	struct pf_state attached;
};

/**
 * undo_file_load - read the file about a PF
 *
 * If there is none for its address, one of the same drive counts whose address
 * no device has; if that is of this boot, or there are several, it is refused.
 * @n: number of VFs it could have
 * @r: filled in; undo_file_free() it, also after a failure
 *
 * Return: TOOL_OK, also if there is none; TOOL_FAILED after saying why.
 */
int undo_file_load(const struct host_fn *fn, unsigned int n,
		   struct undo_file *r);

/**
 * undo_file_save - write it so that it survives a crash
 *
 * If there is nothing to record, the file is removed.
 * Return: TOOL_OK, or TOOL_FAILED after saying why.
 */
int undo_file_save(const struct host_fn *fn, struct undo_file *r);

/** undo_file_free - forget it */
void undo_file_free(struct undo_file *r);

#endif

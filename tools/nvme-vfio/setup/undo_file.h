/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * undo_file.h - what a PF was like before it was set up, kept for teardown.
 *
 * A file per PF in /var/lib/nvme-vfio, named by vendor and serial number, for
 * cards move. What a reboot undoes by itself (VFs, their resources and
 * drivers) counts only in the boot it was written in; attached namespaces are
 * kept by the drive, so they count until they are detached.
 */
#ifndef NVME_VFIO_UNDO_FILE_H
#define NVME_VFIO_UNDO_FILE_H

#include "pf.h"

#define UNDO_DIR	"/var/lib/nvme-vfio"

/**
 * struct undo_file - what is on file about a PF
 * @there: there is a file
 * @has_before: it is of this boot: @before is filled in
 * @before: what the PF was like
 * @attached: per VF, namespaces that were attached to it by the tool
 */
struct undo_file {
	bool there;
	bool has_before;
	struct pf_state before;
	struct pf_state attached;
};

/**
 * undo_file_load - read the file about a PF
 * @n: number of VFs it could have
 * @r: filled in; undo_file_free() it, also after a failure
 *
 * Return: TOOL_OK, also if there is none; TOOL_FAILED after saying why.
 */
int undo_file_load(const struct host_fn *fn, unsigned int n,
		   struct undo_file *r);

/**
 * undo_file_save - write it, such that it is there after a crash as well
 *
 * Where it has nothing to tell, the file goes.
 * Return: TOOL_OK, or TOOL_FAILED after saying why.
 */
int undo_file_save(const struct host_fn *fn, const struct undo_file *r);

/** undo_file_free - forget it */
void undo_file_free(struct undo_file *r);

#endif

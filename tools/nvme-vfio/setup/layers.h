/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * layers.h - which files of several folders count: those of a vendor, of this boot,
 * of the administrator, as systemd has it.
 */
#ifndef NVME_VFIO_LAYERS_H
#define NVME_VFIO_LAYERS_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct layers - files, in the order of their names
 * @path: paths
 * @n: how many
 * @others: where there are none: files of other names in the last folder
 */
struct layers {
	char **path;
	size_t n;
	size_t others;
};

/**
 * layers_add - add the *.conf files of a folder
 * @may_lack: it is no error if it is not there, or for others than root if only
 *	root may read it
 *
 * A file replaces one of the same name from a folder that was added before.
 * Return: TOOL_OK, or a code after saying why; layers_free() it after either.
 */
int layers_add(struct layers *l, const char *folder, bool may_lack);

/** layers_free - forget them */
void layers_free(struct layers *l);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * figures.h - what our driver has counted of a VF, or of all VFs of a PF, in
 * sysfs: docs/ABI.md. Needs no privilege and no command to a drive.
 */
#ifndef NVME_VFIO_FIGURES_H
#define NVME_VFIO_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"

#ifndef HOST_DRIVER		/* tests have their own */
#define HOST_DRIVER	"/sys/bus/pci/drivers/nvme-vfio-pci"
#endif

#define FIGURES_MAX	64	/* figures of a function; later drivers may have more, unread */
#define FIGURES_TEXT	4096	/* no file is longer than a page */

/** struct figure - one of them */
struct figure {
	char name[40];
	uint64_t value;
};

/**
 * struct figures - those of a function
 * @bdf: the function
 * @f: the figures, in the order of the file
 * @n: how many; 0: the driver has none of it
 */
struct figures {
	char bdf[BDF_MAX];
	struct figure f[FIGURES_MAX];
	size_t n;
};

/** figures_of_vf - read those of a VF; what is not understood is left out */
void figures_of_vf(struct figures *f, const char *bdf);

/**
 * figures_of_pfs - read those of all PFs
 * @list: set; free() it
 * @n: set: how many
 *
 * Out of memory ends the program with TOOL_FAILED.
 */
void figures_of_pfs(struct figures **list, size_t *n);

/** figures_get - one by its name. Return: whether there is one */
bool figures_get(const struct figures *f, const char *name, uint64_t *value);

#endif

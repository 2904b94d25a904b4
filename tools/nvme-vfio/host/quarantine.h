/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * quarantine.h - functions in quarantine: docs/ABI.md. The driver keeps them while it
 * is loaded. What it shows is recorded in a file, and written back to it when it has
 * been loaded anew since. The file is of this boot.
 */
#ifndef NVME_VFIO_QUARANTINE_H
#define NVME_VFIO_QUARANTINE_H

#include <stddef.h>

#include "host.h"

#ifndef HOST_DRIVER		/* tests have their own */
#define HOST_DRIVER	"/sys/bus/pci/drivers/nvme-vfio-pci"
#endif
#ifndef QUARANTINE_DIR		/* tests have their own */
#define QUARANTINE_DIR	"/run/nvme-vfio"
#endif

#define QUARANTINE_WORD	16

/** struct quarantined - a function that is */
struct quarantined {
	char bdf[BDF_MAX];
	char word[QUARANTINE_WORD];	/* as the driver has it: "error", "reset" */
};

/** struct quarantine - all of them */
struct quarantine {
	struct quarantined *q;
	size_t n;
};

/**
 * quarantine_load - what the driver has, or what was recorded if it is not loaded
 * @q: filled in; quarantine_free() it
 *
 * As root, also brings driver and file together. Trouble with the file is warned
 * of, no more: the driver counts.
 */
void quarantine_load(struct quarantine *q);

/** quarantine_word - why a function is in it; NULL: it is not */
const char *quarantine_word(const struct quarantine *q, const char *bdf);

/** quarantine_text - a reason in words */
const char *quarantine_text(const char *word);

/**
 * quarantine_end - take a function out of it, here and in the file
 *
 * Return: TOOL_OK, also if it was not in it, or a code after saying why.
 */
int quarantine_end(const char *bdf);

/** quarantine_free - forget them */
void quarantine_free(struct quarantine *q);

#endif

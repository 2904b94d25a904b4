/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fit.h - tables that are no wider than the terminal.
 */
#ifndef NVME_VFIO_FIT_H
#define NVME_VFIO_FIT_H

#include <libsmartcols/libsmartcols.h>

/**
 * fit - break the cells of the column that may be wrapped, between words
 *
 * Out of memory ends the program with TOOL_FAILED.
 */
void fit(struct libscols_table *t);

#endif

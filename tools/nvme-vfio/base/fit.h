/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fit.h - tables that are no wider than the terminal.
 */
#ifndef NVME_VFIO_FIT_H
#define NVME_VFIO_FIT_H

#include <libsmartcols/libsmartcols.h>
#include <stdio.h>

/**
 * fit_short - if a table is too wide, give cells their short texts, which are the
 * cells' userdata: of as many columns as it takes, from the last one on
 *
 * Out of memory ends the program with TOOL_FAILED, here and below.
 */
void fit_short(struct libscols_table *t);

/** fit_wrap - break the cells of the column that may be wrapped, between words */
void fit_wrap(struct libscols_table *t);

/**
 * fit_lines - print lines, the long ones in several, broken between words
 * @width: of the terminal
 *
 * Return: 0, or -1 if they could not be printed.
 */
int fit_lines(FILE *to, const char *text, size_t width);

#endif

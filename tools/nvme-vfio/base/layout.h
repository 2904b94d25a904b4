/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * layout.h - which columns a table has, and in which order.
 */
#ifndef NVME_VFIO_LAYOUT_H
#define NVME_VFIO_LAYOUT_H

#include "report.h"

/** struct layout - the columns of one table, from left to right */
struct layout {
	size_t *column;
	size_t n;
};

/**
 * layout_default - the columns of some tables, as they are by default
 * @tables: a bit for each table
 */
void layout_default(struct layout *l, const struct report_column *column,
		    size_t n, unsigned int tables);

/**
 * layout_named - columns by their names, after those already there
 * @names: with commas between them; NULL: none
 *
 * Return: TOOL_OK, or TOOL_USAGE after saying which one does not exist.
 */
int layout_named(struct layout *l, const struct report_column *column,
		 size_t n, const char *names);

/** layout_free - no columns */
void layout_free(struct layout *l);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor_table.h - what checks found, for people to read: in groups, with one
 * line for what is the same for many functions.
 */
#ifndef NVME_VFIO_DOCTOR_TABLE_H
#define NVME_VFIO_DOCTOR_TABLE_H

#include "base/report.h"

/** enum doctor_group - what a check is about; groups come in this order */
enum doctor_group {
	OF_HOST,
	OF_PF,
	OF_DRIVE,		/* one without SR-IOV */
	OF_VF,
	DOCTOR_GROUPS,
};

/** struct doctor_line - one answer, or the same one for several functions
 * @group: what it is about
 * @status: as in JSON
 * @id: name of the check
 * @function: address; NULL: the host
 * @text: what was found
 * @cure: what would help; or NULL
 */
struct doctor_line {
	enum doctor_group group;
	const char *status;
	const char *id;
	const char *function;
	const char *text;
	const char *cure;
};

/** struct doctor_table - lines in the making; all 0: none */
struct doctor_table {
	struct doctor_entry *entry;
	size_t n;
	struct doctor_names {
		char **name;
		size_t n;
	} functions[DOCTOR_GROUPS];
};

/** struct doctor_columns - their places in the report */
struct doctor_columns {
	size_t status;
	size_t id;
	size_t finding;
};

/**
 * doctor_table_add - one more answer; its strings are copied
 *
 * Out of memory ends the program with TOOL_FAILED, here and below.
 */
void doctor_table_add(struct doctor_table *t, const struct doctor_line *line);

/**
 * doctor_table_put - all lines into a report's table, and forget them
 * @quiet: those that are not ok
 * @fix: what is printed before a fix
 */
void doctor_table_put(struct doctor_table *t, struct report *r,
		      const struct doctor_columns *column, bool quiet,
		      const char *fix);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report.h - what a command found out, as a table or as JSON.
 *
 * A report is one list of rows. The columns' names are the keys in JSON, in the
 * schema of docs/tool-json.md, which only grows within a version.
 */
#ifndef NVME_VFIO_REPORT_H
#define NVME_VFIO_REPORT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPORT_VERSION	1

/** struct report_column - a column
 * @key: name in JSON; NULL: only in tables
 * @head: heading in tables; NULL: only in JSON
 * @right: align to the right
 * @wrap: may be broken into several lines
 */
struct report_column {
	const char *key;
	const char *head;
	bool right;
	bool wrap;
};

struct report;

/**
 * report_new - begin a report
 * @command: the command's name
 * @list: the key of the rows in JSON
 * @column: the columns, which stay where they are
 * @n: how many
 *
 * Out of memory ends the program with TOOL_FAILED, here and below: a report
 * changes nothing that would have to be undone.
 */
struct report *report_new(const char *command, const char *list,
			  const struct report_column *column, size_t n);

/** report_row - begin a row; its cells are null and "-" until they are set */
void report_row(struct report *r);

/** report_text - a cell with a text; NULL or empty leaves it unset */
void report_text(struct report *r, size_t column, const char *text);

/** report_number - a cell with a number */
void report_number(struct report *r, size_t column, int64_t number);

/** report_flag - a cell that is true or false; @yes and @no are for tables */
void report_flag(struct report *r, size_t column, bool flag, const char *yes,
		 const char *no);

/**
 * report_value - a cell with anything
 * @value: for JSON; now owned by the report; NULL: only for tables
 * @text: for tables; NULL: only for JSON
 */
void report_value(struct report *r, size_t column, json_object *value,
		  const char *text);

/**
 * report_extra - something beside the rows, in JSON only
 * @value: now owned by the report; NULL stands for null
 */
void report_extra(struct report *r, const char *key, json_object *value);

/**
 * report_print - print it, as the global options say, and free it
 *
 * Return: TOOL_OK, or TOOL_FAILED after saying why.
 */
int report_print(struct report *r);

/** report_free - nobody wants to see it */
void report_free(struct report *r);

#endif

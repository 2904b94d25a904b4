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
 * @head: heading in tables, and the name that chooses it; NULL: only in JSON
 * @what: what it contains, for the help
 * @right: align to the right
 * @wrap: may be broken into several lines, between words
 * @cut: may be cut off where the terminal is narrow
 * @tree: has the titles of groups, and what is in a group below its title
 * @extra: only if it is asked for
 * @in: of several tables: those that have it, a bit each; 0: the first one
 */
struct report_column {
	const char *key;
	const char *head;
	const char *what;
	bool right;
	bool wrap;
	bool cut;
	bool tree;
	bool extra;
	unsigned int in;
};

/** struct report_look - how tables look; all 0: the defaults
 * @columns: names of columns, with commas between them; with a + before them they
 *	come after those by default; NULL: those
 * @noheadings: no line of headings
 * @raw: a blank between cells, and nothing is aligned
 * @pairs: NAME="value"
 * @color: use the colours given to cells
 *
 * With names of columns, @raw or @pairs there is one table. Then, and with
 * @noheadings, there are no notes.
 */
struct report_look {
	const char *columns;
	bool noheadings;
	bool raw;
	bool pairs;
	bool color;
};

struct report;

/**
 * report_new - begin a report
 * @command: the command's name
 * @list: the key of the rows in JSON
 * @column: the columns; not copied
 * @n: how many
 *
 * Out of memory ends the program with TOOL_FAILED, here and below: a report
 * changes nothing that would have to be undone.
 */
struct report *report_new(const char *command, const char *list,
			  const struct report_column *column, size_t n);

/**
 * report_look - how its tables look; before the first row
 * @look: its strings are not copied
 *
 * Return: TOOL_OK, or TOOL_USAGE after saying which column does not exist.
 */
int report_look(struct report *r, const struct report_look *look);

/** report_shows - whether a column is printed: in a table, or all are in JSON */
bool report_shows(const struct report *r, size_t column);

/**
 * report_group - begin a group of rows, which JSON does not have
 * @title: for the line above them, in the first column, which is a tree
 */
void report_group(struct report *r, const char *title);

/** report_row - begin a row; its cells are null and "-" until they are set */
void report_row(struct report *r);

/** report_row_in - the same, in one of several tables, from 0; JSON has one list */
void report_row_in(struct report *r, unsigned int table);

/** report_lead - the line above the tables, which JSON does not have */
void report_lead(struct report *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** report_note - a line below the tables, which JSON does not have */
void report_note(struct report *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

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
 * report_short - what a cell shows instead if the table is too wide; not if columns
 * are asked for, nor with @raw or @pairs
 */
void report_short(struct report *r, size_t column, const char *text);

/** report_color - the colour of a cell, as libsmartcols names it */
void report_color(struct report *r, size_t column, const char *color);

/**
 * report_extra - something beside the rows, in JSON only
 * @value: now owned by the report; NULL stands for null
 */
void report_extra(struct report *r, const char *key, json_object *value);

/**
 * report_print - print it, as the global options say, and free it
 *
 * JSON also has what goes wrong afterwards, so report_finish() prints it.
 *
 * Return: TOOL_OK, or TOOL_FAILED after saying why.
 */
int report_print(struct report *r);

/**
 * report_finish - print it, if JSON is wanted
 * @command: the command's name, where there was no report; NULL: not known
 * @stream: the command prints objects itself, a line each: only what went wrong
 *
 * Return: as report_print().
 */
int report_finish(const char *command, bool stream);

/** report_free - drop it unprinted */
void report_free(struct report *r);

#endif

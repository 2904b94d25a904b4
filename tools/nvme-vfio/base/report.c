// SPDX-License-Identifier: GPL-2.0-only
/*
 * report.c - tables by libsmartcols, JSON by json-c.
 */
#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "tool.h"

struct report {
	const struct report_column *column;
	size_t n;
	struct libscols_table *table;
	struct libscols_line *line;
	json_object *top;
	json_object *rows;
	json_object *row;
};

static void need(bool ok)
{
	if (!ok)
		exit(fail(TOOL_FAILED, "out of memory"));
}

/* The place of a column among those that the table shows; -1: not there. */
static int shown(const struct report *r, size_t column)
{
	size_t i;
	int n = 0;

	if (!r->column[column].head)
		return -1;
	for (i = 0; i < column; i++)
		n += !!r->column[i].head;
	return n;
}

struct report *report_new(const char *command, const char *list,
			  const struct report_column *column, size_t n)
{
	struct report *r = calloc(1, sizeof(*r));
	size_t i;

	need(r);
	r->column = column;
	r->n = n;
	r->table = scols_new_table();
	r->top = json_object_new_object();
	r->rows = json_object_new_array();
	need(r->table && r->top && r->rows);
	report_extra(r, "version", json_object_new_int(REPORT_VERSION));
	report_extra(r, "command", json_object_new_string(command));
	report_extra(r, list, r->rows);
	for (i = 0; i < n; i++)
		if (column[i].head)
			need(scols_table_new_column(r->table, column[i].head, 0,
				(column[i].right ? SCOLS_FL_RIGHT : 0) |
				(column[i].wrap ? SCOLS_FL_WRAP : 0)));
	return r;
}

void report_row(struct report *r)
{
	size_t i;

	r->line = scols_table_new_line(r->table, NULL);
	r->row = json_object_new_object();
	need(r->line && r->row && !json_object_array_add(r->rows, r->row));
	for (i = 0; i < r->n; i++) {
		if (r->column[i].key)
			json_object_object_add(r->row, r->column[i].key, NULL);
		if (r->column[i].head)
			need(!scols_line_set_data(r->line, shown(r, i), "-"));
	}
}

void report_value(struct report *r, size_t column, json_object *value,
		  const char *text)
{
	int place = shown(r, column);

	if (value && r->column[column].key)
		need(!json_object_object_add(r->row, r->column[column].key,
					     value));
	else
		json_object_put(value);
	if (text && place >= 0)
		need(!scols_line_set_data(r->line, place, text));
}

void report_text(struct report *r, size_t column, const char *text)
{
	if (text && *text)
		report_value(r, column, json_object_new_string(text), text);
}

void report_number(struct report *r, size_t column, int64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	report_value(r, column, json_object_new_int64(number), text);
}

void report_flag(struct report *r, size_t column, bool flag, const char *yes,
		 const char *no)
{
	report_value(r, column, json_object_new_boolean(flag),
		     flag ? yes : no);
}

void report_extra(struct report *r, const char *key, json_object *value)
{
	need(!json_object_object_add(r->top, key, value));
}

void report_free(struct report *r)
{
	scols_unref_table(r->table);
	json_object_put(r->top);
	free(r);
}

int report_print(struct report *r)
{
	int err = 0;

	if (tool.json)
		err = puts(json_object_to_json_string_ext(r->top,
				JSON_C_TO_STRING_PRETTY |
				JSON_C_TO_STRING_NOSLASHESCAPE)) < 0;
	else if (json_object_array_length(r->rows))
		err = scols_print_table(r->table);
	report_free(r);
	return err ? fail(TOOL_FAILED, "the report could not be printed") :
		     TOOL_OK;
}

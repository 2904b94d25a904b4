// SPDX-License-Identifier: GPL-2.0-only
/*
 * report.c - tables by libsmartcols, JSON by json-c.
 */
#include <libsmartcols/libsmartcols.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fit.h"
#include "layout.h"
#include "report.h"
#include "tool.h"

#define TABLES		2

struct report {
	const struct report_column *column;
	size_t n;
	struct report_look look;
	struct layout layout[TABLES];
	struct libscols_table *table[TABLES];
	unsigned int in;	/* the table that the row is in */
	struct libscols_line *group;
	struct libscols_line *line;
	char **brief;		/* short texts of cells */
	size_t nbrief;
	char *lead;
	char *notes;
	size_t notes_len;
	FILE *note;
	json_object *top;
	json_object *rows;
	json_object *row;
};

static void add(json_object *o, const char *key, json_object *value)
{
	need_memory(!json_object_object_add(o, key, value));
}

/* Scripts get all rows in one table. */
static bool single(const struct report_look *look)
{
	return look->raw || look->pairs ||
	       (look->columns && *look->columns != '+');
}

static void table_new(struct report *r, unsigned int which)
{
	const struct layout *layout = &r->layout[which];
	struct libscols_table *table = scols_new_table();
	struct libscols_column *cl;
	size_t i;

	/* minout omits blanks at the ends of lines */
	need_memory(table &&
		    !scols_table_enable_minout(table, true) &&
		    !scols_table_enable_noheadings(table, r->look.noheadings) &&
		    !scols_table_enable_raw(table, r->look.raw) &&
		    !scols_table_enable_export(table, r->look.pairs) &&
		    !scols_table_enable_colors(table, r->look.color));
	for (i = 0; i < layout->n; i++) {
		const struct report_column *c = &r->column[layout->column[i]];

		cl = scols_table_new_column(table, c->head, 0,
					    (c->right ? SCOLS_FL_RIGHT : 0) |
					    (c->cut ? SCOLS_FL_TRUNC : 0) |
					    (c->tree ? SCOLS_FL_TREE : 0) |
					    (c->wrap ? SCOLS_FL_WRAP : 0));
		need_memory(cl);
		/* lines are made by fit() */
		if (c->wrap)
			need_memory(!scols_column_set_safechars(cl, "\n") &&
				    !scols_column_set_wrapfunc(cl,
					       scols_wrapnl_chunksize,
					       scols_wrapnl_nextchunk, NULL));
	}
	scols_unref_table(r->table[which]);
	r->table[which] = table;
}

int report_look(struct report *r, const struct report_look *look)
{
	const char *names = look->columns;
	unsigned int i;
	int err;

	r->look = *look;
	for (i = 0; i < TABLES; i++) {
		layout_free(&r->layout[i]);
		if (single(look) && i)
			break;
		if (!names || *names == '+')
			layout_default(&r->layout[i], r->column, r->n,
				       single(look) ? ~0u : 1u << i);
		err = layout_named(&r->layout[i], r->column, r->n,
				   names && *names == '+' ? names + 1 : names);
		if (err)
			return err;
		table_new(r, i);
	}
	return TOOL_OK;
}

struct report *report_new(const char *command, const char *list,
			  const struct report_column *column, size_t n)
{
	struct report *r = calloc(1, sizeof(*r));

	need_memory(r);
	r->column = column;
	r->n = n;
	need_memory(!report_look(r, &(const struct report_look){ }));
	r->note = open_memstream(&r->notes, &r->notes_len);
	r->top = json_object_new_object();
	r->rows = json_object_new_array();
	need_memory(r->note && r->top && r->rows);
	report_extra(r, "version", json_object_new_int(REPORT_VERSION));
	report_extra(r, "command", json_object_new_string(command));
	report_extra(r, list, r->rows);
	return r;
}

bool report_shows(const struct report *r, size_t column)
{
	unsigned int which;
	size_t i;

	for (which = 0; which < TABLES; which++)
		for (i = 0; i < r->layout[which].n; i++)
			if (r->layout[which].column[i] == column)
				return true;
	return tool.json;
}

void report_row_in(struct report *r, unsigned int table)
{
	size_t i;

	r->in = single(&r->look) ? 0 : table;
	r->line = scols_table_new_line(r->table[r->in], r->group);
	r->row = json_object_new_object();
	need_memory(r->line && r->row && !json_object_array_add(r->rows, r->row));
	for (i = 0; i < r->n; i++)
		if (r->column[i].key)
			json_object_object_add(r->row, r->column[i].key, NULL);
	for (i = 0; i < r->layout[r->in].n; i++)
		need_memory(!scols_line_set_data(r->line, i,
						 r->look.pairs ? "" : "-"));
}

void report_row(struct report *r)
{
	report_row_in(r, 0);
}

void report_group(struct report *r, const char *title)
{
	r->group = scols_table_new_line(r->table[0], NULL);
	need_memory(r->group && !scols_line_set_data(r->group, 0, title));
}

void report_lead(struct report *r, const char *fmt, ...)
{
	va_list ap;

	free(r->lead);
	va_start(ap, fmt);
	need_memory(vasprintf(&r->lead, fmt, ap) >= 0);
	va_end(ap);
}

void report_note(struct report *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(r->note, fmt, ap);
	va_end(ap);
	fputc('\n', r->note);
}

void report_value(struct report *r, size_t column, json_object *value,
		  const char *text)
{
	const struct layout *layout = &r->layout[r->in];
	size_t i;

	if (value && r->column[column].key)
		add(r->row, r->column[column].key, value);
	else
		json_object_put(value);
	for (i = 0; text && i < layout->n; i++)
		if (layout->column[i] == column)
			need_memory(!scols_line_set_data(r->line, i, text));
}

void report_short(struct report *r, size_t column, const char *text)
{
	const struct layout *layout = &r->layout[r->in];
	struct libscols_cell *cell;
	char **more;
	size_t i;

	if (single(&r->look))
		return;
	more = realloc(r->brief, (r->nbrief + 1) * sizeof(*more));
	need_memory(more);
	r->brief = more;
	more[r->nbrief] = strdup(text);
	need_memory(more[r->nbrief]);
	for (i = 0; i < layout->n; i++) {
		if (layout->column[i] != column)
			continue;
		cell = scols_line_get_cell(r->line, i);
		need_memory(!scols_cell_set_userdata(cell, more[r->nbrief]));
	}
	r->nbrief++;
}

void report_color(struct report *r, size_t column, const char *color)
{
	const struct layout *layout = &r->layout[r->in];
	size_t i;

	for (i = 0; i < layout->n; i++)
		if (layout->column[i] == column)
			need_memory(!scols_cell_set_color(scols_line_get_cell(r->line, i),
							  color));
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
	add(r->top, key, value);
}

void report_free(struct report *r)
{
	unsigned int i;

	for (i = 0; i < TABLES; i++) {
		scols_unref_table(r->table[i]);
		layout_free(&r->layout[i]);
	}
	while (r->nbrief)
		free(r->brief[--r->nbrief]);
	free(r->brief);
	free(r->lead);
	if (r->note)
		fclose(r->note);
	free(r->notes);
	json_object_put(r->top);
	free(r);
}

/* Elsewhere than on a terminal a line stays one, to be searched for. */
static int lines(const struct report *r, const char *text, bool terminal)
{
	return fit_lines(stdout, text, terminal ?
			 scols_table_get_termwidth(r->table[0]) : INT_MAX);
}

static int print_tables(struct report *r)
{
	bool terminal = isatty(STDOUT_FILENO), begun = false;
	bool bare = single(&r->look) || r->look.noheadings;
	unsigned int i;
	int err = 0;

	if (r->lead) {
		begun = true;
		err = lines(r, r->lead, terminal);
	}
	for (i = 0; !err && i < TABLES; i++) {
		if (!r->table[i] || !scols_table_get_nlines(r->table[i]))
			continue;
		if (begun)
			putchar('\n');
		begun = true;
		if (!single(&r->look))
			fit_short(r->table[i]);
		if (terminal && !r->look.raw && !r->look.pairs)
			fit_wrap(r->table[i]);
		err = scols_print_table(r->table[i]);
	}
	if (fflush(r->note))
		err = -1;
	if (!err && r->notes_len && !bare) {
		if (begun)
			putchar('\n');
		err = lines(r, r->notes, terminal);
	}
	return err;
}

/* -- JSON, which is printed when all is over that could go wrong ------------ */

static json_object *pending;

static json_object *errors(size_t *n)
{
	json_object *list = json_object_new_array();
	const char *const *text;
	size_t i;

	need_memory(list);
	text = fail_texts(n);
	for (i = 0; i < *n; i++) {
		json_object *line = json_object_new_string(text[i]);

		need_memory(line && !json_object_array_add(list, line));
	}
	return list;
}

static json_object *nothing(const char *command)
{
	json_object *top = json_object_new_object();

	need_memory(top);
	add(top, "version", json_object_new_int(REPORT_VERSION));
	add(top, "command", command ? json_object_new_string(command) : NULL);
	return top;
}

int report_finish(const char *command, bool stream)
{
	json_object *top, *list;
	size_t n;
	int err = 0;

	if (!tool.json)
		return TOOL_OK;
	top = pending ? pending : nothing(command);
	pending = NULL;
	list = errors(&n);
	add(top, "errors", list);
	if (!stream || n)
		err = puts(json_object_to_json_string_ext(top,
				(stream ? JSON_C_TO_STRING_PLAIN :
					  JSON_C_TO_STRING_PRETTY) |
				JSON_C_TO_STRING_NOSLASHESCAPE)) < 0;
	json_object_put(top);
	return err ? fail(TOOL_FAILED, "the report could not be printed") :
		     TOOL_OK;
}

int report_print(struct report *r)
{
	int err = 0;

	if (tool.json) {
		json_object_put(pending);
		pending = json_object_get(r->top);
	} else {
		err = print_tables(r);
	}
	report_free(r);
	return err ? fail(TOOL_FAILED, "the report could not be printed") :
		     TOOL_OK;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * fit.c - cells get their short texts where the whole ones need more than the
 * terminal has; the column that may be wrapped gets what the others leave.
 * libsmartcols breaks lines at any letter, and at newlines if told to.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fit.h"
#include "tool.h"

#define NARROW		24	/* no column is wrapped to less */
#define BRANCH		2	/* what is drawn before a cell of a tree */
#define INDENT		2	/* of a line that goes on */

/* Replace blanks by newlines, so that no line is longer than @width. */
static void wrap(char *text, size_t width)
{
	char *blank = NULL, *start = text;

	for (; *text; text++) {
		if (*text == '\n') {
			start = text + 1;
			blank = NULL;
		}
		if (*text == ' ')
			blank = text;
		if ((size_t)(text - start) < width || !blank)
			continue;
		*blank = '\n';
		start = blank + 1;
		blank = NULL;
	}
}

static const char *text_of(struct libscols_line *line,
			   struct libscols_column *cl)
{
	const char *text;

	text = scols_cell_get_data(scols_line_get_column_cell(line, cl));
	return text ? text : "";
}

/* The widest cell of a column, heading included. */
static size_t width_of(struct libscols_table *t, struct libscols_column *cl)
{
	struct libscols_line *line;
	size_t widest, i, len;

	widest = strlen(scols_cell_get_data(scols_column_get_header(cl)));
	for (i = 0; (line = scols_table_get_line(t, i)); i++) {
		len = strlen(text_of(line, cl));
		if (scols_column_is_tree(cl) && scols_line_get_parent(line))
			len += BRANCH;
		widest = len > widest ? len : widest;
	}
	return widest;
}

static void wrap_column(struct libscols_table *t, struct libscols_column *cl,
			size_t which, size_t width)
{
	struct libscols_line *line;
	size_t i;
	char *text;

	for (i = 0; (line = scols_table_get_line(t, i)); i++) {
		text = strdup(text_of(line, cl));
		need_memory(text);
		wrap(text, width);
		need_memory(!scols_line_refer_data(line, which, text));
	}
}

/* What all columns need, with the blanks between them. */
static size_t total(struct libscols_table *t)
{
	struct libscols_column *cl;
	size_t sum = 0, i;

	for (i = 0; (cl = scols_table_get_column(t, i)); i++)
		sum += width_of(t, cl) + !!i;
	return sum;
}

static void shorten_column(struct libscols_table *t, struct libscols_column *cl)
{
	struct libscols_line *line;
	struct libscols_cell *cell;
	size_t i;

	for (i = 0; (line = scols_table_get_line(t, i)); i++) {
		cell = scols_line_get_column_cell(line, cl);
		if (scols_cell_get_userdata(cell))
			need_memory(!scols_cell_set_data(cell,
					scols_cell_get_userdata(cell)));
	}
}

void fit_short(struct libscols_table *t)
{
	size_t i = scols_table_get_ncols(t);

	while (i && total(t) > scols_table_get_termwidth(t))
		shorten_column(t, scols_table_get_column(t, --i));
}

/* The end of what fits into a line: its last blank, or else the next one. */
static size_t split(const char *text, size_t len, size_t width)
{
	size_t i, at = 0;

	for (i = 1; i < len; i++) {
		if (text[i] != ' ' || text[i - 1] == ' ')
			continue;
		if (i > width)
			return at ? at : i;
		at = i;
	}
	return at && len > width ? at : len;
}

int fit_lines(FILE *to, const char *text, size_t width)
{
	size_t len, n, indent;

	for (; *text; text += *text == '\n') {
		len = strcspn(text, "\n");
		for (indent = 0; len; indent = INDENT) {
			n = split(text, len, width - indent);
			if (fprintf(to, "%*s%.*s\n", (int)indent, "", (int)n,
				    text) < 0)
				return -1;
			text += n;
			len -= n;
			while (len && *text == ' ') {
				text++;
				len--;
			}
		}
		if (!indent && fputc('\n', to) < 0)
			return -1;
	}
	return 0;
}

void fit_wrap(struct libscols_table *t)
{
	size_t room = scols_table_get_termwidth(t), taken = 0, i;
	struct libscols_column *cl, *wrapped = NULL;
	size_t which = 0;

	for (i = 0; (cl = scols_table_get_column(t, i)); i++) {
		if (scols_column_is_wrap(cl)) {
			wrapped = cl;
			which = i;
		} else {
			taken += width_of(t, cl) + 1;
		}
	}
	if (wrapped)
		wrap_column(t, wrapped, which,
			    room > taken + NARROW ? room - taken : NARROW);
}

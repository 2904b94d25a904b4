// SPDX-License-Identifier: GPL-2.0-only
/*
 * layout.c - columns by default, and by name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "layout.h"
#include "tool.h"

static void add(struct layout *l, size_t column)
{
	l->column = reallocarray(l->column, l->n + 1, sizeof(*l->column));
	need_memory(l->column);
	l->column[l->n++] = column;
}

void layout_default(struct layout *l, const struct report_column *column,
		    size_t n, unsigned int tables)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (column[i].head && !column[i].extra &&
		    (column[i].in ? column[i].in : 1) & tables)
			add(l, i);
}

static int unknown(const struct report_column *column, size_t n,
		   const char *name)
{
	char *text = NULL;
	size_t len, i;
	int err;
	FILE *f;

	f = open_memstream(&text, &len);
	need_memory(f);
	for (i = 0; i < n; i++)
		if (column[i].head)
			fprintf(f, "%s%s", ftell(f) ? ", " : "",
				column[i].head);
	need_memory(!fclose(f));
	err = fail(TOOL_USAGE, "no column \"%s\"; the columns are %s", name, text);
	free(text);
	return err;
}

int layout_named(struct layout *l, const struct report_column *column,
		 size_t n, const char *names)
{
	char *copy, *rest, *name;
	int err = TOOL_OK;
	size_t i;

	if (!names)
		return TOOL_OK;
	rest = copy = strdup(names);
	need_memory(copy);
	while (!err && (name = strsep(&rest, ","))) {
		for (i = 0; i < n; i++)
			if (column[i].head && !strcasecmp(name, column[i].head))
				break;
		if (i < n)
			add(l, i);
		else
			err = unknown(column, n, name);
	}
	free(copy);
	return err;
}

void layout_free(struct layout *l)
{
	free(l->column);
	*l = (struct layout){ };
}

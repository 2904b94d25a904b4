// SPDX-License-Identifier: GPL-2.0-only
/*
 * known.c - texts that may occur only once. A tree, as configurations may have
 * thousands of sections.
 */
#include <search.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool.h"
#include "known.h"

struct known_text {
	const char *text;
	const char *where;
};

static int by_text(const void *a, const void *b)
{
	const struct known_text *x = a, *y = b;

	return strcmp(x->text, y->text);
}

int known_add(struct known *k, const char *text, const char *where,
	      const char **first)
{
	struct known_text *e = malloc(sizeof(*e)), **at;

	*first = NULL;
	if (!e)
		return TOOL_FAILED;
	e->text = text;
	e->where = where;
	at = tsearch(e, &k->root, by_text);
	if (!at || *at != e)
		free(e);
	if (!at)
		return TOOL_FAILED;
	if (*at != e)
		*first = (*at)->where;
	return TOOL_OK;
}

void known_free(struct known *k)
{
	tdestroy(k->root, free);
	k->root = NULL;
}

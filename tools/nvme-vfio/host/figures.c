// SPDX-License-Identifier: GPL-2.0-only
/*
 * figures.c - what our driver has counted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool.h"
#include "figures.h"
#include "util.h"

/* Return: whether it is a number, and nothing else */
static bool number(const char *word, uint64_t *value)
{
	char *end;

	if (*word < '0' || *word > '9')
		return false;
	errno = 0;
	*value = strtoull(word, &end, 10);
	return !*end && !errno;
}

static void add(struct figures *f, const char *name, const char *word)
{
	struct figure *to = &f->f[f->n];

	if (f->n == FIGURES_MAX || strlen(name) >= sizeof(to->name) ||
	    !number(word, &to->value))
		return;
	strcpy(to->name, name);
	f->n++;
}

void figures_of_vf(struct figures *f, const char *bdf)
{
	char text[FIGURES_TEXT], *line, *rest = text, *value;

	*f = (struct figures){ };
	snprintf(f->bdf, sizeof(f->bdf), "%s", bdf);
	if (sysfs_read(text, sizeof(text), HOST_PCI "/%s/nvme_vfio/figures",
		       bdf) < 0)
		return;
	while ((line = strsep(&rest, "\n"))) {
		value = strchr(line, ' ');
		if (!value)
			continue;
		*value++ = 0;
		add(f, line, value);
	}
}

/* The words of a line, in place. */
static size_t words(char *line, char **word, size_t max)
{
	size_t n = 0;
	char *s;

	while (n < max && (s = strsep(&line, " ")))
		if (*s)
			word[n++] = s;
	return n;
}

void figures_of_pfs(struct figures **list, size_t *n)
{
	char text[FIGURES_TEXT], *line, *rest = text;
	char *name[FIGURES_MAX + 1], *value[FIGURES_MAX + 1];
	size_t names, values, i;
	struct figures *f;

	*list = NULL;
	*n = 0;
	if (sysfs_read(text, sizeof(text), HOST_DRIVER "/pf_figures") < 0)
		return;
	line = strsep(&rest, "\n");
	names = words(line, name, FIGURES_MAX + 1);
	if (!names || strcmp(name[0], "pf"))
		return;
	while ((line = strsep(&rest, "\n"))) {
		values = words(line, value, FIGURES_MAX + 1);
		if (values != names || strlen(value[0]) >= BDF_MAX)
			continue;
		f = realloc(*list, (*n + 1) * sizeof(*f));
		need_memory(f);
		*list = f;
		f += (*n)++;
		*f = (struct figures){ };
		strcpy(f->bdf, value[0]);
		for (i = 1; i < names; i++)
			add(f, name[i], value[i]);
	}
}

bool figures_get(const struct figures *f, const char *name, uint64_t *value)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		if (strcmp(f->f[i].name, name))
			continue;
		*value = f->f[i].value;
		return true;
	}
	return false;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * layers.c - the *.conf files of several folders.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/tool.h"
#include "layers.h"

static int is_config(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return *e->d_name != '.' && len > 5 &&
	       !strcmp(e->d_name + len - 5, ".conf");
}

/* Files that do not count, because of their names: are they meant to? */
static size_t count_others(const char *folder)
{
	struct dirent *e;
	size_t n = 0;
	DIR *dir = opendir(folder);

	while (dir && (e = readdir(dir)))
		n += *e->d_name != '.' && !strchr(e->d_name, '~');
	if (dir)
		closedir(dir);
	return n;
}

static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(name_of(*(char *const *)a), name_of(*(char *const *)b));
}

/* In place of one of its name, of the @before of other folders, or at the end. */
static int add_file(struct layers *l, size_t before, const char *folder,
		    const char *name)
{
	char *path, **more, **same = NULL;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return fail(TOOL_FAILED, "out of memory");
	if (before)
		same = bsearch(&path, l->path, before, sizeof(*l->path),
			       by_name);
	if (same) {
		free(*same);
		*same = path;
		return TOOL_OK;
	}
	more = realloc(l->path, (l->n + 1) * sizeof(*more));
	if (!more) {
		free(path);
		return fail(TOOL_FAILED, "out of memory");
	}
	l->path = more;
	more[l->n++] = path;
	return TOOL_OK;
}

int layers_add(struct layers *l, const char *folder, bool may_lack)
{
	size_t before = l->n;	/* in the order of their names */
	struct dirent **name;
	int i, n, err = TOOL_OK;

	l->others = 0;
	n = scandir(folder, &name, is_config, alphasort);
	if (n < 0 && may_lack && errno == ENOENT)
		return TOOL_OK;
	if (n < 0 && may_lack && errno == EACCES && geteuid()) {
		warn("%s: only root can read it: ignored here",
		     folder);
		return TOOL_OK;
	}
	if (n < 0)
		return fail(TOOL_CONFIG, "%s: %s", folder, strerror(errno));
	for (i = 0; i < n; i++) {
		if (!err)
			err = add_file(l, before, folder, name[i]->d_name);
		free(name[i]);
	}
	free(name);
	if (l->n)
		qsort(l->path, l->n, sizeof(*l->path), by_name);
	if (!l->n)
		l->others = count_others(folder);
	return err;
}

void layers_free(struct layers *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->path[i]);
	free(l->path);
	memset(l, 0, sizeof(*l));
}

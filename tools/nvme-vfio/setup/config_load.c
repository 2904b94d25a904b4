// SPDX-License-Identifier: GPL-2.0-only
/*
 * config_load.c - which files are the configuration.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/tool.h"
#include "config.h"
#include "config_file.h"
#include "known.h"
#include "layers.h"

/* Two sections that name the same PF in the same words. */
static int twice(const struct config *c)
{
	struct known words = { };
	int err = TOOL_OK;
	const char *first;
	size_t i;

	for (i = 0; !err && i < c->n; i++) {
		if (known_add(&words, c->pf[i].words, c->pf[i].where, &first))
			err = fail(TOOL_FAILED, "out of memory");
		else if (first)
			err = fail(TOOL_CONFIG, "%s and %s: two sections for one PF (%s): remove one of them",
				   first, c->pf[i].where, c->pf[i].words);
	}
	known_free(&words);
	return err;
}

/* @all here and below: report every mistake, not only the first. */
static int load_layers(const struct layers *l, bool all, struct config *c)
{
	int ret, err = TOOL_OK;
	size_t i;

	c->others = l->others;
	for (i = 0; i < l->n && (!err || all); i++) {
		ret = config_file(l->path[i], all, c);
		err = err ? err : ret;
	}
	return err;
}

static int load_standard(bool boot, bool all, struct config *c)
{
	struct layers l = { };
	int err;

	err = layers_add(&l, CONFIG_VENDOR, true);
	if (!err && !boot)
		err = layers_add(&l, CONFIG_RUN, true);
	if (!err)
		err = layers_add(&l, CONFIG_DIR, true);
	if (!err)
		err = load_layers(&l, all, c);
	layers_free(&l);
	return err ? err : twice(c);
}

static int load(const char *path, bool all, struct config *c)
{
	struct layers l = { };
	struct stat st;
	int err;

	memset(c, 0, sizeof(*c));
	if (!path)
		return load_standard(false, all, c);
	if (stat(path, &st))
		return fail(TOOL_CONFIG, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode)) {
		err = config_file(path, all, c);
		return err ? err : twice(c);
	}
	err = layers_add(&l, path, false);
	if (!err)
		err = load_layers(&l, all, c);
	layers_free(&l);
	return err ? err : twice(c);
}

int config_load(const char *path, struct config *c)
{
	return load(path, false, c);
}

int config_load_boot(struct config *c)
{
	memset(c, 0, sizeof(*c));
	return load_standard(true, false, c);
}

const char *config_name(const char *path)
{
	return path ? path : CONFIG_DIRS;
}

void config_warn_empty(const char *path, const struct config *c)
{
	if (!c->n)
		warn("%s: no PF is configured%s", config_name(path),
		     c->others ? "; only files named *.conf are read" : "");
}

int config_check(const char *path)
{
	struct config c;
	int err;

	err = load(path, true, &c);
	if (!err)
		config_warn_empty(path, &c);
	config_free(&c);
	return err;
}

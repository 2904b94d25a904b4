// SPDX-License-Identifier: GPL-2.0-only
/*
 * modinfo.c - questions about kernel modules. The only file of the check-up
 * that includes libkmod.
 */
#include <libkmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modinfo.h"
#include "util.h"

struct modules {
	struct kmod_ctx *ctx;
	char options[1024];
};

struct modules *modules_new(void)
{
	struct modules *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->ctx = kmod_new(NULL, NULL);
	if (m->ctx) {
		/* Not being there is an answer here, not an error. */
		kmod_set_log_priority(m->ctx, 0);
		return m;
	}
	free(m);
	return NULL;
}

void modules_free(struct modules *m)
{
	if (!m)
		return;
	kmod_unref(m->ctx);
	free(m);
}

static void copy(char *to, size_t len, const char *from)
{
	snprintf(to, len, "%s", from ? from : "");
}

/* File names have dashes, names in sysfs and in configuration do not. */
static void plain(char *to, size_t len, const char *name)
{
	copy(to, len, name);
	for (; *to; to++)
		if (*to == '-')
			*to = '_';
}

static bool blacklisted(struct modules *m, const char *name)
{
	struct kmod_config_iter *i = kmod_config_get_blacklists(m->ctx);
	char key[64];
	bool found = false;

	while (i && !found && kmod_config_iter_next(i)) {
		plain(key, sizeof(key), kmod_config_iter_get_key(i));
		found = !strcmp(key, name);
	}
	kmod_config_iter_free_iter(i);
	return found;
}

static void look_inside(struct kmod_module *k, struct module *mod)
{
	struct kmod_list *info = NULL, *e;
	const char *key, *value;
	bool is_signed = false;

	if (kmod_module_get_info(k, &info) < 0)
		return;
	kmod_list_foreach(e, info) {
		key = kmod_module_info_get_key(e);
		value = kmod_module_info_get_value(e);
		if (!strcmp(key, "srcversion"))
			copy(mod->srcversion, sizeof(mod->srcversion), value);
		else if (!strcmp(key, "signer"))
			copy(mod->signer, sizeof(mod->signer), value);
		else if (!strcmp(key, "sig_id"))
			is_signed = true;
	}
	kmod_module_info_free_list(info);
	if (is_signed && !*mod->signer)
		copy(mod->signer, sizeof(mod->signer), "an unnamed signer");
}

void modules_look(struct modules *m, const char *name, struct module *mod)
{
	struct kmod_module *k;
	char id[64];

	*mod = (struct module){ };
	plain(id, sizeof(id), name);
	if (kmod_module_new_from_name(m->ctx, id, &k) >= 0) {
		copy(mod->path, sizeof(mod->path), kmod_module_get_path(k));
		mod->gone = *mod->path && access(mod->path, R_OK);
		if (*mod->path && !mod->gone)
			look_inside(k, mod);
		kmod_module_unref(k);
	}
	mod->blacklisted = blacklisted(m, id);
	/* A folder without that file belongs to a built-in module. */
	mod->loaded = sysfs_read(mod->loaded_srcversion,
				 sizeof(mod->loaded_srcversion),
				 "/sys/module/%s/initstate", id) > 0;
	*mod->loaded_srcversion = 0;
	if (mod->loaded)
		sysfs_read(mod->loaded_srcversion,
			   sizeof(mod->loaded_srcversion),
			   "/sys/module/%s/srcversion", id);
}

int modules_needs(struct modules *m, const char *name, const char *symbol)
{
	struct kmod_list *list = NULL, *e;
	struct kmod_module *k;
	char id[64];
	int ret = -1;

	plain(id, sizeof(id), name);
	if (kmod_module_new_from_name(m->ctx, id, &k) < 0)
		return -1;
	if (kmod_module_get_path(k) &&
	    kmod_module_get_dependency_symbols(k, &list) >= 0) {
		ret = 0;
		kmod_list_foreach(e, list)
			if (!strcmp(kmod_module_dependency_symbol_get_symbol(e),
				    symbol))
				ret = 1;
		kmod_module_dependency_symbols_free_list(list);
	}
	kmod_module_unref(k);
	return ret;
}

bool modules_depends(struct modules *m, const char *name, const char *other)
{
	struct kmod_list *list, *e;
	struct kmod_module *k, *dep;
	char id[64], want[64];
	bool found = false;

	plain(id, sizeof(id), name);
	plain(want, sizeof(want), other);
	if (kmod_module_new_from_name(m->ctx, id, &k) < 0)
		return false;
	list = kmod_module_get_dependencies(k);
	kmod_list_foreach(e, list) {
		dep = kmod_module_get_module(e);
		found = found || !strcmp(kmod_module_get_name(dep), want);
		kmod_module_unref(dep);
	}
	kmod_module_unref_list(list);
	kmod_module_unref(k);
	return found;
}

const char *modules_options(struct modules *m, const char *name)
{
	struct kmod_module *k;
	char id[64];

	*m->options = 0;
	plain(id, sizeof(id), name);
	if (kmod_module_new_from_name(m->ctx, id, &k) >= 0) {
		copy(m->options, sizeof(m->options),
		     kmod_module_get_options(k));
		kmod_module_unref(k);
	}
	return m->options;
}

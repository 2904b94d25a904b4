// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-apply.c - "apply" and "teardown": PFs as their configuration says, and
 * back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config.h"
#include "host.h"
#include "setup.h"
#include "tool.h"
#include "util.h"

struct apply_options {
	const char *config;
	bool if_configured;
	struct setup how;
	char **name;
	int n;
};

enum { KEY_CONFIG = 'c', KEY_DRY_RUN = 'n', KEY_IF_CONFIGURED = 256 };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct apply_options *o = state->input;

	switch (key) {
	case KEY_CONFIG:
		o->config = arg;
		return 0;
	case KEY_DRY_RUN:
		o->how.dry_run = true;
		return 0;
	case KEY_IF_CONFIGURED:
		o->if_configured = true;
		return 0;
	case ARGP_KEY_ARGS:
		o->name = state->argv + state->next;
		o->n = state->argc - state->next;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option apply_options[] = {
	{ "config", KEY_CONFIG, "PATH", 0,
	  "Read this file, or the *.conf files of this folder (" CONFIG_DIR ")", 0 },
	{ "dry-run", KEY_DRY_RUN, NULL, 0, "Only print the steps", 0 },
	{ "if-configured", KEY_IF_CONFIGURED, NULL, 0,
	  "A PF without configuration is no error", 0 },
	{ }
};

static const struct argp apply_argp = {
	.options = apply_options, .parser = parse, .args_doc = "[PF...]",
	.doc = "Makes VFs as the configuration says: of the PFs named by "
	       "address, controller, serial number or NQN, or of all that are "
	       "configured. What is right already is left alone; after a "
	       "failure all is put back. VFs in use are not touched, and the "
	       "PF is never reset.",
};

static const struct argp_option teardown_options[] = {
	{ "dry-run", KEY_DRY_RUN, NULL, 0, "Only print the steps", 0 },
	{ }
};

static const struct argp teardown_argp = {
	.options = teardown_options, .parser = parse, .args_doc = "[PF...]",
	.doc = "Puts PFs and their VFs back to what they were before "
	       TOOL_NAME " apply: those named by address, controller, serial "
	       "number or NQN, or all.",
};

static bool section_fits(const struct config_pf *c, struct host *h,
			 const struct host_fn *fn)
{
	switch (c->key) {
	case KEY_SERIAL:
		return !strcmp(c->id, fn->serial);
	case KEY_NQN:
		return !strcmp(c->id, fn->nqn);
	case KEY_ADDRESS:
		return host_find(h, c->id) == fn;
	default:
		return false;
	}
}

/* The section of a PF; NULL: none. More than one is an error. */
static int section_of(const struct config *c, struct host *h,
		      const struct host_fn *fn, const struct config_pf **found)
{
	size_t i;

	*found = NULL;
	for (i = 0; i < c->n; i++) {
		if (!section_fits(&c->pf[i], h, fn))
			continue;
		if (*found)
			return fail(TOOL_CONFIG, "%s and %s: two sections for one PF (%s)",
				    (*found)->where, c->pf[i].where, fn->bdf);
		*found = &c->pf[i];
	}
	return TOOL_OK;
}

/* States of a controller that pass by themselves. */
static bool passing(const struct host_fn *fn)
{
	return fn->role == ROLE_PF && *fn->ctrl &&
	       (!strcmp(fn->state, "new") || !strcmp(fn->state, "connecting") ||
		!strcmp(fn->state, "resetting"));
}

#define PATIENCE_US	10000000
#define POLL_US		100000

/*
 * The host, once the PF that is named, or every one, works or does not: one
 * that has just appeared or is being reset does not even tell its serial
 * number.
 */
static int load(struct host *h, const char *name)
{
	uint64_t end = now_us() + PATIENCE_US;
	struct host_fn *fn;
	bool wait;
	size_t i;
	int err;

	for (;;) {
		err = host_load(h);
		if (err)
			return err;
		fn = name ? host_find(h, name) : NULL;
		wait = fn && passing(fn);
		for (i = 0; !fn && i < h->n; i++)
			wait = wait || passing(&h->fn[i]);
		if (!wait || now_us() > end)
			return TOOL_OK;
		host_free(h);
		sleep_us(POLL_US);
	}
}

/* A mistake in the configuration is found before anything is touched. */
static int check_sections(const struct config *c)
{
	const struct config_pf *section;
	struct host h;
	size_t i;
	int err;

	err = load(&h, NULL);
	for (i = 0; !err && i < h.n; i++)
		if (h.fn[i].role != ROLE_VF)
			err = section_of(c, &h, &h.fn[i], &section);
	host_free(&h);
	return err;
}

static int apply_named(const struct apply_options *o, const struct config *c,
		       struct host *h, const char *name)
{
	const struct config_pf *section;
	struct host_fn *fn;
	int err;

	err = host_find_pf(h, name, &fn);
	if (!err)
		err = section_of(c, h, fn, &section);
	if (err)
		return err;
	if (section)
		return setup_apply(fn, section, &o->how);
	if (o->if_configured) {
		note("%s: not configured", fn->bdf);
		return TOOL_OK;
	}
	return fail(TOOL_CONFIG, "%s: not configured: %s has no section with serial = %s or address = %s",
		    fn->bdf, o->config, fn->serial, fn->bdf);
}

/* Each section's own words find its PF, so that messages can tell the line. */
static int apply_section(const struct apply_options *o, struct host *h,
			 const struct config_pf *section)
{
	static const char * const key[] = { "", "serial", "nqn", "address" };
	struct host_fn *fn = NULL;
	size_t i;
	int err;

	for (i = 0; i < h->n; i++) {
		if (h->fn[i].role == ROLE_VF ||
		    !section_fits(section, h, &h->fn[i]))
			continue;
		if (fn)
			return fail(TOOL_CONFIG, "%s: %s = %s fits both %s and %s: name one by its address",
				    section->where, key[section->key],
				    section->id, fn->bdf, h->fn[i].bdf);
		fn = &h->fn[i];
	}
	if (!fn)
		return fail(TOOL_NODEV, "%s: this host has no PF with %s = %s that is bound to nvme",
			    section->where, key[section->key], section->id);
	err = host_find_pf(h, fn->bdf, &fn);
	return err ? err : setup_apply(fn, section, &o->how);
}

/* All PFs get their turn; the first failure is what the exit code tells. */
static int apply_all(const struct apply_options *o, const struct config *c)
{
	int n = o->n ? o->n : (int)c->n;
	int i, ret, err = TOOL_OK;
	struct host h;

	for (i = 0; i < n; i++) {
		ret = load(&h, o->n ? o->name[i] : NULL);
		if (!ret && o->n)
			ret = apply_named(o, c, &h, o->name[i]);
		else if (!ret)
			ret = apply_section(o, &h, &c->pf[i]);
		host_free(&h);
		err = err ? err : ret;
	}
	return err;
}

static int teardown_all(const struct apply_options *o)
{
	int ret, err, worst = TOOL_OK;
	struct host_fn *fn;
	struct host h;
	size_t k;
	int i;

	err = load(&h, NULL);
	for (i = 0; !err && i < o->n; i++) {
		ret = host_find_pf(&h, o->name[i], &fn);
		if (!ret)
			ret = setup_teardown(fn, &o->how);
		worst = worst ? worst : ret;
	}
	for (k = 0; !err && !o->n && k < h.n; k++) {
		/* Without a controller it cannot even be told which it is. */
		if (h.fn[k].role != ROLE_PF || !*h.fn[k].ctrl)
			continue;
		ret = setup_teardown(&h.fn[k], &o->how);
		worst = worst ? worst : ret;
	}
	host_free(&h);
	return err ? err : worst;
}

/* Nobody asked for a table of what went well. */
static int finish(const struct apply_options *o, int err)
{
	int ret = TOOL_OK;

	if (o->how.dry_run || tool.json)
		ret = report_print(o->how.report);
	else
		report_free(o->how.report);
	return err ? err : ret;
}

int cmd_apply(int argc, char **argv)
{
	struct apply_options o = { .config = CONFIG_DIR };
	struct config c;
	int err;

	tool_parse(&apply_argp, argc, argv, &o);
	err = need_root();
	if (err)
		return err;
	err = config_load(o.config, &c);
	if (!err && !c.n && !o.if_configured)
		warn("%s: no PF is configured", o.config);
	o.how.report = setup_report("apply");
	if (!err && c.n)
		err = check_sections(&c);
	if (!err)
		err = apply_all(&o, &c);
	config_free(&c);
	return finish(&o, err);
}

int cmd_teardown(int argc, char **argv)
{
	struct apply_options o = { };
	int err;

	tool_parse(&teardown_argp, argc, argv, &o);
	err = need_root();
	if (err)
		return err;
	o.how.report = setup_report("teardown");
	return finish(&o, teardown_all(&o));
}

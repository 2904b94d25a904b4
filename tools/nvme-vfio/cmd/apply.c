// SPDX-License-Identifier: GPL-2.0-only
/*
 * apply.c - "apply" and "teardown": PFs as their configuration says, and back.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lock.h"
#include "cmd.h"
#include "host/host.h"
#include "setup/config.h"
#include "setup/setup.h"
#include "util.h"

struct apply_options {
	const char *config;
	bool if_configured;
	bool wait;
	unsigned int wait_seconds;
	struct setup how;
	char **name;
	int n;
};

enum {
	KEY_CONFIG = 'c',
	KEY_DRY_RUN = 'n',
	KEY_WAIT = 'w',
	KEY_IF_CONFIGURED = 256,
};

#define WAIT_MAX	3600	/* seconds */

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct apply_options *o = state->input;
	char *end;

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
	case KEY_WAIT:
		o->wait = true;
		o->wait_seconds = strtoul(arg, &end, 10);
		if (!isdigit((unsigned char)*arg) || *end ||
		    o->wait_seconds > WAIT_MAX)
			argp_error(state, "--wait takes 0 to %d seconds, not \"%s\"",
				   WAIT_MAX, arg);
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
	{ "wait", KEY_WAIT, "SECONDS", 0,
	  "Wait so long for PFs that are not at work yet, and for other processes that wait", 0 },
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

/*
 * What passes by itself: some states of a controller, and a controller whose
 * driver came after the host had been asked for it.
 */
static bool passing(const struct host_fn *fn)
{
	return fn->role == ROLE_PF && *fn->ctrl &&
	       (strcmp(fn->driver, "nvme") || !strcmp(fn->state, "new") ||
		!strcmp(fn->state, "connecting") ||
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

static int apply_one(const struct apply_options *o, const struct config *c,
		     struct host *h, size_t i)
{
	return o->n ? apply_named(o, c, h, o->name[i]) :
		      apply_section(o, h, &c->pf[i]);
}

static bool called(struct host *h, const struct host_fn *fn, const char *name)
{
	return host_find(h, name) == fn ||
	       (*name && (!strcmp(fn->serial, name) || !strcmp(fn->nqn, name)));
}

/* Whatever else is wrong with a PF, waiting does not help: see apply_one(). */
static bool at_work(const struct apply_options *o, const struct config *c,
		    struct host *h, size_t i)
{
	size_t k;

	for (k = 0; k < h->n; k++) {
		const struct host_fn *fn = &h->fn[k];

		if (fn->role == ROLE_VF || strcmp(fn->driver, "nvme") ||
		    strcmp(fn->state, "live"))
			continue;
		if (o->n ? called(h, fn, o->name[i]) :
			   section_fits(&c->pf[i], h, fn))
			return true;
	}
	return false;
}

/* Return: whether there is an end of it; then *@err is what came out. */
static bool attempt(const struct apply_options *o, const struct config *c,
		    size_t i, bool last, int *err)
{
	struct host h = { };
	int turn = -1;
	bool end;

	*err = o->wait ? lock_turn(&turn) : TOOL_OK;
	if (!*err)
		*err = last ? load(&h, o->n ? o->name[i] : NULL) : host_load(&h);
	end = *err || last || at_work(o, c, &h, i);
	if (!*err && end)
		*err = apply_one(o, c, &h, i);
	host_free(&h);
	unlock_pf(turn);
	return end;
}

/*
 * All PFs get their turn, also while others are waited for; the first failure
 * is what the exit code tells.
 */
static int apply_all(const struct apply_options *o, const struct config *c)
{
	size_t i, n = o->n ? (size_t)o->n : c->n, left = n;
	uint64_t end = now_us() + 1000000ULL * o->wait_seconds;
	bool *done = calloc(n + 1, sizeof(*done));
	int ret, err = TOOL_OK;

	if (!done)
		return fail(TOOL_FAILED, "out of memory");
	while (left) {
		bool last = !o->wait || now_us() >= end;

		for (i = 0; i < n; i++) {
			if (done[i] || !attempt(o, c, i, last, &ret))
				continue;
			done[i] = true;
			left--;
			err = err ? err : ret;
		}
		if (left)
			sleep_us(POLL_US);
	}
	free(done);
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

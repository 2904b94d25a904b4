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
#include "setup/boot_unit.h"
#include "setup/config.h"
#include "setup/match.h"
#include "setup/setup.h"
#include "util.h"

struct apply_options {
	const char *config;
	bool if_configured;
	bool wait;
	unsigned int wait_seconds;
	struct setup how;
	json_object *remade;	/* PFs that the next boot sets up again */
	char **name;
	int n;
};

enum {
	KEY_CONFIG = 'c',
	KEY_WAIT = 'w',
	KEY_DRY_RUN = 256,
	KEY_IF_CONFIGURED,
	KEY_BOOT,
	KEY_DISABLE,
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
	case KEY_BOOT:
		o->how.boot = true;
		return 0;
	case KEY_DISABLE:
		o->how.disable = true;
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
	  "Read this file, or the *.conf files of this folder, and nothing else", 0 },
	{ "dry-run", KEY_DRY_RUN, NULL, 0, "Only print the steps", 0 },
	{ "if-configured", KEY_IF_CONFIGURED, NULL, 0,
	  "A PF without configuration is no error", 0 },
	{ "boot", KEY_BOOT, NULL, 0,
	  "Skip PFs that teardown --disable has put back, as the units do", 0 },
	{ "wait", KEY_WAIT, "SECONDS", 0,
	  "Wait up to SECONDS in all for PFs that are not ready yet, and for other processes", 0 },
	{ }
};

static const struct argp apply_argp = {
	.options = apply_options, .parser = parse, .args_doc = "[PF...]",
	.doc = "Creates VFs as the configuration says, on the PFs named by "
	       "address, controller, serial number or NQN, or on all that are "
	       "configured. What is right already is left alone; after a "
	       "failure everything is put back. VFs in use are not touched, "
	       "and the PF is never reset.",
};

static const struct argp_option teardown_options[] = {
	{ "dry-run", KEY_DRY_RUN, NULL, 0, "Only print the steps", 0 },
	{ "disable", KEY_DISABLE, NULL, 0,
	  "Keep the units from setting up these PFs at boot, until the next apply", 0 },
	{ }
};

static const struct argp teardown_argp = {
	.options = teardown_options, .parser = parse, .args_doc = "[PF...]",
	.doc = "Puts PFs and their VFs back to what they were before nvme-vfio "
	       "apply: those named by address, controller, serial number or "
	       "NQN, or all. The next boot creates what is configured again, "
	       "unless --disable is given.",
};

/*
 * What resolves itself: some states of a controller, and a controller whose
 * driver came after the host was looked at.
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
 * When to stop waiting for what resolves itself: as long as the user asked for.
 */
static uint64_t patience(const struct apply_options *o)
{
	return o->wait ? o->how.until : now_us() + PATIENCE_US;
}

/*
 * The host, once the named PF, or every one, works or has failed: one that has
 * just appeared or is being reset does not even have a serial number to show.
 */
static int load(struct host *h, const char *name, uint64_t end)
{
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
		if (!wait || now_us() >= end)
			return TOOL_OK;
		host_free(h);
		sleep_us(POLL_US);
	}
}

/* Mistakes in the configuration are found before anything is touched. */
static int check_sections(const struct apply_options *o, const struct config *c)
{
	const struct config_pf *section;
	struct host h;
	size_t i;
	int err;

	err = load(&h, NULL, patience(o));
	for (i = 0; !err && i < h.n; i++)
		if (h.fn[i].role != ROLE_VF)
			err = match_section(c, &h, &h.fn[i], &section);
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
		err = match_section(c, h, fn, &section);
	if (err)
		return err;
	if (section)
		return setup_apply(fn, section, &o->how);
	if (o->if_configured) {
		note("%s: not configured", fn->bdf);
		return TOOL_OK;
	}
	if (!*fn->ctrl)
		return fail(TOOL_CONFIG, "%s: not configured: no section of %s has its address, and with %s for a driver it reports neither serial number nor model",
			    fn->bdf, config_name(o->config),
			    *fn->driver ? fn->driver : "none");
	return fail(TOOL_CONFIG, "%s: not configured: no section of %s is about this PF: add one with serial = %s",
		    fn->bdf, config_name(o->config), fn->serial);
}

static bool works(const struct host_fn *fn)
{
	return !strcmp(fn->driver, "nvme") && !strcmp(fn->state, "live");
}

/* PFs that were found to be alike, so that each gets its turn once. */
struct job {
	bool done;
	char (*bdf)[BDF_MAX];
	size_t n;
};

static bool has(const struct job *job, const char *bdf)
{
	size_t i;

	for (i = 0; i < job->n; i++)
		if (!strcmp(job->bdf[i], bdf))
			return true;
	return false;
}

static void keep(struct job *job, const char *bdf)
{
	char (*more)[BDF_MAX] = realloc(job->bdf, (job->n + 1) * sizeof(*more));

	if (!more)
		exit(fail(TOOL_FAILED, "out of memory"));
	job->bdf = more;
	strcpy(more[job->n++], bdf);
}

/* Those that work, or in the end whatever there is. */
static int apply_alike(const struct apply_options *o, const struct config *c,
		       struct host *h, const struct config_pf *section,
		       struct job *job, bool last)
{
	const struct config_pf *own;
	int ret, err = TOOL_OK;
	size_t i;

	for (i = 0; i < h->n; i++) {
		const struct host_fn *fn = &h->fn[i];

		if (!match_fits(section, h, fn) || has(job, fn->bdf) ||
		    (!last && !works(fn)))
			continue;
		ret = match_section(c, h, fn, &own);
		if (!ret && own == section)
			ret = setup_apply(fn, section, &o->how);
		err = err ? err : ret;
		keep(job, fn->bdf);
	}
	return err;
}

/*
 * Each section finds its PF by its own words, so that messages can name the
 * line.
 */
static int apply_one(const struct apply_options *o, const struct config *c,
		     struct host *h, size_t i, struct job *job, bool last)
{
	struct host_fn *fn;
	int err;

	if (o->n)
		return apply_named(o, c, h, o->name[i]);
	if (c->pf[i].key == KEY_LIKE)
		return apply_alike(o, c, h, &c->pf[i], job, last);
	err = match_pf(h, &c->pf[i], &fn);
	return err ? err : setup_apply(fn, &c->pf[i], &o->how);
}

static bool called(struct host *h, const struct host_fn *fn, const char *name)
{
	return host_find(h, name) == fn || host_called(fn, name);
}

/* Whatever else is wrong with a PF, waiting does not help: see apply_one(). */
static bool at_work(const struct apply_options *o, const struct config *c,
		    struct host *h, size_t i)
{
	bool alike = !o->n && c->pf[i].key == KEY_LIKE;
	size_t k;

	for (k = 0; k < h->n; k++) {
		const struct host_fn *fn = &h->fn[k];

		if (alike && match_may_fit(&c->pf[i], fn) && !works(fn))
			return false;
		if (alike || fn->role == ROLE_VF || !works(fn))
			continue;
		if (o->n ? called(h, fn, o->name[i]) :
			   match_fits(&c->pf[i], h, fn))
			return true;
	}
	return alike;
}

/* Return: whether it has finished; *@err is the result. */
static bool attempt(const struct apply_options *o, const struct config *c,
		    size_t i, struct job *job, bool last, int *err)
{
	bool alike = !o->n && c->pf[i].key == KEY_LIKE;
	struct host h = { };
	int turn = -1;
	bool end;

	*err = o->wait ? lock_turn(o->how.until, &turn) : TOOL_OK;
	if (!*err)
		*err = last ? load(&h, o->n ? o->name[i] : NULL, patience(o)) :
			      host_load(&h);
	end = *err || last || at_work(o, c, &h, i);
	if (!*err && (end || alike))
		*err = apply_one(o, c, &h, i, job, last);
	host_free(&h);
	unlock_pf(turn);
	return end;
}

/*
 * All PFs get their turn, also while others are waited for; the exit code is
 * that of the first failure.
 */
static int apply_all(const struct apply_options *o, const struct config *c)
{
	size_t i, n = o->n ? (size_t)o->n : c->n, left = n;
	struct job *job = calloc(n + 1, sizeof(*job));
	int ret, err = TOOL_OK;

	if (!job)
		return fail(TOOL_FAILED, "out of memory");
	while (left) {
		bool last = !o->wait || now_us() >= o->how.until;

		for (i = 0; i < n; i++) {
			if (job[i].done)
				continue;
			job[i].done = attempt(o, c, i, &job[i], last, &ret);
			left -= job[i].done;
			err = err ? err : ret;
		}
		if (left)
			sleep_us(POLL_US);
	}
	for (i = 0; i < n; i++)
		free(job[i].bdf);
	free(job);
	return err;
}

static void remade(const struct apply_options *o, const struct config_pf *c,
		   const struct host_fn *fn)
{
	warn("%s: the next boot or reset of the drive creates its VFs again, as %s says. To prevent that: "
	     TOOL_NAME " teardown --disable %s", fn->bdf, c->where, fn->bdf);
	json_object_array_add(o->remade, json_object_new_string(fn->bdf));
}

/* Whether it lasts: easily forgotten when working on the drive. */
static void say_boot(const struct apply_options *o, const struct config *c,
		     struct host *h, const struct host_fn *fn)
{
	const struct config_pf *section;

	if (match_section(c, h, fn, &section))
		note("%s: nothing is created at the next boot: the configuration is wrong", fn->bdf);
	else if (!section)
		note("%s: not configured: stays as it is at the next boot", fn->bdf);
	else if (o->how.disable || setup_disabled(fn))
		note("%s: disabled: stays as it is at the next boot, until "
		     TOOL_NAME " apply", fn->bdf);
	else if (!boot_unit_enabled())
		note("%s: " BOOT_UNIT " is not enabled: stays as it is at the next boot",
		     fn->bdf);
	else
		remade(o, section, fn);
}

static int teardown_one(const struct apply_options *o, const struct config *c,
			struct host *h, const struct host_fn *fn)
{
	int err = setup_teardown(fn, &o->how);

	if (!err)
		say_boot(o, c, h, fn);
	return err;
}

static int teardown_all(const struct apply_options *o, const struct config *c)
{
	int ret, err, worst = TOOL_OK;
	struct host_fn *fn;
	struct host h;
	size_t k;
	int i;

	err = load(&h, NULL, patience(o));
	for (i = 0; !err && i < o->n; i++) {
		ret = host_find_pf(&h, o->name[i], &fn);
		if (!ret)
			ret = teardown_one(o, c, &h, fn);
		worst = worst ? worst : ret;
	}
	for (k = 0; !err && !o->n && k < h.n; k++) {
		/* Without a controller it cannot even be identified. */
		if (h.fn[k].role != ROLE_PF || !*h.fn[k].ctrl)
			continue;
		ret = teardown_one(o, c, &h, &h.fn[k]);
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

static void tell_unmatched(const struct config *c)
{
	struct host h;

	if (!host_load(&h))
		match_none(c, &h);
	host_free(&h);
}

int cmd_apply(int argc, char **argv)
{
	struct apply_options o = { };
	struct config c;
	int err;

	tool_parse(&apply_argp, argc, argv, &o);
	if (o.wait)
		o.how.until = now_us() + 1000000ULL * o.wait_seconds;
	err = need_root();
	if (err)
		return err;
	err = config_load(o.config, &c);
	if (!err && !o.if_configured)
		config_warn_empty(o.config, &c);
	o.how.report = setup_report("apply");
	if (!err && c.n)
		err = check_sections(&o, &c);
	if (!err) {
		err = apply_all(&o, &c);
		if (!o.n)
			tell_unmatched(&c);
	}
	config_free(&c);
	return finish(&o, err);
}

int cmd_teardown(int argc, char **argv)
{
	struct apply_options o = { };
	struct config c;
	int err;

	tool_parse(&teardown_argp, argc, argv, &o);
	err = need_root();
	if (err)
		return err;
	o.how.report = setup_report("teardown");
	/* one that is wrong is said so, and makes nothing at boot either */
	if (config_load_boot(&c)) {
		config_free(&c);
		c = (struct config){ };
	}
	o.remade = json_object_new_array();
	report_extra(o.how.report, "remade_at_boot", o.remade);
	err = teardown_all(&o, &c);
	config_free(&c);
	return finish(&o, err);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * bind.c - "bind" and "unbind": which driver a VF has.
 */
#include <stdio.h>
#include <string.h>

#include "base/lock.h"
#include "cmd.h"
#include "host/busy.h"
#include "host/driverctl.h"
#include "host/host.h"
#include "setup/step.h"

struct bind_options {
	const char *driver;
	char **name;
	int n;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct bind_options *o = state->input;

	switch (key) {
	case 'd':
		o->driver = arg;
		return 0;
	case ARGP_KEY_ARGS:
		o->name = state->argv + state->next;
		o->n = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which VF?");
		return ARGP_ERR_UNKNOWN;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option bind_options[] = {
	{ "driver", 'd', "NAME", 0, "Bind to this driver instead of " TOOL_DRIVER, 0 },
	{ }
};

static const struct argp bind_argp = {
	.options = bind_options, .parser = parse, .args_doc = "VF...",
	.doc = "Binds VFs, named by address or controller, to " TOOL_DRIVER
	       ", and keeps other drivers from them until they are unbound.",
};

static const struct argp unbind_argp = {
	.parser = parse, .args_doc = "VF...",
	.doc = "Unbinds VFs from their VFIO driver. Afterwards they have no "
	       "driver, and any driver may bind them.",
};

static struct step *step(struct steps *s, enum step_kind kind,
			 const struct host_fn *fn)
{
	struct step *st = steps_add(s, kind, 0);

	if (st) {
		strcpy(st->bdf, fn->bdf);
		strcpy(st->text_was, fn->driver);
		strcpy(st->override_was, fn->override);
	}
	return st;
}

/* From one driver to another, "" for none. */
static int rebind(const struct host_fn *fn, const char *driver)
{
	struct step_ctx ctx = { .name = fn->bdf };
	struct steps s = { };
	struct step *st;
	int err = TOOL_FAILED;

	if (*driver && strcmp(fn->driver, driver)) {
		st = steps_add(&s, STEP_DRIVER, 0);
		if (!st)
			goto out;
		strcpy(st->text, driver);
	}
	if (*fn->driver && strcmp(fn->driver, driver) &&
	    !step(&s, STEP_UNBIND, fn))
		goto out;
	if (strcmp(fn->override, driver)) {
		st = step(&s, STEP_OVERRIDE, fn);
		if (!st)
			goto out;
		strcpy(st->text_was, fn->override);
		strcpy(st->text, driver);
	}
	if (*driver && strcmp(fn->driver, driver)) {
		st = step(&s, STEP_BIND, fn);
		if (!st)
			goto out;
		strcpy(st->text, driver);
		strcpy(st->override, driver);
	}
	err = steps_run(&ctx, &s);
out:
	steps_free(&s);
	return err;
}

static int locked(struct host *h, const char *name, const char *driver)
{
	struct host_fn *fn;
	int err;

	err = host_load(h);
	if (!err)
		err = host_users(h);
	if (!err)
		err = host_find_vf(h, name, &fn);
	if (err)
		return err;
	if (!*driver && *fn->driver && !host_is_vfio(fn->driver))
		return fail(TOOL_INUSE, "%s: bound to %s, which is not a VFIO driver: left alone",
			    fn->bdf, fn->driver);
	if (strcmp(fn->driver, driver))
		err = busy_check(fn);
	if (err)
		return err;
	driverctl_warn(fn->bdf, driver);
	return rebind(fn, driver);
}

/* Looked at twice: to find the PF to lock, and then under the lock. */
static int one(const char *name, const char *driver)
{
	char bdf[BDF_MAX] = "";
	struct host_fn *fn;
	struct host h;
	int err, lock;

	err = host_load(&h);
	if (!err)
		err = host_find_vf(&h, name, &fn);
	if (!err)
		strcpy(bdf, fn->pf_bdf);
	host_free(&h);
	if (!err)
		err = lock_pf(bdf, 0, &lock);
	if (err)
		return err;
	err = locked(&h, name, driver);
	host_free(&h);
	unlock_pf(lock);
	return err;
}

/* All of them, even if one fails. */
static int all(const struct bind_options *o)
{
	int i, ret, err;

	if (strlen(o->driver) >= HOST_NAME || strchr(o->driver, '/'))
		return fail(TOOL_USAGE, "%s: not the name of a driver", o->driver);
	err = need_root();
	if (err)
		return err;
	for (i = 0; i < o->n; i++) {
		ret = one(o->name[i], o->driver);
		err = err ? err : ret;
	}
	return err;
}

int cmd_bind(int argc, char **argv)
{
	struct bind_options o = { .driver = TOOL_DRIVER };

	tool_parse(&bind_argp, argc, argv, &o);
	return all(&o);
}

int cmd_unbind(int argc, char **argv)
{
	struct bind_options o = { .driver = "" };

	tool_parse(&unbind_argp, argc, argv, &o);
	return all(&o);
}

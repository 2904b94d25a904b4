// SPDX-License-Identifier: GPL-2.0-only
/*
 * diff.c - "diff": what is configured, what exists, what the next boot would
 * create.
 */
#include "base/report.h"
#include "cmd.h"
#include "host/host.h"
#include "setup/compare.h"
#include "setup/match.h"
#include "setup/setup.h"

struct diff_options {
	const char *config;
	char **name;
	int n;
};

/* What is compared with what. */
struct diff {
	struct host h;
	struct config c;
	struct config boot;
	struct report *r;
	size_t n;	/* settings that differ */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct diff_options *o = state->input;

	switch (key) {
	case 'c':
		o->config = arg;
		return 0;
	case ARGP_KEY_ARGS:
		o->name = state->argv + state->next;
		o->n = state->argc - state->next;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "config", 'c', "PATH", 0,
	  "Compare with this file, or the *.conf files of this folder", 0 },
	{ }
};

static const struct argp argp = {
	.options = options, .parser = parse, .args_doc = "[PF...]",
	.doc = "Shows what is configured, what exists, and what the next boot "
	       "would create, for the PFs named by address, controller, serial "
	       "number or NQN, or for all that are configured. Exit status 12: "
	       "something differs. With --quiet only that is shown. Changes "
	       "nothing.",
};

static int one(struct diff *d, const struct host_fn *fn, bool named)
{
	const struct config_pf *c, *boot;
	int err;

	err = match_section(&d->c, &d->h, fn, &c);
	if (!err && !c && !named)
		return TOOL_OK;
	if (!err)
		err = match_section(&d->boot, &d->h, fn, &boot);
	/* What was taken down for good stays so until the next apply. */
	if (setup_disabled(fn))
		boot = NULL;
	return err ? err : compare_pf(fn, c, boot, d->r, &d->n);
}

/*
 * What only root could find out is mentioned, and does not hide what was found.
 */
static int worse(int err, int ret)
{
	return err && (err != TOOL_PERM || !ret) ? err : ret;
}

static int named(const struct diff_options *o, struct diff *d)
{
	struct host_fn *fn;
	int i, ret, err = TOOL_OK;

	for (i = 0; i < o->n; i++) {
		ret = host_find_pf(&d->h, o->name[i], &fn);
		if (!ret)
			ret = one(d, fn, true);
		err = worse(err, ret);
	}
	return err;
}

static int all(const struct diff_options *o, struct diff *d)
{
	int ret, err = TOOL_OK;
	struct host_fn *fn;
	size_t i;

	config_warn_empty(o->config, &d->c);
	for (i = 0; i < d->c.n; i++)
		if (d->c.pf[i].key != KEY_LIKE) {
			ret = match_pf(&d->h, &d->c.pf[i], &fn);
			err = worse(err, ret);
		}
	match_none(&d->c, &d->h);
	for (i = 0; i < d->h.n; i++)
		if (d->h.fn[i].role == ROLE_PF) {
			ret = one(d, &d->h.fn[i], false);
			err = worse(err, ret);
		}
	return err;
}

int cmd_diff(int argc, char **argv)
{
	struct diff_options o = { };
	struct diff d = { };
	int ret, err;

	tool_parse(&argp, argc, argv, &o);
	err = config_load(o.config, &d.c);
	if (!err)
		err = config_load_boot(&d.boot);
	if (!err)
		err = host_load(&d.h);
	if (!err) {
		d.r = compare_report();
		err = o.n ? named(&o, &d) : all(&o, &d);
		ret = report_print(d.r);
		err = worse(worse(err, ret), d.n ? TOOL_DIFFERS : TOOL_OK);
	}
	host_free(&d.h);
	config_free(&d.boot);
	config_free(&d.c);
	return err;
}

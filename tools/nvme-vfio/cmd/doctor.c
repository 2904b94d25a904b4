// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor.c - "doctor": runs the checks, and says what they found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/report.h"
#include "cmd.h"
#include "doctor/inventory.h"
#include "doctor/peer.h"
#include "doctor_fleet.h"
#include "doctor_table.h"
#include "host/pf_query.h"

enum { ID, FUNCTION, STATUS, FINDING, TEXT, CURE, COLUMNS };

static const struct report_column columns[COLUMNS] = {
	[ID]		= { "id", "CHECK", .tree = true },
	[FUNCTION]	= { "function" },
	[STATUS]	= { "status", "STATUS" },
	[FINDING]	= { NULL, "FINDING", .wrap = true },
	[TEXT]		= { "text" },
	[CURE]		= { "cure" },
};

static const struct doctor_columns places = {
	.status = STATUS, .id = ID, .finding = FINDING,
};

struct doctor {
	struct doctor_table table;
	const char *name;
	const char *peer_file;
	const char *fleet;
	bool probe;
	bool color;
	struct host *host;
	struct report *report;
	unsigned int count[CHECK_UNKNOWN + 1];
};

static enum doctor_group group_of(struct host *h, const char *function)
{
	const struct host_fn *fn = function ? host_find(h, function) : NULL;

	if (!fn)
		return function ? OF_VF : OF_HOST;
	return fn->role == ROLE_VF ? OF_VF :
	       fn->role == ROLE_PF ? OF_PF : OF_DRIVE;
}

static void emit(void *arg, const char *id, const char *function,
		 struct answer *a)
{
	struct doctor *d = arg;

	d->count[a->status]++;
	if (!tool.json) {
		doctor_table_add(&d->table, &(const struct doctor_line){
			.group = group_of(d->host, function),
			.status = check_status_name(a->status), .id = id,
			.function = function, .text = a->text, .cure = a->cure,
		});
		return;
	}
	report_row(d->report);
	report_text(d->report, STATUS, check_status_name(a->status));
	report_text(d->report, ID, id);
	report_text(d->report, FUNCTION, function);
	report_text(d->report, TEXT, a->text);
	report_text(d->report, CURE, a->cure);
}

static void run(struct doctor *d, struct checkup *c, const struct check *check)
{
	struct answer a = { };

	for (; check->id; check++) {
		check->run(c, &a);
		emit(d, check->id, c->fn ? c->fn->bdf : NULL, &a);
		answer_free(&a);
	}
}

/* Without any PF there is one answer about that instead of one for each. */
static void no_pf(struct doctor *d)
{
	struct answer a = { };

	say(&a, CHECK_FAIL, "no NVMe drive here has SR-IOV");
	cure(&a, "Enable SR-IOV in the firmware of the host and of the drive.");
	emit(d, "sriov", NULL, &a);
	answer_free(&a);
}

static void run_all(struct doctor *d, struct checkup *c,
		    const struct host_fn *only)
{
	bool any = false;
	size_t i;

	run(d, c, checks_platform);
	run(d, c, checks_module);
	for (i = 0; i < c->host->n; i++) {
		c->fn = &c->host->fn[i];
		if (!inventory_wanted(c->fn, only) ||
		    (c->fn->role == ROLE_PLAIN && c->fn != only))
			continue;
		run(d, c, c->fn->role == ROLE_VF ? checks_vf : checks_pf);
		any = true;
	}
	c->fn = NULL;
	if (!any)
		no_pf(d);
	run(d, c, checks_vmm);
}

/* What a number of checks with the same status means, but for "ok". */
static void part(FILE *f, unsigned int n, const char *what)
{
	if (n)
		fprintf(f, "%u %s, ", n, what);
}

static void summary(struct doctor *d)
{
	const unsigned int *n = d->count;
	char *text = NULL;
	size_t len;
	FILE *f;

	if (!n[CHECK_FAIL] && !n[CHECK_WARN] && !n[CHECK_UNKNOWN]) {
		report_lead(d->report, "All %u checks are ok.", n[CHECK_OK]);
		return;
	}
	f = open_memstream(&text, &len);
	need_memory(f);
	part(f, n[CHECK_FAIL], "fail (VFs cannot migrate)");
	part(f, n[CHECK_WARN], "warn (works, with limitations)");
	part(f, n[CHECK_UNKNOWN], "unknown");
	need_memory(!fclose(f));
	report_lead(d->report, "Checks: %s%u ok.", text, n[CHECK_OK]);
	free(text);
}

static int report(struct doctor *d, struct checkup *c,
		  const struct host_fn *only, json_object *peer)
{
	const struct report_look look = { .color = d->color };
	json_object *host, *functions;
	int err;

	d->report = report_new("doctor", "checks", columns, COLUMNS);
	report_look(d->report, &look);
	run_all(d, c, only);
	host = inventory_host(c);
	functions = inventory_functions(c, only, host);
	report_extra(d->report, "host", host);
	report_extra(d->report, "functions", functions);
	if (peer)
		peer_compare(host, functions, peer, emit, d);
	doctor_table_put(&d->table, d->report, &places, tool.quiet,
			 isatty(STDOUT_FILENO) ? ".\nFix: " : ". Fix: ");
	summary(d);
	err = report_print(d->report);
	if (err)
		return err;
	/* An incomplete answer must not look complete. */
	if (!c->root)
		err = fail(TOOL_PERM, "not root: not everything could be checked");
	return d->count[CHECK_FAIL] ? TOOL_UNFIT : err;
}

enum { KEY_PROBE = 256, KEY_COLOR, KEY_FLEET, KEY_NO_OPEN };

static bool color_by_itself(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) &&
	       term && strcmp(term, "dumb");
}

static bool color(struct argp_state *state, const char *when)
{
	if (!when || !strcmp(when, "always"))
		return true;
	if (!strcmp(when, "auto"))
		return color_by_itself();
	if (strcmp(when, "never"))
		argp_error(state, "--color takes auto, always or never, not \"%s\"",
			   when);
	return false;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct doctor *d = state->input;

	switch (key) {
	case 'p':
		d->peer_file = arg;
		return 0;
	case KEY_FLEET:
		d->fleet = arg;
		return 0;
	case KEY_COLOR:
		d->color = color(state, arg);
		return 0;
	case KEY_PROBE:
		d->probe = true;
		return 0;
	case KEY_NO_OPEN:	/* the default, unless --probe is given */
		d->probe = false;
		return 0;
	case ARGP_KEY_ARG:
		if (d->name)
			argp_error(state, "one function at a time");
		d->name = arg;
		return 0;
	case ARGP_KEY_END:
		if (d->fleet && (d->name || d->peer_file || d->probe))
			argp_error(state, "--fleet is about other hosts: no FUNCTION, --peer or --probe with it");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "color", KEY_COLOR, "WHEN", OPTION_ARG_OPTIONAL, "Colour: always, never, or auto, the default: on a terminal, unless NO_COLOR is set", 0 },
	{ "fleet", KEY_FLEET, "DIR", 0, "Compare hosts whose \"doctor --json\" is in DIR, a *.json each: which VFs can move where", 0 },
	{ "peer", 'p', "FILE", 0, "Compare with another host, whose \"doctor --json\" is in FILE (- is standard input)", 0 },
	{ "probe", KEY_PROBE, NULL, 0, "Open VFs that nobody uses, which resets them, to see what VFIO offers", 0 },
	{ "no-open", KEY_NO_OPEN, NULL, OPTION_HIDDEN, NULL, 0 },
	{ }
};

static const struct argp argp = {
	.options = options, .parser = parse, .args_doc = "[FUNCTION]",
	.doc = "Checks all that a VF needs to migrate, from firmware to "
	       "libvirt, and says how to fix what is missing. FUNCTION is a "
	       "VF, or a PF and all its VFs, named by address or controller; "
	       "without it, all PFs are checked. Nothing is changed, and no VF "
	       "is opened without --probe.\v"
	       "With --quiet the table omits checks that pass. Exit "
	       "status: 0 nothing fails, 11 something does.",
};

int cmd_doctor(int argc, char **argv)
{
	struct checkup c = { };
	struct host_fn *only = NULL;
	json_object *peer = NULL;
	struct host h = { };
	struct doctor d = { .color = color_by_itself(), .host = &h };
	int err = TOOL_OK;

	tool_parse(&argp, argc, argv, &d);
	if (d.fleet)
		return doctor_fleet(d.fleet);
	if (d.peer_file)
		err = peer_load(d.peer_file, &peer);
	if (!err)
		err = host_load(&h);
	if (!err && d.name) {
		only = host_find(&h, d.name);
		if (!only)
			err = fail(TOOL_NODEV, "%s: no such NVMe function; \"" TOOL_NAME " list\" shows all",
				   d.name);
	}
	if (!err)
		err = host_users(&h);
	if (!err)
		err = pf_query_all(&h);
	c.host = &h;
	c.open = d.probe;
	if (!err)
		err = inventory_find(&c, only);
	if (!err)
		err = report(&d, &c, only, peer);
	free(c.facts);
	modules_free(c.modules);
	host_free(&h);
	json_object_put(peer);
	return err;
}

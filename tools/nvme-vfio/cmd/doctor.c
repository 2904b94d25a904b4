// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor.c - "doctor": runs the checks, and says what they found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "cmd.h"
#include "doctor/inventory.h"
#include "doctor/peer.h"
#include "host/pf_query.h"

enum { STATUS, ID, FUNCTION, FINDING, TEXT, CURE, COLUMNS };

static const struct report_column columns[COLUMNS] = {
	[STATUS]	= { "status", "STATUS" },
	[ID]		= { "id", "CHECK" },
	[FUNCTION]	= { "function", "FUNCTION" },
	[FINDING]	= { NULL, "FINDING", .wrap = true },
	[TEXT]		= { "text" },
	[CURE]		= { "cure" },
};

struct doctor {
	const char *name;
	const char *peer_file;
	bool no_open;
	struct report *report;
	unsigned int count[CHECK_UNKNOWN + 1];
};

static void emit(void *arg, const char *id, const char *function,
		 struct answer *a)
{
	struct doctor *d = arg;
	char *finding = NULL;

	d->count[a->status]++;
	if (tool.quiet && !tool.json && a->status == CHECK_OK)
		return;
	report_row(d->report);
	report_text(d->report, STATUS, check_status_name(a->status));
	report_text(d->report, ID, id);
	report_text(d->report, FUNCTION, function);
	report_text(d->report, TEXT, a->text);
	report_text(d->report, CURE, a->cure);
	if (a->cure && asprintf(&finding, "%s. Cure: %s", a->text, a->cure) < 0)
		finding = NULL;
	report_value(d->report, FINDING, NULL, finding ? finding : a->text);
	free(finding);
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
	cure(&a, "Switch SR-IOV on in the firmware of the host and of the drive.");
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

static int report(struct doctor *d, struct checkup *c,
		  const struct host_fn *only, json_object *peer)
{
	json_object *host, *functions;
	int err;

	d->report = report_new("doctor", "checks", columns, COLUMNS);
	run_all(d, c, only);
	host = inventory_host(c);
	functions = inventory_functions(c, only);
	report_extra(d->report, "host", host);
	report_extra(d->report, "functions", functions);
	if (peer)
		peer_compare(host, functions, peer, emit, d);
	err = report_print(d->report);
	if (err)
		return err;
	if (d->count[CHECK_FAIL])
		return TOOL_UNFIT;
	/* Half an answer must not look like a whole one. */
	if (!c->root)
		return fail(TOOL_PERM, "not root: not everything could be looked at");
	return TOOL_OK;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct doctor *d = state->input;

	switch (key) {
	case 'p':
		d->peer_file = arg;
		return 0;
	case 'n':
		d->no_open = true;
		return 0;
	case ARGP_KEY_ARG:
		if (d->name)
			argp_error(state, "one function at a time");
		d->name = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "peer", 'p', "FILE", 0, "Compare with another host, whose \"doctor --json\" is in FILE (- is standard input)", 0 },
	{ "no-open", 'n', NULL, 0, "Do not open VFs; a VF that is opened is reset, so without this, too, only those that nobody uses are", 0 },
	{ }
};

static const struct argp argp = {
	.options = options, .parser = parse, .args_doc = "[FUNCTION]",
	.doc = "Looks at all that a VF needs to migrate, from firmware to "
	       "libvirt, and names the cure of what is missing. FUNCTION is a "
	       "VF, or a PF and all its VFs, named by address or controller; "
	       "without it, all PFs are looked at.\v"
	       "With --quiet the table is without what is in order. Exit "
	       "status: 0 nothing fails, 11 something does.",
};

int cmd_doctor(int argc, char **argv)
{
	struct checkup c = { };
	struct host_fn *only = NULL;
	json_object *peer = NULL;
	struct doctor d = { };
	struct host h = { };
	int err = TOOL_OK;

	tool_parse(&argp, argc, argv, &d);
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
	c.open = !d.no_open;
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

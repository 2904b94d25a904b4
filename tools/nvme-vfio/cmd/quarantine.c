// SPDX-License-Identifier: GPL-2.0-only
/*
 * quarantine.c - "quarantine": what is in it, and its end.
 */
#include <string.h>

#include "base/report.h"
#include "cmd.h"
#include "host/host.h"
#include "host/quarantine.h"

enum { ADDRESS, QUARANTINE, REASON, COLUMNS };

static const struct report_column columns[COLUMNS] = {
	[ADDRESS]	= { "address", "ADDRESS" },
	[QUARANTINE]	= { "quarantine", "QUARANTINE" },
	[REASON]	= { "reason", "REASON", .wrap = true },
};

struct quarantine_options {
	bool end;
	char **name;
	int n;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct quarantine_options *o = state->input;

	(void)arg;
	switch (key) {
	case 'e':
		o->end = true;
		return 0;
	case ARGP_KEY_ARGS:
		o->name = state->argv + state->next;
		o->n = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		if (o->end)
			argp_error(state, "--end needs a FUNCTION");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "end", 'e', NULL, 0, "Release the FUNCTIONs from quarantine", 0 },
	{ }
};

static const struct argp argp = {
	.options = options, .parser = parse, .args_doc = "[FUNCTION...]",
	.doc = "Lists functions in quarantine: VFs that went to ERROR and have "
	       "not been reset successfully since, PFs that were reset while "
	       "a command moved a VF.",
};

static bool wanted(const struct quarantine_options *o, struct host *h,
		   const char *bdf)
{
	struct host_fn *fn;
	int i;

	for (i = 0; i < o->n; i++) {
		fn = host_find(h, o->name[i]);
		if (fn && !strcmp(fn->bdf, bdf))
			return true;
	}
	return !o->n;
}

static int report(const struct quarantine_options *o, struct host *h)
{
	struct report *r = report_new("quarantine", "functions", columns,
				      COLUMNS);
	struct quarantine q;
	size_t i;

	quarantine_load(&q);
	for (i = 0; i < q.n; i++) {
		if (!wanted(o, h, q.q[i].bdf))
			continue;
		report_row(r);
		report_text(r, ADDRESS, q.q[i].bdf);
		report_text(r, QUARANTINE, q.q[i].word);
		report_text(r, REASON, quarantine_text(q.q[i].word));
	}
	quarantine_free(&q);
	return report_print(r);
}

static int end(const struct quarantine_options *o, struct host *h)
{
	int i, err = need_root();

	for (i = 0; !err && i < o->n; i++)
		err = quarantine_end(host_find(h, o->name[i])->bdf);
	return err;
}

int cmd_quarantine(int argc, char **argv)
{
	struct quarantine_options o = { };
	struct host h;
	int i, err;

	tool_parse(&argp, argc, argv, &o);
	err = host_load(&h);
	for (i = 0; !err && i < o.n; i++)
		if (!host_find(&h, o.name[i]))
			err = fail(TOOL_NODEV, "%s: no such NVMe function",
				   o.name[i]);
	if (!err)
		err = o.end ? end(&o, &h) : report(&o, &h);
	host_free(&h);
	return err;
}

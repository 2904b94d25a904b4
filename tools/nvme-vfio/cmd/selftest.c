// SPDX-License-Identifier: GPL-2.0-only
/*
 * selftest.c - "selftest": does a VF migrate, and how fast?
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/report.h"
#include "cmd.h"
#include "host/busy.h"
#include "host/host.h"
#include "host/pf_query.h"
#include "host/quarantine.h"
#include "selftest_run.h"
#include "trace/mig_trace.h"
#include "trace/tracefs.h"

#define LIMIT_S		120
#define OPCODES		256

struct selftest_options {
	char **name;
	int n;
	bool write;
	bool yes;
};

enum { KEY_WRITE = 256 };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct selftest_options *o = state->input;

	(void)arg;
	switch (key) {
	case KEY_WRITE:
		o->write = true;
		return 0;
	case 'y':
		o->yes = true;
		return 0;
	case ARGP_KEY_ARGS:
		o->name = state->argv + state->next;
		o->n = state->argc - state->next;
		if (o->n > 2)
			argp_error(state, "one VF, or two");
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which VF?");
		return ARGP_ERR_UNKNOWN;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "write", KEY_WRITE, NULL, 0,
	  "Write as well: destroys data at the beginning of the namespace", 0 },
	{ "yes", 'y', NULL, 0, "With --write: do not ask for confirmation", 0 },
	{ }
};

static const struct argp argp = {
	.options = options, .parser = parse, .args_doc = "VF [VF2]",
	.doc = "Uses a free VF as a VM would, migrates it several times, onto "
	       "itself or to VF2, while it is in use, and measures the times. "
	       "VF2 must have the same namespace. Nothing is written unless "
	       "--write is given.",
};

/* -- what the driver's trace tells of commands --------------------------------- */

struct command_times {
	unsigned int count;
	unsigned int failed;
	uint64_t sum;
	uint64_t max;
};

static void add_line(struct command_times times[OPCODES],
		     const struct selftest *what, const char *line)
{
	struct mig_event e;
	struct command_times *t;

	if (!mig_event_parse(&e, line) || e.arc || e.opcode >= OPCODES ||
	    (strcmp(e.vf, what->vf[0]) && strcmp(e.vf, what->vf[1])))
		return;
	t = &times[e.opcode];
	t->count++;
	t->failed += mig_event_failed(&e);
	t->sum += e.usecs;
	if ((uint64_t)e.usecs > t->max)
		t->max = e.usecs;
}

static void read_trace(int fd, struct command_times times[OPCODES],
		       const struct selftest *what)
{
	static char text[65536];
	size_t have = 0;
	ssize_t n;
	char *line, *end;

	while ((n = read(fd, text + have, sizeof(text) - 1 - have)) > 0) {
		have += n;
		text[have] = 0;
		line = text;
		while ((end = strchr(line, '\n'))) {
			*end = 0;
			add_line(times, what, line);
			line = end + 1;
		}
		have -= line - text;
		memmove(text, line, have);
	}
}

/* -- the report ------------------------------------------------------------------ */

enum { NAME, WHAT, VALUE, UNITS_OF, COLUMNS };

static const struct report_column columns[COLUMNS] = {
	[NAME]		= { "name" },
	[WHAT]		= { NULL, "MEASURED" },
	[VALUE]		= { "value", "VALUE", .right = true },
	[UNITS_OF]	= { "unit", "UNIT" },
};

static void begin(struct report *r, const char *name, const char *what,
		  const char *unit)
{
	report_row(r);
	report_text(r, NAME, name);
	report_text(r, WHAT, what);
	report_value(r, UNITS_OF, *unit ? json_object_new_string(unit) : NULL,
		     unit);
}

static void number(struct report *r, const char *name, const char *what,
		   uint64_t value, const char *unit)
{
	begin(r, name, what, unit);
	report_number(r, VALUE, value);
}

static uint64_t downtime(const struct mig_times *t)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < MIG_ARC_NR; i++)
		sum += t->us[i];
	return sum;
}

static void report_steps(struct report *r, const struct selftest_result *s)
{
	static const char * const name[MIG_ARC_NR] = {
		[MIG_ARC_SRC_P2P]	= "source_p2p",
		[MIG_ARC_SRC_STOP]	= "source_stop",
		[MIG_ARC_SRC_COPY]	= "source_stop_copy",
		[MIG_ARC_SRC_READ]	= "source_read",
		[MIG_ARC_DST_RESUMING]	= "destination_resuming",
		[MIG_ARC_DST_WRITE]	= "destination_write",
		[MIG_ARC_DST_STOP]	= "destination_stop",
		[MIG_ARC_DST_P2P]	= "destination_p2p",
		[MIG_ARC_DST_RUNNING]	= "destination_running",
	};
	unsigned int i, k;
	char what[80];

	for (k = 0; k < MIG_ARC_NR; k++) {
		uint64_t sum = 0;

		for (i = 0; i < s->rounds; i++)
			sum += s->t[i].us[k];
		snprintf(what, sizeof(what), "  %s", mig_arc_name(k));
		number(r, name[k], what, sum / s->rounds, "us");
	}
}

static void report_rounds(struct report *r, const struct selftest_result *s)
{
	uint64_t min = UINT64_MAX, max = 0, sum = 0;
	unsigned int i;

	for (i = 0; i < s->rounds; i++) {
		uint64_t us = downtime(&s->t[i]);

		min = us < min ? us : min;
		max = us > max ? us : max;
		sum += us;
	}
	number(r, "migrations", "migrations", s->rounds, "");
	if (!s->rounds)
		return;
	number(r, "blackout_min", "blackout, shortest", min, "us");
	number(r, "blackout_max", "blackout, longest", max, "us");
	number(r, "blackout_mean", "blackout, mean", sum / s->rounds, "us");
	report_steps(r, s);
	number(r, "state_size", "state", s->state, "bytes");
}

static void report_commands(struct report *r,
			    const struct command_times times[OPCODES])
{
	char name[64], what[64];
	unsigned int i;

	for (i = 0; i < OPCODES; i++) {
		const struct command_times *t = &times[i];

		if (!t->count)
			continue;
		snprintf(name, sizeof(name), "command_%02x_mean", i);
		snprintf(what, sizeof(what), "command %02xh, mean of %u", i,
			 t->count);
		number(r, name, what, t->sum / t->count, "us");
		snprintf(name, sizeof(name), "command_%02x_max", i);
		snprintf(what, sizeof(what), "command %02xh, longest", i);
		number(r, name, what, t->max, "us");
		snprintf(name, sizeof(name), "command_%02x_failed", i);
		snprintf(what, sizeof(what), "command %02xh, failed", i);
		number(r, name, what, t->failed, "");
	}
}

static uint64_t rate(const struct selftest_io *io)
{
	return io->us ? io->bytes * 1000 / io->us : 0;
}

static void report_io(struct report *r, const struct selftest_result *s)
{
	number(r, "reads", "verified reads", rate(&s->io), "kB/s");
	begin(r, "dirty_tracking", "dirty tracking", "");
	report_flag(r, VALUE, s->tracks, "yes", "no");
	if (!s->tracks)
		return;
	number(r, "dirty_unit", "  unit", s->granule, "bytes");
	number(r, "dirty_reads", "  verified reads meanwhile",
	       rate(&s->io_tracked), "kB/s");
	number(r, "dirty_report", "  a report", s->report_us, "us");
	number(r, "dirty_units", "  units in it", s->dirty, "");
}

static json_object *word(const char *text)
{
	return text && *text ? json_object_new_string(text) : NULL;
}

static int report(const struct selftest *what, const struct host_fn *vf,
		  const struct selftest_result *s,
		  const struct command_times times[OPCODES])
{
	struct report *r = report_new("selftest", "measured", columns, COLUMNS);
	int err;

	report_extra(r, "vf", word(what->vf[0]));
	report_extra(r, "vf2", word(what->vf[1]));
	report_extra(r, "command_set", word(host_set_name(vf->set)));
	report_extra(r, "good", json_object_new_boolean(s->done));
	report_extra(r, "reason", word(s->done ? NULL : s->why));
	report_rounds(r, s);
	report_commands(r, times);
	if (s->io.us)
		report_io(r, s);
	if (s->checked)
		number(r, "compared", "pieces of data compared", s->checked,
		       "");
	err = report_print(r);
	if (err)
		return err;
	if (!s->done)
		return fail(TOOL_UNFIT, "%s: %s", what->vf[0], s->why);
	return TOOL_OK;
}

/* -- which VFs ------------------------------------------------------------------- */

static int take(struct host *h, const char *name, struct host_fn **fn)
{
	int err = host_find_vf(h, name, fn);

	if (err)
		return err;
	if (!host_is_vfio((*fn)->driver))
		return fail(TOOL_NODEV, "%s: not bound to " TOOL_DRIVER ": " TOOL_NAME " bind %s",
			    (*fn)->bdf, (*fn)->bdf);
	err = busy_check(*fn);
	if (!err && (*fn)->pf)
		err = pf_query(h, (*fn)->pf);
	return err;
}

static bool attached(const struct host_fn *fn, uint32_t nsid)
{
	size_t i;

	for (i = 0; i < fn->nns; i++)
		if (fn->nsid[i] == nsid)
			return true;
	return !fn->nsid;
}

/* A namespace that both have. If the drive does not say, the first. */
static int namespace(const struct host_fn *a, const struct host_fn *b,
		     uint32_t *nsid)
{
	size_t i;

	*nsid = 1;
	/* Some attach namespaces only when a controller is enabled. */
	if (!a->nns)
		return TOOL_OK;
	for (i = 0; i < a->nns; i++) {
		if (b && !attached(b, a->nsid[i]) && b->nns)
			continue;
		*nsid = a->nsid[i];
		return TOOL_OK;
	}
	return fail(TOOL_NODEV, "%s and %s have no namespace in common: attach one to both, for example with nvme attach-ns",
		    a->bdf, b->bdf);
}

/*
 * What was on the namespace is gone afterwards: it must not be typed by
 * accident.
 */
static bool must_ask(const struct selftest_options *o)
{
	return o->write && !o->yes;
}

static int can_ask(const struct selftest_options *o)
{
	if (!must_ask(o) || (isatty(STDIN_FILENO) && isatty(STDERR_FILENO)))
		return TOOL_OK;
	return fail(TOOL_USAGE, "%s: --write destroys the first 2 MiB of its namespace: add --yes to confirm",
		    o->name[0]);
}

/* When nothing else is in the way. */
static int ask(const struct selftest_options *o)
{
	char answer[16] = "";

	if (!must_ask(o))
		return TOOL_OK;
	fprintf(stderr, "The first 2 MiB of the namespace of %s will be overwritten. Type yes to continue: ",
		o->name[0]);
	if (!fgets(answer, sizeof(answer), stdin) || strcmp(answer, "yes\n"))
		return fail(TOOL_USAGE, "%s: nothing was done", o->name[0]);
	return TOOL_OK;
}

static int run(struct host *h, const struct selftest_options *o)
{
	static struct command_times times[OPCODES];
	struct selftest_result *r = NULL;
	struct selftest what = { .write = o->write };
	struct host_fn *fn[2] = { };
	int i, err, trace = -1;

	for (i = 0; i < o->n; i++) {
		err = take(h, o->name[i], &fn[i]);
		if (err)
			return err;
		strcpy(what.vf[i], fn[i]->bdf);
	}
	if (fn[0] == fn[1])
		return fail(TOOL_USAGE, "%s: named twice; to migrate a VF onto itself, name it once",
			    fn[0]->bdf);
	err = namespace(fn[0], fn[1], &what.nsid);
	if (!err)
		err = ask(o);
	if (err)
		return err;
	/* Not knowing how long commands take is no reason to stop. */
	if (tracefs_begin(&trace))
		trace = -1;
	err = selftest_run(&what, &r, LIMIT_S);
	if (trace >= 0) {
		read_trace(trace, times, &what);
		tracefs_end(trace);
	}
	if (!err)
		err = report(&what, fn[0], r, times);
	selftest_free(r);
	return err;
}

/* Nobody may set up their PFs meanwhile. */
static int lock_all(struct host *h, const struct selftest_options *o,
		    int lock[2])
{
	struct host_fn *fn[2];
	int i, err;

	for (i = 0; i < o->n; i++) {
		err = host_find_vf(h, o->name[i], &fn[i]);
		if (err)
			return err;
	}
	err = lock_pf(fn[0]->pf_bdf, 0, &lock[0]);
	if (!err && o->n > 1 && strcmp(fn[0]->pf_bdf, fn[1]->pf_bdf))
		err = lock_pf(fn[1]->pf_bdf, 0, &lock[1]);
	return err;
}

/* What was found good leaves quarantine. */
static int proven(struct host *h, const struct selftest_options *o)
{
	struct host_fn *fn;
	int i, err = TOOL_OK;

	for (i = 0; !err && i < o->n; i++) {
		err = host_find_vf(h, o->name[i], &fn);
		if (!err)
			err = quarantine_end(fn->bdf);
		if (!err)
			err = quarantine_end(fn->pf_bdf);
	}
	return err;
}

int cmd_selftest(int argc, char **argv)
{
	struct selftest_options o = { };
	int lock[2] = { -1, -1 };
	struct host h;
	int err;

	tool_parse(&argp, argc, argv, &o);
	err = can_ask(&o);
	if (!err)
		err = need_root();
	if (err)
		return err;
	err = host_load(&h);
	if (!err)
		err = lock_all(&h, &o, lock);
	if (!err)
		err = host_users(&h);
	if (!err)
		err = run(&h, &o);
	if (!err)
		err = proven(&h, &o);
	unlock_pf(lock[1]);
	unlock_pf(lock[0]);
	host_free(&h);
	return err;
}

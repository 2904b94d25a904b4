// SPDX-License-Identifier: GPL-2.0-only
/*
 * watch.c - "watch": migrations while they run, as a table that is drawn
 * anew on a terminal, as a line per event elsewhere.
 */
#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/report.h"
#include "cmd.h"
#include "host/driver_view.h"
#include "host/host.h"
#include "trace/mig_trace.h"
#include "trace/tracefs.h"
#include "util.h"

#define REDRAW_MS	200

struct watch {
	struct mig_trace *trace;
	size_t n;
	bool table;
};

static struct mig_trace *trace_of(struct watch *w, const char *vf)
{
	struct mig_trace *f;
	size_t i;

	for (i = 0; i < w->n; i++)
		if (!strcmp(w->trace[i].vf, vf))
			return &w->trace[i];
	f = realloc(w->trace, (w->n + 1) * sizeof(*f));
	if (!f)
		return NULL;
	w->trace = f;
	f += w->n++;
	*f = (struct mig_trace){ .role = "" };
	snprintf(f->vf, sizeof(f->vf), "%s", vf);
	return f;
}

/* -- what is printed -------------------------------------------------------- */

static void print_table(struct watch *w)
{
	static const struct { const char *name; int flags; } column[] = {
		{ "VF", 0 }, { "STATE", 0 }, { "ROLE", 0 },
		{ "BYTES", SCOLS_FL_RIGHT }, { "BLACKOUT", SCOLS_FL_RIGHT },
		{ "FAILED", SCOLS_FL_RIGHT },
	};
	struct libscols_table *t = scols_new_table();
	struct libscols_line *line;
	char text[32];
	size_t i;

	for (i = 0; t && i < sizeof(column) / sizeof(*column); i++)
		scols_table_new_column(t, column[i].name, 0, column[i].flags);
	for (i = 0; t && i < w->n; i++) {
		const struct mig_trace *f = &w->trace[i];

		line = scols_table_new_line(t, NULL);
		if (!line)
			break;
		scols_line_set_data(line, 0, f->vf);
		scols_line_set_data(line, 1, *f->state ? f->state : "-");
		scols_line_set_data(line, 2, *f->role ? f->role : "-");
		snprintf(text, sizeof(text), "%s%llu", f->at_most ? "<=" : "",
			 (unsigned long long)f->bytes);
		scols_line_set_data(line, 3, text);
		snprintf(text, sizeof(text), "%.3f ms",
			 mig_trace_downtime(f, now_us()) / 1000.0);
		scols_line_set_data(line, 4, text);
		snprintf(text, sizeof(text), "%u", f->failed);
		scols_line_set_data(line, 5, text);
	}
	/* From the top left corner; what was below is cleared. */
	fputs("\033[H\033[J", stdout);
	if (t && w->n)
		scols_print_table(t);
	else
		fputs("no VF is bound to " TOOL_DRIVER "\n", stdout);
	scols_unref_table(t);
}

static void print_json(const struct mig_trace *f, const struct mig_event *e)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "version", json_object_new_int(REPORT_VERSION));
	json_object_object_add(o, "command", json_object_new_string("watch"));
	json_object_object_add(o, "time_us", json_object_new_int64(e->us));
	json_object_object_add(o, "vf", json_object_new_string(f->vf));
	json_object_object_add(o, "event", json_object_new_string(
		e->arc ? "arc" : "command"));
	json_object_object_add(o, "from", e->arc ?
		json_object_new_string(e->from) : NULL);
	json_object_object_add(o, "to", e->arc ?
		json_object_new_string(e->to) : NULL);
	json_object_object_add(o, "opcode", e->arc ? NULL :
		json_object_new_int(e->opcode));
	json_object_object_add(o, "length", e->arc ? NULL :
		json_object_new_int64(e->len));
	json_object_object_add(o, "took_us", json_object_new_int64(e->usecs));
	json_object_object_add(o, "status", json_object_new_int(e->status));
	json_object_object_add(o, "state", *f->state ?
		json_object_new_string(f->state) : NULL);
	json_object_object_add(o, "role", *f->role ?
		json_object_new_string(f->role) : NULL);
	json_object_object_add(o, "bytes", json_object_new_int64(f->bytes));
	json_object_object_add(o, "bytes_exact",
			       json_object_new_boolean(!f->at_most));
	json_object_object_add(o, "blackout_us", json_object_new_int64(
		mig_trace_downtime(f, e->us)));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

static void print_line(const struct mig_trace *f, const struct mig_event *e)
{
	printf("%llu.%06llu %s ", (unsigned long long)e->us / 1000000,
	       (unsigned long long)e->us % 1000000, f->vf);
	if (e->arc)
		printf("%s -> %s", e->from, e->to);
	else
		printf("command %02xh, %llu bytes", e->opcode, e->len);
	printf(", %lld us", e->usecs);
	if (e->status)
		printf(", %s: %d", mig_event_failed(e) ? "failed" : "refused",
		       e->status);
	printf("; %s%s%s, %s%llu bytes, blackout %.3f ms\n",
	       *f->role ? f->role : "", *f->role ? ", " : "",
	       *f->state ? f->state : "state not known",
	       f->at_most ? "at most " : "", (unsigned long long)f->bytes,
	       mig_trace_downtime(f, e->us) / 1000.0);
}

/* -- what is read ----------------------------------------------------------- */

static int take_line(struct watch *w, const char *line)
{
	struct mig_event e;
	struct mig_trace *f;

	if (strstr(line, "[LOST ")) {
		warn("events were lost: numbers may be too small");
		return TOOL_OK;
	}
	if (!mig_event_parse(&e, line))
		return TOOL_OK;
	f = trace_of(w, e.vf);
	if (!f)
		return fail(TOOL_FAILED, "out of memory");
	mig_trace_add(f, &e);
	if (tool.json)
		print_json(f, &e);
	else if (!w->table)
		print_line(f, &e);
	return TOOL_OK;
}

/* Read what is there now; an unfinished line waits in @text. */
static int take(struct watch *w, int fd, char *text, size_t len)
{
	size_t have = strlen(text);
	int err = TOOL_OK;
	char *end;
	ssize_t n;

	while (!err && (n = read(fd, text + have, len - 1 - have)) > 0) {
		text[have + n] = 0;
		while (!err && (end = strchr(text, '\n'))) {
			*end++ = 0;
			err = take_line(w, text);
			memmove(text, end, strlen(end) + 1);
		}
		have = strlen(text);
		if (have == len - 1)	/* no line of ours is as long */
			text[have = 0] = 0;
	}
	if (!err && n < 0 && errno != EAGAIN && errno != EINTR)
		err = fail(TOOL_FAILED, "trace: %s", strerror(errno));
	return err;
}

static int watch(struct watch *w, int trace, int signals)
{
	struct pollfd p[] = {
		{ .fd = trace, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};
	char text[8192] = "";
	int err = TOOL_OK;

	while (!err) {
		if (w->table)
			print_table(w);
		if (fflush(stdout))
			return fail(TOOL_FAILED, "standard output: %s",
				    strerror(errno));
		if (poll(p, 2, w->table ? REDRAW_MS : -1) < 0 && errno != EINTR)
			return fail(TOOL_FAILED, "poll: %s", strerror(errno));
		/* What happened before the signal is still reported. */
		err = take(w, trace, text, sizeof(text));
		if (p[1].revents)
			break;
	}
	if (!err && fflush(stdout))
		err = fail(TOOL_FAILED, "standard output: %s", strerror(errno));
	return err;
}

/* Those that can migrate are shown from the beginning, and in which state. */
static int find_vfs(struct watch *w)
{
	struct host h = { };
	int err = host_load(&h);
	struct driver_view says;
	struct mig_trace *f;
	size_t i;

	for (i = 0; !err && i < h.n; i++) {
		if (h.fn[i].role != ROLE_VF ||
		    strcmp(h.fn[i].driver, TOOL_DRIVER))
			continue;
		driver_view_read(&says, h.fn[i].bdf);
		if (says.can == DRIVER_NO)
			continue;
		f = trace_of(w, h.fn[i].bdf);
		if (f)
			snprintf(f->state, sizeof(f->state), "%s", says.state);
		else
			err = fail(TOOL_FAILED, "out of memory");
	}
	host_free(&h);
	return err;
}

static const struct argp argp = {
	.doc = "Shows migrations of VFs of this host while they run: state, "
	       "role, bytes of state moved, and how long the VF has been "
	       "stopped. On a terminal it is a table, kept up to date; "
	       "elsewhere one line for each event, with --json one object a "
	       "line. Ends when interrupted.",
};

int cmd_watch(int argc, char **argv)
{
	struct watch w = { };
	int err, trace, signals;
	sigset_t set;

	tool_parse(&argp, argc, argv, NULL);
	err = need_root();
	if (err)
		return err;
	w.table = isatty(STDOUT_FILENO) && !tool.json;
	/* Whatever ends it, the tracing instance has to be removed. */
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0)
		return fail(TOOL_FAILED, "signals: %s", strerror(errno));
	err = find_vfs(&w);
	if (!err)
		err = tracefs_begin(&trace);
	if (!err) {
		err = watch(&w, trace, signals);
		tracefs_end(trace);
	}
	close(signals);
	free(w.trace);
	return err;
}

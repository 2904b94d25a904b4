// SPDX-License-Identifier: GPL-2.0-only
/*
 * metrics.c - "metrics": what the driver has counted, for a monitoring system.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/report.h"
#include "cmd.h"
#include "host/figures.h"
#include "host/host.h"
#include "host/quarantine.h"
#include "openmetrics.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

enum { ADDRESS, ROLE, PF, STATE, FIGURES, COLUMNS };

static const struct report_column columns[COLUMNS] = {
	[ADDRESS]	= { "address", "ADDRESS" },
	[ROLE]		= { "role", "ROLE" },
	[PF]		= { "pf", "PF" },
	[STATE]		= { "state", "STATE" },
	[FIGURES]	= { "figures" },
};

/**
 * struct subject - a function that there is something to say about
 * @fn: what the host knows of it; NULL: of a PF that has gone
 * @figures: what the driver has counted
 */
struct subject {
	const struct host_fn *fn;
	struct figures figures;
};

/**
 * struct subjects - all of them
 * @vf: VFs on our driver
 * @pf: PFs whose VFs have been
 * @quarantine: those in quarantine
 */
struct subjects {
	struct subject *vf;
	size_t nvf;
	struct subject *pf;
	size_t npf;
	struct quarantine quarantine;
};

/* A figure, or several that differ in a label. */
struct sample {
	const char *figure;
	const char *value;
};

/**
 * struct family - a family of metrics
 * @name: without the prefix
 * @type: as OpenMetrics has it
 * @unit: likewise; of seconds, the figures are microseconds
 * @help: likewise
 * @label: what samples differ in; NULL: there is one
 * @sample: the figures, with their values of @label
 */
struct family {
	const char *name;
	const char *type;
	const char *unit;
	const char *help;
	const char *label;
	struct sample sample[9];
};

#define DIRECTIONS(figure, end)	{ { figure "_out" end, "out" }, { figure "_in" end, "in" } }

static const struct family families[] = {
	{ "migrations", "counter", NULL,
	  "Migrations that left, or came and ran.", "direction",
	  DIRECTIONS("migrations", "") },
	{ "migrations_cancelled", "counter", NULL,
	  "Migrations that were begun and came to nothing.", "direction",
	  DIRECTIONS("cancelled", "") },
	{ "migrations_refused", "counter", NULL,
	  "Migrations that were refused.", "reason",
	  { { "refused_identity", "identity" },
	    { "refused_namespaces", "namespaces" },
	    { "refused_stream", "stream" }, { "refused_device", "device" },
	    { "refused_size", "size" }, { "refused_format", "format" },
	    { "refused_quarantine", "quarantine" },
	    { "refused_other", "other" } } },
	{ "arcs_failed", "counter", NULL,
	  "Transitions of the migration state that failed.", NULL,
	  { { "arcs_failed" } } },
	{ "errors", "counter", NULL, "Times that the migration state became ERROR.",
	  NULL, { { "errors" } } },
	{ "resets", "counter", NULL, "Resets of the VF, by whomever.", NULL,
	  { { "resets" } } },
	{ "resets_by_driver", "counter", NULL,
	  "Resets by the driver, of a VF whose Suspend did not end.", NULL,
	  { { "resets_by_driver" } } },
	{ "bus_errors", "counter", NULL,
	  "Errors on the bus that were repaired by a reset.", NULL,
	  { { "bus_errors" } } },
	{ "stream_bytes", "counter", "bytes", "Bytes of state that were moved.",
	  "direction", DIRECTIONS("bytes", "") },
	{ "last_downtime_seconds", "gauge", "seconds",
	  "The part of the last downtime at this end; 0: there was none.",
	  "direction", DIRECTIONS("downtime", "_last_us") },
	{ "longest_downtime_seconds", "gauge", "seconds",
	  "The part of the longest downtime at this end; 0: there was none.",
	  "direction", DIRECTIONS("downtime", "_longest_us") },
	{ "commands_given_up", "counter", NULL,
	  "Commands to the PF that did not end in time.", NULL,
	  { { "commands_given_up" } } },
	{ "commands_aborted", "counter", NULL,
	  "Commands to the PF that a reset, a removal or a time-out of it aborted.",
	  NULL, { { "commands_aborted" } } },
};

#define NFAMILIES	(sizeof(families) / sizeof(families[0]))

/* What commands took, at most. */
static const struct sample buckets[] = {
	{ "commands_100us", "0.0001" }, { "commands_1ms", "0.001" },
	{ "commands_10ms", "0.01" }, { "commands_100ms", "0.1" },
	{ "commands_1s", "1.0" }, { "commands_10s", "10.0" },
	{ "commands_longer", "+Inf" },
};

#define NBUCKETS	(sizeof(buckets) / sizeof(buckets[0]))

static void labels(struct om_label *label, const struct subject *s, bool is_pf)
{
	memset(label, 0, OM_LABELS * sizeof(*label));
	label[0] = (struct om_label){ "pf", is_pf ? s->figures.bdf :
				      s->fn->pf_bdf };
	if (!is_pf)
		label[1] = (struct om_label){ "vf", s->figures.bdf };
}

static void samples(FILE *f, const char *name, const struct family *m,
		    const struct subject *s, bool is_pf)
{
	const char *suffix = strcmp(m->type, "counter") ? "" : "_total";
	struct om_label label[OM_LABELS];
	const struct sample *x;
	uint64_t value;

	labels(label, s, is_pf);
	for (x = m->sample; x->figure; x++) {
		if (!figures_get(&s->figures, x->figure, &value))
			continue;
		label[2] = (struct om_label){ m->label, x->value };
		if (m->unit && !strcmp(m->unit, "seconds"))
			om_sample_us(f, name, suffix, label, value);
		else
			om_sample(f, name, suffix, label, value);
	}
}

static bool has(const struct family *m, const struct subject *s, size_t n)
{
	uint64_t value;

	return n && figures_get(&s->figures, m->sample[0].figure, &value);
}

static void all_families(FILE *f, const char *prefix, const struct subject *s,
			 size_t n, bool is_pf)
{
	char name[64];
	size_t i, k;

	for (i = 0; i < NFAMILIES; i++) {
		if (!has(&families[i], s, n))
			continue;
		snprintf(name, sizeof(name), "%s%s", prefix, families[i].name);
		om_family(f, name, families[i].type, families[i].unit,
			  families[i].help);
		for (k = 0; k < n; k++)
			samples(f, name, &families[i], &s[k], is_pf);
	}
}

static void histogram(FILE *f, const struct subjects *all)
{
	static const char name[] = "nvme_vfio_command_seconds";
	struct om_label label[OM_LABELS];
	uint64_t sum, value;
	size_t i, k;

	if (!all->nvf)
		return;
	om_family(f, name, "histogram", "seconds",
		  "Time of commands to the PF, by how long they took.");
	for (k = 0; k < all->nvf; k++) {
		const struct subject *s = &all->vf[k];

		labels(label, s, false);
		for (sum = 0, i = 0; i < NBUCKETS; i++) {
			if (figures_get(&s->figures, buckets[i].figure, &value))
				sum += value;
			label[2] = (struct om_label){ "le", buckets[i].value };
			om_sample(f, name, "_bucket", label, sum);
		}
		label[2].name = NULL;
		om_sample(f, name, "_count", label, sum);
		if (!figures_get(&s->figures, "commands_us", &value))
			value = 0;
		om_sample_us(f, name, "_sum", label, value);
	}
}

/* What the driver says now, not what it has counted. */
static void states(FILE *f, const struct subjects *all)
{
	struct om_label label[OM_LABELS];
	size_t i;

	if (!all->nvf)
		return;
	om_family(f, "nvme_vfio_migratable", "gauge", NULL,
		  "Whether the VF can migrate now.");
	for (i = 0; i < all->nvf; i++) {
		labels(label, &all->vf[i], false);
		om_sample(f, "nvme_vfio_migratable", "", label,
			  all->vf[i].fn->says.can == DRIVER_YES);
	}
	om_family(f, "nvme_vfio_in_error", "gauge", NULL,
		  "Whether the migration state is ERROR.");
	for (i = 0; i < all->nvf; i++) {
		labels(label, &all->vf[i], false);
		om_sample(f, "nvme_vfio_in_error", "", label,
			  !strcmp(all->vf[i].fn->says.state, "ERROR"));
	}
}

static void quarantined(FILE *f, const struct subjects *all, bool is_pf)
{
	const char *name = is_pf ? "nvme_vfio_pf_quarantined" :
				   "nvme_vfio_quarantined";
	const struct subject *s = is_pf ? all->pf : all->vf;
	size_t i, n = is_pf ? all->npf : all->nvf;
	struct om_label label[OM_LABELS];

	if (!n)
		return;
	om_family(f, name, "gauge", NULL, "Whether it is in quarantine.");
	for (i = 0; i < n; i++) {
		labels(label, &s[i], is_pf);
		om_sample(f, name, "", label,
			  !!quarantine_word(&all->quarantine, s[i].figures.bdf));
	}
}

static void drives(FILE *f, const struct subjects *all)
{
	struct om_label label[OM_LABELS];
	size_t i;

	if (!all->npf)
		return;
	om_family(f, "nvme_vfio_pf_info", "gauge", NULL,
		  "The drive of a PF; always 1.");
	for (i = 0; i < all->npf; i++) {
		const struct host_fn *fn = all->pf[i].fn;

		labels(label, &all->pf[i], true);
		label[1] = (struct om_label){ "model", fn ? fn->model : "" };
		label[2] = (struct om_label){ "firmware", fn ? fn->firmware : "" };
		label[3] = (struct om_label){ "serial", fn ? fn->serial : "" };
		om_sample(f, "nvme_vfio_pf_info", "", label, 1);
	}
}

static void text(FILE *f, const struct subjects *all)
{
	const struct om_label version[OM_LABELS] = { { "version", VERSION } };

	om_family(f, "nvme_vfio_tool_info", "gauge", NULL,
		  "The tool that has written this; always 1.");
	om_sample(f, "nvme_vfio_tool_info", "", version, 1);
	states(f, all);
	quarantined(f, all, false);
	all_families(f, "nvme_vfio_", all->vf, all->nvf, false);
	histogram(f, all);
	drives(f, all);
	quarantined(f, all, true);
	all_families(f, "nvme_vfio_pf_", all->pf, all->npf, true);
	om_end(f);
}

/* -- where it goes ----------------------------------------------------------------- */

/* Whoever collects the file finds the old one or the new one. */
static int write_file(const char *path, const struct subjects *all)
{
	size_t len = strlen(path) + 16;
	char *temporary = malloc(len);
	int fd, err = 0;
	FILE *f;

	need_memory(temporary);
	/* No name that is collected as well: it would end as @path does. */
	snprintf(temporary, len, "%s.XXXXXX", path);
	fd = mkstemp(temporary);
	if (fd < 0) {
		err = fail(TOOL_FAILED, "%s: %s", path, strerror(errno));
		free(temporary);
		return err;
	}
	f = fdopen(fd, "w");
	need_memory(f);
	text(f, all);
	if (ferror(f) || fflush(f) || fchmod(fd, 0644))
		err = errno;
	if (fclose(f) && !err)
		err = errno;
	if (!err && rename(temporary, path))
		err = errno;
	if (err) {
		unlink(temporary);
		err = fail(TOOL_FAILED, "%s: %s", path, strerror(err));
	}
	free(temporary);
	return err;
}

static json_object *figures_json(const struct figures *f)
{
	json_object *o = json_object_new_object(), *value;
	size_t i;

	need_memory(o);
	for (i = 0; i < f->n; i++) {
		value = json_object_new_uint64(f->f[i].value);
		need_memory(value && !json_object_object_add(o, f->f[i].name,
							     value));
	}
	return o;
}

static int report(const struct subjects *all)
{
	struct report *r = report_new("metrics", "functions", columns, COLUMNS);
	size_t i;

	for (i = 0; i < all->npf + all->nvf; i++) {
		bool is_pf = i < all->npf;
		const struct subject *s = is_pf ? &all->pf[i] :
						  &all->vf[i - all->npf];

		report_row(r);
		report_text(r, ADDRESS, s->figures.bdf);
		report_text(r, ROLE, host_role_name(is_pf ? ROLE_PF : ROLE_VF));
		if (!is_pf) {
			report_text(r, PF, s->fn->pf_bdf);
			report_text(r, STATE, s->fn->says.state);
		}
		report_value(r, FIGURES, figures_json(&s->figures), NULL);
	}
	return report_print(r);
}

/* -- the command ------------------------------------------------------------------- */

static void find_vfs(struct subjects *all, struct host *h)
{
	struct subject s;
	size_t i;

	for (i = 0; i < h->n; i++) {
		if (h->fn[i].role != ROLE_VF)
			continue;
		s.fn = &h->fn[i];
		figures_of_vf(&s.figures, s.fn->bdf);
		if (!s.figures.n)
			continue;
		driver_view_read(&h->fn[i].says, s.fn->bdf);
		all->vf = realloc(all->vf, (all->nvf + 1) * sizeof(s));
		need_memory(all->vf);
		all->vf[all->nvf++] = s;
	}
}

static void find_pfs(struct subjects *all, struct host *h)
{
	struct figures *list;
	size_t i;

	figures_of_pfs(&list, &all->npf);
	all->pf = calloc(all->npf + 1, sizeof(*all->pf));
	need_memory(all->pf);
	for (i = 0; i < all->npf; i++) {
		all->pf[i].figures = list[i];
		all->pf[i].fn = host_find(h, list[i].bdf);
	}
	free(list);
}

enum { KEY_OUTPUT = 256 };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const char **output = state->input;

	switch (key) {
	case KEY_OUTPUT:
		if (!*arg)
			argp_error(state, "--output needs the name of a file");
		*output = arg;
		return 0;
	case ARGP_KEY_END:
		if (*output && tool.json)
			argp_error(state, "--output and --json exclude each other");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "output", KEY_OUTPUT, "FILE", 0, "Write to FILE, which is replaced at once", 0 },
	{ }
};

static const struct argp argp = {
	.options = options, .parser = parse,
	.doc = "Prints what the driver has counted of each VF and PF as "
	       "OpenMetrics text, which the textfile collector of "
	       "Prometheus' node exporter reads.",
};

int cmd_metrics(int argc, char **argv)
{
	const char *output = NULL;
	struct subjects all = { };
	struct host h = { };
	int err;

	tool_parse(&argp, argc, argv, &output);
	err = host_load(&h);
	if (!err) {
		find_vfs(&all, &h);
		find_pfs(&all, &h);
		quarantine_load(&all.quarantine);
		if (tool.json)
			err = report(&all);
		else if (output)
			err = write_file(output, &all);
		else
			text(stdout, &all);
	}
	free(all.vf);
	free(all.pf);
	quarantine_free(&all.quarantine);
	host_free(&h);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * list.c - "list": what can be migrated, and why the rest cannot.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/report.h"
#include "cmd.h"
#include "doctor/inventory.h"
#include "host/driver_view.h"
#include "host/host.h"
#include "host/pf_query.h"
#include "host/quarantine.h"

enum {
	ADDRESS, ROLE, PF, VF, DRIVER, OVERRIDE, CONTROLLER, CNTLID, QUEUES,
	INTERRUPTS, ONLINE, NAMESPACES, DIGEST, GROUP, CDEV, USERS, MIGRATABLE, REASON,
	CLASS, QUARANTINE, SERIAL, MODEL, FIRMWARE, VFS, SET, NQN, VFS_MAX, SAYS, COLUMNS
};

/* one table of drives, one of VFs */
enum { DRIVES, VFUNCTIONS };

#define OF_DRIVES	(1u << DRIVES)
#define OF_VFS		(1u << VFUNCTIONS)

static const struct report_column columns[COLUMNS] = {
	[ADDRESS]	= { "address", "ADDRESS", "PCI address",
			    .in = OF_DRIVES | OF_VFS },
	[ROLE]		= { "role", "ROLE", "pf, vf, or drive: without SR-IOV",
			    .extra = true },
	[PF]		= { "pf", "PF", "of a VF: its PF's address",
			    .extra = true },
	[VF]		= { "vf", "VF", "of a VF: its number, from 1",
			    .right = true, .extra = true },
	[DRIVER]	= { "driver", "DRIVER", "what it is bound to",
			    .in = OF_DRIVES | OF_VFS },
	[OVERRIDE]	= { "driver_override", "OVERRIDE",
			    "the only driver it may be bound to", .extra = true },
	[CONTROLLER]	= { "controller", "CONTROLLER",
			    "the nvme driver's name for it", .extra = true },
	[CNTLID]	= { "controller_id", "CNTLID", "NVMe controller id",
			    .right = true, .extra = true },
	[QUEUES]	= { "queues", "QUEUES", "of a VF: queues given to it",
			    .right = true, .in = OF_VFS },
	[INTERRUPTS]	= { "interrupts", "INTR",
			    "of a VF: interrupts given to it",
			    .right = true, .in = OF_VFS },
	[ONLINE]	= { "online", "ONLINE", "the controller is online",
			    .in = OF_VFS },
	[NAMESPACES]	= { "namespaces", "NSID",
			    "namespaces attached to it", .in = OF_VFS },
	[DIGEST]	= { "namespace_digest", "DIGEST",
			    "number that identifies its set of namespaces",
			    .extra = true },
	[GROUP]		= { "iommu_group", "GROUP", "IOMMU group",
			    .right = true, .extra = true },
	[CDEV]		= { "vfio_device", "VFIO",
			    "its name in /dev/vfio/devices", .extra = true },
	[USERS]		= { "users", "USERS", "processes that have it open",
			    .in = OF_VFS },
	[SERIAL]	= { "serial", "SERIAL", "serial number",
			    .in = OF_DRIVES },
	[MODEL]		= { "model", "MODEL", "model number", .cut = true,
			    .in = OF_DRIVES },
	[FIRMWARE]	= { "firmware", "FIRMWARE", "firmware revision",
			    .in = OF_DRIVES },
	[VFS]		= { "vfs", "VFS",
			    "of a PF: VFs that exist/VFs that it can have",
			    .right = true, .in = OF_DRIVES },
	[SET]		= { "command_set", "COMMANDS",
			    "migration commands of the PF: standard or vendor",
			    .in = OF_DRIVES },
	[MIGRATABLE]	= { "migratable", "MIGRATABLE",
			    "of a VF: yes, no, or ?: not known",
			    .in = OF_VFS },
	[REASON]	= { "reason", "REASON",
			    "why it cannot migrate; of a PF: what its VFs offer",
			    .wrap = true, .extra = true },
	[CLASS]		= { "class", "CLASS",
			    "of a VF: VFs of one class can move to each other",
			    .extra = true },
	[QUARANTINE]	= { "quarantine", "QUARANTINE",
			    "why it is in quarantine: error, reset",
			    .extra = true },
	[NQN]		= { "nqn", "NQN", "NVMe qualified name",
			    .extra = true },
	[VFS_MAX]	= { "vfs_max", "MAXVFS", "of a PF: VFs that it can have",
			    .right = true, .extra = true },
	[SAYS]		= { "driver_says" },
};

/* Numbers with commas between them, in a table's cell. */
static void namespaces(struct report *r, const struct host_fn *fn)
{
	json_object *list;
	char *text = NULL;
	size_t len, i;
	char digest[20], brief[40];
	FILE *f;

	if (!fn->nsid)
		return;
	if (fn->namespaces.known) {
		snprintf(digest, sizeof(digest), "%016llx",
			 (unsigned long long)ns_get64(&fn->namespaces.digest));
		report_text(r, DIGEST, digest);
	}
	list = json_object_new_array();
	f = open_memstream(&text, &len);
	for (i = 0; list && f && i < fn->nns; i++) {
		json_object_array_add(list, json_object_new_int64(fn->nsid[i]));
		fprintf(f, "%s%u", i ? "," : "", fn->nsid[i]);
	}
	if (f && !fclose(f))
		report_value(r, NAMESPACES, list, fn->nns ? text : "none");
	free(text);
	if (fn->nns > 1) {
		snprintf(brief, sizeof(brief), "%u +%zu", fn->nsid[0],
			 fn->nns - 1);
		report_short(r, NAMESPACES, brief);
	}
}

#define NAME_SHORT	6	/* letters of a process's name */

/* "qemu(4711) +1": the first process, and how many more there are. */
static void users_short(struct report *r, const struct host_fn *fn)
{
	char text[64];
	size_t len;

	if (!fn->nusers)
		return;
	len = strlen(fn->users[0].name);
	if (len > NAME_SHORT)
		len = strcspn(fn->users[0].name, "-");
	if (!len || len > NAME_SHORT)
		len = NAME_SHORT;
	len = snprintf(text, sizeof(text), "%.*s(%d)", (int)len,
		       fn->users[0].name, (int)fn->users[0].pid);
	if (fn->nusers > 1)
		snprintf(text + len, sizeof(text) - len, " +%zu",
			 fn->nusers - 1);
	report_short(r, USERS, text);
}

static void users(struct report *r, const struct host_fn *fn)
{
	json_object *list = json_object_new_array();
	char *text = NULL;
	size_t len, i;
	FILE *f;

	f = open_memstream(&text, &len);
	for (i = 0; list && f && i < fn->nusers; i++) {
		json_object *user = json_object_new_object();

		json_object_object_add(user, "pid",
			json_object_new_int(fn->users[i].pid));
		json_object_object_add(user, "name",
			json_object_new_string(fn->users[i].name));
		json_object_array_add(list, user);
		fprintf(f, "%s%s(%d)", i ? "," : "", fn->users[i].name,
			(int)fn->users[i].pid);
	}
	if (f && !fclose(f))
		report_value(r, USERS, list, fn->nusers ? text : NULL);
	free(text);
	users_short(r, fn);
}

/* This does not apply to a PF, and unknown is not false. */
static void migratable(struct report *r, const struct host_fn *fn)
{
	report_text(r, SET, host_set_name(fn->set));
	report_text(r, REASON, fn->why);
	report_value(r, SAYS, driver_view_json(&fn->says), NULL);
	if (fn->role == ROLE_VF && !fn->unknown)
		report_flag(r, MIGRATABLE, !fn->why, "yes", "no");
	else if (fn->role == ROLE_VF)
		report_value(r, MIGRATABLE, NULL, "?");
	else if (fn->role == ROLE_PLAIN)
		report_flag(r, MIGRATABLE, false, NULL, NULL);
	if (fn->why && (fn->role == ROLE_VF || !fn->set))
		report_note(r, "%s: %s", fn->bdf, fn->why);
}

static void of_pf(struct report *r, const struct host_fn *fn)
{
	char text[32];

	snprintf(text, sizeof(text), "%u/%u", fn->numvfs, fn->totalvfs);
	report_value(r, VFS, json_object_new_int64(fn->numvfs), text);
	report_number(r, VFS_MAX, fn->totalvfs);
}

static void quarantined(struct report *r, const struct host_fn *fn,
			const struct quarantine *q)
{
	const char *word = quarantine_word(q, fn->bdf);

	if (!word)
		return;
	report_text(r, QUARANTINE, word);
	report_note(r, "%s: in quarantine: %s", fn->bdf, quarantine_text(word));
}

static void row(struct report *r, const struct host_fn *fn)
{
	report_row_in(r, fn->role == ROLE_VF ? VFUNCTIONS : DRIVES);
	report_text(r, ADDRESS, fn->bdf);
	report_text(r, ROLE, host_role_name(fn->role));
	report_text(r, DRIVER, fn->driver);
	report_text(r, OVERRIDE, fn->override);
	report_text(r, CONTROLLER, fn->ctrl);
	if (fn->role == ROLE_VF) {
		report_text(r, PF, fn->pf_bdf);
		report_number(r, VF, fn->vfn);
	}
	if (fn->listed) {
		report_number(r, CNTLID, fn->cntlid);
		report_flag(r, ONLINE, fn->online, "yes", "no");
		namespaces(r, fn);
	}
	if (fn->listed && fn->role == ROLE_VF) {
		report_number(r, QUEUES, fn->nvq);
		report_number(r, INTERRUPTS, fn->nvi);
	}
	if (fn->iommu_group >= 0)
		report_number(r, GROUP, fn->iommu_group);
	report_text(r, CDEV, fn->cdev);
	users(r, fn);
	migratable(r, fn);
	report_text(r, SERIAL, fn->serial);
	report_text(r, NQN, fn->nqn);
	report_text(r, MODEL, fn->model);
	report_text(r, FIRMWARE, fn->firmware);
	if (fn->role == ROLE_PF)
		of_pf(r, fn);
}

/* By what a report of "doctor" would say, which has the same functions. */
static const char *class_of(json_object *functions, size_t at)
{
	json_object *o = json_object_array_get_idx(functions, at);

	return json_object_get_string(json_object_object_get(o, "class"));
}

struct list_options {
	struct report_look look;
	bool all;
	char **name;
	int n;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct list_options *o = state->input;

	switch (key) {
	case 'a':
		o->all = true;
		return 0;
	case 'n':
		o->look.noheadings = true;
		return 0;
	case 'o':
		o->look.columns = arg;
		return 0;
	case 'P':
		o->look.pairs = true;
		return 0;
	case 'r':
		o->look.raw = true;
		return 0;
	case ARGP_KEY_END:
		if (o->look.raw && o->look.pairs)
			argp_error(state, "--raw and --pairs exclude each other");
		return 0;
	case ARGP_KEY_ARGS:
		o->name = state->argv + state->next;
		o->n = state->argc - state->next;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "all", 'a', NULL, 0, "List drives without SR-IOV as well", 0 },
	{ "noheadings", 'n', NULL, 0, "No headings, and no reasons below the table", 0 },
	{ "output", 'o', "COL[,COL...]", 0,
	  "One table with these columns; +COL: these beside the usual ones", 0 },
	{ "pairs", 'P', NULL, 0, "One table, as NAME=\"value\"", 0 },
	{ "raw", 'r', NULL, 0, "One table, with one space between cells", 0 },
	{ }
};

static char *help_filter(int key, const char *text, void *input)
{
	size_t len = 0, i;
	char *help = NULL;
	FILE *f;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	f = open_memstream(&help, &len);
	if (!f)
		return (char *)text;
	fputs("Columns:\n", f);
	for (i = 0; i < COLUMNS; i++)
		if (columns[i].head)
			fprintf(f, "  %-11s %s\n", columns[i].head, columns[i].what);
	fputs("\nColumns do not change what --json prints.", f);
	if (fclose(f)) {
		free(help);
		return (char *)text;
	}
	return help;
}

static const struct argp argp = {
	.options = options, .parser = parse, .args_doc = "[FUNCTION...]",
	.doc = "Lists VFs and the PFs that can have VFs, or the "
	       "FUNCTIONs named by address or controller, and whether each can "
	       "migrate, and how.",
	.help_filter = help_filter,
};

static bool wanted(const struct list_options *o, struct host *h,
		   const struct host_fn *fn)
{
	int i;

	for (i = 0; i < o->n; i++)
		if (host_find(h, o->name[i]) == fn)
			return true;
	return !o->n && (o->all || fn->role != ROLE_PLAIN);
}

static int list(const struct list_options *o, struct host *h, struct report *r)
{
	json_object *functions = NULL;
	struct quarantine q = { };
	bool any = false;
	int i, err;
	size_t k;

	err = host_load(h);
	for (i = 0; !err && i < o->n; i++)
		if (!host_find(h, o->name[i]))
			err = fail(TOOL_NODEV, "%s: no such NVMe function",
				   o->name[i]);
	if (!err)
		err = host_users(h);
	if (!err)
		err = pf_query_all(h);
	if (!err && report_shows(r, CLASS))
		functions = inventory_classes(h);
	if (!err)
		quarantine_load(&q);
	for (k = 0; !err && k < h->n; k++) {
		if (!wanted(o, h, &h->fn[k]))
			continue;
		row(r, &h->fn[k]);
		quarantined(r, &h->fn[k], &q);
		if (functions)
			report_text(r, CLASS, class_of(functions, k));
		any = true;
	}
	json_object_put(functions);
	quarantine_free(&q);
	if (!err && !any && !tool.json)
		warn("no NVMe drive %s", o->all ? "on this host" :
		     "with SR-IOV on this host; --all also lists drives without SR-IOV");
	return err;
}

int cmd_list(int argc, char **argv)
{
	struct list_options o = { };
	struct host h = { };
	struct report *r;
	int err;

	tool_parse(&argp, argc, argv, &o);
	r = report_new("list", "functions", columns, COLUMNS);
	err = report_look(r, &o.look);
	if (!err)
		err = list(&o, &h, r);
	if (err)
		report_free(r);
	else
		err = report_print(r);
	/* An incomplete answer must not look complete. */
	if (!err && h.n && geteuid())
		err = fail(TOOL_PERM, "not root: what only the drives know is not shown");
	host_free(&h);
	return err;
}

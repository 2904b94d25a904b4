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
#include "host/host.h"
#include "host/pf_query.h"

enum {
	ADDRESS, ROLE, PF, VF, DRIVER, OVERRIDE, CONTROLLER, CNTLID, QUEUES,
	INTERRUPTS, ONLINE, NAMESPACES, GROUP, CDEV, USERS, SET, MIGRATABLE,
	REASON, SERIAL, NQN, MODEL, FIRMWARE, VFS, VFS_MAX, COLUMNS
};

static const struct report_column columns[COLUMNS] = {
	[ADDRESS]	= { "address", "ADDRESS" },
	[ROLE]		= { "role", "ROLE" },
	[PF]		= { "pf" },
	[VF]		= { "vf" },
	[DRIVER]	= { "driver", "DRIVER" },
	[OVERRIDE]	= { "driver_override" },
	[CONTROLLER]	= { "controller" },
	[CNTLID]	= { "controller_id", "ID", .right = true },
	[QUEUES]	= { "queues", "QUEUES", .right = true },
	[INTERRUPTS]	= { "interrupts", "INTR", .right = true },
	[ONLINE]	= { "online", "ONLINE" },
	[NAMESPACES]	= { "namespaces", "NSID" },
	[GROUP]		= { "iommu_group", "GROUP", .right = true },
	[CDEV]		= { "vfio_device" },
	[USERS]		= { "users", "USED BY" },
	[SET]		= { "command_set" },
	[MIGRATABLE]	= { "migratable", "MIGRATABLE", .wrap = true },
	[REASON]	= { "reason" },
	[SERIAL]	= { "serial" },
	[NQN]		= { "nqn" },
	[MODEL]		= { "model" },
	[FIRMWARE]	= { "firmware" },
	[VFS]		= { "vfs" },
	[VFS_MAX]	= { "vfs_max" },
};

/* Numbers with commas between them, in a table's cell. */
static void namespaces(struct report *r, const struct host_fn *fn)
{
	json_object *list;
	char *text = NULL;
	size_t len, i;
	FILE *f;

	if (!fn->nsid)
		return;
	list = json_object_new_array();
	f = open_memstream(&text, &len);
	for (i = 0; list && f && i < fn->nns; i++) {
		json_object_array_add(list, json_object_new_int64(fn->nsid[i]));
		fprintf(f, "%s%u", i ? "," : "", fn->nsid[i]);
	}
	if (f && !fclose(f))
		report_value(r, NAMESPACES, list, fn->nns ? text : "none");
	free(text);
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
}

static void migratable(struct report *r, const struct host_fn *fn)
{
	char *text = NULL;

	report_text(r, SET, host_set_name(fn->set));
	report_text(r, REASON, fn->why);
	if (fn->why && asprintf(&text, "no: %s", fn->why) < 0)
		text = NULL;
	report_flag(r, MIGRATABLE, !fn->why, host_set_name(fn->set), text);
	free(text);
}

static void row(struct report *r, const struct host_fn *fn)
{
	report_row(r);
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
	if (fn->role == ROLE_PF) {
		report_number(r, VFS, fn->numvfs);
		report_number(r, VFS_MAX, fn->totalvfs);
	}
}

struct list_options {
	bool all;
	char **name;
	int n;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct list_options *o = state->input;

	(void)arg;
	switch (key) {
	case 'a':
		o->all = true;
		return 0;
	case ARGP_KEY_ARGS:
		o->name = state->argv + state->next;
		o->n = state->argc - state->next;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "all", 'a', NULL, 0, "Drives without SR-IOV as well", 0 },
	{ }
};

static const struct argp argp = {
	.options = options, .parser = parse, .args_doc = "[FUNCTION...]",
	.doc = "Lists NVMe functions that have or are VFs, or the FUNCTIONs "
	       "named by address or controller, and whether and how each can "
	       "migrate.",
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

int cmd_list(int argc, char **argv)
{
	struct list_options o = { };
	struct report *r;
	struct host h;
	int err, i;
	size_t k;

	tool_parse(&argp, argc, argv, &o);
	err = host_load(&h);
	for (i = 0; !err && i < o.n; i++)
		if (!host_find(&h, o.name[i]))
			err = fail(TOOL_NODEV, "%s: no such NVMe function",
				   o.name[i]);
	if (!err)
		err = host_users(&h);
	if (!err)
		err = pf_query_all(&h);
	if (!err) {
		r = report_new("list", "functions", columns, COLUMNS);
		for (k = 0; k < h.n; k++)
			if (wanted(&o, &h, &h.fn[k]))
				row(r, &h.fn[k]);
		err = report_print(r);
		/* Half an answer must not look like a whole one. */
		if (!err && h.n && geteuid())
			err = fail(TOOL_PERM, "not root: what only the drives know is missing");
	}
	host_free(&h);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * driver_view.c - what our driver says about a function that is bound to it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool.h"
#include "driver_view.h"
#include "host.h"
#include "util.h"

/* What is not known, missing or not a line of text is empty. */
static void get(char *value, size_t len, const char *bdf, const char *name)
{
	if (sysfs_read(value, len, HOST_PCI "/%s/nvme_vfio/%s", bdf, name) < 0 ||
	    !strcmp(value, "unknown"))
		*value = 0;
	value[strcspn(value, "\n")] = 0;
}

void driver_view_read(struct driver_view *v, const char *bdf)
{
	char cntlid[16], *end;

	*v = (struct driver_view){ .cntlid = -1 };
#define GET(name)	get(v->name, sizeof(v->name), bdf, #name)
	GET(command_set);
	GET(format);
	GET(tracking);
	GET(migratable);
	GET(reason);
	GET(state);
	GET(last_error);
#undef GET
	get(cntlid, sizeof(cntlid), bdf, "cntlid");
	if (*cntlid) {
		v->cntlid = strtol(cntlid, &end, 10);
		if (*end || v->cntlid < 0 || v->cntlid > 0xffff)
			v->cntlid = -1;
	}
	if (!strcmp(v->migratable, "yes"))
		v->can = DRIVER_YES;
	else if (!strcmp(v->migratable, "not now"))
		v->can = DRIVER_NOT_NOW;
	else if (!strcmp(v->migratable, "no"))
		v->can = DRIVER_NO;
}

const char *driver_view_text(const struct driver_view *v, char *text, size_t len)
{
	char controller[40] = "";

	*text = 0;
	if (v->cntlid >= 0)
		snprintf(controller, sizeof(controller), ", controller %ld",
			 v->cntlid);
	if (v->can == DRIVER_YES)
		snprintf(text, len, "can migrate: %s command set%s, %s dirty tracking",
			 *v->command_set ? v->command_set : "unknown", controller,
			 strcmp(v->tracking, "yes") ? "without" : "with");
	else if (v->can != DRIVER_UNKNOWN)
		snprintf(text, len, "cannot migrate%s: %s",
			 v->can == DRIVER_NOT_NOW ? " for now" : "",
			 *v->reason ? v->reason : "for a reason that it does not give");
	return text;
}

static void add(json_object *o, const char *key, json_object *value)
{
	if (json_object_object_add(o, key, value))
		exit(fail(TOOL_FAILED, "out of memory"));
}

static void add_text(json_object *o, const char *key, const char *s)
{
	json_object *value = *s ? json_object_new_string(s) : NULL;

	if (*s && !value)
		exit(fail(TOOL_FAILED, "out of memory"));
	add(o, key, value);
}

json_object *driver_view_json(const struct driver_view *v)
{
	json_object *o;

	if (v->can == DRIVER_UNKNOWN)
		return NULL;
	o = json_object_new_object();
	if (!o)
		exit(fail(TOOL_FAILED, "out of memory"));
	add_text(o, "migratable", v->migratable);
	add_text(o, "reason", v->reason);
	add_text(o, "command_set", v->command_set);
	add(o, "controller_id", v->cntlid < 0 ? NULL :
	    json_object_new_int64(v->cntlid));
	add_text(o, "format", v->format);
	add_text(o, "tracking", v->tracking);
	add_text(o, "state", v->state);
	add_text(o, "last_error", v->last_error);
	return o;
}

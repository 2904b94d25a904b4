// SPDX-License-Identifier: GPL-2.0-only
/*
 * inventory-json.c - what is known about this host and its functions, in the
 * schema of docs/tool-json.md.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/tool.h"
#include "class-facts.h"
#include "inventory.h"
#include "report-lists.h"
#include "util.h"
#include "vfio_uapi.h"

static void add(json_object *o, const char *key, json_object *value)
{
	if (json_object_object_add(o, key, value))
		exit(fail(TOOL_FAILED, "out of memory"));
}

static json_object *object(void)
{
	json_object *o = json_object_new_object();

	if (!o)
		exit(fail(TOOL_FAILED, "out of memory"));
	return o;
}

static json_object *text(const char *s)
{
	return s && *s ? json_object_new_string(s) : NULL;
}

static json_object *version(const struct version *v)
{
	char s[64];

	if (!v->known)
		return NULL;
	snprintf(s, sizeof(s), "%u.%u.%u", v->major, v->minor, v->micro);
	return text(s);
}

json_object *inventory_host(const struct checkup *c)
{
	json_object *o = object();
	char s[32];

	add(o, "name", text(c->name));
	add(o, "machine", text(c->machine));
	add(o, "kernel", text(c->release));
	add(o, "dirty_tracking", c->tracking == TRACKING_UNKNOWN ? NULL :
	    json_object_new_boolean(c->tracking == TRACKING_YES));
	add(o, "qemu", version(&c->qemu));
	add(o, "libvirt", version(&c->libvirt));
	add(o, "max_state_mb",
	    sysfs_read(s, sizeof(s), "/sys/module/nvme_vfio_pci/parameters/max_state_mb") > 0 ?
	    json_object_new_int64(atoll(s)) : NULL);
	return o;
}

static json_object *offers(const struct fn_facts *f)
{
	json_object *list;

	if (!f->tried || *f->trouble)
		return NULL;
	list = json_object_new_array();
	if (f->flags & VFIO_MIGRATION_STOP_COPY)
		json_object_array_add(list, text("stop-copy"));
	if (f->flags & VFIO_MIGRATION_P2P)
		json_object_array_add(list, text("p2p"));
	if (f->flags & VFIO_MIGRATION_PRE_COPY)
		json_object_array_add(list, text("pre-copy"));
	if (f->log)
		json_object_array_add(list, text("dirty-tracking"));
	return list;
}

/* The words of its PF's policy; a driver without policies uses the defaults. */
static json_object *policy(const struct host_fn *fn)
{
	char all[4096], *line, *rest = all;
	size_t len = strlen(fn->pf_bdf);

	if (sysfs_read(all, sizeof(all), "/sys/bus/pci/drivers/" TOOL_DRIVER "/policy") < 0)
		*all = 0;
	while ((line = strsep(&rest, "\n")))
		if (!strncmp(line, fn->pf_bdf, len) && line[len] == ' ')
			return text(line + len + 1);
	return json_object_new_string("");
}

static void add_namespaces(json_object *o, const struct host_fn *fn)
{
	const struct stream_namespaces *ns = &fn->namespaces;
	bool known = fn->role == ROLE_VF && ns->known;
	char s[32];

	snprintf(s, sizeof(s), "%016llx",
		 (unsigned long long)ns_get64(&ns->digest));
	add(o, "namespace_digest", known ? text(s) : NULL);
	add(o, "namespace_count",
	    known ? json_object_new_int64(ns_get32(&ns->count)) : NULL);
	add(o, "namespaces", known ? report_namespaces(ns) : NULL);
}

/* By what the report says, as everybody will who reads it. */
static json_object *class_of(json_object *host, json_object *vf)
{
	struct class_facts facts;
	char id[CLASS_ID_LEN];

	return class_facts(host, vf, &facts) || !class_id(&facts, id) ? NULL : text(id);
}

static json_object *function(struct checkup *c, const struct host_fn *fn,
			     json_object *host)
{
	const struct host_fn *pf = fn->role == ROLE_VF ? fn->pf : fn;
	const struct fn_facts *f = facts_of(c, fn);
	json_object *o = object();
	bool known = pf && pf->asked;
	bool format = known && pf->has_format;
	bool counted = fn->role == ROLE_VF && fn->listed;
	char s[32];

	add(o, "address", text(fn->bdf));
	add(o, "role", text(host_role_name(fn->role)));
	add(o, "pf", fn->role == ROLE_VF ? text(fn->pf_bdf) : NULL);
	add(o, "vf", fn->role == ROLE_VF ? json_object_new_int64(fn->vfn) :
					   NULL);
	snprintf(s, sizeof(s), "%04x:%04x", fn->vendor, fn->device);
	add(o, "pci_id", text(s));
	add(o, "model", pf ? text(pf->model) : NULL);
	add(o, "firmware", pf ? text(pf->firmware) : NULL);
	add(o, "command_set", text(host_set_name(fn->set)));
	if (known)
		snprintf(s, sizeof(s), "%u.%u.%u", pf->nvme_version >> 16,
			 pf->nvme_version >> 8 & 0xff,
			 pf->nvme_version & 0xff);
	add(o, "nvme_version", known ? text(s) : NULL);
	add(o, "state_version",
	    format ? json_object_new_int64(pf->format.version) : NULL);
	add(o, "state_uuid", format ? report_bytes(pf->format.uuid, sizeof(pf->format.uuid)) : NULL);
	add(o, "state_formats",
	    format ? report_formats(pf->formats) : NULL);
	add(o, "tracks_memory",
	    known ? json_object_new_boolean(pf->track_memory) : NULL);
	add(o, "queues", counted ? json_object_new_int64(fn->nvq) : NULL);
	add(o, "interrupts", counted ? json_object_new_int64(fn->nvi) : NULL);
	add_namespaces(o, fn);
	add(o, "policy", fn->role == ROLE_VF ? policy(fn) : NULL);
	add(o, "offers", fn->role == ROLE_VF ? offers(f) : NULL);
	add(o, "state_bytes",
	    f->state_bytes ? json_object_new_int64(f->state_bytes) : NULL);
	add(o, "driver_says", driver_view_json(&fn->says));
	add(o, "class", fn->role == ROLE_VF ? class_of(host, o) : NULL);
	return o;
}

json_object *inventory_functions(struct checkup *c, const struct host_fn *only,
				 json_object *host)
{
	json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; list && i < c->host->n; i++)
		if (inventory_wanted(&c->host->fn[i], only))
			json_object_array_add(list,
					      function(c, &c->host->fn[i], host));
	return list;
}

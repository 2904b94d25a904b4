// SPDX-License-Identifier: GPL-2.0-only
/*
 * class-facts.c - from the words of a report to what a class is made of.
 */
#include <string.h>

#include "base/tool.h"
#include "class-facts.h"
#include "peer-identity.h"

#define REPORT_AGAIN	"Make the report again as root, with this version of " TOOL_NAME "."
#define SAME_MODEL	"Use drives of the same model."
#define SAME_FIRMWARE	"Give both drives the same firmware."
#define SAME_CONFIG	"Give both VFs the same number, in /etc/" TOOL_NAME "."

enum {
	GAP_MACHINE, GAP_SET, GAP_MODEL, GAP_FIRMWARE, GAP_PCI_ID,
	GAP_NVME_VERSION, GAP_FORMAT, GAP_QUEUES, GAP_INTERRUPTS, GAP_TRACKING,
	GAP_KERNEL, GAP_LIMIT, GAP_POLICY, GAP_NO_FORMAT, GAP_NAMESPACES, GAP_STREAM,
	GAPS
};

static const struct class_gap gap[GAPS] = {
	[GAP_MACHINE] = { "machine", "the processor is not known",
			  REPORT_AGAIN },
	[GAP_SET] = { "command_set", "its PF is not known to have migration commands",
		      "See pf-capability of " TOOL_NAME " doctor there." },
	[GAP_MODEL] = { "model", "the model is not known",
			"Bind the PF to nvme, and make the report again." },
	[GAP_FIRMWARE] = { "firmware", "the firmware is not known",
			   "Bind the PF to nvme, and make the report again." },
	[GAP_PCI_ID] = { "pci_id", "the PCI id is not known", REPORT_AGAIN },
	[GAP_NVME_VERSION] = { "nvme_version", "the NVMe version is not known",
			       REPORT_AGAIN },
	[GAP_FORMAT] = { "state_version", "the format of state is not known",
			 REPORT_AGAIN },
	[GAP_QUEUES] = { "queues", "the PF does not list the VF", REPORT_AGAIN },
	[GAP_INTERRUPTS] = { "interrupts", "the PF does not list the VF",
			     REPORT_AGAIN },
	[GAP_TRACKING] = { "tracks_memory", "it is not known whether the drive tracks writes to memory",
			   REPORT_AGAIN },
	[GAP_KERNEL] = { "dirty_tracking", "it is not known whether the kernel tracks writes to memory",
			 REPORT_AGAIN },
	[GAP_LIMIT] = { "max_state_mb", "the driver is not loaded, whose limit and policy count",
			"Run modprobe " TOOL_DRIVER " there, and make the report again." },
	[GAP_POLICY] = { "policy", "the policy of the PF is not known or not understood",
			 REPORT_AGAIN },
	[GAP_NO_FORMAT] = { "policy", "the policy names a format of state that the drive does not have",
			    "Change policy = format=... in /etc/" TOOL_NAME " there, and run " TOOL_NAME " apply." },
	[GAP_NAMESPACES] = { "policy", "unknown=refuse, and the drive does not tell enough of the namespaces: no state is taken",
			     "Change policy = unknown=... in /etc/" TOOL_NAME " there, and run " TOOL_NAME " apply." },
	[GAP_STREAM] = { "policy", "unknown=refuse with stream=1: it would not take its own state",
			 "Change policy = stream=... in /etc/" TOOL_NAME " there, and run " TOOL_NAME " apply." },
};

/* By part: the key in class_text(), and what would make it the same. */
static const struct {
	const char *key;
	const char *cure;
} part_of[CLASS_PARTS] = {
	[IDENTITY_CMDSET] = { "command_set", SAME_MODEL },
	[IDENTITY_MODEL] = { "model", SAME_MODEL },
	[IDENTITY_FIRMWARE] = { "firmware", SAME_FIRMWARE },
	[IDENTITY_PCI_ID] = { "pci_id", SAME_MODEL },
	[IDENTITY_NVME_VERSION] = { "nvme_version", SAME_FIRMWARE },
	[IDENTITY_FORMAT] = { "format", "Give both drives the same firmware, or name a format that both have: policy = format=VERSION in /etc/" TOOL_NAME "." },
	[IDENTITY_QUEUES] = { "queues", SAME_CONFIG },
	[IDENTITY_INTERRUPTS] = { "interrupts", SAME_CONFIG },
	[CLASS_MACHINE] = { "machine", NULL },
	[CLASS_TRACKING] = { "tracking", "Use drives and kernels that track on both hosts, or tell QEMU enable-migration=on." },
	[CLASS_LIMIT] = { "max_state_mb", "Give module " TOOL_DRIVER " the same max_state_mb on both hosts." },
	[CLASS_MEDIA] = { "media", "Give both hosts the same policy = media=... in /etc/" TOOL_NAME "." },
	[CLASS_BLOCKS] = { "blocks", "Format the namespaces alike: nvme format." },
	[CLASS_NAMESPACES] = { "namespaces", "Give both hosts the same policy = unknown=... in /etc/" TOOL_NAME "." },
	[CLASS_STREAM] = { "stream", "Leave stream=1 out of the policy in /etc/" TOOL_NAME "." },
};

const char *class_part_key(unsigned int part)
{
	return part < CLASS_PARTS && part_of[part].key ? part_of[part].key :
							 "other";
}

const char *class_key_cure(const char *key)
{
	unsigned int i;

	if (!strcmp(key, "match"))
		return "Give both hosts the same policy = match=... in /etc/" TOOL_NAME ".";
	for (i = 0; i < CLASS_PARTS; i++)
		if (part_of[i].key && !strcmp(part_of[i].key, key))
			return part_of[i].cure;
	return NULL;
}

static json_object *typed(json_object *o, const char *key, json_type type)
{
	json_object *v = json_object_object_get(o, key);

	return json_object_is_type(v, type) ? v : NULL;
}

static bool machine(json_object *host, struct class_facts *f)
{
	json_object *v = typed(host, "machine", json_type_string);
	const char *s = json_object_get_string(v);
	size_t len = s ? strlen(s) : 0;

	if (!len || len >= sizeof(f->machine) ||
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != len)
		return false;
	memcpy(f->machine, s, len + 1);
	return true;
}

/* What only the standard set must say: the vendor set has one format, and does without the list. */
static const struct class_gap *parts(const struct peer_identity *p)
{
	static const struct {
		enum identity_part part;
		int gap;
		bool vendor;
	} need[] = {
		{ IDENTITY_CMDSET, GAP_SET, true },
		{ IDENTITY_MODEL, GAP_MODEL, true },
		{ IDENTITY_FIRMWARE, GAP_FIRMWARE, true },
		{ IDENTITY_PCI_ID, GAP_PCI_ID, true },
		{ IDENTITY_NVME_VERSION, GAP_NVME_VERSION, true },
		{ IDENTITY_FORMAT, GAP_FORMAT },
		{ IDENTITY_QUEUES, GAP_QUEUES },
		{ IDENTITY_INTERRUPTS, GAP_INTERRUPTS },
	};
	bool vendor = ns_get32(&p->id.cmdset) == CMDSET_VENDOR_2022;
	size_t i;

	for (i = 0; i < sizeof(need) / sizeof(*need); i++)
		if (!p->known[need[i].part] && (need[i].vendor || !vendor))
			return &gap[need[i].gap];
	/* The one has two parts of a state, the other one. */
	return vendor ? p->id.has_uuid || p->id.state_version ? &gap[GAP_FORMAT] : NULL :
	       p->id.has_uuid ? NULL : &gap[GAP_FORMAT];
}

static const struct class_gap *tracking(json_object *host, json_object *vf,
					struct class_facts *f)
{
	json_object *drive = typed(vf, "tracks_memory", json_type_boolean);
	json_object *kernel = typed(host, "dirty_tracking", json_type_boolean);

	if (ns_get32(&f->id.cmdset) != CMDSET_STANDARD)
		return NULL;
	if (!drive)
		return &gap[GAP_TRACKING];
	if (!json_object_get_boolean(drive))
		return NULL;
	if (!kernel)
		return &gap[GAP_KERNEL];
	f->tracking = json_object_get_boolean(kernel);
	return NULL;
}

static bool limit(json_object *host, json_object *vf, struct class_facts *f)
{
	json_object *max = typed(host, "max_state_mb", json_type_int);
	json_object *size = typed(vf, "state_bytes", json_type_int);
	int64_t mb = json_object_get_int64(max);

	if (!max || mb < 0 || mb > UINT32_MAX)
		return false;
	f->limit_mb = mb;
	if (json_object_get_int64(size) > 0)
		f->state_bytes = json_object_get_int64(size);
	return true;
}

/* What takes nothing from its like can move nowhere. */
static const struct class_gap *alone(const struct class_facts *f)
{
	unsigned int part;

	if (class_moves(f, f, &part) == CLASS_YES)
		return NULL;
	return &gap[part == CLASS_STREAM ? GAP_STREAM :
		    part == CLASS_NAMESPACES ? GAP_NAMESPACES :
		    f->no_format ? GAP_NO_FORMAT : GAP_FORMAT];
}

const struct class_gap *class_facts(json_object *host, json_object *vf,
				    struct class_facts *f)
{
	const struct class_gap *why;
	struct peer_identity p;

	memset(f, 0, sizeof(*f));
	peer_identity(vf, &p);
	if (!machine(host, f))
		return &gap[GAP_MACHINE];
	why = parts(&p);
	if (why)
		return why;
	if (!limit(host, vf, f))
		return &gap[GAP_LIMIT];
	if (!peer_policy(vf, &f->policy))
		return &gap[GAP_POLICY];
	f->no_format = !peer_sends(&p, &f->policy);
	f->id = p.id;
	f->has_formats = p.has_formats;
	if (p.has_formats)
		memcpy(f->formats, p.formats, sizeof(f->formats));
	class_take_namespaces(f, &p.namespaces);
	why = tracking(host, vf, f);
	return why ? why : alone(f);
}

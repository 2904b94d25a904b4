// SPDX-License-Identifier: GPL-2.0-only
/*
 * peer.c - compares two hosts and their VFs. Both come as JSON, so that one's
 * own is treated alike.
 */
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "base/tool.h"
#include "peer-identity.h"
#include "peer.h"
#include "report-lists.h"

#define MIB	(1 << 20)

/*
 * One's own host, a VF of it; the other host, a VF of it; what a state is taken
 * from, where it is to be loaded. @no_format: the policy here wants one that
 * the drive does not have.
 */
struct pair {
	json_object *here;
	json_object *here_vf;
	json_object *peer;
	json_object *there;
	json_object *there_vf;
	struct peer_identity from;
	struct peer_identity to;
	bool no_format;
	struct policy policy;		/* of the other host */
	bool has_policy;
};

static const char *text(json_object *o, const char *key)
{
	return json_object_get_string(json_object_object_get(o, key));
}

static const char *shown(const char *s)
{
	return s ? s : "none";
}

static bool same(json_object *a, json_object *b, const char *key)
{
	const char *x = text(a, key), *y = text(b, key);

	return x && y ? !strcmp(x, y) : x == y;
}

static bool known(const struct pair *p, enum identity_part part)
{
	return p->from.known[part] && p->to.known[part];
}

/* As the driver will find it. */
static bool fits(const struct pair *p, enum identity_part part)
{
	const struct identity_rules rules = {
		.policy = p->has_policy ? &p->policy : NULL,
		.formats = p->to.has_formats ? p->to.formats : NULL,
	};

	return identity_fits(&p->from.id, &p->to.id, &rules, part);
}

/* What must be equal. The text names what it is. */
static void equal(const struct pair *p, struct answer *a,
		  enum identity_part part, const char *key, const char *what,
		  const char *advice)
{
	const char *x = text(p->here_vf, key), *y = text(p->there_vf, key);

	if (!known(p, part)) {
		say(a, CHECK_UNKNOWN, "%s: %s here, %s there", what,
		    x ? x : "not known", y ? y : "not known");
	} else if (fits(p, part) && same(p->here_vf, p->there_vf, key)) {
		say(a, CHECK_OK, "%s on both", x);
	} else if (fits(p, part)) {
		say(a, CHECK_OK, "%s: %s here, %s there, which the policy there accepts",
		    what, x, y);
	} else {
		say(a, CHECK_FAIL, "%s: %s here, %s there", what, x, y);
		cure(a, "%s", advice);
	}
}

static void command_set(const struct pair *p, struct answer *a)
{
	equal(p, a, IDENTITY_CMDSET, "command_set", "command set",
	      "Use drives with the same command set: no other can load the state.");
}

static void model(const struct pair *p, struct answer *a)
{
	equal(p, a, IDENTITY_MODEL, "model", "model",
	      "Use drives of the same model.");
}

static void firmware(const struct pair *p, struct answer *a)
{
	equal(p, a, IDENTITY_FIRMWARE, "firmware", "firmware",
	      "Give both drives the same firmware.");
}

static void pci_id(const struct pair *p, struct answer *a)
{
	equal(p, a, IDENTITY_PCI_ID, "pci_id", "PCI id",
	      "Use drives of the same model.");
}

static void nvme_version(const struct pair *p, struct answer *a)
{
	equal(p, a, IDENTITY_NVME_VERSION, "nvme_version", "NVMe version",
	      "Give both drives the same firmware.");
}

static bool has_vendor_set(const struct peer_identity *v)
{
	return le32toh(v->id.cmdset) == CMDSET_VENDOR_2022;
}

static void format(const struct pair *p, struct answer *a)
{
	const struct stream_identity *id = &p->from.id;
	json_object *uuid = id->has_uuid ?
			    report_bytes(id->uuid, sizeof(id->uuid)) : NULL;
	const char *x = json_object_get_string(uuid);
	const char *y = text(p->there_vf, "state_version");
	unsigned int version = le16toh(id->state_version);

	if (has_vendor_set(&p->from) && has_vendor_set(&p->to)) {
		say(a, CHECK_OK, "this command set has one");
	} else if (!known(p, IDENTITY_FORMAT)) {
		say(a, CHECK_UNKNOWN, "format of the state: %s here, %s there",
		    p->from.known[IDENTITY_FORMAT] ? "known" : "not known",
		    p->to.known[IDENTITY_FORMAT] ? "known" : "not known");
	} else if (p->no_format) {
		say(a, CHECK_FAIL, "the policy here wants a format of the state that the drive does not have: %s",
		    text(p->here_vf, "policy"));
		cure(a, "Change the policy in /etc/" TOOL_NAME ", and run " TOOL_NAME " apply.");
	} else if (!fits(p, IDENTITY_FORMAT)) {
		say(a, CHECK_FAIL, "format of the state: version %u, UUID %s here, which the drive there does not list; version %s, UUID %s there",
		    version, shown(x), y, shown(text(p->there_vf, "state_uuid")));
		cure(a, "Give both drives the same firmware, or let the source write a format that both have: policy = format=VERSION in its /etc/" TOOL_NAME ".");
	} else {
		say(a, CHECK_OK, "version %u, UUID %s on both", version,
		    shown(x));
	}
	json_object_put(uuid);
}

/* A report of an older version has only the digest. */
static void digests(const struct pair *p, struct answer *a)
{
	const char *x = text(p->here_vf, "namespace_digest");
	const char *y = text(p->there_vf, "namespace_digest");

	if (!x || !y) {
		bool refused = p->has_policy && p->policy.refuse_unknown;

		say(a, refused ? CHECK_FAIL : CHECK_WARN,
		    "namespaces: %s here, %s there", x ? x : "not known",
		    y ? y : "not known");
		cure(a, "Make them the same: nvme list-ns, nvme id-ns.");
	} else if (!strcmp(x, y)) {
		say(a, CHECK_OK, "the same, digest %s", x);
	} else if (p->has_policy && p->policy.copied) {
		say(a, CHECK_WARN, "different ones there (digest %s here, %s there), but the policy there says that their data is copied",
		    x, y);
		cure(a, "Copy the data before each migration.");
	} else {
		say(a, CHECK_FAIL, "namespaces: digest %s here, %s there", x,
		    y);
		cure(a, "Attach the same namespaces, by the same ids, to the VF there. If their data is copied: policy = media=copied in its /etc/" TOOL_NAME ".");
	}
}

/* As the driver there will find it. */
static void namespaces(const struct pair *p, struct answer *a)
{
	const struct stream_namespaces *x = &p->from.namespaces;
	const struct stream_namespaces *y = &p->to.namespaces;
	bool copied = p->has_policy && p->policy.copied;
	bool refused = p->has_policy && p->policy.refuse_unknown;
	struct ns_verdict v;

	if (!x->known || !y->known) {
		digests(p, a);
		return;
	}
	v = ns_compare(x, y, copied);
	if (v.why && v.nsid)
		say(a, CHECK_FAIL, "there, namespace %u %s", v.nsid, v.why);
	else if (v.why)
		say(a, CHECK_FAIL, "%s", v.why);
	if (v.why) {
		cure(a, "Attach the same namespaces, by the same ids, to the VF there. If their data is copied: policy = media=copied in its /etc/" TOOL_NAME ".");
	} else if (copied && x->digest != y->digest) {
		say(a, CHECK_WARN, "the same layout there, and the policy there says that their data is copied");
		cure(a, "Copy the data before each migration.");
	} else if (v.unsure) {
		say(a, refused ? CHECK_FAIL : CHECK_WARN,
		    "nothing differs, but the drives do not report enough to be sure");
		cure(a, "Make them the same: nvme list-ns, nvme id-ns.");
	} else {
		say(a, CHECK_OK, "the same, digest %s",
		    text(p->here_vf, "namespace_digest"));
	}
}

static void enough(const struct pair *p, struct answer *a,
		   enum identity_part part, const char *key)
{
	const struct pair back = { .from = p->to, .to = p->from };
	const char *x = text(p->here_vf, key), *y = text(p->there_vf, key);

	if (!known(p, part)) {
		say(a, CHECK_UNKNOWN, "%s: %s here, %s there", key,
		    p->from.known[part] ? "known" : "not known",
		    p->to.known[part] ? "known" : "not known");
	} else if (!fits(p, part)) {
		say(a, CHECK_FAIL, "%s: %s here, %s there", key, x, y);
		cure(a, "Give the VF there the same number, in its /etc/" TOOL_NAME ".");
	} else if (!fits(&back, part)) {
		say(a, CHECK_WARN, "%s: %s here, %s there: a guest that uses all of them cannot return",
		    key, x, y);
		cure(a, "Give both VFs the same number.");
	} else {
		say(a, CHECK_OK, "%s on both", x);
	}
}

static void queues(const struct pair *p, struct answer *a)
{
	enough(p, a, IDENTITY_QUEUES, "queues");
}

static void interrupts(const struct pair *p, struct answer *a)
{
	enough(p, a, IDENTITY_INTERRUPTS, "interrupts");
}

static void state_size(const struct pair *p, struct answer *a)
{
	json_object *size = json_object_object_get(p->here_vf, "state_bytes");
	json_object *max = json_object_object_get(p->there, "max_state_mb");
	long long bytes = json_object_get_int64(size);
	long long mb = json_object_get_int64(max);

	if (!size || !max) {
		say(a, CHECK_UNKNOWN, "size of the state: %s here; limit: %s there",
		    size ? "known" : "not known", max ? "known" : "not known");
	} else if (mb < bytes / MIB + !!(bytes % MIB)) {
		say(a, CHECK_FAIL, "the state has %lld bytes, but at most %lld MiB are accepted there",
		    bytes, mb);
		cure(a, "Raise max_state_mb of module " TOOL_DRIVER " there.");
	} else {
		say(a, CHECK_OK, "%lld bytes, up to %lld MiB are accepted there",
		    bytes, mb);
	}
}

/* What fails there, and concerns this VF. */
static void health(const struct pair *p, struct answer *a)
{
	json_object *checks = json_object_object_get(p->peer, "checks");
	const char *vf = text(p->there_vf, "address");
	const char *pf = text(p->there_vf, "pf");
	char list[512] = "";
	size_t i, len;

	for (i = 0; i < json_object_array_length(checks); i++) {
		json_object *c = json_object_array_get_idx(checks, i);
		const char *fn = text(c, "function"), *id = text(c, "id");

		if (strcmp(text(c, "status"), "fail") ||
		    !strncmp(id, "peer", 4) ||
		    (fn && strcmp(fn, vf) && (!pf || strcmp(fn, pf))))
			continue;
		len = strlen(list);
		snprintf(list + len, sizeof(list) - len, " %s", id);
	}
	if (*list) {
		say(a, CHECK_FAIL, "these checks fail there:%s", list);
		cure(a, "Run " TOOL_NAME " doctor on %s, and fix what it finds.",
		     shown(text(p->there, "name")));
	} else {
		say(a, CHECK_OK, "no check fails there");
	}
}

static const struct {
	const char *id;
	void (*run)(const struct pair *p, struct answer *a);
} vf_checks[] = {
	{ "peer-command-set", command_set },
	{ "peer-model", model },
	{ "peer-firmware", firmware },
	{ "peer-pci-id", pci_id },
	{ "peer-nvme-version", nvme_version },
	{ "peer-format", format },
	{ "peer-namespaces", namespaces },
	{ "peer-queues", queues },
	{ "peer-interrupts", interrupts },
	{ "peer-state-size", state_size },
	{ "peer-checks", health },
};

#define NVF	(sizeof(vf_checks) / sizeof(*vf_checks))

/* -- hosts ------------------------------------------------------------------ */

static void machine(const struct pair *p, struct answer *a)
{
	if (same(p->here, p->there, "machine")) {
		say(a, CHECK_OK, "%s on both", shown(text(p->here, "machine")));
		return;
	}
	say(a, CHECK_FAIL, "%s here, %s there",
	    shown(text(p->here, "machine")), shown(text(p->there, "machine")));
	cure(a, "Guests can only move between hosts of the same architecture.");
}

static void tracking(const struct pair *p, struct answer *a)
{
	json_object *x = json_object_object_get(p->here, "dirty_tracking");
	json_object *y = json_object_object_get(p->there, "dirty_tracking");

	if (!x || !y) {
		say(a, CHECK_UNKNOWN, "not known for %s", x ? "the other host" :
		    "this host");
	} else if (json_object_get_boolean(x) && json_object_get_boolean(y)) {
		say(a, CHECK_OK, "both kernels can");
	} else if (json_object_get_boolean(x)) {
		say(a, CHECK_WARN, "this kernel can, the other host's cannot: the way back is slower");
		cure(a, "Use a kernel with CONFIG_IOMMUFD there as well.");
	} else {
		say(a, CHECK_WARN, "%s",
		    json_object_get_boolean(y) ?
		    "this kernel cannot, the other host's can" :
		    "neither kernel can");
		cure(a, "See kernel-dirty-tracking.");
	}
}

static void program(const struct pair *p, struct answer *a, const char *key)
{
	const char *x = text(p->here, key), *y = text(p->there, key);
	struct version v, w;

	if (!x || !y || !version_parse(&v, x) || !version_parse(&w, y)) {
		say(a, CHECK_UNKNOWN, "%s here, %s there", shown(x), shown(y));
	} else if (version_before(&w, v.major, v.minor)) {
		say(a, CHECK_WARN, "%s here, the older %s there", x, y);
		cure(a, "Migrate to the same version or to a later one.");
	} else {
		say(a, CHECK_OK, "%s here, %s there", x, y);
	}
}

static void qemu(const struct pair *p, struct answer *a)
{
	program(p, a, "qemu");
}

static void libvirt(const struct pair *p, struct answer *a)
{
	program(p, a, "libvirt");
}

static const struct {
	const char *id;
	void (*run)(const struct pair *p, struct answer *a);
} host_checks[] = {
	{ "peer-machine", machine },
	{ "peer-dirty-tracking", tracking },
	{ "peer-qemu", qemu },
	{ "peer-libvirt", libvirt },
};

#define NHOST	(sizeof(host_checks) / sizeof(*host_checks))

/* -- pairs ------------------------------------------------------------------ */

/* The format that the policy here names is the one that is sent. */
static void send_format(struct pair *p)
{
	struct policy here;

	p->no_format = peer_policy(p->here_vf, &here) &&
		       !peer_sends(&p->from, &here);
}

/* How much two VFs differ; all of the answers go to the caller. */
static unsigned int judge(struct pair *p, struct answer *a)
{
	static const unsigned int weight[] = {
		[CHECK_OK] = 0, [CHECK_WARN] = 1, [CHECK_UNKNOWN] = 16,
		[CHECK_FAIL] = 256,
	};
	unsigned int sum = 0;
	size_t i;

	peer_identity(p->there_vf, &p->to);
	p->has_policy = peer_policy(p->there_vf, &p->policy);
	for (i = 0; i < NVF; i++) {
		answer_free(&a[i]);
		vf_checks[i].run(p, &a[i]);
		sum += weight[a[i].status];
	}
	return sum;
}

static bool is_vf(json_object *fn)
{
	return !strcmp(text(fn, "role"), "vf");
}

static void verdict(const struct pair *p, unsigned int sum, size_t fit,
		    struct answer *a)
{
	const char *host = shown(text(p->there, "name"));

	if (!p->there_vf) {
		say(a, CHECK_FAIL, "%s has no VF", host);
		cure(a, "Run " TOOL_NAME " apply there.");
	} else if (sum >= 256) {
		say(a, CHECK_FAIL, "no VF of %s can take over; %s comes closest",
		    host, text(p->there_vf, "address"));
		cure(a, "See the lines peer-* of this VF.");
	} else if (sum >= 16) {
		say(a, CHECK_UNKNOWN, "%s of %s may be able to take over",
		    text(p->there_vf, "address"), host);
	} else {
		say(a, CHECK_OK, "%s of %s can take over (%zu VFs there can)",
		    text(p->there_vf, "address"), host, fit);
	}
}

static void compare_vf(struct pair *p, peer_emit_fn emit, void *arg)
{
	json_object *all = json_object_object_get(p->peer, "functions");
	json_object *nearest = NULL;
	struct answer a[NVF] = { }, end = { };
	unsigned int sum, least = 0;
	size_t i, fit = 0;

	peer_identity(p->here_vf, &p->from);
	send_format(p);
	for (i = 0; i < json_object_array_length(all); i++) {
		p->there_vf = json_object_array_get_idx(all, i);
		if (!is_vf(p->there_vf))
			continue;
		sum = judge(p, a);
		fit += sum < 16;
		if (!nearest || sum < least) {
			nearest = p->there_vf;
			least = sum;
		}
	}
	p->there_vf = nearest;
	if (nearest)
		judge(p, a);
	for (i = 0; i < NVF; i++) {
		if (nearest)
			emit(arg, vf_checks[i].id, text(p->here_vf, "address"),
			     &a[i]);
		answer_free(&a[i]);
	}
	verdict(p, least, fit, &end);
	emit(arg, "peer", text(p->here_vf, "address"), &end);
	answer_free(&end);
}

void peer_compare(json_object *host, json_object *functions, json_object *peer,
		  peer_emit_fn emit, void *arg)
{
	struct pair p = {
		.here = host, .peer = peer,
		.there = json_object_object_get(peer, "host"),
	};
	struct answer a = { };
	size_t i;

	for (i = 0; i < NHOST; i++) {
		host_checks[i].run(&p, &a);
		emit(arg, host_checks[i].id, NULL, &a);
		answer_free(&a);
	}
	for (i = 0; i < json_object_array_length(functions); i++) {
		p.here_vf = json_object_array_get_idx(functions, i);
		if (is_vf(p.here_vf))
			compare_vf(&p, emit, arg);
	}
}

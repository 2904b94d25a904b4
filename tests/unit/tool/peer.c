// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two reports compared: each part of a VF's identity alone, and what cannot be
 * understood.
 */
#include <string.h>

#include "doctor/check.h"
#include "doctor/peer.h"
#include "doctor/report-lists.h"
#include "tap.h"

#define VF \
	"{\"address\": \"0000:01:00.1\", \"role\": \"vf\", \"pf\": \"0000:01:00.0\"," \
	" \"pci_id\": \"1b36:0010\", \"model\": \"M\", \"firmware\": \"1\"," \
	" \"command_set\": \"standard\", \"nvme_version\": \"1.4.0\"," \
	" \"state_version\": 0, \"state_uuid\": \"6f1c27904b8e4d359a52e10d73b628c4\"," \
	" \"namespace_digest\": \"0123456789abcdef\", \"policy\": \"\"," \
	" \"queues\": 4, \"interrupts\": 3, \"state_bytes\": 1272}"
#define HOST \
	"{\"name\": \"b\", \"machine\": \"x86_64\", \"kernel\": \"6.12\"," \
	" \"dirty_tracking\": true, \"qemu\": \"10.0.2\", \"libvirt\": \"11.3.0\"," \
	" \"max_state_mb\": 1024}"

static char answers[1024];
static char words[2048];	/* of peer-namespaces and peer-format */

static void emit(void *arg, const char *id, const char *function,
		 struct answer *a)
{
	size_t len = strlen(answers);

	(void)arg;
	(void)function;
	if (!strcmp(id, "peer-namespaces") || !strcmp(id, "peer-format"))
		snprintf(words + strlen(words), sizeof(words) - strlen(words),
			 "%s: %s\n", id, a->text);
	if (a->status != CHECK_OK)
		snprintf(answers + len, sizeof(answers) - len, "%s=%s ", id,
			 check_status_name(a->status));
}

/* Everything that is not well if @here moves to @there. */
static const char *compare(json_object *here, json_object *there)
{
	json_object *host = json_tokener_parse(HOST);
	json_object *functions = json_object_new_array();
	json_object *peer = json_object_new_object();
	json_object *others = json_object_new_array();

	json_object_array_add(functions, here);
	json_object_array_add(others, there);
	json_object_object_add(peer, "host", json_tokener_parse(HOST));
	json_object_object_add(peer, "functions", others);
	json_object_object_add(peer, "checks", json_object_new_array());
	*answers = 0;
	*words = 0;
	peer_compare(host, functions, peer, emit, NULL);
	json_object_put(host);
	json_object_put(functions);
	json_object_put(peer);
	return answers;
}

static json_object *vf(const char *key, const char *value)
{
	json_object *o = json_tokener_parse(VF);

	if (key)
		json_object_object_add(o, key, json_tokener_parse(value));
	return o;
}

static void one(const char *key, const char *value, const char *want)
{
	const char *got = compare(vf(NULL, NULL), vf(key, value));

	ok(!strcmp(got, want), "%s there is %s: %s", key, value,
	   *got ? got : "well");
	if (strcmp(got, want))
		printf("# expected: %s\n", want);
}

/* and the policy there has these words */
static void two(const char *words, const char *key, const char *value,
		const char *want)
{
	json_object *there = vf(key, value);
	const char *got;

	json_object_object_add(there, "policy", json_object_new_string(words));
	got = compare(vf(NULL, NULL), there);
	ok(!strcmp(got, want), "%s there is %s, %s: %s", key, value, words,
	   *got ? got : "well");
	if (strcmp(got, want))
		printf("# expected: %s\n", want);
}

static void told(const char *got, const char *want, const char *text,
		 const char *name)
{
	ok(!strcmp(got, want) && strstr(words, text), "%s: %s", name,
	   *got ? got : "well");
	if (strcmp(got, want) || !strstr(words, text))
		printf("# expected: %s, with '%s', not\n# %s\n", want, text, words);
}

/* -- lists of namespaces ---------------------------------------------------- */

#define NONE	-1

static struct stream_namespace ns(unsigned int nsid)
{
	struct stream_namespace n = {
		.nsid = nsid, .flags = NS_F_STRUCT | NS_F_DESCRIPTORS,
		.lba_shift = 12, .blocks = 1000 + nsid,
		.nguid = { 1, 2, nsid }, .uuid = { 3, nsid },
	};

	return n;
}

/* A VF with namespaces 1 to @n, of which @which has @change. */
static json_object *with(unsigned int n, int which,
			 void (*change)(struct stream_namespace *n))
{
	static struct stream_namespaces set;
	struct stream_namespace one;
	json_object *o = vf(NULL, NULL);
	char digest[20];
	unsigned int i;

	memset(&set, 0, sizeof(set));
	for (i = 1; i <= n; i++) {
		one = ns(i);
		if ((int)i == which)
			change(&one);
		ns_add(&set, &one);
	}
	set.known = 1;
	snprintf(digest, sizeof(digest), "%016llx",
		 (unsigned long long)set.digest);
	json_object_object_add(o, "namespaces", report_namespaces(&set));
	json_object_object_add(o, "namespace_digest",
			       json_object_new_string(digest));
	json_object_object_add(o, "namespace_count",
			       json_object_new_int64(set.count));
	return o;
}

static void larger(struct stream_namespace *n)
{
	n->blocks++;
}

static void other(struct stream_namespace *n)
{
	n->nguid[0]++;
}

static void without_uuid(struct stream_namespace *n)
{
	n->flags = NS_F_STRUCT;
	memset(n->uuid, 0, sizeof(n->uuid));
}

static void nameless(struct stream_namespace *n)
{
	n->flags = NS_F_STRUCT;
	memset(n->uuid, 0, sizeof(n->uuid));
	memset(n->nguid, 0, sizeof(n->nguid));
}

static json_object *policy(json_object *vf, const char *text)
{
	json_object_object_add(vf, "policy", json_object_new_string(text));
	return vf;
}

static json_object *set(json_object *vf, const char *key, const char *value)
{
	json_object_object_add(vf, key, json_tokener_parse(value));
	return vf;
}

#define REFUSED	"peer-namespaces=fail peer=fail "
#define WARNED	"peer-namespaces=warn "

static void lists(void)
{
	json_object *o;

	told(compare(with(3, NONE, NULL), with(3, NONE, NULL)), "", "the same",
	     "the same namespaces");
	told(compare(with(70, NONE, NULL), with(70, NONE, NULL)), "",
	     "the same", "more than are listed");
	told(compare(with(3, NONE, NULL), with(3, 2, larger)), REFUSED,
	     "there, namespace 2 has a different size", "a larger one");
	told(compare(with(3, NONE, NULL), with(3, 3, other)), REFUSED,
	     "there, namespace 3 is a different one: its NGUID", "another one");
	told(compare(with(3, NONE, NULL), with(2, NONE, NULL)), REFUSED,
	     "there, namespace 3 is not attached to this VF", "one is missing");
	told(compare(with(70, NONE, NULL), with(70, 69, other)), REFUSED,
	     "beyond those that the stream lists", "another one, not listed");
	/* a port that reports less is still the same drive */
	told(compare(with(3, NONE, NULL), with(3, 3, without_uuid)), "",
	     "the same", "the other PF does not tell a UUID");
	told(compare(with(3, 2, nameless), with(3, 2, nameless)), WARNED,
	     "not report enough", "no name on either side");
	told(compare(with(3, 2, nameless),
		     policy(with(3, 2, nameless), "unknown=refuse")), REFUSED,
	     "not report enough", "no name on either side, and unknown=refuse");
	told(compare(with(3, NONE, NULL),
		     policy(with(3, 3, other), "media=copied")), WARNED,
	     "same layout", "another one, copied");
	told(compare(with(3, NONE, NULL),
		     policy(with(3, 3, larger), "media=copied")), REFUSED,
	     "there, namespace 3 has a different size", "a larger one, copied");

	/* what cannot be understood is not known: the digests are left */
	told(compare(with(2, NONE, NULL),
		     set(with(2, NONE, NULL), "namespace_count", "1")), "",
	     "the same", "fewer than are listed");
	told(compare(with(2, NONE, NULL),
		     set(with(2, NONE, NULL), "namespaces", "[1, 2]")), "",
	     "the same", "a list of numbers");
	o = with(2, NONE, NULL);
	json_object_object_add(json_object_array_get_idx(json_object_object_get(o, "namespaces"), 1),
			       "blocks", json_object_new_int64(5));
	told(compare(with(2, NONE, NULL), o), "", "the same",
	     "a list that its digest is not of");
}

/* -- formats ---------------------------------------------------------------- */

#define U1	"6f1c27904b8e4d359a52e10d73b628c4"
#define U2	"00000000000000000000000000000002"

static json_object *lists_formats(const char *formats, const char *version,
				  const char *uuid)
{
	return set(set(set(vf(NULL, NULL), "state_formats", formats),
		       "state_version", version), "state_uuid", uuid);
}

#define BOTH	"{\"versions\": [1, 0], \"uuids\": [\"" U2 "\", \"" U1 "\"]}"
#define OLD	"{\"versions\": [0], \"uuids\": [\"" U1 "\"]}"
#define UNFIT	"peer-format=fail peer=fail "

static void formats(void)
{
	told(compare(lists_formats(OLD, "0", "\"" U1 "\""),
		     lists_formats(BOTH, "1", "\"" U2 "\"")), "",
	     "version 0, UUID " U1 " on both", "a format that is not the first there");
	told(compare(lists_formats(BOTH, "1", "\"" U2 "\""),
		     lists_formats(OLD, "0", "\"" U1 "\"")), UNFIT,
	     "which the drive there does not list", "a format that only the source has");
	told(compare(policy(lists_formats(BOTH, "1", "\"" U2 "\""),
			    "format=0:" U1),
		     lists_formats(OLD, "0", "\"" U1 "\"")), "",
	     "version 0, UUID " U1 " on both", "and its policy names the other one");
	told(compare(policy(lists_formats(OLD, "0", "\"" U1 "\""), "format=1"),
		     lists_formats(OLD, "0", "\"" U1 "\"")), UNFIT,
	     "the policy here wants", "a policy for a format that is not there");
	told(compare(lists_formats(OLD, "0", "\"" U1 "\""),
		     lists_formats("{\"versions\": [0, 70000], \"uuids\": []}", "1",
				   "\"" U1 "\"")), UNFIT,
	     "which the drive there does not list", "a list that cannot be understood");
}

int main(void)
{
	static const char long_model[] =
		"\"M                                       2\"";

	ok(!*compare(vf(NULL, NULL), vf(NULL, NULL)), "the same");
	one("command_set", "\"vendor\"", "peer-command-set=fail peer=fail ");
	one("model", "\"M2\"", "peer-model=fail peer=fail ");
	one("firmware", "\"12\"", "peer-firmware=fail peer=fail ");
	one("pci_id", "\"1b36:0011\"", "peer-pci-id=fail peer=fail ");
	one("pci_id", "\"1b37:0010\"", "peer-pci-id=fail peer=fail ");
	one("nvme_version", "\"1.4.1\"", "peer-nvme-version=fail peer=fail ");
	one("nvme_version", "\"2.4.0\"", "peer-nvme-version=fail peer=fail ");
	one("state_version", "1", "peer-format=fail peer=fail ");
	one("state_uuid", "\"6f1c27904b8e4d359a52e10d73b628c5\"",
	    "peer-format=fail peer=fail ");
	one("state_uuid", "null", "peer-format=fail peer=fail ");
	one("queues", "3", "peer-queues=fail peer=fail ");
	one("queues", "5", "peer-queues=warn ");
	one("interrupts", "2", "peer-interrupts=fail peer=fail ");
	one("interrupts", "4", "peer-interrupts=fail peer=fail ");

	one("namespace_digest", "\"1123456789abcdef\"", "peer-namespaces=fail peer=fail ");
	one("namespace_digest", "null", "peer-namespaces=warn ");

	/* what a policy there lets in */
	two("match=format", "model", "\"M2\"", "");
	two("match=format", "firmware", "\"2\"", "");
	two("match=firmware firmware=1>2", "firmware", "\"2\"", "");
	two("match=firmware firmware=2>1", "firmware", "\"2\"", "peer-firmware=fail peer=fail ");
	two("match=firmware firmware=1>2", "model", "\"M2\"", "peer-model=fail peer=fail ");
	two("media=copied", "namespace_digest", "\"1123456789abcdef\"", "peer-namespaces=warn ");
	two("unknown=refuse", "namespace_digest", "null", "peer-namespaces=fail peer=fail ");
	two("nonsense", "firmware", "\"2\"", "peer-firmware=fail peer=fail ");

	/* not known, or not what it says it is */
	one("command_set", "null", "peer-command-set=unknown peer=unknown ");
	one("command_set", "\"other\"", "peer-command-set=unknown peer=unknown ");
	one("model", "null", "peer-model=unknown peer=unknown ");
	one("model", long_model, "peer-model=unknown peer=unknown ");
	one("firmware", "\"123456789\"", "peer-firmware=unknown peer=unknown ");
	one("pci_id", "\"1b36\"", "peer-pci-id=unknown peer=unknown ");
	one("nvme_version", "\"1.4\"", "peer-nvme-version=unknown peer=unknown ");
	one("state_version", "65536", "peer-format=unknown peer=unknown ");
	one("state_uuid", "\"6f1c\"", "peer-format=unknown peer=unknown ");
	one("state_uuid", "\"6f1c27904b8e4d359a52e10d73b628cg\"",
	    "peer-format=unknown peer=unknown ");
	one("queues", "-1", "peer-queues=unknown peer=unknown ");
	one("interrupts", "65540", "peer-interrupts=unknown peer=unknown ");
	lists();
	formats();
	return tap_done();
}

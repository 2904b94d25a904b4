// SPDX-License-Identifier: GPL-2.0-only
/*
 * The class of a VF: ids that must never change, what is in them and what is not,
 * and that VFs of one class take each other's state, by the driver's own
 * verdict.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/check.h"
#include "doctor/class-facts.h"
#include "doctor/peer.h"
#include "doctor/report-lists.h"
#include "doctor_report.h"
#include "tap.h"

/* A VF with some things changed; @ns: namespaces, such as "9 12" (log2 of their blocks). */
struct change {
	const char *key;
	const char *value;
	const char *ns;
	const char *policy;
	const char *key2;
	const char *value2;
};

static void put(json_object *host, json_object *vf, const char *key,
		const char *value)
{
	static const char of_host[] = " machine dirty_tracking max_state_mb name kernel qemu libvirt ";
	char word[64];

	snprintf(word, sizeof(word), " %s ", key ? key : "");
	with(strstr(of_host, word) ? host : vf, key, value);
}

/* "9" has an id, "9?" has none, "9+8" has metadata, "?" is not reported at all. */
static void put_namespaces(json_object *vf, const char *words)
{
	struct stream_namespaces set = { .known = 1 };
	unsigned int nsid = 0;
	char digest[20];

	while (*words) {
		struct stream_namespace n = { .nsid = ++nsid };
		char *end;

		n.lba_shift = strtoul(words, &end, 10);
		if (end > words) {
			n.flags = NS_F_STRUCT;
			n.blocks = 1000 + nsid;
			n.nguid[0] = *end != '?';
		}
		if (*end == '+')
			n.metadata = strtoul(end + 1, &end, 10);
		if (*end == '?')
			end++;
		ns_add(&set, &n);
		words = end + strspn(end, " ");
	}
	snprintf(digest, sizeof(digest), "%016llx",
		 (unsigned long long)set.digest);
	json_object_object_add(vf, "namespaces", report_namespaces(&set));
	json_object_object_add(vf, "namespace_digest",
			       json_object_new_string(digest));
	json_object_object_add(vf, "namespace_count",
			       json_object_new_int64(set.count));
}

static void make(const struct change *c, json_object **host, json_object **vf)
{
	*host = json_tokener_parse(REPORT_HOST);
	*vf = json_tokener_parse(REPORT_VF);
	put(*host, *vf, c->key, c->value);
	put(*host, *vf, c->key2, c->value2);
	if (c->policy)
		json_object_object_add(*vf, "policy",
				       json_object_new_string(c->policy));
	if (c->ns)
		put_namespaces(*vf, c->ns);
}

/* NULL, or why there is no class. */
static const struct class_gap *read_facts(const struct change *c,
					struct class_facts *f)
{
	const struct class_gap *gap;
	json_object *host, *vf;

	make(c, &host, &vf);
	gap = class_facts(host, vf, f);
	json_object_put(host);
	json_object_put(vf);
	return gap;
}

/* Valid until the next call but one. */
static const char *id_of(const struct change *c)
{
	static char id[2][CLASS_ID_LEN];
	static unsigned int turn;
	struct class_facts f;

	turn = !turn;
	return !read_facts(c, &f) && class_id(&f, id[turn]) ? id[turn] : "none";
}

static const char *name_of(const struct change *c)
{
	static char name[512];

	snprintf(name, sizeof(name), "%s %.200s%s%s%s%s%s%s", c->key ? c->key : "",
		 c->value ? c->value : "", c->key2 ? ", " : "",
		 c->key2 ? c->key2 : "", c->ns ? ", namespaces " : "",
		 c->ns ? c->ns : "", c->policy ? ", policy " : "",
		 c->policy ? c->policy : "");
	return name;
}

/* -- ids that stay ------------------------------------------------------------------ */

#define VENDOR	.key = "command_set", .value = "\"vendor\"", .key2 = "state_uuid", .value2 = "null"

static void ids(void)
{
	static const struct {
		struct change change;
		const char *id;
		const char *text;
	} fixed[] = {
		{ { }, "c1-10ebc87982d9",
		  "machine=x86_64 command_set=standard pci_id=1b36:0010 model=Model%20X firmware=1.0 nvme_version=2.1.0 "
		  "format=0:" UUID1 " queues=4 interrupts=3 tracking=yes max_state_mb=1024 media=shared namespaces=unknown" },
		{ { .ns = "9 12" }, "c1-6df3088a0db7",
		  "machine=x86_64 command_set=standard pci_id=1b36:0010 model=Model%20X firmware=1.0 nvme_version=2.1.0 "
		  "format=0:" UUID1 " queues=4 interrupts=3 tracking=yes max_state_mb=1024 media=shared namespaces=known blocks=512,4096" },
		{ { .ns = "" }, "c1-62a65d5791ad",
		  "machine=x86_64 command_set=standard pci_id=1b36:0010 model=Model%20X firmware=1.0 nvme_version=2.1.0 "
		  "format=0:" UUID1 " queues=4 interrupts=3 tracking=yes max_state_mb=1024 media=shared namespaces=known blocks=none" },
		{ { .ns = "12+8 9?" }, "c1-2c544b2acaec",
		  "machine=x86_64 command_set=standard pci_id=1b36:0010 model=Model%20X firmware=1.0 nvme_version=2.1.0 "
		  "format=0:" UUID1 " queues=4 interrupts=3 tracking=yes max_state_mb=1024 media=shared namespaces=unsure blocks=512,4096+8/0/0" },
		{ { .policy = "match=format media=copied stream=1" }, "c1-e3d3ecc363ea",
		  "machine=x86_64 command_set=standard pci_id=1b36:0010 match=format "
		  "format=0:" UUID1 " queues=4 interrupts=3 tracking=yes max_state_mb=1024 media=copied namespaces=unknown stream=1" },
		{ { VENDOR }, "c1-bbacfcc19ed3",
		  "machine=x86_64 command_set=vendor pci_id=1b36:0010 model=Model%20X firmware=1.0 nvme_version=2.1.0 "
		  "format=none queues=4 interrupts=3 tracking=no max_state_mb=1024 media=shared namespaces=unknown" },
		{ { .key = "model", .value = "\"50% \\u00e9 = x\"" }, "c1-080c272cb149",
		  "machine=x86_64 command_set=standard pci_id=1b36:0010 model=50%25%20%C3%A9%20=%20x firmware=1.0 nvme_version=2.1.0 "
		  "format=0:" UUID1 " queues=4 interrupts=3 tracking=yes max_state_mb=1024 media=shared namespaces=unknown" },
	};
	char text[CLASS_TEXT_LEN];
	struct class_facts f;
	size_t i;

	for (i = 0; i < sizeof(fixed) / sizeof(*fixed); i++) {
		const char *id = id_of(&fixed[i].change);
		bool same;

		*text = 0;
		if (!read_facts(&fixed[i].change, &f))
			class_text(&f, text);
		same = !strcmp(id, fixed[i].id) && !strcmp(text, fixed[i].text);
		ok(same, "this id stays: %s, of %s", fixed[i].id, fixed[i].text);
		if (!same)
			printf("# have: \"%s\",\n# \"%s\"\n", id, text);
	}
	/* a new one has to be in a class with another prefix */
	ok(IDENTITY_PARTS == 8, "all parts of the identity are in it");
}

/* -- what counts -------------------------------------------------------------------- */

static void others(void)
{
	static const struct change change[] = {
		{ "machine", "\"aarch64\"" }, { VENDOR },
		{ "pci_id", "\"1b36:0011\"" }, { "pci_id", "\"1b37:0010\"" },
		{ "model", "\"Model Y\"" }, { "model", "\"Model X1\"" },
		{ "firmware", "\"1.1\"" }, { "nvme_version", "\"2.1.1\"" },
		{ "nvme_version", "\"2.2.0\"" }, { "nvme_version", "\"3.1.0\"" },
		{ "state_version", "1", .key2 = "state_formats", .value2 = "null" },
		{ "state_uuid", "\"" UUID2 "\"", .key2 = "state_formats", .value2 = "null" },
		{ "queues", "5" }, { "queues", "260" }, { "interrupts", "4" },
		{ "tracks_memory", "false" }, { "max_state_mb", "512" },
		{ .policy = "media=copied" }, { .policy = "match=format" },
		{ .policy = "stream=1" }, { .ns = "" }, { .ns = "9" },
		{ .ns = "12" }, { .ns = "9 12" }, { .ns = "9+8" },
		{ .ns = "9?" }, { .ns = "?" },
	};
	static char id[64][CLASS_ID_LEN];
	size_t i, k;

	snprintf(id[0], CLASS_ID_LEN, "%s", id_of(&(const struct change){ }));
	for (i = 0; i < sizeof(change) / sizeof(*change); i++) {
		const char *same = NULL;

		snprintf(id[i + 1], CLASS_ID_LEN, "%s", id_of(&change[i]));
		for (k = 0; k <= i; k++)
			if (!strcmp(id[k], id[i + 1]))
				same = id[k];
		ok(!same && strcmp(id[i + 1], "none"), "a class of its own: %s",
		   name_of(&change[i]));
	}
}

static void alike(void)
{
	static const struct {
		struct change one;
		struct change two;
	} pair[] = {
		{ { }, { "name", "\"b\"" } }, { { }, { "kernel", "\"6.18\"" } },
		{ { }, { "qemu", "null", .key2 = "libvirt", .value2 = "null" } },
		{ { }, { "address", "\"0000:02:00.3\"" } },
		{ { }, { "state_bytes", "77" } }, { { }, { "offers", "[]" } },
		{ { }, { "class", "\"c1-0\"" } },
		{ { }, { "model", "\"Model X   \"" } },
		{ { "tracks_memory", "false" }, { "dirty_tracking", "false" } },
		{ { }, { .policy = "match=firmware firmware=1.0>1.1" } },
		{ { }, { .policy = "unknown=accept stream=2" } },
		{ { }, { .policy = "format=0" } },
		{ { }, { "state_formats", "{\"versions\": [1, 0], \"uuids\": [\"" UUID1 "\"]}" } },
		{ { .ns = "9 12" }, { .ns = "12 9 9" } },
		{ { .ns = "9" }, { .ns = "9", .policy = "unknown=refuse" } },
		{ { .policy = "match=format" },
		  { "model", "\"Y\"", .key2 = "firmware", .value2 = "\"2\"", .policy = "match=format" } },
		{ { .policy = "match=format" },
		  { "nvme_version", "\"2.2.0\"", .policy = "match=format" } },
		{ { VENDOR, .ns = "9" }, { VENDOR, .ns = "9 9" } },
	};
	size_t i;

	for (i = 0; i < sizeof(pair) / sizeof(*pair); i++) {
		const char *id = id_of(&pair[i].one);

		ok(strcmp(id, "none") && !strcmp(id, id_of(&pair[i].two)),
		   "the same class: %s", name_of(&pair[i].two));
	}
}

/* -- where there is none ------------------------------------------------------------ */

static void gaps(void)
{
	static const struct {
		struct change change;
		const char *key;
	} none[] = {
		{ { "machine", "null" }, "machine" }, { { "machine", "\"\"" }, "machine" },
		{ { "machine", "\"a b\"" }, "machine" }, { { "machine", "7" }, "machine" },
		{ { "machine", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"" }, "machine" },
		{ { "command_set", "null" }, "command_set" },
		{ { "command_set", "\"new\"" }, "command_set" },
		{ { "model", "null" }, "model" },
		{ { "model", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"" }, "model" },
		{ { "firmware", "null" }, "firmware" },
		{ { "firmware", "\"123456789\"" }, "firmware" },
		{ { "pci_id", "null" }, "pci_id" }, { { "pci_id", "\"x\"" }, "pci_id" },
		{ { "nvme_version", "null" }, "nvme_version" },
		{ { "nvme_version", "\"2\"" }, "nvme_version" },
		{ { "state_version", "null" }, "state_version" },
		{ { "state_version", "65536" }, "state_version" },
		{ { "state_version", "1" }, "state_version" },
		{ { "state_uuid", "null" }, "state_version" },
		{ { "state_uuid", "\"6f\"" }, "state_version" },
		{ { "command_set", "\"vendor\"" }, "state_version" },
		{ { VENDOR, .policy = "match=x" }, "policy" },
		{ { "queues", "null" }, "queues" }, { { "queues", "-1" }, "queues" },
		{ { "queues", "65536" }, "queues" },
		{ { "interrupts", "null" }, "interrupts" },
		{ { "interrupts", "65536" }, "interrupts" },
		{ { "tracks_memory", "null" }, "tracks_memory" },
		{ { "tracks_memory", "1" }, "tracks_memory" },
		{ { "dirty_tracking", "null" }, "dirty_tracking" },
		{ { "max_state_mb", "null" }, "max_state_mb" },
		{ { "max_state_mb", "-1" }, "max_state_mb" },
		{ { "max_state_mb", "4294967296" }, "max_state_mb" },
		{ { "policy", "null" }, "policy" }, { { "policy", "{}" }, "policy" },
		{ { .policy = "later=1" }, "policy" },
		{ { .policy = "format=7" }, "policy" },
		{ { .policy = "unknown=refuse" }, "policy" },
		{ { .policy = "unknown=refuse", .ns = "9?" }, "policy" },
		{ { .policy = "unknown=refuse", .ns = "9 ?" }, "policy" },
		{ { .policy = "unknown=refuse stream=1", .ns = "9" }, "policy" },
	};
	size_t i;

	for (i = 0; i < sizeof(none) / sizeof(*none); i++) {
		struct class_facts f;
		const struct class_gap *gap = read_facts(&none[i].change, &f);

		ok(gap && !strcmp(gap->key, none[i].key) && *gap->why &&
		   gap->cure, "no class: %s: %s", name_of(&none[i].change),
		   gap ? gap->why : "one");
	}
	/* but for where it does not matter */
	ok(strcmp(id_of(&(const struct change){ "dirty_tracking", "null", .key2 = "tracks_memory", .value2 = "false" }), "none"),
	   "a class: a kernel that is not known, and a drive that does not track");
	ok(strcmp(id_of(&(const struct change){ .policy = "unknown=refuse media=copied", .ns = "9?" }), "none"),
	   "a class: unknown=refuse, copied namespaces without names");
}

/* -- there and back ----------------------------------------------------------------- */

static const char move_char[] = { [CLASS_NO] = 'n', [CLASS_PERHAPS] = 'p', [CLASS_YES] = 'y' };

static void moves(void)
{
	static const struct {
		struct change one;
		struct change two;
		const char *want;	/* there, back */
		const char *keys;	/* and why */
	} pair[] = {
		{ { }, { }, "yy" },
		{ { }, { "queues", "8" }, "yn", "queues" },
		{ { }, { "interrupts", "8" }, "nn", "interrupts interrupts" },
		{ { }, { "interrupts", "0" }, "ny", "interrupts" },
		{ { }, { "machine", "\"aarch64\"" }, "nn", "machine machine" },
		{ { }, { "model", "\"Y\"" }, "nn", "model model" },
		{ { }, { "model", "\"Y\"", .policy = "match=format" }, "yn", "model" },
		{ { }, { "firmware", "\"1.1\"", .policy = "match=firmware firmware=1.0>1.1" }, "yn", "firmware" },
		{ { .policy = "match=firmware firmware=1.1>1.0" },
		  { "firmware", "\"1.1\"", .policy = "match=firmware firmware=1.0>1.1" }, "yy" },
		{ { }, { "state_formats", "{\"versions\": [1, 0], \"uuids\": [\"" UUID1 "\"]}", .key2 = "state_version", .value2 = "1" },
		  "yn", "format" },
		{ { }, { "max_state_mb", "512" }, "py", "max_state_mb" },
		{ { "state_bytes", "1000" }, { "max_state_mb", "512" }, "yy" },
		{ { "state_bytes", "536870912" }, { "max_state_mb", "512" }, "yy" },
		{ { "state_bytes", "536870913" }, { "max_state_mb", "512" }, "ny", "max_state_mb" },
		{ { }, { "tracks_memory", "false" }, "py", "tracking" },
		{ { .policy = "media=copied" }, { }, "py", "media" },
		{ { .ns = "9" }, { .ns = "12" }, "nn", "blocks blocks" },
		{ { .ns = "9" }, { .ns = "9 12" }, "nn", "blocks blocks" },
		{ { .ns = "9" }, { .ns = "9+8" }, "nn", "blocks blocks" },
		{ { .ns = "9" }, { .ns = "" }, "nn", "blocks blocks" },
		{ { .ns = "9" }, { }, "yy" },
		{ { .ns = "9 12" }, { .ns = "?" }, "yy" },
		{ { .ns = "9", .policy = "unknown=refuse" }, { }, "yn", "namespaces" },
		{ { .ns = "9", .policy = "unknown=refuse" }, { .ns = "9", .policy = "stream=1" }, "yn", "stream" },
	};
	size_t i;

	for (i = 0; i < sizeof(pair) / sizeof(*pair); i++) {
		struct class_facts a, b;
		unsigned int there = 0, back = 0;
		char have[3] = "", keys[64];
		bool same;

		if (!read_facts(&pair[i].one, &a) && !read_facts(&pair[i].two, &b)) {
			have[0] = move_char[class_moves(&a, &b, &there)];
			have[1] = move_char[class_moves(&b, &a, &back)];
		}
		snprintf(keys, sizeof(keys), "%s%s%s",
			 have[0] == 'y' ? "" : class_part_key(there),
			 have[0] == 'y' || have[1] == 'y' ? "" : " ",
			 have[1] == 'y' ? "" : class_part_key(back));
		same = !strcmp(have, pair[i].want) &&
		       !strcmp(keys, pair[i].keys ? pair[i].keys : "");
		ok(same, "there and back: %s %s: to %s", pair[i].want,
		   pair[i].keys ? pair[i].keys : "", name_of(&pair[i].two));
		if (!same)
			printf("# have: %s %s\n", have, keys);
	}
}

/* -- drawn by chance ------------------------------------------------------------------ */

#define DRAWS	3000

static void draw(struct change *c)
{
	static const struct change some[] = {
		{ }, { }, { }, { "model", "\"Y\"" }, { "firmware", "\"1.1\"" },
		{ "queues", "8" }, { "interrupts", "0" }, { "interrupts", "4" },
		{ "pci_id", "\"1b36:0011\"" }, { "nvme_version", "\"2.2.0\"" },
		{ "state_formats", "{\"versions\": [1, 0], \"uuids\": [\"" UUID2 "\", \"" UUID1 "\"]}" },
		{ "state_formats", "{\"versions\": [1, 0], \"uuids\": [\"" UUID1 "\"]}", .key2 = "state_version", .value2 = "1" },
		{ "state_formats", "null" }, { "tracks_memory", "false" },
		{ "max_state_mb", "512" }, { "state_bytes", "1000" }, { VENDOR },
	};
	static const char * const policy[] = {
		"", "", "match=format", "match=format format=0", "media=copied",
		"match=firmware firmware=1.0>1.1", "match=firmware firmware=1.1>1.0,1.0>1.1",
		"unknown=refuse", "stream=1", "format=1", "stream=1 match=format media=copied",
	};
	static const char * const ns[] = { NULL, NULL, "9", "9 9", "9?", "12", "?" };

	*c = some[rand() % (sizeof(some) / sizeof(*some))];
	c->policy = policy[rand() % (sizeof(policy) / sizeof(*policy))];
	c->ns = ns[rand() % (sizeof(ns) / sizeof(*ns))];
}

static bool refused;

static void emit(void *arg, const char *id, const char *function,
		 struct answer *a)
{
	(void)arg;
	/* sizes of states only count for those who know them */
	if (function && a->status == CHECK_FAIL && strcmp(id, "peer") &&
	    strcmp(id, "peer-state-size"))
		refused = true;
}

/* What "doctor --peer" finds of the same two; namespaces are the same there. */
static bool peer_refuses(const struct change *from, const struct change *to)
{
	json_object *host, *vf, *there = json_object_new_object();
	json_object *here = json_object_new_array(), *others = json_object_new_array();

	make(to, &host, &vf);
	json_object_object_add(there, "host", host);
	json_object_array_add(others, vf);
	json_object_object_add(there, "functions", others);
	json_object_object_add(there, "checks", json_object_new_array());
	make(from, &host, &vf);
	json_object_array_add(here, vf);
	refused = false;
	peer_compare(host, here, there, emit, NULL);
	json_object_put(host);
	json_object_put(here);
	json_object_put(there);
	return refused;
}

static void by_chance(void)
{
	unsigned int i, classes = 0, alike = 0, no = 0;
	bool good = true, agree = true;

	srand(1);
	for (i = 0; i < DRAWS && good && agree; i++) {
		char x[CLASS_ID_LEN], y[CLASS_ID_LEN];
		struct class_facts a, b;
		struct change one, two;
		enum class_move there, back;
		unsigned int part, by_part;

		draw(&one);
		draw(&two);
		/* often the same namespaces, like a guest's */
		if (rand() % 2)
			two.ns = one.ns;
		if (read_facts(&one, &a) || read_facts(&two, &b) ||
		    !class_id(&a, x) || !class_id(&b, y))
			continue;
		classes++;
		there = class_moves(&a, &b, &by_part);
		back = class_moves(&b, &a, &part);
		if (!strcmp(x, y)) {
			alike++;
			good = there == CLASS_YES && back == CLASS_YES;
		}
		no += there == CLASS_NO;
		/* "doctor --peer" compares the namespaces themselves, and does not look at stream= */
		if (one.ns == two.ns && by_part != CLASS_STREAM)
			agree = (there == CLASS_NO) == peer_refuses(&one, &two);
		if (good && agree)
			continue;
		printf("# %s\n", name_of(&one));
		printf("# to %s: %c, back %c, %s\n", name_of(&two),
		       move_char[there], move_char[back], class_part_key(by_part));
	}
	ok(good && alike > 50, "%u pairs of one class: there and back", alike);
	ok(agree && no > 500, "%u of %u pairs are refused, and by doctor --peer as well", no, classes);
}

int main(void)
{
	ids();
	others();
	alike();
	gaps();
	moves();
	by_chance();
	return tap_done();
}

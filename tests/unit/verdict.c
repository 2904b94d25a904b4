// SPDX-License-Identifier: GPL-2.0-only
/*
 * The verdicts that the driver and the tool have in common: which command set a
 * PF has, which format of state is used, and where a state fits.
 */
#include <stdio.h>
#include <string.h>

#include "identity.h"
#include "tap.h"

static void put16(u8 *p, u16 v)
{
	p[0] = v;
	p[1] = v >> 8;
}

static void test_sets(void)
{
	ok(lm_says_standard(0x0800) && lm_says_standard(0xffff),
	   "OACS bit 11: standard set");
	ok(!lm_says_standard(0) && !lm_says_standard(0xf7ff),
	   "other bits of OACS are not");
	ok(lm_says_vendor(1) && !lm_says_vendor(0) && !lm_says_vendor(0xff) &&
	   !lm_says_vendor(3), "byte 3072 is 1, nothing else: vendor set");
	ok(lm_vendor_id_known(0x8086, 0x1457) &&
	   !lm_vendor_id_known(0x8086, 0x1458) &&
	   !lm_vendor_id_known(0x1457, 0x8086), "one id is known to have it");
}

/* --- secondary controllers --- */

struct drive {
	const char *what;
	unsigned int n;		/* secondary controllers, ids from @first up */
	u32 first;
	u32 stride;		/* through a list; 1 = ascending */
	bool deaf;		/* gives the first list for any request */
	unsigned int lists;	/* that may be needed */
};

static void serve(const struct drive *d, u32 from, u8 page[4096])
{
	u32 end = d->first + d->n;
	unsigned int i, n;

	if (d->deaf || from < d->first)
		from = d->first;
	n = end > from ? end - from : 0;
	if (n > LM_SECONDARY_MAX)
		n = LM_SECONDARY_MAX;

	memset(page, 0xee, 4096);
	page[0] = n;
	for (i = 0; i < n; i++)
		put16(page + 32 + 32 * i, from + i * d->stride % n);
}

static void test_secondary(void)
{
	static const struct drive drives[] = {
		{ "none", 0, 1, 1, false, 1 },
		{ "one list", 126, 1, 1, false, 1 },
		{ "a list that is just full", 127, 1, 1, false, 2 },
		{ "three lists", 300, 1, 1, false, 3 },
		{ "up to the last id", 1000, 0xffff - 999, 1, false, 8 },
		{ "lists in another order", 127 * 7, 5, 50, false, 8 },
		{ "not all of a deaf drive", 300, 1, 1, true, 2 },
	};
	static bool found[0x10000];
	unsigned int i, k;

	for (k = 0; k < sizeof(drives) / sizeof(*drives); k++) {
		const struct drive *d = &drives[k];
		unsigned int lists = 0, got = 0;
		u8 page[4096];
		u32 from = 0;

		memset(found, 0, sizeof(found));
		do {
			serve(d, from, page);
			for (i = 0; i < page[0]; i++)
				found[lm_le16(lm_secondary(page, i))] = true;
			from = lm_next_secondary(page, from);
		} while (++lists < d->lists && from);
		for (i = 0; i < d->n; i++)
			got += found[d->first + i];
		ok(!from && got == (d->deaf ? LM_SECONDARY_MAX : d->n),
		   "secondary controllers: %s", d->what);
	}
}

/* A page with versions from 100 up, and UUIDs whose bytes are their index. */
static void make_page(u8 page[4096], unsigned int nv, unsigned int nuuid)
{
	unsigned int i;

	memset(page, 0xee, 4096);
	page[0] = nv;
	page[1] = nuuid;
	for (i = 0; i < nv; i++)
		put16(page + 2 + 2 * i, 100 + i);
	for (i = 0; i < nuuid && 2 + 2 * nv + 16 * (i + 1) <= 4096; i++)
		memset(page + 2 + 2 * nv + 16 * i, i + 1, 16);
}

static bool uuid_is(const struct state_format *f, u8 byte)
{
	u8 want[16];

	memset(want, byte, sizeof(want));
	return !memcmp(f->uuid, want, sizeof(want));
}

static void test_formats(void)
{
	static const struct state_format none = { };
	struct state_format f;
	const char *why;
	u8 page[4096];
	unsigned int nv;
	bool good = true;

	make_page(page, 1, 1);
	put16(page + 2, 0);
	ok(!lm_find_format(page, &f) && f.index.version == 1 && !f.version &&
	   f.index.uuid == 1 && uuid_is(&f, 1), "one of each");

	make_page(page, 3, 2);
	ok(!lm_find_format(page, &f) && f.index.version == 1 &&
	   f.version == 100 && f.index.uuid == 1 && uuid_is(&f, 1),
	   "without version 0 the first of all");
	put16(page + 2 + 2 * 2, 0);
	ok(!lm_find_format(page, &f) && f.index.version == 3 && !f.version &&
	   uuid_is(&f, 1), "version 0 wherever it is");
	put16(page + 2 + 2 * 1, 0x0100);
	put16(page + 2 + 2 * 2, 0x0001);
	ok(!lm_find_format(page, &f) && f.index.version == 1,
	   "a version with a byte of 0 is not version 0");

	memset(&f, 0xff, sizeof(f));
	make_page(page, 1, 0);
	why = lm_find_format(page, &f);
	ok(why && !strcmp(why, LM_NO_UUID) && !memcmp(&f, &none, sizeof(f)),
	   "no UUID: refused, %s", why ?: "-");
	memset(&f, 0xff, sizeof(f));
	make_page(page, 0, 1);
	why = lm_find_format(page, &f);
	ok(why && !strcmp(why, LM_NO_VERSION) && !memcmp(&f, &none, sizeof(f)),
	   "no version: refused, %s", why ?: "-");
	make_page(page, 0, 0);
	ok(lm_find_format(page, &f), "neither: refused");

	for (nv = 1; nv < 256; nv++) {
		make_page(page, nv, 255);
		good &= !lm_find_format(page, &f) && uuid_is(&f, 1);
	}
	ok(good, "the UUIDs are found behind 1 to 255 versions");
}

static const struct identity_rules strict;

static const struct stream_identity here = {
	.model = "m", .firmware = "f", .nvq = 5, .nvi = 0x0102,
	.has_uuid = 1, .uuid = "u",
};

/* A field that differs is in the way, and only that one. */
#define DIFFERS(field, value, part, what) do {				\
	struct stream_identity from = here;				\
	const char *why;						\
	unsigned int i_, wrong = 0;					\
	from.field = (value);						\
	for (i_ = 0; i_ < IDENTITY_PARTS; i_++)				\
		wrong += identity_fits(&from, &here, &strict, i_) == (i_ == (part)); \
	why = identity_misfit(&from, &here, &strict);				\
	ok(!wrong && why, "another %s: %s", what, why ?: "-");			\
} while (0)

static void test_fits(void)
{
	struct stream_identity from = here;

	ok(!identity_misfit(&here, &here, &strict), "the same fits");
	DIFFERS(cmdset, 2, IDENTITY_CMDSET, "command set");
	DIFFERS(model[39], 'x', IDENTITY_MODEL, "model");
	DIFFERS(firmware[7], 'x', IDENTITY_FIRMWARE, "firmware");
	DIFFERS(pci_vendor, 1, IDENTITY_PCI_ID, "PCI vendor");
	DIFFERS(pci_device, 1, IDENTITY_PCI_ID, "PCI device");
	DIFFERS(nvme_version, 1, IDENTITY_NVME_VERSION, "NVMe version");
	DIFFERS(state_version, 1, IDENTITY_FORMAT, "version of the state");
	DIFFERS(has_uuid, 0, IDENTITY_FORMAT, "presence of a vendor's part");
	DIFFERS(uuid[15], 1, IDENTITY_FORMAT, "UUID");
	DIFFERS(nvq, 6, IDENTITY_QUEUES, "number of queues, larger");
	DIFFERS(nvi, 0x0201, IDENTITY_INTERRUPTS, "number of interrupts, larger");
	DIFFERS(nvi, 0x0003, IDENTITY_INTERRUPTS, "number of interrupts, smaller");

	from.nvq = 4;
	ok(!identity_misfit(&from, &here, &strict), "fewer queues fit");
	from.nvi = 0;
	ok(!identity_misfit(&from, &here, &strict),
	   "interrupts that are not known fit");
	from = here;
	from.size_hint = 7;
	from.data_hint = 7;
	ok(!identity_misfit(&from, &here, &strict), "hints do not matter");
	from.cmdset = 2;
	from.nvq = 6;
	ok(!strcmp(identity_misfit(&from, &here, &strict),
		   "the state is from the other command set"),
	   "the most telling reason is given");
}

/* --- policies --- */

static bool parses(const char *words, struct policy *p)
{
	unsigned int len = 0;
	const char *bad = "";
	const char *why = nvme_vfio_policy_parse(p, words, &bad, &len);

	if (why)
		printf("# %s: '%.*s' %s\n", words, (int)len, bad, why);
	return !why;
}

static void test_policies(void)
{
	static const char * const wrong[] = {
		"media", "media=", "media=mine", "=shared", "medi=shared",
		"unknown=maybe", "match=any", "stream=0", "stream=3", "stream=12",
		"format=", "format=x", "format=65536", "format=123456",
		"format=0:", "format=0:12", "format=-1",
		"format=0:6f1c2790-4b8e-4d35-9a52-e10d73b628c4ff",
		"format=0:6f1c2790-4b8e-4d35-9a52-e10d73b628c",
		"format=0:6f1c27904b8e4d359a52e10d73b628cg",
		"match=firmware", "firmware=A>B", "match=format firmware=A>B",
		"match=firmware firmware=", "match=firmware firmware=A",
		"match=firmware firmware=A>", "match=firmware firmware=>B",
		"match=firmware firmware=A>B>C", "match=firmware firmware=A>B,",
		"match=firmware firmware=123456789>B",
		"match=firmware firmware=A>B%", "match=firmware firmware=A>B%2",
		"match=firmware firmware=A>B%00", "match=firmware firmware=A>%2g",
		"match=firmware firmware=1>2,1>2,1>2,1>2,1>2,1>2,1>2,1>2,1>2",
		"media=shared media=copied", "match=format match=format", "quarantine=yes",
	};
	static const struct policy none;
	struct identity_rules rules = { 0 };
	struct stream_identity from, to = here;
	u8 page[LM_FORMATS_LEN] = { 2, 3 };
	struct state_format f;
	struct policy p;
	unsigned int i;

	ok(parses("", &p) && !memcmp(&p, &none, sizeof(p)), "no words: the defaults");
	ok(parses("media=shared  match=strict unknown=accept quarantine=ignore\n", &p) &&
	   !memcmp(&p, &none, sizeof(p)), "the defaults in words");
	ok(parses("match=firmware firmware=1.0>2.0,12345678>2.0 stream=1 media=copied unknown=refuse", &p) &&
	   p.match == POLICY_FIRMWARE && p.pairs == 2 && p.minor == 1 &&
	   p.copied && p.refuse_unknown, "all words but two");
	ok(parses("quarantine=refuse", &p) && p.quarantine, "quarantine");
	ok(parses("format=300:6f1c2790-4b8e-4d35-9a52-e10d73b628c4", &p) &&
	   p.has_format && p.has_uuid && p.version == 300 &&
	   p.uuid[0] == 0x6f && p.uuid[15] == 0xc4, "a format");
	ok(parses("match=firmware firmware=A%20b>%2c%3E%25", &p) &&
	   !strncmp(p.firmware[0].from, "A b", POLICY_FR_LEN) &&
	   !strncmp(p.firmware[0].to, ",>%", POLICY_FR_LEN), "characters by their codes");
	ok(parses("format=7", &p) && p.has_format && !p.has_uuid, "a version");
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ok(!parses(wrong[i], &p), "refused: %s", wrong[i]);

	from = here;
	memcpy(from.firmware, "1.0     ", 8);
	memcpy(from.model, "n", 1);
	from.nvme_version = 1;
	ok(parses("match=format", &p), "match=format");
	rules.policy = &p;
	ok(!identity_misfit(&from, &here, &rules),
	   "neither model nor firmware nor version count then");
	from.pci_device = 1;
	ok(identity_misfit(&from, &here, &rules), "but the PCI id does");

	from = here;
	memcpy(from.firmware, "1.0     ", 8);
	from.nvme_version = 1;
	memcpy(to.firmware, "2.0     ", 8);
	ok(parses("match=firmware firmware=1.0>2.0", &p) &&
	   !identity_misfit(&from, &to, &rules), "a pair that is on the list");
	ok(identity_misfit(&to, &from, &rules), "not in the other direction");
	from.model[0] = 'x';
	ok(identity_misfit(&from, &to, &rules), "nor of another model");
	from.model[0] = to.model[0];
	from.firmware[7] = 'x';
	ok(identity_misfit(&from, &to, &rules), "nor a longer name");

	rules.policy = NULL;
	rules.formats = page;
	put16(page + 2, 5);
	put16(page + 4, 0);
	memset(page + 6, 1, 16);
	memset(page + 22, 2, 16);
	memcpy(page + 38, here.uuid, 16);
	ok(!identity_misfit(&here, &here, &rules), "a format that is not the first");
	ok(nvme_vfio_pick_format(page, 0, here.uuid, &f) && f.index.version == 2 &&
	   f.index.uuid == 3, "and its indexes");
	ok(nvme_vfio_pick_format(page, 5, NULL, &f) && f.index.version == 1 &&
	   f.index.uuid == 1 && uuid_is(&f, 1), "with any UUID the first");
	ok(!nvme_vfio_pick_format(page, 6, NULL, &f), "a version that is not there");
	from = here;
	from.state_version = 6;
	ok(identity_misfit(&from, &here, &rules), "a state of such a version");
	from = here;
	from.uuid[3] ^= 1;
	ok(identity_misfit(&from, &here, &rules), "a state of another UUID");
	page[0] = page[1] = 255;
	memset(page + 2, 0xff, sizeof(page) - 2);
	ok(!nvme_vfio_pick_format(page, 1, here.uuid, &f), "a list longer than is looked at");
}

/* --- parts of a state --- */

static void test_parts(void)
{
	const struct std_format both = { .version = 2, .uuid = 1 };
	const struct std_format nvme = { .version = 1 };
	const struct std_format vendor = { .uuid = 3 };
	u8 h[LM_STATE_HEADER] = { 0 };

	ok(!strcmp(lm_state_lacks(h, both), LM_NO_NVME_PART), "an empty state");
	ok(!strcmp(lm_state_lacks(h, vendor), LM_NO_VENDOR_PART) &&
	   !strcmp(lm_state_lacks(h, nvme), LM_NO_NVME_PART),
	   "an empty state, where one part is asked for");
	h[0] = h[2] = h[15] = 0xff;
	ok(lm_state_lacks(h, nvme) && lm_state_lacks(h, vendor),
	   "what stands before the lengths is none");
	h[31] = 1;
	ok(!lm_state_lacks(h, nvme) &&
	   !strcmp(lm_state_lacks(h, both), LM_NO_VENDOR_PART), "no vendor part");
	h[32] = 1;
	ok(!lm_state_lacks(h, both), "both parts");
	h[31] = 0;
	ok(!strcmp(lm_state_lacks(h, both), LM_NO_NVME_PART) &&
	   !lm_state_lacks(h, vendor), "no NVMe part");
}

/* --- namespaces --- */

static struct stream_namespace namespace(u32 nsid)
{
	struct stream_namespace n = {
		.flags = NS_F_STRUCT | NS_F_DESCRIPTORS, .lba_shift = 12,
		.nguid = "nguid", .eui64 = "eui", .uuid = "uuid",
	};

	ns_put(&n.nsid, nsid, 4);
	ns_put(&n.blocks, 1000, 8);
	return n;
}

static struct stream_namespaces namespaces(unsigned int n)
{
	struct stream_namespaces s = { .known = 1 };
	unsigned int i;

	for (i = 1; i <= n; i++) {
		struct stream_namespace one = namespace(i);

		ns_add(&s, &one);
	}
	return s;
}

static void test_ns_structs(void)
{
	struct stream_namespace n = { 0 };
	u8 id[4096] = { 0 };

	ns_put(id, 0x1122334455667788ull, 8);
	id[25] = 15;
	id[26] = 0x70 | 3;		/* the high bits do not count */
	id[29] = 9;
	memset(id + 104, 0xaa, 16);
	memset(id + 120, 0xbb, 8);
	put16(id + 128 + 4 * 3, 8);
	id[128 + 4 * 3 + 2] = 12;
	id[128 + 4 * 51 + 2] = 16;
	ns_take_struct(&n, id);
	ok(ns_get64(&n.blocks) == 0x1122334455667788ull && n.lba_shift == 12 &&
	   lm_le16(&n.metadata) == 8 && n.extended == 1 && n.protection == 9 &&
	   n.nguid[15] == 0xaa && n.eui64[7] == 0xbb && n.flags == NS_F_STRUCT,
	   "the structure of a namespace");
	id[25] = 63;
	ns_take_struct(&n, id);
	ok(n.lba_shift == 16, "one of more than 16 formats");

	memset(&n, 0, sizeof(n));
	memset(id, 0, sizeof(id));
	id[0] = 3;
	id[1] = 16;
	memset(id + 4, 0xcc, 16);
	id[20] = 77;
	id[21] = 3;
	id[27] = 1;
	id[28] = 8;
	memset(id + 31, 0xdd, 8);
	ns_take_descriptors(&n, id);
	ok(n.uuid[15] == 0xcc && n.eui64[0] == 0xdd && !NS_HAS(n.nguid) &&
	   n.flags == NS_F_DESCRIPTORS, "descriptors, an unknown one among them");
	memset(id, 0xff, sizeof(id));
	ns_take_descriptors(&n, id);
	ok(n.uuid[15] == 0xcc, "descriptors without an end");

	memset(id, 0, sizeof(id));
	put16(id, 2);
	put16(id + 2, 7);
	put16(id + 4, 9);
	put16(id + 6, 11);
	ok(ns_has_controller(id, 9) && !ns_has_controller(id, 11),
	   "controllers that have a namespace");
	put16(id, 0xffff);
	ok(!ns_has_controller(id, 12), "as many as a list cannot have");
}

/* @n namespaces at both ends, one of them changed here */
#define NS_DIFFERS(n, change, copied, word) do {			\
	struct stream_namespaces from_ = namespaces(n), to = namespaces(0); \
	struct ns_verdict v_;						\
	unsigned int i_;						\
	for (i_ = 1; i_ <= (n); i_++) {					\
		struct stream_namespace one = namespace(i_);		\
		if (i_ == (n))						\
			change;						\
		ns_add(&to, &one);					\
	}								\
	v_ = ns_compare(&from_, &to, copied);				\
	ok(v_.why && strstr(v_.why, word), "%u namespaces, %s: %u %s", n, #change, v_.nsid, \
	   v_.why ?: "-");						\
} while (0)

static void test_ns_compare(void)
{
	struct stream_namespaces a = namespaces(3), b = a, none = { 0 };
	struct stream_namespace one;
	struct ns_verdict v;

	ok(!ns_fault(&a, ns_len(&a)) && !ns_fault(&none, ns_len(&none)),
	   "records without fault");
	v = ns_compare(&a, &b, false);
	ok(!v.why && !v.unsure, "the same namespaces");
	b = namespaces(0);
	v = ns_compare(&b, &b, false);
	ok(!v.why && !v.unsure, "no namespaces at both ends");

	NS_DIFFERS(2, one.nguid[0] = 'x', false, "NGUID");
	NS_DIFFERS(2, one.eui64[0] = 'x', false, "EUI64");
	NS_DIFFERS(2, one.uuid[0] = 'x', false, "UUID");
	NS_DIFFERS(2, memset(one.nguid, 0, 16), false, "NGUID");
	NS_DIFFERS(2, one.blocks += 1, false, "a different size");
	NS_DIFFERS(2, one.blocks += 1, true, "a different size");
	NS_DIFFERS(2, one.lba_shift = 9, true, "block size");
	NS_DIFFERS(2, one.metadata = 8, true, "metadata");
	NS_DIFFERS(2, one.extended = 1, true, "metadata");
	NS_DIFFERS(2, one.protection = 1, true, "metadata");
	NS_DIFFERS(2, ns_put(&one.nsid, 7, 4), true, "is not attached to this VF");
	NS_DIFFERS(100, one.nguid[0] = 'x', false, "beyond those that the stream lists");

	b = namespaces(2);
	v = ns_compare(&a, &b, true);
	ok(v.why && v.nsid == 3 && strstr(v.why, "is not attached to this VF"),
	   "one is missing here: %s", v.why ?: "-");
	v = ns_compare(&b, &a, true);
	ok(v.why && v.nsid == 3 && strstr(v.why, "not to the source's"),
	   "one is missing there: %s", v.why ?: "-");
	a = namespaces(63);
	b = namespaces(64);
	v = ns_compare(&a, &b, true);
	ok(v.why, "one more than can be listed: %s", v.why ?: "-");

	a = namespaces(1);
	v = ns_compare(&a, &none, false);
	ok(!v.why && v.unsure, "not known here: nothing differs, not sure");
	v = ns_compare(&none, &a, false);
	ok(!v.why && v.unsure, "nor at the source");

	b = namespaces(0);
	one = namespace(1);
	one.flags = NS_F_STRUCT;
	memset(one.uuid, 0, 16);
	ns_add(&b, &one);
	v = ns_compare(&a, &b, false);
	ok(!v.why && !v.unsure && a.digest == b.digest,
	   "a UUID that only one end is told matters not, nor to the digest");

	b = namespaces(0);
	memset(one.nguid, 0, 16);
	memset(one.eui64, 0, 8);
	ns_add(&b, &one);
	v = ns_compare(&b, &b, false);
	ok(!v.why && v.unsure, "the same size alone is not the same namespace");
	v = ns_compare(&b, &b, true);
	ok(!v.why && !v.unsure, "but enough where data were copied");
	NS_DIFFERS(1, one.nguid[0] = 'x', false, "NGUID");

	b = namespaces(0);
	one = namespace(1);
	one.nguid[0] = 'x';
	ns_add(&b, &one);
	v = ns_compare(&a, &b, true);
	ok(!v.why && !v.unsure, "another id, and the data were copied: fits");
	b = namespaces(0);
	one = namespace(1);
	one.flags = 0;
	ns_add(&b, &one);
	v = ns_compare(&a, &b, true);
	ok(!v.why && v.unsure, "a namespace of which only the id is known");
}

int main(void)
{
	test_sets();
	test_secondary();
	test_formats();
	test_fits();
	test_policies();
	test_parts();
	test_ns_structs();
	test_ns_compare();
	return tap_done();
}

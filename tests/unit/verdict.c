// SPDX-License-Identifier: GPL-2.0-only
/*
 * The verdicts that the driver and the tool have in common: which command set a
 * PF has, which format of state is used, and where a state fits.
 */
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
	bool deaf;		/* gives the first list whatever is asked for */
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

static const struct stream_identity here = {
	.model = "m", .firmware = "f", .nvq = 5, .nvi = 0x0102,
	.has_uuid = 1, .uuid = "u",
};

/* A field that differs stands in the way, and it alone. */
#define DIFFERS(field, value, part, what) do {				\
	struct stream_identity from = here;				\
	const char *why;						\
	unsigned int i_, wrong = 0;					\
	from.field = (value);						\
	for (i_ = 0; i_ < IDENTITY_PARTS; i_++)				\
		wrong += identity_fits(&from, &here, i_) == (i_ == (part)); \
	why = identity_misfit(&from, &here);				\
	ok(!wrong && why, "another %s: %s", what, why ?: "-");			\
} while (0)

static void test_fits(void)
{
	struct stream_identity from = here;

	ok(!identity_misfit(&here, &here), "the same fits");
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

	from.nvq = 4;
	from.nvi = 0x0003;
	ok(!identity_misfit(&from, &here), "fewer queues and interrupts fit");
	from = here;
	from.size_hint = 7;
	from.data_hint = 7;
	ok(!identity_misfit(&from, &here), "hints do not matter");
	from.cmdset = 2;
	from.nvq = 6;
	ok(!strcmp(identity_misfit(&from, &here),
		   "the state is of the other command set"),
	   "the most telling reason is given");
}

int main(void)
{
	test_sets();
	test_secondary();
	test_formats();
	test_fits();
	return tap_done();
}

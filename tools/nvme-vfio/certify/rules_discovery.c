// SPDX-License-Identifier: GPL-2.0-only
/*
 * rules_discovery.c - what the drive says about itself.
 */
#include <endian.h>
#include <string.h>

#include "cert.h"

#define CNS_SECONDARY	0x15
#define CNS_FORMATS	0x20
#define LOG_EFFECTS	0x05
#define OACS		256
#define TRACK_CAPS	570

static uint16_t le16_at(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static uint32_t effects(struct cert *c, unsigned int opcode)
{
	static uint8_t *log;
	struct cert_cmd cmd = { .name = "Get Log Page", .kind = CERT_T_OTHER,
		.opcode = 0x02, .cdw10 = LOG_EFFECTS | (CERT_PAGE / 4 - 1) << 16,
		.len = CERT_PAGE };

	if (!log) {
		log = cert_buf(CERT_PAGE);
		cmd.data = log;
		cert_is(c, cert_send(c, &cmd), 0,
			"Commands Supported and Effects log");
	}
	return log[4 * opcode] & 1;
}

static void commands(struct cert *c)
{
	check(lm_says_standard(le16_at(c->id + OACS)),
	      "OACS bit 11 is clear: no migration commands");
	check(effects(c, 0x41), "Migration Send (41h) is not in the log of supported commands");
	check(effects(c, 0x42),
			"Migration Receive (42h) is not in the log of supported commands");
}

static void track_commands(struct cert *c)
{
	check(effects(c, 0x3d), "Track Send (3Dh) is not in the log of supported commands");
	check(effects(c, 0x3e), "Track Receive (3Eh) is not in the log of supported commands");
}

static void both_parts(struct cert *c)
{
	struct state_format f;
	const char *why;

	check(c->formats[0], "no version of NVMe Controller State is listed");
	check(c->formats[1], "no UUID of the vendor's part is listed");
	why = lm_find_format(c->formats, &f);
	check(!why, "%s", why);
}

static void formats_once(struct cert *c)
{
	unsigned int nv = c->formats[0], nu = c->formats[1], i, k;
	const uint8_t *v = c->formats + 2, *u = v + 2 * nv;
	static const uint8_t none[16];

	for (i = 0; i < nv; i++)
		for (k = 0; k < i; k++)
			check(le16_at(v + 2 * i) != le16_at(v + 2 * k),
			      "version %u is listed twice", le16_at(v + 2 * i));
	for (i = 0; i < nu && u + 16 * (i + 1) <= c->formats + CERT_PAGE; i++) {
		check(memcmp(u + 16 * i, none, 16), "UUID %u is 0", i + 1);
		for (k = 0; k < i; k++)
			check(memcmp(u + 16 * i, u + 16 * k, 16),
			      "UUID %u is the same as UUID %u", i + 1, k + 1);
	}
}

struct secondary {
	uint16_t scid, pcid;
	uint8_t scs, rsvd5[3];
	uint16_t vfn, nvq, nvi;
	uint8_t rsvd14[18];
};

/* It defines the controller ids, and the driver finds its VF there. */
static void secondaries(struct cert *c)
{
	static bool seen[1 << 16];
	unsigned int pf = le16_at(c->id + 78), from = 0, i, found = 0, k;
	uint8_t *page = cert_buf(CERT_PAGE);

	for (;;) {
		const struct secondary *e = (const void *)(page + 32);
		unsigned int n, last = from;

		cert_is(c, cert_identify(c, CNS_SECONDARY, from, page), 0,
			"Secondary Controller List");
		n = page[0];
		check(n <= 127, "the list has %u entries, but only 127 fit", n);
		for (i = 0; i < n; i++) {
			unsigned int id = le16toh(e[i].scid);

			check(id >= from, "controller %u is in a list that starts at %u", id, from);
			check(!seen[id], "controller %u is listed twice", id);
			check(id != pf, "the PF is its own secondary controller");
			seen[id] = true;
			last = id > last ? id : last;
			for (k = 0; k < c->nvf; k++)
				found += le16toh(e[i].vfn) == c->vf[k].vfn &&
					 le16toh(e[i].pcid) == pf;
		}
		if (n < 127 || last >= 0xfffe)
			break;
		from = last + 1;
	}
	check(found == c->nvf, "%u of %u VFs are listed", found, c->nvf);
}

static void track_limits(struct cert *c)
{
	const uint8_t *p = c->id + TRACK_CAPS;
	unsigned int ranges = le16_at(p), all = le16_at(p + 2);

	check(ranges, "CMMRTD is 0: no range can be tracked");
	check(all >= ranges || !all, "NMMRTD %u is less than CMMRTD %u", all, ranges);
	check(p[4] <= p[5], "MINMRTG %u is larger than MAXMRTG %u", p[4], p[5]);
}

static void page_units(struct cert *c)
{
	check(!c->id[TRACK_CAPS + 4],
			"the smallest unit is %u KiB: more memory is sent than was written",
	      4u << c->id[TRACK_CAPS + 4]);
}

static void constant(struct cert *c)
{
	uint8_t *page = cert_buf(CERT_PAGE);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		cert_is(c, cert_identify(c, 1, 0, page), 0, "Identify Controller");
		check(!memcmp(page + OACS, c->id + OACS, 8),
		      "OACS, or a field after it, changes from one Identify to the next");
		check(!memcmp(page + TRACK_CAPS, c->id + TRACK_CAPS, 7),
		      "the limits of tracking change from one Identify to the next");
		if (c->set != CERT_STANDARD)
			continue;
		cert_is(c, cert_identify(c, CNS_FORMATS, 0, page), 0,
			"Supported Controller State Formats");
		check(!memcmp(page, c->formats, CERT_PAGE),
		      "the state formats change from one Identify to the next");
	}
}

static void large_pieces(struct cert *c)
{
	unsigned int mdts = c->id[77];

	check(!mdts || CERT_PAGE << mdts >= 128 << 10,
	      "MDTS is %u KiB: a large state takes many commands",
	      (CERT_PAGE >> 10) << mdts);
}

const struct cert_rule cert_discovery[] = {
	{ "disc-commands", "the drive announces the migration commands",
			"Identify Controller, OACS; Commands Supported and Effects log",
	  CERT_MUST, CERT_STANDARD, 0, commands },
	{ "disc-track-commands", "the drive announces the tracking commands",
			"Commands Supported and Effects log",
	  CERT_SHOULD, CERT_STANDARD | CERT_TRACKS, 0, track_commands },
	{ "disc-formats", "both parts of a state have a format", "Identify, CNS 20h",
	  CERT_MUST, CERT_STANDARD, 0, both_parts },
	{ "disc-formats-once", "no format is listed twice", "Identify, CNS 20h",
	  CERT_SHOULD, CERT_STANDARD, 0, formats_once },
	{ "disc-secondary", "each VF has its own controller id", "Identify, CNS 15h",
	  CERT_MUST, CERT_STANDARD | CERT_VF, 0, secondaries },
	{ "disc-track-limits", "the limits of tracking make sense",
			"Identify Controller, CMMRTD to MAXMRTG",
	  CERT_MUST, CERT_STANDARD | CERT_TRACKS, 0, track_limits },
	{ "disc-track-pages", "single pages can be tracked", "Identify Controller, MINMRTG",
	  CERT_QUALITY, CERT_STANDARD | CERT_TRACKS, 0, page_units },
	{ "disc-constant", "Identify data stays the same", "Identify",
	  CERT_MUST, CERT_BOTH, 0, constant },
	{ "disc-transfer", "a command can carry 128 KiB", "Identify Controller, MDTS",
	  CERT_QUALITY, CERT_BOTH, 0, large_pieces },
	{ }
};

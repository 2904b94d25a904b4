// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands byte for byte against worked values: controller 0005h, version
 * index 1, UUID index 1.
 */
#include <string.h>

#include "standard_cmd.h"
#include "tap.h"
#include "vendor_cmd.h"

static_assert(sizeof(struct nvme_common_command) == 64, "command size");
static_assert(sizeof(struct std_secondary_list) == 4096, "list size");
static_assert(sizeof(struct std_state_header) == 48, "header size");

/* The whole entry: opcode in byte 0, dwords 10 to 15, nothing else. */
static void expect(const char *name, const struct nvme_common_command *c,
		   u8 opcode, u32 d10, u32 d11, u32 d12, u32 d13, u32 d15)
{
	const u32 dword[6] = { d10, d11, d12, d13, 0, d15 };
	u8 want[64] = { opcode };
	int i, b;

	for (i = 0; i < 6; i++)
		for (b = 0; b < 4; b++)
			want[40 + 4 * i + b] = dword[i] >> (8 * b);

	ok(!memcmp(want, c, sizeof(want)), "%s", name);
	for (i = 0; i < 64; i++)
		if (want[i] != ((const u8 *)c)[i])
			printf("# byte %d: want %02x, is %02x\n", i, want[i],
			       ((const u8 *)c)[i]);
}

#define CHECK(name, make, ...) do {					\
	struct nvme_common_command c = { 0 };				\
	make;								\
	expect(name, &c, __VA_ARGS__);					\
} while (0)

int main(void)
{
	const struct std_format none = { 1, 0 }, both = { 1, 1 };
	const u16 id = 5;

	CHECK("suspend notification",
	      std_suspend(&c, id, STD_SUSPEND_NOTIFY, false),
	      0x41, 0x00000000, 0x00000005, 0, 0, 0);
	CHECK("suspend", std_suspend(&c, id, STD_SUSPEND, false),
	      0x41, 0x00000000, 0x00010005, 0, 0, 0);
	CHECK("suspend, delete user data queue",
	      std_suspend(&c, id, STD_SUSPEND, true),
	      0x41, 0x00000000, 0x80010005, 0, 0, 0);
	CHECK("resume", std_resume(&c, id),
	      0x41, 0x00000001, 0x00000005, 0, 0, 0);
	CHECK("get, NVMe part, header only",
	      std_get_state(&c, id, none, 0, 48),
	      0x42, 0x00010000, 0x00000005, 0, 0, 0x0000000b);
	CHECK("get, both parts, 4096 bytes at 1000h",
	      std_get_state(&c, id, both, 0x1000, 4096),
	      0x42, 0x00010000, 0x00010005, 0x00001000, 0, 0x000003ff);
	CHECK("get beyond 4 GiB", std_get_state(&c, id, both, 0x123456789cull, 4),
	      0x42, 0x00010000, 0x00010005, 0x3456789c, 0x00000012, 0);
	CHECK("set single, 4096 bytes",
	      std_set_state(&c, id, both, STD_SEQ_FIRST | STD_SEQ_LAST, 0, 4096),
	      0x41, 0x00030002, 0x01010005, 0, 0, 0x00000400);
	CHECK("set first, 4096 bytes",
	      std_set_state(&c, id, both, STD_SEQ_FIRST, 0, 4096),
	      0x41, 0x00010002, 0x01010005, 0, 0, 0x00000400);
	CHECK("set middle, 4096 bytes at 1000h",
	      std_set_state(&c, id, both, 0, 0x1000, 4096),
	      0x41, 0x00000002, 0x01010005, 0x00001000, 0, 0x00000400);
	CHECK("set last, 64 bytes at 2000h",
	      std_set_state(&c, id, both, STD_SEQ_LAST, 0x2000, 64),
	      0x41, 0x00020002, 0x01010005, 0x00002000, 0, 0x00000010);
	CHECK("identify secondary controllers from 5",
	      std_identify(&c, STD_CNS_SECONDARY_LIST, 5),
	      0x06, 0x00050015, 0, 0, 0, 0);
	CHECK("identify state formats",
	      std_identify(&c, STD_CNS_STATE_FORMATS, 0),
	      0x06, 0x00000020, 0, 0, 0, 0);

	CHECK("track memory start", std_track_memory(&c, id, true),
	      0x3d, 0x00010001, 0x00000005, 0, 0, 0);
	CHECK("track memory stop", std_track_memory(&c, id, false),
	      0x3d, 0x00000001, 0x00000005, 0, 0, 0);
	CHECK("track receive, 4096 bytes", std_track_receive(&c, id, 4096),
	      0x3e, 0x00000000, 0x00000005, 0x000003ff, 0, 0);

	CHECK("vendor: query size of first VF",
	      vnd_command(&c, VND_QUERY_DATA_SIZE, 1),
	      0xc4, 0x00000001, 0, 0, 0, 0);
	CHECK("vendor: suspend first VF", vnd_command(&c, VND_SUSPEND, 1),
	      0xc8, 0x00000001, 0, 0, 0, 0);
	CHECK("vendor: resume first VF", vnd_command(&c, VND_RESUME, 1),
	      0xcc, 0x00000001, 0, 0, 0, 0);
	CHECK("vendor: save VF 258", vnd_command(&c, VND_SAVE_DATA, 0x102),
	      0xd2, 0x00000102, 0, 0, 0, 0);
	CHECK("vendor: load 8192 bytes to first VF", vnd_load_data(&c, 1, 8192),
	      0xd5, 0x00000001, 0x00002000, 0, 0, 0);

	ok(offsetof(struct std_secondary, vfn) == 8 &&
	   offsetof(struct std_secondary, nvq) == 10 &&
	   offsetof(struct std_secondary, nvi) == 12 &&
	   offsetof(struct std_secondary_list, entry) == 32,
	   "secondary controller list layout");
	ok(offsetof(struct std_state_header, csattr) == 2 &&
	   offsetof(struct std_state_header, nvmecss) == 16 &&
	   offsetof(struct std_state_header, vss) == 32,
	   "controller state header layout");

	ok(sizeof(struct std_track_header) == 8 &&
	   offsetof(struct std_track_header, rmrtg) == 3 &&
	   sizeof(struct std_track_range) == 12 &&
	   offsetof(struct std_track_range, len) == 8,
	   "layout of what is to be tracked");
	ok(sizeof(struct std_report_header) == 16 &&
	   offsetof(struct std_report_header, attrb) == 1 &&
	   offsetof(struct std_report_header, ntmcd) == 4 &&
	   offsetof(struct std_report_header, rpmpg) == 8 &&
	   sizeof(struct std_report_range) == 16 &&
	   offsetof(struct std_report_range, len) == 8,
	   "layout of a report");
	ok(STD_TRACK_CAPS == 570 && offsetof(struct std_track_caps, nmmrtd) == 2 &&
	   offsetof(struct std_track_caps, minmrtg) == 4 &&
	   offsetof(struct std_track_caps, trattr) == 6,
	   "layout of the limits of tracking");

	return tap_done();
}

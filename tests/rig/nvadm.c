// SPDX-License-Identifier: GPL-2.0-only
/*
 * nvadm - admin commands the rig needs, through the passthrough of the kernel's
 * nvme driver on the PF. Which controller belongs to a VF is always read from
 * the Secondary Controller List, as a driver has to do it.
 *
 * usage: nvadm DEV vfs			list: VF, controller id, state, queues, interrupts
 *	  nvadm DEV cntlid VF		controller id of VF number VF (from 1)
 *	  nvadm DEV assign VF NVQ NVI	take the VF offline, give it resources
 *	  nvadm DEV online VF | offline VF
 *	  nvadm DEV admin OPC NSID CDW10 [CDW11 [CDW12 [CDW13 [CDW14 [CDW15]]]]]
 *	  nvadm DEV model-get		the device model's in-band report (E2h)
 *	  nvadm DEV model-set TEXT	set the device model's properties (E1h)
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define OP_IDENTIFY		0x06
#define OP_VIRT_MGMT		0x1c
#define OP_MODEL_SET		0xe1
#define OP_MODEL_GET		0xe2

#define CNS_SECONDARY_LIST	0x15

#define ACT_OFFLINE		7
#define ACT_ASSIGN		8
#define ACT_ONLINE		9
#define RESOURCE_VQ		0
#define RESOURCE_VI		1

struct secondary {
	uint16_t scid;
	uint16_t pcid;
	uint8_t state;
	uint8_t rsvd5[3];
	uint16_t vfn;
	uint16_t nvq;
	uint16_t nvi;
	uint8_t rsvd14[18];
};

struct secondary_list {
	uint8_t count;
	uint8_t rsvd1[31];
	struct secondary entry[127];
};

static int dev;

__attribute__((format(printf, 1, 2), noreturn))
static void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("nvadm: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	exit(1);
}

static uint32_t submit(struct nvme_admin_cmd *cmd)
{
	int rc = ioctl(dev, NVME_IOCTL_ADMIN_CMD, cmd);

	if (rc < 0)
		die("opcode %02x: %s", cmd->opcode, strerror(errno));
	if (rc > 0)
		die("opcode %02x cdw10 %08x: status %x", cmd->opcode, cmd->cdw10, rc & 0x7ff);
	return cmd->result;
}

static const struct secondary_list *secondaries(void)
{
	static struct secondary_list list;
	struct nvme_admin_cmd cmd = {
		.opcode = OP_IDENTIFY,
		.addr = (uintptr_t)&list,
		.data_len = sizeof(list),
		.cdw10 = CNS_SECONDARY_LIST,
	};

	_Static_assert(sizeof(list) == 4096, "Identify data is one page");
	submit(&cmd);
	return &list;
}

static uint16_t cntlid_of(unsigned int vf)
{
	const struct secondary_list *list = secondaries();
	int i;

	for (i = 0; i < list->count; i++)
		if (list->entry[i].vfn == vf)
			return list->entry[i].scid;
	die("no secondary controller for VF %u", vf);
}

static void manage(uint16_t cntlid, int resource, int act, uint32_t count)
{
	struct nvme_admin_cmd cmd = {
		.opcode = OP_VIRT_MGMT,
		.cdw10 = cntlid << 16 | resource << 8 | act,
		.cdw11 = count,
	};

	submit(&cmd);
}

static uint32_t number(const char *s)
{
	char *end;
	unsigned long n = strtoul(s, &end, 0);

	if (!*s || *end || n > UINT32_MAX)
		die("not a number: %s", s);
	return n;
}

static void list_vfs(void)
{
	const struct secondary_list *list = secondaries();
	int i;

	for (i = 0; i < list->count; i++)
		printf("vf %u cntlid %u %s queues %u interrupts %u\n",
		       list->entry[i].vfn, list->entry[i].scid,
		       list->entry[i].state ? "online" : "offline",
		       list->entry[i].nvq, list->entry[i].nvi);
}

static void raw(int argc, char **argv)
{
	uint32_t w[8] = { 0 };
	struct nvme_admin_cmd cmd;
	int i;

	for (i = 0; i < argc && i < 8; i++)
		w[i] = number(argv[i]);
	cmd = (struct nvme_admin_cmd) {
		.opcode = w[0], .nsid = w[1], .cdw10 = w[2], .cdw11 = w[3],
		.cdw12 = w[4], .cdw13 = w[5], .cdw14 = w[6], .cdw15 = w[7],
	};
	printf("result %x\n", submit(&cmd));
}

static void model(const char *text)
{
	static char buf[4096];
	struct nvme_admin_cmd cmd = {
		.opcode = text ? OP_MODEL_SET : OP_MODEL_GET,
		.addr = (uintptr_t)buf,
		.data_len = sizeof(buf),
		.cdw10 = sizeof(buf) / 4,
	};

	if (text)
		snprintf(buf, sizeof(buf), "%s\n", text);
	submit(&cmd);
	if (!text)
		printf("%.*s", (int)sizeof(buf), buf);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";

	if (argc < 3)
		die("usage: nvadm DEV vfs|cntlid|assign|online|offline|admin|model-get|model-set ...");
	dev = open(argv[1], O_RDWR);
	if (dev < 0)
		die("%s: %s", argv[1], strerror(errno));
	if (!strcmp(what, "vfs") && argc == 3) {
		list_vfs();
	} else if (!strcmp(what, "cntlid") && argc == 4) {
		printf("%u\n", cntlid_of(number(argv[3])));
	} else if (!strcmp(what, "assign") && argc == 6) {
		uint16_t id = cntlid_of(number(argv[3]));

		manage(id, 0, ACT_OFFLINE, 0);
		manage(id, RESOURCE_VQ, ACT_ASSIGN, number(argv[4]));
		manage(id, RESOURCE_VI, ACT_ASSIGN, number(argv[5]));
	} else if (!strcmp(what, "online") && argc == 4) {
		manage(cntlid_of(number(argv[3])), 0, ACT_ONLINE, 0);
	} else if (!strcmp(what, "offline") && argc == 4) {
		manage(cntlid_of(number(argv[3])), 0, ACT_OFFLINE, 0);
	} else if (!strcmp(what, "admin") && argc >= 6 && argc <= 11) {
		raw(argc - 3, argv + 3);
	} else if (!strcmp(what, "model-get") && argc == 3) {
		model(NULL);
	} else if (!strcmp(what, "model-set") && argc == 4) {
		model(argv[3]);
	} else {
		die("what is \"%s\"?", what);
	}
	return 0;
}

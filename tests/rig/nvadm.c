// SPDX-License-Identifier: GPL-2.0-only
/*
 * nvadm - admin commands the rig needs, through the passthrough of the kernel's
 * nvme driver on the PF. Which controller belongs to a VF is always read from
 * the Secondary Controller List, as a driver has to.
 *
 * usage: nvadm DEV vfs			list: VF, controller id, state, queues, interrupts
 *	  nvadm DEV cntlid VF		controller id of VF number VF (from 1)
 *	  nvadm DEV assign VF NVQ NVI	take the VF offline, give it resources
 *	  nvadm DEV online VF | offline VF
 *	  nvadm DEV admin OPC NSID CDW10 [CDW11 [CDW12 [CDW13 [CDW14 [CDW15]]]]]
 *	  nvadm DEV model-get		the device model's in-band report (E2h)
 *	  nvadm DEV model-set TEXT	set the device model's properties (E1h)
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pf_admin.h"
#include "util.h"

#define ACT_OFFLINE		7
#define ACT_ASSIGN		8
#define ACT_ONLINE		9
#define RESOURCE_VQ		0
#define RESOURCE_VI		1

#define DEV			"/dev/"
#define MAX_SECONDARIES		127

static const char *dev;

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

/* @err: 0, a status or a negative errno */
static void must(int err)
{
	if (err)
		die("%s", lib_msg());
}

static int secondaries(struct pf_secondary *list)
{
	int n = pf_secondaries(dev, list, MAX_SECONDARIES);

	must(n < 0 ? n : 0);
	return n;
}

static uint16_t cntlid_of(unsigned int vf)
{
	struct pf_secondary list[MAX_SECONDARIES];
	int i, n = secondaries(list);

	for (i = 0; i < n; i++)
		if (list[i].vfn == vf)
			return list[i].cntlid;
	die("no secondary controller for VF %u", vf);
}

static void manage(uint16_t cntlid, int resource, int act, uint32_t count)
{
	must(pf_virt_mgmt(dev, cntlid, act, resource, count));
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
	struct pf_secondary list[MAX_SECONDARIES];
	int i, n = secondaries(list);

	for (i = 0; i < n; i++)
		printf("vf %u cntlid %u %s queues %u interrupts %u\n",
		       list[i].vfn, list[i].cntlid,
		       list[i].online ? "online" : "offline",
		       list[i].nvq, list[i].nvi);
}

static void raw(int argc, char **argv)
{
	uint32_t w[8] = { 0 }, result;
	struct nvme_cmd cmd;
	int i;

	for (i = 0; i < argc && i < 8; i++)
		w[i] = number(argv[i]);
	cmd = (struct nvme_cmd) {
		.opc = w[0], .nsid = w[1], .cdw10 = w[2], .cdw11 = w[3],
		.cdw12 = w[4], .cdw13 = w[5], .cdw14 = w[6], .cdw15 = w[7],
	};
	must(pf_cmd(dev, &cmd, NULL, 0, &result));
	printf("result %x\n", result);
}

static void model_get(void)
{
	static char report[4096];

	must(pf_test_get(dev, report, sizeof(report)));
	fputs(report, stdout);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";

	if (argc < 3)
		die("usage: nvadm DEV vfs|cntlid|assign|online|offline|admin|model-get|model-set ...");
	if (strncmp(argv[1], DEV, strlen(DEV)))
		die("%s is not in %s", argv[1], DEV);
	dev = argv[1] + strlen(DEV);
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
		model_get();
	} else if (!strcmp(what, "model-set") && argc == 4) {
		must(pf_test_set(dev, argv[3]));
	} else {
		die("what is \"%s\"?", what);
	}
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pf_admin.c - admin commands to a PF through the kernel's /dev/nvmeN.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pf_admin.h"
#include "util.h"

#define OP_TEST_SET	0xe1
#define OP_TEST_GET	0xe2
#define TEST_ROOM	4096
#define LIST_ENTRIES	127	/* of a page of secondary controllers */
#define TIMEOUT_MS	60000	/* whatever nvme_core.admin_timeout is now */

int pf_cmd(const char *dev, const struct nvme_cmd *cmd, void *data, size_t len,
	   uint32_t *dw0)
{
	struct nvme_passthru_cmd pass = {
		.opcode = cmd->opc, .flags = cmd->flags, .nsid = cmd->nsid,
		.cdw2 = cmd->cdw2, .cdw3 = cmd->cdw3,
		.addr = (uintptr_t)data, .data_len = len,
		.cdw10 = cmd->cdw10, .cdw11 = cmd->cdw11,
		.cdw12 = cmd->cdw12, .cdw13 = cmd->cdw13,
		.cdw14 = cmd->cdw14, .cdw15 = cmd->cdw15,
		.timeout_ms = TIMEOUT_MS,
	};
	char path[32];
	int fd, n, err;

	snprintf(path, sizeof(path), "/dev/%s", dev);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return lib_fail(-errno, "%s", path);
	n = ioctl(fd, NVME_IOCTL_ADMIN_CMD, &pass);
	err = errno;
	close(fd);
	if (n < 0)
		return lib_fail(-err, "%s: admin command %02x", path,
				cmd->opc);
	if (dw0)
		*dw0 = pass.result;
	if (n)
		lib_fail(-EIO, "%s: admin command %02x: status %x", path,
			 cmd->opc, n & 0x7ff);
	return n & 0x7ff;
}

int pf_identify(const char *dev, uint32_t cdw10, void *data)
{
	struct nvme_cmd cmd = { .opc = NVME_IDENTIFY, .cdw10 = cdw10 };

	return pf_cmd(dev, &cmd, data, 4096, NULL);
}

static unsigned int le16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

/* A page has the smallest ids from a given one on, in any order, maybe not all. */
static int list_page(const uint8_t *data, struct pf_secondary *list, int room,
		     unsigned int *from)
{
	unsigned int most = 0;
	int i, n = 0;

	for (i = 0; i < data[0] && i < LIST_ENTRIES; i++) {
		const uint8_t *e = data + 32 + 32 * i;

		if (le16(e) > most)
			most = le16(e);
		if (!le16(e + 8) || n == room)
			continue;
		list[n++] = (struct pf_secondary){
			.cntlid = le16(e), .online = e[4] & 1,
			.vfn = le16(e + 8), .nvq = le16(e + 10),
			.nvi = le16(e + 12),
		};
	}
	*from = data[0] == LIST_ENTRIES && most >= *from ? most + 1 : 0;
	return n;
}

static int by_vfn(const void *a, const void *b)
{
	const struct pf_secondary *x = a, *y = b;

	return x->vfn - y->vfn;
}

int pf_secondaries(const char *dev, struct pf_secondary *list, int max)
{
	uint8_t *data = calloc(1, 4096);
	unsigned int from = 0;
	int n = 0, err;

	if (!data)
		return -ENOMEM;
	do {
		err = pf_identify(dev, NVME_CNS_SECONDARY | from << 16, data);
		if (!err)
			n += list_page(data, list + n, max - n, &from);
	} while (!err && from);
	free(data);
	if (err)
		return err < 0 ? err : -EIO;
	qsort(list, n, sizeof(*list), by_vfn);
	return n;
}

int pf_virt_mgmt(const char *dev, uint16_t cntlid, unsigned int act,
		 unsigned int rt, unsigned int nr)
{
	struct nvme_cmd cmd = {
		.opc = NVME_VIRT_MGMT,
		.cdw10 = (uint32_t)cntlid << 16 | rt << 8 | act,
		.cdw11 = nr,
	};

	return pf_cmd(dev, &cmd, NULL, 0, NULL);
}

int pf_test_set(const char *dev, const char *text)
{
	struct nvme_cmd cmd = { .opc = OP_TEST_SET };
	size_t len = (strlen(text) + 1 + 3) & ~(size_t)3;
	char *data;
	int err;

	if (len > TEST_ROOM)
		return lib_fail(-E2BIG, "%zu bytes of test control", len);
	data = calloc(1, len);
	if (!data)
		return -ENOMEM;
	strcpy(data, text);
	cmd.cdw10 = len / 4;
	err = pf_cmd(dev, &cmd, data, len, NULL);
	free(data);
	return err;
}

int pf_test_get(const char *dev, char *buf, size_t len)
{
	struct nvme_cmd cmd = { .opc = OP_TEST_GET };
	int err;

	if (len > TEST_ROOM)
		len = TEST_ROOM;
	len &= ~(size_t)3;
	memset(buf, 0, len);
	cmd.cdw10 = len / 4;
	err = pf_cmd(dev, &cmd, buf, len, NULL);
	buf[len - 1] = 0;
	return err;
}

int report_get(const char *report, const char *name, char *value, size_t len)
{
	size_t n = strlen(name);
	const char *p = report;

	while (p) {
		if (!strncmp(p, name, n) && p[n] == '=') {
			p += n + 1;
			n = strcspn(p, "\n");
			if (n >= len)
				n = len - 1;
			memcpy(value, p, n);
			value[n] = 0;
			return 0;
		}
		p = strchr(p, '\n');
		if (p)
			p++;
	}
	return -ENOENT;
}

long report_num(const char *report, const char *name)
{
	char value[32];

	if (report_get(report, name, value, sizeof(value)))
		return 0;
	return strtol(value, NULL, 0);
}

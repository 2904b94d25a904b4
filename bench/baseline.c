// SPDX-License-Identifier: GPL-2.0-only
/*
 * baseline.c - a migration's commands through /dev/nvmeN.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "baseline.h"

/* the first format that the device lists, which the driver uses */
#define FORMAT	1u

static long queue_limit(const char *pf, const char *name)
{
	char text[32];

	check(sysfs_read(text, sizeof(text), "/sys/block/%sn1/queue/%s", pf,
			 name) > 0, "%s", lib_msg());
	return atol(text);
}

void port_open(struct port *p, struct place at)
{
	const struct topo_pf *pf;
	struct pf_secondary list[TOPO_VFS];
	long bytes, pages;
	char path[32];
	int i, n;

	bed_need(at);
	pf = &bed.pf[at.pf];
	snprintf(path, sizeof(path), "/dev/%s", pf->name);
	p->fd = open(path, O_RDWR | O_CLOEXEC);
	check(p->fd >= 0, "%s: errno %d", path, errno);
	p->id = pf->vfn[at.vf];
	/* a page a segment in the worst case, one more when it begins inside */
	bytes = queue_limit(pf->name, "max_hw_sectors_kb") << 10;
	pages = queue_limit(pf->name, "max_segments") - 1;
	p->step = bytes < pages << 12 ? bytes : pages << 12;
	if (bed.set == SET_VENDOR)
		return;
	n = pf_secondaries(pf->name, list, TOPO_VFS);
	for (i = 0; i < n; i++) {
		if (list[i].vfn == pf->vfn[at.vf]) {
			p->id = list[i].cntlid;
			return;
		}
	}
	check(0, "%s: VF %d is not in the list of secondary controllers",
	      pf->name, pf->vfn[at.vf]);
}

void port_close(struct port *p)
{
	close(p->fd);
	p->fd = -1;
}

static uint32_t send_cmd(struct port *p, struct nvme_passthru_cmd *cmd,
			 void *data, uint32_t len)
{
	int status;

	cmd->addr = (uintptr_t)data;
	cmd->data_len = len;
	status = ioctl(p->fd, NVME_IOCTL_ADMIN_CMD, cmd);
	check(!status, "admin command %02x: status %x, errno %d", cmd->opcode,
	      status, errno);
	return cmd->result;
}

static void plain(struct port *p, uint8_t vendor, uint32_t select,
		  uint32_t type)
{
	struct nvme_passthru_cmd cmd = { .opcode = NVME_MIG_SEND,
		.cdw10 = select, .cdw11 = p->id | type << 16 };

	if (bed.set == SET_VENDOR)
		cmd = (struct nvme_passthru_cmd){ .opcode = vendor,
						  .cdw10 = p->id };
	send_cmd(p, &cmd, NULL, 0);
}

void port_suspend(struct port *p)
{
	plain(p, 0xc8, 0, 1);
}

void port_resume(struct port *p)
{
	plain(p, 0xcc, 1, 0);
}

static void get(struct port *p, void *buf, uint64_t offset, uint32_t len)
{
	struct nvme_passthru_cmd cmd = { .opcode = NVME_MIG_RECV,
		.cdw10 = FORMAT << 16, .cdw11 = p->id | FORMAT << 16,
		.cdw12 = offset, .cdw13 = offset >> 32, .cdw15 = len / 4 - 1 };

	send_cmd(p, &cmd, buf, len);
}

static void set(struct port *p, void *buf, uint64_t offset, uint32_t len,
		bool last)
{
	struct nvme_passthru_cmd cmd = { .opcode = NVME_MIG_SEND,
		.cdw10 = 2 | (uint32_t)((offset ? 0 : 1) | (last ? 2 : 0)) << 16,
		.cdw11 = p->id | FORMAT << 16 | FORMAT << 24,
		.cdw12 = offset, .cdw13 = offset >> 32, .cdw15 = len / 4 };

	send_cmd(p, &cmd, buf, len);
}

static uint64_t vendor_size(struct port *p)
{
	struct nvme_passthru_cmd cmd = { .opcode = 0xc4, .cdw10 = p->id };

	return send_cmd(p, &cmd, NULL, 0);
}

uint64_t port_size(struct port *p)
{
	uint64_t head[6] __attribute__((aligned(8)));

	if (bed.set == SET_VENDOR)
		return vendor_size(p);
	get(p, head, 0, sizeof(head));
	return sizeof(head) + 4 * (head[2] + head[4]);
}

static uint32_t piece(const struct port *p, uint64_t left)
{
	return left < p->step ? left : p->step;
}

void port_read(struct port *p, void *buf, uint64_t size)
{
	struct nvme_passthru_cmd save = { .opcode = 0xd2, .cdw10 = p->id };
	uint64_t at;

	if (bed.set == SET_VENDOR) {
		check_eq(vendor_size(p), size, "size of the state");
		send_cmd(p, &save, buf, (size + 3) & ~3);
		return;
	}
	for (at = 0; at < size; at += piece(p, size - at))
		get(p, buf + at, at, piece(p, size - at));
}

void port_write(struct port *p, void *buf, uint64_t size)
{
	struct nvme_passthru_cmd load = { .opcode = 0xd5, .cdw10 = p->id,
					  .cdw11 = size };
	uint64_t at;

	if (bed.set == SET_VENDOR) {
		send_cmd(p, &load, buf, (size + 3) & ~3);
		return;
	}
	for (at = 0; at < size; at += piece(p, size - at))
		set(p, buf + at, at, piece(p, size - at),
		    size - at <= p->step);
}

uint64_t baseline_move(struct port *from, struct port *to, void *buf,
		    uint64_t size)
{
	uint64_t t0 = now_us();

	port_suspend(from);
	port_read(from, buf, size);
	port_write(to, buf, size);
	port_resume(to);
	return now_us() - t0;
}

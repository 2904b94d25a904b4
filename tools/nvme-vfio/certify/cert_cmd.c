// SPDX-License-Identifier: GPL-2.0-only
/*
 * cert_cmd.c - the commands, through the PF's character device.
 */
#include <endian.h>
#include <errno.h>
#include <linux/nvme_ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cert.h"

enum {
	IDENTIFY = 0x06, TRACK_SEND = 0x3d, TRACK_RECEIVE = 0x3e,
	MIG_SEND = 0x41, MIG_RECEIVE = 0x42,
	VND_SUSPEND = 0xc8, VND_RESUME = 0xcc,
	RESERVED_SEL = 0x7f,
};

#define STATUS		0x7ff
#define DNR		0x4000

/* Temporary: interrupted, not enough resources. */
#define INTERRUPTED	0x021
#define TRIES		20
#define NAP_US		100000

static void keep_time(struct cert *c, const struct cert_cmd *cmd, uint64_t us)
{
	struct cert_time *t = &c->out->time[cmd->kind];

	if (!t->count || us < t->least)
		t->least = us;
	if (us > t->most)
		t->most = us;
	t->count++;
	t->bytes += cmd->len;
	t->sum += us;
}

static void say_sent(struct cert *c, const struct cert_cmd *cmd)
{
	snprintf(c->out->sent, sizeof(c->out->sent),
		 "%s: opcode %02xh, CDW10 %08xh, CDW11 %08xh, CDW12 %08xh, CDW13 %08xh, CDW15 %08xh, %u bytes",
		 cmd->name, cmd->opcode, cmd->cdw10, cmd->cdw11, cmd->cdw12,
		 cmd->cdw13, cmd->cdw15, cmd->len);
	snprintf(c->out->got, sizeof(c->out->got), "not completed");
	c->out->hang = true;
}

static int send_once(struct cert *c, struct cert_cmd *cmd, bool *may_pass)
{
	struct nvme_passthru_cmd p = {
		.opcode = cmd->opcode, .cdw10 = cmd->cdw10,
		.cdw11 = cmd->cdw11, .cdw12 = cmd->cdw12, .cdw13 = cmd->cdw13,
		.cdw15 = cmd->cdw15, .addr = (uintptr_t)cmd->data,
		.data_len = cmd->len,
	};
	uint64_t start = now_us(), us;
	int ret, status;

	say_sent(c, cmd);
	ret = ioctl(c->fd, NVME_IOCTL_ADMIN_CMD, &p);
	us = now_us() - start;
	*may_pass = false;
	if (ret < 0) {
		ret = -errno;
		snprintf(c->out->got, sizeof(c->out->got), "%s after %llu us",
			 strerror(-ret), (unsigned long long)us);
		return ret;
	}
	c->out->hang = false;
	status = ret & STATUS;
	cmd->result = p.result;
	snprintf(c->out->got, sizeof(c->out->got),
		 "status %03xh, dword 0 %08xh, after %llu us", status, p.result,
		 (unsigned long long)us);
	if (!status)
		keep_time(c, cmd, us);
	*may_pass = (status == INTERRUPTED || status == CERT_NO_RESOURCES) &&
		    !(ret & DNR);
	return status;
}

/* Temporary refusals are retried. */
int cert_send(struct cert *c, struct cert_cmd *cmd)
{
	unsigned int i;
	bool may_pass;
	int ret;

	for (i = 0; ; i++) {
		ret = send_once(c, cmd, &may_pass);
		if (!may_pass || i == TRIES)
			return ret;
		sleep_us(NAP_US);
	}
}

int cert_suspend_as(struct cert *c, unsigned int cntlid, unsigned int stype)
{
	struct cert_cmd cmd = { .name = "Suspend", .opcode = MIG_SEND,
		.kind = CERT_T_SUSPEND, .cdw11 = cntlid | stype << 16 };

	if (c->set == CERT_VENDOR)
		cmd = (struct cert_cmd){ .name = "SUSPEND",
			.kind = CERT_T_SUSPEND, .opcode = VND_SUSPEND,
			.cdw10 = cntlid };
	return cert_send(c, &cmd);
}

int cert_reserved(struct cert *c, bool send)
{
	struct cert_cmd cmd = { .name = "Migration Send",
		.opcode = send ? MIG_SEND : MIG_RECEIVE, .kind = CERT_T_OTHER,
		.cdw10 = RESERVED_SEL, .cdw11 = c->vf[0].cntlid };

	if (!send) {
		cmd.name = "Migration Receive";
		cmd.data = cert_buf(CERT_PAGE);
		cmd.len = CERT_PAGE;
		cmd.cdw15 = CERT_PAGE / 4 - 1;
	}
	return cert_send(c, &cmd);
}

static unsigned int name_of(const struct cert *c, unsigned int vf)
{
	return c->set == CERT_VENDOR ? c->vf[vf].vfn : c->vf[vf].cntlid;
}

int cert_suspend_vf(struct cert *c, unsigned int vf)
{
	return cert_suspend_as(c, name_of(c, vf), 1);
}

int cert_resume_id(struct cert *c, unsigned int cntlid)
{
	struct cert_cmd cmd = { .name = "Resume", .opcode = MIG_SEND,
		.kind = CERT_T_RESUME, .cdw10 = 1, .cdw11 = cntlid };

	if (c->set == CERT_VENDOR)
		cmd = (struct cert_cmd){ .name = "RESUME",
			.kind = CERT_T_RESUME, .opcode = VND_RESUME,
			.cdw10 = cntlid };
	return cert_send(c, &cmd);
}

int cert_resume_vf(struct cert *c, unsigned int vf)
{
	return cert_resume_id(c, name_of(c, vf));
}

int cert_identify(struct cert *c, uint8_t cns, uint16_t cntid, void *data)
{
	struct cert_cmd cmd = { .name = "Identify", .opcode = IDENTIFY,
		.kind = CERT_T_OTHER, .cdw10 = cns | (uint32_t)cntid << 16,
		.data = data, .len = CERT_PAGE };

	return cert_send(c, &cmd);
}

int cert_get(struct cert *c, unsigned int cntlid, unsigned int version,
	     unsigned int uuid, uint64_t offset, void *data, uint32_t len,
	     bool *csup)
{
	struct cert_cmd cmd = { .name = "Get", .opcode = MIG_RECEIVE,
		.kind = CERT_T_GET, .cdw10 = version << 16,
		.cdw11 = cntlid | uuid << 16, .cdw12 = offset,
		.cdw13 = offset >> 32, .cdw15 = len / 4 - 1, .data = data,
		.len = len };
	int ret = cert_send(c, &cmd);

	if (csup)
		*csup = cmd.result & 1;
	return ret;
}

int cert_set(struct cert *c, unsigned int cntlid, unsigned int version,
	     unsigned int uuid, unsigned int seq, uint64_t offset, void *data,
	     uint32_t len)
{
	struct cert_cmd cmd = { .name = "Set", .opcode = MIG_SEND,
		.kind = CERT_T_SET, .cdw10 = 2 | seq << 16,
		.cdw11 = cntlid | version << 16 | uuid << 24, .cdw12 = offset,
		.cdw13 = offset >> 32, .cdw15 = len / 4, .data = data,
		.len = len };

	return cert_send(c, &cmd);
}

struct track_header {
	uint8_t ver;
	uint8_t rsvd1[2];
	uint8_t rmrtg;
	uint32_t rnmrtd;
} __attribute__((packed));

struct track_range {
	uint64_t saddr;
	uint32_t len;
} __attribute__((packed));

int cert_track(struct cert *c, unsigned int cntlid, unsigned int grain,
	       const struct cert_range *range, unsigned int n)
{
	uint32_t len = sizeof(struct track_header) +
		       n * sizeof(struct track_range);
	struct track_header *h = cert_buf((len + 3) & ~3u);
	struct track_range *r = (void *)(h + 1);
	struct cert_cmd cmd = { .name = "Track Send, start",
		.opcode = TRACK_SEND, .kind = CERT_T_TRACK,
		.cdw10 = 1 | 1 << 16, .cdw11 = cntlid, .data = h,
		.len = (len + 3) & ~3u };
	unsigned int i;

	h->rmrtg = grain;
	h->rnmrtd = htole32(n);
	for (i = 0; i < n; i++)
		r[i] = (struct track_range){
			htole64(range[i].addr), htole32(range[i].len) };
	return cert_send(c, &cmd);
}

int cert_untrack(struct cert *c, unsigned int cntlid)
{
	struct cert_cmd cmd = { .name = "Track Send, stop",
		.opcode = TRACK_SEND, .kind = CERT_T_TRACK, .cdw10 = 1,
		.cdw11 = cntlid };

	return cert_send(c, &cmd);
}

int cert_report(struct cert *c, unsigned int cntlid, void *data, uint32_t len)
{
	struct cert_cmd cmd = { .name = "Track Receive",
		.opcode = TRACK_RECEIVE, .kind = CERT_T_REPORT,
		.cdw11 = cntlid, .cdw12 = len / 4 - 1, .data = data,
		.len = len };

	return cert_send(c, &cmd);
}

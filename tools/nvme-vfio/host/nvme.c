// SPDX-License-Identifier: GPL-2.0-only
/*
 * nvme.c - admin commands to a PF, by libnvme. Data from a controller is
 * little endian, at places the standard gives, and not trusted: counts in it
 * never lead out of the page.
 */
#include <endian.h>
#include <errno.h>
#include <libnvme.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nvme.h"
#include "verdict.h"

/* -- what depends on the library ------------------------------------------ */

struct ctrl {
	int fd;
};

static char error[256];

const char *ctrl_error(void)
{
	return error;
}

int ctrl_open(const char *name, struct ctrl **ctrl)
{
	int err;

	*ctrl = calloc(1, sizeof(**ctrl));
	if (!*ctrl)
		return -ENOMEM;
	(*ctrl)->fd = nvme_open(name);
	if ((*ctrl)->fd >= 0)
		return 0;
	err = -errno;
	snprintf(error, sizeof(error), "/dev/%s: %s", name, strerror(-err));
	free(*ctrl);
	*ctrl = NULL;
	return err;
}

void ctrl_close(struct ctrl *ctrl)
{
	if (!ctrl)
		return;
	close(ctrl->fd);
	free(ctrl);
}

#define STATUS_MASK	0x7ff	/* type and code, without "do not retry" */

int ctrl_admin(struct ctrl *ctrl, const struct ctrl_cmd *cmd, void *data,
	       size_t len)
{
	struct nvme_passthru_cmd pass = {
		.opcode = cmd->opcode, .nsid = cmd->nsid,
		.addr = (uintptr_t)data, .data_len = len,
		.cdw10 = cmd->cdw10, .cdw11 = cmd->cdw11,
	};
	int ret;

	ret = nvme_submit_admin_passthru(ctrl->fd, &pass, NULL);
	if (ret < 0) {
		ret = errno ? -errno : -EIO;
		/* What an open file says once its controller is removed. */
		if (ret == -ENXIO)
			ret = -ENODEV;
		snprintf(error, sizeof(error), "%s: %s", cmd->name,
			 ret == -ENODEV ? "the controller is gone" :
			 strerror(-ret));
	} else if (ret) {
		ret &= STATUS_MASK;
		snprintf(error, sizeof(error), "%s: %s (%xh)", cmd->name,
			 nvme_status_to_string(ret, false), ret);
	}
	return ret;
}

/* -- what does not --------------------------------------------------------- */

#define PAGE		4096
#define OP_IDENTIFY	0x06
#define OP_NS_ATTACH	0x15
#define OP_VIRT_MGMT	0x1c

static uint16_t le16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v;
	p[1] = v >> 8;
}

/* An Identify page; free() it whatever comes back. */
static int identify(struct ctrl *ctrl, const char *name, uint8_t cns,
		    uint16_t cntid, uint32_t nsid, uint8_t **page)
{
	struct ctrl_cmd cmd = {
		.name = name, .opcode = OP_IDENTIFY, .nsid = nsid,
		.cdw10 = (uint32_t)cntid << 16 | cns,
	};

	*page = calloc(1, PAGE);
	if (!*page)
		return -ENOMEM;
	return ctrl_admin(ctrl, &cmd, *page, PAGE);
}

int ctrl_identify(struct ctrl *ctrl, struct ctrl_id *id)
{
	uint16_t oacs;
	uint8_t *p;
	int ret;

	ret = identify(ctrl, "Identify Controller", 0x01, 0, 0, &p);
	if (!ret) {
		oacs = le16(p + 256);
		*id = (struct ctrl_id){
			.cntlid = le16(p + 78),
			.version = le32(p + 80),
			.ns_mgmt = oacs & 1 << 3,
			.virt_mgmt = oacs & 1 << 7,
			.migration = lm_says_standard(oacs),
			.vendor_byte = lm_says_vendor(p[3072]),
			.track_memory = p[576] & 1,
		};
	}
	free(p);
	return ret;
}

int ctrl_format(struct ctrl *ctrl, uint8_t *all, struct state_format *format,
		const char **why)
{
	uint8_t *p;
	int ret;

	*why = NULL;
	ret = identify(ctrl, "Supported Controller State Formats", 0x20, 0, 0,
		       &p);
	if (!ret)
		*why = lm_find_format(p, format);
	if (!ret && all)
		memcpy(all, p, LM_FORMATS_LEN);
	free(p);
	return ret;
}

static void resource(struct ctrl_resource *r, const uint8_t *p, bool flexible)
{
	*r = (struct ctrl_resource){
		.flexible = flexible, .total = le32(p), .assigned = le32(p + 4),
		.primary = le16(p + 8), .private = le16(p + 10),
		.max = le16(p + 12), .grain = le16(p + 14),
	};
}

int ctrl_resources(struct ctrl *ctrl, uint16_t cntlid,
		   struct ctrl_resource res[RESOURCES])
{
	uint8_t *p;
	int ret;

	ret = identify(ctrl, "Primary Controller Capabilities", 0x14, cntlid, 0,
		       &p);
	if (!ret) {
		resource(&res[RESOURCE_QUEUES], p + 32, p[4] & 1);
		resource(&res[RESOURCE_INTERRUPTS], p + 64, p[4] & 2);
	}
	free(p);
	return ret;
}

static bool is_listed(const struct ctrl_secondary *list, size_t n, uint16_t id)
{
	while (n--)
		if (list[n].cntlid == id)
			return true;
	return false;
}

int ctrl_secondaries(struct ctrl *ctrl, struct ctrl_secondary **list,
		     size_t *n)
{
	struct ctrl_secondary *more;
	uint32_t from = 0;
	unsigned int i, count;
	uint8_t *page;
	int ret;

	*list = NULL;
	*n = 0;
	do {
		ret = identify(ctrl, "Secondary Controller List", 0x15, from,
			       0, &page);
		if (ret)
			goto fail;
		count = page[0] < LM_SECONDARY_MAX ? page[0] : LM_SECONDARY_MAX;
		if (!count)
			break;
		more = realloc(*list, (*n + count) * sizeof(*more));
		if (!more) {
			ret = -ENOMEM;
			goto fail;
		}
		*list = more;
		for (i = 0; i < count; i++) {
			const uint8_t *e = lm_secondary(page, i);

			/* A device may repeat itself. */
			if (is_listed(more, *n, le16(e)))
				continue;
			more[(*n)++] = (struct ctrl_secondary){
				.cntlid = le16(e), .primary = le16(e + 2),
				.online = e[4] & 1, .vfn = le16(e + 8),
				.nvq = le16(e + 10), .nvi = le16(e + 12),
			};
		}
		from = lm_next_secondary(page, from);
		free(page);
		page = NULL;
	} while (from);
	free(page);
	return 0;

fail:
	free(page);
	free(*list);
	*list = NULL;
	*n = 0;
	return ret;
}

int ctrl_namespaces(struct ctrl *ctrl, uint32_t **list, size_t *n)
{
	uint32_t from = 0, *more;
	uint8_t *page;
	size_t i = 0;
	int ret;

	*list = NULL;
	*n = 0;
	do {
		ret = identify(ctrl, "Allocated Namespace ID list", 0x10, 0,
			       from, &page);
		more = ret ? NULL : realloc(*list, *n * 4 + PAGE);
		if (!more) {
			free(page);
			free(*list);
			*list = NULL;
			*n = 0;
			return ret ? ret : -ENOMEM;
		}
		*list = more;
		for (i = 0; i < PAGE / 4; i++) {
			uint32_t nsid = le32(page + 4 * i);

			if (nsid <= from)
				break;
			from = nsid;
			more[(*n)++] = nsid;
		}
		free(page);
	} while (i == PAGE / 4);
	return 0;
}

int ctrl_attached(struct ctrl *ctrl, uint32_t nsid, uint16_t **list,
		  size_t *n)
{
	uint8_t *p;
	size_t i;
	int ret;

	*list = NULL;
	*n = 0;
	/* 2047 ids fit; a subsystem with more has to do with those. */
	ret = identify(ctrl, "Namespace Attached Controller list", 0x12, 0,
		       nsid, &p);
	if (!ret) {
		*n = le16(p) < 2047 ? le16(p) : 2047;
		*list = calloc(*n + 1, sizeof(**list));
		if (!*list)
			ret = -ENOMEM;
		for (i = 0; *list && i < *n; i++)
			(*list)[i] = le16(p + 2 + 2 * i);
	}
	free(p);
	return ret;
}

int ctrl_namespace(struct ctrl *ctrl, uint32_t nsid, bool own,
		   struct stream_namespace *ns)
{
	uint8_t *p;
	int ret;

	memset(ns, 0, sizeof(*ns));
	ns->nsid = htole32(nsid);
	ret = identify(ctrl, "Identify Namespace (allocated)", NS_CNS_STRUCT,
		       0, nsid, &p);
	if (!ret)
		ns_take_struct(ns, p);
	free(p);
	if (ret < 0 || !own)
		return ret < 0 ? ret : 0;
	ret = identify(ctrl, "Namespace Identification Descriptor list",
		       NS_CNS_DESCRIPTORS, 0, nsid, &p);
	if (!ret)
		ns_take_descriptors(ns, p);
	free(p);
	return ret < 0 ? ret : 0;
}

int ctrl_virt_mgmt(struct ctrl *ctrl, uint16_t cntlid, enum ctrl_action act,
		   unsigned int type, unsigned int count)
{
	struct ctrl_cmd cmd = {
		.name = "Virtualization Management", .opcode = OP_VIRT_MGMT,
		.cdw10 = (uint32_t)cntlid << 16 | type << 8 | act,
		.cdw11 = count,
	};

	return ctrl_admin(ctrl, &cmd, NULL, 0);
}

int ctrl_attach(struct ctrl *ctrl, uint32_t nsid, uint16_t cntlid, bool attach)
{
	struct ctrl_cmd cmd = {
		.name = attach ? "Namespace Attachment (attach)" :
				 "Namespace Attachment (detach)",
		.opcode = OP_NS_ATTACH, .nsid = nsid,
		.cdw10 = attach ? 0 : 1,
	};
	uint8_t *list;
	int ret;

	list = calloc(1, PAGE);
	if (!list)
		return -ENOMEM;
	put16(list, 1);
	put16(list + 2, cntlid);
	ret = ctrl_admin(ctrl, &cmd, list, PAGE);
	free(list);
	return ret;
}

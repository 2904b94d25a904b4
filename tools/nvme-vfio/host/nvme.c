// SPDX-License-Identifier: GPL-2.0-only
/*
 * nvme.c - admin commands to a PF, by libnvme, and with its structures, but for
 * what the driver reads as well. Data from a controller is little endian and not
 * trusted: counts in it never lead out of the page.
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

#define TRATTR		576	/* byte of Identify Controller; not in libnvme 1.3 */

/* An Identify page; free() it whatever comes back. */
static int identify(struct ctrl *ctrl, const char *name, uint8_t cns,
		    uint16_t cntid, uint32_t nsid, void **page)
{
	struct ctrl_cmd cmd = {
		.name = name, .opcode = nvme_admin_identify, .nsid = nsid,
		.cdw10 = (uint32_t)cntid << 16 | cns,
	};

	*page = calloc(1, PAGE);
	if (!*page)
		return -ENOMEM;
	return ctrl_admin(ctrl, &cmd, *page, PAGE);
}

int ctrl_identify(struct ctrl *ctrl, struct ctrl_id *id)
{
	const struct nvme_id_ctrl *p;
	uint16_t oacs;
	void *page;
	int ret;

	ret = identify(ctrl, "Identify Controller", NVME_IDENTIFY_CNS_CTRL, 0,
		       0, &page);
	if (!ret) {
		p = page;
		oacs = le16toh(p->oacs);
		*id = (struct ctrl_id){
			.cntlid = le16toh(p->cntlid),
			.version = le32toh(p->ver),
			.ns_mgmt = oacs & NVME_CTRL_OACS_NS_MGMT,
			.virt_mgmt = oacs & NVME_CTRL_OACS_VIRT_MGMT,
			.migration = lm_says_standard(oacs),
			.vendor_byte = lm_says_vendor(p->vs[0]),
			.track_memory = ((const uint8_t *)page)[TRATTR] & 1,
		};
	}
	free(page);
	return ret;
}

int ctrl_format(struct ctrl *ctrl, uint8_t *all, struct state_format *format,
		const char **why)
{
	void *p;
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

int ctrl_resources(struct ctrl *ctrl, uint16_t cntlid,
		   struct ctrl_resource res[RESOURCES])
{
	const struct nvme_primary_ctrl_cap *p;
	void *page;
	int ret;

	ret = identify(ctrl, "Primary Controller Capabilities",
		       NVME_IDENTIFY_CNS_PRIMARY_CTRL_CAP, cntlid, 0, &page);
	if (!ret) {
		p = page;
		res[RESOURCE_QUEUES] = (struct ctrl_resource){
			.flexible = p->crt & 1,
			.total = le32toh(p->vqfrt),
			.assigned = le32toh(p->vqrfa),
			.primary = le16toh(p->vqrfap),
			.private = le16toh(p->vqprt),
			.max = le16toh(p->vqfrsm),
			.grain = le16toh(p->vqgran),
		};
		res[RESOURCE_INTERRUPTS] = (struct ctrl_resource){
			.flexible = p->crt & 2,
			.total = le32toh(p->vifrt),
			.assigned = le32toh(p->virfa),
			.primary = le16toh(p->virfap),
			.private = le16toh(p->viprt),
			.max = le16toh(p->vifrsm),
			.grain = le16toh(p->vigran),
		};
	}
	free(page);
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
	void *page;
	int ret;

	*list = NULL;
	*n = 0;
	do {
		ret = identify(ctrl, "Secondary Controller List",
			       NVME_IDENTIFY_CNS_SECONDARY_CTRL_LIST, from, 0,
			       &page);
		if (ret)
			goto fail;
		count = *(const uint8_t *)page;
		if (count > LM_SECONDARY_MAX)
			count = LM_SECONDARY_MAX;
		if (!count)
			break;
		more = realloc(*list, (*n + count) * sizeof(*more));
		if (!more) {
			ret = -ENOMEM;
			goto fail;
		}
		*list = more;
		for (i = 0; i < count; i++) {
			const struct nvme_secondary_ctrl *e =
				(const void *)lm_secondary(page, i);

			/* A device may repeat itself. */
			if (is_listed(more, *n, le16toh(e->scid)))
				continue;
			more[(*n)++] = (struct ctrl_secondary){
				.cntlid = le16toh(e->scid),
				.primary = le16toh(e->pcid),
				.online = e->scs & 1,
				.vfn = le16toh(e->vfn),
				.nvq = le16toh(e->nvq),
				.nvi = le16toh(e->nvi),
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
	const struct nvme_ns_list *p;
	void *page;
	size_t i = 0;
	int ret;

	*list = NULL;
	*n = 0;
	do {
		ret = identify(ctrl, "Allocated Namespace ID list",
			       NVME_IDENTIFY_CNS_ALLOCATED_NS_LIST, 0, from,
			       &page);
		more = ret ? NULL : realloc(*list, *n * 4 + PAGE);
		if (!more) {
			free(page);
			free(*list);
			*list = NULL;
			*n = 0;
			return ret ? ret : -ENOMEM;
		}
		*list = more;
		p = page;
		for (i = 0; i < PAGE / 4; i++) {
			uint32_t nsid = le32toh(p->ns[i]);

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
	const struct nvme_ctrl_list *p;
	void *page;
	size_t i;
	int ret;

	*list = NULL;
	*n = 0;
	/* 2047 ids fit; a subsystem with more has to do with those. */
	ret = identify(ctrl, "Namespace Attached Controller list",
		       NVME_IDENTIFY_CNS_NS_CTRL_LIST, 0, nsid, &page);
	if (!ret) {
		p = page;
		*n = le16toh(p->num);
		if (*n > NVME_ID_CTRL_LIST_MAX)
			*n = NVME_ID_CTRL_LIST_MAX;
		*list = calloc(*n + 1, sizeof(**list));
		if (!*list)
			ret = -ENOMEM;
		for (i = 0; *list && i < *n; i++)
			(*list)[i] = le16toh(p->identifier[i]);
	}
	free(page);
	return ret;
}

int ctrl_namespace(struct ctrl *ctrl, uint32_t nsid, bool own,
		   struct stream_namespace *ns)
{
	void *p;
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
		.name = "Virtualization Management",
		.opcode = nvme_admin_virtual_mgmt,
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
		.opcode = nvme_admin_ns_attach, .nsid = nsid,
		.cdw10 = attach ? 0 : 1,
	};
	_Alignas(8) struct nvme_ctrl_list list = {
		.num = htole16(1), .identifier = { htole16(cntlid) },
	};

	return ctrl_admin(ctrl, &cmd, &list, sizeof(list));
}

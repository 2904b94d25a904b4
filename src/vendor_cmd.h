/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Encodings of the vendor specific command set of 2022 ("Add new VFIO PCI
 * driver for NVMe devices", RFC of December 2022, the document of patch 5).
 * Pure functions of their arguments; also compiled by the unit tests.
 *
 * A command is expected zeroed; data pointer and command id are not touched.
 * @vf is the VF's number, 1 for the first.
 */
#ifndef _NVME_VENDOR_CMD_H
#define _NVME_VENDOR_CMD_H

#include <linux/nvme.h>
#include <linux/types.h>
#include <asm/byteorder.h>

enum {
	VND_QUERY_DATA_SIZE	= 0xc4,
	VND_SUSPEND		= 0xc8,
	VND_RESUME		= 0xcc,
	VND_SAVE_DATA		= 0xd2,
	VND_LOAD_DATA		= 0xd5,
};

static inline void vnd_command(struct nvme_common_command *c, u8 opcode, u16 vf)
{
	c->opcode = opcode;
	c->cdw10 = cpu_to_le32(vf);
}

/* @size in bytes; of the five commands only LOAD_DATA carries a length. */
static inline void vnd_load_data(struct nvme_common_command *c, u16 vf, u32 size)
{
	vnd_command(c, VND_LOAD_DATA, vf);
	c->cdw11 = cpu_to_le32(size);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* A submission queue entry. */
#ifndef _UNIT_LINUX_NVME_H
#define _UNIT_LINUX_NVME_H

#include <linux/types.h>

#define nvme_admin_identify	0x06

struct nvme_common_command {
	__u8	opcode;
	__u8	flags;
	__u16	command_id;
	__le32	nsid;
	__le32	cdw2[2];
	__le64	metadata;
	__le64	dptr[2];
	__le32	cdw10;
	__le32	cdw11;
	__le32	cdw12;
	__le32	cdw13;
	__le32	cdw14;
	__le32	cdw15;
};

#endif

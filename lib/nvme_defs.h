/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nvme_defs.h - the few NVMe structures and numbers the library uses.
 * Queue entries are little endian in memory; the library runs on x86 only.
 */
#ifndef NVME_VFIO_NVME_DEFS_H
#define NVME_VFIO_NVME_DEFS_H

#include <stdint.h>

struct nvme_cmd {
	uint8_t opc;
	uint8_t flags;
	uint16_t cid;
	uint32_t nsid;
	uint32_t cdw2;
	uint32_t cdw3;
	uint64_t mptr;
	uint64_t prp1;
	uint64_t prp2;
	uint32_t cdw10;
	uint32_t cdw11;
	uint32_t cdw12;
	uint32_t cdw13;
	uint32_t cdw14;
	uint32_t cdw15;
};

struct nvme_cqe {
	uint32_t dw0;
	uint32_t dw1;
	uint16_t sqhd;
	uint16_t sqid;
	uint16_t cid;
	uint16_t status;	/* bit 0 is the phase tag */
};

_Static_assert(sizeof(struct nvme_cmd) == 64, "submission entry");
_Static_assert(sizeof(struct nvme_cqe) == 16, "completion entry");

/* controller registers */
#define NVME_CAP		0x00
#define NVME_VS			0x08
#define NVME_INTMS		0x0c
#define NVME_CC			0x14
#define NVME_CSTS		0x1c
#define NVME_AQA		0x24
#define NVME_ASQ		0x28
#define NVME_ACQ		0x30
#define NVME_DB			0x1000

#define NVME_CC_ENABLE		(1u | 6u << 16 | 4u << 20) /* 64, 16 bytes */
#define NVME_CSTS_RDY		1u
#define NVME_CSTS_CFS		2u

/* admin opcodes */
#define NVME_DELETE_SQ		0x00
#define NVME_CREATE_SQ		0x01
#define NVME_GET_LOG		0x02
#define NVME_DELETE_CQ		0x04
#define NVME_CREATE_CQ		0x05
#define NVME_IDENTIFY		0x06
#define NVME_SET_FEATURES	0x09
#define NVME_GET_FEATURES	0x0a
#define NVME_ASYNC_EVENT	0x0c
#define NVME_VIRT_MGMT		0x1c
#define NVME_MIG_SEND		0x41
#define NVME_MIG_RECV		0x42
#define NVME_DBBUF		0x7c

/* I/O opcodes */
#define NVME_FLUSH		0x00
#define NVME_WRITE		0x01
#define NVME_READ		0x02

/* identify CNS */
#define NVME_CNS_NS		0x00
#define NVME_CNS_CTRL		0x01
#define NVME_CNS_SECONDARY	0x15

/* features */
#define NVME_FEAT_TEMP		0x04
#define NVME_FEAT_QUEUES	0x07
#define NVME_FEAT_AEC		0x0b

#define NVME_LOG_SMART		0x02

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Encodings of the standard command set: NVM Express Base Specification 2.1,
 * Track Send/Receive and Migration Send/Receive, Identify CNS 15h and 20h.
 * Pure functions of their arguments; also compiled by the unit tests.
 *
 * A command is expected zeroed; data pointer and command id are not touched.
 */
#ifndef _NVME_STANDARD_CMD_H
#define _NVME_STANDARD_CMD_H

#include <linux/kernel.h>
#include <linux/nvme.h>
#include <linux/types.h>
#include <asm/byteorder.h>

#include "lm_caps.h"

enum {
	STD_TRACK_SEND		= 0x3d,
	STD_TRACK_RECEIVE	= 0x3e,
	STD_MIGRATION_SEND	= 0x41,
	STD_MIGRATION_RECEIVE	= 0x42,
};

/* Select field of Migration Send; Get Controller State is 0 of Receive. */
enum {
	STD_SEL_SUSPEND		= 0,
	STD_SEL_RESUME		= 1,
	STD_SEL_SET_STATE	= 2,
};

/* Type of suspend. */
enum {
	STD_SUSPEND_NOTIFY	= 0,	/* only tells that a suspend will follow */
	STD_SUSPEND		= 1,
};

/* Sequence indicator of Set Controller State: a set of these. */
enum {
	STD_SEQ_FIRST		= 1,
	STD_SEQ_LAST		= 2,
};

/* Identify Controller, OACS */
#define STD_OACS_VIRT_MGMT	(1 << 7)

#define STD_GET_CSUP		(1 << 0)	/* completion dword 0 of Get */

/* Status codes: generic, then command specific (status code type 1). */
#define STD_SC_INVALID_OPCODE	0x001
#define STD_SC_INVALID_FIELD	0x002
#define STD_SC_SEQUENCE		0x00c		/* not the command for now */
#define STD_SC_INVALID_CTRL	0x11f
#define STD_SC_NO_RESOURCES	0x138
#define STD_SC_SUSPENDED	0x139		/* of Track Send */
#define STD_SC_NOT_SUSPENDED	0x13a		/* of Resume */

#define STD_CNS_SECONDARY_LIST	0x15
#define STD_CNS_STATE_FORMATS	0x20

/**
 * struct std_secondary - one entry of the Secondary Controller List
 * @scid: controller id of the secondary controller
 * @pcid: controller id of its primary
 * @scs: bit 0: online
 * @rsvd5: reserved
 * @vfn: virtual function number, 1 for the first, 0 for none
 * @nvq: virtual queue resources assigned, admin queue included
 * @nvi: virtual interrupt resources assigned
 * @rsvd14: reserved
 */
struct std_secondary {
	__le16	scid;
	__le16	pcid;
	__u8	scs;
	__u8	rsvd5[3];
	__le16	vfn;
	__le16	nvq;
	__le16	nvi;
	__u8	rsvd14[18];
};

#define STD_SECONDARY_MAX	127

struct std_secondary_list {
	__u8	nument;
	__u8	rsvd1[31];
	struct std_secondary entry[STD_SECONDARY_MAX];
};

/**
 * struct std_state_header - start of Controller State
 * @ver: version of this structure, 0
 * @csattr: bit 0 CP: the controller was suspended during the whole Get
 * @rsvd3: reserved
 * @nvmecss: dwords of NVMe Controller State; 128 bits, low half first
 * @vss: dwords of vendor specific data behind it; likewise
 */
struct std_state_header {
	__le16	ver;
	__u8	csattr;
	__u8	rsvd3[13];
	__le64	nvmecss[2];
	__le64	vss[2];
};

#define STD_CSATTR_CP		(1 << 0)

/**
 * struct std_track_caps - Identify Controller from byte STD_TRACK_CAPS on
 * @cmmrtd: ranges of memory that this controller tracks
 * @nmmrtd: ranges that the whole subsystem tracks
 * @minmrtg: smallest unit, as n of 2^n * 4 KiB
 * @maxmrtg: largest unit, likewise
 * @trattr: STD_TRATTR_*
 */
struct std_track_caps {
	__le16	cmmrtd;
	__le16	nmmrtd;
	__u8	minmrtg;
	__u8	maxmrtg;
	__u8	trattr;
};

#define STD_TRACK_CAPS		570
#define STD_TRATTR_THMCS	(1 << 0)	/* host memory can be tracked */
#define STD_TRATTR_MRTLL	(1 << 2)	/* lengths are powers of two */

#define STD_SEL_TRACK_MEMORY	1		/* of Track Send */

/**
 * struct std_track_header - start of the data of Track Memory Changes
 * @ver: 0
 * @rsvd1: reserved
 * @rmrtg: unit, as n of 2^n * 4 KiB
 * @rnmrtd: number of &struct std_track_range that follow
 */
struct std_track_header {
	__u8	ver;
	__u8	rsvd1[2];
	__u8	rmrtg;
	__le32	rnmrtd;
};

/**
 * struct std_track_range - memory to be tracked
 * @saddr: address as the VF uses it, a multiple of the unit
 * @len: units
 */
struct std_track_range {
	__le64	saddr;
	__le32	len;
} __packed;

/**
 * struct std_report_header - start of the data of Track Receive
 * @ver: 0
 * @attrb: STD_REPORT_*
 * @cntlid: the tracked controller
 * @ntmcd: number of &struct std_report_range that follow
 * @rpmpg: unit, as n of 2^n * 4 KiB
 * @rsvd10: reserved
 */
struct std_report_header {
	__u8	ver;
	__u8	attrb;
	__le16	cntlid;
	__le32	ntmcd;
	__le16	rpmpg;
	__u8	rsvd10[6];
};

#define STD_REPORT_MTR		(1 << 0)	/* there is more to report */
#define STD_REPORT_SUSP		(1 << 1)	/* the controller is suspended */

/**
 * struct std_report_range - memory that was written
 * @saddr: address as the VF uses it
 * @len: units
 * @rsvd12: reserved
 */
struct std_report_range {
	__le64	saddr;
	__le32	len;
	__le32	rsvd12;
};

static inline void std_suspend(struct nvme_common_command *c, u16 cntlid,
			       u8 type, bool delete_udmq)
{
	c->opcode = STD_MIGRATION_SEND;
	c->cdw10 = cpu_to_le32(STD_SEL_SUSPEND);
	c->cdw11 = cpu_to_le32(cntlid | (u32)type << 16 |
			       (u32)delete_udmq << 31);
}

static inline void std_resume(struct nvme_common_command *c, u16 cntlid)
{
	c->opcode = STD_MIGRATION_SEND;
	c->cdw10 = cpu_to_le32(STD_SEL_RESUME);
	c->cdw11 = cpu_to_le32(cntlid);
}

/* @offset and @len in bytes, multiples of 4; @len at least 4. */
static inline void std_get_state(struct nvme_common_command *c, u16 cntlid,
				 struct std_format f, u64 offset, u32 len)
{
	c->opcode = STD_MIGRATION_RECEIVE;
	c->cdw10 = cpu_to_le32((u32)f.version << 16);
	c->cdw11 = cpu_to_le32(cntlid | (u32)f.uuid << 16);
	c->cdw12 = cpu_to_le32(lower_32_bits(offset));
	c->cdw13 = cpu_to_le32(upper_32_bits(offset));
	c->cdw15 = cpu_to_le32(len / 4 - 1);	/* 0's based */
}

/*
 * Get and Set differ in where the format goes and in how dwords are counted.
 * @seq is a set of STD_SEQ_*; @offset and @len as above.
 */
static inline void std_set_state(struct nvme_common_command *c, u16 cntlid,
				 struct std_format f, u8 seq, u64 offset,
				 u32 len)
{
	c->opcode = STD_MIGRATION_SEND;
	c->cdw10 = cpu_to_le32(STD_SEL_SET_STATE | (u32)seq << 16);
	c->cdw11 = cpu_to_le32(cntlid | (u32)f.version << 16 |
			       (u32)f.uuid << 24);
	c->cdw12 = cpu_to_le32(lower_32_bits(offset));
	c->cdw13 = cpu_to_le32(upper_32_bits(offset));
	c->cdw15 = cpu_to_le32(len / 4);	/* not 0's based */
}

static inline void std_track_memory(struct nvme_common_command *c, u16 cntlid,
				    bool start)
{
	c->opcode = STD_TRACK_SEND;
	c->cdw10 = cpu_to_le32(STD_SEL_TRACK_MEMORY | (u32)start << 16);
	c->cdw11 = cpu_to_le32(cntlid);
}

/* @len in bytes, a multiple of 4, at least 16. */
static inline void std_track_receive(struct nvme_common_command *c, u16 cntlid,
				     u32 len)
{
	c->opcode = STD_TRACK_RECEIVE;
	c->cdw11 = cpu_to_le32(cntlid);
	c->cdw12 = cpu_to_le32(len / 4 - 1);	/* 0's based */
}

static inline void std_identify(struct nvme_common_command *c, u8 cns,
				u16 cntid)
{
	c->opcode = nvme_admin_identify;
	c->cdw10 = cpu_to_le32(cns | (u32)cntid << 16);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a PF's Identify data say about live migration: which command set it has,
 * and which format of state is used. Pure, and plain C: also compiled in user
 * space, by whoever must come to the same verdict.
 */
#ifndef _NVME_VFIO_LM_CAPS_H
#define _NVME_VFIO_LM_CAPS_H

#include <linux/string.h>
#include <linux/types.h>

/* Numbers are part of the stream. */
enum cmdset_id {
	CMDSET_STANDARD		= 1,
	CMDSET_VENDOR_2022	= 2,
};

/* Why a VF cannot migrate. */
#define LM_NO_COMMANDS	"the PF offers no migration commands"
#define LM_NO_VERSION	"the PF lists no version of the NVMe part of a state: no I/O queue would move"
#define LM_NO_UUID	"the PF lists no format of the vendor's part of a state: registers, features and the admin queue would stay behind"
#define LM_NO_NVME_PART	"the state lacks the NVMe part: no I/O queue would move"
#define LM_NO_VENDOR_PART "the state lacks the vendor's part: registers, features and the admin queue would stay behind"
#define LM_NOT_LISTED	"the PF does not list this VF as its secondary controller"

static inline __u16 lm_le16(const void *p)
{
	const __u8 *b = p;

	return b[0] | b[1] << 8;
}

/* Identify Controller, OACS: host managed live migration. */
static inline bool lm_says_standard(__u16 oacs)
{
	return oacs & 1 << 11;
}

/* Likewise: namespace management, and with it lists of all namespaces. */
static inline bool lm_says_namespaces(__u16 oacs)
{
	return oacs & 1 << 3;
}

/*
 * Identify Controller, first byte of the vendor's area. Another vendor may have
 * anything there: to be believed only for a VF whose PCI id is known to have
 * the set.
 */
static inline bool lm_says_vendor(__u8 vs0)
{
	return vs0 == 1;
}

static inline bool lm_vendor_id_known(__u16 vendor, __u16 device)
{
	return vendor == 0x8086 && device == 0x1457;
}

/* Secondary Controller List: byte 0 entries, which follow from byte 32. */
#define LM_SECONDARY_MAX	127

static inline const __u8 *lm_secondary(const __u8 *page, unsigned int i)
{
	return page + 32 + 32 * i;
}

/**
 * lm_next_secondary - where the next Secondary Controller List is to start
 * @page: a list, 4096 bytes
 * @from: the controller id that it was asked to start from
 *
 * A full list has the smallest ids from there on, in any order: the standard
 * states none.
 *
 * Return: a controller id larger than @from, or 0 when there is no more
 */
static inline __u32 lm_next_secondary(const __u8 *page, __u32 from)
{
	__u32 id, most = 0;
	unsigned int i;

	if (page[0] < LM_SECONDARY_MAX)
		return 0;
	for (i = 0; i < LM_SECONDARY_MAX; i++) {
		id = lm_le16(lm_secondary(page, i));
		if (id > most)
			most = id;
	}
	/* This must end even if a device repeats itself. */
	return most >= from && most < 0xffff ? most + 1 : 0;
}

/**
 * struct std_format - which layout of state to use, as indexes of CNS 20h
 * @version: index of the version, from 1; 0 leaves the NVMe part out
 * @uuid: index of the UUID, from 1; 0 leaves the vendor's part out
 */
struct std_format {
	__u8 version;
	__u8 uuid;
};

/**
 * struct state_format - a format of state
 * @index: how commands to this PF name it
 * @version: version of the NVMe part
 * @uuid: format of the vendor's part
 */
struct state_format {
	struct std_format index;
	__u16 version;
	__u8 uuid[16];
};

/*
 * How much of Supported Controller State Formats (Identify, CNS 20h) is looked at:
 * 255 versions and 32 UUIDs fit there.
 */
#define LM_FORMATS_LEN	1024

/**
 * nvme_vfio_pick_format - find a format in those that a PF lists
 * @page: Supported Controller State Formats, LM_FORMATS_LEN bytes
 * @version: of the NVMe part
 * @uuid: of the vendor's part; NULL = the first that there is
 * @f: set to it
 *
 * Return: it is there
 */
static inline bool nvme_vfio_pick_format(const __u8 *page, __u16 version,
				  const __u8 *uuid, struct state_format *f)
{
	unsigned int nv = page[0], nuuid = page[1], i, k;
	const __u8 *versions = page + 2, *uuids = versions + 2 * nv;

	for (i = 0; i < nv && lm_le16(versions + 2 * i) != version; i++)
		;
	for (k = 0; k < nuuid && 2 + 2 * nv + 16 * (k + 1) <= LM_FORMATS_LEN;
	     k++)
		if (!uuid || !memcmp(uuids + 16 * k, uuid, 16))
			break;
	if (i == nv || k == nuuid || 2 + 2 * nv + 16 * (k + 1) > LM_FORMATS_LEN)
		return false;
	f->index.version = i + 1;
	f->version = version;
	f->index.uuid = k + 1;
	memcpy(f->uuid, uuids + 16 * k, sizeof(f->uuid));
	return true;
}

/**
 * lm_find_format - choose a format of state
 * @page: Supported Controller State Formats (Identify, CNS 20h): byte 0 number
 *	of versions, byte 1 of UUIDs, then the versions (16 bits each) and the
 *	UUIDs; LM_FORMATS_LEN bytes
 * @f: set to version 0 if it is there, else the first, and the first UUID
 *
 * Both parts are needed. With either missing the commands succeed, the VF runs,
 * and the guest finds a controller that is not the one it had.
 *
 * Return: NULL, or why no format can be used
 */
static inline const char *lm_find_format(const __u8 *page,
					 struct state_format *f)
{
	unsigned int nv = page[0], nuuid = page[1], i;
	const __u8 *version = page + 2, *uuid = version + 2 * nv;

	memset(f, 0, sizeof(*f));
	if (!nv)
		return LM_NO_VERSION;
	if (!nuuid)
		return LM_NO_UUID;

	for (i = 0; i < nv && lm_le16(version + 2 * i); i++)
		;
	if (i == nv)
		i = 0;
	f->index.version = i + 1;
	f->version = lm_le16(version + 2 * i);
	f->index.uuid = 1;
	memcpy(f->uuid, uuid, sizeof(f->uuid));
	return NULL;
}

/* A Controller State begins with a header of this many bytes. */
#define LM_STATE_HEADER	48

/**
 * lm_state_lacks - are both parts in a state?
 * @header: its first LM_STATE_HEADER bytes: from byte 16 the length of the NVMe
 *	part, from byte 32 that of the vendor's, of 128 bits each
 * @f: the format that it was asked for in, or is to be loaded in
 *
 * A device must not give a part that was not asked for. Nothing says that it
 * gives those that were asked for.
 *
 * Return: NULL, or which part is missing
 */
static inline const char *lm_state_lacks(const void *header,
					 struct std_format f)
{
	static const __u8 none[16];
	const __u8 *h = header;

	if (f.version && !memcmp(h + 16, none, sizeof(none)))
		return LM_NO_NVME_PART;
	if (f.uuid && !memcmp(h + 32, none, sizeof(none)))
		return LM_NO_VENDOR_PART;
	return NULL;
}

#endif

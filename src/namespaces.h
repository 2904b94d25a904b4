/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which namespaces a VF has, as the stream says it: if they differ the guest
 * would continue with other data. Pure, and plain C: also compiled in user
 * space, by whoever must come to the same verdict.
 *
 * All of it is from Identify commands to the PF. What the PF does not report is
 * not known, which is no reason to refuse a state.
 */
#ifndef _NVME_VFIO_NAMESPACES_H
#define _NVME_VFIO_NAMESPACES_H

#include <linux/string.h>
#include <linux/types.h>

#include "lm_caps.h"

/* Identify */
#define NS_CNS_DESCRIPTORS	0x03	/* of a namespace that the PF itself has */
#define NS_CNS_ALLOCATED	0x10	/* list of NSIDs */
#define NS_CNS_STRUCT		0x11	/* of any allocated namespace */
#define NS_CNS_CONTROLLERS	0x12	/* that have a namespace */

/* Allocated namespaces that are looked at; with more, nothing is known. */
#define NS_MAX_ASKED		128

/* Namespaces that the record has room for, as readers skip 4096 bytes at most. */
#define NS_MAX_LISTED		63

/* Controllers in a full answer to CNS 12h. */
#define NS_MAX_CONTROLLERS	2047

/* struct stream_namespace, @flags */
#define NS_F_STRUCT		(1 << 0)	/* CNS 11h was answered */
#define NS_F_DESCRIPTORS	(1 << 1)	/* CNS 03h was answered */

/**
 * struct stream_namespace - one namespace
 * @nsid: namespace id
 * @flags: NS_F_*; what was not answered is 0
 * @lba_shift: log2 of the block size in bytes
 * @metadata: bytes of metadata with each block
 * @blocks: size in blocks
 * @extended: 1: metadata follow the data of their block
 * @protection: end-to-end protection, as DPS has it
 * @reserved: 0
 * @nguid: 0 = it has none; likewise the others
 * @eui64: IEEE's identifier
 * @uuid: of NS_F_DESCRIPTORS
 */
struct stream_namespace {
	__le32	nsid;
	__u8	flags;
	__u8	lba_shift;
	__le16	metadata;
	__le64	blocks;
	__u8	extended;
	__u8	protection;
	__u8	reserved[6];
	__u8	nguid[16];
	__u8	eui64[8];
	__u8	uuid[16];
};

/**
 * struct stream_namespaces - payload of NAMESPACES
 * @known: 1: the rest is valid; 0: the rest is 0
 * @reserved: 0
 * @listed: how many follow
 * @count: how many there are; more than @listed only where that is NS_MAX_LISTED
 * @digest: ns_digest() of all
 * @ns: those with the smallest ids, in ascending order
 */
struct stream_namespaces {
	__u8	known;
	__u8	reserved;
	__le16	listed;
	__le32	count;
	__le64	digest;
	struct stream_namespace ns[NS_MAX_LISTED];
};

#define NS_HEAD_LEN	16

static inline __u32 ns_get32(const void *p)
{
	return lm_le16(p) | (__u32)lm_le16((const __u8 *)p + 2) << 16;
}

static inline __u64 ns_get64(const void *p)
{
	return ns_get32(p) | (__u64)ns_get32((const __u8 *)p + 4) << 32;
}

static inline void ns_put(void *p, __u64 v, unsigned int bytes)
{
	__u8 *b = p;

	for (; bytes; bytes--, v >>= 8)
		*b++ = v;
}

/* ns_len - bytes of the record's payload */
static inline __u32 ns_len(const struct stream_namespaces *s)
{
	return NS_HEAD_LEN + lm_le16(&s->listed) * sizeof(s->ns[0]);
}

static inline bool ns_has(const __u8 *id, unsigned int len)
{
	while (len--)
		if (*id++)
			return true;
	return false;
}

#define NS_HAS(id)	ns_has(id, sizeof(id))

static inline __u64 ns_hash(__u64 h, const void *p, unsigned int len)
{
	const __u8 *b = p;

	for (; len; len--)
		h = (h ^ *b++) * 0x100000001b3ULL;	/* FNV-1a */
	return h;
}

/**
 * ns_digest - a number that tells sets of namespaces apart
 * @h: of those with smaller ids; 0 = there are none
 * @n: the next one
 *
 * Two hosts that have asked two ports of one drive get the same number: a UUID,
 * which not every port tells, counts only where there is nothing else.
 *
 * Return: of all of them
 */
static inline __u64 ns_digest(__u64 h, const struct stream_namespace *n)
{
	h = ns_hash(h ? h : 0xcbf29ce484222325ULL, &n->nsid, sizeof(n->nsid));
	h = ns_hash(h, &n->lba_shift, sizeof(n->lba_shift));
	h = ns_hash(h, &n->metadata, sizeof(n->metadata));
	h = ns_hash(h, &n->blocks, sizeof(n->blocks));
	h = ns_hash(h, &n->extended, sizeof(n->extended));
	h = ns_hash(h, &n->protection, sizeof(n->protection));
	h = ns_hash(h, n->nguid, sizeof(n->nguid));
	h = ns_hash(h, n->eui64, sizeof(n->eui64));
	if (!NS_HAS(n->nguid) && !NS_HAS(n->eui64))
		h = ns_hash(h, n->uuid, sizeof(n->uuid));
	return h;
}

/**
 * ns_add - one more
 * @s: the set, zeroed at first
 * @n: it; ids ascend
 */
static inline void ns_add(struct stream_namespaces *s,
			  const struct stream_namespace *n)
{
	unsigned int listed = lm_le16(&s->listed);

	if (listed < NS_MAX_LISTED) {
		s->ns[listed] = *n;
		ns_put(&s->listed, listed + 1, sizeof(s->listed));
	}
	ns_put(&s->count, ns_get32(&s->count) + 1, sizeof(s->count));
	ns_put(&s->digest, ns_digest(ns_get64(&s->digest), n),
	       sizeof(s->digest));
}

/**
 * ns_take_struct - what the answer to CNS 11h says about a namespace
 * @n: the namespace
 * @id: the answer, 4096 bytes
 */
static inline void ns_take_struct(struct stream_namespace *n, const __u8 *id)
{
	/* the low bits of the format's index, and two more with over 16 formats */
	unsigned int format = (id[26] & 0xf) |
			      (id[25] > 15 ? id[26] >> 1 & 0x30 : 0);
	const __u8 *lbaf = id + 128 + 4 * format;

	n->flags |= NS_F_STRUCT;
	memcpy(&n->blocks, id, sizeof(n->blocks));
	n->lba_shift = lbaf[2];
	memcpy(&n->metadata, lbaf, sizeof(n->metadata));
	n->extended = id[26] >> 4 & 1;
	n->protection = id[29];
	memcpy(n->nguid, id + 104, sizeof(n->nguid));
	memcpy(n->eui64, id + 120, sizeof(n->eui64));
}

/**
 * ns_take_descriptors - what the answer to CNS 03h says about it
 * @n: the namespace
 * @list: the answer, 4096 bytes
 */
static inline void ns_take_descriptors(struct stream_namespace *n,
				       const __u8 *list)
{
	unsigned int at, len;

	n->flags |= NS_F_DESCRIPTORS;
	for (at = 0; at + 4 <= 4096; at += 4 + len) {
		const __u8 *id = list + at + 4;

		len = list[at + 1];
		if (!len || at + 4 + len > 4096)
			break;
		if (list[at] == 1 && len == sizeof(n->eui64))
			memcpy(n->eui64, id, len);
		else if (list[at] == 2 && len == sizeof(n->nguid))
			memcpy(n->nguid, id, len);
		else if (list[at] == 3 && len == sizeof(n->uuid))
			memcpy(n->uuid, id, len);
	}
}

/**
 * ns_has_controller - is a controller in the answer to CNS 12h?
 * @list: the answer, 4096 bytes
 * @cntlid: its id
 */
static inline bool ns_has_controller(const __u8 *list, __u16 cntlid)
{
	unsigned int i, n = lm_le16(list);

	for (i = 1; i <= n && i <= NS_MAX_CONTROLLERS; i++)
		if (lm_le16(list + 2 * i) == cntlid)
			return true;
	return false;
}

/**
 * ns_fault - is a record valid?
 * @s: the record; not trusted
 * @len: bytes of it
 *
 * Return: NULL, or what is wrong with it
 */
static inline const char *ns_fault(const struct stream_namespaces *s, __u32 len)
{
	unsigned int i, listed;
	__u32 last = 0, count;
	__u64 digest = 0;

	if (len < NS_HEAD_LEN)
		return "namespaces record of wrong size";
	listed = lm_le16(&s->listed);
	count = ns_get32(&s->count);
	if (listed > NS_MAX_LISTED || len != ns_len(s))
		return "namespaces record of wrong size";
	if (s->known > 1 || s->reserved)
		return "reserved bytes in the namespaces record";
	if (count < listed || (count > listed && listed < NS_MAX_LISTED))
		return "number of namespaces out of range";
	if (!s->known && (count || ns_get64(&s->digest)))
		return "namespaces that are listed although not known";

	for (i = 0; i < listed; i++) {
		const struct stream_namespace *n = &s->ns[i];
		__u32 nsid = ns_get32(&n->nsid);

		if (nsid <= last || nsid == 0xffffffff)
			return "namespaces listed twice or out of order";
		if (n->flags & ~(NS_F_STRUCT | NS_F_DESCRIPTORS) ||
		    n->extended > 1 || NS_HAS(n->reserved))
			return "reserved bytes in the namespaces record";
		digest = ns_digest(digest, n);
		last = nsid;
	}
	if (count == listed && digest != ns_get64(&s->digest))
		return "namespaces that do not agree with their digest";
	return NULL;
}

/**
 * struct ns_verdict - what comparing two sets has found
 * @why: what differs, or NULL
 * @nsid: of which namespace; 0 = of none in particular
 * @unsure: nothing differs, but not all could be compared
 */
struct ns_verdict {
	const char *why;
	__u32 nsid;
	bool unsure;
};

/* Is it the same medium? */
static inline const char *ns_other_id(const struct stream_namespace *from,
				      const struct stream_namespace *here,
				      bool *unsure)
{
	bool same = false;

	if (from->flags && here->flags) {
		if (memcmp(from->nguid, here->nguid, sizeof(from->nguid)))
			return "is a different one: its NGUID differs";
		if (memcmp(from->eui64, here->eui64, sizeof(from->eui64)))
			return "is a different one: its EUI64 differs";
		same = NS_HAS(from->nguid) || NS_HAS(from->eui64);
	}
	if (from->flags & here->flags & NS_F_DESCRIPTORS) {
		if (memcmp(from->uuid, here->uuid, sizeof(from->uuid)))
			return "is a different one: its UUID differs";
		same |= NS_HAS(from->uuid);
	}
	if (!same)
		*unsure = true;
	return NULL;
}

static inline const char *ns_other_layout(const struct stream_namespace *from,
					  const struct stream_namespace *here,
					  bool *unsure)
{
	if (!(from->flags & here->flags & NS_F_STRUCT)) {
		*unsure = true;
		return NULL;
	}
	if (from->lba_shift != here->lba_shift)
		return "has a different block size";
	if (from->blocks != here->blocks)
		return "has a different size";
	if (from->metadata != here->metadata ||
	    from->extended != here->extended ||
	    from->protection != here->protection)
		return "has different metadata";
	return NULL;
}

/**
 * ns_compare - are these the same namespaces?
 * @from: those where a state was taken from; without fault, see ns_fault()
 * @here: those where it is to be loaded
 * @copied: the data was copied: ids of media need not be the same
 */
static inline struct ns_verdict ns_compare(const struct stream_namespaces *from,
					   const struct stream_namespaces *here,
					   bool copied)
{
	unsigned int i, k, nf = lm_le16(&from->listed);
	unsigned int nh = lm_le16(&here->listed);
	struct ns_verdict v = { 0 };

	if (!from->known || !here->known) {
		v.unsure = true;
		return v;
	}
	for (i = 0, k = 0; i < nf || k < nh; i++, k++) {
		const struct stream_namespace *f = &from->ns[i];
		const struct stream_namespace *h = &here->ns[k];
		__u32 idf = i < nf ? ns_get32(&f->nsid) : 0xffffffff;
		__u32 idh = k < nh ? ns_get32(&h->nsid) : 0xffffffff;

		if (idf != idh) {
			v.why = idf < idh ? "is not attached to this VF" :
				"is attached to this VF but not to the source's";
			v.nsid = idf < idh ? idf : idh;
			return v;
		}
		v.nsid = idf;
		v.why = ns_other_layout(f, h, &v.unsure);
		if (!v.why && !copied)
			v.why = ns_other_id(f, h, &v.unsure);
		if (v.why)
			return v;
	}
	v.nsid = 0;
	if (ns_get32(&from->count) != ns_get32(&here->count))
		v.why = "the number of namespaces differs";
	else if (ns_get32(&from->count) > nf && copied)
		v.unsure = true;
	else if (ns_get32(&from->count) > nf &&
		 ns_get64(&from->digest) != ns_get64(&here->digest))
		v.why = "one of the namespaces beyond those that the stream lists differs";
	return v;
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge.c - the rules of the stream, a second time: see judge.h.
 */
#include <errno.h>
#include <string.h>

#include "judge.h"

#define HEADER		sizeof(struct stream_header)

u32 judge_crc(const void *data, size_t len)
{
	static u32 table[256];
	const u8 *p = data;
	u32 crc = ~0u;

	if (!table[1]) {
		u32 i, k, c;

		for (i = 0; i < 256; i++) {
			for (c = i, k = 0; k < 8; k++)
				c = c & 1 ? c >> 1 ^ 0x82f63b78 : c >> 1;
			table[i] = c;
		}
	}
	while (len--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return ~crc;
}

void judge_init(struct judge *j, const u8 *p, size_t n, u64 limit)
{
	*j = (struct judge){ .p = p, .n = n, .limit = limit,
			     .expect = STREAM_IDENTITY };
}

static int header_wrong(const struct judge *j, const struct stream_header *h)
{
	u16 tag = le16toh(h->tag), flags = le16toh(h->flags);
	u32 len = le32toh(h->len);
	u64 left = j->size - j->done;

	if (le32toh(h->header_crc) != judge_crc(h, HEADER - 4) || flags > 1)
		return 1;
	if (tag < STREAM_IDENTITY || tag > STREAM_NAMESPACES)
		return flags || len > STREAM_MAX_SKIP ||
		       j->expect == STREAM_IDENTITY;
	if (tag != j->expect)
		return 1;
	switch (tag) {
	case STREAM_IDENTITY:
		return len != sizeof(struct stream_identity) || h->offset;
	case STREAM_NAMESPACES:
		return len < 16 || len > 16 + 63 * 64 || h->offset;
	case STREAM_STATE:
		return len != sizeof(struct stream_state) || h->offset;
	case STREAM_END:
		return len != sizeof(struct stream_end) || h->offset;
	}
	return le64toh(h->offset) != j->done || !len || len > j->max_data ||
	       len > left || (len % 4 && len < left);
}

static int judge_identity(struct judge *j, const u8 *p)
{
	struct stream_identity id;
	unsigned int i, used;

	memcpy(&id, p, sizeof(id));
	for (i = 0, used = id.reserved1; i < sizeof(id.reserved2); i++)
		used |= id.reserved2[i];
	if (memcmp(id.magic, "NVMEVFIO", 8) || le16toh(id.major) != 1)
		return -EINVAL;
	if (le16toh(id.minor) <= STREAM_MINOR && (used || id.has_uuid > 1))
		return -EINVAL;
	if (le64toh(id.size_hint) > j->limit)
		return -ENOSPC;
	j->expect = le16toh(id.minor) < 2 ? STREAM_STATE : STREAM_NAMESPACES;
	return STREAM_EV_IDENTITY;
}

static u64 le(const u8 *p, unsigned int bytes)
{
	u64 v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

u64 judge_digest(const u8 *ns, u64 n)
{
	u64 h = n ? 0xcbf29ce484222325ull : 0;
	unsigned int i;

	for (; n; n--, ns += 64) {
		/* everything except flags and reserved fields */
		static const u8 fields[] = {
			0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
		};
		bool has = false;

		for (i = 0; i < sizeof(fields); i++)
			h = (h ^ ns[fields[i]]) * 0x100000001b3ull;
		for (i = 24; i < 48; i++) {
			has |= ns[i];
			h = (h ^ ns[i]) * 0x100000001b3ull;
		}
		for (i = 48; i < 64 && !has; i++)
			h = (h ^ ns[i]) * 0x100000001b3ull;
	}
	return h;
}

/* Each of the others has a larger id than those before it. */
static int judge_namespaces(struct judge *j, const u8 *p, u32 len)
{
	u64 i, n = le(p + 2, 2), count = le(p + 4, 4), digest = le(p + 8, 8);
	int64_t last = 0;

	if (len != 16 + 64 * n || n > 63 || p[0] > 1 || p[1] || count < n ||
	    (n < 63 && count != n) || (!p[0] && (count || digest)))
		return -EINVAL;
	for (i = 0; i < n; i++) {
		const u8 *ns = p + 16 + 64 * i;

		if ((int64_t)le(ns, 4) <= last || le(ns, 4) == 0xffffffff ||
		    ns[4] > 3 || ns[16] > 1 || le(ns + 18, 6))
			return -EINVAL;
		last = le(ns, 4);
	}
	if (count == n && digest != judge_digest(p + 16, n))
		return -EINVAL;
	j->expect = STREAM_STATE;
	return STREAM_EV_NAMESPACES;
}

static int judge_state(struct judge *j, const u8 *p)
{
	struct stream_state st;

	memcpy(&st, p, sizeof(st));
	j->size = le64toh(st.size);
	j->max_data = le32toh(st.max_data);
	if (j->size > j->limit)
		return -ENOSPC;
	if (!j->size || !j->max_data || j->max_data > j->size ||
	    j->max_data > 4 << 20 || st.reserved)
		return -EINVAL;
	j->expect = STREAM_DATA;
	return STREAM_EV_STATE;
}

static int judge_data(struct judge *j, u32 len)
{
	j->done += len;
	j->records++;
	if (j->done == j->size)
		j->expect = STREAM_END;
	return STREAM_EV_DATA;
}

static int judge_end(const struct judge *j, const u8 *p)
{
	struct stream_end end;

	memcpy(&end, p, sizeof(end));
	if (le64toh(end.size) != j->size || le64toh(end.records) != j->records)
		return -EINVAL;
	return STREAM_EV_END;
}

struct verdict judge_next(struct judge *j)
{
	struct verdict v = { .start = j->at, .at = j->at + HEADER };
	struct stream_header h;
	const u8 *payload;

	if (j->n - j->at < HEADER)
		return v;		/* no verdict yet */
	memcpy(&h, j->p + j->at, HEADER);
	if (header_wrong(j, &h)) {
		v.event = -EINVAL;
		return v;
	}
	v.len = le32toh(h.len);
	v.at += v.len;
	if (v.at > j->n)
		return v;
	payload = j->p + v.start + HEADER;
	j->at = v.at;
	if (le32toh(h.payload_crc) != judge_crc(payload, v.len)) {
		v.event = -EINVAL;
		return v;
	}
	switch (le16toh(h.tag)) {
	case STREAM_IDENTITY:
		v.event = judge_identity(j, payload);
		break;
	case STREAM_NAMESPACES:
		v.event = judge_namespaces(j, payload, v.len);
		break;
	case STREAM_STATE:
		v.event = judge_state(j, payload);
		break;
	case STREAM_DATA:
		v.event = judge_data(j, v.len);
		break;
	case STREAM_END:
		v.event = judge_end(j, payload);
		break;
	default:
		v.event = STREAM_EV_NONE;	/* skipped */
	}
	return v;
}

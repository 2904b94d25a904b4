// SPDX-License-Identifier: GPL-2.0-only
/*
 * forge.c - streams from an attacker who can compute CRC32C: see forge.h.
 */
#include <string.h>

#include "forge.h"
#include "judge.h"

#define HEADER		sizeof(struct stream_header)
#define MAX_RECORDS	64

/* the whole records of a stream */
struct records {
	u8 *p;
	size_t n;
	size_t max;
	unsigned int nr;
	size_t at[MAX_RECORDS + 1];	/* the last: end of the last record */
};

static u64 rnd(u64 *s, u64 n)
{
	u64 x = *s += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return (x ^ x >> 31) % n;
}

static struct stream_header get(const struct records *r, unsigned int i)
{
	struct stream_header h;

	memcpy(&h, r->p + r->at[i], HEADER);
	return h;
}

static void set(struct records *r, unsigned int i, const struct stream_header *h)
{
	memcpy(r->p + r->at[i], h, HEADER);
}

static size_t payload_len(const struct records *r, unsigned int i)
{
	return r->at[i + 1] - r->at[i] - HEADER;
}

static struct records scan(u8 *p, size_t n, size_t max)
{
	struct records r = { .p = p, .n = n, .max = max };

	while (r.nr < MAX_RECORDS && n - r.at[r.nr] >= HEADER) {
		u32 len = le32toh(get(&r, r.nr).len);

		if (len > n - r.at[r.nr] - HEADER)
			break;
		r.at[r.nr + 1] = r.at[r.nr] + HEADER + len;
		r.nr++;
	}
	return r;
}

/* Replace @del bytes at @at by @add of unspecified content. */
static int resize(struct records *r, size_t at, size_t del, size_t add)
{
	if (r->n - del + add > r->max)
		return 0;
	memmove(r->p + at + add, r->p + at + del, r->n - at - del);
	r->n += add - del;
	return 1;
}

/* numbers at which things change */
static u64 edge(u64 *s)
{
	static const u64 edges[] = {
		0, 1, 2, 3, 4, 5, 8, 16, 23, 24, 25, 32, 48, 64, 127, 128, 129,
		255, 256, 257, 4095, 4096, 4097, 65535, 65536, 65537,
		(4 << 20) - 1, 4 << 20, (4 << 20) + 1, 0x7fffffff, 0x80000000,
		0xffffffe8, 0xffffffff, 0x100000000, 1ull << 63, ~0ull,
	};

	return edges[rnd(s, sizeof(edges) / sizeof(*edges))];
}

static void change_header(struct records *r, unsigned int i, u64 *s)
{
	struct stream_header h = get(r, i);

	switch (rnd(s, 4)) {
	case 0:
		h.tag = htole16(rnd(s, 4) ? rnd(s, 7) : rnd(s, 65536));
		break;
	case 1:
		h.flags = htole16(rnd(s, 4) ? rnd(s, 2) : 1 << rnd(s, 16));
		break;
	case 2:
		h.len = htole32(rnd(s, 2) ? edge(s) :
				le32toh(h.len) + rnd(s, 9) - 4);
		break;
	default:
		h.offset = htole64(rnd(s, 2) ? edge(s) :
				   le64toh(h.offset) + rnd(s, 9) - 4);
	}
	set(r, i, &h);
}

static void change_payload(struct records *r, unsigned int i, u64 *s)
{
	size_t len = payload_len(r, i);
	u8 *p = r->p + r->at[i] + HEADER;
	u64 v = rnd(s, 2) ? edge(s) : rnd(s, ~0ull);
	size_t width = 1ul << rnd(s, 4), at;

	if (len < width)
		return;
	at = rnd(s, len / width) * width;
	if (!rnd(s, 3)) {	/* close to what it was */
		memcpy(&v, p + at, width);
		v += rnd(s, 9) - 4;
	}
	v = htole64(v);
	memcpy(p + at, &v, width);
}

/* Another length, with the payload to go with it. */
static void change_len(struct records *r, unsigned int i, u64 *s)
{
	struct stream_header h = get(r, i);
	size_t len = payload_len(r, i), to = rnd(s, 3) ? rnd(s, 300) : edge(s);
	size_t end = r->at[i] + HEADER + len;

	if (to > 70000 ||
	    !resize(r, end, to < len ? 0 : 0, to > len ? to - len : 0))
		return;
	if (to > len)
		memset(r->p + end, rnd(s, 256), to - len);
	else
		resize(r, end - (len - to), len - to, 0);
	h.len = htole32(to);
	set(r, i, &h);
}

static void copy_record(struct records *r, unsigned int i, u64 *s)
{
	size_t len = r->at[i + 1] - r->at[i];
	size_t to = r->at[rnd(s, r->nr + 1)];
	size_t from = r->at[i];

	if (!resize(r, to, 0, len))
		return;
	if (to <= from)
		from += len;
	memmove(r->p + to, r->p + from, len);
}

static void drop_record(struct records *r, unsigned int i)
{
	resize(r, r->at[i], r->at[i + 1] - r->at[i], 0);
}

/* A record that readers do not know and may skip. */
static void add_optional(struct records *r, u64 *s)
{
	struct stream_header h = { .tag = htole16(6 + rnd(s, 100)) };
	size_t to = r->at[rnd(s, r->nr + 1)];
	u32 len = rnd(s, 4) ? rnd(s, 600) : 4096 + rnd(s, 2);

	h.len = htole32(len);
	if (!resize(r, to, 0, HEADER + len))
		return;
	memcpy(r->p + to, &h, HEADER);
	memset(r->p + to + HEADER, rnd(s, 256), len);
}

/* Cut one data record in two. */
static void split_data(struct records *r, unsigned int i, u64 *s)
{
	struct stream_header h = get(r, i);
	size_t len = payload_len(r, i), first;

	if (le16toh(h.tag) != STREAM_DATA || len < 8)
		return;
	first = rnd(s, len / 4) * 4 + 4;
	if (first >= len || !resize(r, r->at[i] + HEADER + first, 0, HEADER))
		return;
	h.len = htole32(len - first);
	memcpy(r->p + r->at[i] + HEADER + first, &h, HEADER);
	h.len = htole32(first);
	set(r, i, &h);
}

/* One namespace more or less, or one twice; agree() recomputes the digest. */
static void change_namespaces(struct records *r, unsigned int i, u64 *s)
{
	struct stream_header h = get(r, i);
	size_t len = payload_len(r, i), n, at;
	u8 *ns = r->p + r->at[i] + HEADER + 16;

	if (le16toh(h.tag) != STREAM_NAMESPACES || len < 16 + 64)
		return;
	n = (len - 16) / 64;
	at = rnd(s, n) * 64;
	if (rnd(s, 2)) {
		memcpy(ns + at, ns + rnd(s, n) * 64, rnd(s, 2) ? 64 : 4);
	} else if (rnd(s, 2)) {
		if (!resize(r, r->at[i] + HEADER + 16 + at, 0, 64))
			return;
		memcpy(ns + at, ns + at + 64, 64);
		h.len = htole32(len + 64);
	} else {
		resize(r, r->at[i] + HEADER + 16 + at, 64, 0);
		h.len = htole32(len - 64);
	}
	set(r, i, &h);
}

static void agree_namespaces(u8 *p, size_t len)
{
	u64 digest = htole64(judge_digest(p + 16, (len - 16) / 64));
	u16 listed = htole16((len - 16) / 64);
	u32 count = htole32((len - 16) / 64);

	memcpy(p + 2, &listed, 2);
	memcpy(p + 4, &count, 4);
	memcpy(p + 8, &digest, 8);
}

/* Make offsets, sizes and counts agree with the data that is there. */
static void agree(struct records *r)
{
	struct stream_state st = { 0 };
	struct stream_end end;
	u32 max_data = 0;
	u64 size = 0, nr = 0;
	unsigned int i;

	for (i = 0; i < r->nr; i++) {
		struct stream_header h = get(r, i);

		if (le16toh(h.tag) != STREAM_DATA)
			continue;
		h.offset = htole64(size);
		size += payload_len(r, i);
		nr++;
		if (payload_len(r, i) > max_data)
			max_data = payload_len(r, i);
		set(r, i, &h);
	}
	st.size = htole64(size);
	st.max_data = htole32(max_data);
	end.size = st.size;
	end.records = htole64(nr);
	for (i = 0; i < r->nr; i++) {
		u16 tag = le16toh(get(r, i).tag);

		if (tag == STREAM_NAMESPACES && payload_len(r, i) >= 16)
			agree_namespaces(r->p + r->at[i] + HEADER,
					 payload_len(r, i));
		if (tag == STREAM_STATE && payload_len(r, i) == sizeof(st))
			memcpy(r->p + r->at[i] + HEADER, &st, sizeof(st));
		if (tag == STREAM_END && payload_len(r, i) == sizeof(end))
			memcpy(r->p + r->at[i] + HEADER, &end, sizeof(end));
	}
}

void forge_mend(uint8_t *p, size_t n)
{
	struct records r = scan(p, n, n);
	unsigned int i;

	for (i = 0; i < r.nr; i++) {
		struct stream_header h = get(&r, i);

		h.payload_crc = htole32(judge_crc(p + r.at[i] + HEADER,
						  payload_len(&r, i)));
		h.header_crc = htole32(judge_crc(&h, HEADER - 4));
		set(&r, i, &h);
	}
	/* the header of a record that is cut off or lies about its length */
	if (r.nr < MAX_RECORDS && n - r.at[r.nr] >= HEADER) {
		struct stream_header h = get(&r, r.nr);

		h.header_crc = htole32(judge_crc(&h, HEADER - 4));
		set(&r, r.nr, &h);
	}
}

size_t forge(uint8_t *p, size_t n, size_t max, uint64_t *s)
{
	unsigned int times = 1 + (rnd(s, 4) ? 0 : rnd(s, 4));
	struct records r = scan(p, n, max);

	while (times-- && r.nr) {
		unsigned int i = rnd(s, r.nr);

		switch (rnd(s, 9)) {
		case 0:
			change_header(&r, i, s);
			break;
		case 1:
		case 2:
			change_payload(&r, i, s);
			break;
		case 3:
			change_len(&r, i, s);
			break;
		case 4:
			copy_record(&r, i, s);
			break;
		case 5:
			drop_record(&r, i);
			break;
		case 6:
			add_optional(&r, s);
			break;
		case 7:
			change_namespaces(&r, rnd(s, 2) && r.nr > 1 ? 1 : i, s);
			break;
		default:
			split_data(&r, i, s);
		}
		r = scan(p, r.n, max);
	}
	if (rnd(s, 2))
		agree(&r);
	if (rnd(s, 16))
		forge_mend(p, r.n);
	return r.n;
}

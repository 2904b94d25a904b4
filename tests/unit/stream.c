// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stream's reader: good streams in any segmentation, every truncation,
 * every damaged byte, and what an attacker would write with correct checksums.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/crc32c.h>

#include "stream.h"
#include "tap.h"

#define LIMIT	(1u << 20)

struct buf {
	u8 *p;
	size_t len;
};

static void add(struct buf *b, const void *p, size_t len)
{
	b->p = realloc(b->p, b->len + len);
	memcpy(b->p + b->len, p, len);
	b->len += len;
}

/* A record with correct checksums, whatever it contains. */
static void record(struct buf *b, u16 tag, u16 flags, u64 offset,
		   const void *payload, u32 len)
{
	struct stream_header h;

	nvme_vfio_fill_header(&h, tag, offset, payload, len);
	h.flags = cpu_to_le16(flags);
	h.header_crc = cpu_to_le32(~crc32c(~0u, &h, 20));
	add(b, &h, sizeof(h));
	add(b, payload, len);
}

static struct stream_identity good_identity(void)
{
	struct stream_identity id = { .cmdset = cpu_to_le32(1) };

	memcpy(id.magic, STREAM_MAGIC, 8);
	id.major = cpu_to_le16(STREAM_MAJOR);
	id.minor = cpu_to_le16(STREAM_MINOR);
	memset(id.model, 'm', sizeof(id.model));
	return id;
}

static struct stream_namespaces good_namespaces(unsigned int n)
{
	struct stream_namespaces s = { .known = 1 };
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct stream_namespace one = {
			.nsid = cpu_to_le32(2 * i + 1), .flags = NS_F_STRUCT,
			.lba_shift = 9, .blocks = cpu_to_le64(1000 + i),
		};

		memset(one.nguid, i + 1, sizeof(one.nguid));
		ns_add(&s, &one);
	}
	return s;
}

static void add_namespaces(struct buf *b, const struct stream_namespaces *s)
{
	record(b, STREAM_NAMESPACES, 0, 0, s, ns_len(s));
}

/* The records that always come first. */
static void add_identity(struct buf *b)
{
	struct stream_namespaces s = good_namespaces(2);
	struct stream_identity id = good_identity();

	record(b, STREAM_IDENTITY, 1, 0, &id, sizeof(id));
	add_namespaces(b, &s);
}

static void add_state(struct buf *b, u64 size, u32 max_data)
{
	struct stream_state st = {
		.size = cpu_to_le64(size), .max_data = cpu_to_le32(max_data),
	};

	record(b, STREAM_STATE, 1, 0, &st, sizeof(st));
}

static void add_end(struct buf *b, u64 size, u64 records)
{
	struct stream_end end = {
		.size = cpu_to_le64(size), .records = cpu_to_le64(records),
	};

	record(b, STREAM_END, 1, 0, &end, sizeof(end));
}

static u8 payload_byte(size_t i)
{
	return i * 7 + (i >> 8);
}

static void add_data(struct buf *b, u64 offset, u32 len)
{
	u8 *p = malloc(len + 1);
	u32 i;

	for (i = 0; i < len; i++)
		p[i] = payload_byte(offset + i);
	record(b, STREAM_DATA, 1, offset, p, len);
	free(p);
}

static struct buf good_stream(u64 size, u32 step)
{
	struct buf b = { 0 };
	u64 at, records = 0;

	add_identity(&b);
	add_state(&b, size, step);
	for (at = 0; at < size; at += step, records++)
		add_data(&b, at, at + step > size ? size - at : step);
	add_end(&b, size, records);
	return b;
}

struct result {
	int ret;		/* first error, or 0 */
	bool complete;
	u64 bytes;		/* of state that reached the user, verified */
	bool wrong;		/* something wrong reached the user */
	const char *why;
};

/* Feed a stream in segments of @seg bytes; 0: a pseudo-random mixture. */
static struct result feed(struct buf b, size_t seg)
{
	struct stream_reader r;
	struct result res = { 0 };
	size_t at = 0;
	u32 rnd = 1;

	nvme_vfio_reader_init(&r, LIMIT);
	while (at < b.len) {
		size_t n = seg ?: 1 + (rnd = rnd * 1103515245 + 12345) / 65536 % 97;
		u32 want, i;
		void *to = nvme_vfio_reader_want(&r, &want);
		int ev;

		if (!to) {
			res.ret = -EINVAL;	/* bytes after the end */
			break;
		}
		if (n > want)
			n = want;
		if (n > b.len - at)
			n = b.len - at;
		memcpy(to, b.p + at, n);
		at += n;
		ev = nvme_vfio_reader_put(&r, n);
		if (ev < 0) {
			res.ret = ev;
			res.why = r.why;
			break;
		}
		switch (ev) {
		case STREAM_EV_STATE:
			if (r.size > LIMIT || r.max_data > STREAM_MAX_DATA)
				res.wrong = true;
			r.data = malloc(r.max_data);
			break;
		case STREAM_EV_DATA:
			if (r.data_offset != res.bytes)
				res.wrong = true;
			for (i = 0; i < r.data_len; i++)
				if (((u8 *)r.data)[i] != payload_byte(res.bytes + i))
					res.wrong = true;
			res.bytes += r.data_len;
			break;
		case STREAM_EV_END:
			res.complete = true;
			if (res.bytes != r.size)
				res.wrong = true;
			break;
		}
	}
	if (res.ret)
		res.complete = false;
	free(r.data);
	return res;
}

static void refused(struct buf *b, int err, const char *name)
{
	struct result r = feed(*b, 0);

	ok(r.ret == err && !r.wrong && !r.complete, "refused: %s (%s)", name,
	   r.why ?: "-");
	free(b->p);
	memset(b, 0, sizeof(*b));
}

static void test_good(void)
{
	static const struct { u64 size; u32 step; } s[] = {
		{ 4, 4 }, { 1, 1 }, { 4096, 4096 }, { 4096, 1024 },
		{ 4100, 4096 }, { 10001, 4096 }, { LIMIT, 65536 },
	};
	size_t i, seg;

	for (i = 0; i < sizeof(s) / sizeof(*s); i++) {
		struct buf b = good_stream(s[i].size, s[i].step);
		int good = 1;

		for (seg = 0; seg < (b.len > 20000 ? 3 : 300); seg++) {
			struct result r = feed(b, seg);

			good &= !r.ret && r.complete && !r.wrong &&
				r.bytes == s[i].size;
		}
		ok(good, "state of %llu bytes in records of %u, every segmentation",
		   (unsigned long long)s[i].size, s[i].step);
		free(b.p);
	}
}

static void test_truncated(void)
{
	struct buf b = good_stream(100, 32);
	size_t len = b.len;
	int good = 1;

	for (b.len = 0; b.len < len; b.len++) {
		struct result r = feed(b, 0);

		good &= !r.complete && !r.wrong && !r.ret;
	}
	ok(good, "truncated at each of %zu lengths: never complete", len);
	free(b.p);
}

static void test_damaged(void)
{
	struct buf b = good_stream(100, 32);
	int good = 1, bit;
	size_t i;

	for (i = 0; i < b.len; i++) {
		for (bit = 0; bit < 8; bit++) {
			struct result r;

			b.p[i] ^= 1 << bit;
			r = feed(b, 0);
			b.p[i] ^= 1 << bit;
			/* A longer length may just wait for more bytes. */
			good &= !r.complete && !r.wrong && r.ret;
		}
	}
	ok(good, "each bit of %zu bytes flipped: always refused", b.len);
	free(b.p);
}

static void test_forged(void)
{
	struct stream_identity id;
	struct stream_state st = { .size = cpu_to_le64(64),
				   .max_data = cpu_to_le32(64) };
	struct buf b = { 0 };
	u8 junk[STREAM_MAX_SKIP + 1] = { 0 };

	b = good_stream(64, 64);
	add(&b, "x", 1);
	refused(&b, -EINVAL, "bytes after the end");

	id = good_identity();
	id.magic[0] ^= 1;
	record(&b, STREAM_IDENTITY, 1, 0, &id, sizeof(id));
	refused(&b, -EINVAL, "wrong magic");

	id = good_identity();
	id.major = cpu_to_le16(STREAM_MAJOR + 1);
	record(&b, STREAM_IDENTITY, 1, 0, &id, sizeof(id));
	refused(&b, -EINVAL, "later major version");

	id = good_identity();
	id.reserved2[5] = 1;
	record(&b, STREAM_IDENTITY, 1, 0, &id, sizeof(id));
	refused(&b, -EINVAL, "reserved bytes used");

	id = good_identity();
	record(&b, STREAM_IDENTITY, 1, 0, &id, sizeof(id) - 1);
	refused(&b, -EINVAL, "short identity");

	add_state(&b, 64, 64);
	refused(&b, -EINVAL, "no identity");

	id = good_identity();
	record(&b, STREAM_IDENTITY, 1, 0, &id, sizeof(id));
	record(&b, STREAM_IDENTITY, 1, 0, &id, sizeof(id));
	refused(&b, -EINVAL, "two identities");
	add_identity(&b);
	record(&b, STREAM_IDENTITY, 1, 0, &id, sizeof(id));
	refused(&b, -EINVAL, "an identity behind the namespaces");

	add_identity(&b);
	add_data(&b, 0, 64);
	refused(&b, -EINVAL, "data before state");

	add_identity(&b);
	add_state(&b, 0, 64);
	refused(&b, -EINVAL, "empty state");

	add_identity(&b);
	add_state(&b, LIMIT + 1, 64);
	refused(&b, -ENOSPC, "oversized state");

	id = good_identity();
	id.size_hint = cpu_to_le64(LIMIT + 1);
	record(&b, STREAM_IDENTITY, 1, 0, &id, sizeof(id));
	refused(&b, -ENOSPC, "identity that announces an oversized state");

	id.size_hint = cpu_to_le64(LIMIT);
	id.reserved1 = 1;
	record(&b, STREAM_IDENTITY, 1, 0, &id, sizeof(id));
	refused(&b, -EINVAL, "reserved bytes of the identity");


	add_identity(&b);
	add_state(&b, ~0ull, 64);
	refused(&b, -ENOSPC, "state of 2^64-1 bytes");

	add_identity(&b);
	add_state(&b, LIMIT, STREAM_MAX_DATA + 1);
	refused(&b, -EINVAL, "oversized records announced");

	add_identity(&b);
	add_state(&b, 64, 0);
	refused(&b, -EINVAL, "no record size");

	add_identity(&b);
	st.reserved = 1;
	record(&b, STREAM_STATE, 1, 0, &st, sizeof(st));
	refused(&b, -EINVAL, "reserved word of state used");

	add_identity(&b);
	add_state(&b, 64, 32);
	add_state(&b, 64, 32);
	refused(&b, -EINVAL, "two state records");

	add_identity(&b);
	add_state(&b, 64, 32);
	add_data(&b, 0, 36);
	refused(&b, -EINVAL, "data record larger than announced");

	add_identity(&b);
	add_state(&b, 64, 32);
	add_data(&b, 0, 32);
	add_data(&b, 28, 32);
	refused(&b, -EINVAL, "overlapping data");

	add_identity(&b);
	add_state(&b, 64, 32);
	add_data(&b, 4, 32);
	refused(&b, -EINVAL, "gap in data");

	add_identity(&b);
	add_state(&b, 48, 32);
	add_data(&b, 0, 32);
	add_data(&b, 32, 32);
	refused(&b, -EINVAL, "data beyond the state");

	add_identity(&b);
	add_state(&b, 64, 32);
	add_data(&b, 0, 31);
	refused(&b, -EINVAL, "odd length in the middle");

	add_identity(&b);
	add_state(&b, 64, 32);
	add_data(&b, 0, 0);
	refused(&b, -EINVAL, "empty data record");

	add_identity(&b);
	add_state(&b, 64, 64);
	add_end(&b, 64, 0);
	refused(&b, -EINVAL, "end before the data");

	add_identity(&b);
	add_state(&b, 64, 64);
	add_data(&b, 0, 64);
	add_data(&b, 64, 4);
	refused(&b, -EINVAL, "data after all data");

	add_identity(&b);
	add_state(&b, 64, 64);
	add_data(&b, 0, 64);
	add_end(&b, 64, 2);
	refused(&b, -EINVAL, "wrong count in the end record");

	add_identity(&b);
	record(&b, 77, 1, 0, junk, 8);
	refused(&b, -EINVAL, "unknown mandatory record");

	add_identity(&b);
	record(&b, 77, 2, 0, junk, 8);
	refused(&b, -EINVAL, "unknown flag");

	add_identity(&b);
	record(&b, 77, 0, 0, junk, STREAM_MAX_SKIP + 1);
	refused(&b, -EINVAL, "optional record too large");

	record(&b, 77, 0, 0, junk, 8);
	add_identity(&b);
	refused(&b, -EINVAL, "optional record before the identity");
}

static void test_optional(void)
{
	u8 junk[STREAM_MAX_SKIP] = { 1, 2, 3 };
	struct stream_namespaces s = good_namespaces(NS_MAX_LISTED);
	struct stream_identity id = good_identity();
	struct buf b = { 0 };
	struct result r;
	size_t at;

	id.minor = cpu_to_le16(STREAM_MINOR + 1);
	id.reserved2[0] = 9;
	record(&b, STREAM_IDENTITY, 1, 0, &id, sizeof(id));
	record(&b, 76, 0, 0, junk, 4);
	add_namespaces(&b, &s);
	record(&b, 77, 0, 5, junk, sizeof(junk));
	add_state(&b, 64, 64);
	record(&b, 78, 0, 0, junk, 0);
	add_data(&b, 0, 64);
	at = b.len;
	record(&b, 79, 0, 0, junk, 300);
	add_end(&b, 64, 1);
	r = feed(b, 0);
	ok(!r.ret && r.complete && r.bytes == 64,
	   "unknown optional records and a later minor version are skipped");

	b.p[at + 24 + 299] ^= 1;
	r = feed(b, 0);
	ok(r.ret == -EINVAL, "a damaged optional record is refused");
	free(b.p);
}

/* One record of namespaces behind a good identity. */
static void refused_namespaces(const struct stream_namespaces *s, u32 len,
			       const char *name)
{
	struct stream_identity id = good_identity();
	struct buf b = { 0 };

	record(&b, STREAM_IDENTITY, 1, 0, &id, sizeof(id));
	record(&b, STREAM_NAMESPACES, 0, 0, s, len);
	refused(&b, -EINVAL, name);
}

static void test_namespaces(void)
{
	struct stream_namespaces s, good = good_namespaces(3);
	struct stream_identity id = good_identity();
	u8 room[sizeof(s) + 64] = { 1 };
	struct buf b = { 0 };
	struct result r;
	unsigned int i;

	record(&b, STREAM_IDENTITY, 1, 0, &id, sizeof(id));
	add_state(&b, 64, 64);
	refused(&b, -EINVAL, "no namespaces where they have to be");
	add_identity(&b);
	add_namespaces(&b, &good);
	refused(&b, -EINVAL, "namespaces twice");
	add_identity(&b);
	add_state(&b, 64, 64);
	add_namespaces(&b, &good);
	refused(&b, -EINVAL, "namespaces twice, the second behind the state");
	id.minor = cpu_to_le16(1);
	record(&b, STREAM_IDENTITY, 1, 0, &id, sizeof(id));
	add_namespaces(&b, &good);
	refused(&b, -EINVAL, "namespaces in a stream of the older version");
	add_namespaces(&b, &good);
	refused(&b, -EINVAL, "namespaces before the identity");

	record(&b, STREAM_IDENTITY, 1, 0, &id, sizeof(id));
	add_state(&b, 64, 64);
	add_data(&b, 0, 64);
	add_end(&b, 64, 1);
	r = feed(b, 0);
	ok(!r.ret && r.complete, "a stream of the older version needs none");
	free(b.p);

	refused_namespaces(&good, 0, "empty record of namespaces");
	refused_namespaces(&good, NS_HEAD_LEN - 1, "less than its head");
	refused_namespaces(&good, ns_len(&good) - 1, "one byte less of namespaces");
	refused_namespaces(&good, ns_len(&good) + 1, "one byte more of namespaces");
	refused_namespaces(&good, ns_len(&good) + 64, "more listed than is said");
	memcpy(room, &good, sizeof(good));
	ns_put(&((struct stream_namespaces *)room)->listed, 64, 2);
	ns_put(&((struct stream_namespaces *)room)->count, 64, 4);
	refused_namespaces((void *)room, NS_HEAD_LEN + 64 * 64, "more namespaces than there is room for");

#define WRONG(change, what) do {					\
	s = good;							\
	change;								\
	refused_namespaces(&s, ns_len(&s), what);			\
} while (0)
	WRONG(s.known = 2, "another way of being known");
	WRONG(s.known = 0, "unknown namespaces that are listed");
	WRONG(s.reserved = 1, "reserved byte of the namespaces' head");
	WRONG(s.digest ^= 1, "another digest");
	WRONG(ns_put(&s.count, 4, 4), "more namespaces than listed, with room for them");
	WRONG(ns_put(&s.count, 2, 4), "fewer namespaces than listed");
	WRONG(s.ns[1].reserved[5] = 1, "reserved byte of a namespace");
	WRONG(s.ns[1].flags |= 0x80, "unknown flag of a namespace");
	WRONG(s.ns[1].extended = 2, "another place of metadata");
	WRONG(s.ns[1].blocks ^= 1, "another size without another digest");
#undef WRONG
	for (i = 0; i < 4; i++) {
		static const u32 ids[4][2] = {
			{ 5, 5 }, { 7, 5 }, { 0, 5 }, { 5, 0xffffffff },
		};
		static const char * const what[] = {
			"a namespace twice", "namespaces in another order",
			"namespace 0", "namespace FFFFFFFFh",
		};
		unsigned int k;

		memset(&s, 0, sizeof(s));
		s.known = 1;
		for (k = 0; k < 2; k++) {
			struct stream_namespace one = good.ns[0];

			one.nsid = cpu_to_le32(ids[i][k]);
			ns_add(&s, &one);
		}
		refused_namespaces(&s, ns_len(&s), what[i]);
	}
}

int main(void)
{
	ok(~crc32c(~0u, "123456789", 9) == 0xe3069283, "CRC32C check value");
	test_good();
	test_truncated();
	test_damaged();
	test_forged();
	test_optional();
	test_namespaces();
	return tap_done();
}

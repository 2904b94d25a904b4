// SPDX-License-Identifier: GPL-2.0-only
/*
 * round.c - fuzz target: what the writer makes from a state, in pieces like the
 * driver's, is read back unchanged.
 */
#include <stdlib.h>
#include <string.h>

#include "feed.h"
#include "target.h"

#define MAX_STATE	(64u << 10)

struct buf {
	u8 *p;
	size_t len;
};

static void small(struct buf *b, enum stream_tag tag, const void *p, u32 len)
{
	b->len += nvme_vfio_fill_record(b->p + b->len, tag, p, len);
}

static void data_record(struct buf *b, u64 offset, const u8 *p, u32 len)
{
	struct stream_header h;

	nvme_vfio_fill_header(&h, STREAM_DATA, offset, p, len);
	memcpy(b->p + b->len, &h, sizeof(h));
	memcpy(b->p + b->len + sizeof(h), p, len);
	b->len += sizeof(h) + len;
}

/* A writer may write any byte of the input, except where readers check. */
static struct stream_identity identity(const u8 *p, u64 limit)
{
	struct stream_identity id;

	memcpy(&id, p, sizeof(id));
	memcpy(id.magic, STREAM_MAGIC, sizeof(id.magic));
	id.major = htole16(STREAM_MAJOR);
	id.minor = htole16(STREAM_MINOR);
	id.has_uuid &= 1;
	id.reserved1 = 0;
	memset(id.reserved2, 0, sizeof(id.reserved2));
	if (le64toh(id.size_hint) > limit)
		id.size_hint = htole64(limit);
	return id;
}

/* Namespaces from the input, in the required order. */
static struct stream_namespaces namespaces(const u8 *p)
{
	struct stream_namespaces s = { .known = p[0] > 0 };
	unsigned int i;

	for (i = 1; i <= p[0]; i++) {
		struct stream_namespace one = { .flags = p[1] & 3 };

		ns_put(&one.nsid, i * (1 + p[1]), 4);
		memcpy(one.nguid, p, sizeof(one.nguid));
		ns_add(&s, &one);
	}
	return s;
}

/*
 * Input: control, bytes of each piece less one (16 bit), identity, state.
 */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const size_t head = FEED_CONTROL + 2 + sizeof(struct stream_identity);
	struct stream_state st = { 0 };
	struct stream_end end = { 0 };
	struct feed_result got = { 0 };
	struct stream_namespaces ns;
	struct stream_identity id;
	struct buf b = { 0 };
	struct feed f;
	u64 at, n, nr = 0;
	u32 step;

	if (size <= head || size - head > MAX_STATE)
		return 0;
	n = size - head;
	f = feed_control(data);
	f.limit = n;
	f.stop_at = 0;
	step = (data[FEED_CONTROL] | data[FEED_CONTROL + 1] << 8) & ~3u;
	step = step ? step : 4;
	if (step > n)
		step = n;
	id = identity(data + FEED_CONTROL + 2, f.limit);
	ns = namespaces(data + FEED_CONTROL + 2 + offsetof(struct stream_identity, model));
	data += head;

	/* large enough for one record per 4 bytes */
	b.p = malloc(1024 + sizeof(ns) + n * 8 + n);
	got.room = n;
	got.data = malloc(n);
	if (!b.p || !got.data)
		abort();
	st.size = end.size = htole64(n);
	st.max_data = htole32(step);
	small(&b, STREAM_IDENTITY, &id, sizeof(id));
	small(&b, STREAM_NAMESPACES, &ns, ns_len(&ns));
	small(&b, STREAM_STATE, &st, sizeof(st));
	for (at = 0; at < n; at += step, nr++)
		data_record(&b, at, data + at, n - at < step ? n - at : step);
	end.records = htole64(nr);
	small(&b, STREAM_END, &end, sizeof(end));

	if (feed(f, b.p, b.len, &got) != STREAM_EV_END || got.done != n ||
	    memcmp(got.data, data, n) || memcmp(&got.identity, &id, sizeof(id)) ||
	    memcmp(&got.namespaces, &ns, sizeof(ns)))
		abort();
	free(got.data);
	free(b.p);
	return 0;
}

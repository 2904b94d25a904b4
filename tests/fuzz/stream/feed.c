// SPDX-License-Identifier: GPL-2.0-only
/*
 * feed.c - the reader under test and the judge, side by side: see feed.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed.h"
#include "judge.h"

#define MUST(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", \
				__FILE__, __LINE__, #cond); \
			abort(); \
		} \
	} while (0)

struct feed feed_control(const u8 *c)
{
	/* the second lets records grow to their own limit */
	static const u64 limits[] = { 1 << 16, 16 << 20, ~0ull, 100 };

	return (struct feed){
		.limit = limits[c[0] & 3],
		.stop_at = c[1] < 16 ? c[1] : 0,
		.rnd = c[2] | c[3] << 8 | c[4] << 16 | (u32)c[5] << 24,
	};
}

static u32 rnd(struct feed *f, u32 n)
{
	f->rnd ^= f->rnd << 13;
	f->rnd ^= f->rnd >> 17;
	f->rnd ^= f->rnd << 5;
	return f->rnd % n;
}

/* mostly a few bytes, now and then much */
static size_t segment(struct feed *f)
{
	if (!f->rnd)
		return ~(size_t)0;
	return 1 + rnd(f, rnd(f, 4) ? 40 : 10000);
}

/* a place that is not all within one buffer would go unseen in a struct */
static void check_place(const struct stream_reader *r, const u8 *to, u32 len)
{
	const u8 *h = (const u8 *)&r->header, *s = (const u8 *)&r->small;
	const u8 *d = r->data, *ns = (const u8 *)&r->namespaces;

	MUST(len > 0);
	MUST((to >= h && to + len <= h + sizeof(r->header)) ||
	     (to >= s && to + len <= s + sizeof(r->small)) ||
	     (to >= ns && to + len <= ns + sizeof(r->namespaces)) ||
	     (d && to >= d && to + len <= d + r->max_data));
}

/* Does what the reader shows at an event match the stream? */
static void check_event(const struct stream_reader *r, const u8 *p,
			const struct verdict *v, struct feed_result *got)
{
	const u8 *payload = p + v->start + sizeof(struct stream_header);
	struct stream_state st;

	switch (v->event) {
	case STREAM_EV_IDENTITY:
		MUST(v->len == sizeof(r->identity));
		MUST(!memcmp(&r->identity, payload, v->len));
		got->identity = r->identity;
		break;
	case STREAM_EV_NAMESPACES:
		MUST(v->len == ns_len(&r->namespaces));
		MUST(!memcmp(&r->namespaces, payload, v->len));
		got->namespaces = r->namespaces;
		break;
	case STREAM_EV_STATE:
		memcpy(&st, payload, sizeof(st));
		MUST(r->size == le64toh(st.size) && r->size <= r->limit);
		MUST(r->max_data == le32toh(st.max_data));
		MUST(r->max_data <= STREAM_MAX_DATA && r->max_data <= r->size);
		got->size = r->size;
		break;
	case STREAM_EV_DATA:
		MUST(r->data_offset == got->done);
		MUST(r->data_len == v->len && v->len <= r->max_data);
		MUST(!memcmp(r->data, payload, v->len));
		MUST(got->done + v->len <= got->size);
		if (got->data) {
			MUST(got->done + v->len <= got->room);
			memcpy(got->data + got->done, r->data, v->len);
		}
		got->done += v->len;
		break;
	case STREAM_EV_END:
		MUST(got->done == got->size);
		break;
	}
}

/* What has failed or is complete asks for nothing, ever. */
static void check_over(struct stream_reader *r, int event)
{
	u32 len;
	int i;

	for (i = 0; i < 2; i++)
		MUST(!nvme_vfio_reader_want(r, &len));
	MUST((event < 0) == (r->phase == STREAM_FAILED));
	MUST((event < 0) == !!r->why);
}

/* Put the next bytes where the reader wants them. Return: how many. */
static u32 put_bytes(struct stream_reader *r, struct feed *f, const u8 *p,
		     size_t n)
{
	u32 len = 0, again = 0;
	u8 *to;

	to = nvme_vfio_reader_want(r, &len);
	MUST(to);
	check_place(r, to, len);
	if (f->rnd && !rnd(f, 8)) {
		/* user memory ended in the middle: nothing was put */
		memset(to, 0x5a, 1 + rnd(f, len));
		MUST(nvme_vfio_reader_want(r, &again) == to && again == len);
	}
	if (len > n)
		len = n;
	memcpy(to, p, len);
	return len;
}

int feed(struct feed f, const u8 *p, size_t n, struct feed_result *got)
{
	struct feed_result own = { 0 };
	struct stream_reader *r = malloc(sizeof(*r));
	size_t at = 0, seg = 0;
	unsigned int events = 0;
	struct verdict v;
	struct judge j;
	int ev = 0;

	MUST(r);
	if (!got)
		got = &own;
	nvme_vfio_reader_init(r, f.limit);
	judge_init(&j, p, n, f.limit);
	v = judge_next(&j);
	while (at < n && ev >= 0 && ev != STREAM_EV_END) {
		u32 len;

		if (!seg)
			seg = segment(&f);
		len = put_bytes(r, &f, p + at, seg < n - at ? seg : n - at);
		at += len;
		seg -= len;
		/*
		 * a record at a time, so that nothing that is refused gets used
		 */
		MUST(at <= v.at || v.at > n);
		ev = nvme_vfio_reader_put(r, len);
		MUST(ev == (at == v.at ? v.event : STREAM_EV_NONE));
		if (at != v.at)
			continue;
		if (ev >= 0) {
			check_event(r, p, &v, got);
			if (++events == f.stop_at)
				ev = nvme_vfio_reader_fail(r, -EIO,
							   "user refuses");
		}
		if (ev == STREAM_EV_STATE) {
			r->data = malloc(r->max_data);
			MUST(r->data);
		}
		if (ev >= 0 && ev != STREAM_EV_END)
			v = judge_next(&j);
	}
	if (ev < 0 || ev == STREAM_EV_END)
		check_over(r, ev);
	free(r->data);
	free(r);
	return ev;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * seeds.c - good inputs to start from, written in today's format.
 *
 * usage: seeds FOLDER - into its folders reader and round
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed.h"

struct seed {
	u32 size;
	u32 step;
	u32 optional;		/* bytes of a record to be skipped */
	u32 namespaces;
	u8 control[FEED_CONTROL];
};

static const struct seed seeds[] = {
	{ 4, 4, 0, 0, { 0 } },
	{ 100, 32, 0, 1, { 0, 255, 1 } },
	{ 100, 100, 300, 2, { 3, 255, 7, 7 } },
	{ 257, 64, 1, 5, { 1, 255, 99 } },
	{ 600, 512, 4096, 3, { 2, 255, 3, 2, 1 } },
	{ 64, 16, 0, 70, { 0, 4, 9 } },
};

static FILE *create(const char *dir, const char *kind, size_t i)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/seed-%zu", dir, kind, i);
	f = fopen(path, "wb");
	if (!f) {
		perror(path);
		exit(1);
	}
	return f;
}

static void put(FILE *f, const void *p, size_t n)
{
	if (fwrite(p, 1, n, f) != n) {
		perror("write");
		exit(1);
	}
}

static void small(FILE *f, enum stream_tag tag, const void *p, u32 len)
{
	u8 room[sizeof(struct stream_header) + 256];

	put(f, room, nvme_vfio_fill_record(room, tag, p, len));
}

static void data(FILE *f, u64 offset, const u8 *p, u32 len)
{
	struct stream_header h;

	nvme_vfio_fill_header(&h, STREAM_DATA, offset, p, len);
	put(f, &h, sizeof(h));
	put(f, p, len);
}

static void optional(FILE *f, const u8 *p, u32 len)
{
	struct stream_header h;

	nvme_vfio_fill_header(&h, 77, 0, p, len);
	h.flags = 0;
	/* the fuzzer's mutator repairs the checksum that this breaks */
	put(f, &h, sizeof(h));
	put(f, p, len);
}

static struct stream_namespaces namespaces(u32 n)
{
	struct stream_namespaces s = { .known = n > 0 };
	u32 i;

	for (i = 1; i <= n; i++) {
		struct stream_namespace one = {
			.flags = NS_F_STRUCT, .lba_shift = 9, .nguid = { i },
		};

		ns_put(&one.nsid, i, 4);
		ns_add(&s, &one);
	}
	return s;
}

static void put_namespaces(FILE *f, const struct stream_namespaces *s)
{
	struct stream_header h;

	nvme_vfio_fill_header(&h, STREAM_NAMESPACES, 0, s, ns_len(s));
	put(f, &h, sizeof(h));
	put(f, s, ns_len(s));
}

int main(int argc, char **argv)
{
	struct stream_identity id = { .cmdset = htole32(1) };
	u8 bytes[STREAM_MAX_SKIP];
	size_t i;

	if (argc != 2) {
		fprintf(stderr, "usage: seeds FOLDER\n");
		return 2;
	}
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = i * 7;
	memcpy(id.magic, STREAM_MAGIC, 8);
	id.major = htole16(STREAM_MAJOR);
	id.minor = htole16(STREAM_MINOR);
	memset(id.model, 'm', sizeof(id.model));
	for (i = 0; i < sizeof(seeds) / sizeof(*seeds); i++) {
		const struct seed *s = &seeds[i];
		struct stream_state st = { .size = htole64(s->size),
					   .max_data = htole32(s->step) };
		struct stream_end end = { .size = htole64(s->size) };
		struct stream_namespaces ns = namespaces(s->namespaces);
		u8 step[2] = { s->step, s->step >> 8 };
		FILE *f = create(argv[1], "reader", i);
		u64 at, nr = 0;

		id.size_hint = htole64(s->size);
		id.data_hint = htole32(s->step);
		put(f, s->control, FEED_CONTROL);
		small(f, STREAM_IDENTITY, &id, sizeof(id));
		put_namespaces(f, &ns);
		small(f, STREAM_STATE, &st, sizeof(st));
		if (s->optional)
			optional(f, bytes, s->optional);
		for (at = 0; at < s->size; at += s->step, nr++)
			data(f, at, bytes + at, s->size - at < s->step ?
			     s->size - at : s->step);
		end.records = htole64(nr);
		small(f, STREAM_END, &end, sizeof(end));
		fclose(f);

		f = create(argv[1], "round", i);
		put(f, s->control, FEED_CONTROL);
		put(f, step, sizeof(step));
		put(f, &id, sizeof(id));
		put(f, bytes, s->size);
		fclose(f);
	}
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a VF in memory: see image.h. Read in pieces as large as one
 * command carries; each piece becomes one record of the stream, in place.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "image.h"

/* @room: bytes at @data; @len: how many of them hold state */
struct chunk {
	struct stream_header header;
	void *data;
	u32 room;
	u32 len;
};

struct image {
	struct kref ref;
	u64 size;		/* bytes of state, expected until it is filled */
	u32 step;		/* bytes one command carries */
	unsigned int nr;	/* chunks in use, or expected to be */
	unsigned int slots;	/* entries of the table */
	struct chunk *chunk;
	u8 head[sizeof(struct stream_header) + sizeof(struct stream_state)];
	u8 tail[sizeof(struct stream_header) + sizeof(struct stream_end)];
};

struct image *image_get(struct image *img)
{
	kref_get(&img->ref);
	return img;
}

static void image_release(struct kref *ref)
{
	struct image *img = container_of(ref, struct image, ref);
	unsigned int i;

	for (i = 0; i < img->slots; i++)
		kvfree(img->chunk[i].data);
	kvfree(img->chunk);
	kfree(img);
}

void image_put(struct image *img)
{
	if (img)
		kref_put(&img->ref, image_release);
}

int image_check_size(struct target *t, u64 limit, u64 size)
{
	if (size > limit) {
		dev_warn(&t->vf->dev,
			 "a state of %llu bytes is larger than max_state_mb allows\n",
			 size);
		return -ENOSPC;
	}
	if (t->set->whole && size > t->max_transfer) {
		dev_warn(&t->vf->dev,
			 "a state of %llu bytes cannot move: the command set needs one command for all of it, and one carries %u bytes here\n",
			 size, t->max_transfer);
		return -EOVERFLOW;
	}
	return 0;
}

/* Zeroed: what a device fails to write must not be old kernel memory. */
static int make_room(struct chunk *c, u32 len)
{
	void *data;

	if (c->room >= len)
		return 0;

	len = PAGE_ALIGN(len);
	data = kvzalloc(len, GFP_KERNEL_ACCOUNT);
	if (!data)
		return -ENOMEM;

	kvfree(c->data);
	c->data = data;
	c->room = len;
	return 0;
}

static int make_slots(struct image *img, unsigned int nr)
{
	struct chunk *table;

	if (img->slots >= nr)
		return 0;

	table = kvcalloc(nr, sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;

	if (img->slots)
		memcpy(table, img->chunk, img->slots * sizeof(*table));
	kvfree(img->chunk);
	img->chunk = table;
	img->slots = nr;
	return 0;
}

static unsigned int chunks_for(u64 size, u32 first, u32 step)
{
	return size > first ? 1 + DIV_ROUND_UP_ULL(size - first, step) : 1;
}

/*
 * The first read asks for the whole state if it may fit one command, and for a
 * page more than was told, because that was when the VF still ran.
 */
static u32 first_room(const struct target *t, u64 hint)
{
	if (!hint || hint > t->max_transfer - PAGE_SIZE)
		return t->max_transfer;

	return PAGE_ALIGN(hint + PAGE_SIZE);
}

struct image *image_prepare(struct target *t, u64 hint)
{
	u32 first = first_room(t, hint);
	struct image *img;
	unsigned int i;

	img = kzalloc(sizeof(*img), GFP_KERNEL_ACCOUNT);
	if (!img)
		return ERR_PTR(-ENOMEM);
	kref_init(&img->ref);
	img->size = hint;
	img->step = t->max_transfer;
	img->nr = chunks_for(hint, first, img->step);

	if (make_slots(img, img->nr))
		goto nomem;
	for (i = 0; i < img->nr; i++)
		if (make_room(&img->chunk[i], i ? img->step : first))
			goto nomem;
	return img;

nomem:
	image_put(img);
	return ERR_PTR(-ENOMEM);
}

/* The first piece tells how large the whole is. */
static int read_first(struct image *img, struct target *t, u64 limit)
{
	struct chunk *c = &img->chunk[0];
	u32 len = c->room;
	int ret;

	if (t->set->whole) {
		u64 size;

		ret = t->set->state_size(t, &size);
		if (!ret)
			ret = image_check_size(t, limit, size);
		if (!ret)
			ret = make_room(c, size);
		if (ret)
			return ret;
		len = size;
	}

	ret = t->set->get_state(t, 0, c->data, len, &img->size);
	if (!ret)
		ret = image_check_size(t, limit, img->size);
	if (ret)
		return ret;

	c->len = min_t(u64, len, img->size);
	return 0;
}

static int read_rest(struct image *img, struct target *t)
{
	u64 offset = img->chunk[0].len;
	unsigned int i;
	int ret;

	for (i = 1; i < img->nr; i++) {
		struct chunk *c = &img->chunk[i];

		c->len = min_t(u64, img->step, img->size - offset);
		ret = make_room(c, c->len);
		if (!ret)
			ret = t->set->get_state(t, offset, c->data, c->len, NULL);
		if (ret)
			return ret;
		offset += c->len;
	}
	return 0;
}

static void add_records(struct image *img)
{
	struct stream_end end = {
		.size = cpu_to_le64(img->size),
		.records = cpu_to_le64(img->nr),
	};
	struct stream_state state = { .size = cpu_to_le64(img->size) };
	u32 max_data = 0;
	u64 offset = 0;
	unsigned int i;

	for (i = 0; i < img->nr; i++) {
		struct chunk *c = &img->chunk[i];

		stream_fill_header(&c->header, STREAM_DATA, offset, c->data,
				   c->len);
		offset += c->len;
		max_data = max(max_data, c->len);
	}
	state.max_data = cpu_to_le32(max_data);

	stream_fill_small(img->head, STREAM_STATE, &state, sizeof(state));
	stream_fill_small(img->tail, STREAM_END, &end, sizeof(end));
}

int image_fill(struct image *img, struct target *t, u64 limit)
{
	int ret;

	ret = read_first(img, t, limit);
	if (ret)
		return ret;

	img->nr = chunks_for(img->size, img->chunk[0].len, img->step);
	ret = make_slots(img, img->nr);
	if (!ret)
		ret = read_rest(img, t);
	if (ret)
		return ret;

	add_records(img);
	return 0;
}

void image_describe(const struct image *img, struct stream_identity *id)
{
	id->size_hint = cpu_to_le64(img->size);
	id->data_hint = cpu_to_le32(img->nr > 1 ? img->step :
						  img->chunk[0].room);
}

int image_write(const struct image *img, struct target *t)
{
	u64 offset = 0;
	unsigned int i;
	int ret;

	for (i = 0; i < img->nr; i++) {
		const struct chunk *c = &img->chunk[i];

		ret = t->set->set_state(t, offset, c->data, c->len, !i,
					i == img->nr - 1);
		if (ret)
			return ret;
		offset += c->len;
	}
	return 0;
}

/* Pieces: head, then header and data of each chunk, then tail. */
static const void *piece(const struct image *img, unsigned int i, u32 *len)
{
	const struct chunk *c;

	if (!i) {
		*len = sizeof(img->head);
		return img->head;
	}
	if (i == 2 * img->nr + 1) {
		*len = sizeof(img->tail);
		return img->tail;
	}
	if (i > 2 * img->nr + 1)
		return NULL;

	c = &img->chunk[(i - 1) / 2];
	if (i & 1) {
		*len = sizeof(c->header);
		return &c->header;
	}
	*len = c->len;
	return c->data;
}

const void *image_next(const struct image *img, struct image_cursor *at,
		       u32 *len)
{
	const void *p = piece(img, at->piece, len);

	if (p && at->offset == *len) {
		at->piece++;
		at->offset = 0;
		p = piece(img, at->piece, len);
	}
	if (!p)
		return NULL;

	*len -= at->offset;
	return p + at->offset;
}

u64 image_estimate(u64 size, u32 max_transfer)
{
	u64 records = DIV_ROUND_UP_ULL(size, max_transfer);

	return size + records * sizeof(struct stream_header) +
	       sizeof(struct stream_header) + sizeof(struct stream_identity) +
	       sizeof_field(struct image, head) + sizeof_field(struct image, tail);
}

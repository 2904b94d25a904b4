// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a VF in memory: see image.h. Read in pieces as large as one
 * command carries; each piece becomes one record of the stream, in place.
 */
#include <linux/slab.h>
#include <linux/mm.h>

#include "image.h"

struct chunk {
	struct stream_header header;
	void *data;
	u32 len;
};

struct image {
	struct kref ref;
	u64 size;		/* bytes of state */
	unsigned int nr;	/* chunks */
	struct chunk *chunk;
	u32 head_len;
	u32 tail_len;
	u8 head[2 * sizeof(struct stream_header) +
		sizeof(struct stream_identity) + sizeof(struct stream_state)];
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

	for (i = 0; img->chunk && i < img->nr; i++)
		kvfree(img->chunk[i].data);
	kvfree(img->chunk);
	kfree(img);
}

void image_put(struct image *img)
{
	if (img)
		kref_put(&img->ref, image_release);
}

/* Zeroed: what a device fails to write must not be old kernel memory. */
static void *alloc_chunk(u32 len)
{
	return kvzalloc(PAGE_ALIGN(len), GFP_KERNEL_ACCOUNT);
}

static int too_large(struct target *t, u64 size)
{
	dev_warn(&t->vf->dev,
		 "a state of %llu bytes is larger than max_state_mb allows\n",
		 size);
	return -ENOSPC;
}

/*
 * How much to ask for first: the state, if its size is known, and a page more,
 * because it was asked when the VF still ran.
 */
static int first_len(struct target *t, u64 limit, u64 hint, u32 *len)
{
	u64 size = hint;
	int ret;

	if (!t->set->whole) {
		if (!size || size > t->max_transfer - PAGE_SIZE)
			*len = t->max_transfer;
		else
			*len = PAGE_ALIGN(size + PAGE_SIZE);
		return 0;
	}

	ret = t->set->state_size(t, &size);
	if (ret)
		return ret;
	if (size > limit)
		return too_large(t, size);
	if (size > t->max_transfer) {
		dev_warn(&t->vf->dev,
			 "a state of %llu bytes cannot move: the command set needs one command for all of it, and one carries %u bytes here\n",
			 size, t->max_transfer);
		return -EOVERFLOW;
	}
	*len = size;
	return 0;
}

static int alloc_table(struct image *img, u32 first, u32 step)
{
	img->nr = 1;
	if (img->size > first)
		img->nr += DIV_ROUND_UP_ULL(img->size - first, step);

	img->chunk = kvcalloc(img->nr, sizeof(*img->chunk), GFP_KERNEL_ACCOUNT);
	return img->chunk ? 0 : -ENOMEM;
}

/* The first piece tells how large the whole is. */
static int read_first(struct image *img, struct target *t, u64 limit, u64 hint)
{
	void *data;
	u32 len;
	int ret;

	ret = first_len(t, limit, hint, &len);
	if (ret)
		return ret;

	data = alloc_chunk(len);
	if (!data)
		return -ENOMEM;

	ret = t->set->get_state(t, 0, data, len, &img->size);
	if (!ret && img->size > limit)
		ret = too_large(t, img->size);
	if (!ret)
		ret = alloc_table(img, len, t->max_transfer);
	if (ret) {
		kvfree(data);
		return ret;
	}

	img->chunk[0].data = data;
	img->chunk[0].len = min_t(u64, len, img->size);
	return 0;
}

static int read_rest(struct image *img, struct target *t)
{
	u64 offset = img->chunk[0].len;
	unsigned int i;
	int ret;

	for (i = 1; i < img->nr; i++) {
		struct chunk *c = &img->chunk[i];

		c->len = min_t(u64, t->max_transfer, img->size - offset);
		c->data = alloc_chunk(c->len);
		if (!c->data)
			return -ENOMEM;
		ret = t->set->get_state(t, offset, c->data, c->len, NULL);
		if (ret)
			return ret;
		offset += c->len;
	}
	return 0;
}

static void add_records(struct image *img, const struct stream_identity *id)
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

	img->head_len = stream_fill_small(img->head, STREAM_IDENTITY, id,
					  sizeof(*id));
	img->head_len += stream_fill_small(img->head + img->head_len,
					   STREAM_STATE, &state, sizeof(state));
	img->tail_len = stream_fill_small(img->tail, STREAM_END, &end,
					  sizeof(end));
}

struct image *image_read(struct target *t, u64 limit, u64 hint)
{
	struct image *img;
	int ret;

	img = kzalloc(sizeof(*img), GFP_KERNEL_ACCOUNT);
	if (!img)
		return ERR_PTR(-ENOMEM);
	kref_init(&img->ref);

	ret = read_first(img, t, limit, hint);
	if (!ret)
		ret = read_rest(img, t);
	if (ret) {
		image_put(img);
		return ERR_PTR(ret);
	}

	add_records(img, &t->identity);
	return img;
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
		*len = img->head_len;
		return img->head;
	}
	if (i == 2 * img->nr + 1) {
		*len = img->tail_len;
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

u64 image_stream_len(const struct image *img)
{
	return img->head_len + img->size +
	       (u64)img->nr * sizeof(struct stream_header) + img->tail_len;
}

u64 image_estimate(u64 size, u32 max_transfer)
{
	u64 records = DIV_ROUND_UP_ULL(size, max_transfer);

	return size + records * sizeof(struct stream_header) +
	       sizeof_field(struct image, head) + sizeof_field(struct image, tail);
}

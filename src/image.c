// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a VF on its way into the stream: see image.h. Read in pieces as
 * large as one command carries, each of which becomes one record of the stream,
 * in place. Only one piece is in memory at a time.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "image.h"

struct image {
	struct kref ref;
	u64 size;		/* bytes of state, expected until it is known */
	u32 step;		/* bytes one command carries */
	u32 first;		/* bytes of the first piece */
	unsigned int nr;	/* pieces, or how many are expected */
	unsigned int now;	/* the piece in memory */
	void *data;
	u32 room;		/* bytes at @data */
	u32 len;		/* bytes of the piece */
	struct stream_header header;
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

	kvfree(img->data);
	kfree(img);
}

void image_put(struct image *img)
{
	if (img)
		kref_put(&img->ref, image_release);
}

int image_check_size(struct nvme_vf *vf, u64 limit, u64 size)
{
	if (size > limit) {
		dev_warn(&vf->pdev->dev,
			 "a state of %llu bytes is larger than max_state_mb allows\n",
			 size);
		return -ENOSPC;
	}
	if (vf->set->whole && size > vf->max_transfer) {
		dev_warn(&vf->pdev->dev,
			 "a state of %llu bytes cannot move: the command set needs one command for all of it, and one carries %u bytes here\n",
			 size, vf->max_transfer);
		return -EOVERFLOW;
	}
	return 0;
}

/*
 * Zeroed: what a device fails to write must not be old kernel memory. The piece
 * that is there stays.
 */
static int make_room(struct image *img, u32 len)
{
	void *data;

	if (img->room >= len)
		return 0;

	len = PAGE_ALIGN(len);
	data = kvzalloc(len, GFP_KERNEL_ACCOUNT);
	if (!data)
		return -ENOMEM;

	if (img->len)
		memcpy(data, img->data, img->len);
	kvfree(img->data);
	img->data = data;
	img->room = len;
	return 0;
}

static unsigned int pieces_for(u64 size, u32 first, u32 step)
{
	return size > first ? 1 + DIV_ROUND_UP_ULL(size - first, step) : 1;
}

/*
 * The first read asks for the whole state if it may fit one command, and for a
 * page more than was told, because that was when the VF still ran.
 */
static u32 first_room(const struct nvme_vf *vf, u64 hint)
{
	if (!hint || hint > vf->max_transfer - PAGE_SIZE)
		return vf->max_transfer;

	return PAGE_ALIGN(hint + PAGE_SIZE);
}

struct image *image_prepare(struct nvme_vf *vf, u64 hint)
{
	u32 first = first_room(vf, hint);
	struct image *img;

	img = kzalloc(sizeof(*img), GFP_KERNEL_ACCOUNT);
	if (!img)
		return ERR_PTR(-ENOMEM);
	kref_init(&img->ref);
	img->size = hint;
	img->step = vf->max_transfer;
	img->nr = pieces_for(hint, first, img->step);

	if (make_room(img, first)) {
		image_put(img);
		return ERR_PTR(-ENOMEM);
	}
	return img;
}

/* The first piece tells how large the whole is. */
static int read_first(struct image *img, struct nvme_vf *vf, u64 limit)
{
	u32 len = img->room;
	int ret;

	if (vf->set->whole) {
		u64 size;

		ret = vf->set->state_size(vf, &size);
		if (!ret)
			ret = image_check_size(vf, limit, size);
		if (!ret)
			ret = make_room(img, size);
		if (ret)
			return ret;
		len = size;
	}

	ret = vf->set->get_state(vf, 0, img->data, len, &img->size);
	if (!ret)
		ret = image_check_size(vf, limit, img->size);
	if (ret)
		return ret;

	img->first = min_t(u64, len, img->size);
	img->len = img->first;
	return 0;
}

/* Where a piece begins. */
static u64 offset_of(const struct image *img, unsigned int i)
{
	return i ? img->first + (u64)(i - 1) * img->step : 0;
}

static u32 length_of(const struct image *img, unsigned int i)
{
	if (!i)
		return img->first;
	return min_t(u64, img->step, img->size - offset_of(img, i));
}

static void add_header(struct image *img)
{
	stream_fill_header(&img->header, STREAM_DATA, offset_of(img, img->now),
			   img->data, img->len);
}

static void add_ends(struct image *img)
{
	struct stream_end end = {
		.size = cpu_to_le64(img->size),
		.records = cpu_to_le64(img->nr),
	};
	struct stream_state state = { .size = cpu_to_le64(img->size) };
	u32 max_data = img->first;

	/* No later piece is larger than the second. */
	if (img->nr > 1)
		max_data = max(max_data, length_of(img, 1));
	state.max_data = cpu_to_le32(max_data);

	stream_fill_small(img->head, STREAM_STATE, &state, sizeof(state));
	stream_fill_small(img->tail, STREAM_END, &end, sizeof(end));
}

int image_begin(struct image *img, struct nvme_vf *vf, u64 limit)
{
	int ret;

	ret = read_first(img, vf, limit);
	if (ret)
		return ret;

	img->nr = pieces_for(img->size, img->first, img->step);
	/* For all that will follow, so that no read is short of memory. */
	if (img->nr > 1)
		ret = make_room(img, length_of(img, 1));
	if (ret)
		return ret;

	add_header(img);
	add_ends(img);
	return 0;
}

int image_go_on(struct image *img, struct nvme_vf *vf)
{
	unsigned int next = img->now + 1;
	u32 len = length_of(img, next);
	int ret;

	ret = vf->set->get_state(vf, offset_of(img, next), img->data, len,
				 NULL);
	if (ret)
		return ret;

	img->now = next;
	img->len = len;
	add_header(img);
	return 0;
}

void image_describe(const struct image *img, struct stream_identity *id)
{
	id->size_hint = cpu_to_le64(img->size);
	id->data_hint = cpu_to_le32(img->nr > 1 ? img->step : img->room);
}

int image_write(const struct image *img, struct nvme_vf *vf)
{
	return vf->set->set_state(vf, 0, img->data, img->len, true, true);
}

/*
 * Parts of the stream: head, then header and data of each piece, then tail.
 * NULL at the end, or where a piece must be read first.
 */
static const void *part(const struct image *img, unsigned int i, u32 *len)
{
	if (!i) {
		*len = sizeof(img->head);
		return img->head;
	}
	if (i == 2 * img->nr + 1) {
		*len = sizeof(img->tail);
		return img->tail;
	}
	if (i > 2 * img->nr || (i - 1) / 2 != img->now)
		return NULL;

	if (i & 1) {
		*len = sizeof(img->header);
		return &img->header;
	}
	*len = img->len;
	return img->data;
}

const void *image_next(const struct image *img, struct image_cursor *at,
		       u32 *len)
{
	const void *p = part(img, at->part, len);

	if (p && at->offset == *len) {
		at->part++;
		at->offset = 0;
		p = part(img, at->part, len);
	}
	if (!p)
		return NULL;

	*len -= at->offset;
	return p + at->offset;
}

bool image_has_more(const struct image *img, const struct image_cursor *at)
{
	return at->part < 2 * img->nr + 1;
}

u64 image_estimate(u64 size, u32 max_transfer)
{
	u64 records = DIV_ROUND_UP_ULL(size, max_transfer);

	return size + records * sizeof(struct stream_header) +
	       sizeof(struct stream_header) + sizeof(struct stream_identity) +
	       sizeof_field(struct image, head) + sizeof_field(struct image, tail);
}

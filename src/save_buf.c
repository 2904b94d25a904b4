// SPDX-License-Identifier: GPL-2.0-only
/*
 * One piece of a VF's state, framed as a DATA record in place: see save_buf.h.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/stddef.h>

#include "save_buf.h"

/*
 * How much a state may grow before it costs one more command. Few devices
 * transfer ten times as much as fast as they run one more command.
 */
#define GROWTH		SZ_16K

struct save_buf {
	struct kref ref;
	u64 size;		/* bytes of state, expected until it is known */
	u32 step;		/* bytes one command carries */
	u32 ask;		/* bytes that are asked for first */
	u32 first;		/* bytes of the first piece */
	unsigned int nr;	/* pieces, or how many are expected */
	unsigned int now;	/* the piece in memory */
	struct nvme_pf_buf *buf;
	u32 len;		/* bytes of the piece */
	struct stream_header header;
	u8 head[sizeof(struct stream_header) + sizeof(struct stream_state)];
	u8 tail[sizeof(struct stream_header) + sizeof(struct stream_end)];
};

struct save_buf *nvme_vfio_save_buf_get(struct save_buf *sbuf)
{
	kref_get(&sbuf->ref);
	return sbuf;
}

static void nvme_vfio_save_buf_release(struct kref *ref)
{
	struct save_buf *sbuf = container_of(ref, struct save_buf, ref);

	nvme_pf_buf_put(sbuf->buf);
	kfree(sbuf);
}

void nvme_vfio_save_buf_put(struct save_buf *sbuf)
{
	if (sbuf)
		kref_put(&sbuf->ref, nvme_vfio_save_buf_release);
}

int nvme_vfio_check_state_size(struct nvme_vf *vf, u64 limit, u64 size)
{
	if (size > limit) {
		dev_warn_ratelimited(&vf->pdev->dev,
				     "a state of %llu bytes is larger than max_state_mb allows\n",
				     size);
		return -ENOSPC;
	}
	if (vf->set->whole && size > vf->max_transfer) {
		dev_warn_ratelimited(&vf->pdev->dev,
				     "a state of %llu bytes cannot move: the command set needs one command for all of it, and one carries only %u bytes here\n",
				     size, vf->max_transfer);
		return -EOVERFLOW;
	}
	return 0;
}

/* The piece that is there stays. */
static int nvme_vfio_save_buf_grow(struct save_buf *sbuf, u32 len)
{
	struct nvme_pf_buf *buf;

	if (sbuf->buf && sbuf->buf->len >= len)
		return 0;

	buf = nvme_vfio_buf_alloc(PAGE_ALIGN(len));
	if (!buf)
		return -ENOMEM;

	if (sbuf->len)
		memcpy(buf->data, sbuf->buf->data, sbuf->len);
	nvme_pf_buf_put(sbuf->buf);
	sbuf->buf = buf;
	return 0;
}

static unsigned int nvme_vfio_count_pieces(u64 size, u32 first, u32 step)
{
	return size > first ? 1 + DIV_ROUND_UP_ULL(size - first, step) : 1;
}

/*
 * The first read asks for the whole state if it may fit one command, and for
 * more than was reported, because the VF was still running then. Two pages are
 * asked for if they leave a page to spare: mapping them costs far less than
 * anything larger.
 */
static u32 nvme_vfio_first_piece_ask(const struct nvme_vf *vf, u64 hint)
{
	u64 ask = 2 * PAGE_SIZE;

	if (!hint || hint >= vf->max_transfer)
		return vf->max_transfer;
	if (hint > PAGE_SIZE)
		ask = PAGE_ALIGN(hint + GROWTH);

	return min_t(u64, vf->max_transfer, ask);
}

/* And room for a further piece, in case it has grown by more. */
static u32 nvme_vfio_first_piece_room(const struct nvme_vf *vf, u64 hint)
{
	return max(nvme_vfio_first_piece_ask(vf, hint),
		   min_t(u32, vf->max_transfer, SAVE_BUF_LEAST));
}

static void nvme_vfio_expect(struct save_buf *sbuf, const struct nvme_vf *vf,
			     u64 hint)
{
	sbuf->size = hint;
	sbuf->ask = nvme_vfio_first_piece_ask(vf, hint);
	sbuf->nr = nvme_vfio_count_pieces(hint, sbuf->ask, sbuf->step);
}

struct save_buf *nvme_vfio_save_buf_alloc(struct nvme_vf *vf, u64 hint)
{
	struct save_buf *sbuf;

	sbuf = kzalloc(sizeof(*sbuf), GFP_KERNEL_ACCOUNT);
	if (!sbuf)
		return ERR_PTR(-ENOMEM);
	kref_init(&sbuf->ref);
	sbuf->step = vf->max_transfer;
	if (nvme_vfio_save_buf_grow(sbuf, nvme_vfio_first_piece_room(vf, hint))) {
		nvme_vfio_save_buf_put(sbuf);
		return ERR_PTR(-ENOMEM);
	}
	nvme_vfio_expect(sbuf, vf, hint);
	return sbuf;
}

bool nvme_vfio_save_buf_expect(struct save_buf *sbuf, const struct nvme_vf *vf,
			       u64 hint)
{
	if (!sbuf || sbuf->step != vf->max_transfer ||
	    sbuf->buf->len < nvme_vfio_first_piece_room(vf, hint))
		return false;

	nvme_vfio_expect(sbuf, vf, hint);
	return true;
}

/* The first piece tells how large the whole is. */
static int nvme_vfio_read_first_piece(struct save_buf *sbuf, struct nvme_vf *vf,
				      u64 limit)
{
	u32 len = sbuf->ask;
	int ret;

	if (vf->set->whole) {
		u64 size;

		ret = vf->set->state_size(vf, &size);
		if (!ret)
			ret = nvme_vfio_check_state_size(vf, limit, size);
		if (!ret)
			ret = nvme_vfio_save_buf_grow(sbuf, size);
		if (ret)
			return ret;
		len = size;
	}

	ret = vf->set->get_state(vf, 0, sbuf->buf, len, &sbuf->size);
	if (!ret)
		ret = nvme_vfio_check_state_size(vf, limit, sbuf->size);
	if (ret)
		return ret;

	sbuf->first = min_t(u64, len, sbuf->size);
	sbuf->len = sbuf->first;
	return 0;
}

/* Where a piece begins. */
static u64 nvme_vfio_piece_offset(const struct save_buf *sbuf, unsigned int i)
{
	return i ? sbuf->first + (u64)(i - 1) * sbuf->step : 0;
}

static u32 nvme_vfio_piece_len(const struct save_buf *sbuf, unsigned int i)
{
	if (!i)
		return sbuf->first;
	return min_t(u64, sbuf->step,
		     sbuf->size - nvme_vfio_piece_offset(sbuf, i));
}

static void nvme_vfio_add_data_header(struct save_buf *sbuf)
{
	nvme_vfio_fill_header(&sbuf->header, STREAM_DATA,
			      nvme_vfio_piece_offset(sbuf, sbuf->now),
			      sbuf->buf->data, sbuf->len);
}

static void nvme_vfio_add_ends(struct save_buf *sbuf)
{
	struct stream_end end = {
		.size = cpu_to_le64(sbuf->size),
		.records = cpu_to_le64(sbuf->nr),
	};
	struct stream_state state = { .size = cpu_to_le64(sbuf->size) };
	u32 max_data = sbuf->first;

	/* No later piece is larger than the second. */
	if (sbuf->nr > 1)
		max_data = max(max_data, nvme_vfio_piece_len(sbuf, 1));
	state.max_data = cpu_to_le32(max_data);

	nvme_vfio_fill_record(sbuf->head, STREAM_STATE, &state, sizeof(state));
	nvme_vfio_fill_record(sbuf->tail, STREAM_END, &end, sizeof(end));
}

int nvme_vfio_save_buf_read_first(struct save_buf *sbuf, struct nvme_vf *vf,
				  u64 limit)
{
	int ret;

	ret = nvme_vfio_read_first_piece(sbuf, vf, limit);
	if (ret)
		return ret;

	sbuf->nr = nvme_vfio_count_pieces(sbuf->size, sbuf->first, sbuf->step);
	/* Room for any later piece, so that no read fails for want of it. */
	if (sbuf->nr > 1)
		ret = nvme_vfio_save_buf_grow(sbuf,
					      nvme_vfio_piece_len(sbuf, 1));
	if (ret)
		return ret;

	nvme_vfio_add_data_header(sbuf);
	nvme_vfio_add_ends(sbuf);
	return 0;
}

int nvme_vfio_save_buf_read_next(struct save_buf *sbuf, struct nvme_vf *vf)
{
	unsigned int next = sbuf->now + 1;
	u32 len = nvme_vfio_piece_len(sbuf, next);
	int ret;

	ret = vf->set->get_state(vf, nvme_vfio_piece_offset(sbuf, next),
				 sbuf->buf, len, NULL);
	if (ret)
		return ret;

	sbuf->now = next;
	sbuf->len = len;
	nvme_vfio_add_data_header(sbuf);
	return 0;
}

void nvme_vfio_save_buf_describe(const struct save_buf *sbuf,
				 struct stream_identity *id)
{
	id->size_hint = cpu_to_le64(sbuf->size);
	id->data_hint = cpu_to_le32(sbuf->nr > 1 ? sbuf->step : sbuf->buf->len);
}

int nvme_vfio_save_buf_restore(const struct save_buf *sbuf, struct nvme_vf *vf)
{
	int ret;

	do {
		ret = vf->set->set_state(vf, 0, sbuf->buf, 0, sbuf->len, true,
					 true);
	} while (nvme_vfio_try_again(vf));
	nvme_vfio_warn_status(vf);
	return ret;
}

/*
 * Parts of the stream: head, then header and data of each piece, then tail.
 * NULL at the end, or where a piece must be read first.
 */
static const void *nvme_vfio_stream_part(const struct save_buf *sbuf,
					 unsigned int i, u32 *len)
{
	if (!i) {
		*len = sizeof(sbuf->head);
		return sbuf->head;
	}
	if (i == 2 * sbuf->nr + 1) {
		*len = sizeof(sbuf->tail);
		return sbuf->tail;
	}
	if (i > 2 * sbuf->nr || (i - 1) / 2 != sbuf->now)
		return NULL;

	if (i & 1) {
		*len = sizeof(sbuf->header);
		return &sbuf->header;
	}
	*len = sbuf->len;
	return sbuf->buf->data;
}

const void *nvme_vfio_save_buf_bytes(const struct save_buf *sbuf,
				     struct save_pos *at, u32 *len)
{
	const void *p = nvme_vfio_stream_part(sbuf, at->part, len);

	if (p && at->offset == *len) {
		at->part++;
		at->offset = 0;
		p = nvme_vfio_stream_part(sbuf, at->part, len);
	}
	if (!p)
		return NULL;

	*len -= at->offset;
	return p + at->offset;
}

bool nvme_vfio_save_buf_has_more(const struct save_buf *sbuf,
				 const struct save_pos *at)
{
	return at->part < 2 * sbuf->nr + 1;
}

u64 nvme_vfio_save_buf_estimate(u64 size, u32 max_transfer)
{
	u64 records = DIV_ROUND_UP_ULL(size, max_transfer);

	return size + records * sizeof(struct stream_header) +
	       sizeof(struct stream_header) + sizeof(struct stream_identity) +
	       sizeof_field(struct save_buf, head) +
	       sizeof_field(struct save_buf, tail);
}

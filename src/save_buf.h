/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a suspended VF, read piece by piece and framed as records of the
 * stream. A buffer holds one piece: what one command carries.
 */
#ifndef _NVME_VFIO_SAVE_BUF_H
#define _NVME_VFIO_SAVE_BUF_H

#include <linux/kref.h>
#include <linux/sizes.h>
#include <linux/types.h>

#include "nvme_vf.h"
#include "stream.h"

struct save_buf;

/* Room for a state of which nothing is known, unless a command carries less. */
#define SAVE_BUF_LEAST	SZ_128K

/**
 * struct save_pos - a place in the stream
 * @part: which part of it
 * @offset: bytes into that part
 */
struct save_pos {
	unsigned int part;
	u32 offset;
};

/**
 * nvme_vfio_check_state_size - can a state of this size move?
 * @vf: the VF
 * @limit: largest state accepted, bytes
 * @size: its size, bytes
 *
 * Return: 0; -ENOSPC when it exceeds @limit; -EOVERFLOW when one command
 * cannot carry a state that must move as a whole. Both are logged.
 */
int nvme_vfio_check_state_size(struct nvme_vf *vf, u64 limit, u64 size);

/**
 * nvme_vfio_save_buf_alloc - allocate while the VF still runs; sends no command
 * @vf: the VF
 * @hint: expected size of the state, bytes; 0 if not known. A good hint saves
 *	memory, a bad one only costs a command.
 *
 * Return: the buffer, without a state, or ERR_PTR(-ENOMEM)
 */
struct save_buf *nvme_vfio_save_buf_alloc(struct nvme_vf *vf, u64 hint);

/**
 * nvme_vfio_save_buf_expect - use a buffer for a state of another size
 * @sbuf: without a state; NULL is of no use
 * @vf: the VF
 * @hint: as above
 *
 * Return: whether it has the room that a new one would have
 */
bool nvme_vfio_save_buf_expect(struct save_buf *sbuf, const struct nvme_vf *vf,
			       u64 hint);

/**
 * nvme_vfio_save_buf_read_first - read the first piece, or all there is
 * @sbuf: not shared so far; may be tried again after a failure
 * @vf: the VF, suspended
 * @limit: largest state accepted, bytes
 *
 * A set that moves a state whole reads all of it. Allocates only what the state
 * has grown since nvme_vfio_save_buf_alloc(); nothing later allocates.
 *
 * Return: 0, what the command set's @get_state returns, as
 * nvme_vfio_check_state_size(), or -ENOMEM
 */
int nvme_vfio_save_buf_read_first(struct save_buf *sbuf, struct nvme_vf *vf,
				  u64 limit);

/**
 * nvme_vfio_save_buf_read_next - replace the piece by the next one
 * @sbuf: its piece has been passed on; may be tried again after a failure
 * @vf: the VF, suspended since nvme_vfio_save_buf_read_first()
 *
 * Return: 0, or what the command set's @get_state returns
 */
int nvme_vfio_save_buf_read_next(struct save_buf *sbuf, struct nvme_vf *vf);

/* nvme_vfio_save_buf_describe - set the hints of an identity record */
void nvme_vfio_save_buf_describe(const struct save_buf *sbuf,
				 struct stream_identity *id);

/**
 * nvme_vfio_save_buf_restore - write the state back to the VF it was read from
 * @sbuf: holds the whole state
 * @vf: the VF
 *
 * Return: 0, or what the command set's @set_state returns
 */
int nvme_vfio_save_buf_restore(const struct save_buf *sbuf,
			       struct nvme_vf *vf);

/*
 * A buffer that holds a whole state never changes, and any holder of a
 * reference may read it. Others belong to the reader of one data file.
 */
struct save_buf *nvme_vfio_save_buf_get(struct save_buf *sbuf);
void nvme_vfio_save_buf_put(struct save_buf *sbuf);

/**
 * nvme_vfio_save_buf_bytes - the contiguous bytes of the stream at a place
 * @sbuf: its first piece has been read
 * @at: the place, counted from behind the identity record; moved over the end
 *	of a part
 * @len: set to the number of bytes
 *
 * Return: the bytes; NULL at the end of the stream, and where the next piece
 * has to be read: see nvme_vfio_save_buf_has_more().
 */
const void *nvme_vfio_save_buf_bytes(const struct save_buf *sbuf,
				     struct save_pos *at, u32 *len);

/* nvme_vfio_save_buf_has_more - does that NULL mean a piece to be read? */
bool nvme_vfio_save_buf_has_more(const struct save_buf *sbuf,
				 const struct save_pos *at);

/**
 * nvme_vfio_save_buf_estimate - bytes of the whole stream of a state
 * @size: bytes of state
 * @max_transfer: bytes one command carries
 */
u64 nvme_vfio_save_buf_estimate(u64 size, u32 max_transfer);

#endif

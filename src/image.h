/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a VF in memory, with the records of the stream around it.
 */
#ifndef _NVME_VFIO_IMAGE_H
#define _NVME_VFIO_IMAGE_H

#include <linux/kref.h>
#include <linux/types.h>

#include "cmdset.h"
#include "stream.h"

struct image;

/**
 * struct image_cursor - a place in the stream of an image
 * @piece: which piece of it
 * @offset: bytes into that piece
 */
struct image_cursor {
	unsigned int piece;
	u32 offset;
};

/**
 * image_read - read the state of a suspended VF
 * @t: the VF
 * @limit: largest state accepted, bytes
 * @hint: how large the state is thought to be, bytes; 0 if not known. A good
 *	hint saves memory, a bad one only costs a command.
 *
 * Return: the image, or ERR_PTR: what the command set's @get_state returns,
 * -ENOSPC when the state exceeds @limit, -EOVERFLOW when one command cannot
 * carry a state that must move as a whole, -ENOMEM
 */
struct image *image_read(struct target *t, u64 limit, u64 hint);

/**
 * image_write - write the state back into the VF it was read from
 * @img: the image
 * @t: the VF
 *
 * Return: 0, or what the command set's @set_state returns
 */
int image_write(const struct image *img, struct target *t);

/* Any holder of a reference may read; an image never changes. */
struct image *image_get(struct image *img);
void image_put(struct image *img);

/**
 * image_next - the contiguous bytes of the stream at a place
 * @img: the image
 * @at: the place; moved over the end of a piece
 * @len: set to the number of bytes
 *
 * Return: the bytes, or NULL at the end of the stream.
 */
const void *image_next(const struct image *img, struct image_cursor *at,
		       u32 *len);

/* image_stream_len - bytes of the whole stream */
u64 image_stream_len(const struct image *img);

/**
 * image_estimate - bytes that the stream of a state will have
 * @size: bytes of state
 * @max_transfer: bytes one command carries
 */
u64 image_estimate(u64 size, u32 max_transfer);

#endif

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
 * image_check_size - can a state of this size move?
 * @t: the VF
 * @limit: largest state accepted, bytes
 * @size: its size, bytes
 *
 * Return: 0; -ENOSPC when it exceeds @limit; -EOVERFLOW when one command
 * cannot carry a state that must move as a whole. Both are logged.
 */
int image_check_size(struct target *t, u64 limit, u64 size);

/**
 * image_prepare - get memory for the state of a VF that still runs
 * @t: the VF
 * @hint: how large the state is thought to be, bytes; 0 if not known. A good
 *	hint saves memory, a bad one only costs a command.
 *
 * Sends no command.
 *
 * Return: the image, without a state as yet, or ERR_PTR(-ENOMEM)
 */
struct image *image_prepare(struct target *t, u64 hint);

/**
 * image_fill - read the state of a suspended VF
 * @img: the image, filled only once, and not shared so far
 * @t: the VF
 * @limit: largest state accepted, bytes
 *
 * Allocates only what the state has grown since image_prepare(). May be called
 * again after a failure.
 *
 * Return: 0, what the command set's @get_state returns, as image_check_size(),
 * or -ENOMEM
 */
int image_fill(struct image *img, struct target *t, u64 limit);

/**
 * image_describe - say in an identity record what to expect of an image
 * @img: the image, filled or not
 * @id: its hints are set
 */
void image_describe(const struct image *img, struct stream_identity *id);

/**
 * image_write - write the state back into the VF it was read from
 * @img: the image, filled
 * @t: the VF
 *
 * Return: 0, or what the command set's @set_state returns
 */
int image_write(const struct image *img, struct target *t);

/* Any holder of a reference may read; a filled image never changes. */
struct image *image_get(struct image *img);
void image_put(struct image *img);

/**
 * image_next - the contiguous bytes of the stream at a place
 * @img: the image, filled
 * @at: the place; moved over the end of a piece
 * @len: set to the number of bytes
 *
 * What comes before, the identity record, is not part of the image.
 *
 * Return: the bytes, or NULL at the end of the stream.
 */
const void *image_next(const struct image *img, struct image_cursor *at,
		       u32 *len);

/**
 * image_estimate - bytes that the whole stream of a state will have
 * @size: bytes of state
 * @max_transfer: bytes one command carries
 */
u64 image_estimate(u64 size, u32 max_transfer);

#endif

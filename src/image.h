/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a VF on its way into the stream, with the records around it. One
 * command's worth of it is in memory at a time.
 */
#ifndef _NVME_VFIO_IMAGE_H
#define _NVME_VFIO_IMAGE_H

#include <linux/kref.h>
#include <linux/types.h>

#include "nvme_vf.h"
#include "stream.h"

struct image;

/**
 * struct image_cursor - a place in the stream of an image
 * @part: which part of it
 * @offset: bytes into that part
 */
struct image_cursor {
	unsigned int part;
	u32 offset;
};

/**
 * image_check_size - can a state of this size move?
 * @vf: the VF
 * @limit: largest state accepted, bytes
 * @size: its size, bytes
 *
 * Return: 0; -ENOSPC when it exceeds @limit; -EOVERFLOW when one command
 * cannot carry a state that must move as a whole. Both are logged.
 */
int image_check_size(struct nvme_vf *vf, u64 limit, u64 size);

/**
 * image_prepare - get memory for the state of a VF that still runs
 * @vf: the VF
 * @hint: how large the state is thought to be, bytes; 0 if not known. A good
 *	hint saves memory, a bad one only costs a command.
 *
 * Sends no command.
 *
 * Return: the image, without a state as yet, or ERR_PTR(-ENOMEM)
 */
struct image *image_prepare(struct nvme_vf *vf, u64 hint);

/**
 * image_begin - read the start of the state of a suspended VF, or all of it
 * @img: the image, begun only once, and not shared so far
 * @vf: the VF
 * @limit: largest state accepted, bytes
 *
 * All of it where one command carries that, as it must with a set that moves a
 * state whole. Allocates only what the state has grown since image_prepare(),
 * and nothing later does. May be called again after a failure.
 *
 * Return: 0, what the command set's @get_state returns, as image_check_size(),
 * or -ENOMEM
 */
int image_begin(struct image *img, struct nvme_vf *vf, u64 limit);

/**
 * image_go_on - read the next piece
 * @img: the image, whose present piece has been passed on
 * @vf: the VF, suspended ever since image_begin()
 *
 * May be called again after a failure.
 *
 * Return: 0, or what the command set's @get_state returns
 */
int image_go_on(struct image *img, struct nvme_vf *vf);

/**
 * image_describe - say in an identity record what to expect of an image
 * @img: the image, begun or not
 * @id: its hints are set
 */
void image_describe(const struct image *img, struct stream_identity *id);

/**
 * image_write - write a whole state back into the VF it was read from
 * @img: the image, all of whose state is in memory
 * @vf: the VF
 *
 * Return: 0, or what the command set's @set_state returns
 */
int image_write(const struct image *img, struct nvme_vf *vf);

/*
 * An image that one command has filled never changes, and any holder of a
 * reference may read it. Others belong to the reader of one data file.
 */
struct image *image_get(struct image *img);
void image_put(struct image *img);

/**
 * image_next - the contiguous bytes of the stream at a place
 * @img: the image, begun
 * @at: the place; moved over the end of a part
 * @len: set to the number of bytes
 *
 * What comes before, the identity record, is not part of the image.
 *
 * Return: the bytes; NULL at the end of the stream, and where image_go_on()
 * has to read them first: see image_has_more().
 */
const void *image_next(const struct image *img, struct image_cursor *at,
		       u32 *len);

/* image_has_more - after image_next() gave NULL: is there more to be read? */
bool image_has_more(const struct image *img, const struct image_cursor *at);

/**
 * image_estimate - bytes that the whole stream of a state will have
 * @size: bytes of state
 * @max_transfer: bytes one command carries
 */
u64 image_estimate(u64 size, u32 max_transfer);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio_mig.h - VFIO migration: single device features, and whole halves of a
 * migration with the time each arc took.
 */
#ifndef NVME_VFIO_VFIO_MIG_H
#define NVME_VFIO_VFIO_MIG_H

#include <stddef.h>
#include <stdint.h>

#include "vfio_dev.h"
#include "vfio_uapi.h"

/**
 * vfio_mig_flags - what migration the device offers
 * @flags: set to VFIO_MIGRATION_* bits
 *
 * Return: 0; -ENOTTY when the device cannot migrate; or a negative errno.
 */
int vfio_mig_flags(struct vfio_dev *dev, uint64_t *flags);

/** vfio_mig_get - current MIG_* state. Return: 0, or a negative errno. */
int vfio_mig_get(struct vfio_dev *dev, unsigned int *state);

/**
 * vfio_mig_set - change the state; the kernel may pass through others
 * @state: MIG_* state wanted
 * @fd: set to the data fd, or -1 when the arc has none. May be NULL: then a
 *	data fd is closed at once.
 *
 * Return: 0, or a negative errno; after a failure ask vfio_mig_get().
 */
int vfio_mig_set(struct vfio_dev *dev, unsigned int state, int *fd);

/**
 * vfio_mig_data_size - estimate of the bytes that STOP_COPY will give
 *
 * Return: 0, or a negative errno.
 */
int vfio_mig_data_size(struct vfio_dev *dev, uint64_t *bytes);

/** mig_name - name of a MIG_* state, for messages */
const char *mig_name(unsigned int state);

/**
 * struct mig_stream - a device state in memory
 * @data: the bytes
 * @len: how many
 * @room: bytes allocated
 */
struct mig_stream {
	uint8_t *data;
	size_t len;
	size_t room;
};

/** mig_stream_free - forget the content */
void mig_stream_free(struct mig_stream *s);

/** mig_stream_copy - make @to an equal copy. Return: 0 or -ENOMEM. */
int mig_stream_copy(struct mig_stream *to, const struct mig_stream *from);

/** mig_stream_append - add bytes at the end. Return: 0 or -ENOMEM. */
int mig_stream_append(struct mig_stream *s, const void *data, size_t len);

enum mig_arc {
	/* without P2P both ends go between RUNNING and STOP at once */
	MIG_ARC_SRC_P2P,	/* RUNNING -> RUNNING_P2P */
	MIG_ARC_SRC_STOP,	/* RUNNING_P2P -> STOP */
	MIG_ARC_SRC_COPY,	/* STOP -> STOP_COPY */
	MIG_ARC_SRC_READ,	/* reading the data fd to its end */
	MIG_ARC_DST_RESUMING,	/* RUNNING -> RESUMING */
	MIG_ARC_DST_WRITE,	/* writing the data fd */
	MIG_ARC_DST_STOP,	/* RESUMING -> STOP */
	MIG_ARC_DST_P2P,	/* STOP -> RUNNING_P2P */
	MIG_ARC_DST_RUNNING,	/* RUNNING_P2P -> RUNNING */
	MIG_ARC_NR
};

/**
 * struct mig_times - how long each step took
 * @us: microseconds, 0 for a step that was not done
 */
struct mig_times {
	uint64_t us[MIG_ARC_NR];
};

/** mig_arc_name - name of a step, for reports */
const char *mig_arc_name(enum mig_arc arc);

/**
 * mig_read - read a data fd
 * @s: bytes are appended
 * @max: stop after that many bytes; SIZE_MAX reads to the end
 *
 * Return: 0, or a negative errno from read().
 */
int mig_read(int fd, struct mig_stream *s, size_t max);

/**
 * mig_write - write bytes to a data fd
 * @seg: largest single write in bytes; 0 offers everything at once
 *
 * Return: 0, or a negative errno from write().
 */
int mig_write(int fd, const void *data, size_t len, size_t seg);

/**
 * mig_stop - RUNNING -> RUNNING_P2P -> STOP, or without P2P at once
 * @t: times are noted here; may be NULL (so in the next functions)
 *
 * Return: 0, or the negative errno of the arc that failed.
 */
int mig_stop(struct vfio_dev *dev, struct mig_times *t);

/**
 * mig_save - STOP -> STOP_COPY, and read the whole state
 * @s: set to the state; the old content is dropped
 *
 * The device stays in STOP_COPY. Return: 0, or a negative errno.
 */
int mig_save(struct vfio_dev *dev, struct mig_stream *s, struct mig_times *t);

/**
 * mig_load - go to RESUMING, write the state, go to STOP
 * @seg: as for mig_write()
 *
 * Return: 0, or a negative errno; then only a reset helps the device.
 */
int mig_load(struct vfio_dev *dev, const struct mig_stream *s, size_t seg,
	     struct mig_times *t);

/**
 * mig_start - STOP -> RUNNING_P2P -> RUNNING
 *
 * Return: 0, or the negative errno of the arc that failed.
 */
int mig_start(struct vfio_dev *dev, struct mig_times *t);

#endif

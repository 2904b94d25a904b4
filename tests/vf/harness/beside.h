/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * beside.h - one call that another thread makes, because it waits.
 */
#ifndef NVME_VFIO_BESIDE_H
#define NVME_VFIO_BESIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "vfio_mig.h"

/**
 * struct beside - a call and its result
 * @fn: the call
 * @dev: for a reset or an arc
 * @state: for an arc
 * @text: for a write to sysfs
 * @path: likewise
 * @err: 0 or a negative errno, valid when @done
 * @done: it has returned
 */
struct beside {
	int (*fn)(struct beside *b);
	struct vfio_dev *dev;
	unsigned int state;
	const char *text;
	char path[96];
	pthread_t thread;
	int err;
	atomic_bool done;
};

/** beside_call - start any call; what it needs is next to @b */
void beside_call(struct beside *b, int (*fn)(struct beside *b));

/** beside_reset - start VFIO_DEVICE_RESET */
void beside_reset(struct beside *b, struct vfio_dev *dev);

/** beside_arc - start going to a MIG_* state */
void beside_arc(struct beside *b, struct vfio_dev *dev, unsigned int state);

/** beside_write - start writing @text to a file, printf style */
void beside_write(struct beside *b, const char *text, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * beside_unbind - start unbinding a VF, whose user keeps it
 *
 * Returns when the VF's lock is held, so that nobody can reset the VF.
 */
void beside_unbind(struct beside *b, const char *bdf);

/**
 * vf_is_leaving - wait until somebody removes a VF and waits for its user: its
 * driver is told to leave, its lock is held
 */
void vf_is_leaving(const char *bdf);

/** beside_end - wait until it has returned. Return: its result. */
int beside_end(struct beside *b);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * writer.h - a write to sysfs that takes VFs away, and so waits for their
 * users: in a thread of its own.
 */
#ifndef NVME_VFIO_WRITER_H
#define NVME_VFIO_WRITER_H

#include <pthread.h>
#include <stdatomic.h>

/* private to writer.c */
struct writer {
	pthread_t thread;
	const char *text;
	char path[96];
	int err;
	atomic_bool done;
};

/**
 * writer_start - write @text to a file
 * @vf: address of a VF that is in use
 * @fmt: the file's path, printf style
 *
 * Returns when the writer waits for the user of @vf.
 */
void writer_start(struct writer *w, const char *vf, const char *text,
		  const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** writer_waits - it still does; the case fails else */
void writer_waits(const struct writer *w);

/** writer_end - the VF is free: until the writer is done */
void writer_end(struct writer *w);

/**
 * vf_is_leaving - until somebody takes a VF away and waits for its user: its
 * driver is told to leave it, its lock is held
 */
void vf_is_leaving(const char *vf);

#endif

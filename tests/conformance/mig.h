/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mig.h - migration features, states and streams of a device, and what the
 * uAPI says about transitions. Functions that return 0 or -errno leave the
 * judgement to the case; the others end the case if something goes wrong.
 */
#ifndef CONFORMANCE_MIG_H
#define CONFORMANCE_MIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dev.h"
#include "uapi.h"

/* what a case needs of device, kernel and user */
enum need {
	NEED_P2P	= 1 << 0,
	NEED_PRE_COPY	= 1 << 1,
	NEED_SIZE	= 1 << 2,
	NEED_LOG	= 1 << 3,
	NEED_RESET	= 1 << 4,
	NEED_PAIR	= 1 << 5,
	NEED_V2		= 1 << 6,
	NEED_NR		= 7,
};

/**
 * struct run - what this run is about
 * @target: the device, and the other of a pair
 * @ntargets: 1 or 2
 * @way: how devices are opened
 * @lenient: bad streams need not be noticed
 * @flags: MIG_FLAG_* that the device offers
 * @offers: set of enum need
 */
struct run {
	struct target target[2];
	unsigned int ntargets;
	enum way way;
	bool lenient;
	uint64_t flags;
	unsigned int offers;
};

extern struct run run;

/* ---- device ---- */

/** dev_open - open device 0 or 1 again */
void dev_open(struct dev *d, unsigned int which);

/** reset - VFIO_DEVICE_RESET, which must work */
void reset(struct dev *d);

/**
 * feature - VFIO_DEVICE_FEATURE
 * @flags: feature and operation
 * @data: in and out
 *
 * Return: 0 or -errno
 */
int feature(struct dev *d, uint32_t flags, void *data, size_t len);

/** feature_argsz - the same with any argsz */
int feature_argsz(struct dev *d, uint32_t argsz, uint32_t flags, void *data,
		  size_t len);

/** data_size - Return: 0 or -errno */
int data_size(struct dev *d, uint64_t *bytes);

/**
 * log_start - begin to log what the device writes to memory
 * @page_size: wanted, then what it is
 *
 * Return: 0 or -errno, as for the next two
 */
int log_start(struct dev *d, struct log_range *ranges, uint32_t n,
	      uint64_t *page_size);
int log_stop(struct dev *d);
int log_report(struct dev *d, uint64_t iova, uint64_t length,
	       uint64_t page_size, void *bitmap);

/* ---- states ---- */

const char *st_name(unsigned int state);
bool st_supported(unsigned int state);
bool st_saving(unsigned int state);
bool st_pre_copy(unsigned int state);

/** arc_allowed - whether a transition must succeed */
bool arc_allowed(unsigned int from, unsigned int to);

/** arc_gives_fd - whether it starts a session */
bool arc_gives_fd(unsigned int from, unsigned int to);

/** arc_keeps_session - whether a session goes on across it */
bool arc_keeps_session(unsigned int from, unsigned int to);

/**
 * mig_set - ask for a state
 * @fd: data fd that was returned, -1 = none; NULL = there must be none
 *
 * Return: 0 or -errno
 */
int mig_set(struct dev *d, unsigned int state, int *fd);

/** mig_get - the state */
unsigned int mig_get(struct dev *d);

void state_is(struct dev *d, unsigned int state);

/** go - to a state, which must work and give no fd */
void go(struct dev *d, unsigned int state);

/** go_fd - to a state, which must work and give an fd */
int go_fd(struct dev *d, unsigned int state);

/** make_error - bring the device to ERROR with a bad stream, or skip */
void make_error(struct dev *d);

/* ---- streams ---- */

struct stream {
	uint8_t *data;
	size_t len, room;
};

void stream_add(struct stream *s, const void *data, size_t len);
struct stream stream_copy(const struct stream *s);
bool stream_equal(const struct stream *a, const struct stream *b);
void stream_free(struct stream *s);

/**
 * read_some - one read() that is added to @s
 *
 * Return: bytes, 0 = end, or -errno
 */
ssize_t read_some(int fd, struct stream *s, size_t max);

/** read_to_end - all that is left in STOP_COPY, @seg bytes at a time */
void read_to_end(int fd, struct stream *s, size_t seg);

/**
 * write_some - write() until @len bytes are written, @seg at a time
 *
 * Return: 0 or -errno
 */
int write_some(int fd, const void *data, size_t len, size_t seg);

/** save - RUNNING or stopped to STOP_COPY; read all of it */
void save(struct dev *d, struct stream *s);

/** load - to RESUMING, write @s, to STOP; must work */
void load(struct dev *d, const struct stream *s, size_t seg);

/** own_stream - a stream of a running device, which runs again afterwards */
void own_stream(struct dev *d, struct stream *s);

/** loads - @s must be a complete stream: load it, run */
void loads(struct dev *d, const struct stream *s);

/** whole_cycle - the device can still do everything: save, load, run */
void whole_cycle(struct dev *d);

/** session_is_dead - this fd can only be closed */
void session_is_dead(int fd, bool saving);

/** count_fds - how many this process has */
unsigned int count_fds(void);

/** bad_address - the last @good bytes before memory that is not there */
void *bad_address(size_t good);

#endif

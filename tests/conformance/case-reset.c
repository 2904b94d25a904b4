// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-reset.c - a reset leads from each state to RUNNING, and so does a new
 * open; nothing else leads out of ERROR.
 */
#include <errno.h>
#include <unistd.h>

#include "cases.h"
#include "mig.h"

static const unsigned int states[ST_NR] = {
	ST_ERROR, ST_STOP, ST_RUNNING, ST_STOP_COPY, ST_RESUMING,
	ST_RUNNING_P2P, ST_PRE_COPY, ST_PRE_COPY_P2P,
};

/* Return: fd of the session, -1 = none */
static int to_state(struct dev *d, unsigned int state)
{
	struct stream s = { 0 };
	int fd = -1;

	if (state == ST_ERROR) {
		make_error(d);
	} else if (state == ST_RESUMING) {
		own_stream(d, &s);
		fd = go_fd(d, state);
		check_err(write_some(fd, s.data, s.len / 2, 0), 0, "write()");
	} else if (st_saving(state)) {
		fd = go_fd(d, state);
		check(read_some(fd, &s, 10) > 0, "no data");
	} else if (state != ST_RUNNING) {
		go(d, state);
	}
	return fd;
}

static void reset_in(const void *arg)
{
	unsigned int state = *(const unsigned int *)arg;
	struct dev d;
	int fd;

	dev_open(&d, 0);
	fd = to_state(&d, state);
	reset(&d);
	state_is(&d, ST_RUNNING);
	if (fd >= 0)
		session_is_dead(fd, state != ST_RESUMING);
	go(&d, ST_STOP);
	go(&d, ST_RUNNING);
	whole_cycle(&d);
	if (fd >= 0)
		session_is_dead(fd, state != ST_RESUMING);
	reset(&d);
	reset(&d);
	state_is(&d, ST_RUNNING);
}

static void reopen_in(const void *arg)
{
	unsigned int state = *(const unsigned int *)arg;
	struct dev d;
	int fd;

	dev_open(&d, 0);
	fd = to_state(&d, state);
	dev_close(&d);
	dev_open(&d, 0);
	state_is(&d, ST_RUNNING);
	if (fd >= 0) {
		session_is_dead(fd, state != ST_RESUMING);
		close(fd);
	}
	whole_cycle(&d);
}

static void only_reset_heals(const void *arg)
{
	unsigned int to;
	struct dev d;
	int fd;

	(void)arg;
	dev_open(&d, 0);
	make_error(&d);
	for (to = 0; to < ST_NR + 2; to++) {
		int err = mig_set(&d, to, &fd);

		check(err, "ERROR -> %s (%u) succeeded", st_name(to), to);
		check(fd < 0, "ERROR -> %s gave an fd", st_name(to));
		state_is(&d, ST_ERROR);
	}
	reset(&d);
	state_is(&d, ST_RUNNING);
	whole_cycle(&d);
}

#define RESET(n, what, more) \
	{ .name = "reset: in " what, .fn = reset_in, .arg = &states[n], \
	  .needs = NEED_RESET | (more) }
#define REOPEN(n, what, more) \
	{ .name = "reset: device closed in " what ", opened again", \
	  .fn = reopen_in, .arg = &states[n], .needs = more }

const struct tap_case reset_cases[] = {
	RESET(ST_RUNNING, "RUNNING", 0),
	REOPEN(ST_RUNNING, "RUNNING", 0),
	RESET(ST_RUNNING_P2P, "RUNNING_P2P", NEED_P2P),
	REOPEN(ST_RUNNING_P2P, "RUNNING_P2P", NEED_P2P),
	RESET(ST_STOP, "STOP", 0),
	REOPEN(ST_STOP, "STOP", 0),
	RESET(ST_STOP_COPY, "STOP_COPY", 0),
	REOPEN(ST_STOP_COPY, "STOP_COPY", 0),
	RESET(ST_RESUMING, "RESUMING", 0),
	REOPEN(ST_RESUMING, "RESUMING", 0),
	RESET(ST_PRE_COPY, "PRE_COPY", NEED_PRE_COPY),
	REOPEN(ST_PRE_COPY, "PRE_COPY", NEED_PRE_COPY),
	RESET(ST_PRE_COPY_P2P, "PRE_COPY_P2P", NEED_PRE_COPY | NEED_P2P),
	REOPEN(ST_PRE_COPY_P2P, "PRE_COPY_P2P", NEED_PRE_COPY | NEED_P2P),
	RESET(ST_ERROR, "ERROR", 0),
	REOPEN(ST_ERROR, "ERROR", NEED_RESET),
	{ .name = "reset: nothing else leads out of ERROR",
	  .fn = only_reset_heals, .needs = NEED_RESET },
	{ }
};

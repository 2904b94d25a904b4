// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-size.c - MIG_DATA_SIZE is answered in each state, and asking changes
 * nothing.
 */
#include <errno.h>
#include <unistd.h>

#include "cases.h"
#include "mig.h"

static uint64_t ask(struct dev *d, const char *where)
{
	uint64_t size;

	check_err(data_size(d, &size), 0, "MIG_DATA_SIZE in %s", where);
	return size;
}

static void when_running(const void *arg)
{
	struct stream s = { 0 };
	struct dev d;
	uint64_t size;
	unsigned int i;

	(void)arg;
	dev_open(&d, 0);
	size = ask(&d, "RUNNING, just opened");
	for (i = 0; i < 50; i++)
		ask(&d, "RUNNING");
	state_is(&d, ST_RUNNING);
	save(&d, &s);
	tap_note("asked: %llu bytes, stream: %zu bytes",
		 (unsigned long long)size, s.len);
	check(size, "the estimate is 0, the stream has %zu bytes", s.len);
	go(&d, ST_RUNNING);
	ask(&d, "RUNNING after a session");
	reset(&d);
	ask(&d, "RUNNING after a reset");
}

static void in_state(const void *arg)
{
	unsigned int state = *(const unsigned int *)arg;
	struct dev d;
	int fd;

	dev_open(&d, 0);
	if (st_saving(state)) {
		struct stream s = { 0 };

		fd = go_fd(&d, state);
		ask(&d, st_name(state));
		check(read_some(fd, &s, 9) > 0, "no data");
		ask(&d, st_name(state));
		state_is(&d, state);
		if (state != ST_STOP_COPY)
			go(&d, ST_STOP_COPY);
		read_to_end(fd, &s, 13);
		ask(&d, "STOP_COPY, all read");
		go(&d, ST_STOP);
		loads(&d, &s);
	} else {
		go(&d, state);
		ask(&d, st_name(state));
		state_is(&d, state);
		go(&d, ST_RUNNING);
	}
	whole_cycle(&d);
}

static void in_resuming(const void *arg)
{
	struct stream s = { 0 };
	struct dev d;
	int fd;

	(void)arg;
	dev_open(&d, 0);
	own_stream(&d, &s);
	fd = go_fd(&d, ST_RESUMING);
	ask(&d, "RESUMING, nothing written");
	check_err(write_some(fd, s.data, s.len / 2, 0), 0, "write()");
	ask(&d, "RESUMING, half written");
	check_err(write_some(fd, s.data + s.len / 2, s.len - s.len / 2, 0), 0,
		  "write()");
	ask(&d, "RESUMING, all written");
	state_is(&d, ST_RESUMING);
	go(&d, ST_STOP);
	ask(&d, "STOP after RESUMING");
	go(&d, ST_RUNNING);
	whole_cycle(&d);
}

/* a device in ERROR may or may not have a size */
static void in_error(const void *arg)
{
	struct dev d;
	uint64_t size;
	int err;

	(void)arg;
	dev_open(&d, 0);
	make_error(&d);
	err = data_size(&d, &size);
	tap_note("in ERROR: %s", errname(err));
	state_is(&d, ST_ERROR);
	reset(&d);
	ask(&d, "RUNNING after ERROR");
}

static const unsigned int stop = ST_STOP, p2p = ST_RUNNING_P2P,
	stop_copy = ST_STOP_COPY, pre_copy = ST_PRE_COPY,
	pre_copy_p2p = ST_PRE_COPY_P2P;

const struct tap_case size_cases[] = {
	{ .name = "size: in RUNNING", .fn = when_running,
	  .needs = NEED_SIZE | NEED_RESET },
	{ .name = "size: in RUNNING_P2P", .fn = in_state, .arg = &p2p,
	  .needs = NEED_SIZE | NEED_P2P },
	{ .name = "size: in STOP", .fn = in_state, .arg = &stop,
	  .needs = NEED_SIZE },
	{ .name = "size: in STOP_COPY", .fn = in_state, .arg = &stop_copy,
	  .needs = NEED_SIZE },
	{ .name = "size: in PRE_COPY", .fn = in_state, .arg = &pre_copy,
	  .needs = NEED_SIZE | NEED_PRE_COPY },
	{ .name = "size: in PRE_COPY_P2P", .fn = in_state, .arg = &pre_copy_p2p,
	  .needs = NEED_SIZE | NEED_PRE_COPY | NEED_P2P },
	{ .name = "size: in RESUMING", .fn = in_resuming, .needs = NEED_SIZE },
	{ .name = "size: in ERROR", .fn = in_error,
	  .needs = NEED_SIZE | NEED_RESET },
	{ }
};

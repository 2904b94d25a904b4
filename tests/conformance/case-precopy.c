// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-precopy.c - PRE_COPY: its data, VFIO_MIG_GET_PRECOPY_INFO, the
 * temporary end, and the same fd going on into STOP_COPY.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cases.h"
#include "mig.h"

#define ENOUGH	(1UL << 30)	/* a device that never pauses is left alone then */

static const unsigned int pre_copy = ST_PRE_COPY, pre_copy_p2p = ST_PRE_COPY_P2P;

static int get_info(int fd, struct precopy_info *info)
{
	*info = (struct precopy_info) { .argsz = sizeof(*info) };
	return ioctl(fd, IOC_PRECOPY_INFO, info) ? -errno : 0;
}

static struct precopy_info info_of(int fd)
{
	struct precopy_info info;

	check_err(get_info(fd, &info), 0, "VFIO_MIG_GET_PRECOPY_INFO");
	return info;
}

/* read in PRE_COPY until ENOMSG; 0 would be an end for good */
static void read_to_pause(int fd, struct stream *s, size_t seg)
{
	ssize_t n;

	do {
		n = read_some(fd, s, seg);
		check(n, "read() in a PRE_COPY state gave 0: only ENOMSG is a temporary end");
		check(n > 0 || n == -ENOMSG, "read() in a PRE_COPY state: %s",
		      errname(n));
		check(s->len < ENOUGH, "no temporary end within %zu bytes",
		      s->len);
	} while (n > 0);
}

/* a session from its PRE_COPY state to its end, and onto the device */
static void finish(struct dev *d, int fd, struct stream *s)
{
	if (st_pre_copy(mig_get(d)))
		go(d, ST_STOP_COPY);
	read_to_end(fd, s, 0);
	go(d, ST_STOP);
	session_is_dead(fd, true);
	loads(d, s);
}

static void info_at_start(const void *arg)
{
	struct precopy_info info;
	struct dev d;
	int fd;

	dev_open(&d, 0);
	fd = go_fd(&d, *(const unsigned int *)arg);
	info = info_of(fd);
	tap_note("initial_bytes %llu, dirty_bytes %llu",
		 (unsigned long long)info.initial_bytes,
		 (unsigned long long)info.dirty_bytes);
	check(info.initial_bytes, "initial_bytes is 0 at the start");
	check(!info.dirty_bytes, "dirty_bytes is %llu at the start",
	      (unsigned long long)info.dirty_bytes);
	state_is(&d, *(const unsigned int *)arg);
}

static void info_falls(const void *arg)
{
	struct stream s = { 0 };
	struct precopy_info before, after;
	struct dev d;
	ssize_t n;
	int fd;

	(void)arg;
	dev_open(&d, 0);
	fd = go_fd(&d, ST_PRE_COPY);
	before = info_of(fd);
	while (before.initial_bytes && s.len < ENOUGH) {
		size_t some = before.initial_bytes / 3 + 1;

		n = read_some(fd, &s, some);
		check(n > 0, "initial_bytes is %llu, but read() says %s",
		      (unsigned long long)before.initial_bytes,
		      n ? errname(n) : "0");
		after = info_of(fd);
		check(after.initial_bytes < before.initial_bytes,
		      "initial_bytes was %llu, %zd bytes were read, now it is %llu",
		      (unsigned long long)before.initial_bytes, n,
		      (unsigned long long)after.initial_bytes);
		before = after;
	}
	read_to_pause(fd, &s, 0);
	after = info_of(fd);
	check(!after.initial_bytes,
	      "initial_bytes is %llu at the temporary end",
	      (unsigned long long)after.initial_bytes);
	/* the device may have changed since: then there is data again */
	if (after.dirty_bytes)
		check(read_some(fd, &s, 0) > 0,
		      "dirty_bytes is %llu, but there is nothing to read",
		      (unsigned long long)after.dirty_bytes);
	finish(&d, fd, &s);
}

static void info_argsz(const void *arg)
{
	struct {
		struct precopy_info info;
		uint8_t more[32];
	} big;
	struct precopy_info info;
	unsigned int argsz, i;
	struct dev d;
	int fd;

	(void)arg;
	dev_open(&d, 0);
	fd = go_fd(&d, ST_PRE_COPY);
	for (argsz = 0; argsz < sizeof(info); argsz++) {
		memset(&info, 0, sizeof(info));
		info.argsz = argsz;
		check_err(ioctl(fd, IOC_PRECOPY_INFO, &info) ? -errno : 0,
			  -EINVAL, "argsz %u, which is too small", argsz);
	}
	memset(&big, 0xa5, sizeof(big));
	big.info.argsz = sizeof(big);
	check_err(ioctl(fd, IOC_PRECOPY_INFO, &big) ? -errno : 0, 0,
		  "argsz larger than needed");
	for (i = 0; i < sizeof(big.more); i++)
		check(big.more[i] == 0xa5, "bytes behind the struct were written");
	check_err(ioctl(fd, IOC_PRECOPY_INFO, bad_address(0)) ? -errno : 0,
		  -EFAULT, "an argument that is not there");
	check_err(ioctl(fd, IOC_PRECOPY_INFO, bad_address(8)) ? -errno : 0,
		  -EFAULT, "an argument that is not all there");
	state_is(&d, ST_PRE_COPY);
	info_of(fd);
}

/* outside of the PRE_COPY states it is EINVAL */
static void info_elsewhere(const void *arg)
{
	struct stream s = { 0 };
	struct precopy_info info;
	struct dev d;
	int fd, err;

	(void)arg;
	dev_open(&d, 0);
	fd = go_fd(&d, ST_STOP_COPY);
	check_err(get_info(fd, &info), -EINVAL,
		  "VFIO_MIG_GET_PRECOPY_INFO in STOP_COPY");
	read_to_end(fd, &s, 0);
	check_err(get_info(fd, &info), -EINVAL,
		  "VFIO_MIG_GET_PRECOPY_INFO in STOP_COPY, all read");
	go(&d, ST_RUNNING);
	close(fd);

	s.len = 0;
	fd = go_fd(&d, ST_PRE_COPY);
	info_of(fd);
	go(&d, ST_STOP_COPY);
	check_err(get_info(fd, &info), -EINVAL,
		  "VFIO_MIG_GET_PRECOPY_INFO in STOP_COPY after PRE_COPY");
	read_to_end(fd, &s, 0);
	go(&d, ST_STOP);
	close(fd);

	/* an fd that is only written to may not have it at all */
	fd = go_fd(&d, ST_RESUMING);
	err = get_info(fd, &info);
	check(err == -EINVAL || err == -ENOTTY,
	      "VFIO_MIG_GET_PRECOPY_INFO in RESUMING: expected EINVAL, got %s",
	      errname(err));
	check_err(write_some(fd, s.data, s.len, 0), 0, "write()");
	go(&d, ST_STOP);
	go(&d, ST_RUNNING);
}

static void pauses(const void *arg)
{
	struct stream s = { 0 };
	unsigned int i;
	struct dev d;
	size_t len;
	int fd;

	dev_open(&d, 0);
	fd = go_fd(&d, *(const unsigned int *)arg);
	read_to_pause(fd, &s, 0);
	check(s.len, "ENOMSG before any data");
	len = s.len;
	for (i = 0; i < 10; i++)
		read_to_pause(fd, &s, i % 2 ? 1 : 0);
	if (s.len != len)
		tap_note("%zu bytes came after the first temporary end",
			 s.len - len);
	state_is(&d, *(const unsigned int *)arg);
	finish(&d, fd, &s);
}

/* waiting for data that may never come ends after the given time */
static void poll_at_pause(const void *arg)
{
	struct stream s = { 0 };
	struct pollfd p = { .events = POLLIN };
	struct dev d;
	int fd;

	(void)arg;
	dev_open(&d, 0);
	fd = go_fd(&d, ST_PRE_COPY);
	read_to_pause(fd, &s, 0);
	p.fd = fd;
	check(poll(&p, 1, 200) >= 0, "poll(): %s", strerror(errno));
	check(!(p.revents & (POLLERR | POLLNVAL)), "poll() says %x", p.revents);
	go(&d, ST_STOP_COPY);
	check(poll(&p, 1, 10000) == 1 && p.revents & POLLIN,
	      "in STOP_COPY there is data, but poll() says %x", p.revents);
	finish(&d, fd, &s);
}

/* how much of the PRE_COPY data is read before STOP_COPY does not matter */
struct how {
	unsigned int state;
	size_t first, seg;
	bool all;
};

static void on_into_stop_copy(const void *arg)
{
	const struct how *how = arg;
	struct stream s = { 0 };
	struct dev d;
	int fd;

	dev_open(&d, 0);
	fd = go_fd(&d, how->state);
	if (how->all)
		read_to_pause(fd, &s, how->seg);
	else if (how->first)
		check(read_some(fd, &s, how->first) > 0, "no data");
	go(&d, ST_STOP_COPY);
	/* the byte after the last one, not the first again */
	read_to_end(fd, &s, how->seg);
	read_to_end(fd, &s, how->seg);
	go(&d, ST_STOP);
	session_is_dead(fd, true);
	loads(&d, &s);
	whole_cycle(&d);
}

static const struct how hows[] = {
	{ .state = ST_PRE_COPY },
	{ .state = ST_PRE_COPY, .first = 1 },
	{ .state = ST_PRE_COPY, .first = 20, .seg = 3 },
	{ .state = ST_PRE_COPY, .all = true },
	{ .state = ST_PRE_COPY, .all = true, .seg = 1 },
	{ .state = ST_PRE_COPY_P2P },
	{ .state = ST_PRE_COPY_P2P, .first = 5 },
	{ .state = ST_PRE_COPY_P2P, .all = true, .seg = 7 },
};

/* within the group of saving states a session just goes on */
static void to_p2p_and_back(const void *arg)
{
	struct stream s = { 0 };
	unsigned int i;
	struct dev d;
	int fd;

	(void)arg;
	dev_open(&d, 0);
	fd = go_fd(&d, ST_PRE_COPY);
	for (i = 0; i < 4; i++) {
		ssize_t n = read_some(fd, &s, 6);

		check(n > 0 || n == -ENOMSG, "read(): %s", errname(n));
		go(&d, ST_PRE_COPY_P2P);
		info_of(fd);
		n = read_some(fd, &s, 6);
		check(n > 0 || n == -ENOMSG, "read(): %s", errname(n));
		go(&d, ST_PRE_COPY);
		info_of(fd);
	}
	read_to_pause(fd, &s, 0);
	go(&d, ST_PRE_COPY_P2P);
	finish(&d, fd, &s);
}

static void given_up(const void *arg)
{
	unsigned int state = *(const unsigned int *)arg, i;
	struct stream s = { 0 };
	struct precopy_info info;
	struct dev d;
	int fd;

	dev_open(&d, 0);
	for (i = 0; i < 4; i++) {
		fd = go_fd(&d, state);
		if (i % 2) {
			s.len = 0;
			read_to_pause(fd, &s, 0);
		}
		go(&d, state == ST_PRE_COPY ? ST_RUNNING : ST_RUNNING_P2P);
		session_is_dead(fd, true);
		close(fd);
	}
	fd = go_fd(&d, state);
	info = info_of(fd);
	check(info.initial_bytes, "initial_bytes is 0 at the start of a later session");
	s.len = 0;
	finish(&d, fd, &s);
}

/* the state changes when its PRE_COPY part is already at the other end */
static void both_ends(const void *arg)
{
	struct stream s = { 0 };
	struct dev a, b;
	size_t pre;
	int from, to;

	(void)arg;
	dev_open(&a, 0);
	dev_open(&b, 1);
	from = go_fd(&a, ST_PRE_COPY);
	to = go_fd(&b, ST_RESUMING);
	read_to_pause(from, &s, 0);
	check_err(write_some(to, s.data, s.len, 0), 0,
		  "write() of the PRE_COPY data");
	pre = s.len;
	state_is(&a, ST_PRE_COPY);
	go(&a, ST_STOP_COPY);
	read_to_end(from, &s, 0);
	check_err(write_some(to, s.data + pre, s.len - pre, 0), 0,
		  "write() of the STOP_COPY data");
	go(&b, ST_STOP);
	go(&b, ST_RUNNING);
	whole_cycle(&b);
}

/* a destination that has only the PRE_COPY part has no state */
static void only_pre_copy_part(const void *arg)
{
	struct stream s = { 0 };
	struct dev d;
	int fd, err;

	(void)arg;
	dev_open(&d, 0);
	fd = go_fd(&d, ST_PRE_COPY);
	read_to_pause(fd, &s, 0);
	go(&d, ST_RUNNING);
	close(fd);
	fd = go_fd(&d, ST_RESUMING);
	check_err(write_some(fd, s.data, s.len, 0), 0,
		  "write() of the PRE_COPY data");
	err = mig_set(&d, ST_STOP, NULL);
	check(err || run.lenient, "the PRE_COPY data alone were loaded");
	reset(&d);
	whole_cycle(&d);
}

static void v2_flags(const void *arg)
{
	struct stream s = { 0 };
	struct precopy_info info;
	struct dev d;
	int fd;

	(void)arg;
	dev_open(&d, 0);
	check_err(feature(&d, FEAT_PRECOPY_V2 | FEATURE_SET, NULL, 0), 0,
		  "SET of MIG_PRECOPY_INFOv2");
	check_err(feature(&d, FEAT_PRECOPY_V2 | FEATURE_SET, NULL, 0), 0,
		  "SET of MIG_PRECOPY_INFOv2 once more");
	fd = go_fd(&d, ST_PRE_COPY);
	memset(&info, 0xff, sizeof(info));
	info.argsz = sizeof(info);
	check_err(ioctl(fd, IOC_PRECOPY_INFO, &info) ? -errno : 0, 0,
		  "VFIO_MIG_GET_PRECOPY_INFO");
	/* now an output, so what was in it before is gone */
	check(!(info.flags & ~PRECOPY_REINIT),
	      "flags %x: only REINIT is defined", info.flags);
	check(info.initial_bytes, "initial_bytes is 0 at the start");
	check(!info.dirty_bytes, "dirty_bytes is %llu at the start",
	      (unsigned long long)info.dirty_bytes);
	read_to_pause(fd, &s, 0);
	info = info_of(fd);
	check(!(info.flags & ~PRECOPY_REINIT),
	      "flags %x: only REINIT is defined", info.flags);
	check(!info.initial_bytes || info.flags & PRECOPY_REINIT,
	      "new initial_bytes, but flags has no REINIT");
	finish(&d, fd, &s);
}

#define INTO(n, what) \
	{ .name = "precopy: on into STOP_COPY, " what, \
	  .fn = on_into_stop_copy, .arg = &hows[n], .needs = NEED_PRE_COPY }
#define INTO_P2P(n, what) \
	{ .name = "precopy: P2P on into STOP_COPY, " what, \
	  .fn = on_into_stop_copy, .arg = &hows[n], \
	  .needs = NEED_PRE_COPY | NEED_P2P }

const struct tap_case precopy_cases[] = {
	{ .name = "precopy: info at the start of PRE_COPY",
	  .fn = info_at_start, .arg = &pre_copy, .needs = NEED_PRE_COPY },
	{ .name = "precopy: info at the start of PRE_COPY_P2P",
	  .fn = info_at_start, .arg = &pre_copy_p2p,
	  .needs = NEED_PRE_COPY | NEED_P2P },
	{ .name = "precopy: initial_bytes falls as data is read",
	  .fn = info_falls, .needs = NEED_PRE_COPY },
	{ .name = "precopy: argsz and pointer of info", .fn = info_argsz,
	  .needs = NEED_PRE_COPY },
	{ .name = "precopy: info in other states", .fn = info_elsewhere,
	  .needs = NEED_PRE_COPY },
	{ .name = "precopy: ENOMSG at the temporary end of PRE_COPY",
	  .fn = pauses, .arg = &pre_copy, .needs = NEED_PRE_COPY },
	{ .name = "precopy: ENOMSG at the temporary end of PRE_COPY_P2P",
	  .fn = pauses, .arg = &pre_copy_p2p,
	  .needs = NEED_PRE_COPY | NEED_P2P },
	{ .name = "precopy: poll() at the temporary end", .fn = poll_at_pause,
	  .needs = NEED_PRE_COPY },
	INTO(0, "nothing read before"),
	INTO(1, "one byte read before"),
	INTO(2, "some read before"),
	INTO(3, "all read before"),
	INTO(4, "byte by byte"),
	INTO_P2P(5, "nothing read before"),
	INTO_P2P(6, "some read before"),
	INTO_P2P(7, "all read before"),
	{ .name = "precopy: to P2P and back with one fd", .fn = to_p2p_and_back,
	  .needs = NEED_PRE_COPY | NEED_P2P },
	{ .name = "precopy: given up again and again", .fn = given_up,
	  .arg = &pre_copy, .needs = NEED_PRE_COPY },
	{ .name = "precopy: P2P given up again and again", .fn = given_up,
	  .arg = &pre_copy_p2p, .needs = NEED_PRE_COPY | NEED_P2P },
	{ .name = "precopy: its data is accepted while the source runs",
	  .fn = both_ends, .needs = NEED_PRE_COPY | NEED_PAIR },
	{ .name = "precopy: its data alone is no state",
	  .fn = only_pre_copy_part, .needs = NEED_PRE_COPY | NEED_RESET },
	{ .name = "precopy: flags with MIG_PRECOPY_INFOv2", .fn = v2_flags,
	  .needs = NEED_PRE_COPY | NEED_V2 },
	{ }
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-fd.c - what a data fd is and is not, and how long it lives.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cases.h"
#include "mig.h"

/* cases that are the same for each kind of session */
static const unsigned int in_stop_copy = ST_STOP_COPY;
static const unsigned int in_resuming = ST_RESUMING;
static const unsigned int in_pre_copy = ST_PRE_COPY;

static int open_session(struct dev *d, const void *arg)
{
	dev_open(d, 0);
	return go_fd(d, *(const unsigned int *)arg);
}

static bool saves(const void *arg)
{
	return *(const unsigned int *)arg != ST_RESUMING;
}

static void flags_of_fd(const void *arg)
{
	struct dev d;
	int fd = open_session(&d, arg), mode;

	check(fcntl(fd, F_GETFD) & FD_CLOEXEC, "the fd is not O_CLOEXEC");
	mode = fcntl(fd, F_GETFL) & O_ACCMODE;
	check(mode == (saves(arg) ? O_RDONLY : O_WRONLY) || mode == O_RDWR,
	      "the access mode of the fd is %d", mode);
}

static void stream_like(const void *arg)
{
	static const int whence[] = { SEEK_SET, SEEK_CUR, SEEK_END };
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct dev d;
	int fd = open_session(&d, arg);
	unsigned int i;

	for (i = 0; i < 3; i++)
		check_err(lseek(fd, 0, whence[i]) < 0 ? -errno : 0, -ESPIPE,
			  "lseek() to 0, whence %d", whence[i]);
	check_err(lseek(fd, 5, SEEK_SET) < 0 ? -errno : 0, -ESPIPE,
		  "lseek() to 5");
	if (saves(arg)) {
		check_err(pread(fd, &byte, 1, 0) < 0 ? -errno : 0, -ESPIPE,
			  "pread()");
		check_err(preadv(fd, &iov, 1, 0) < 0 ? -errno : 0, -ESPIPE,
			  "preadv()");
	} else {
		check_err(pwrite(fd, &byte, 1, 0) < 0 ? -errno : 0, -ESPIPE,
			  "pwrite()");
		check_err(pwritev(fd, &iov, 1, 0) < 0 ? -errno : 0, -ESPIPE,
			  "pwritev()");
	}
}

static void wrong_way(const void *arg)
{
	struct dev d;
	int fd = open_session(&d, arg), err;
	char byte = 0;

	if (saves(arg))
		err = write(fd, &byte, 1) < 0 ? -errno : 0;
	else
		err = read(fd, &byte, 1) < 0 ? -errno : 0;
	check(err == -EBADF || err == -EINVAL,
	      "%s: expected EBADF or EINVAL, got %s",
	      saves(arg) ? "write() to what is read" : "read() of what is written",
	      errname(err));
	state_is(&d, *(const unsigned int *)arg);
}

static void other_ioctls(const void *arg)
{
	struct precopy_info info = { .argsz = sizeof(info) };
	struct dev d;
	int fd = open_session(&d, arg), err;

	err = ioctl(fd, VFIO_DEVICE_RESET) ? -errno : 0;
	check_err(err, -ENOTTY, "an ioctl that is not for a data fd");
	err = ioctl(fd, _IO(VFIO_TYPE, VFIO_BASE + 99), &info) ? -errno : 0;
	check_err(err, -ENOTTY, "an ioctl that does not exist");
	state_is(&d, *(const unsigned int *)arg);
}

static int poll_now(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	check(poll(&p, 1, 0) >= 0, "poll(): %s", strerror(errno));
	return p.revents;
}

static void poll_rules(const void *arg)
{
	struct stream s = { 0 };
	struct dev d;
	int fd = open_session(&d, arg), events;

	events = poll_now(fd);
	check(!(events & (POLLERR | POLLNVAL)),
	      "poll() of a living session says %x", events);
	if (saves(arg)) {
		check(events & POLLIN, "there is data, but poll() says %x",
		      events);
		if (*(const unsigned int *)arg != ST_STOP_COPY)
			go(&d, ST_STOP_COPY);
		read_to_end(fd, &s, 0);
		events = poll_now(fd);
		check(events & POLLIN,
		      "at the end of the stream a read() does not wait, but poll() says %x",
		      events);
	} else {
		check(events & POLLOUT, "a write() does not wait, but poll() says %x",
		      events);
	}
}

/* 0 bytes are neither data nor the end: the stream is whole afterwards */
static void zero_bytes(const void *arg)
{
	struct stream s = { 0 };
	struct dev d;
	char byte;
	int fd;

	dev_open(&d, 0);
	if (saves(arg)) {
		fd = go_fd(&d, *(const unsigned int *)arg);
		check(!read(fd, &byte, 0), "read() of 0 bytes: not 0");
		check(read_some(fd, &s, 5) > 0, "no data");
		check(!read(fd, &byte, 0), "read() of 0 bytes: not 0");
		if (*(const unsigned int *)arg != ST_STOP_COPY)
			go(&d, ST_STOP_COPY);
		read_to_end(fd, &s, 0);
		check(!read(fd, &byte, 0), "read() of 0 bytes at the end: not 0");
		go(&d, ST_STOP);
		loads(&d, &s);
		return;
	}
	own_stream(&d, &s);
	fd = go_fd(&d, ST_RESUMING);
	check(!write(fd, &byte, 0), "write() of 0 bytes: not 0");
	check_err(write_some(fd, s.data, s.len / 2, 0), 0, "write()");
	check(!write(fd, &byte, 0), "write() of 0 bytes: not 0");
	check_err(write_some(fd, s.data + s.len / 2, s.len - s.len / 2, 0), 0,
		  "write()");
	go(&d, ST_STOP);
	go(&d, ST_RUNNING);
}

/*
 * a failed copy moves nothing, one that ends at bad memory moves what it says
 */
static void bad_memory_read(const void *arg)
{
	struct stream s = { 0 };
	struct dev d;
	int fd = open_session(&d, arg), err;
	unsigned int i;
	ssize_t n;

	for (i = 0; i < 3; i++) {
		uint8_t *p = bad_address(3);

		err = read(fd, bad_address(0), 64) < 0 ? -errno : 0;
		check_err(err, -EFAULT, "read() into memory that is not there");
		n = read(fd, p, 64);
		if (n > 0) {
			check(n <= 3, "read() into 3 good bytes gave %zd", n);
			stream_add(&s, p, n);
		} else {
			check_err(n ? -errno : 0, -EFAULT,
				  "read() into 3 good bytes");
		}
		if (read_some(fd, &s, 9) <= 0)
			break;
	}
	if (*(const unsigned int *)arg != ST_STOP_COPY)
		go(&d, ST_STOP_COPY);
	read_to_end(fd, &s, 0);
	go(&d, ST_STOP);
	loads(&d, &s);
}

static void bad_memory_write(const void *arg)
{
	struct stream s = { 0 };
	size_t done = 0, i;
	struct dev d;
	int fd;

	(void)arg;
	dev_open(&d, 0);
	own_stream(&d, &s);
	fd = go_fd(&d, ST_RESUMING);
	for (i = 0; i < 3; i++) {
		size_t some = s.len / 5;
		uint8_t *p = bad_address(3);
		ssize_t n;

		check_err(write(fd, bad_address(0), 64) < 0 ? -errno : 0, -EFAULT,
			  "write() from memory that is not there");
		memcpy(p, s.data + done, 3);
		n = write(fd, p, 64);
		if (n > 0) {
			check(n <= 3, "write() of 3 good bytes gave %zd", n);
			done += n;
		} else {
			check_err(n ? -errno : 0, -EFAULT,
				  "write() of 3 good bytes");
		}
		check_err(write_some(fd, s.data + done, some, 0), 0,
			  "write() after one that failed with EFAULT");
		done += some;
	}
	check_err(write_some(fd, s.data + done, s.len - done, 0), 0,
		  "write() of the rest");
	go(&d, ST_STOP);
	go(&d, ST_RUNNING);
}

/* both fds of two sessions, one after the other */
static void second_session(const void *arg)
{
	bool saving = saves(arg);
	unsigned int state = *(const unsigned int *)arg;
	struct dev d;
	int one = open_session(&d, arg), two;

	if (!saving)
		reset(&d);
	go(&d, saving ? ST_STOP : ST_RUNNING);
	session_is_dead(one, saving);
	two = go_fd(&d, state);
	check(one != two, "the second session has the fd of the first");
	session_is_dead(one, saving);
	close(one);
	if (saving) {
		struct stream s = { 0 };

		if (state != ST_STOP_COPY)
			go(&d, ST_STOP_COPY);
		read_to_end(two, &s, 0);
		go(&d, ST_STOP);
		loads(&d, &s);
	} else {
		char byte = 0;

		check(write(two, &byte, 0) >= 0, "the second session is dead: %s",
		      strerror(errno));
		reset(&d);
	}
	session_is_dead(two, saving);
	whole_cycle(&d);
}

static void after_device(const void *arg)
{
	struct dev d;
	int fd = open_session(&d, arg);

	dev_close(&d);
	session_is_dead(fd, saves(arg));
	dev_open(&d, 0);
	state_is(&d, ST_RUNNING);
	session_is_dead(fd, saves(arg));
	whole_cycle(&d);
	close(fd);
	whole_cycle(&d);
}

/* a session is the device's, not its fd's */
static void closed_early(const void *arg)
{
	unsigned int state = *(const unsigned int *)arg;
	struct dev d;
	int fd = open_session(&d, arg);

	close(fd);
	state_is(&d, state);
	if (!saves(arg))
		reset(&d);
	go(&d, saves(arg) ? ST_STOP : ST_RUNNING);
	fd = go_fd(&d, state);
	close(fd);
	if (saves(arg))
		go(&d, ST_RUNNING);
	else
		reset(&d);
	whole_cycle(&d);
}

static void duplicate(const void *arg)
{
	struct stream s = { 0 };
	struct dev d;
	int fd = open_session(&d, arg), copy = dup(fd);

	check(copy >= 0, "dup(): %s", strerror(errno));
	check(read_some(fd, &s, 7) > 0, "no data");
	close(fd);
	read_to_end(copy, &s, 0);
	go(&d, ST_STOP);
	session_is_dead(copy, true);
	loads(&d, &s);
}

#define IN_STOP_COPY(what, func, more) \
	{ .name = "fd: STOP_COPY: " what, .fn = func, .arg = &in_stop_copy, \
	  .needs = more }
#define IN_PRE_COPY(what, func, more) \
	{ .name = "fd: PRE_COPY: " what, .fn = func, .arg = &in_pre_copy, \
	  .needs = NEED_PRE_COPY | (more) }
#define IN_RESUMING(what, func, more) \
	{ .name = "fd: RESUMING: " what, .fn = func, .arg = &in_resuming, \
	  .needs = more }

const struct tap_case fd_cases[] = {
	IN_STOP_COPY("close-on-exec, access mode", flags_of_fd, 0),
	IN_PRE_COPY("close-on-exec, access mode", flags_of_fd, 0),
	IN_RESUMING("close-on-exec, access mode", flags_of_fd, 0),
	IN_STOP_COPY("no position", stream_like, 0),
	IN_PRE_COPY("no position", stream_like, 0),
	IN_RESUMING("no position", stream_like, 0),
	IN_STOP_COPY("wrong direction", wrong_way, 0),
	IN_PRE_COPY("wrong direction", wrong_way, 0),
	IN_RESUMING("wrong direction", wrong_way, 0),
	IN_STOP_COPY("ioctls of others", other_ioctls, 0),
	IN_PRE_COPY("ioctls of others", other_ioctls, 0),
	IN_RESUMING("ioctls of others", other_ioctls, 0),
	IN_STOP_COPY("poll()", poll_rules, 0),
	IN_PRE_COPY("poll()", poll_rules, 0),
	IN_RESUMING("poll()", poll_rules, 0),
	IN_STOP_COPY("0 bytes", zero_bytes, 0),
	IN_PRE_COPY("0 bytes", zero_bytes, 0),
	IN_RESUMING("0 bytes", zero_bytes, 0),
	IN_STOP_COPY("bad memory moves nothing", bad_memory_read, 0),
	IN_PRE_COPY("bad memory moves nothing", bad_memory_read, 0),
	IN_RESUMING("bad memory moves nothing", bad_memory_write, 0),
	IN_STOP_COPY("a second session does not revive the first",
		second_session, NEED_RESET),
	IN_PRE_COPY("a second session does not revive the first",
		second_session, NEED_RESET),
	IN_RESUMING("a second session does not revive the first",
		second_session, NEED_RESET),
	IN_STOP_COPY("kept open when the device is closed", after_device, 0),
	IN_PRE_COPY("kept open when the device is closed", after_device, 0),
	IN_RESUMING("kept open when the device is closed", after_device, 0),
	IN_STOP_COPY("closed before its state is left",
		closed_early, NEED_RESET),
	IN_PRE_COPY("closed before its state is left",
		closed_early, NEED_RESET),
	IN_RESUMING("closed before its state is left",
		closed_early, NEED_RESET),
	IN_STOP_COPY("duplicate", duplicate, 0),
	{ }
};

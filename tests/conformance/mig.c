// SPDX-License-Identifier: GPL-2.0-only
/*
 * mig.c - features and states of a device: see mig.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mig.h"
#include "check.h"

struct run run;

void dev_open(struct dev *d, unsigned int which)
{
	char why[300];

	if (dev_try_open(d, &run.target[which], run.way, why, sizeof(why)))
		fail("%s: cannot be opened: %s", run.target[which].name, why);
}

void reset(struct dev *d)
{
	check_err(dev_reset(d), 0, "VFIO_DEVICE_RESET");
}

int feature_argsz(struct dev *d, uint32_t argsz, uint32_t flags, void *data,
		  size_t len)
{
	struct {
		struct feature_head head;
		uint8_t data[128];
	} arg = { .head = { .argsz = argsz, .flags = flags } };
	int err;

	if (len > sizeof(arg.data))
		return -E2BIG;
	if (len)
		memcpy(arg.data, data, len);
	err = ioctl(d->fd, IOC_FEATURE, &arg) < 0 ? -errno : 0;
	if (len)
		memcpy(data, arg.data, len);
	return err;
}

int feature(struct dev *d, uint32_t flags, void *data, size_t len)
{
	return feature_argsz(d, sizeof(struct feature_head) + len, flags, data,
			     len);
}

int data_size(struct dev *d, uint64_t *bytes)
{
	*bytes = 0;
	return feature(d, FEAT_DATA_SIZE | FEATURE_GET, bytes, sizeof(*bytes));
}

int log_start(struct dev *d, struct log_range *ranges, uint32_t n,
		     uint64_t *page_size)
{
	struct log_control c = {
		.page_size = *page_size, .num_ranges = n,
		.ranges = (uintptr_t)ranges,
	};
	int err = feature(d, FEAT_LOG_START | FEATURE_SET, &c, sizeof(c));

	*page_size = c.page_size;
	return err;
}

int log_stop(struct dev *d)
{
	return feature(d, FEAT_LOG_STOP | FEATURE_SET, NULL, 0);
}

int log_report(struct dev *d, uint64_t iova, uint64_t length,
		      uint64_t page_size, void *bitmap)
{
	struct log_report r = {
		.iova = iova, .length = length, .page_size = page_size,
		.bitmap = (uintptr_t)bitmap,
	};

	return feature(d, FEAT_LOG_REPORT | FEATURE_GET, &r, sizeof(r));
}

const char *st_name(unsigned int state)
{
	static const char * const names[ST_NR] = {
		"ERROR", "STOP", "RUNNING", "STOP_COPY", "RESUMING",
		"RUNNING_P2P", "PRE_COPY", "PRE_COPY_P2P",
	};

	return state < ST_NR ? names[state] : "a state that does not exist";
}

bool st_pre_copy(unsigned int state)
{
	return state == ST_PRE_COPY || state == ST_PRE_COPY_P2P;
}

bool st_saving(unsigned int state)
{
	return state == ST_STOP_COPY || st_pre_copy(state);
}

bool st_supported(unsigned int state)
{
	if (state >= ST_NR)
		return false;
	if ((state == ST_RUNNING_P2P || state == ST_PRE_COPY_P2P) &&
	    !(run.flags & MIG_FLAG_P2P))
		return false;
	return !st_pre_copy(state) || run.flags & MIG_FLAG_PRE_COPY;
}

bool arc_allowed(unsigned int from, unsigned int to)
{
	if (from == ST_ERROR || to == ST_ERROR || !st_supported(to))
		return false;
	return !(from == ST_STOP_COPY && st_pre_copy(to));
}

bool arc_keeps_session(unsigned int from, unsigned int to)
{
	return from == to || (st_saving(from) && st_saving(to));
}

bool arc_gives_fd(unsigned int from, unsigned int to)
{
	return !arc_keeps_session(from, to) &&
	       (st_saving(to) || to == ST_RESUMING);
}

int mig_set(struct dev *d, unsigned int state, int *fd)
{
	/* not -1: the kernel has to report it */
	struct mig_state_arg arg = { .device_state = state, .data_fd = -2 };
	int err = feature(d, FEAT_STATE | FEATURE_SET, &arg, sizeof(arg));

	if (fd)
		*fd = -1;
	if (err) {
		check(arg.data_fd < 0, "to %s: failed with %s, but gave fd %d",
		      st_name(state), errname(err), arg.data_fd);
		return err;
	}
	check(arg.data_fd >= -1, "to %s: data_fd was not set", st_name(state));
	if (fd)
		*fd = arg.data_fd;
	else
		check(arg.data_fd == -1, "to %s: data_fd: expected -1, got %d",
		      st_name(state), arg.data_fd);
	return 0;
}

unsigned int mig_get(struct dev *d)
{
	struct mig_state_arg arg = { .device_state = ~0U, .data_fd = -2 };

	check_err(feature(d, FEAT_STATE | FEATURE_GET, &arg, sizeof(arg)), 0,
		  "GET of the state");
	check(arg.data_fd == -1, "GET of the state: data_fd: expected -1, got %d",
	      arg.data_fd);
	check(arg.device_state < ST_NR, "the state is %u, which is none",
	      arg.device_state);
	return arg.device_state;
}

void state_is(struct dev *d, unsigned int state)
{
	unsigned int now = mig_get(d);

	check(now == state, "state: expected %s, got %s", st_name(state),
	      st_name(now));
}

void go(struct dev *d, unsigned int state)
{
	unsigned int from = mig_get(d);

	check_err(mig_set(d, state, NULL), 0, "%s -> %s", st_name(from),
		  st_name(state));
	state_is(d, state);
}

int go_fd(struct dev *d, unsigned int state)
{
	unsigned int from = mig_get(d);
	int fd;

	check_err(mig_set(d, state, &fd), 0, "%s -> %s", st_name(from),
		  st_name(state));
	check(fd >= 0, "%s -> %s: no data fd came", st_name(from),
	      st_name(state));
	state_is(d, state);
	return fd;
}

void make_error(struct dev *d)
{
	static const char junk[] = "this is the state of no device";
	struct stream s = { 0 };
	unsigned int i;

	own_stream(d, &s);
	for (i = 0; i < 3; i++) {
		int fd = go_fd(d, ST_RESUMING);

		if (i == 0)
			write_some(fd, s.data, s.len / 2, 0);
		else if (i == 1)
			write_some(fd, junk, sizeof(junk), 0);
		mig_set(d, ST_STOP, NULL);
		close(fd);
		if (mig_get(d) == ST_ERROR)
			return;
		reset(d);
	}
	tap_skip("no way into ERROR: bad streams do not lead there with this driver");
}

void session_is_dead(int fd, bool saving)
{
	struct precopy_info info = { .argsz = sizeof(info) };
	char byte = 0;
	ssize_t n;
	int err;

	n = saving ? read(fd, &byte, 1) : write(fd, &byte, 1);
	check(n < 0, "%s on the fd of a state that was left succeeded",
	      saving ? "read()" : "write()");
	check_err(-errno, -ENODEV, "%s on the fd of a state that was left",
		  saving ? "read()" : "write()");
	err = ioctl(fd, IOC_PRECOPY_INFO, &info) ? -errno : 0;
	check(err, "VFIO_MIG_GET_PRECOPY_INFO on the fd of a state that was left succeeded");
	/* "not in PRE_COPY" is true as well, and may come first */
	check(err == -ENODEV || err == -EINVAL ||
	      (err == -ENOTTY && !(saving && run.flags & MIG_FLAG_PRE_COPY)),
	      "VFIO_MIG_GET_PRECOPY_INFO on the fd of a state that was left: expected ENODEV or EINVAL, got %s",
	      errname(err));
}

unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	check(dir, "/proc/self/fd: %s", strerror(errno));
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

void *bad_address(size_t good)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t room = (good + page) / page * page;
	char *p = mmap(NULL, room + page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(p != MAP_FAILED && !mprotect(p + room, page, PROT_NONE),
	      "no memory: %s", strerror(errno));
	return p + room - good;
}

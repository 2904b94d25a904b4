// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-fd.c - the rules of the uAPI: what data fds do and do not do, which arcs
 * do not exist, what closing means.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "cases.h"
#include "move.h"

static void expect_errno(ssize_t n, int want, const char *what)
{
	int seen = errno;

	check(n < 0, "%s: expected errno %d, got %zd", what, want, n);
	check(seen == want, "%s: expected errno %d, got %d", what, want, seen);
}

static void wrong_direction(const void *arg)
{
	struct vfio_dev a, b;
	struct workload *w;
	char buf[16] = "";
	int fd;

	(void)arg;
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	must(vfio_mig_set(&a, MIG_STOP_COPY, &fd));
	check(write(fd, buf, sizeof(buf)) < 0,
	      "a data fd of STOP_COPY takes a write");
	expect_errno(pread(fd, buf, sizeof(buf), 0), ESPIPE, "pread");
	expect_errno(lseek(fd, 0, SEEK_SET), ESPIPE, "lseek");
	close(fd);
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));

	must(vfio_mig_set(&b, MIG_RESUMING, &fd));
	check(read(fd, buf, sizeof(buf)) < 0,
	      "a data fd of RESUMING gives a read");
	expect_errno(pwrite(fd, buf, sizeof(buf), 0), ESPIPE, "pwrite");
	close(fd);
	must(vfio_reset(&b));
	workload_check(w);
}

static void read_rules(const void *arg)
{
	struct mig_stream s = { 0 }, t = { 0 };
	struct pollfd p = { .events = POLLIN };
	void *volatile nowhere = NULL;
	struct vfio_dev a;
	struct workload *w;
	char buf[16];
	int fd, i;

	(void)arg;
	w = solo_open(&a, VF_A, NULL);
	must(vfio_mig_set(&a, MIG_STOP_COPY, &fd));
	check_eq(read(fd, buf, 0), 0, "read of 0 bytes");
	errno = 0;
	expect_errno(read(fd, nowhere, 16), EFAULT, "read to address 0");
	must(mig_read(fd, &s, SIZE_MAX));
	check(s.len > 0, "the stream is empty");
	for (i = 0; i < 3; i++)
		check_eq(read(fd, buf, sizeof(buf)), 0, "read at the end");
	p.fd = fd;
	check_eq(poll(&p, 1, 1000), 1, "poll at the end");
	close(fd);

	/* the same state read in small pieces is the same stream */
	must(vfio_mig_set(&a, MIG_STOP, NULL));
	must(vfio_mig_set(&a, MIG_STOP_COPY, &fd));
	for (;;) {
		ssize_t n = read(fd, buf, 7);

		check(n >= 0, "read: errno %d", errno);
		if (!n)
			break;
		must(mig_stream_append(&t, buf, n));
	}
	check_eq((long)t.len, (long)s.len, "bytes when read 7 at a time");
	close(fd);
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
}

/* once its state has been left, a data fd is dead, and stays dead */
static void after_the_state(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	int old, fd, third;
	struct workload *w;
	char byte = 0;

	(void)arg;
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	must(vfio_mig_set(&a, MIG_STOP_COPY, &old));
	must(vfio_mig_set(&a, MIG_STOP, NULL));
	expect_errno(read(old, &byte, 1), ENODEV, "read after STOP_COPY");
	/* a new one does not revive the old one */
	must(vfio_mig_set(&a, MIG_STOP_COPY, &fd));
	expect_errno(read(old, &byte, 1), ENODEV, "read of the first fd");
	must(mig_read(fd, &s, SIZE_MAX));
	close(old);
	must(vfio_mig_set(&b, MIG_RESUMING, &third));
	must(mig_write(third, s.data, s.len, 0));
	must(vfio_mig_set(&b, MIG_STOP, NULL));
	expect_errno(write(third, &byte, 1), ENODEV, "write after RESUMING");
	must(nvme_rebind(&w->ctrl, &b));
	must(mig_start(&b, NULL));
	expect_errno(write(third, &byte, 1), ENODEV, "write while running");
	must(vfio_mig_set(&a, MIG_STOP, NULL));
	expect_errno(read(fd, &byte, 1), ENODEV, "read of the second fd");
	/* the device goes first, its fds last */
	vfio_close(&a);
	vfio_close(&b);
	expect_errno(read(fd, &byte, 1), ENODEV, "read after close");
	expect_errno(write(third, &byte, 1), ENODEV, "write after close");
	close(fd);
	close(third);
	alive(&a, VF_A);
	alive(&b, VF_C);
}

/* data fds that outlive a device that is closed in mid-state */
static void close_device_first(const void *arg)
{
	struct vfio_dev a, b;
	int fd_a, fd_b;
	char byte = 0;

	(void)arg;
	pair_open(&a, VF_A, &b, VF_C, NULL);
	must(vfio_mig_set(&a, MIG_STOP_COPY, &fd_a));
	must(vfio_mig_set(&b, MIG_RESUMING, &fd_b));
	vfio_close(&a);
	vfio_close(&b);
	expect_errno(read(fd_a, &byte, 1), ENODEV, "read after close");
	expect_errno(write(fd_b, &byte, 1), ENODEV, "write after close");
	alive(&a, VF_A);
	expect_errno(read(fd_a, &byte, 1), ENODEV, "read after reopening");
	close(fd_a);
	close(fd_b);
	alive(&b, VF_C);
}

static void close_fd_early(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	int fd;

	(void)arg;
	w = pair_busy(&a, &b);
	must(vfio_mig_set(&a, MIG_STOP_COPY, &fd));
	close(fd);
	state_is(&a, MIG_STOP_COPY);
	must(vfio_mig_set(&a, MIG_STOP, NULL));
	must(mig_save(&a, &s, NULL));
	must(vfio_mig_set(&b, MIG_RESUMING, &fd));
	must(mig_write(fd, s.data, s.len, 0));
	close(fd);
	state_is(&b, MIG_RESUMING);
	must(vfio_mig_set(&b, MIG_STOP, NULL));
	must(nvme_rebind(&w->ctrl, &b));
	must(mig_start(&b, NULL));
	workload_check(w);
	workload_event(w);
}

/* @arg: state in which the whole device is closed */
static void close_in(const void *arg)
{
	unsigned int state = *(const unsigned int *)arg;
	struct vfio_dev a;
	struct workload *w;

	w = solo_open(&a, VF_A, NULL);
	workload_fill(w, 30);
	must(vfio_mig_set(&a, state, NULL));
	vfio_close(&a);
	alive(&a, VF_A);
	alive(&a, VF_A);
}

/* @arg: state from which arcs that do not exist are tried */
static void no_such_arc(const void *arg)
{
	static const unsigned int wrong[] = {
		MIG_ERROR, 8, 100, 0xffffffff,
	};
	unsigned int from = *(const unsigned int *)arg, i;
	struct vfio_dev a;
	struct workload *w;
	int fd = -1, err;

	w = solo_open(&a, VF_A, NULL);
	if (from != MIG_RUNNING)
		must(vfio_mig_set(&a, from, &fd));
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		err = vfio_mig_set(&a, wrong[i], NULL);
		check(err == -EINVAL, "%s to %s (%u): expected EINVAL, got %d",
		      mig_name(from), mig_name(wrong[i]), wrong[i], -err);
		state_is(&a, from);
	}
	/* to the state it is in: nothing to do */
	must(vfio_mig_set(&a, from, NULL));
	state_is(&a, from);
	if (fd >= 0)
		close(fd);
	if (from == MIG_RESUMING) {
		must(vfio_reset(&a));
		alive(&a, VF_A);
		return;
	}
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
}

/* without reading, without writing: arcs that lead through other states */
static void long_ways(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	int fd;

	(void)arg;
	w = pair_busy(&a, &b);
	/* from RUNNING straight to the data */
	must(vfio_mig_set(&a, MIG_STOP_COPY, &fd));
	check(fd >= 0, "RUNNING to STOP_COPY gave no data fd");
	must(mig_read(fd, &s, SIZE_MAX));
	close(fd);
	must(vfio_mig_set(&b, MIG_RESUMING, &fd));
	check(fd >= 0, "RUNNING to RESUMING gave no data fd");
	must(mig_write(fd, s.data, s.len, 0));
	must(nvme_rebind(&w->ctrl, &b));
	must(vfio_mig_set(&b, MIG_RUNNING, NULL));
	close(fd);
	workload_check(w);
	workload_event(w);
}

#define LARGE	1500000L	/* of which one command carries only a part */

static struct workload *large_open(struct vfio_dev *a, struct vfio_dev *b)
{
	if (bed.set == SET_VENDOR)
		tap_skip("this set moves a state by one command");
	model_set(0, "lm-pad=%ld", LARGE);
	model_set(1, "lm-pad=%ld", LARGE);
	return pair_open(a, VF_A, b, VF_C, NULL);
}

/* a read returns what is there before the device is asked for more */
static void piece_by_piece(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	long gets;
	int fd;

	(void)arg;
	w = large_open(&a, &b);
	workload_fill(w, 40);
	must(mig_stop(&a, NULL));
	model_zero(0);
	must(vfio_mig_set(&a, MIG_STOP_COPY, &fd));
	check_eq(model_count(0, 0x42, 0), 1, "Gets of the arc");
	s.room = 2 * LARGE;
	s.data = malloc(s.room);
	s.len = read(fd, s.data, s.room);
	check(s.len > 4096 && s.len < (size_t)LARGE,
	      "the first read gave %zd bytes", (ssize_t)s.len);
	check_eq(model_count(0, 0x42, 0), 1, "Gets after the first read");
	must(mig_read(fd, &s, 1));
	check_eq(model_count(0, 0x42, 0), 2, "Gets for one byte more");
	must(mig_read(fd, &s, SIZE_MAX));
	gets = model_count(0, 0x42, 0);
	check(gets > 2, "%ld Gets in all", gets);
	close(fd);
	move_load(w, &b, &s, NULL);
	workload_check(w);
}

/* a piece that cannot be read fails the read, and the next read goes on */
static void read_again(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	int fd, err;

	(void)arg;
	w = large_open(&a, &b);
	workload_fill(w, 40);
	must(mig_stop(&a, NULL));
	model_set(0, "lm-fail=0x42@3=0x4006");
	must(vfio_mig_set(&a, MIG_STOP_COPY, &fd));
	err = mig_read(fd, &s, SIZE_MAX);
	check_eq(err, -EIO, "read of a piece that the device refuses");
	check(s.len > 4096 && s.len < (size_t)LARGE, "%zu bytes before it",
	      s.len);
	state_is(&a, MIG_STOP_COPY);
	must(mig_read(fd, &s, SIZE_MAX));
	close(fd);
	move_load(w, &b, &s, NULL);
	workload_check(w);
}

/* the same, and the guest continues where it was */
static void read_fails(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	int fd;

	(void)arg;
	w = large_open(&a, &b);
	workload_fill(w, 40);
	model_set(0, "lm-fail=0x42@2=0x4006");
	must(vfio_mig_set(&a, MIG_STOP_COPY, &fd));
	check_eq(mig_read(fd, &s, SIZE_MAX), -EIO, "read");
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	close(fd);
	workload_check(w);
	workload_event(w);
}

/* for a later piece the device does not say that the VF was suspended */
static void read_doubted(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	int fd;

	(void)arg;
	w = large_open(&a, &b);
	workload_fill(w, 40);
	must(mig_stop(&a, NULL));
	must(vfio_mig_set(&a, MIG_STOP_COPY, &fd));
	must(mig_read(fd, &s, 1000));
	model_set(0, "lm-lie=csup-clear");
	check_eq(mig_read(fd, &s, SIZE_MAX), -EIO, "read of what may run");
	state_is(&a, MIG_STOP_COPY);
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	close(fd);
	workload_check(w);
	workload_event(w);
}

static const unsigned int running = MIG_RUNNING, p2p = MIG_RUNNING_P2P,
	stop = MIG_STOP, copy = MIG_STOP_COPY, resuming = MIG_RESUMING;

const struct tap_case fd_cases[] = {
	{ .name = "data fd used in the wrong direction",
	  .fn = wrong_direction },
	{ .name = "reading a data fd", .fn = read_rules },
	{ .name = "data fd after its state", .fn = after_the_state },
	{ .name = "data fd after its device", .fn = close_device_first },
	{ .name = "data fd closed early", .fn = close_fd_early },
	{ .name = "device closed in STOP_COPY", .fn = close_in,
	  .arg = &copy },
	{ .name = "device closed in RESUMING", .fn = close_in,
	  .arg = &resuming },
	{ .name = "no such arc from RUNNING", .fn = no_such_arc,
	  .arg = &running },
	{ .name = "no such arc from RUNNING_P2P", .fn = no_such_arc,
	  .arg = &p2p,
	  .deep = true },
	{ .name = "no such arc from STOP", .fn = no_such_arc, .arg = &stop,
	  .deep = true },
	{ .name = "no such arc from STOP_COPY", .fn = no_such_arc,
	  .arg = &copy,
	  .deep = true },
	{ .name = "no such arc from RESUMING", .fn = no_such_arc,
	  .arg = &resuming },
	{ .name = "arcs through other states", .fn = long_ways },
	{ .name = "large state piece by piece", .fn = piece_by_piece },
	{ .name = "large state, a read fails and is repeated",
	  .fn = read_again, .log = "failed with status" },
	{ .name = "large state, a read fails and the guest goes on",
	  .fn = read_fails, .log = "failed with status" },
	{ .name = "large state, a piece is in doubt and the guest goes on",
	  .fn = read_doubted, .log = "does not confirm" },
	{ }
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-precopy.c - PRE_COPY: the destination gets what it can judge while the
 * guest still runs at the source, and for the downtime only the least remains
 * that the command set allows.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cases.h"
#include "move.h"

static bool has_precopy(struct vfio_dev *dev)
{
	uint64_t flags;

	must(vfio_mig_flags(dev, &flags));
	return flags & VFIO_MIGRATION_PRE_COPY;
}

static void need_precopy(struct vfio_dev *dev)
{
	if (!has_precopy(dev))
		tap_skip("this kernel has no PRE_COPY");
}

static int info_of(int fd, struct mig_precopy_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	return ioctl(fd, MIG_GET_PRECOPY_INFO, info) ? -errno : 0;
}

static void initial_is(int fd, uint64_t want)
{
	struct mig_precopy_info info;

	check_eq(info_of(fd, &info), 0, "PRECOPY_INFO");
	check_eq(info.initial_bytes, want, "initial bytes");
	check_eq(info.dirty_bytes, 0, "dirty bytes");
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0 && (p.revents & POLLIN);
}

/* read up to the temporary end */
static void read_initial(int fd, struct mig_stream *s)
{
	int err = mig_read(fd, s, SIZE_MAX);

	check(err == -ENOMSG, "expected ENOMSG at the end of what PRE_COPY has, got %d",
	      err);
}

/*
 * A whole migration as QEMU does it; @arg: also by way of PRE_COPY_P2P. The
 * source's and the destination's commands from the stop on are counted, with a
 * state that one command carries.
 */
static void through(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	int out, in, std = bed.set == SET_STANDARD;
	size_t first;

	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	need_precopy(&a);
	one_command_each();
	must(vfio_mig_set(&a, MIG_PRE_COPY, &out));
	must(vfio_mig_set(&b, MIG_RESUMING, &in));
	check(out >= 0 && in >= 0, "no data fd");
	check(readable(out), "the initial data are not readable");
	read_initial(out, &s);
	initial_is(out, 0);
	check(!readable(out), "readable, though there is nothing to read");
	must(mig_write(in, s.data, s.len, 0));
	first = s.len;
	/* the guest runs on all the time */
	workload_burst(w, 4);
	workload_event(w);
	workload_fill(w, 40);

	model_zero(0);
	model_zero(1);
	if (arg) {
		int none;

		must(vfio_mig_set(&a, MIG_PRE_COPY_P2P, &none));
		check(none < 0, "PRE_COPY to PRE_COPY_P2P gave a data fd");
		check_eq(read(out, &none, 1), -1, "read in PRE_COPY_P2P");
		check_eq(errno, ENOMSG, "errno of a read in PRE_COPY_P2P");
		must(vfio_mig_set(&a, MIG_STOP_COPY, &none));
		check(none < 0, "STOP_COPY gave a second data fd");
	} else {
		must(vfio_mig_set(&a, MIG_STOP_COPY, NULL));
	}
	state_is(&a, MIG_STOP_COPY);
	check(readable(out), "the state is not readable");
	must(mig_read(out, &s, SIZE_MAX));
	check(s.len > first, "STOP_COPY added nothing");
	must(mig_write(in, s.data + first, s.len - first, 0));
	must(vfio_mig_set(&b, MIG_STOP, NULL));
	must(nvme_rebind(&w->ctrl, &b));
	must(mig_start(&b, NULL));
	check_eq(model_count(0, std ? 0x41 : 0xc8, std ? 0 : -1), 1, "suspends");
	check_eq(model_count(0, std ? 0x42 : 0xd2, std ? 0 : -1), 1,
		 "reads of the state");
	check_eq(std ? 0 : model_count(0, 0xc4, -1), std ? 0 : 1,
		 "questions for the size");
	check_eq(model_count(1, std ? 0x41 : 0xd5, std ? 2 : -1), 1,
		 "writes of the state");
	check_eq(model_count(1, std ? 0x41 : 0xcc, std ? 1 : -1), 1, "resumes");
	close(out);
	close(in);
	workload_check(w);
	workload_event(w);
}

/* the state becomes larger, and much larger, than reported in PRE_COPY */
static void grows(const void *arg)
{
	static const long pad[] = { 4096, 600000, 3000000 };
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	unsigned int i, n = bed.set == SET_VENDOR ? 1 : 3;
	int out;

	(void)arg;
	for (i = 0; i < n; i++) {
		model_set(0, "lm-pad=0");
		w = pair_open(&a, VF_A, &b, VF_C, NULL);
		need_precopy(&a);
		must(vfio_mig_set(&a, MIG_PRE_COPY, &out));
		model_set(0, "lm-pad=%ld", pad[i]);
		model_set(1, "lm-pad=%ld", pad[i]);
		workload_fill(w, 40);
		s.len = 0;
		must(vfio_mig_set(&a, MIG_STOP_COPY, NULL));
		must(mig_read(out, &s, SIZE_MAX));
		close(out);
		check(s.len > (size_t)pad[i], "the stream has %zu bytes", s.len);
		move_load(w, &b, &s, NULL);
		workload_check(w);
		vfio_close(&a);
		vfio_close(&b);
		workload_free(w);
	}
}

/*
 * A device may report less than there is once it is suspended: the difference
 * costs no extra command. Without PRE_COPY the size is asked for.
 */
static void grows_a_little(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	uint64_t size;
	int fd = -1;

	(void)arg;
	if (bed.set == SET_VENDOR)
		tap_skip("the vendor set moves the state in one command");
	/* more than one page; two are asked for */
	model_set(0, "lm-pad=5000");
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	must(vfio_mig_data_size(&a, &size));
	if (has_precopy(&a))
		must(vfio_mig_set(&a, MIG_PRE_COPY, &fd));
	model_set(0, "lm-pad=15000");
	model_set(1, "lm-pad=15000");
	model_zero(0);
	must(vfio_mig_set(&a, MIG_STOP_COPY, fd < 0 ? &fd : NULL));
	must(mig_read(fd, &s, SIZE_MAX));
	close(fd);
	check(s.len > 15000, "the stream has %zu bytes", s.len);
	check_eq(model_count(0, 0x42, 0), 1, "reads of the state");
	move_load(w, &b, &s, NULL);
	workload_check(w);
}

/* a device that knows about the Suspend beforehand may need less time for it */
static void told_before(const void *arg)
{
	uint64_t start, us;
	struct vfio_dev a;
	struct workload *w;
	int fd;

	(void)arg;
	if (bed.set == SET_VENDOR)
		tap_skip("the vendor set has no command for it");
	model_set(0, "lm-suspend-delay-ms=3000\nlm-suspend-told-ms=20");
	w = solo_open(&a, VF_A, NULL);
	need_precopy(&a);
	must(vfio_mig_set(&a, MIG_PRE_COPY, &fd));
	workload_burst(w, 1);
	start = now_us();
	must(vfio_mig_set(&a, MIG_STOP_COPY, NULL));
	us = now_us() - start;
	check(us < 3000000, "the stop took %llu ms",
	      (unsigned long long)us / 1000);
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	close(fd);
	/* and one that refuses the notification is suspended anyway */
	model_set(0, "lm-fail=0x41/0@1=0x4002");
	must(vfio_mig_set(&a, MIG_PRE_COPY, &fd));
	must(vfio_mig_set(&a, MIG_STOP_COPY, NULL));
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	close(fd);
	workload_check(w);
}

/*
 * QEMU asks for the size ten times a second, and a device may let I/O wait
 * while it finds out.
 */
static void size_seldom(const void *arg)
{
	int std = bed.set == SET_STANDARD;
	struct vfio_dev a;
	struct workload *w;
	uint64_t size;
	long asked;
	int fd, i;

	(void)arg;
	w = solo_open(&a, VF_A, NULL);
	model_zero(0);
	for (i = 0; i < 16; i++) {
		must(vfio_mig_data_size(&a, &size));
		usleep(50000);
	}
	asked = model_count(0, std ? 0x42 : 0xc4, std ? 0 : -1);
	check(asked >= 1 && asked <= 3, "a running device was asked %ld times",
	      asked);
	/* what has just been reported is not asked for again */
	if (has_precopy(&a)) {
		must(vfio_mig_set(&a, MIG_PRE_COPY, &fd));
		model_zero(0);
		for (i = 0; i < 4; i++)
			must(vfio_mig_data_size(&a, &size));
		asked = model_count(0, std ? 0x42 : 0xc4, std ? 0 : -1);
		check_eq(asked, 0, "questions behind PRE_COPY");
		close(fd);
	}
	workload_check(w);
}

/* what does not fit together is refused before anything stops */
static void refuses_early(const void *arg)
{
	static const char * const change[] = {
		"lm-model=another drive", "lm-firmware=2.0",
	};
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	unsigned int i;
	int out, in, err;

	(void)arg;
	for (i = 0; i < 3; i++) {
		if (i < 2)
			model_set(1, change[i]);
		else
			bed_use_set(1, bed.set == SET_VENDOR ? SET_STANDARD :
							       SET_VENDOR);
		w = pair_open(&a, VF_A, &b, VF_C, NULL);
		need_precopy(&a);
		must(vfio_mig_set(&a, MIG_PRE_COPY, &out));
		must(vfio_mig_set(&b, MIG_RESUMING, &in));
		s.len = 0;
		read_initial(out, &s);
		err = mig_write(in, s.data, s.len, 0);
		check(err == -EINVAL, "%s: expected EINVAL, got %d",
		      i < 2 ? change[i] : "another set", err);
		state_is(&a, MIG_PRE_COPY);
		workload_burst(w, 1);
		must(vfio_mig_set(&a, MIG_RUNNING, NULL));
		check_eq(read(out, &err, 1), -1, "read after PRE_COPY");
		check_eq(errno, ENODEV, "errno of a read after PRE_COPY");
		close(out);
		close(in);
		workload_check(w);
		workload_event(w);
		must(vfio_reset(&b));
		vfio_close(&a);
		vfio_close(&b);
		workload_free(w);
		model_set(1, "lm-model=\nlm-firmware=");
		bed_use_set(1, bed.set);
	}
}

/* too large for the destination, then for the source itself */
static void too_large(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	int out, in, err;

	(void)arg;
	if (bed.set == SET_VENDOR)
		tap_skip("no blob of this set reaches the smallest limit");
	model_set(0, "lm-pad=2097152");
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	need_precopy(&a);
	must(vfio_mig_set(&a, MIG_PRE_COPY, &out));
	read_initial(out, &s);
	must(sysfs_write("1", CAP_PARAM));
	must(vfio_mig_set(&b, MIG_RESUMING, &in));
	err = mig_write(in, s.data, s.len, 0);
	check(err == -ENOSPC, "destination: expected ENOSPC, got %d", err);
	close(in);
	workload_burst(w, 1);
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	close(out);
	err = vfio_mig_set(&a, MIG_PRE_COPY, &out);
	check(err == -ENOSPC, "source: expected ENOSPC, got %d", err);
	state_is(&a, MIG_RUNNING);
	workload_check(w);
}

static void info_rules(const void *arg)
{
	struct mig_precopy_info info;
	struct mig_stream s = { 0 };
	struct vfio_dev a;
	struct workload *w;
	uint64_t all;
	int fd;

	(void)arg;
	w = solo_open(&a, VF_A, NULL);
	need_precopy(&a);
	must(vfio_mig_set(&a, MIG_PRE_COPY, &fd));
	check_eq(info_of(fd, &info), 0, "PRECOPY_INFO");
	all = info.initial_bytes;
	check(all, "no initial bytes");
	must(mig_read(fd, &s, 10));
	initial_is(fd, all - 10);
	info.argsz = sizeof(info) - 1;
	check(ioctl(fd, MIG_GET_PRECOPY_INFO, &info) && errno == EINVAL,
	      "short argsz: expected EINVAL");
	check(ioctl(fd, MIG_GET_PRECOPY_INFO + 1, &info) && errno == ENOTTY,
	      "another ioctl: expected ENOTTY");
	/* also asked for in PRE_COPY_P2P, and the rest is not lost */
	must(vfio_mig_set(&a, MIG_PRE_COPY_P2P, NULL));
	initial_is(fd, all - 10);
	must(vfio_mig_set(&a, MIG_STOP_COPY, NULL));
	check_eq(info_of(fd, &info), -EINVAL, "PRECOPY_INFO in STOP_COPY");
	must(mig_read(fd, &s, SIZE_MAX));
	check(s.len > all, "the stream ends early");
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	check_eq(info_of(fd, &info), -EINVAL, "PRECOPY_INFO afterwards");
	close(fd);
	workload_check(w);
}

/* back and forth, like a user who cannot decide; @arg: read or not */
static void undecided(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	int i, fd;

	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	need_precopy(&a);
	for (i = 0; i < 3; i++) {
		workload_fill(w, 30);
		must(vfio_mig_set(&a, MIG_PRE_COPY, &fd));
		if (arg)
			read_initial(fd, &s);
		must(vfio_mig_set(&a, MIG_PRE_COPY_P2P, NULL));
		must(vfio_mig_set(&a, MIG_PRE_COPY, NULL));
		workload_burst(w, 1);
		must(vfio_mig_set(&a, MIG_PRE_COPY_P2P, NULL));
		must(vfio_mig_set(&a, MIG_STOP_COPY, NULL));
		close(fd);
		must(vfio_mig_set(&a, MIG_RUNNING_P2P, NULL));
		/* a suspended VF whose state was already read begins again */
		must(vfio_mig_set(&a, MIG_PRE_COPY_P2P, &fd));
		must(vfio_mig_set(&a, MIG_PRE_COPY, NULL));
		workload_check(w);
		workload_event(w);
		workload_fill(w, 30);
		must(vfio_mig_set(&a, MIG_STOP_COPY, NULL));
		s.len = 0;
		must(mig_read(fd, &s, SIZE_MAX));
		must(vfio_mig_set(&a, MIG_STOP, NULL));
		close(fd);
		must(vfio_mig_set(&a, MIG_RUNNING, NULL));
		workload_check(w);
	}
	workload_fill(w, 30);
	move(w, &a, &b, &s, NULL);
	workload_check(w);
}

/* @arg: state in which the VF is reset, while its data fd is open */
static void reset_in(const void *arg)
{
	unsigned int state = *(const unsigned int *)arg;
	struct mig_precopy_info info;
	struct mig_stream s = { 0 };
	struct vfio_dev a;
	struct workload *w;
	char byte;
	int fd;

	w = solo_open(&a, VF_A, NULL);
	need_precopy(&a);
	must(vfio_mig_set(&a, MIG_PRE_COPY, &fd));
	must(mig_read(fd, &s, 20));
	must(vfio_mig_set(&a, state, NULL));
	must(vfio_reset(&a));
	state_is(&a, MIG_RUNNING);
	check_eq(read(fd, &byte, 1), -1, "read after the reset");
	check_eq(errno, ENODEV, "errno of a read after the reset");
	check_eq(info_of(fd, &info), -EINVAL, "PRECOPY_INFO after the reset");
	close(fd);
	workload_free(w);
	alive(&a, VF_A);
}

static const unsigned int pre = MIG_PRE_COPY, pre_p2p = MIG_PRE_COPY_P2P;

const struct tap_case precopy_cases[] = {
	{ .name = "migration with PRE_COPY", .fn = through, .quick = true },
	{ .name = "migration with PRE_COPY_P2P", .fn = through, .arg = &pre_p2p },
	{ .name = "state larger than PRE_COPY expected", .fn = grows },
	{ .name = "state that has grown a little costs no command",
	  .fn = grows_a_little },
	{ .name = "a device is told that a Suspend will follow",
	  .fn = told_before, .limit_s = 60 },
	{ .name = "a running device is seldom asked for the size",
	  .fn = size_seldom },
	{ .name = "wrong destinations refuse in PRE_COPY", .fn = refuses_early,
	  .log = "", .limit_s = 60 },
	{ .name = "too large a state is refused in PRE_COPY", .fn = too_large,
	  .log = "larger than max_state_mb" },
	{ .name = "PRECOPY_INFO", .fn = info_rules },
	{ .name = "back and forth through PRE_COPY", .fn = undecided },
	{ .name = "back and forth through PRE_COPY, data read",
	  .fn = undecided, .arg = &pre, .deep = true },
	{ .name = "reset in PRE_COPY", .fn = reset_in, .arg = &pre },
	{ .name = "reset in PRE_COPY_P2P", .fn = reset_in, .arg = &pre_p2p },
	{ }
};

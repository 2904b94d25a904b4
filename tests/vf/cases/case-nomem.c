// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-nomem.c - each call with its first allocation failing, then its second,
 * and so on, until it needs no more. A call that fails says so with an errno;
 * at the source the guest continues, at the destination a reset helps.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cases.h"
#include "failnth.h"
#include "move.h"
#include "vfio_log.h"

#define MOST		1000	/* allocations of a call */
#define ROOM		(1u << 20)
#define LOG_IOVA	0x100000000ull	/* where the workload has its memory */
#define LOG_BYTES	(4ull << 20)

/**
 * struct rig - what the calls work on
 * @dev: the VF
 * @fd: data fd, -1 = none
 * @good: a state that can be loaded (destination)
 * @buf: ROOM bytes
 * @arg: of the step
 */
struct rig {
	struct vfio_dev dev;
	int fd;
	struct mig_stream good;
	uint8_t *buf;
	unsigned int arg;
};

/**
 * struct step - a call to be made short of memory
 * @name: for messages
 * @from: state to be in beforehand; 0 = as it is
 * @prepare: what else has to be done beforehand, without failures; may be NULL
 * @call: the call; Return: 0 or a negative errno
 * @arg: target state of an arc, or whatever @call makes of it
 * @pre_copy: needs PRE_COPY
 */
struct step {
	const char *name;
	unsigned int from;
	void (*prepare)(struct rig *r);
	int (*call)(struct rig *r);
	unsigned int arg;
	bool pre_copy;
};

static void drop_fd(struct rig *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static void to_state(struct rig *r, unsigned int state)
{
	int fd;

	must(vfio_mig_set(&r->dev, state, &fd));
	if (fd >= 0) {
		drop_fd(r);
		r->fd = fd;
	}
}

static int arc(struct rig *r)
{
	int fd, err = vfio_mig_set(&r->dev, r->arg, &fd);

	if (fd >= 0) {
		drop_fd(r);
		r->fd = fd;
	}
	return err;
}

static int read_some(struct rig *r)
{
	ssize_t n = read(r->fd, r->buf, ROOM);

	return n < 0 ? -errno : 0;
}

static void read_first(struct rig *r)
{
	check(read(r->fd, r->buf, 100) > 0, "nothing to be read: errno %d",
	      errno);
}

static int precopy_info(struct rig *r)
{
	struct mig_precopy_info info = { .argsz = sizeof(info) };

	return ioctl(r->fd, MIG_GET_PRECOPY_INFO, &info) ? -errno : 0;
}

static int data_size(struct rig *r)
{
	uint64_t size;

	return vfio_mig_data_size(&r->dev, &size);
}

static int get_state(struct rig *r)
{
	unsigned int state;

	return vfio_mig_get(&r->dev, &state);
}

static int close_fd(struct rig *r)
{
	int fd = r->fd;

	r->fd = -1;
	return close(fd) ? -errno : 0;
}

static int log_start(struct rig *r)
{
	struct vfio_log_range range[3];
	uint64_t unit = 4096;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		range[i].iova = LOG_IOVA + 2 * i * LOG_BYTES;
		range[i].len = LOG_BYTES;
	}
	return vfio_log_start(&r->dev, range, 3, &unit);
}

static int log_report(struct rig *r)
{
	return vfio_log_report(&r->dev, LOG_IOVA, LOG_BYTES, 4096,
			       (uint64_t *)r->buf);
}

static int log_stop(struct rig *r)
{
	return vfio_log_stop(&r->dev);
}

static void log_on(struct rig *r)
{
	must(log_start(r));
}

static int reset(struct rig *r)
{
	return vfio_reset(&r->dev);
}

/* the device's fd only: that is where the driver is involved */
static int open_device(struct rig *r)
{
	int fd = ioctl(r->dev.group, VFIO_GROUP_GET_DEVICE_FD, r->dev.bdf);

	if (fd < 0)
		return -errno;
	r->dev.fd = fd;
	return 0;
}

static void shut(struct rig *r)
{
	munmap((void *)r->dev.bar, r->dev.bar_size);
	r->dev.bar = NULL;
	close(r->dev.fd);
	r->dev.fd = -1;
}

static int close_device(struct rig *r)
{
	int err;

	munmap((void *)r->dev.bar, r->dev.bar_size);
	r->dev.bar = NULL;
	err = close(r->dev.fd) ? -errno : 0;
	r->dev.fd = -1;
	return err;
}

/* load: the rest of the good state, from where @r->arg records are written */
static size_t records(const struct mig_stream *s, unsigned int n)
{
	size_t at = 0;
	uint32_t len;

	while (n-- && at + 24 <= s->len) {
		memcpy(&len, s->data + at + 4, 4);
		at += 24 + len;
	}
	return at;
}

static void write_first(struct rig *r)
{
	size_t n = records(&r->good, r->arg);

	must(mig_write(r->fd, r->good.data, n, 0));
}

static int write_rest(struct rig *r)
{
	size_t at = records(&r->good, r->arg);

	return mig_write(r->fd, r->good.data + at, r->good.len - at, 0);
}

static void write_all(struct rig *r)
{
	must(mig_write(r->fd, r->good.data, r->good.len, 0));
}

static void loaded(struct rig *r)
{
	write_all(r);
	to_state(r, MIG_STOP);
}

static void loaded_p2p(struct rig *r)
{
	loaded(r);
	to_state(r, MIG_RUNNING_P2P);
}

/*
 * Lack of memory must not look like another error; copies from and to user
 * memory are made to fail as well, with their usual error.
 */
static bool short_of_memory(int err)
{
	return err == -ENOMEM || err == -EFAULT;
}

/*
 * One try with the @n-th allocation failing.
 *
 * Return: whether there was an @n-th one; @err is what the call returned.
 */
static bool try(struct rig *r, const struct step *s, unsigned int n, int *err)
{
	bool failed;

	if (s->from)
		to_state(r, s->from);
	r->arg = s->arg;
	if (s->prepare)
		s->prepare(r);
	failnth_arm(n);
	*err = s->call(r);
	failed = failnth_disarm();
	if (!failed)
		check(!*err, "%s: %d with all the memory that it needs", s->name,
		      *err);
	else
		check(!*err || short_of_memory(*err),
		      "%s, allocation %u fails: expected ENOMEM, got %d",
		      s->name, n, *err);
	return failed;
}

static bool offered(struct rig *r, const struct step *s)
{
	uint64_t flags;

	must(vfio_mig_flags(&r->dev, &flags));
	if (s->pre_copy)
		return flags & VFIO_MIGRATION_PRE_COPY;
	if (s->call == log_start || s->prepare == log_on)
		return vfio_log_supported(&r->dev);
	return true;
}

/* for the notes: how often a call failed, and how often it succeeded anyway */
struct tally {
	unsigned int tries;
	unsigned int failed;
};

static void show(const struct step *s, const struct tally *t)
{
	tap_note("%-28s %3u allocations, %3u of them cannot be done without",
		 s->name, t->tries, t->failed);
}

/* the source: whatever failed, the guest must be able to continue */
static void source(const void *arg)
{
	const struct step *s;
	struct rig r = { .fd = -1, .buf = malloc(ROOM) };
	struct workload *w;

	failnth_need();
	check(r.buf, "no memory");
	/* several commands for a state, so several allocations */
	model_set(0, bed.set == SET_VENDOR ? "lm-pad=20000" : "lm-pad=300000");
	w = solo_open(&r.dev, VF_A,
		      &(const struct workload_opts){ .queues = 1 });
	for (s = arg; s->name; s++) {
		struct tally t = { 0 };
		unsigned int n, state;
		bool more;
		int err;

		if (!offered(&r, s)) {
			tap_note("%-28s not offered here", s->name);
			continue;
		}
		for (n = 1, more = true; more; n++) {
			check(n < MOST, "%s never goes through", s->name);
			workload_submit(w, 0, 6, true);
			more = try(&r, s, n, &err);
			t.tries += more;
			t.failed += err != 0;
			must(vfio_mig_get(&r.dev, &state));
			check(state != MIG_ERROR,
			      "%s, allocation %u fails: the VF is given up",
			      s->name, n);
			to_state(&r, MIG_RUNNING);
			drop_fd(&r);
			if (s->call == log_start || s->prepare == log_on)
				log_stop(&r);
			workload_drain(w);
		}
		workload_check(w);
		show(s, &t);
	}
	workload_event(w);
	free(r.buf);
	alive(&r.dev, VF_A);
}

/* the destination: a reset, and the next try finds nothing of this one */
static void destination(const void *arg)
{
	struct rig r = { .fd = -1, .buf = malloc(ROOM) };
	const struct step *s;
	struct vfio_dev a;
	struct workload *w;

	failnth_need();
	check(r.buf, "no memory");
	model_set(0, bed.set == SET_VENDOR ? "lm-pad=20000" : "lm-pad=300000");
	w = pair_open(&a, VF_A, &r.dev, VF_B, NULL);
	workload_fill(w, 20);
	must(mig_stop(&a, NULL));
	must(mig_save(&a, &r.good, NULL));
	for (s = arg; s->name; s++) {
		struct tally t = { 0 };
		bool more = true;
		unsigned int n;
		int err;

		for (n = 1; more; n++) {
			check(n < MOST, "%s never goes through", s->name);
			more = try(&r, s, n, &err);
			t.tries += more;
			t.failed += err != 0;
			drop_fd(&r);
			must(vfio_reset(&r.dev));
			state_is(&r.dev, MIG_RUNNING);
		}
		show(s, &t);
	}
	must(vfio_irq_enable(&r.dev, r.dev.nefd));
	move_load(w, &r.dev, &r.good, NULL);
	workload_check(w);
	workload_event(w);
}

/* opening, closing and resetting the VF itself */
static void lifetime(const void *arg)
{
	const struct step *s;

	failnth_need();
	for (s = arg; s->name; s++) {
		struct rig r = { .fd = -1 };
		struct tally t = { 0 };
		bool more = true;
		struct workload *w = workload_new();
		unsigned int n, state;
		int err;

		bed_open(&r.dev, VF_A, &w->mem);
		for (n = 1; more; n++) {
			check(n < MOST, "%s never goes through", s->name);
			more = try(&r, s, n, &err);
			t.tries += more;
			t.failed += err != 0;
			if (!err && s->call == reset)
				state_is(&r.dev, MIG_RUNNING);
			if (r.dev.fd < 0)
				must(open_device(&r));
			/* what was missed for lack of memory is done later */
			must(vfio_mig_get(&r.dev, &state));
			if (s->call == reset && err)
				must(vfio_reset(&r.dev));
			to_state(&r, MIG_STOP);
			to_state(&r, MIG_RUNNING);
			if (!r.dev.bar) {
				vfio_close(&r.dev);
				bed_open(&r.dev, VF_A, &w->mem);
			}
		}
		show(s, &t);
		alive(&r.dev, VF_A);
		workload_free(w);
	}
}

static const struct step source_steps[] = {
	{ "get state", .call = get_state },
	{ "data size", .call = data_size },
	{ "RUNNING->RUNNING_P2P", .call = arc, .arg = MIG_RUNNING_P2P },
	{ "RUNNING_P2P->STOP", MIG_RUNNING_P2P, .call = arc, .arg = MIG_STOP },
	{ "data size, stopped", MIG_STOP, .call = data_size },
	{ "STOP->STOP_COPY", MIG_STOP, .call = arc, .arg = MIG_STOP_COPY },
	{ "RUNNING->STOP_COPY", .call = arc, .arg = MIG_STOP_COPY },
	{ "read, first", MIG_STOP_COPY, .call = read_some },
	{ "read, more", MIG_STOP_COPY, read_first, .call = read_some },
	{ "close of the data fd", MIG_STOP_COPY, .call = close_fd },
	{ "STOP_COPY->STOP", MIG_STOP_COPY, .call = arc, .arg = MIG_STOP },
	{ "STOP->RUNNING_P2P", MIG_STOP, .call = arc, .arg = MIG_RUNNING_P2P },
	{ "RUNNING_P2P->RUNNING", MIG_RUNNING_P2P, .call = arc,
	  .arg = MIG_RUNNING },
	{ "STOP_COPY->RUNNING", MIG_STOP_COPY, .call = arc,
	  .arg = MIG_RUNNING },
	{ "RUNNING->PRE_COPY", .call = arc, .arg = MIG_PRE_COPY,
	  .pre_copy = true },
	{ "read in PRE_COPY", MIG_PRE_COPY, .call = read_some,
	  .pre_copy = true },
	{ "precopy info", MIG_PRE_COPY, .call = precopy_info,
	  .pre_copy = true },
	{ "PRE_COPY->PRE_COPY_P2P", MIG_PRE_COPY, .call = arc,
	  .arg = MIG_PRE_COPY_P2P, .pre_copy = true },
	{ "PRE_COPY_P2P->STOP_COPY", MIG_PRE_COPY_P2P, .call = arc,
	  .arg = MIG_STOP_COPY, .pre_copy = true },
	{ "PRE_COPY->RUNNING", MIG_PRE_COPY, .call = arc, .arg = MIG_RUNNING,
	  .pre_copy = true },
	{ "logging start", .call = log_start },
	{ "logging report", .prepare = log_on, .call = log_report },
	{ "logging stop", .prepare = log_on, .call = log_stop },
	{ }
};

static const struct step destination_steps[] = {
	{ "RUNNING->RESUMING", .call = arc, .arg = MIG_RESUMING },
	{ "write of all", MIG_RESUMING, .call = write_rest },
	{ "write after IDENTITY", MIG_RESUMING, write_first,
	  .call = write_rest, .arg = 1 },
	{ "write after STATE", MIG_RESUMING, write_first,
	  .call = write_rest, .arg = 2 },
	{ "write after DATA", MIG_RESUMING, write_first,
	  .call = write_rest, .arg = 3 },
	{ "RESUMING->STOP", MIG_RESUMING, write_all,
	  .call = arc, .arg = MIG_STOP },
	{ "STOP->RUNNING_P2P", MIG_RESUMING, loaded,
	  .call = arc, .arg = MIG_RUNNING_P2P },
	{ "RUNNING_P2P->RUNNING", MIG_RESUMING, loaded_p2p,
	  .call = arc, .arg = MIG_RUNNING },
	{ }
};

static const struct step lifetime_steps[] = {
	{ "open", .prepare = shut, .call = open_device },
	{ "close", .call = close_device },
	{ "close in STOP_COPY", MIG_STOP_COPY, .call = close_device },
	{ "reset", .call = reset },
	{ "reset in STOP_COPY", MIG_STOP_COPY, .call = reset },
	{ }
};

/* takes minutes with every checker of the kernel on a busy machine */
#define LIMIT_S	900

const struct tap_case nomem_cases[] = {
	{ .name = "no memory on the source", .fn = source,
	  .arg = source_steps, .limit_s = LIMIT_S, .log = "" },
	{ .name = "no memory on the destination", .fn = destination,
	  .arg = destination_steps, .limit_s = LIMIT_S, .log = "" },
	{ .name = "no memory for open, close and reset", .fn = lifetime,
	  .arg = lifetime_steps, .limit_s = LIMIT_S, .log = "" },
	{ }
};

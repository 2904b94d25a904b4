// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-race.c - two things at once: a reset in the middle of a slow command,
 * arcs requested by two threads, data fds read while their state is left.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "drive.h"
#include "move.h"

#define SLOW_MS		4000	/* a reset cuts it short */
#define EARLY_US	150000

/* what the second thread does after a while, or while a VF is in state @amid */
struct other {
	const char *amid;
	pthread_t thread;
	struct vfio_dev *dev;
	void (*fn)(struct other *o);
	int fd;
	int err;
	atomic_bool stop;
};

/* until a VF of the first PF is in a state of the model; limited by the case */
static void await_vf(const char *state)
{
	char report[4096], line[32];

	snprintf(line, sizeof(line), "=%s\n", state);
	do
		must(pf_test_get(bed.pf[0].name, report, sizeof(report)));
	while (!strstr(report, line));
}

static void *other_main(void *arg)
{
	struct other *o = arg;

	if (o->amid)
		await_vf(o->amid);
	else
		sleep_us(EARLY_US);
	o->fn(o);
	return NULL;
}

static void other_start(struct other *o, struct vfio_dev *dev,
			void (*fn)(struct other *o))
{
	o->dev = dev;
	o->fn = fn;
	check(!pthread_create(&o->thread, NULL, other_main, o), "no thread");
}

static void other_end(struct other *o)
{
	pthread_join(o->thread, NULL);
}

static void reset_vf(struct other *o)
{
	o->err = vfio_reset(o->dev);
}

static void reset_pf0(struct other *o)
{
	o->err = sysfs_write("1", "/sys/class/nvme/%s/reset_controller",
			     bed.pf[0].name);
}

/* afterwards the same fd serves a new user */
static void fresh_on_same_fd(struct vfio_dev *dev, struct workload *old)
{
	struct workload *w = workload_new();

	must(vfio_dma_unmap(dev, &old->mem));
	must(vfio_dma_map(dev, &w->mem));
	must(vfio_irq_enable(dev, dev->nefd));
	workload_start(w, dev, NULL);
	workload_check(w);
	workload_event(w);
}

/*
 * A command and a reset at the same time: nobody knows which came first, so the
 * state is ERROR until there is a reset alone. If they missed each other it is
 * RUNNING, and the VF does run.
 */
static void reset_amid(const char *amid, const char *delay, unsigned int from,
		       unsigned int to)
{
	struct other o = { .amid = amid };
	struct vfio_dev a;
	unsigned int state;
	struct workload *w;
	int err;

	w = solo_open(&a, VF_A, NULL);
	model_set(0, "%s=%d", delay, SLOW_MS);
	workload_fill(w, 30);
	must(vfio_mig_set(&a, from, NULL));
	other_start(&o, &a, reset_vf);
	err = vfio_mig_set(&a, to, NULL);
	other_end(&o);
	must(o.err);
	must(vfio_mig_get(&a, &state));
	tap_note("the arc gave %d, state %s", err, mig_name(state));
	check(!err || sane_errno(err), "expected a sensible errno, got %d",
	      err);
	check(err ? state == MIG_ERROR || state == MIG_RUNNING :
	      state == MIG_RUNNING || state == to, "state %s",
	      mig_name(state));
	must(vfio_reset(&a));
	state_is(&a, MIG_RUNNING);
	model_set(0, "%s=0", delay);
	fresh_on_same_fd(&a, w);
}

static void reset_in_suspend(const void *arg)
{
	(void)arg;
	reset_amid("suspending", "lm-suspend-delay-ms", MIG_RUNNING, MIG_STOP);
}

static void reset_in_resume(const void *arg)
{
	(void)arg;
	reset_amid("resuming", "lm-resume-delay-ms", MIG_STOP, MIG_RUNNING);
}

static void pf_reset_in_suspend(const void *arg)
{
	struct other o = { .amid = "suspending" };
	struct vfio_dev a;
	struct workload *w;
	int err;

	(void)arg;
	w = solo_open(&a, VF_A, NULL);
	model_set(0, "lm-suspend-delay-ms=%d", SLOW_MS);
	workload_fill(w, 30);
	other_start(&o, &a, reset_pf0);
	err = vfio_mig_set(&a, MIG_RUNNING_P2P, NULL);
	other_end(&o);
	must(o.err);
	model_set(0, "lm-suspend-delay-ms=0");
	check(err, "the suspend succeeded across a PF reset");
	check(sane_errno(err), "expected a sensible errno, got %d", err);
	bed_online(0);
	must(vfio_reset(&a));
	state_is(&a, MIG_RUNNING);
	fresh_on_same_fd(&a, w);
}

/* of nvme-pf-shim, or of an nvme that has its functions */
static void set_param(const char *name, const char *value)
{
	if (sysfs_write(value, "/sys/module/nvme_pf_shim/parameters/%s", name))
		must(sysfs_write(value, "/sys/module/nvme/parameters/%s",
				 name));
}

static void suspend_impatiently(struct other *o)
{
	set_param("command_timeout", "1");
	o->err = vfio_mig_set(o->dev, MIG_RUNNING_P2P, NULL);
	set_param("command_timeout", "10");
}

/*
 * One command at a time for all VFs of a PF: a VF that waits for its turn
 * longer than the limit has sent nothing, and continues. The other is not
 * affected.
 */
static void no_turn(const void *arg)
{
	struct other o = { .amid = "suspending" };
	struct vfio_dev a, b;
	struct workload *w;
	int err;

	(void)arg;
	set_param("max_commands", "1");
	w = solo_open(&a, VF_A, NULL);
	bed_open(&b, VF_B, &w->mem);
	set_param("max_commands", "0");
	workload_fill(w, 30);
	model_set(0, "lm-suspend-delay-ms=%d", SLOW_MS);
	other_start(&o, &b, suspend_impatiently);
	err = vfio_mig_set(&a, MIG_RUNNING_P2P, NULL);
	other_end(&o);
	model_set(0, "lm-suspend-delay-ms=0");
	must(err);
	check_eq(o.err, -EAGAIN, "Suspend of the VF that got no turn");
	state_is(&b, MIG_RUNNING);
	must(vfio_mig_set(&b, MIG_RUNNING_P2P, NULL));
	must(vfio_mig_set(&b, MIG_RUNNING, NULL));
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
	vfio_close(&a);
	alive(&b, VF_B);
}

static void read_on_and_on(struct other *o)
{
	char buf[4096];
	ssize_t n;

	do
		n = read(o->fd, buf, sizeof(buf));
	while (n >= 0);
	o->err = errno;
}

static void write_on_and_on(struct other *o)
{
	char byte = 'N';
	ssize_t n;

	do
		n = write(o->fd, &byte, 1);
	while (n >= 0);
	o->err = errno;
}

/* a reader is at the data fd when the state is left, by an arc or a reset */
static void leave_while_reading(const void *arg)
{
	unsigned long pad = bed.set == SET_VENDOR ? 65536 : 1048576;
	struct vfio_dev a;
	struct workload *w;
	unsigned int round;

	(void)arg;
	if (bed.set == SET_VENDOR && pad > drive_carries(0) / 2)
		pad = drive_carries(0) / 2;
	model_set(0, "lm-pad=%lu", pad);
	w = solo_open(&a, VF_A, NULL);
	for (round = 0; round < 4; round++) {
		struct other o = { 0 };

		workload_fill(w, 20);
		must(vfio_mig_set(&a, MIG_STOP_COPY, &o.fd));
		other_start(&o, &a, read_on_and_on);
		sleep_us(EARLY_US + 10000);
		must(vfio_mig_set(&a, MIG_RUNNING, NULL));
		other_end(&o);
		close(o.fd);
		check_eq(o.err, ENODEV, "errno of a reader whose state is gone");
		workload_check(w);
	}
}

static void reset_while_writing(const void *arg)
{
	unsigned int round;
	struct vfio_dev a;
	struct workload *w;

	(void)arg;
	w = solo_open(&a, VF_A, NULL);
	for (round = 0; round < 4; round++) {
		struct other o = { 0 };

		must(vfio_mig_set(&a, MIG_RESUMING, &o.fd));
		other_start(&o, &a, write_on_and_on);
		sleep_us(round % 2 ? 1000 : EARLY_US);
		must(vfio_reset(&a));
		other_end(&o);
		close(o.fd);
		check(o.err == ENODEV || o.err == EINVAL,
		      "expected the writer to get ENODEV or EINVAL, got %d",
		      o.err);
		state_is(&a, MIG_RUNNING);
	}
	fresh_on_same_fd(&a, w);
}

static void arcs_on_and_on(struct other *o)
{
	while (!o->stop) {
		int err = vfio_mig_set(o->dev, MIG_STOP, NULL);

		if (!err)
			err = vfio_mig_set(o->dev, MIG_RUNNING, NULL);
		if (err && !o->err)
			o->err = err;
	}
}

/* two users of one fd disagree; every arc is possible from every state */
static void two_masters(const void *arg)
{
	struct other o = { 0 };
	unsigned int round;
	struct vfio_dev a;
	struct workload *w;

	(void)arg;
	w = solo_open(&a, VF_A, NULL);
	workload_fill(w, 30);
	other_start(&o, &a, arcs_on_and_on);
	sleep_us(EARLY_US);
	for (round = 0; round < 40; round++) {
		uint64_t size;

		must(vfio_mig_set(&a, MIG_STOP_COPY, NULL));
		must(vfio_mig_data_size(&a, &size));
		must(vfio_mig_set(&a, MIG_RUNNING_P2P, NULL));
	}
	o.stop = true;
	other_end(&o);
	must(o.err);
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
	workload_event(w);
}

const struct tap_case race_cases[] = {
	{ .name = "reset during a slow suspend", .fn = reset_in_suspend,
	  .log = "" },
	{ .name = "reset during a slow resume", .fn = reset_in_resume,
	  .log = "" },
	{ .name = "PF reset during a slow suspend", .fn = pf_reset_in_suspend,
	  .log = "" },
	{ .name = "no turn for a command", .fn = no_turn, .log = "" },
	{ .name = "state left while the data is read",
	  .fn = leave_while_reading },
	{ .name = "reset while the data is written",
	  .fn = reset_while_writing, .log = "" },
	{ .name = "two masters", .fn = two_masters },
	{ }
};

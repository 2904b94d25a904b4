// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-stuck.c - commands that take longer than the driver waits, above all a
 * Suspend: it costs one VF, not the drive. The others are at work all the time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bed-vfs.h"
#include "beside.h"
#include "cases.h"
#include "move.h"
#include "others.h"
#include "vfio_log.h"

#define LIMIT_S		5	/* of the driver; time for some I/O of others */
#define SHORT_S		2	/* likewise, if they need not */
#define NVME_LIMIT_S	8	/* of nvme, which resets the PF then */
#define LONG_S		20	/* a limit that is nearly used up */

#define TRACE		"/sys/kernel/tracing"

static const struct workload_opts small_cq = { .cq_size = 4 };

static void runs(struct vfio_dev *dev)
{
	must(vfio_reset(dev));
	state_is(dev, MIG_RUNNING);
	check(model_vf_is(VF_A, "running"), "a VF that does not run is said to be in RUNNING");
}

/* a new guest on the same device fd */
static void new_guest(struct vfio_dev *dev, struct workload *old)
{
	struct workload *w = workload_new();

	must(vfio_dma_unmap(dev, &old->mem));
	must(vfio_dma_map(dev, &w->mem));
	must(vfio_irq_enable(dev, dev->nefd));
	workload_start(w, dev, NULL);
	must(vfio_mig_set(dev, MIG_STOP, NULL));
	must(vfio_mig_set(dev, MIG_RUNNING, NULL));
	workload_check(w);
	workload_event(w);
	vfio_close(dev);
}

static void suspend_gives_up(struct vfio_dev *dev)
{
	check_eq(vfio_mig_set(dev, MIG_STOP, NULL), -ETIMEDOUT,
		 "a Suspend beyond the limit");
	state_is(dev, MIG_ERROR);
}

/* and the driver's own reset has ended it, whatever its result */
static void suspend_is_ended(struct vfio_dev *dev)
{
	suspend_gives_up(dev);
	check(model_vf_is(VF_A, "running"), "the VF does not run again");
}

static void trace_on(bool on)
{
	int fd = on ? open(TRACE "/trace", O_WRONLY | O_TRUNC) : -1;

	/* and empties it */
	if (fd >= 0)
		close(fd);
	must(sysfs_write(on ? "1" : "0",
			 TRACE "/events/nvme_vfio/vf_reset/enable"));
}

/* two lines: before the reset, and after */
static void trace_tells(const char *bdf)
{
	char *text = malloc(65536), want[64], *at;
	int n = 0;

	check(text, "no memory");
	check(sysfs_read(text, 65536, TRACE "/trace") >= 0, "no trace");
	snprintf(want, sizeof(want), "vf_reset: vf=%s ", bdf);
	for (at = text; (at = strstr(at, want)); at++)
		n++;
	check_eq(n, 2, "trace events of the reset");
	free(text);
}

/* @arg: what the device does at the reset by which the driver ends it */
static void ended_by_reset(const void *arg)
{
	struct vfio_dev a;
	struct workload *w;

	others_start();
	w = solo_open(&a, VF_A, NULL);
	trace_on(true);
	model_set(0, "lm-suspend-waits=ever\nlm-suspend-reset=%s",
		  (const char *)arg);
	limit_set(LIMIT_S);
	workload_fill(w, 30);
	others_mark();
	suspend_is_ended(&a);
	others_did();
	trace_tells(a.bdf);
	trace_on(false);
	model_set(0, "lm-suspend-waits=");
	runs(&a);
	new_guest(&a, w);
	others_stop();
}

/* a guest that is paused, as after virsh suspend, or does not care */
static void full_cq_stays(const void *arg)
{
	struct vfio_dev a;
	struct workload *w;

	(void)arg;
	others_start();
	w = solo_open(&a, VF_A, &small_cq);
	model_set(0, "lm-suspend-waits=cq");
	limit_set(LIMIT_S);
	workload_stuff(w, 30);
	others_mark();
	suspend_is_ended(&a);
	others_did();
	runs(&a);
	new_guest(&a, w);
	others_stop();
}

static void full_cq_drains(const void *arg)
{
	struct beside suspend = { 0 };
	struct vfio_dev a;
	struct workload *w;
	unsigned int i;

	(void)arg;
	others_start();
	w = solo_open(&a, VF_A, &small_cq);
	model_set(0, "lm-suspend-waits=cq");
	workload_stuff(w, 30);
	beside_arc(&suspend, &a, MIG_STOP);
	model_await(VF_A, "suspending");
	while (!suspend.done) {
		for (i = 0; i < w->ctrl.nio; i++)
			nvme_queue_reap(&w->ctrl.io[i], 0);
		workload_collect(w);
		sleep_us(1000);
	}
	must(beside_end(&suspend));
	state_is(&a, MIG_STOP);
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
	workload_event(w);
	others_stop();
}

static void nearly_too_long(const void *arg)
{
	struct vfio_dev a;
	struct workload *w;

	(void)arg;
	others_start();
	w = solo_open(&a, VF_A, NULL);
	limit_set(LONG_S);
	model_set(0, "lm-suspend-delay-ms=%d", LONG_S * 900);
	workload_fill(w, 30);
	must(vfio_mig_set(&a, MIG_STOP, NULL));
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
	workload_event(w);
	others_stop();
}

/* nobody can reset the VF until its user has gone */
static void stuck_amid_unbind(const void *arg)
{
	const char *bdf = bed.pf[0].vf[0];
	struct beside suspend = { 0 }, unbind = { 0 };
	struct vfio_dev a;

	(void)arg;
	others_start();
	solo_open(&a, VF_A, NULL);
	limit_set(LIMIT_S);
	model_set(0, "lm-suspend-waits=ever");
	beside_arc(&suspend, &a, MIG_STOP);
	model_await(VF_A, "suspending");
	beside_unbind(&unbind, bdf);
	check_eq(beside_end(&suspend), -ETIMEDOUT,
		 "a Suspend beyond the limit");
	state_is(&a, MIG_ERROR);
	check(model_vf_is(VF_A, "suspending"), "the Suspend has ended");
	vfio_close(&a);
	must(beside_end(&unbind));
	check(model_vf_is(VF_A, "running"), "the VF was left suspended");
	model_set(0, "lm-suspend-waits=");
	must(sysfs_write(bdf, "/sys/bus/pci/drivers_probe"));
	alive(&a, VF_A);
	others_stop();
}

/* it outlives the reset, then suspends a VF that nobody wants suspended */
static void late_suspend(const void *arg)
{
	unsigned int state, resets = 0;
	struct vfio_dev a;
	struct workload *w;

	(void)arg;
	others_start();
	w = solo_open(&a, VF_A, NULL);
	limit_set(SHORT_S);
	model_set(0, "lm-suspend-waits=ever\nlm-suspend-reset=ignore");
	suspend_gives_up(&a);
	must(vfio_reset(&a));
	state_is(&a, MIG_ERROR);
	check(model_vf_is(VF_A, "suspending"), "the Suspend has ended");
	model_set(0, "lm-suspend-waits=");
	model_await(VF_A, "running");
	do {
		must(vfio_reset(&a));
		must(vfio_mig_get(&a, &state));
		resets++;
	} while (state == MIG_ERROR);
	tap_note("RUNNING after %u resets", resets);
	runs(&a);
	new_guest(&a, w);
	others_stop();
}

/* the worst drive: nvme resets the PF, and all VFs go offline */
static void reset_ignored(const void *arg)
{
	struct vfio_dev a;
	struct workload *w;

	(void)arg;
	if (!access("/proc/lockdep", F_OK))
		tap_skip("lockdep complains about where nvme freezes its queues");
	nvme_limit_set(NVME_LIMIT_S);
	limit_set(SHORT_S);
	w = solo_open(&a, VF_A, NULL);
	model_set(0, "lm-suspend-waits=ever\nlm-suspend-reset=ignore");
	suspend_gives_up(&a);
	must(vfio_reset(&a));
	state_is(&a, MIG_ERROR);
	while (vfs_online(0))
		sleep_us(10000);
	bed_online(0);
	model_set(0, "lm-suspend-waits=");
	runs(&a);
	new_guest(&a, w);
}

/* a log that starts once nobody waits for it any more is stopped again */
static void late_track(const void *arg)
{
	struct vfio_log_range r;
	uint64_t unit = 4096;
	struct vfio_dev a;
	struct workload *w;
	int err;

	(void)arg;
	w = solo_open(&a, VF_A, NULL);
	if (!vfio_log_supported(&a))
		tap_skip("no dirty tracking");
	r = (struct vfio_log_range){ w->mem.iova, w->mem.size };
	limit_set(SHORT_S);
	model_set(0, "lm-command-us=%d", 2 * SHORT_S * 1000000);
	err = vfio_log_start(&a, &r, 1, &unit);
	check(sane_errno(err), "expected a sensible errno, got %d", err);
	model_set(0, "lm-command-us=0");
	check(model_vf_num(VF_A, ".tracked"), "the device tracks nothing");
	while (model_vf_num(VF_A, ".tracked"))
		sleep_us(1000);
	do
		err = vfio_log_start(&a, &r, 1, &unit);
	while (err == -EBUSY);
	must(err);
	must(vfio_log_stop(&a));
	workload_check(w);
	vfio_close(&a);
	alive(&a, VF_A);
}

#define ENDED		"Suspend ended"
#define NOT_ENDED	"Suspend did not end after a reset of the VF"

const struct tap_case stuck_cases[] = {
	{ .name = "stuck Suspend that fails at a reset of the VF",
	  .fn = ended_by_reset, .arg = "fail", .limit_s = 60, .log = ENDED },
	{ .name = "stuck Suspend that succeeds at a reset of the VF",
	  .fn = ended_by_reset, .arg = "end", .limit_s = 60, .log = ENDED },
	{ .name = "stuck Suspend that takes effect after a reset of the VF",
	  .fn = ended_by_reset, .arg = "suspend", .limit_s = 60, .log = ENDED },
	{ .name = "stuck Suspend that takes effect long after a reset",
	  .fn = late_suspend, .limit_s = 60, .log = NOT_ENDED },
	{ .name = "stuck Suspend of a VF that is being unbound",
	  .fn = stuck_amid_unbind, .limit_s = 60, .log = NOT_ENDED },
	{ .name = "Suspend waits for a completion queue that stays full",
	  .fn = full_cq_stays, .limit_s = 60, .log = ENDED },
	{ .name = "Suspend waits for a completion queue that is emptied",
	  .fn = full_cq_drains, .limit_s = 60 },
	{ .name = "Suspend takes nearly as long as it may",
	  .fn = nearly_too_long, .limit_s = 90 },
	{ .name = "Track start that ends too late", .fn = late_track,
	  .log = "" },
	/* comes last, as it takes all VFs offline */
	{ .name = "stuck Suspend of a drive that ignores resets of VFs",
	  .fn = reset_ignored, .limit_s = 60, .log = NOT_ENDED },
	{ }
};

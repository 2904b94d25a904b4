// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-pf.c - the way to the PF at bad moments: the PF starts or is reset while
 * its VFs are bound, opened and asked; a VF is reset while a command for it is
 * in flight; it is closed and nobody resets it; its user is killed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed-vfs.h"
#include "beside.h"
#include "cases.h"
#include "move.h"
#include "port.h"
#include "user.h"
#include "vfio_log.h"

#define PCI		"/sys/bus/pci"
#define VF_3		((struct place){ 0, 2 })
#define FOR_LONG_S	600	/* a limit that no case reaches */
#define ROUNDS		6
#define DRIVEN		8
#define RESETS		30	/* without the driver's care one in 2 to 6 lost the PF */
#define NVME_LIMIT_S	20	/* after which that is seen */
#define COMMAND_US	300000	/* less than the second for which close waits */

/* --- the PF starts, or starts again --- */

static bool pf_has_name(void)
{
	struct topo_pf *p = &bed.pf[0];

	return !topo_name(p->bdf, p->name, sizeof(p->name));
}

static bool pf_is_live(void)
{
	char state[32];

	return pf_has_name() &&
	       sysfs_read(state, sizeof(state), "/sys/class/nvme/%s/state",
			  bed.pf[0].name) > 0 && !strcmp(state, "live");
}

/* a new user finds a VF that migrates without having been bound again */
static void can_migrate(struct place at)
{
	struct vfio_dev dev;
	uint64_t flags;
	struct workload *w = workload_new();

	bed_open(&dev, at, &w->mem);
	must(vfio_mig_flags(&dev, &flags));
	check(flags & VFIO_MIGRATION_STOP_COPY, "%s: flags are %llx", dev.bdf,
	      (unsigned long long)flags);
	workload_start(w, &dev, NULL);
	must(vfio_mig_set(&dev, MIG_STOP, NULL));
	must(vfio_mig_set(&dev, MIG_RUNNING, NULL));
	workload_check(w);
	vfio_close(&dev);
}

static void open_and_close(struct place at)
{
	struct vfio_dev dev;

	must(vfio_open(&dev, bed.pf[at.pf].vf[at.vf]));
	vfio_close(&dev);
}

/* what others do with VFs while the PF is not there yet */
static void meanwhile(struct vfio_dev *open)
{
	uint64_t size;
	int err;

	err = vfio_mig_data_size(open, &size);
	check(!err || err == -EAGAIN || sane_errno(err),
	      "expected a sensible errno, got %d", err);
	open_and_close(VF_B);
}

static void pf_starts(const void *arg)
{
	struct beside bind = { 0 };
	unsigned int n = 0;
	struct vfio_dev a;

	(void)arg;
	bed_need(VF_3);
	solo_open(&a, VF_A, NULL);
	pf_slow(0, true);
	pf_driver(0, "unbind");
	beside_write(&bind, bed.pf[0].bdf, PCI "/drivers/nvme/bind");
	while (!pf_has_name())
		sleep_us(1000);
	must(topo_rebind(bed.pf[0].vf[2]));
	open_and_close(VF_3);
	do {
		meanwhile(&a);
		n++;
	} while (!pf_is_live());
	must(beside_end(&bind));
	pf_slow(0, false);
	tap_note("%u times while the PF started", n);
	bed_online(0);
	vfio_close(&a);
	can_migrate(VF_A);
	can_migrate(VF_B);
	can_migrate(VF_3);
}

static void bound_without_pf(const void *arg)
{
	struct vfio_dev b;
	uint64_t flags;

	(void)arg;
	bed_need(VF_B);
	pf_driver(0, "unbind");
	must(topo_rebind(bed.pf[0].vf[1]));
	must(vfio_open(&b, bed.pf[0].vf[1]));
	check_eq(vfio_mig_flags(&b, &flags), -ENOTTY, "flags without a PF");
	vfio_close(&b);
	pf_driver(0, "bind");
	bed_online(0);
	can_migrate(VF_B);
}

/*
 * The PF may be asked about a VF that has nothing yet and gets its queues while
 * open: what it had then is not compared with a state, nor sent in one.
 */
static void asked_too_early(const void *arg)
{
	struct workload *w = workload_new();
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	uint64_t size;

	(void)arg;
	bed_open(&a, VF_A, &w->mem);
	pf_driver(0, "unbind");
	/* the old way to the PF is found dead */
	must(vfio_mig_data_size(&a, &size));
	pf_driver(0, "bind");
	while (!pf_is_live())
		sleep_us(1000);
	check(!vfs_online(0), "VFs are online already");
	must(vfio_mig_data_size(&a, &size));
	bed_online(0);
	must(vfio_reset(&a));

	bed_open(&b, VF_B, &w->mem);
	workload_start(w, &b, NULL);
	workload_fill(w, 30);
	move(w, &b, &a, &s, NULL);
	workload_check(w);
	workload_event(w);
	/* and back: it is the source now */
	must(vfio_reset(&b));
	move(w, &a, &b, &s, NULL);
	workload_check(w);
	workload_event(w);
}

/*
 * Whoever drops the last reference to a controller frees what it has, which is
 * impossible after its function has been removed: 6.1's nvme has shadow
 * doorbells to free.
 */
static void pf_removed(const void *arg)
{
	struct vfio_dev a, b;
	char port[PORT_LEN];

	(void)arg;
	port_of(0, port);
	must(vfio_open(&a, bed.pf[0].vf[0]));
	must(vfio_open(&b, bed.pf[0].vf[1]));
	must(vfio_mig_set(&b, MIG_STOP, NULL));
	must(sysfs_write("1", PCI "/devices/%s/remove", bed.pf[0].bdf));
	check_eq(vfio_mig_set(&a, MIG_STOP, NULL), -ENODEV, "STOP without a PF");
	vfio_close(&a);
	vfio_close(&b);
	must(sysfs_write("1", PCI "/devices/%s/remove", port));
	port_found(0);
	can_migrate(VF_A);
	can_migrate(VF_B);
}

static long suspends(void)
{
	return bed.set == SET_VENDOR ? model_count(0, 0xc8, -1) :
				       model_count(0, 0x41, 0);
}

/*
 * Nothing overtakes what nvme itself sends to a PF that is being reset, and
 * nobody waits for it. Only calls that began and ended in that time count;
 * others may have met a PF that is back, with its VFs offline.
 */
static void pf_resets(const void *arg)
{
	unsigned int n = 0, others = 0;
	struct beside reset = { 0 };
	struct vfio_dev a;

	(void)arg;
	pf_slow(0, true);
	bed_rebind(0);
	solo_open(&a, VF_A, NULL);
	model_zero(0);
	beside_write(&reset, "1", "/sys/class/nvme/%s/reset_controller",
		     bed.pf[0].name);
	while (pf_is_live())
		sleep_us(100);
	do {
		int err = vfio_mig_set(&a, MIG_STOP, NULL);

		if (pf_is_live()) {
			others++;
			break;
		}
		check_eq(err, -EAGAIN, "an arc while the PF is being reset");
		n++;
	} while (!pf_is_live());
	must(beside_end(&reset));
	pf_slow(0, false);
	bed_online(0);
	tap_note("%u arcs while the PF was being reset", n);
	check(n, "the PF's reset was not seen");
	check(suspends() <= others, "%ld Suspends reached the PF, %u may have",
	      suspends(), others);
	must(vfio_reset(&a));
	state_is(&a, MIG_RUNNING);
	vfio_close(&a);
	/* as quick as before */
	bed_rebind(0);
	can_migrate(VF_A);
}

/* One VF that is to take arcs until the reset of its PF has ended. */
struct driven {
	struct beside call;
	struct beside *reset;
	struct vfio_dev dev;
	unsigned long arcs;
};

static int drive(struct beside *b)
{
	struct driven *d = (struct driven *)b;

	for (; !d->reset->done; d->arcs++)
		vfio_mig_set(&d->dev, MIG_STOP, NULL);
	return 0;
}

static void runs_again(struct vfio_dev *dev)
{
	unsigned int state;

	must(vfio_mig_get(dev, &state));
	if (state != MIG_RUNNING)
		must(vfio_reset(dev));
}

/*
 * nvme sends no command of a VF while it starts the PF, and must not forget one
 * of its own for it: after a minute it would give up the PF.
 */
static void pf_resets_amid_arcs(const void *arg)
{
	struct driven driven[DRIVEN] = { 0 };
	unsigned int i, n, round;
	unsigned long arcs = 0;

	(void)arg;
	for (n = 0; n < DRIVEN && bed.pf[0].vf[n][0]; n++)
		must(vfio_open(&driven[n].dev, bed.pf[0].vf[n]));
	check(n > 1, "there are too few VFs");
	nvme_limit_set(NVME_LIMIT_S);

	for (round = 0; round < RESETS; round++) {
		struct beside reset = { 0 };

		beside_write(&reset, "1", "/sys/class/nvme/%s/reset_controller",
			     bed.pf[0].name);
		while (pf_is_live())
			sleep_us(100);
		for (i = 0; i < n; i++) {
			driven[i].reset = &reset;
			beside_call(&driven[i].call, drive);
		}
		check(!beside_end(&reset), "nvme has lost the PF in its reset %u",
		      round);
		for (i = 0; i < n; i++)
			must(beside_end(&driven[i].call));
		bed_online(0);
		for (i = 0; i < n; i++)
			runs_again(&driven[i].dev);
	}
	for (i = 0; i < n; i++) {
		arcs += driven[i].arcs;
		vfio_close(&driven[i].dev);
	}
	tap_note("%lu arcs of %u VFs in %u resets of the PF", arcs, n, round);
	can_migrate(VF_A);
}

/* --- a reset of the VF, and a command in flight --- */

/* a VF that is said to be in RUNNING runs */
static void no_lie(struct vfio_dev *dev)
{
	unsigned int state;

	must(vfio_mig_get(dev, &state));
	check(state != MIG_RUNNING || model_vf_is(VF_A, "running"),
	      "a VF that does not run is said to be in RUNNING");
}

static void cured(struct vfio_dev *dev)
{
	must(vfio_reset(dev));
	state_is(dev, MIG_RUNNING);
	no_lie(dev);
}

/* the device has reset the VF, and the kernel gives it time to get ready */
static void arc_after_flr(const void *arg)
{
	unsigned int round, refused = 0;
	struct vfio_dev a;

	(void)arg;
	solo_open(&a, VF_A, NULL);
	for (round = 0; round < ROUNDS || !refused; round++) {
		long before = model_vf_num(VF_A, ".resets");
		struct beside reset = { 0 };
		int err;

		beside_reset(&reset, &a);
		while (model_vf_num(VF_A, ".resets") == before)
			;
		err = vfio_mig_set(&a, MIG_STOP, NULL);
		must(beside_end(&reset));
		check(!err || err == -EAGAIN || sane_errno(err),
		      "expected a sensible errno, got %d", err);
		refused += err == -EAGAIN;
		no_lie(&a);
		cured(&a);
	}
	tap_note("%u of %u arcs came in time to be refused", refused, round);
	vfio_close(&a);
	can_migrate(VF_A);
}

/* the command came first; the device ends it in one way or another */
static void arc_before_flr(const void *arg)
{
	struct beside reset = { 0 }, suspend = { 0 };
	struct vfio_dev a;
	int err;

	solo_open(&a, VF_A, NULL);
	model_set(0, "lm-suspend-waits=ever\nlm-suspend-reset=%s",
		  (const char *)arg);
	beside_arc(&suspend, &a, MIG_STOP);
	model_await(VF_A, "suspending");
	beside_reset(&reset, &a);
	err = beside_end(&suspend);
	must(beside_end(&reset));
	check(sane_errno(err), "expected a sensible errno, got %d", err);
	state_is(&a, MIG_ERROR);
	model_set(0, "lm-suspend-waits=");
	cured(&a);
	vfio_close(&a);
	can_migrate(VF_A);
}

/* --- close --- */

static void log_all(struct workload *w, struct vfio_dev *dev)
{
	struct vfio_log_range r = { w->mem.iova, w->mem.size };
	uint64_t unit = 4096;

	must(vfio_log_start(dev, &r, 1, &unit));
}

static void runs_untracked(void)
{
	check(model_vf_is(VF_A, "running"), "the VF was left suspended");
	check(!model_vf_num(VF_A, ".tracked"), "the VF was left tracked");
}

static void close_amid_unbind(const void *arg)
{
	unsigned int state = *(const unsigned int *)arg;
	const char *bdf = bed.pf[0].vf[0];
	struct beside unbind = { 0 };
	struct vfio_dev a;
	struct workload *w;

	w = solo_open(&a, VF_A, NULL);
	if (vfio_log_supported(&a))
		log_all(w, &a);
	must(vfio_mig_set(&a, state, NULL));
	beside_unbind(&unbind, bdf);
	check_eq(vfio_reset(&a), -EAGAIN, "a reset amid an unbind");
	vfio_close(&a);
	must(beside_end(&unbind));
	runs_untracked();
	must(sysfs_write(bdf, PCI "/drivers_probe"));
	can_migrate(VF_A);
}

/* what close leaves to be done fails: nobody gets the VF until it is done */
static void close_without_answer(const void *arg)
{
	const char *bdf = bed.pf[0].vf[0];
	struct beside unbind = { 0 };
	struct vfio_dev a;

	(void)arg;
	solo_open(&a, VF_A, NULL);
	must(vfio_mig_set(&a, MIG_STOP, NULL));
	beside_unbind(&unbind, bdf);
	model_set(0, "lm-hang=%s", bed.set == SET_VENDOR ? "0xcc@1" : "0x41/1@1");
	vfio_close(&a);
	must(beside_end(&unbind));
	must(sysfs_write(bdf, PCI "/drivers_probe"));
	check_eq(vfio_open(&a, bdf), -EBUSY,
		 "open of a VF for which a Resume is in flight");
	must(sysfs_write("1", "/sys/class/nvme/%s/reset_controller",
			 bed.pf[0].name));
	bed_online(0);
	can_migrate(VF_A);
	runs_untracked();
}

/* --- the user is killed --- */

static pid_t stuck_user(void)
{
	struct vfio_dev a;
	pid_t pid = fork();

	check(pid >= 0, "no process");
	if (!pid) {
		solo_open(&a, VF_A, NULL);
		vfio_mig_set(&a, MIG_STOP, NULL);
		_exit(1);
	}
	while (!model_vf_is(VF_A, "suspending"))
		check(!waitpid(pid, NULL, WNOHANG), "the process ended early");
	return pid;
}

/* no limit ends its wait, only the signal can */
static void killed_in_suspend(const void *arg)
{
	bool ignored = !strcmp(arg, "ignore");
	struct vfio_dev a;
	pid_t pid;
	int err;

	bed_need(VF_A);
	nvme_limit_set(FOR_LONG_S);
	limit_set(FOR_LONG_S);
	model_set(0, "lm-suspend-waits=ever\nlm-suspend-reset=%s",
		  (const char *)arg);
	pid = stuck_user();
	user_kill(pid);
	if (ignored) {
		check_eq(vfio_open(&a, bed.pf[0].vf[0]), -EBUSY,
			 "open of a VF whose Suspend is in flight");
		check(model_vf_is(VF_A, "suspending"), "the Suspend has ended");
	}
	model_set(0, "lm-suspend-waits=");
	model_await(VF_A, "running");
	do
		err = vfio_open(&a, bed.pf[0].vf[0]);
	while (err == -EBUSY);
	must(err);
	vfio_close(&a);
	can_migrate(VF_A);
	runs_untracked();
}

static void open_tracked(void *arg)
{
	struct vfio_dev *a = arg;
	struct workload *w = solo_open(a, VF_A, NULL);

	log_all(w, a);
	must(vfio_mig_set(a, MIG_STOP, NULL));
	model_set(0, "lm-command-us=%d", COMMAND_US);
}

/*
 * As QEMU, whose threads end while one of them closes the VF: the command that
 * is owed to the VF is waited for nevertheless.
 */
static void killed_while_tracked(const void *arg)
{
	struct vfio_dev a;
	bool tracks;
	pid_t pid;

	(void)arg;
	must(vfio_open(&a, bed.pf[0].vf[0]));
	tracks = vfio_log_supported(&a);
	vfio_close(&a);
	if (!tracks)
		tap_skip("after a reset only a VF that is tracked needs a command");

	pid = user_start(open_tracked, user_closes, &a);
	model_await(VF_A, "running");
	sleep_us(COMMAND_US / 5);
	user_kill(pid);
	runs_untracked();
	model_set(0, "lm-command-us=0");
	can_migrate(VF_A);
}

static const unsigned int stop = MIG_STOP, copy = MIG_STOP_COPY;

const struct tap_case pf_cases[] = {
	{ .name = "VFs bound, opened and asked while the PF starts",
	  .fn = pf_starts, .limit_s = 90, .log = "" },
	{ .name = "VF bound while its PF has no driver",
	  .fn = bound_without_pf, .log = "" },
	{ .name = "VF asked about before it has queues",
	  .fn = asked_too_early, .log = "" },
	{ .name = "VFs used and closed when the PF has been removed",
	  .fn = pf_removed, .log = "" },
	{ .name = "arcs while the PF is being reset", .fn = pf_resets,
	  .limit_s = 60, .log = "" },
	{ .name = "PF resets while its VFs are to take arcs",
	  .fn = pf_resets_amid_arcs, .limit_s = 120, .log = "" },
	{ .name = "arc between FLR and the end of the reset",
	  .fn = arc_after_flr, .log = "" },
	{ .name = "FLR amid a Suspend, which fails", .fn = arc_before_flr,
	  .arg = "fail", .log = "" },
	{ .name = "FLR amid a Suspend, which succeeds", .fn = arc_before_flr,
	  .arg = "end", .log = "" },
	{ .name = "FLR amid a Suspend, which succeeds after it",
	  .fn = arc_before_flr, .arg = "suspend", .log = "" },
	{ .name = "suspended and tracked VF closed amid an unbind",
	  .fn = close_amid_unbind, .arg = &stop, .log = "" },
	{ .name = "VF closed in STOP_COPY amid an unbind",
	  .fn = close_amid_unbind, .arg = &copy, .log = "" },
	{ .name = "suspended VF closed, and the PF does not answer",
	  .fn = close_without_answer, .limit_s = 60, .log = "" },
	{ .name = "user killed while it closes a tracked VF", .fn = killed_while_tracked },
	{ .name = "user killed in a Suspend that a reset ends",
	  .fn = killed_in_suspend, .arg = "fail", .log = "" },
	{ .name = "user killed in a Suspend that nothing ends",
	  .fn = killed_in_suspend, .arg = "ignore", .log = "" },
	{ }
};

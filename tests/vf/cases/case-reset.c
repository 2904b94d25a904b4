// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-reset.c - resets at any time: of the VF by its user, of the PF behind
 * everybody's back, and of the VF's controller by its driver. The table
 * (table.h) has all states with all kinds of resets.
 */
#include <errno.h>
#include <unistd.h>

#include "cases.h"
#include "move.h"

static void fd_is_dead(int fd, bool reading)
{
	char byte = 0;
	ssize_t n = reading ? read(fd, &byte, 1) : write(fd, &byte, 1);

	check(n < 0 && errno == ENODEV,
	      "data fd after the reset: expected ENODEV, got %zd, errno %d", n,
	      n < 0 ? errno : 0);
}

/* without closing: the same fd continues from the reset */
static void reset_and_reuse(const void *arg)
{
	unsigned int state = *(const unsigned int *)arg;
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w, *v;

	w = pair_busy(&a, &b);
	must(vfio_mig_set(&a, state, NULL));
	must(vfio_reset(&a));
	state_is(&a, MIG_RUNNING);
	must(vfio_dma_unmap(&a, &w->mem));
	v = workload_new();
	must(vfio_dma_map(&a, &v->mem));
	must(vfio_irq_enable(&a, a.nefd));
	workload_start(v, &a, NULL);
	workload_check(v);
	/* and it migrates */
	must(vfio_dma_unmap(&b, &w->mem));
	must(vfio_dma_map(&b, &v->mem));
	workload_fill(v, 30);
	move(v, &a, &b, &s, NULL);
	workload_check(v);
	workload_event(v);
}

/* half a stream was written when the destination is reset */
static void reset_half_loaded(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	int fd;

	(void)arg;
	w = pair_busy(&a, &b);
	must(mig_stop(&a, NULL));
	must(mig_save(&a, &s, NULL));
	must(vfio_mig_set(&b, MIG_RESUMING, &fd));
	must(mig_write(fd, s.data, s.len / 2, 0));
	must(vfio_reset(&b));
	state_is(&b, MIG_RUNNING);
	fd_is_dead(fd, false);
	must(vfio_irq_enable(&b, b.nefd));
	move_load(w, &b, &s, NULL);
	close(fd);
	workload_check(w);
	workload_event(w);
}

static void reset_pf(int pf)
{
	must(sysfs_write("1", "/sys/class/nvme/%s/reset_controller",
			 bed.pf[pf].name));
}

/*
 * A PF reset takes all VFs offline and ends every suspension. The driver has to
 * report what it cannot repair.
 */
static void pf_reset_in(const void *arg)
{
	unsigned int state = *(const unsigned int *)arg, now;
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	int err, fd;

	w = pair_open(&a, VF_A, &b, VF_B, NULL);
	workload_fill(w, 30);
	must(vfio_mig_set(&a, state, &fd));
	reset_pf(0);
	switch (state) {
	case MIG_RUNNING_P2P:
	case MIG_STOP_COPY:
		err = vfio_mig_set(&a, MIG_RUNNING, NULL);
		break;
	case MIG_STOP:
		err = mig_save(&a, &s, NULL);
		break;
	default:
		err = vfio_mig_set(&a, MIG_STOP, NULL);
	}
	must(vfio_mig_get(&a, &now));
	check(err || now == MIG_ERROR,
	      "%s, PF reset: expected the next arc to fail, it reached %s",
	      mig_name(state), mig_name(now));
	check(!err || sane_errno(err), "expected a sensible errno, got %d",
	      err);
	tap_note("%s, PF reset: errno %d, state %s", mig_name(state), -err,
		 mig_name(now));
	if (fd >= 0)
		close(fd);
	bed_online(0);
	must(vfio_reset(&a));
	state_is(&a, MIG_RUNNING);
	vfio_close(&b);
	alive(&a, VF_A);
	alive(&b, VF_B);
}

/*
 * The PF's driver is unbound while a VF is suspended: the next arc that needs a
 * command fails, nothing hangs, and once the driver is back all is well.
 */
static void pf_unbound_in(const void *arg)
{
	unsigned int state = *(const unsigned int *)arg, now;
	struct vfio_dev a, b;
	int err, fd;

	pair_busy(&a, &b);
	must(vfio_mig_set(&a, state, &fd));
	pf_driver(0, "unbind");
	err = vfio_mig_set(&a, MIG_RUNNING, NULL);
	must(vfio_mig_get(&a, &now));
	tap_note("%s, PF unbound: errno %d, state %s", mig_name(state), -err,
		 mig_name(now));
	check(sane_errno(err), "expected a sensible errno, got %d", err);
	check(now == MIG_ERROR, "expected ERROR, the state is %s",
	      mig_name(now));
	if (fd >= 0)
		close(fd);
	must(vfio_reset(&a));
	state_is(&a, MIG_RUNNING);
	err = vfio_mig_set(&a, MIG_STOP, NULL);
	check(err == -ENODEV, "no PF: expected -ENODEV, got %d", err);
	state_is(&a, MIG_RUNNING);

	vfio_close(&a);
	pf_driver(0, "bind");
	bed_online(0);
	vfio_close(&b);
	alive(&a, VF_A);
}

/* nothing migrates: a PF reset must not break later migrations */
static void pf_reset_at_rest(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;

	(void)arg;
	bed_need(VF_C);
	w = idle_open(&a, VF_A);
	reset_pf(0);
	bed_online(0);
	again(w, &a, VF_A);
	bed_open(&b, VF_C, &w->mem);
	workload_start(w, &a, NULL);
	workload_fill(w, 30);
	move(w, &a, &b, &s, NULL);
	workload_check(w);
	workload_event(w);
}

/* the guest resets its controller by CC.EN, which is no event of migration */
static void controller_reset(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w, *v;

	(void)arg;
	w = pair_busy(&a, &b);
	move(w, &a, &b, &s, NULL);
	workload_check(w);
	v = workload_new();
	must(vfio_dma_unmap(&b, &w->mem));
	must(vfio_dma_map(&b, &v->mem));
	workload_start(v, &b, NULL);
	workload_check(v);
	workload_event(v);
}

static const unsigned int p2p = MIG_RUNNING_P2P, stop = MIG_STOP,
	copy = MIG_STOP_COPY, resuming = MIG_RESUMING;

const struct tap_case reset_cases[] = {
	{ .name = "reset in STOP, same fd goes on", .fn = reset_and_reuse,
	  .arg = &stop },
	{ .name = "reset in STOP_COPY, same fd goes on",
	  .fn = reset_and_reuse, .arg = &copy },
	{ .name = "reset in RESUMING, same fd goes on",
	  .fn = reset_and_reuse, .arg = &resuming },
	{ .name = "reset with half a stream written",
	  .fn = reset_half_loaded },
	{ .name = "PF reset in RUNNING_P2P", .fn = pf_reset_in, .arg = &p2p,
	  .log = "" },
	{ .name = "PF reset in STOP_COPY", .fn = pf_reset_in, .arg = &copy,
	  .log = "" },
	{ .name = "PF reset in RESUMING", .fn = pf_reset_in,
	  .arg = &resuming, .log = "" },
	{ .name = "PF unbound in RUNNING_P2P", .fn = pf_unbound_in,
	  .arg = &p2p, .log = "" },
	{ .name = "PF reset while nobody migrates", .fn = pf_reset_at_rest },
	{ .name = "controller reset after a migration",
	  .fn = controller_reset,
	  .deep = true },
	{ }
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-fault.c - every migration command fails with every status in turn. The
 * arc must fail with an errno, the state must be one that exists, and a reset
 * must bring the VF back.
 */
#include <errno.h>
#include <stdio.h>

#include "cases.h"
#include "move.h"

/* which arc the failing command belongs to */
enum where {
	AT_SUSPEND,		/* source RUNNING -> RUNNING_P2P */
	AT_SAVE,		/* source STOP -> STOP_COPY */
	AT_CANCEL,		/* source back to RUNNING */
	AT_RESUMING,		/* destination -> RESUMING, or the load */
	AT_LOAD,		/* destination write or RESUMING -> STOP */
	AT_RESUME,		/* destination -> RUNNING */
};

struct fault {
	const char *rule;	/* opcode and place of the command, no status */
	enum where where;
	long pad;
};

/* invalid field, sequence error, internal error, and the commands' own */
static const unsigned int status[] = {
	0x002, 0x00c, 0x006, 0x11f, 0x137, 0x138, 0x13a, 0x371,
};

/* otherwise the driver would retry what may be retried */
#define DNR	0x4000

#define NSTATUS	(sizeof(status) / sizeof(status[0]))

/* one VF as source: run to the arc in question. Return: the arc's result */
static int source_arc(struct vfio_dev *a, enum where where)
{
	struct mig_stream s = { 0 };
	int err;

	err = mig_stop(a, NULL);
	if (where == AT_SUSPEND)
		return err;
	check(!err, "suspend: %s", lib_msg());
	err = mig_save(a, &s, NULL);
	mig_stream_free(&s);
	if (where == AT_SAVE)
		return err;
	check(!err, "save: %s", lib_msg());
	return vfio_mig_set(a, MIG_RUNNING, NULL);
}

static int dest_arc(struct vfio_dev *b, const struct mig_stream *s,
		    enum where where)
{
	int err;

	err = mig_load(b, s, 0, NULL);
	if (where != AT_RESUME)
		return err;
	check(!err, "load: %s", lib_msg());
	return mig_start(b, NULL);
}

static void expect_error(struct vfio_dev *dev, int err, const char *rule,
			 unsigned int st)
{
	unsigned int state;

	check(err < 0, "%s=0x%x: expected an error, the arc gave %d", rule, st,
	      err);
	check(sane_errno(err), "%s=0x%x: expected a sensible errno, got %d",
	      rule, st, err);
	must(vfio_mig_get(dev, &state));
	check(state <= MIG_RUNNING_P2P, "%s=0x%x: state %u does not exist",
	      rule, st, state);
	if (state == MIG_ERROR)
		check(vfio_mig_set(dev, MIG_RUNNING, NULL),
		      "%s=0x%x: left ERROR without a reset", rule, st);
	tap_note("%-10s status %03x: errno %3d, state %s", rule, st, -err,
		 mig_name(state));
	must(vfio_reset(dev));
	state_is(dev, MIG_RUNNING);
}

static void set_rule(int pf, const struct fault *f, unsigned int st)
{
	model_set(pf, "lm-fail=%s=0x%x", f->rule, st | DNR);
}

static void source_fault(const struct fault *f)
{
	struct vfio_dev a;
	struct workload *w;
	unsigned int i;

	model_set(0, "lm-pad=%ld", f->pad);
	w = workload_new();
	bed_open(&a, VF_A, &w->mem);
	workload_start(w, &a, NULL);
	for (i = 0; i < NSTATUS; i++) {
		workload_fill(w, 8);
		set_rule(0, f, status[i]);
		expect_error(&a, source_arc(&a, f->where), f->rule, status[i]);
		model_set(0, "lm-fail=");
		must(vfio_dma_unmap(&a, &w->mem));
		workload_free(w);
		w = workload_new();
		must(vfio_dma_map(&a, &w->mem));
		must(vfio_irq_enable(&a, a.nefd));
		workload_start(w, &a, NULL);
	}
	alive(&a, VF_A);
}

static void dest_fault(const struct fault *f)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	unsigned int i;

	model_set(0, "lm-pad=%ld", f->pad);
	model_set(1, "lm-pad=%ld", f->pad);
	w = pair_busy(&a, &b);
	must(mig_stop(&a, NULL));
	must(mig_save(&a, &s, NULL));
	for (i = 0; i < NSTATUS; i++) {
		set_rule(1, f, status[i]);
		expect_error(&b, dest_arc(&b, &s, f->where), f->rule,
			     status[i]);
		model_set(1, "lm-fail=");
	}
	/* no failure has left anything: the good state is accepted */
	must(vfio_irq_enable(&b, b.nefd));
	move_load(w, &b, &s, NULL);
	workload_check(w);
	workload_event(w);
}

static void fault(const void *arg)
{
	const struct fault *f = arg;
	bool is_vendor = f->rule[2] != '4';

	if (is_vendor != (bed.set == SET_VENDOR))
		tap_skip("a command of the other set");
	if (f->where < AT_RESUMING)
		source_fault(f);
	else
		dest_fault(f);
}

/* a failed suspend leaves the guest running, which must not even notice */
static void suspend_fails_softly(const void *arg)
{
	struct vfio_dev a;
	unsigned int state;
	struct workload *w;

	(void)arg;
	w = solo_open(&a, VF_A, NULL);
	workload_fill(w, 30);
	model_set(0, "lm-fail=%s=0x4006",
		  bed.set == SET_VENDOR ? "0xc8@1" : "0x41/0@1");
	check(mig_stop(&a, NULL), "expected the suspend to fail");
	must(vfio_mig_get(&a, &state));
	check(state == MIG_RUNNING, "expected RUNNING after a refused suspend, it is %s",
	      mig_name(state));
	workload_check(w);
	workload_event(w);
	must(mig_stop(&a, NULL));
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
}

/* a way back that failed may be tried again, unless the state is ERROR */
static void cancel_again(const void *arg)
{
	const char *rule[2][2] = {
		{ "0x41/1@1=0x4006", NULL },
		{ "0xd5@1=0x4006", "0xcc@1=0x4006" },
	};
	struct mig_stream s = { 0 };
	struct vfio_dev a;
	unsigned int i, state;
	struct workload *w;

	(void)arg;
	w = solo_open(&a, VF_A, NULL);
	for (i = 0; i < 2 && rule[bed.set][i]; i++) {
		workload_fill(w, 30);
		must(mig_stop(&a, NULL));
		must(mig_save(&a, &s, NULL));
		model_set(0, "lm-fail=%s", rule[bed.set][i]);
		check(vfio_mig_set(&a, MIG_RUNNING, NULL),
		      "%s: expected the way back to fail", rule[bed.set][i]);
		must(vfio_mig_get(&a, &state));
		if (state == MIG_ERROR)
			tap_skip("the driver gives the VF up when %s",
				 rule[bed.set][i]);
		must(vfio_mig_set(&a, MIG_RUNNING, NULL));
		workload_check(w);
		workload_event(w);
	}
}

/* the driver limits the rate of its warnings: there may be none left */
#define FAULT(text, ...) \
	{ .name = text, .fn = fault, .limit_s = 60, .log = "", \
	  .deep = true, .arg = &(const struct fault){ __VA_ARGS__ } }

/* those that a brief run also has */
#define FAULT_CORE(text, ...) \
	{ .name = text, .fn = fault, .limit_s = 60, .log = "", \
	  .arg = &(const struct fault){ __VA_ARGS__ } }

#define PAD	600000		/* several pieces */

const struct tap_case fault_cases[] = {
	FAULT("suspend of the source fails", "0x41/0@1", AT_SUSPEND, 0),
	FAULT_CORE("get fails", "0x42/0@1", AT_SAVE, 0),
	FAULT("second get fails", "0x42/0@2", AT_SAVE, PAD),
	FAULT("resume of a cancelled source fails", "0x41/1@1", AT_CANCEL, 0),
	FAULT("suspend of the destination fails", "0x41/0@1", AT_RESUMING, 0),
	FAULT("set fails", "0x41/2@1", AT_LOAD, 0),
	FAULT("last set fails", "0x41/2@2", AT_LOAD, PAD),
	FAULT_CORE("resume of the destination fails", "0x41/1@1", AT_RESUME, 0),
	FAULT("vendor suspend of the source fails", "0xc8@1", AT_SUSPEND, 0),
	FAULT_CORE("vendor save fails", "0xd2@1", AT_SAVE, 0),
	FAULT_CORE("vendor load of a cancelled source fails", "0xd5@1",
		   AT_CANCEL, 0),
	FAULT("vendor resume of a cancelled source fails", "0xcc@1",
	      AT_CANCEL, 0),
	FAULT("vendor suspend of the destination fails", "0xc8@1",
	      AT_RESUMING, 0),
	FAULT_CORE("vendor load fails", "0xd5@1", AT_LOAD, 0),
	FAULT("vendor resume of the destination fails", "0xcc@1", AT_RESUME,
	      0),
	{ .name = "refused suspend leaves the source running",
	  .fn = suspend_fails_softly, .log = "" },
	{ .name = "failed cancel can be tried again", .fn = cancel_again,
	  .log = "" },
	{ }
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * rules_suspend.c - Suspend and Resume, and what a guest notices of them.
 */
#include "cert.h"

#define QUIET_US	1000000
#define UNKNOWN_ID	0xfff0
#define CSTS		0x1c
#define CSTS_RDY	1
#define SMALL_CQ	4

static void suspend(struct cert *c, unsigned int i)
{
	cert_is(c, cert_suspend_vf(c, i), 0, "Suspend");
}

static void resume(struct cert *c, unsigned int i)
{
	cert_is(c, cert_resume_vf(c, i), 0, "Resume");
}

static void basic(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);

	suspend(c, 0);
	resume(c, 0);
	workload_burst(w, 2);
	workload_event(w);
	workload_check(w);
}

static void twice(struct cert *c)
{
	cert_guest(c, 0, NULL);
	suspend(c, 0);
	cert_is(c, cert_suspend_vf(c, 0), 0, "Suspend of a suspended VF");
	resume(c, 0);
	cert_refused(c, cert_resume_vf(c, 0), CERT_NOT_SUSPENDED,
			"a second Resume after two Suspends");
}

static void running(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);

	cert_refused(c, cert_resume_vf(c, 0), CERT_NOT_SUSPENDED, "Resume of a running VF");
	workload_burst(w, 1);
	workload_check(w);
}

static void operands(struct cert *c)
{
	unsigned int pf = c->id[78] | c->id[79] << 8;

	cert_refused(c, cert_suspend_as(c, UNKNOWN_ID, 1), CERT_INVALID_CTRL,
			"Suspend of a controller that does not exist");
	cert_refused(c, cert_suspend_as(c, pf, 1), CERT_INVALID_CTRL, "Suspend of the PF itself");
	cert_refused(c, cert_resume_id(c, UNKNOWN_ID), CERT_INVALID_CTRL,
			"Resume of a controller that does not exist");
	cert_refused(c, cert_resume_id(c, pf), CERT_INVALID_CTRL, "Resume of the PF itself");
}

/* A newer standard may give the smallest ones a meaning. */
static void reserved_type(struct cert *c)
{
	static const unsigned int type[] = { 2, 5, 0xff };
	unsigned int i;

	for (i = 0; i < sizeof(type) / sizeof(type[0]); i++)
		cert_refused(c, cert_suspend_as(c, c->vf[0].cntlid, type[i]),
			     CERT_INVALID_FIELD, "Suspend of a reserved type");
	cert_refused(c, cert_reserved(c, true), CERT_INVALID_FIELD,
		     "Migration Send with a reserved selection");
	cert_refused(c, cert_reserved(c, false), CERT_INVALID_FIELD,
		     "Migration Receive with a reserved selection");
	cert_refused(c, cert_resume_vf(c, 0), CERT_NOT_SUSPENDED, "Resume after a reserved Suspend");
}

static void notification(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);

	workload_fill(w, 20);
	cert_is(c, cert_suspend_as(c, c->vf[0].cntlid, 0), 0, "Suspend notification");
	workload_burst(w, 2);
	workload_check(w);
	cert_refused(c, cert_resume_vf(c, 0), CERT_NOT_SUSPENDED,
			"Resume after a notification alone");
}

static void in_flight(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);
	unsigned int i;

	for (i = 0; i < 5; i++) {
		workload_fill(w, 40);
		suspend(c, 0);
		cert_quiet(w, i ? 20000 : QUIET_US);
		resume(c, 0);
		workload_check(w);
	}
}

static void events(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);

	suspend(c, 0);
	cert_quiet(w, 50000);
	resume(c, 0);
	workload_audit(w);
	workload_event(w);
	workload_check(w);
}

/* rung while it is suspended, processed afterwards */
static void doorbells(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);
	unsigned int i;

	workload_drain(w);
	suspend(c, 0);
	/* An interrupt may have been on its way. */
	cert_quiet(w, 100000);
	for (i = 0; i < c->dev[0].nefd; i++)
		vfio_irq_take(&c->dev[0], i);
	workload_fill(w, 20);
	check(workload_out(w), "no command is in flight");
	cert_quiet(w, 100000);
	for (i = 0; i < c->dev[0].nefd; i++)
		check(vfio_irq_take(&c->dev[0], i) < 1,
		      "interrupt %u came while the VF was suspended", i);
	resume(c, 0);
	workload_check(w);
}

/* Completions whose interrupt nobody has seen: Resume raises it. */
static void interrupts(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);
	unsigned int i;

	for (i = 0; i < 20; i++) {
		if (i)
			workload_fill(w, 20);
		else
			workload_unseen(w);
		suspend(c, 0);
		resume(c, 0);
		workload_drain(w);
	}
	workload_check(w);
}

static void ready(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);

	suspend(c, 0);
	check(nvme_reg32(&w->ctrl, CSTS) & CSTS_RDY,
	      "CSTS.RDY of a suspended VF is 0: its guest would take it for dead");
	resume(c, 0);
	workload_check(w);
}

static void full_queues(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, &(struct workload_opts){ .cq_size = SMALL_CQ });

	workload_stuff(w, 40);
	cert_suspend_full(c, 0, w);
	resume(c, 0);
	workload_check(w);
}

static void full_at_once(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, &(struct workload_opts){ .cq_size = SMALL_CQ });

	workload_stuff(w, 40);
	check(!cert_suspend_full(c, 0, w),
			"Suspend waits until the guest takes its completions, which a stopped guest never does");
}

static void reset_ends(struct cert *c)
{
	cert_guest(c, 0, NULL);
	suspend(c, 0);
	check(!vfio_reset(&c->dev[0]), "%s", lib_msg());
	cert_refused(c, cert_resume_vf(c, 0), CERT_NOT_SUSPENDED,
			"Resume after a reset of the suspended VF");
	cert_works(c, 0);
}

const struct cert_rule cert_suspend[] = {
	{ "susp-basic", "a VF can be suspended and resumed", "Migration Send",
	  CERT_MUST, CERT_BOTH | CERT_VF, 0, basic },
	{ "susp-twice", "a second Suspend changes nothing", "Migration Send, Suspend",
	  CERT_MUST, CERT_STANDARD | CERT_VF, 0, twice },
	{ "susp-running", "Resume of a running VF is refused", "Migration Send, Resume",
	  CERT_MUST, CERT_STANDARD | CERT_VF, 0, running },
	{ "susp-operands", "only VFs can be suspended and resumed", "Migration Send",
	  CERT_MUST, CERT_STANDARD, 0, operands },
	{ "susp-reserved", "reserved types and selections are refused", "Migration Send, Suspend",
	  CERT_SHOULD, CERT_STANDARD | CERT_VF, 0, reserved_type },
	{ "susp-notify", "a Suspend notification suspends nothing", "Migration Send, Suspend",
	  CERT_MUST, CERT_STANDARD | CERT_VF, 0, notification },
	{ "susp-in-flight", "commands in flight complete once, after Resume",
			"Migration Send, Suspend",
	  CERT_MUST, CERT_BOTH | CERT_VF, 0, in_flight },
	{ "susp-events", "Suspend leaves async event requests outstanding", "Migration Send, Suspend",
	  CERT_MUST, CERT_BOTH | CERT_VF, 0, events },
	{ "susp-doorbells", "doorbells written while suspended take effect after Resume",
			"Migration Send, Suspend",
	  CERT_MUST, CERT_BOTH | CERT_VF, 0, doorbells },
	{ "susp-interrupts", "Resume raises the interrupts of unseen completions",
			"Migration Send, Resume",
	  CERT_MUST, CERT_BOTH | CERT_VF, 0, interrupts },
	{ "susp-ready", "a suspended VF is still ready", "Migration Send, Suspend",
	  CERT_MUST, CERT_BOTH | CERT_VF, 0, ready },
	{ "susp-full-queues", "completions that found no room are posted after Resume",
			"Migration Send, Suspend",
	  CERT_MUST, CERT_BOTH | CERT_VF, 0, full_queues },
	{ "susp-full-at-once", "Suspend does not wait for room for completions", "-",
	  CERT_QUALITY, CERT_BOTH | CERT_VF, 0, full_at_once },
	{ "susp-reset", "a reset ends the suspension", "Migration Send, Suspend",
	  CERT_MUST, CERT_STANDARD | CERT_VF, 0, reset_ends },
	{ }
};

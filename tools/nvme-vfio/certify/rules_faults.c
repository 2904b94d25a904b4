// SPDX-License-Identifier: GPL-2.0-only
/*
 * rules_faults.c - resets and the like at arbitrary moments.
 */
#include "cert.h"

#define CC		0x14

static void reset_in_flight(struct cert *c)
{
	struct workload *w;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		w = cert_guest(c, 0, NULL);
		workload_fill(w, 40);
		check(!vfio_reset(&c->dev[0]), "%s", lib_msg());
		cert_quiet(w, 20000);
		vfio_close(&c->dev[0]);
	}
	w = cert_guest(c, 0, NULL);
	cert_is(c, cert_suspend_vf(c, 0), 0, "Suspend after resets");
	cert_is(c, cert_resume_vf(c, 0), 0, "Resume");
	workload_check(w);
}

/* a VF that its guest has not enabled, or has disabled */
static void disabled(struct cert *c)
{
	struct workload *w = workload_new();
	struct cert_state s;

	cert_open(c, 0, w);
	cert_is(c, cert_suspend_vf(c, 0), 0, "Suspend of a VF that is not enabled");
	cert_save(c, 0, &s);
	cert_load(c, 0, &s, 0);
	cert_is(c, cert_resume_vf(c, 0), 0, "Resume of a VF that is not enabled");
	workload_start(w, &c->dev[0], &(struct workload_opts){ .nsid = c->nsid,
			.readonly = !c->write });
	workload_burst(w, 1);
	workload_check(w);
}

static void loaded_and_reset(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);
	struct cert_state s;

	workload_fill(w, 20);
	cert_is(c, cert_suspend_vf(c, 0), 0, "Suspend");
	cert_save(c, 0, &s);
	check(!vfio_reset(&c->dev[0]), "%s", lib_msg());
	cert_is(c, cert_suspend_vf(c, 0), 0, "Suspend");
	cert_load(c, 0, &s, 0);
	check(!vfio_reset(&c->dev[0]), "%s", lib_msg());
	cert_quiet(w, 50000);
	cert_works(c, 0);
}

const struct cert_rule cert_faults[] = {
	{ "fault-in-flight", "a VF works after a reset with I/O in flight", "-",
	  CERT_MUST, CERT_BOTH | CERT_VF, 0, reset_in_flight },
	{ "fault-disabled", "a VF that is not enabled can be moved", "Migration Send",
	  CERT_MUST, CERT_BOTH | CERT_VF, 0, disabled },
	{ "fault-loaded", "a reset discards a loaded state", "-",
	  CERT_MUST, CERT_BOTH | CERT_VF, 0, loaded_and_reset },
	{ }
};

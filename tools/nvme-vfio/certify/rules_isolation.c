// SPDX-License-Identifier: GPL-2.0-only
/*
 * rules_isolation.c - what one VF may notice of another, and what only the PF
 * may do.
 */
#include "cert.h"

static void refused_by(struct cert *c, struct workload *w, unsigned int opcode,
		unsigned int cdw10,
		       unsigned int cdw11, const char *name)
{
	struct nvme_cmd cmd = { .opc = opcode, .cdw10 = cdw10, .cdw11 = cdw11,
			.prp1 = w->ctrl.scratch_iova };
	int ret = nvme_admin(&w->ctrl, &cmd, NULL);

	(void)c;
	check(ret >= 0, "%s by a VF: %s", name, lib_msg());
	check(ret, "a VF can send %s, and do to other VFs what only the PF may do", name);
}

static void commands_of_a_vf(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);
	unsigned int other = c->vf[c->nvf - 1].cntlid;

	if (c->set == CERT_STANDARD) {
		refused_by(c, w, 0x41, 0, other | 1 << 16, "Suspend");
		refused_by(c, w, 0x41, 1, other, "Resume");
		refused_by(c, w, 0x42, 1 << 16, other | 1 << 16, "Get");
		refused_by(c, w, 0x3d, 1, other, "Track Send");
		refused_by(c, w, 0x3e, 0, other, "Track Receive");
	} else {
		refused_by(c, w, 0xc8, c->vf[c->nvf - 1].vfn, 0, "SUSPEND");
		refused_by(c, w, 0xcc, c->vf[c->nvf - 1].vfn, 0, "RESUME");
		refused_by(c, w, 0xd2, c->vf[c->nvf - 1].vfn, 0, "SAVE_DATA");
	}
	workload_check(w);
}

/* a VF at work while another one is suspended, read, loaded and resumed */
static void others_go_on(struct cert *c)
{
	struct workload *a = cert_guest(c, 0, NULL), *b = cert_guest(c, 1, NULL);
	struct cert_state s;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		workload_fill(a, 20);
		workload_fill(b, 20);
		cert_is(c, cert_suspend_vf(c, 0), 0, "Suspend");
		workload_check(b);
		workload_burst(b, 1);
		cert_save(c, 0, &s);
		workload_burst(b, 1);
		if (c->set == CERT_VENDOR)
			cert_load(c, 0, &s, 0);
		cert_is(c, cert_resume_vf(c, 0), 0, "Resume");
		workload_check(a);
		workload_check(b);
	}
}

static void both_suspended(struct cert *c)
{
	struct workload *a = cert_guest(c, 0, NULL), *b = cert_guest(c, 1, NULL);

	workload_fill(a, 20);
	workload_fill(b, 20);
	cert_is(c, cert_suspend_vf(c, 0), 0, "Suspend");
	cert_is(c, cert_suspend_vf(c, 1), 0, "Suspend while another VF is suspended");
	cert_quiet(a, 20000);
	cert_is(c, cert_resume_vf(c, 0), 0, "Resume of the first");
	workload_check(a);
	cert_quiet(b, 20000);
	cert_is(c, cert_resume_vf(c, 1), 0, "Resume of the second");
	workload_check(b);
}

/* a reset of one VF does not affect another */
static void reset_of_one(struct cert *c)
{
	struct workload *a = cert_guest(c, 0, NULL), *b = cert_guest(c, 1, NULL);

	(void)a;
	workload_fill(b, 20);
	cert_is(c, cert_suspend_vf(c, 0), 0, "Suspend");
	check(!vfio_reset(&c->dev[0]), "%s", lib_msg());
	workload_check(b);
	workload_event(b);
}

const struct cert_rule cert_isolation[] = {
	{ "iso-pf-only", "a VF cannot send the PF's migration commands", "Migration Send; Track Send",
	  CERT_MUST, CERT_BOTH | CERT_VF, 0, commands_of_a_vf },
	{ "iso-others", "other VFs keep working while one is suspended", "Migration Send",
	  CERT_MUST, CERT_BOTH | CERT_TWO, 0, others_go_on },
	{ "iso-both", "two VFs are suspended and resumed independently", "Migration Send",
	  CERT_MUST, CERT_BOTH | CERT_TWO, 0, both_suspended },
	{ "iso-reset", "a reset of one VF does not affect another", "-",
	  CERT_MUST, CERT_BOTH | CERT_TWO, 0, reset_of_one },
	{ }
};

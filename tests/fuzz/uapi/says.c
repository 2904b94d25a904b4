// SPDX-License-Identifier: GPL-2.0-only
/*
 * says.c - what the model says about a VF. In RUNNING it runs: a missing Resume
 * does not show anywhere else, and the next reset hides it.
 */
#include <stdio.h>
#include <string.h>

#include "bed-vfs.h"
#include "fuzz.h"

struct says {
	char state[32];
	long tracked;
};

/* Return: whether the PF answers */
static bool model_says(struct vf *v, struct says *s)
{
	unsigned int id = vfs_cntlid(v->at.pf, v->at.vf);
	char report[4096], name[32];

	if (pf_test_get(bed.pf[v->at.pf].name, report, sizeof(report)))
		return false;
	snprintf(name, sizeof(name), "vf.%u", id);
	if (report_get(report, name, s->state, sizeof(s->state)))
		return false;
	snprintf(name, sizeof(name), "vf.%u.tracked", id);
	s->tracked = report_num(report, name);
	return true;
}

void vf_shall_run(struct thread *t, struct vf *v, const struct moment *since)
{
	struct says s;

	/* the name may have belonged to another PF by then */
	if (!model_says(v, &s) || vf_was_lost(v, since))
		return;
	if (strcmp(s.state, "running"))
		broken(t, "in RUNNING the VF has to run, the model says \"%s\"",
		       s.state);
}

void vf_shall_be_free(struct thread *t, struct vf *v)
{
	struct says s;

	if (!model_says(v, &s))
		return;
	if (strcmp(s.state, "running") || s.tracked)
		broken(t, "the VF's user has left, the model says \"%s\", %ld ranges are tracked",
		       s.state, s.tracked);
}

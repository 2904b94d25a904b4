// SPDX-License-Identifier: GPL-2.0-only
/*
 * setup.c - apply and teardown of one PF: lock, look, plan, record, do.
 */
#include <string.h>

#include "busy.h"
#include "driverctl.h"
#include "lock.h"
#include "plan.h"
#include "record.h"
#include "setup.h"
#include "step.h"
#include "tool.h"

enum { PF, VF, ADDRESS, STEP, STATE, COLUMNS };

static const struct report_column columns[COLUMNS] = {
	[PF]		= { "pf", "PF" },
	[VF]		= { "vf" },
	[ADDRESS]	= { "address" },
	[STEP]		= { "step", "STEP", .wrap = true },
	[STATE]		= { "state" },
};

struct report *setup_report(const char *command)
{
	return report_new(command, "steps", columns, COLUMNS);
}

static void report_steps(const struct setup *how, const struct host_fn *fn,
			 const struct steps *s)
{
	static const char * const state[] = {
		[STATE_PLANNED] = "planned", [STATE_DONE] = "done",
		[STATE_FAILED] = "failed", [STATE_UNDONE] = "undone",
		[STATE_STUCK] = "stuck",
	};
	size_t i;

	for (i = 0; i < s->n; i++) {
		const struct step *st = &s->step[i];

		report_row(how->report);
		report_text(how->report, PF, fn->bdf);
		if (st->vfn)
			report_number(how->report, VF, st->vfn);
		report_text(how->report, ADDRESS, st->vfn ? st->bdf : fn->bdf);
		report_text(how->report, STEP, step_text(st));
		report_text(how->report, STATE, state[st->state]);
	}
}

/* Would the step pull something from under a user's feet? */
static bool disturbs(const struct step *st)
{
	switch (st->kind) {
	case STEP_UNBIND:
	case STEP_OFFLINE:
	case STEP_ASSIGN:
	case STEP_RESET:
	case STEP_DETACH:
		return true;
	default:
		return false;
	}
}

static int check_users(struct host *h, const struct host_fn *fn,
		       const struct steps *s)
{
	unsigned int vfn = 0;
	struct host_fn *vf;
	int err = TOOL_OK;
	bool all = false;
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->step[i].kind == STEP_NUMVFS)
			all = true;
	for (vfn = 1; !err && vfn <= fn->numvfs; vfn++) {
		bool touched = all;

		for (i = 0; i < s->n; i++)
			if (s->step[i].vfn == vfn && disturbs(&s->step[i]))
				touched = true;
		vf = host_vf(h, fn, vfn);
		if (touched && vf)
			err = busy_check(vf);
	}
	return err;
}

/* What was attached so far, and what these steps change about that. */
static int note_attached(const struct steps *s, struct record *r)
{
	int err = TOOL_OK;
	size_t i;

	for (i = 0; !err && i < s->n; i++) {
		const struct step *st = &s->step[i];

		if (st->kind == STEP_ATTACH)
			err = vf_add(&r->attached.vf[st->vfn - 1], st->nsid);
		else if (st->kind == STEP_DETACH)
			vf_drop(&r->attached.vf[st->vfn - 1], st->nsid);
	}
	return err;
}

/*
 * The record says what was before as long as anything may have changed: it is
 * written before the first step, and its old contents come back when all has
 * been undone.
 */
static int run(const struct pf *pf, const struct pf_state *now,
	       const struct pf_state *want, struct steps *s, struct record *r)
{
	const struct work w = { .name = pf->fn->bdf, .pf = pf, .want = want };
	struct record old = *r, next = *r;
	int err;

	old.attached = (struct pf_state){ };
	err = pf_state_copy(&r->attached, &old.attached);
	if (!err)
		err = note_attached(s, &next);
	if (!err && !next.has_before) {
		next.before = *now;
		next.has_before = true;
	}
	if (!err) {
		err = record_save(pf->fn, &next);
		if (!err) {
			err = steps_run(&w, s);
			/* Of a PF that is gone there is nothing to restore. */
			if (err == TOOL_NODEV)
				old.has_before = false;
			if (err && err != TOOL_BROKEN)
				record_save(pf->fn, &old);
		}
	}
	/* The lists may have moved; they are still the caller's. */
	r->attached = next.attached;
	pf_state_free(&old.attached);
	return err;
}

static void warn_driverctl(const struct pf_state *now,
			   const struct pf_state *want)
{
	unsigned int i;

	for (i = 0; i < want->numvfs && i < now->numvfs; i++)
		if (*now->vf[i].bdf)
			driverctl_warn(now->vf[i].bdf, want->vf[i].driver);
}

static int apply(struct host *h, struct pf *pf, const struct config_pf *c,
		 const struct setup *how)
{
	struct pf_state now = { }, want = { };
	struct record r = { };
	struct steps s = { };
	int err;

	err = pf_open(pf->fn, pf);
	if (!err)
		err = pf_read(pf, &now);
	if (!err)
		err = record_load(pf->fn, pf->fn->totalvfs, &r);
	if (!err)
		err = plan_target(pf, &now, c, &want);
	if (!err)
		err = plan_steps(&now, &want, NULL, &s);
	if (!err)
		err = check_users(h, pf->fn, &s);
	if (!err && !s.n)
		note("%s: is as %s wants it", pf->fn->bdf, c->where);
	if (!err) {
		warn_driverctl(&now, &want);
		if (!how->dry_run && s.n)
			err = run(pf, &now, &want, &s, &r);
		report_steps(how, pf->fn, &s);
	}
	steps_free(&s);
	pf_state_free(&want);
	pf_state_free(&now);
	record_free(&r);
	return err;
}

int setup_apply(struct host *h, const struct host_fn *fn,
		const struct config_pf *c, const struct setup *how)
{
	struct pf pf = { .fn = fn };
	int err, lock;

	err = lock_pf(fn->bdf, &lock);
	if (err)
		return err;
	err = apply(h, &pf, c, how);
	pf_close(&pf);
	unlock_pf(lock);
	return err;
}

/* As it was, as far as it is known; what is not on file stays as it is. */
static int target(const struct pf_state *now, const struct record *r,
		  struct pf_state *want)
{
	unsigned int i;
	int err;

	err = pf_state_copy(now, want);
	if (err || !r->has_before)
		return err;
	want->autoprobe = r->before.autoprobe;
	want->numvfs = r->before.numvfs;
	for (i = 0; i < want->n; i++) {
		const struct vf_state *was = &r->before.vf[i];
		struct vf_state *vf = &want->vf[i];

		vf->online = was->online;
		memcpy(vf->count, was->count, sizeof(vf->count));
		strcpy(vf->driver, was->driver);
		strcpy(vf->override, was->override);
	}
	return TOOL_OK;
}

static int undo_record(const struct pf *pf, const struct pf_state *want,
		       struct steps *s, struct record *r)
{
	const struct work w = { .name = pf->fn->bdf, .pf = pf, .want = want };
	int err;

	err = steps_run(&w, s);
	if (err && err != TOOL_NODEV)
		return err;
	r->has_before = false;
	if (!err)
		note_attached(s, r);
	return record_save(pf->fn, r) ? TOOL_FAILED : err;
}

static int teardown(struct host *h, struct pf *pf, const struct setup *how)
{
	struct pf_state now = { }, want = { };
	struct record r = { };
	struct steps s = { };
	unsigned int i;
	size_t k;
	int err;

	err = record_load(pf->fn, pf->fn->totalvfs, &r);
	if (!err && !r.there) {
		note("%s: nothing was set up", pf->fn->bdf);
		goto out;
	}
	if (!err)
		err = pf_open(pf->fn, pf);
	if (!err)
		err = pf_read(pf, &now);
	if (!err)
		err = target(&now, &r, &want);
	/* What is detached is not wanted any more. */
	for (i = 0; !err && i < want.n; i++)
		for (k = 0; k < r.attached.vf[i].nns; k++)
			vf_drop(&want.vf[i], r.attached.vf[i].nsid[k]);
	if (!err)
		err = plan_steps(&now, &want, &r.attached, &s);
	if (!err)
		err = check_users(h, pf->fn, &s);
	if (!err) {
		if (!how->dry_run)
			err = undo_record(pf, &want, &s, &r);
		report_steps(how, pf->fn, &s);
	}
out:
	steps_free(&s);
	pf_state_free(&want);
	pf_state_free(&now);
	record_free(&r);
	return err;
}

int setup_teardown(struct host *h, const struct host_fn *fn,
		   const struct setup *how)
{
	struct pf pf = { .fn = fn };
	int err, lock;

	err = lock_pf(fn->bdf, &lock);
	if (err)
		return err;
	err = teardown(h, &pf, how);
	pf_close(&pf);
	unlock_pf(lock);
	return err;
}

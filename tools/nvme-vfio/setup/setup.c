// SPDX-License-Identifier: GPL-2.0-only
/*
 * setup.c - apply and teardown of one PF: lock, look, plan, record, do.
 */
#include <string.h>

#include "base/lock.h"
#include "base/tool.h"
#include "host/busy.h"
#include "host/driverctl.h"
#include "host/quarantine.h"
#include "plan.h"
#include "setup.h"
#include "step.h"
#include "undo_file.h"

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
	case STEP_DETACH:
		return true;
	case STEP_OFFLINE:
	case STEP_ASSIGN:
	case STEP_RESET:
		return !st->lost;	/* there is nothing to pull */
	default:
		return false;
	}
}

/*
 * A PF that is removed without its VFs leaves them behind. Once it is back the
 * kernel would create new ones with the same addresses: it warns, and may crash
 * later.
 */
static int check_left_over(const struct host_fn *vf)
{
	if (vf->vfn)
		return TOOL_OK;
	return fail(TOOL_LIMIT, "%s: VF %s is left over from before the drive was removed, and the kernel cannot create VFs beside it: reboot the host",
		    vf->pf_bdf, vf->bdf);
}

/* Under the lock, and after everything that takes time: as late as possible. */
static int check_users(const struct host_fn *fn, const struct steps *s)
{
	struct host_fn *pf;
	bool all = false;
	struct host h;
	size_t i, k;
	int err;

	for (i = 0; i < s->n; i++)
		if (s->step[i].kind == STEP_NUMVFS)
			all = true;
	err = host_load(&h);
	if (!err)
		err = host_users(&h);
	pf = err ? NULL : host_find(&h, fn->bdf);
	for (k = 0; pf && !err && k < h.n; k++) {
		bool touched = all;

		if (h.fn[k].pf != pf)
			continue;
		if (all)
			err = check_left_over(&h.fn[k]);
		for (i = 0; i < s->n; i++)
			if (s->step[i].vfn == h.fn[k].vfn &&
			    disturbs(&s->step[i]))
				touched = true;
		if (touched && !err)
			err = busy_check(&h.fn[k]);
	}
	host_free(&h);
	return err;
}

/* Add what these steps attach, as far as they are in that state. */
static int note_attached(const struct steps *s, enum step_state state,
			 struct pf_state *attached)
{
	int err = TOOL_OK;
	size_t i;

	for (i = 0; !err && i < s->n; i++)
		if (s->step[i].kind == STEP_ATTACH && s->step[i].state == state)
			err = vf_add(&attached->vf[s->step[i].vfn - 1],
				     s->step[i].nsid);
	return err;
}

/*
 * The record says what was before as long as anything may have changed: it is
 * written before the first step, and its old contents come back when all has
 * been undone.
 */
static int run(const struct pf *pf, const struct pf_state *now,
	       const struct pf_state *want, struct steps *s, struct undo_file *r)
{
	const struct step_ctx ctx = { .name = pf->fn->bdf, .pf = pf, .want = want };
	struct undo_file next = *r;
	int err;

	if (!next.has_before)
		next.before = *now;
	next.has_before = true;
	next.disabled = false;
	next.attached = (struct pf_state){ };
	err = pf_state_copy(&r->attached, &next.attached);
	if (!err)
		err = note_attached(s, STATE_PLANNED, &next.attached);
	if (!err)
		err = undo_file_save(pf->fn, &next);
	r->elsewhere = next.elsewhere;
	pf_state_free(&next.attached);
	if (err)
		return err;
	err = steps_run(&ctx, s);
	if (err == TOOL_NODEV) {
		/* VFs are gone with the PF; the drive keeps its namespaces. */
		r->has_before = false;
		note_attached(s, STATE_DONE, &r->attached);
	}
	if (err && err != TOOL_BROKEN)
		undo_file_save(pf->fn, r);
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

static int enable(const struct host_fn *fn, struct undo_file *r)
{
	r->disabled = false;
	return undo_file_save(fn, r);
}

/* VFs in quarantine stay as they are, unless all VFs are created anew. */
static int leave_quarantined(const struct quarantine *q,
			     const struct pf_state *now, struct pf_state *want)
{
	struct pf_state copy = { };
	struct vf_state vf;
	unsigned int i;
	int err;

	if (want->numvfs != now->numvfs)
		return TOOL_OK;
	err = pf_state_copy(now, &copy);
	for (i = 0; !err && i < want->n && i < now->n; i++) {
		const char *word = quarantine_word(q, now->vf[i].bdf);

		if (!word)
			continue;
		warn("%s: in quarantine, so it is left as it is: %s",
		     now->vf[i].bdf, quarantine_text(word));
		vf = want->vf[i];
		want->vf[i] = copy.vf[i];
		copy.vf[i] = vf;
	}
	pf_state_free(&copy);
	return err;
}

static int apply(struct pf *pf, const struct config_pf *c,
		 const struct setup *how)
{
	struct pf_state now = { }, want = { };
	struct undo_file r = { };
	struct quarantine q;
	struct steps s = { };
	int err;

	quarantine_load(&q);
	err = undo_file_load(pf->fn, pf->fn->totalvfs, &r);
	if (!err && quarantine_word(&q, pf->fn->bdf)) {
		warn("%s: in quarantine, so it is left as it is: %s; end it with " TOOL_NAME " quarantine --end %s",
		     pf->fn->bdf,
		     quarantine_text(quarantine_word(&q, pf->fn->bdf)),
		     pf->fn->bdf);
		goto out;
	}
	if (!err && how->boot && r.disabled) {
		note("%s: left alone since teardown --disable", pf->fn->bdf);
		goto out;
	}
	if (!err)
		err = pf_open(pf->fn, pf);
	if (!err)
		err = pf_read(pf, &now);
	if (!err)
		err = plan_target(pf, &now, c, &want);
	if (!err)
		err = leave_quarantined(&q, &now, &want);
	if (!err)
		err = plan_steps(&now, &want, NULL, &s);
	if (!err)
		err = check_users(pf->fn, &s);
	if (!err && !s.n)
		note("%s: already as %s says", pf->fn->bdf, c->where);
	if (!err) {
		warn_driverctl(&now, &want);
		if (!how->dry_run && s.n)
			err = run(pf, &now, &want, &s, &r);
		else if (!how->dry_run && r.disabled)
			err = enable(pf->fn, &r);
		report_steps(how, pf->fn, &s);
	}
out:
	quarantine_free(&q);
	steps_free(&s);
	pf_state_free(&want);
	pf_state_free(&now);
	undo_file_free(&r);
	return err;
}

int setup_apply(const struct host_fn *fn, const struct config_pf *c,
		const struct setup *how)
{
	struct pf pf = { .fn = fn };
	int err, lock;

	err = lock_pf(fn->bdf, how->until, &lock);
	if (err)
		return err;
	err = apply(&pf, c, how);
	pf_close(&pf);
	unlock_pf(lock);
	return err;
}

/* As it was, as far as that was recorded; the rest stays as it is. */
static int target(const struct pf_state *now, const struct undo_file *r,
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
		       struct steps *s, struct undo_file *r)
{
	const struct step_ctx ctx = { .name = pf->fn->bdf, .pf = pf, .want = want };
	unsigned int i;
	int err;

	err = steps_run(&ctx, s);
	if (err && err != TOOL_NODEV)
		return err;
	r->has_before = false;
	for (i = 0; !err && i < r->attached.n; i++)
		r->attached.vf[i].nns = 0;
	return undo_file_save(pf->fn, r) ? TOOL_FAILED : err;
}

static int teardown(struct pf *pf, const struct setup *how)
{
	struct pf_state now = { }, want = { };
	struct undo_file r = { };
	struct steps s = { };
	unsigned int i;
	size_t k;
	int err;

	err = undo_file_load(pf->fn, pf->fn->totalvfs, &r);
	if (!err && !r.there) {
		note("%s: nothing was set up", pf->fn->bdf);
		if (how->disable && !how->dry_run) {
			r.disabled = true;
			err = undo_file_save(pf->fn, &r);
		}
		goto out;
	}
	if (!err)
		err = pf_open(pf->fn, pf);
	if (!err)
		err = pf_read(pf, &now);
	if (!err)
		err = target(&now, &r, &want);
	/* What was detached is no longer wanted. */
	for (i = 0; !err && i < want.n; i++)
		for (k = 0; k < r.attached.vf[i].nns; k++)
			vf_drop(&want.vf[i], r.attached.vf[i].nsid[k]);
	if (!err)
		err = plan_steps(&now, &want, &r.attached, &s);
	if (!err)
		err = check_users(pf->fn, &s);
	if (!err) {
		r.disabled = r.disabled || how->disable;
		if (!how->dry_run)
			err = undo_record(pf, &want, &s, &r);
		report_steps(how, pf->fn, &s);
	}
out:
	steps_free(&s);
	pf_state_free(&want);
	pf_state_free(&now);
	undo_file_free(&r);
	return err;
}

int setup_teardown(const struct host_fn *fn, const struct setup *how)
{
	struct pf pf = { .fn = fn };
	int err, lock;

	err = lock_pf(fn->bdf, how->until, &lock);
	if (err)
		return err;
	err = teardown(&pf, how);
	pf_close(&pf);
	unlock_pf(lock);
	return err;
}

bool setup_disabled(const struct host_fn *fn)
{
	struct undo_file r;
	bool disabled;

	disabled = !undo_file_load(fn, fn->totalvfs, &r) && r.disabled;
	undo_file_free(&r);
	return disabled;
}

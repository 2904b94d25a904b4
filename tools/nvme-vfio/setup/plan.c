// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan.c - the steps from one state of a PF to another.
 *
 * The order, and why:
 *
 *   - the drivers are loaded first: it is the only step with no way back;
 *   - the PF stops giving new VFs to drivers before there are any, so that the
 *     host never reads what is a guest's;
 *   - all VFs that change are taken offline before the first is given anything:
 *     another may get what one gives back;
 *   - a controller takes its resources with a reset, then goes online;
 *   - the driver comes last, because it looks at the VF when it is bound;
 *   - a VF that a reset of the PF has taken from its user stays bound and open:
 *     it gets its resources back and goes online under its user.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool.h"
#include "plan.h"

static const char * const resource[] = { "queues", "interrupts" };

/* -- what is wanted ---------------------------------------------------------- */

static int check_count(const struct pf *pf, const struct config_pf *c,
		       unsigned int vfn, unsigned int type, unsigned int count)
{
	const struct ctrl_resource *r = &pf->res[type];
	unsigned int low;

	if (!pf->id.virt_mgmt || !r->flexible)
		return fail(TOOL_LIMIT, "%s: the PF has no command to give %s to VFs: remove %s from %s",
			    pf->fn->bdf, resource[type], resource[type],
			    c->where);
	if (count > r->max)
		return fail(TOOL_LIMIT, "%s: VF %u: %u %s are more than the %u that one VF can have (%s)",
			    pf->fn->bdf, vfn, count, resource[type], r->max,
			    c->where);
	if (r->grain > 1 && count % r->grain) {
		low = count - count % r->grain;
		return fail(TOOL_LIMIT, "%s: VF %u: %u %s cannot be given, only multiples of %u: try %u (%s)",
			    pf->fn->bdf, vfn, count, resource[type], r->grain,
			    low ? low : r->grain, c->where);
	}
	return TOOL_OK;
}

/* What VFs want of one type, and what others have of it. */
static void demand(const struct pf_state *now, const struct pf_state *want,
		   unsigned int type, unsigned long *sum, unsigned long *others)
{
	unsigned int i;

	*sum = 0;
	for (i = 0; i < want->n; i++) {
		unsigned int has = now->vf[i].count[type];

		if (i >= want->numvfs && i >= now->numvfs)
			continue;	/* not ours: keeps what it has */
		*others = *others > has ? *others - has : 0;
		if (i < want->numvfs)
			*sum += want->vf[i].count[type];
	}
}

/* How many a PF may keep beside that; false: so few that it cannot work. */
static bool may_keep(const struct ctrl_resource *r, unsigned int type,
		     unsigned long taken, unsigned int *keep)
{
	static const unsigned int least[] = { 2, 1 };
	unsigned long most = r->total > taken ? r->total - taken : 0;

	*keep = r->primary;
	if (most < r->primary)
		*keep = r->grain > 1 ? most - most % r->grain : most;
	return r->private + *keep >= least[type];
}

/* Enough for all VFs, beside what others and the PF itself have? */
static int check_sum(const struct pf *pf, const struct config_pf *c,
		     const struct pf_state *now, const struct pf_state *want,
		     unsigned int type)
{
	unsigned long sum[RESOURCES], others[RESOURCES], room, most;
	const struct ctrl_resource *r = &pf->res[type];
	unsigned int keep[RESOURCES], t;
	bool works = true;

	if (!pf->id.virt_mgmt || !r->flexible)
		return TOOL_OK;
	for (t = 0; t < RESOURCES; t++) {
		others[t] = pf->res[t].assigned;
		demand(now, want, t, &sum[t], &others[t]);
		works = may_keep(&pf->res[t], t, sum[t] + others[t],
				 &keep[t]) && works;
	}
	most = r->total > others[type] ? r->total - others[type] : 0;
	room = most > r->primary ? most - r->primary : 0;
	if (sum[type] <= room)
		return TOOL_OK;
	if (works && sum[type] <= most)
		return fail(TOOL_LIMIT, "%s: %u VFs need %lu %s, but only %lu are available to VFs; the PF holds %u (%s). Fix: %s",
			    pf->fn->bdf, want->numvfs, sum[type],
			    resource[type], room, r->primary, c->where,
			    ctrl_give_back(pf->fn->ctrl, pf->id.cntlid, keep));
	return fail(TOOL_LIMIT, "%s: %u VFs need %lu %s, but only %lu are available to VFs, and %lu if the PF held none (%s)",
		    pf->fn->bdf, want->numvfs, sum[type], resource[type], room,
		    most, c->where);
}

static int check_namespaces(const struct pf *pf, const struct config_pf *c,
			    const struct config_vf *cv)
{
	size_t i, k;

	if (cv->nns && !pf->id.ns_mgmt)
		return fail(TOOL_LIMIT, "%s: the PF cannot attach namespaces: remove namespaces from %s",
			    pf->fn->bdf, c->where);
	for (i = 0; i < cv->nns; i++) {
		for (k = 0; k < pf->nns && pf->nsid[k] != cv->nsid[i]; k++)
			;
		if (k == pf->nns)
			return fail(TOOL_LIMIT, "%s: has no namespace %u (%s); nvme list-ns /dev/%s --all shows those it has",
				    pf->fn->bdf, cv->nsid[i], c->where,
				    pf->fn->ctrl);
	}
	return TOOL_OK;
}

static int target_vf(const struct pf *pf, const struct config_pf *c,
		     unsigned int vfn, struct vf_state *vf)
{
	struct config_vf cv = config_of(c, vfn);
	const unsigned int asked[] = { cv.queues, cv.interrupts };
	const unsigned int least[] = { 2, 1 };
	unsigned int type;
	int err;
	size_t i;

	if (pf->id.virt_mgmt && !vf->listed)
		return fail(TOOL_LIMIT, "%s: the PF does not list VF %u as a secondary controller",
			    pf->fn->bdf, vfn);
	for (type = 0; type < RESOURCES; type++) {
		if (asked[type]) {
			err = check_count(pf, c, vfn, type, asked[type]);
			if (err)
				return err;
			vf->count[type] = asked[type];
		}
		if (pf->id.virt_mgmt && pf->res[type].flexible &&
		    vf->count[type] < least[type])
			return fail(TOOL_CONFIG, "%s: VF %u has %u %s, and %s does not say how many it should have: add %s = N, %u at most",
				    pf->fn->bdf, vfn, vf->count[type],
				    resource[type], c->where, resource[type],
				    pf->res[type].max);
	}
	err = check_namespaces(pf, c, &cv);
	for (i = 0; !err && i < cv.nns; i++)
		err = vf_add(vf, cv.nsid[i]);
	if (pf->id.virt_mgmt)
		vf->online = true;
	if (!strcmp(cv.driver, "none"))
		*cv.driver = 0;
	strcpy(vf->driver, cv.driver);
	strcpy(vf->override, cv.driver);
	return err;
}

/* What becomes of VFs that go. */
static void target_none(struct vf_state *vf)
{
	*vf->bdf = 0;
	*vf->driver = 0;
	*vf->override = 0;
	vf->online = false;
	memset(vf->count, 0, sizeof(vf->count));
	vf->nns = 0;
}

int plan_target(const struct pf *pf, const struct pf_state *now,
		const struct config_pf *c, struct pf_state *want)
{
	unsigned int i, type;
	int err;

	err = pf_state_copy(now, want);
	if (err)
		return err;
	if (c->num_vfs > want->n)
		return fail(TOOL_LIMIT, "%s: %u VFs are more than the %u it can have (%s)",
			    pf->fn->bdf, c->num_vfs, want->n, c->where);
	want->autoprobe = false;
	want->numvfs = c->num_vfs;
	if (c->policy)
		strcpy(want->policy, c->policy);
	for (i = 0; !err && i < want->n; i++) {
		if (i < want->numvfs)
			err = target_vf(pf, c, i + 1, &want->vf[i]);
		else if (i < now->numvfs)
			target_none(&want->vf[i]);
	}
	for (type = 0; !err && type < RESOURCES; type++)
		err = check_sum(pf, c, now, want, type);
	return err;
}

/* -- how to get there -------------------------------------------------------- */

struct planner {
	struct pf_state now;	/* as it is after the steps so far */
	const struct pf_state *want;
	struct steps *s;
	bool failed;
};

static struct step *add(struct planner *p, enum step_kind kind,
			unsigned int vfn)
{
	/* If memory is short the rest of the plan is dropped. */
	static struct step none;
	struct step *st = steps_add(p->s, kind, vfn);

	if (!st) {
		p->failed = true;
	} else if (vfn) {
		st->cntlid = p->now.vf[vfn - 1].cntlid;
		st->lost = p->now.vf[vfn - 1].lost;
	}
	return st ? st : &none;
}

static void autoprobe(struct planner *p)
{
	struct step *st;

	if (p->now.autoprobe == p->want->autoprobe)
		return;
	st = add(p, STEP_AUTOPROBE, 0);
	st->was = p->now.autoprobe;
	st->want = p->want->autoprobe;
	p->now.autoprobe = p->want->autoprobe;
}

static void policy(struct planner *p)
{
	struct step *st;

	if (!strcmp(p->now.policy, p->want->policy))
		return;
	st = add(p, STEP_POLICY, 0);
	strcpy(st->policy, p->want->policy);
	strcpy(st->policy_was, p->now.policy);
	strcpy(p->now.policy, p->want->policy);
}

static void unbind(struct planner *p, unsigned int vfn)
{
	struct vf_state *vf = &p->now.vf[vfn - 1];
	struct step *st;

	if (!*vf->driver)
		return;
	st = add(p, STEP_UNBIND, vfn);
	strcpy(st->bdf, vf->bdf);
	strcpy(st->text_was, vf->driver);
	strcpy(st->override_was, vf->override);
	*vf->driver = 0;
}

static void override(struct planner *p, unsigned int vfn, const char *text)
{
	struct vf_state *vf = &p->now.vf[vfn - 1];
	struct step *st;

	if (!strcmp(vf->override, text))
		return;
	st = add(p, STEP_OVERRIDE, vfn);
	strcpy(st->bdf, vf->bdf);
	strcpy(st->text, text);
	strcpy(st->text_was, vf->override);
	strcpy(vf->override, text);
}

static void offline(struct planner *p, unsigned int vfn)
{
	struct vf_state *vf = &p->now.vf[vfn - 1];
	struct step *st;

	if (!vf->listed || (!vf->online && !vf->count[RESOURCE_QUEUES] &&
			    !vf->count[RESOURCE_INTERRUPTS]))
		return;
	st = add(p, STEP_OFFLINE, vfn);
	st->was = vf->online;
	memcpy(st->count, vf->count, sizeof(st->count));
	vf->online = false;
	memset(vf->count, 0, sizeof(vf->count));
}

static void numvfs(struct planner *p, unsigned int n)
{
	struct step *st;
	unsigned int i;

	if (p->now.numvfs == n)
		return;
	/* The number of VFs can only be changed by way of 0. */
	if (p->now.numvfs && n)
		numvfs(p, 0);
	st = add(p, STEP_NUMVFS, 0);
	st->was = p->now.numvfs;
	st->want = n;
	for (i = 0; i < p->now.n; i++)
		*p->now.vf[i].bdf = 0;
	p->now.numvfs = n;
}

static bool same_counts(const struct vf_state *a, const struct vf_state *b)
{
	return !memcmp(a->count, b->count, sizeof(a->count));
}

/* Does its controller change? Then nobody may use it meanwhile. */
static bool reshaped(const struct vf_state *now, const struct vf_state *want)
{
	return want->listed &&
	       (!same_counts(now, want) || now->online != want->online);
}

static void assign(struct planner *p, unsigned int vfn)
{
	const struct vf_state *want = &p->want->vf[vfn - 1];
	struct vf_state *vf = &p->now.vf[vfn - 1];
	unsigned int type;
	struct step *st;

	for (type = 0; want->listed && type < RESOURCES; type++) {
		if (vf->count[type] == want->count[type])
			continue;
		st = add(p, STEP_ASSIGN, vfn);
		st->type = type;
		st->was = vf->count[type];
		st->want = want->count[type];
		vf->count[type] = want->count[type];
	}
}

static void online(struct planner *p, unsigned int vfn)
{
	struct vf_state *vf = &p->now.vf[vfn - 1];

	if (!p->want->vf[vfn - 1].listed || vf->online ||
	    !p->want->vf[vfn - 1].online)
		return;
	strcpy(add(p, STEP_RESET, vfn)->bdf, vf->bdf);
	add(p, STEP_ONLINE, vfn);
	vf->online = true;
}

static void detach(struct planner *p, unsigned int vfn,
		   const struct pf_state *what)
{
	const struct vf_state *vf = &p->now.vf[vfn - 1];
	size_t i;

	for (i = 0; what && i < what->vf[vfn - 1].nns; i++)
		if (vf_has(vf, what->vf[vfn - 1].nsid[i]))
			add(p, STEP_DETACH, vfn)->nsid =
				what->vf[vfn - 1].nsid[i];
}

static void attach(struct planner *p, unsigned int vfn)
{
	const struct vf_state *want = &p->want->vf[vfn - 1];
	const struct vf_state *vf = &p->now.vf[vfn - 1];
	size_t i;

	for (i = 0; i < want->nns; i++)
		if (!vf_has(vf, want->nsid[i]))
			add(p, STEP_ATTACH, vfn)->nsid = want->nsid[i];
}

static void bind(struct planner *p, unsigned int vfn)
{
	const struct vf_state *want = &p->want->vf[vfn - 1];
	struct vf_state *vf = &p->now.vf[vfn - 1];
	struct step *st;

	if (!strcmp(vf->driver, want->driver))
		return;
	st = add(p, STEP_BIND, vfn);
	strcpy(st->bdf, vf->bdf);
	strcpy(st->text, want->driver);
	strcpy(st->override, want->override);
	strcpy(vf->driver, want->driver);
}

static void drivers(struct planner *p)
{
	const struct pf_state *want = p->want;
	unsigned int i, k;
	bool ours = false;

	for (i = 0; i < want->numvfs; i++) {
		const char *driver = want->vf[i].driver;

		for (k = 0; k < i && strcmp(want->vf[k].driver, driver); k++)
			;
		if (k == i && *driver && strcmp(driver, p->now.vf[i].driver))
			strcpy(add(p, STEP_DRIVER, 0)->text, driver);
		ours |= !strcmp(driver, TOOL_DRIVER);
	}
	/* A policy is the driver's, even if no VF is for it. */
	if (!ours && *want->policy && strcmp(want->policy, p->now.policy))
		strcpy(add(p, STEP_DRIVER, 0)->text, TOOL_DRIVER);
}

static void strip(struct planner *p)
{
	unsigned int vfn;

	for (vfn = 1; vfn <= p->now.numvfs; vfn++) {
		unbind(p, vfn);
		override(p, vfn, "");
		offline(p, vfn);
	}
}

static void plan(struct planner *p, const struct pf_state *drop)
{
	const struct pf_state *want = p->want;
	unsigned int vfn;

	drivers(p);
	policy(p);
	if (!want->autoprobe)
		autoprobe(p);
	for (vfn = 1; vfn <= want->n; vfn++)
		detach(p, vfn, drop);
	if (p->now.numvfs && p->now.numvfs != want->numvfs)
		strip(p);
	for (vfn = 1; vfn <= want->numvfs && vfn <= p->now.numvfs; vfn++) {
		struct vf_state *vf = &p->now.vf[vfn - 1];
		bool shape = reshaped(vf, &want->vf[vfn - 1]);

		if ((shape && !vf->lost) || strcmp(vf->driver, want->vf[vfn - 1].driver))
			unbind(p, vfn);
		if (shape)
			offline(p, vfn);
	}
	/*
	 * They can hold resources without existing, but lose them when they are
	 * created and removed again, as undoing would do.
	 */
	for (vfn = p->now.numvfs + 1; vfn <= want->numvfs; vfn++)
		offline(p, vfn);
	numvfs(p, want->numvfs);
	for (vfn = 1; vfn <= want->n; vfn++) {
		assign(p, vfn);
		attach(p, vfn);
	}
	for (vfn = 1; vfn <= want->numvfs; vfn++) {
		online(p, vfn);
		override(p, vfn, want->vf[vfn - 1].override);
		bind(p, vfn);
	}
	if (want->autoprobe)
		autoprobe(p);
	if (p->s->n)
		add(p, STEP_VERIFY, 0);
}

int plan_steps(const struct pf_state *now, const struct pf_state *want,
	       const struct pf_state *drop, struct steps *s)
{
	struct planner p = { .want = want, .s = s };
	int err;

	err = pf_state_copy(now, &p.now);
	if (!err) {
		plan(&p, drop);
		if (p.failed)
			err = TOOL_FAILED;
	}
	pf_state_free(&p.now);
	return err;
}

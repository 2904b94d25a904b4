// SPDX-License-Identifier: GPL-2.0-only
/*
 * compare.c - settings of a PF and of its VFs, three times.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool.h"
#include "compare.h"
#include "pf.h"
#include "plan.h"

enum { PF, VF, ADDRESS, SETTING, CONFIGURED, NOW, NEXT, DIFFERS, COLUMNS };

static const struct report_column columns[COLUMNS] = {
	[PF]		= { "pf", "PF" },
	[VF]		= { "vf", "VF", .right = true },
	[ADDRESS]	= { "address" },
	[SETTING]	= { "setting", "SETTING" },
	[CONFIGURED]	= { "configured", "CONFIGURED", .cut = true },
	[NOW]		= { "now", "NOW", .cut = true },
	[NEXT]		= { "next_boot", "NEXT BOOT", .cut = true },
	[DIFFERS]	= { "differs", "DIFF" },
};

struct report *compare_report(void)
{
	return report_new("diff", "settings", columns, COLUMNS);
}

/* A setting, as it is in one of three states. */
struct value {
	enum { NONE, UNKNOWN, NUMBER, FLAG, TEXT, LIST } kind;
	unsigned int number;
	const char *text;
	const uint32_t *nsid;
	size_t nns;
};

/**
 * struct compare - a PF that is compared
 * @known: the PF answers
 * @now: as it is
 * @want: as apply would make it
 * @next: as the next boot would, if @has_next
 */
struct compare {
	const struct host_fn *fn;
	const struct config_pf *c;
	struct pf pf;
	bool known;
	struct pf_state now, want, next;
	bool has_next;
	struct report *r;
	size_t *n;
};

/* -- states ------------------------------------------------------------------- */

/* Without what needs an answer from the PF. */
static void strip(struct config_vf *vf)
{
	vf->queues = 0;
	vf->interrupts = 0;
	vf->nsid = NULL;
	vf->nns = 0;
}

static int target(const struct compare *cmp, const struct pf *pf,
		  const struct pf_state *now, const struct config_pf *c,
		  struct pf_state *want)
{
	struct config_pf some = *c;
	size_t i;
	int err;

	if (cmp->known)
		return plan_target(pf, now, c, want);
	some.vf = calloc(c->nvf + 1, sizeof(*some.vf));
	if (!some.vf)
		return fail(TOOL_FAILED, "out of memory");
	strip(&some.all);
	for (i = 0; i < c->nvf; i++) {
		some.vf[i] = c->vf[i];
		strip(&some.vf[i].vf);
	}
	err = plan_target(pf, now, &some, want);
	free(some.vf);
	return err;
}

/* What a boot leaves of a PF: only namespaces are kept by the drive. */
static int booted(const struct pf_state *now, struct pf_state *s)
{
	int err = pf_state_copy(now, s);
	unsigned int i;

	s->autoprobe = true;
	s->numvfs = 0;
	*s->policy = 0;
	for (i = 0; i < s->n; i++) {
		struct vf_state *vf = &s->vf[i];

		vf->online = false;
		memset(vf->count, 0, sizeof(vf->count));
		*vf->bdf = 0;
		*vf->driver = 0;
		*vf->override = 0;
	}
	return err;
}

static int find_next(struct compare *cmp, const struct config_pf *boot)
{
	struct config_pf then;
	struct pf pf = cmp->pf;
	struct pf_state s;
	unsigned int type;
	char *where;
	int err;

	if (!boot) {
		err = booted(&cmp->now, &cmp->next);
		cmp->has_next = !err;
		return err;
	}
	/* Its message must not be taken for one about the present. */
	if (asprintf(&where, "%s (at the next boot)", boot->where) < 0)
		return fail(TOOL_FAILED, "out of memory");
	then = *boot;
	then.where = where;
	for (type = 0; type < RESOURCES; type++)
		pf.res[type].assigned = 0;
	err = booted(&cmp->now, &s);
	if (!err)
		err = target(cmp, &pf, &s, &then, &cmp->next);
	cmp->has_next = !err;
	pf_state_free(&s);
	free(where);
	return err;
}

/* -- values ------------------------------------------------------------------- */

static struct value number(unsigned int n)
{
	return (struct value){ .kind = NUMBER, .number = n };
}

static struct value flag(bool on)
{
	return (struct value){ .kind = FLAG, .number = on };
}

static struct value text(const char *text)
{
	return (struct value){ .kind = TEXT, .text = text };
}

static struct value list(const uint32_t *nsid, size_t n)
{
	return (struct value){ .kind = LIST, .nsid = nsid, .nns = n };
}

/* Has @a all that @b asks for? Namespaces beyond that do not count. */
static bool covers(const struct value *a, const struct value *b)
{
	size_t i, k;

	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case NUMBER:
	case FLAG:
		return a->number == b->number;
	case TEXT:
		return !strcmp(a->text, b->text);
	case LIST:
		for (i = 0; i < b->nns; i++) {
			for (k = 0; k < a->nns && a->nsid[k] != b->nsid[i]; k++)
				;
			if (k == a->nns)
				return false;
		}
		return true;
	default:
		return true;
	}
}

static void put_list(struct report *r, size_t column, const struct value *v)
{
	json_object *ids = json_object_new_array();
	char *text = NULL;
	size_t len, i;
	FILE *f;

	f = open_memstream(&text, &len);
	if (!f || !ids)
		exit(fail(TOOL_FAILED, "out of memory"));
	for (i = 0; i < v->nns; i++) {
		json_object_array_add(ids, json_object_new_int64(v->nsid[i]));
		fprintf(f, "%s%u", i ? "," : "", v->nsid[i]);
	}
	if (fclose(f))
		exit(fail(TOOL_FAILED, "out of memory"));
	report_value(r, column, ids, v->nns ? text : "none");
	free(text);
}

static void put(struct report *r, size_t column, const struct value *v)
{
	switch (v->kind) {
	case NONE:
		return;
	case UNKNOWN:
		return report_value(r, column, NULL, "?");
	case NUMBER:
		return report_number(r, column, v->number);
	case FLAG:
		return report_flag(r, column, v->number, "yes", "no");
	case TEXT:
		return report_value(r, column, json_object_new_string(v->text),
				    *v->text ? v->text : "defaults");
	case LIST:
		return put_list(r, column, v);
	}
}

/* -- rows --------------------------------------------------------------------- */

/**
 * struct setting - a row
 * @said: the configuration has a key for it; else it only gets a row if what is
 *	there differs
 */
struct setting {
	const char *name;
	bool said;
	struct value configured, now, want, next;
};

static void row(const struct compare *cmp, unsigned int vfn,
		const struct setting *s)
{
	bool unknown = s->now.kind == UNKNOWN;
	bool later = s->next.kind != UNKNOWN && !covers(&s->now, &s->next);
	bool differs = !unknown && (later || !covers(&s->now, &s->want));

	if (s->said ? tool.quiet && !tool.json && !differs && !unknown :
		      !differs || s->now.kind == NONE)
		return;
	*cmp->n += differs;
	report_row(cmp->r);
	report_text(cmp->r, PF, cmp->fn->bdf);
	if (vfn)
		report_number(cmp->r, VF, vfn);
	report_text(cmp->r, ADDRESS, vfn ? cmp->now.vf[vfn - 1].bdf :
					   cmp->fn->bdf);
	report_text(cmp->r, SETTING, s->name);
	put(cmp->r, CONFIGURED, &s->configured);
	put(cmp->r, NOW, &s->now);
	put(cmp->r, NEXT, &s->next);
	if (!unknown && !later && s->next.kind != UNKNOWN)
		report_value(cmp->r, NEXT, NULL, "=");
	if (unknown)
		report_value(cmp->r, DIFFERS, NULL, "?");
	else
		report_flag(cmp->r, DIFFERS, differs, "yes", "no");
}

static const struct value unknown = { .kind = UNKNOWN };

static void pf_rows(const struct compare *cmp)
{
	const struct pf_state *now = &cmp->now, *want = &cmp->want;
	const struct pf_state *next = cmp->has_next ? &cmp->next : NULL;
	const struct config_pf *c = cmp->c;
	struct setting s;

	s = (struct setting){
		.name = "num_vfs", .said = true, .now = number(now->numvfs),
		.want = number(want->numvfs),
		.next = next ? number(next->numvfs) : unknown,
	};
	if (c)
		s.configured = number(c->num_vfs);
	row(cmp, 0, &s);
	s = (struct setting){
		.name = "policy", .said = c && c->policy,
		.now = text(now->policy), .want = text(want->policy),
		.next = next ? text(next->policy) : unknown,
	};
	if (s.said)
		s.configured = text(c->policy);
	row(cmp, 0, &s);
	s = (struct setting){
		.name = "autoprobe", .now = flag(now->autoprobe),
		.want = flag(want->autoprobe),
		.next = next ? flag(next->autoprobe) : unknown,
	};
	if (c)
		s.configured = s.want;
	row(cmp, 0, &s);
}

/* Those of a VF: from its state, if there is such a VF then. */
static struct value driver_of(const struct compare *cmp,
			      const struct vf_state *vf)
{
	(void)cmp;
	return text(*vf->driver ? vf->driver : "none");
}

static struct value override_of(const struct compare *cmp,
				const struct vf_state *vf)
{
	(void)cmp;
	return text(*vf->override ? vf->override : "none");
}

static struct value online_of(const struct compare *cmp,
			      const struct vf_state *vf)
{
	if (!cmp->known)
		return unknown;
	return vf->listed ? flag(vf->online) : (struct value){ };
}

static struct value count_of(const struct compare *cmp,
			     const struct vf_state *vf, unsigned int type)
{
	if (!cmp->known)
		return unknown;
	return vf->listed ? number(vf->count[type]) : (struct value){ };
}

static struct value queues_of(const struct compare *cmp,
			      const struct vf_state *vf)
{
	return count_of(cmp, vf, RESOURCE_QUEUES);
}

static struct value interrupts_of(const struct compare *cmp,
				  const struct vf_state *vf)
{
	return count_of(cmp, vf, RESOURCE_INTERRUPTS);
}

static struct value namespaces_of(const struct compare *cmp,
				  const struct vf_state *vf)
{
	if (!cmp->known)
		return unknown;
	return cmp->pf.id.ns_mgmt ? list(vf->nsid, vf->nns) : (struct value){ };
}

static struct value then(const struct compare *cmp, const struct pf_state *s,
			 unsigned int vfn,
			 struct value (*of)(const struct compare *,
					    const struct vf_state *))
{
	return vfn > s->numvfs ? (struct value){ } : of(cmp, &s->vf[vfn - 1]);
}

static void vf_row(const struct compare *cmp, unsigned int vfn,
		   const char *name, bool said, struct value configured,
		   struct value (*of)(const struct compare *,
				      const struct vf_state *))
{
	struct setting s = {
		.name = name, .said = said, .configured = configured,
		.now = then(cmp, &cmp->now, vfn, of),
		.want = then(cmp, &cmp->want, vfn, of),
		.next = cmp->has_next ? then(cmp, &cmp->next, vfn, of) : unknown,
	};

	row(cmp, vfn, &s);
}

static void vf_rows(const struct compare *cmp, unsigned int vfn)
{
	struct config_vf v = { };
	struct value none = { }, driver = { }, online = { };

	if (cmp->c && vfn <= cmp->c->num_vfs) {
		v = config_of(cmp->c, vfn);
		driver = text(v.driver);
		if (cmp->known)
			online = flag(true);
	}
	vf_row(cmp, vfn, "queues", v.queues, v.queues ? number(v.queues) : none,
	       queues_of);
	vf_row(cmp, vfn, "interrupts", v.interrupts,
	       v.interrupts ? number(v.interrupts) : none, interrupts_of);
	vf_row(cmp, vfn, "namespaces", v.nsid,
	       v.nsid ? list(v.nsid, v.nns) : none, namespaces_of);
	vf_row(cmp, vfn, "online", false, online, online_of);
	vf_row(cmp, vfn, "driver", driver.kind != NONE, driver, driver_of);
	vf_row(cmp, vfn, "driver_override", false, driver, override_of);
}

int compare_pf(const struct host_fn *fn, const struct config_pf *c,
	       const struct config_pf *boot, struct report *r, size_t *n)
{
	struct compare cmp = { .fn = fn, .c = c, .r = r, .n = n };
	unsigned int vfn, vfs;
	int ret, err;

	err = pf_open(fn, &cmp.pf);
	cmp.known = !err;
	if (err) {
		pf_close(&cmp.pf);
		cmp.pf.fn = fn;
	}
	ret = pf_read(&cmp.pf, &cmp.now);
	if (!ret)
		ret = c ? target(&cmp, &cmp.pf, &cmp.now, c, &cmp.want) :
			  pf_state_copy(&cmp.now, &cmp.want);
	err = err ? err : ret;
	if (ret)
		goto out;
	ret = find_next(&cmp, boot);
	err = err ? err : ret;
	vfs = cmp.now.numvfs > cmp.want.numvfs ? cmp.now.numvfs :
						 cmp.want.numvfs;
	pf_rows(&cmp);
	for (vfn = 1; vfn <= vfs; vfn++)
		vf_rows(&cmp, vfn);
out:
	pf_state_free(&cmp.next);
	pf_state_free(&cmp.want);
	pf_state_free(&cmp.now);
	pf_close(&cmp.pf);
	return err;
}

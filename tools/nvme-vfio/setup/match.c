// SPDX-License-Identifier: GPL-2.0-only
/*
 * match.c - sections and the PFs they are about.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/tool.h"
#include "match.h"

static bool pci_fits(const struct config_pf *section, const struct host_fn *fn)
{
	char id[sizeof(section->pci)];

	snprintf(id, sizeof(id), "%04x:%04x", fn->vendor, fn->device);
	return !*section->pci || !strcmp(section->pci, id);
}

static bool model_fits(const struct config_pf *section, const struct host_fn *fn)
{
	return !section->model ||
	       (*fn->model && !fnmatch(section->model, fn->model, 0));
}

/* A PF that was given to another driver on purpose is not one of many alike. */
static bool is_one_of_many(const struct host_fn *fn)
{
	return fn->role == ROLE_PF &&
	       (!*fn->driver || !strcmp(fn->driver, "nvme"));
}

bool match_fits(const struct config_pf *section, struct host *h,
		const struct host_fn *fn)
{
	if (fn->role == ROLE_VF)
		return false;
	switch (section->key) {
	case KEY_SERIAL:
		return !strcmp(section->id, fn->serial);
	case KEY_NQN:
		return !strcmp(section->id, fn->nqn);
	case KEY_ADDRESS:
		return host_find(h, section->id) == fn;
	case KEY_LIKE:
		return is_one_of_many(fn) && pci_fits(section, fn) &&
		       model_fits(section, fn);
	default:
		return false;
	}
}

bool match_may_fit(const struct config_pf *section, const struct host_fn *fn)
{
	return section->key == KEY_LIKE && is_one_of_many(fn) &&
	       pci_fits(section, fn) &&
	       (!*fn->model || model_fits(section, fn));
}

/* Of those that name PFs one by one, or of those about PFs alike. */
static int find(const struct config *c, struct host *h,
		const struct host_fn *fn, bool alike,
		const struct config_pf **found)
{
	size_t i;

	*found = NULL;
	for (i = 0; i < c->n; i++) {
		if ((c->pf[i].key == KEY_LIKE) != alike ||
		    !match_fits(&c->pf[i], h, fn))
			continue;
		if (*found && alike)
			return fail(TOOL_CONFIG, "%s (%s) and %s (%s): both fit %s. Fix: change one of them, or give that PF a section with serial = %s",
				    (*found)->where, (*found)->words,
				    c->pf[i].where, c->pf[i].words, fn->bdf,
				    fn->serial);
		if (*found)
			return fail(TOOL_CONFIG, "%s and %s: two sections for one PF (%s): remove one of them",
				    (*found)->where, c->pf[i].where, fn->bdf);
		*found = &c->pf[i];
	}
	return TOOL_OK;
}

int match_section(const struct config *c, struct host *h,
		  const struct host_fn *fn, const struct config_pf **section)
{
	int err = find(c, h, fn, false, section);

	if (!err && !*section)
		err = find(c, h, fn, true, section);
	return err;
}

/* What another driver than nvme hides of PFs that may be meant. */
static const char *unread(const struct host *h, enum config_key key)
{
	switch (key) {
	case KEY_SERIAL:
		return host_unread(h, "its serial number",
				   "their serial numbers");
	case KEY_NQN:
		return host_unread(h, "its NQN", "their NQNs");
	default:
		return "";
	}
}

/* A list of what there is helps to find what was mistyped. */
static int none_fits(struct host *h, const struct config_pf *section)
{
	char there[512] = "";
	size_t i, len = 0;

	for (i = 0; i < h->n && len < sizeof(there); i++) {
		const struct host_fn *fn = &h->fn[i];
		const char *id = section->key == KEY_SERIAL ? fn->serial :
				 section->key == KEY_NQN ? fn->nqn : fn->bdf;

		if (fn->role == ROLE_PF && *fn->ctrl && *id)
			len += snprintf(there + len, sizeof(there) - len,
					"%s%s", len ? ", " : "", id);
	}
	return fail(TOOL_NODEV, "%s: this host has no PF with %s that is bound to nvme%s%s%s",
		    section->where, section->words,
		    *there ? "; it has " : "", there, unread(h, section->key));
}

int match_pf(struct host *h, const struct config_pf *section,
	     struct host_fn **fn)
{
	size_t i;

	*fn = NULL;
	for (i = 0; i < h->n; i++) {
		if (!match_fits(section, h, &h->fn[i]))
			continue;
		if (*fn)
			return fail(TOOL_CONFIG, "%s: %s fits both %s and %s: name one by its address",
				    section->where, section->words, (*fn)->bdf,
				    h->fn[i].bdf);
		*fn = &h->fn[i];
	}
	return *fn ? host_find_pf(h, (*fn)->bdf, fn) : none_fits(h, section);
}

/* Is there a PF? A drive whose SR-IOV is disabled is worth a line. */
static bool fits_any(const struct config_pf *section, struct host *h)
{
	bool any = false;
	size_t i;

	for (i = 0; i < h->n; i++) {
		const struct host_fn *fn = &h->fn[i];

		any |= match_fits(section, h, fn);
		if (fn->role == ROLE_PLAIN && pci_fits(section, fn) &&
		    model_fits(section, fn))
			warn("%s: %s fits %s, which has no SR-IOV: is it disabled in the firmware of the host or of the drive?",
			     section->where, section->words, fn->bdf);
	}
	return any;
}

void match_none(const struct config *c, struct host *h)
{
	bool any = false;
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (c->pf[i].key != KEY_LIKE || fits_any(&c->pf[i], h))
			any = true;
		else
			note("%s: no PF here with %s: nothing to do",
			     c->pf[i].where, c->pf[i].words);
	}
	if (c->n && !any)
		warn("no PF here fits the configuration, such as %s (%s); \"" TOOL_NAME " list\" shows models",
		     c->pf[0].words, c->pf[0].where);
}

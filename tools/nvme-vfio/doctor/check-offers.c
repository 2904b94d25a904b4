// SPDX-License-Identifier: GPL-2.0-only
/*
 * check-offers.c - what VFIO offers for a VF.
 */
#include <stdio.h>
#include <string.h>

#include "base/tool.h"
#include "check.h"
#include "vfio_uapi.h"

static void cure_refusal(const struct host_fn *vf, struct answer *a)
{
	const char *reason = vf->says.reason;

	if (strstr(reason, "vendor_ids"))
		cure(a, "See pf-capability.");
	else if (strstr(reason, "proof"))
		cure(a, "See pf-proof.");
	else if (strstr(reason, "policy"))
		cure(a, "Write a format that the PF lists to /sys/bus/pci/drivers/" TOOL_DRIVER "/policy, or none.");
	else if (vf->says.can == DRIVER_NOT_NOW)
		cure(a, "Fix what fails above, if anything does: the PF is asked again when the VF is opened.");
	else
		cure(a, "Fix what fails above, then bind the VF again: the driver finds out at bind what it can do.");
}

/* VFIO was not asked: what does the driver say? */
static void by_driver(const struct host_fn *vf, struct answer *a, const char *why)
{
	const char *failed = vf->says.last_error;
	char text[400];

	if (!*driver_view_text(&vf->says, text, sizeof(text))) {
		say(a, CHECK_UNKNOWN, "%s%s", why, strcmp(vf->driver, TOOL_DRIVER) ? "" :
		    "; the driver is older than this program and does not say");
	} else if (vf->says.can == DRIVER_YES) {
		say(a, CHECK_OK, "%s; the driver says: %s%s%s", why, text,
		    *failed ? "; what failed last: " : "", failed);
	} else {
		say(a, CHECK_FAIL, "%s; the driver says: %s", why, text);
		cure_refusal(vf, a);
	}
}

void check_offers(struct checkup *c, struct answer *a)
{
	const struct fn_facts *f = facts_of(c, c->fn);
	char text[400];

	if (!f->tried) {
		by_driver(c->fn, a, f->trouble);
	} else if (*f->trouble) {
		say(a, CHECK_FAIL, "cannot be opened: %s", f->trouble);
		cure(a, "Load vfio_iommu_type1 or iommufd if it is missing, and see vf-group and the kernel log.");
	} else if (!f->offers) {
		driver_view_text(&c->fn->says, text, sizeof(text));
		say(a, CHECK_FAIL, "no migration; the driver says: %s",
		    *text ? text : "nothing");
		cure_refusal(c->fn, a);
	} else {
		say(a, CHECK_OK, "migration%s%s, %s dirty tracking, state of %llu bytes",
		    f->flags & VFIO_MIGRATION_P2P ? ", P2P" :
		    ", no P2P (one such device per guest)",
		    f->flags & VFIO_MIGRATION_PRE_COPY ? ", PRE_COPY" : "",
		    f->log ? "with" : "without",
		    (unsigned long long)f->state_bytes);
	}
}

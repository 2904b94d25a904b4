// SPDX-License-Identifier: GPL-2.0-only
/*
 * check-offers.c - what VFIO offers of a VF.
 */
#include <stdio.h>
#include <string.h>

#include "base/tool.h"
#include "check.h"
#include "vfio_uapi.h"

static void cure_refusal(const struct fn_facts *f, struct answer *a)
{
	if (strstr(f->said, "vendor_ids"))
		cure(a, "See pf-capability.");
	else if (strstr(f->said, "proof"))
		cure(a, "See pf-proof.");
	else if (strstr(f->said, "busy") || strstr(f->said, "going away"))
		cure(a, "Bind the VF again, now that the PF is at rest.");
	else
		cure(a, "Cure what fails above, then bind the VF again: what can be done is found out when it is bound.");
}

/* The VF could not be asked: what did the driver say when it was bound? */
static void by_hearsay(const struct fn_facts *f, struct answer *a,
		       const char *why)
{
	if (!strncmp(f->said, "can migrate", 11)) {
		say(a, CHECK_OK, "%s; when it was bound: %s", why, f->said);
	} else if (*f->said) {
		say(a, CHECK_FAIL, "%s; when it was bound: %s", why, f->said);
		cure_refusal(f, a);
	} else {
		say(a, CHECK_UNKNOWN, "%s", why);
	}
}

void check_offers(struct checkup *c, struct answer *a)
{
	const struct fn_facts *f = facts_of(c, c->fn);

	if (!f->tried) {
		by_hearsay(f, a, f->trouble);
	} else if (*f->trouble) {
		say(a, CHECK_FAIL, "cannot be opened: %s", f->trouble);
		cure(a, "Load vfio_iommu_type1 or iommufd if it is missing, see vf-group, and look in the kernel log.");
	} else if (!f->offers) {
		say(a, CHECK_FAIL, "no migration; the driver said: %s",
		    *f->said ? f->said : "nothing that is still in the kernel log");
		cure_refusal(f, a);
	} else {
		say(a, CHECK_OK, "migration%s%s, %s dirty tracking, state of %llu bytes",
		    f->flags & VFIO_MIGRATION_P2P ? ", P2P" : "",
		    f->flags & VFIO_MIGRATION_PRE_COPY ? ", PRE_COPY" : "",
		    f->log ? "with" : "without",
		    (unsigned long long)f->state_bytes);
	}
}

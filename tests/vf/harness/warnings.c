// SPDX-License-Identifier: GPL-2.0-only
/*
 * warnings.c - what the driver says in the kernel log while a case runs.
 */
#include <string.h>

#include "klog.h"
#include "warnings.h"

#define LEVEL_WARNING	4

/* Return: NULL = there is no more */
static const char *driver_warning(void)
{
	unsigned int level;
	const char *text;

	while ((text = klog_next(&level))) {
		if (level > LEVEL_WARNING)
			continue;
		if (!strstr(text, "nvme-vfio-pci") &&
		    !strstr(text, "nvme_vfio_pci") &&
		    !strstr(text, "nvme-pf-shim") &&
		    !strstr(text, "nvme_pf_shim"))
			continue;
		/* PCI's own message on every reset of a function, since 7.x */
		if (strstr(text, ": resetting") || strstr(text, ": reset done"))
			continue;
		break;
	}
	return text;
}

bool warnings_judge(const struct tap_case *c, enum tap_result result)
{
	bool any = c->log && !*c->log;
	unsigned int bad = 0, hits = 0;
	const char *text;

	if (result == TAP_SKIPPED)
		return true;
	while ((text = driver_warning())) {
		if (any)
			continue;
		if (c->log) {
			hits += strstr(text, c->log) != NULL;
		} else if (!bad++) {
			tap_note("the driver warns, no reason to do so is known: %s",
				 text);
		}
	}
	if (c->log && !any && !hits) {
		tap_note("expected a warning of the driver with '%s', there is none",
			 c->log);
		return false;
	}
	return !bad;
}

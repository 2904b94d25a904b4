// SPDX-License-Identifier: GPL-2.0-only
/*
 * check-conflicts.c - others that want the function: vfio-pci by PCI id,
 * driverctl by address, a driver_override.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool.h"
#include "check.h"
#include "host/driverctl.h"

#define ANY		0xffffffffu

/* Is the function in an option ids=vvvv:dddd[:...],... of a module? */
static bool id_claimed(const char *options, const struct host_fn *fn)
{
	unsigned int vendor, device;
	char text[1024], *word, *id, *words, *ids;
	bool found = false;

	snprintf(text, sizeof(text), "%s", options);
	for (word = strtok_r(text, " \"", &words); word;
	     word = strtok_r(NULL, " \"", &words)) {
		if (strncmp(word, "ids=", 4))
			continue;
		for (id = strtok_r(word + 4, ",", &ids); id;
		     id = strtok_r(NULL, ",", &ids))
			found = found ||
				(sscanf(id, "%x:%x", &vendor, &device) == 2 &&
				 (vendor == fn->vendor || vendor == ANY) &&
				 (device == fn->device || device == ANY));
	}
	return found;
}

void check_conflicts(struct checkup *c, struct answer *a)
{
	const struct host_fn *fn = c->fn;
	const char *right = fn->role == ROLE_VF ? TOOL_DRIVER : "nvme";
	char name[HOST_NAME];

	if (!driverctl_has(fn->bdf, name, sizeof(name)) &&
	    strcmp(name, right)) {
		say(a, CHECK_WARN, "driverctl gives it to %s at every boot (" DRIVERCTL_DIR "/pci-%s)",
		    name, fn->bdf);
		if (fn->role == ROLE_VF)
			cure(a, "Run driverctl set-override %s %s.", fn->bdf,
			     right);
		else
			cure(a, "Run driverctl unset-override %s.", fn->bdf);
	} else if (id_claimed(modules_options(c->modules, "vfio-pci"), fn)) {
		say(a, CHECK_WARN, "vfio-pci takes every %04x:%04x, because of its option ids",
		    fn->vendor, fn->device);
		cure(a, "Remove that from modprobe.d, or vfio-pci.ids from the kernel's command line.");
	} else if (!strcmp(fn->driver, "vfio-pci") &&
		   strcmp(fn->override, "vfio-pci")) {
		say(a, CHECK_WARN, "vfio-pci has taken it by its PCI id (new_id)");
		cure(a, "echo %04x %04x >/sys/bus/pci/drivers/vfio-pci/remove_id, then bind it again.",
		     fn->vendor, fn->device);
	} else if (*fn->override && strcmp(fn->override, right) &&
		   strcmp(fn->override, fn->driver)) {
		say(a, CHECK_WARN, "driver_override is %s, which gets it when it is bound again",
		    fn->override);
		if (fn->role == ROLE_VF)
			cure(a, "Run " TOOL_NAME " bind %s.", fn->bdf);
		else
			cure(a, "echo >" HOST_PCI "/%s/driver_override.",
			     fn->bdf);
	} else {
		say(a, CHECK_OK, "none");
	}
}

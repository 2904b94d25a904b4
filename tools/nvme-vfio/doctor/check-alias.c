// SPDX-License-Identifier: GPL-2.0-only
/*
 * check-alias.c - which VFIO driver libvirt (from 10.0 on) chooses for a
 * function.
 *
 * It reads modules.alias by itself: a line's seven fields must each be equal to
 * the function's or be a lone star, and of the lines that fit, the first of
 * those with fewest stars is taken. Asking libkmod would give another answer:
 * there a pattern may have stars anywhere.
 */
#include <stdio.h>
#include <string.h>

#include "base/tool.h"
#include "check.h"
#include "util.h"

#define FIELDS		7
#define FIELD		16

/* "v0000144Ddx..sv*sd*bc01sc08i02" in pieces; false if it is not like that. */
static bool split(const char *alias, char field[FIELDS][FIELD])
{
	static const char * const mark[FIELDS] = {
		"v", "d", "sv", "sd", "bc", "sc", "i"
	};
	const char *end;
	size_t i, len;

	for (i = 0; i < FIELDS; i++) {
		len = strlen(mark[i]);
		if (strncmp(alias, mark[i], len))
			return false;
		alias += len;
		/* Values are upper case or stars, marks are lower case. */
		end = i + 1 < FIELDS ? strstr(alias, mark[i + 1]) :
				       alias + strlen(alias);
		if (!end || end == alias || end - alias >= FIELD)
			return false;
		len = end - alias;
		memcpy(field[i], alias, len);
		field[i][len] = 0;
		alias = end;
	}
	return true;
}

/* Stars of an alias that fits, or -1. */
static int stars(char alias[FIELDS][FIELD], char fn[FIELDS][FIELD])
{
	int n = 0;
	size_t i;

	for (i = 0; i < FIELDS; i++) {
		if (!strcmp(alias[i], "*"))
			n++;
		else if (strcmp(alias[i], fn[i]))
			return -1;
	}
	return n;
}

static bool best(FILE *f, char fn[FIELDS][FIELD], char *driver, size_t len)
{
	char line[512], alias[256], module[HOST_NAME];
	char field[FIELDS][FIELD];
	int least = FIELDS + 1, n;

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "alias vfio_pci:%255s %63s", alias,
			   module) != 2 || !split(alias, field))
			continue;
		n = stars(field, fn);
		if (n >= 0 && n < least) {
			least = n;
			snprintf(driver, len, "%s", module);
		}
	}
	return least <= FIELDS;
}

void check_alias(struct checkup *c, struct answer *a)
{
	char path[128], alias[256], driver[HOST_NAME];
	char fn[FIELDS][FIELD];
	bool found;
	FILE *f;

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.alias",
		 c->release);
	if (sysfs_read(alias, sizeof(alias), HOST_PCI "/%s/modalias",
		       c->fn->bdf) < 4 || strncmp(alias, "pci:", 4) ||
	    !split(alias + 4, fn)) {
		say(a, CHECK_UNKNOWN, "the kernel reports no alias for the function");
		return;
	}
	f = fopen(path, "re");
	if (!f) {
		say(a, CHECK_FAIL, "%s is missing: libvirt starts no VM with this VF",
		    path);
		cure(a, "Run depmod -a.");
		return;
	}
	found = best(f, fn, driver, sizeof(driver));
	fclose(f);
	if (found && !strcmp(driver, "nvme_vfio_pci")) {
		say(a, CHECK_OK, "libvirt chooses " TOOL_DRIVER);
		return;
	}
	say(a, CHECK_FAIL, "libvirt would choose %s", found ? driver : "vfio-pci");
	cure(a, "Run depmod -a once the module is installed; or name " TOOL_DRIVER " as the VM's <driver name='vfio' model='...'/>.");
}

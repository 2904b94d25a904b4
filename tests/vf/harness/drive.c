// SPDX-License-Identifier: GPL-2.0-only
/*
 * drive.c - drives of other kinds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive.h"

#define PERSONALITIES	"/share/personalities"
#define ROOM		512
#define PAGE		4096
#define ID_MDTS		77

void drive_is(int pf, const char *properties)
{
	char lines[ROOM], *p;
	int i;

	check(strlen(properties) < sizeof(lines), "too many properties");
	strcpy(lines, properties);
	for (p = lines; *p; p++)
		if (*p == ' ')
			*p = '\n';
	model_set(pf, "%s", lines);
	for (i = 0; i < bed.pf[pf].nvfs; i++)
		must(topo_rebind(bed.pf[pf].vf[i]));
}

unsigned long drive_carries(int pf)
{
	uint8_t id[PAGE];

	must(pf_identify(bed.pf[pf].name, NVME_CNS_CTRL, id));
	check(id[ID_MDTS] && id[ID_MDTS] < 20, "MDTS is %u", id[ID_MDTS]);
	return (unsigned long)PAGE << id[ID_MDTS];
}

static bool is_machines(const char *property)
{
	return strncmp(property, "lm-", 3) || !strcmp(property, "lm-ids");
}

const char *drive_named(const char *name)
{
	static char properties[ROOM];
	char line[256], key[64], value[128];
	FILE *f = fopen(PERSONALITIES, "re");
	bool here = false, found = false;
	size_t n = 0;

	check(f, "%s is not there", PERSONALITIES);
	properties[0] = 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "[%63[^]]]", key) == 1) {
			here = !strcmp(key, name);
			found |= here;
		} else if (here && *line != '#' &&
			   sscanf(line, "%63s = %127s", key, value) == 2 &&
			   !is_machines(key)) {
			n += snprintf(properties + n, sizeof(properties) - n,
				      "%s%s=%s", n ? " " : "", key, value);
			check(n < sizeof(properties), "%s: too long", name);
		}
	}
	fclose(f);
	check(found, "%s: no such personality", name);
	return properties;
}

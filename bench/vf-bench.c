// SPDX-License-Identifier: GPL-2.0-only
/*
 * vf-bench.c - measures what the driver costs, on the VFs of this host, as root.
 *
 * usage: vf-bench [--set standard|vendor] [--driver NAME] MEASUREMENT [ARGUMENT...]
 *
 * A measurement's arguments are documented in its file. It prints a line of
 * JSON for each repetition.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"

static const struct measurement measurements[] = {
	{ "downtime", downtime_run },
	{ "cost", cost_run },
	{ "scale", scale_run },
	{ "dirty", dirty_run },
	{ "io", io_run },
	{ "timeline", timeline_run },
	{ "tracked", tracked_run },
	{ "together", together_run },
};

#define NR	(sizeof(measurements) / sizeof(measurements[0]))

int main(int argc, char **argv)
{
	const char *driver = VF_DRIVER, *why;
	enum cmdset set = SET_STANDARD;
	unsigned int i;
	int k = 1;

	for (; k + 1 < argc; k += 2) {
		if (!strcmp(argv[k], "--set"))
			set = strcmp(argv[k + 1], "vendor") ? SET_STANDARD :
							      SET_VENDOR;
		else if (!strcmp(argv[k], "--driver"))
			driver = argv[k + 1];
		else
			break;
	}
	why = bed_find(driver, set);
	if (why) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	for (i = 0; k < argc && i < NR; i++) {
		if (!strcmp(argv[k], measurements[i].name)) {
			measurements[i].run(argv + k + 1);
			return 0;
		}
	}
	fprintf(stderr, "usage: vf-bench [--set standard|vendor] [--driver NAME] MEASUREMENT [ARGUMENT...]\n");
	return 2;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * metrics.c - "metrics" of a host that is made of files: 04-metrics.t makes it and
 * reads what is printed.
 *
 * usage: metrics FOLDER [--json] [OPTION...]
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/report.h"
#include "cmd/cmd.h"

void tool_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	argp_parse(argp, argc, argv, 0, NULL, input);
}

int main(int argc, char **argv)
{
	int err;

	if (argc < 2 || chdir(argv[1])) {
		fprintf(stderr, "usage: metrics FOLDER [--json] [OPTION...]\n");
		return 2;
	}
	argc--;
	argv++;
	if (argc > 1 && !strcmp(argv[1], "--json")) {
		tool.json = true;
		argc--;
		argv++;
	}
	err = cmd_metrics(argc, argv);
	return err ? err : report_finish("metrics", false);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd.h - the commands, and how each reads its command line.
 */
#ifndef NVME_VFIO_CMD_H
#define NVME_VFIO_CMD_H

#include <argp.h>

#include "base/tool.h"

/**
 * struct command - a subcommand
 * @name: word on the command line
 * @summary: half a line for the list of commands
 * @run: takes the words after the global options, its own name first;
 *	returns an enum tool_exit
 */
struct command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
};

int cmd_apply(int argc, char **argv);
int cmd_bind(int argc, char **argv);
int cmd_certify(int argc, char **argv);
int cmd_check_config(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_metrics(int argc, char **argv);
int cmd_quarantine(int argc, char **argv);
int cmd_selftest(int argc, char **argv);
int cmd_teardown(int argc, char **argv);
int cmd_unbind(int argc, char **argv);
int cmd_watch(int argc, char **argv);

/**
 * global_argp - the options every command takes, as a child for its own argp
 */
extern const struct argp_child global_argp[];

/**
 * tool_parse - parse the command line of a command
 * @argp: its options; global_argp is added
 * @input: passed to its parser
 *
 * Ends the program with TOOL_USAGE if it makes no sense, with 0 after --help.
 */
void tool_parse(const struct argp *argp, int argc, char **argv, void *input);

#endif

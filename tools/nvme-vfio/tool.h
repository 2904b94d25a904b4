/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tool.h - what every command shares: exit codes, global options, messages.
 */
#ifndef NVME_VFIO_TOOL_H
#define NVME_VFIO_TOOL_H

#include <argp.h>
#include <stdbool.h>

#define TOOL_NAME	"nvme-vfio"
#define TOOL_DRIVER	"nvme-vfio-pci"

/**
 * enum tool_exit - exit status of the program
 * @TOOL_OK: done, or nothing was to be done
 * @TOOL_FAILED: a step failed; what was begun has been undone
 * @TOOL_USAGE: wrong command line
 * @TOOL_NODEV: no such device, or not one that the command is about; or it
 *	vanished on the way
 * @TOOL_INUSE: somebody uses the device; nothing was changed
 * @TOOL_CONFIG: the configuration is wrong; nothing was changed
 * @TOOL_PERM: not root
 * @TOOL_MODULE: a kernel module is missing or could not be loaded
 * @TOOL_LOCKED: another process is at work on the same PF
 * @TOOL_LIMIT: the device cannot do that much, or that at all; nothing was
 *	changed
 * @TOOL_BROKEN: a step failed, and undoing failed as well: the device is not
 *	as it was
 * @TOOL_UNFIT: "doctor" or "selftest" found what keeps VFs from migrating
 *
 * These numbers are part of the interface and never change their meaning.
 */
enum tool_exit {
	TOOL_OK = 0,
	TOOL_FAILED = 1,
	TOOL_USAGE = 2,
	TOOL_NODEV = 3,
	TOOL_INUSE = 4,
	TOOL_CONFIG = 5,
	TOOL_PERM = 6,
	TOOL_MODULE = 7,
	TOOL_LOCKED = 8,
	TOOL_LIMIT = 9,
	TOOL_BROKEN = 10,
	TOOL_UNFIT = 11,
};

/**
 * struct tool_options - options that every command takes
 * @json: report as JSON
 * @quiet: no warnings
 * @verbose: say each thing that is done
 */
struct tool_options {
	bool json;
	bool quiet;
	bool verbose;
};

extern struct tool_options tool;

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
int cmd_doctor(int argc, char **argv);
int cmd_list(int argc, char **argv);
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

/**
 * fail - say in one line why something cannot be done
 * @code: what the program shall return
 * @fmt: printf format, without newline: names the object, and the cure
 *
 * Return: @code.
 */
int fail(enum tool_exit code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** warn - one line that is worth knowing; silenced by --quiet */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** note - one line for those who asked by --verbose */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * need_root - whether the program may do what only root can
 *
 * Return: TOOL_OK, or TOOL_PERM after saying so.
 */
int need_root(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tool.h - what all of the tool shares: exit codes, global options, messages.
 */
#ifndef NVME_VFIO_TOOL_H
#define NVME_VFIO_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define TOOL_NAME	"nvme-vfio"
#define TOOL_DRIVER	"nvme-vfio-pci"

/**
 * enum tool_exit - exit status of the program
 * @TOOL_OK: done, or nothing was to be done
 * @TOOL_FAILED: a step failed; what was begun has been undone
 * @TOOL_USAGE: wrong command line
 * @TOOL_NODEV: no such device, or not one for this command; or it vanished
 *	meanwhile
 * @TOOL_INUSE: the device is in use; nothing was changed
 * @TOOL_CONFIG: the configuration, or another host's report, is wrong; nothing
 *	was changed
 * @TOOL_PERM: not root
 * @TOOL_MODULE: a kernel module is missing or could not be loaded
 * @TOOL_LOCKED: another process is working on the same PF
 * @TOOL_LIMIT: the device cannot do that much, or that at all; nothing was
 *	changed
 * @TOOL_BROKEN: a step failed, and undoing failed as well: the device is not
 *	as it was
 * @TOOL_UNFIT: "doctor" or "selftest" found something that keeps VFs from
 *	migrating, "doctor --fleet" VFs that can move to no other host, "certify"
 *	broken rules
 * @TOOL_DIFFERS: "diff" found something that differs
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
	TOOL_DIFFERS = 12,
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
 * fail - say in one line why something cannot be done
 * @code: the exit status
 * @fmt: printf format, without newline: names the object, and the fix
 *
 * Return: @code.
 */
int fail(enum tool_exit code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * fail_texts - what was said by fail() so far
 * @n: set to how many lines
 */
const char *const *fail_texts(size_t *n);

/**
 * fail_said - the same, for a line composed elsewhere
 * @line: begins with the speaker's name and ": "
 */
void fail_said(const char *line);

/** need_memory - end the program with TOOL_FAILED unless @there is true */
static inline void need_memory(bool there)
{
	if (!there)
		exit(fail(TOOL_FAILED, "out of memory"));
}

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

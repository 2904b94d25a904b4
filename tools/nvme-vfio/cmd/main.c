// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - nvme-vfio: finds the command and passes it its arguments.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/report.h"
#include "cmd.h"
#include "usage.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

static const struct command commands[] = {
	{ "doctor", "what keeps VFs from migrating, and the fix", cmd_doctor },
	{ "list", "what can be migrated, and why the rest cannot", cmd_list },
	{ "bind", "bind VFs to " TOOL_DRIVER, cmd_bind },
	{ "unbind", "unbind VFs from their VFIO driver", cmd_unbind },
	{ "check-config", "check configuration files for errors", cmd_check_config },
	{ "diff", "what differs from the configuration, now or after a boot", cmd_diff },
	{ "apply", "create and set up VFs as configured", cmd_apply },
	{ "certify", "prove the migration commands of a drive, without a VM", cmd_certify },
	{ "selftest", "use a free VF, migrate it, and measure", cmd_selftest },
	{ "teardown", "restore the state before apply", cmd_teardown },
	{ "metrics", "print the driver's counters, for monitoring", cmd_metrics },
	{ "quarantine", "list functions in quarantine, or release them", cmd_quarantine },
	{ "watch", "show migrations as they happen", cmd_watch },
};

#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

static const struct argp_option global_options[] = {
	{ "json", 'j', NULL, 0, "Report as JSON", -2 },
	{ "quiet", 'q', NULL, 0, "No warnings, only errors", -2 },
	{ "verbose", 'v', NULL, 0, "Print each step", -2 },
	{ NULL, 'h', NULL, OPTION_HIDDEN, NULL, -2 },
	{ }
};

static error_t global_parse(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	switch (key) {
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case 'j':
		tool.json = true;
		return 0;
	case 'q':
		tool.quiet = true;
		return 0;
	case 'v':
		tool.verbose = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp global = {
	.options = global_options, .parser = global_parse,
};

const struct argp_child global_argp[] = { { &global, 0, NULL, 0 }, { } };

void tool_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	struct argp with = *argp;
	error_t err;

	with.children = global_argp;
	err = argp_parse(&with, argc, argv, 0, NULL, input);
	usage_end();
	if (err)
		exit(fail(TOOL_FAILED, "command line: %s", strerror(err)));
}

/* The help needs the commands, and there is only one list of them. */
static char *help_filter(int key, const char *text, void *input)
{
	size_t len = 0, i;
	char *help = NULL;
	FILE *f;

	(void)input;
	if (key != ARGP_KEY_HELP_PRE_DOC)
		return (char *)text;
	f = open_memstream(&help, &len);
	if (!f)
		return (char *)text;
	fprintf(f, "%s\n\nCommands:\n", text);
	for (i = 0; i < NCOMMANDS; i++)
		fprintf(f, "  %-13s %s\n", commands[i].name,
			commands[i].summary);
	fprintf(f, "\nSee `" TOOL_NAME " COMMAND --help' for details.\n\n"
		"Options, of every command:");
	if (fclose(f)) {
		free(help);
		return (char *)text;
	}
	return help;
}

/* The command that runs: what an error is about if it prints no report. */
static const struct command *command;

static bool finished;

static int finish(void)
{
	finished = true;
	return report_finish(command ? command->name : NULL,
			     command && command->run == cmd_watch);
}

static int run(int argc, char **argv, struct argp_state *state);

/* "help COMMAND" is "COMMAND --help" */
static int help(int argc, char **argv, struct argp_state *state)
{
	char option[] = "--help";
	char *words[] = { argc > 1 ? argv[1] : NULL, option, NULL };

	if (argc > 1 && strcmp(argv[1], "help") && *argv[1] != '-')
		return run(2, words, state);
	argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
	return TOOL_OK;
}

static int run(int argc, char **argv, struct argp_state *state)
{
	static char name[64];	/* argv points to it until the end */
	size_t i;
	int err, ret;

	if (!strcmp(argv[0], "help"))
		return help(argc, argv, state);
	for (i = 0; i < NCOMMANDS; i++) {
		if (strcmp(argv[0], commands[i].name))
			continue;
		command = &commands[i];
		/* what messages about the command line begin with */
		snprintf(name, sizeof(name), TOOL_NAME " %s", argv[0]);
		argv[0] = name;
		err = commands[i].run(argc, argv);
		ret = finish();
		return err ? err : ret;
	}
	argp_error(state, "no command `%s'", argv[0]);
	return TOOL_USAGE;
}

static error_t main_parse(int key, char *arg, struct argp_state *state)
{
	int *status = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_ARG:
		/* The rest of the line is the command's. */
		state->next--;
		*status = run(state->argc - state->next,
			      state->argv + state->next, state);
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		if (usage_json())
			argp_error(state, "which command?");
		/* whoever types the name alone wants to know what there is */
		argp_state_help(state, stderr, ARGP_HELP_EXIT_ERR |
				(ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK));
		return EINVAL;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp main_argp = {
	.parser = main_parse, .children = global_argp,
	.args_doc = "COMMAND [ARGUMENT...]",
	.doc = "Prepares NVMe virtual functions for live migration, and "
	       "reports why a VF cannot migrate.\v"
	       "Exit status: 0 done, 1 failed and undone, 2 wrong command line, "
	       "3 no such device, 4 in use, 5 wrong configuration, 6 not root, "
	       "7 module missing, 8 locked by another process, 9 beyond the "
	       "device's limits, 10 failed and not undone, "
	       "11 a check failed, 12 something differs.",
	.help_filter = help_filter,
};

const char *argp_program_version = TOOL_NAME " " VERSION;

/* argp ends the program after --help, --version, and what makes no sense. */
static void close_output(void)
{
	size_t n;

	usage_end();
	if (fail_texts(&n) && n && !finished && finish())
		_exit(TOOL_FAILED);
	if (!fflush(stdout) && !ferror(stdout))
		return;
	fail(TOOL_FAILED, "standard output: %s", strerror(errno));
	_exit(TOOL_FAILED);
}

int main(int argc, char **argv)
{
	char name[] = TOOL_NAME;
	int status = TOOL_OK;
	error_t err;

	atexit(close_output);
	usage_begin(argc, argv);

	argp_err_exit_status = TOOL_USAGE;
	if (argc > 0)
		argv[0] = name;
	err = argp_parse(&main_argp, argc, argv, ARGP_IN_ORDER, NULL, &status);
	if (err)
		return fail(TOOL_FAILED, "command line: %s", strerror(err));
	return status;
}

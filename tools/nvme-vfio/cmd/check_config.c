// SPDX-License-Identifier: GPL-2.0-only
/*
 * check_config.c - "check-config": is a configuration valid? It needs neither
 * root nor a drive.
 */
#include "cmd.h"
#include "setup/config.h"

struct check_options {
	char **path;
	int n;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct check_options *o = state->input;

	(void)arg;
	if (key != ARGP_KEY_ARGS)
		return ARGP_ERR_UNKNOWN;
	o->path = state->argv + state->next;
	o->n = state->argc - state->next;
	return 0;
}

static const struct argp argp = {
	.parser = parse, .args_doc = "[PATH...]",
	.doc = "Reads files, the *.conf files of folders, or by default those "
	       "of /etc/nvme-vfio, /run/nvme-vfio and /usr/lib/nvme-vfio that "
	       "are in effect, and prints everything that is wrong with them, "
	       "with line numbers. It does not look at drives; \"nvme-vfio "
	       "apply --dry-run\" does.",
};

int cmd_check_config(int argc, char **argv)
{
	struct check_options o = { };
	int i, ret, err;

	tool_parse(&argp, argc, argv, &o);
	err = o.n ? TOOL_OK : config_check(NULL);
	for (i = 0; i < o.n; i++) {
		ret = config_check(o.path[i]);
		err = err ? err : ret;
	}
	return err;
}

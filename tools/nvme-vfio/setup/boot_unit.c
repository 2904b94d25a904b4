// SPDX-License-Identifier: GPL-2.0-only
/*
 * boot_unit.c - systemd has too many ways to enable and to mask a unit to
 * repeat them here: it is asked.
 */
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot_unit.h"

bool boot_unit_enabled(void)
{
	static char * const argv[] = {
		"systemctl", "--quiet", "is-enabled", BOOT_UNIT, NULL
	};
	posix_spawn_file_actions_t act;
	int err, status;
	pid_t pid;

	/* as sd_booted(3) finds out whether it runs */
	if (access("/run/systemd/system", F_OK) ||
	    posix_spawn_file_actions_init(&act))
		return false;
	err = posix_spawn_file_actions_addopen(&act, 1, "/dev/null", O_WRONLY, 0) ||
	      posix_spawn_file_actions_addopen(&act, 2, "/dev/null", O_WRONLY, 0) ||
	      posix_spawnp(&pid, argv[0], &act, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&act);
	return !err && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       !WEXITSTATUS(status);
}

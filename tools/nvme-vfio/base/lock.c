// SPDX-License-Identifier: GPL-2.0-only
/*
 * lock.c - a file per PF in /run/lock. The file stays: a lock on a name that
 * somebody else has removed would be no lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lock.h"
#include "tool.h"

#define LOCK_DIR	"/run/lock"

static int open_lock(const char *path, int *fd)
{
	/* Not there on systems that have just begun to boot. */
	mkdir(LOCK_DIR, 0755);
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (*fd < 0)
		return fail(TOOL_FAILED, "%s: %s", path, strerror(errno));
	return TOOL_OK;
}

int lock_turn(int *fd)
{
	static const char path[] = LOCK_DIR "/" TOOL_NAME ".lock";
	int err = open_lock(path, fd);

	while (!err && flock(*fd, LOCK_EX)) {
		if (errno == EINTR)
			continue;
		err = fail(TOOL_FAILED, "%s: %s", path, strerror(errno));
		close(*fd);
		*fd = -1;
	}
	return err;
}

int lock_pf(const char *bdf, int *fd)
{
	char path[64], pid[16] = "";
	int err;

	snprintf(path, sizeof(path), LOCK_DIR "/" TOOL_NAME "-%s.lock", bdf);
	err = open_lock(path, fd);
	if (err)
		return err;
	if (!flock(*fd, LOCK_EX | LOCK_NB)) {
		if (ftruncate(*fd, 0) ||
		    dprintf(*fd, "%d\n", (int)getpid()) < 0)
			warn("%s: %s", path, strerror(errno));
		return TOOL_OK;
	}
	err = errno;
	if (err == EWOULDBLOCK && read(*fd, pid, sizeof(pid) - 1) < 0)
		pid[0] = 0;
	close(*fd);
	*fd = -1;
	if (err != EWOULDBLOCK)
		return fail(TOOL_FAILED, "%s: %s", path, strerror(err));
	pid[strcspn(pid, "\n")] = 0;
	return fail(TOOL_LOCKED, "%s: another " TOOL_NAME " is at work on it (process %s): try again when it is done",
		    bdf, *pid ? pid : "unknown");
}

void unlock_pf(int fd)
{
	if (fd >= 0)
		close(fd);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * lock.c - a file per PF in a folder that only root can use: whoever may open a
 * file may lock it. The file stays: a lock on a name that somebody else has
 * removed would be no lock.
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
#include "util.h"

#define POLL_US		100000

/* The folder: ours, and closed to everybody else. */
static int open_folder(int *dir)
{
	struct stat st;
	int err;

	*dir = -1;
	mkdir("/run", 0755);	/* early in boot */
	if (mkdir(LOCK_DIR, 0700) && errno != EEXIST)
		return fail(TOOL_FAILED, LOCK_DIR ": %s", strerror(errno));
	*dir = open(LOCK_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*dir < 0)
		return fail(TOOL_FAILED, LOCK_DIR ": %s", strerror(errno));
	err = fstat(*dir, &st) ? errno : 0;
	if (!err && st.st_uid != geteuid())
		err = EPERM;
	if (!err && st.st_mode & 077 && fchmod(*dir, 0700))
		err = errno;
	if (!err)
		return TOOL_OK;
	close(*dir);
	return fail(TOOL_FAILED, LOCK_DIR ": not a folder that only root can use: %s",
		    strerror(err));
}

static int open_lock(const char *name, int *fd)
{
	int err, dir;

	*fd = -1;
	err = open_folder(&dir);
	if (err)
		return err;
	*fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0)
		err = fail(TOOL_FAILED, LOCK_DIR "/%s: %s", name,
			   strerror(errno));
	close(dir);
	return err;
}

/* Return: 0, EWOULDBLOCK when the time is up, or another errno. */
static int take(int fd, uint64_t until)
{
	for (;;) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return errno;
		if (now_us() >= until)
			return EWOULDBLOCK;
		sleep_us(POLL_US);
	}
}

/* Lets whoever comes next see whose lock it is. */
static void sign(const char *name, int fd)
{
	if (ftruncate(fd, 0) || dprintf(fd, "%d\n", (int)getpid()) < 0)
		warn(LOCK_DIR "/%s: %s", name, strerror(errno));
}

static int locked(const char *name, const char *what, uint64_t until, int *fd)
{
	char pid[16] = "";
	int err;

	err = open_lock(name, fd);
	if (err)
		return err;
	err = take(*fd, until);
	if (!err) {
		sign(name, *fd);
		return TOOL_OK;
	}
	if (err == EWOULDBLOCK && pread(*fd, pid, sizeof(pid) - 1, 0) < 0)
		pid[0] = 0;
	close(*fd);
	*fd = -1;
	if (err != EWOULDBLOCK)
		return fail(TOOL_FAILED, LOCK_DIR "/%s: %s", name,
			    strerror(err));
	pid[strcspn(pid, "\n")] = 0;
	return fail(TOOL_LOCKED, "%s: another " TOOL_NAME " is working on it (process %s): try again when it is done",
		    what, *pid ? pid : "unknown");
}

int lock_turn(uint64_t until, int *fd)
{
	return locked("turn.lock", "the drives of this host", until, fd);
}

int lock_pf(const char *bdf, uint64_t until, int *fd)
{
	char name[64];

	snprintf(name, sizeof(name), "%s.lock", bdf);
	return locked(name, bdf, until, fd);
}

void unlock_pf(int fd)
{
	if (fd >= 0)
		close(fd);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * tracefs.c - a tracing instance named after this process.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tool.h"
#include "tracefs.h"
#include "util.h"

#define PREFIX		TOOL_NAME "-"

static char instance[256];	/* empty: there is none */

static const char *mounted(void)
{
	static const char * const place[] = {
		"/sys/kernel/tracing", "/sys/kernel/debug/tracing",
	};
	char path[128];
	size_t i;

	for (i = 0; i < sizeof(place) / sizeof(*place); i++) {
		snprintf(path, sizeof(path), "%s/instances", place[i]);
		if (!access(path, F_OK))
			return place[i];
	}
	return NULL;
}

static void remove_dead(const char *top)
{
	char path[512];
	struct dirent *e;
	pid_t pid;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/instances", top);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		if (strncmp(e->d_name, PREFIX, strlen(PREFIX)))
			continue;
		pid = atoi(e->d_name + strlen(PREFIX));
		if (pid <= 0 || !kill(pid, 0) || errno != ESRCH)
			continue;
		snprintf(path, sizeof(path), "%s/instances/%s", top, e->d_name);
		note("%s: left by a process that is gone, removed", path);
		rmdir(path);
	}
	if (dir)
		closedir(dir);
}

int tracefs_begin(int *fd)
{
	const char *top = mounted();
	char path[512];
	int err;

	*fd = -1;
	if (!top)
		return fail(TOOL_FAILED, "tracefs is not mounted: mount -t tracefs tracefs /sys/kernel/tracing");
	snprintf(path, sizeof(path), "%s/events/nvme_vfio", top);
	if (access(path, F_OK))
		return fail(TOOL_MODULE, "there is nothing to watch: module " TOOL_DRIVER " is not loaded (modprobe " TOOL_DRIVER ")");
	remove_dead(top);
	snprintf(path, sizeof(path), "%s/instances/" PREFIX "%d", top,
		 (int)getpid());
	if (mkdir(path, 0700))
		return fail(TOOL_FAILED, "%s: %s", path, strerror(errno));
	snprintf(instance, sizeof(instance), "%s/instances/" PREFIX "%d", top,
		 (int)getpid());
	/* The clock that "now" is taken from as well. */
	err = sysfs_write("mono", "%s/trace_clock", instance);
	if (!err)
		err = sysfs_write("1", "%s/events/nvme_vfio/enable", instance);
	if (!err) {
		snprintf(path, sizeof(path), "%s/trace_pipe", instance);
		*fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (*fd < 0)
			err = -errno;
	}
	if (!err)
		return TOOL_OK;
	tracefs_end(*fd);
	return fail(TOOL_FAILED, "%s: %s", path, strerror(-err));
}

void tracefs_end(int fd)
{
	if (fd >= 0)
		close(fd);
	if (!*instance)
		return;
	sysfs_write("0", "%s/events/nvme_vfio/enable", instance);
	if (rmdir(instance))
		fail(TOOL_FAILED, "%s: could not be removed: %s", instance,
		     strerror(errno));
	*instance = 0;
}

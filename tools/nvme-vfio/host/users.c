// SPDX-License-Identifier: GPL-2.0-only
/*
 * users.c - who has the NVMe functions open: processes, from their open files.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/tool.h"
#include "host.h"
#include "util.h"

static int add(struct host_fn *fn, pid_t pid)
{
	struct host_user *u;

	if (fn->nusers && fn->users[fn->nusers - 1].pid == pid)
		return TOOL_OK;
	u = realloc(fn->users, (fn->nusers + 1) * sizeof(*u));
	if (!u)
		return fail(TOOL_FAILED, "out of memory");
	fn->users = u;
	u += fn->nusers++;
	memset(u, 0, sizeof(*u));
	u->pid = pid;
	sysfs_read(u->name, sizeof(u->name), "/proc/%d/comm", (int)pid);
	return TOOL_OK;
}

/*
 * If a namespace has several paths, its disk is named after the subsystem, and
 * the controller has a hidden one with both their numbers.
 */
static bool way_to(unsigned int subsystem, unsigned int ns, const char *ctrl)
{
	char path[160];

	snprintf(path, sizeof(path), "/sys/class/nvme/%s/nvme%uc%sn%u", ctrl,
		 subsystem, ctrl + 4, ns);
	return !access(path, F_OK);
}

/* Is @file, below /dev, a way to this function? */
static bool leads_to(const char *file, const struct host_fn *fn)
{
	unsigned int instance, ns;
	size_t len = strlen(fn->ctrl);
	char group[32];

	if (host_is_vfio(fn->driver) && fn->iommu_group >= 0) {
		snprintf(group, sizeof(group), "vfio/%d", fn->iommu_group);
		if (!strcmp(file, group))
			return true;
		snprintf(group, sizeof(group), "vfio/noiommu-%d",
			 fn->iommu_group);
		if (!strcmp(file, group))
			return true;
	}
	if (*fn->cdev && !strncmp(file, "vfio/devices/", 13) &&
	    !strcmp(file + 13, fn->cdev))
		return true;
	if (len < 5)
		return false;
	if (sscanf(file, "nvme%un%u", &instance, &ns) == 2 &&
	    way_to(instance, ns, fn->ctrl))
		return true;
	/* nvme1 and its namespaces nvme1n2, but not nvme11 */
	return !strncmp(file, fn->ctrl, len) &&
	       (!file[len] || (file[len] == 'n' && isdigit((unsigned char)file[len + 1])));
}

static int look_at(struct host *h, pid_t pid)
{
	char path[300], target[256];
	struct dirent *e;
	int err = TOOL_OK;
	ssize_t n;
	size_t i;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		return TOOL_OK;		/* gone, or not ours to see */
	while (!err && (e = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)pid,
			 e->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 6 || memcmp(target, "/dev/", 5))
			continue;
		target[n] = 0;
		for (i = 0; !err && i < h->n; i++)
			if (leads_to(target + 5, &h->fn[i]))
				err = add(&h->fn[i], pid);
	}
	closedir(dir);
	return err;
}

int host_users(struct host *h)
{
	struct dirent *e;
	int err = TOOL_OK;
	pid_t pid;
	DIR *dir;

	dir = opendir("/proc");
	if (!dir)
		return fail(TOOL_FAILED, "/proc: %s", strerror(errno));
	while (!err && (e = readdir(dir))) {
		pid = atoi(e->d_name);
		if (pid > 0 && pid != getpid())
			err = look_at(h, pid);
	}
	closedir(dir);
	return err;
}

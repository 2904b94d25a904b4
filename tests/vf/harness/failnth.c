// SPDX-License-Identifier: GPL-2.0-only
/*
 * failnth.c - let the n-th allocation of this thread fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "expect.h"
#include "failnth.h"
#include "tap.h"
#include "util.h"

#define DEBUG	"/sys/kernel/debug"

/* Kept open, as opening it allocates. Belongs to the thread that opens it. */
static int fd = -1;

/* whatever the value, with the kernel's defaults nearly nothing fails */
static const char * const knobs[][2] = {
	{ "failslab/ignore-gfp-wait", "N" },
	{ "failslab/verbose", "0" },
	{ "fail_page_alloc/ignore-gfp-wait", "N" },
	{ "fail_page_alloc/ignore-gfp-highmem", "N" },
	{ "fail_page_alloc/min-order", "0" },
	{ "fail_page_alloc/verbose", "0" },
	{ "fail_usercopy/verbose", "0" },
};

/*
 * The checker of DMA mappings disables itself, with a report, if it has no
 * memory: its allocations must not fail.
 */
static void spare_dma_debug(void)
{
	char line[256], from[20] = "", to[20] = "";
	FILE *f = fopen("/proc/kallsyms", "r");
	char addr[20], name[200];
	unsigned int i;

	while (f && !*to && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%19s %*c %199s", addr, name) != 2)
			continue;
		if (*from && strcmp(addr, from))
			strcpy(to, addr);
		else if (!strcmp(name, "add_dma_entry"))
			strcpy(from, addr);
	}
	if (f)
		fclose(f);
	if (!*to)
		return;			/* a kernel without the checker */
	for (i = 0; i < 2; i++) {
		const char *kind = i ? "fail_page_alloc" : "failslab";

		snprintf(line, sizeof(line), "0x%s", from);
		must(sysfs_write(line, DEBUG "/%s/reject-start", kind));
		snprintf(line, sizeof(line), "0x%s", to);
		must(sysfs_write(line, DEBUG "/%s/reject-end", kind));
	}
}

void failnth_need(void)
{
	unsigned int i;

	fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		tap_skip("this kernel has no fault injection (fail-nth)");
	mount("debugfs", DEBUG, "debugfs", 0, NULL);
	for (i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		int err = sysfs_write(knobs[i][1], DEBUG "/%s", knobs[i][0]);

		if (err == -ENOENT && strncmp(knobs[i][0], "failslab", 8))
			continue;	/* a kind that does not fail here */
		if (err)
			tap_skip("%s/%s cannot be set: %s", DEBUG, knobs[i][0],
				 strerror(-err));
	}
	spare_dma_debug();
}

static void put(unsigned int n)
{
	char text[16];
	int i, len = snprintf(text, sizeof(text), "%u", n);

	/* the old number may make the copy of the new one fail */
	for (i = 0; i < 3; i++)
		if (pwrite(fd, text, len, 0) == len)
			return;
	fail("fail-nth=%u: errno %d", n, errno);
}

void failnth_arm(unsigned int n)
{
	put(n);
}

bool failnth_disarm(void)
{
	char text[16] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	int err = errno;

	put(0);
	if (n > 0)
		return !atoi(text);
	/* the last to fail was the copy of the answer */
	check(err == EFAULT, "fail-nth cannot be read: errno %d", err);
	return false;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * ftrace.c - the kernel's trace events.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "expect.h"
#include "ftrace.h"

#define HERE	"/sys/kernel/tracing/instances/bench"
#define LINE	1024

/* kept open: to open it allocates */
static int on_fd = -1;

static void put(const char *text, const char *name)
{
	int err = sysfs_write(text, "%s/%s", HERE, name);

	check(!err, "%s: %s: errno %d", name, text, -err);
}

static void tracing(const char *on)
{
	check(pwrite(on_fd, on, 1, 0) == 1, "tracing_on: errno %d", errno);
}

void ftrace_open(const char * const *events, bool mine)
{
	char text[32];

	rmdir(HERE);
	check(!mkdir(HERE, 0700), HERE ": errno %d", errno);
	on_fd = open(HERE "/tracing_on", O_WRONLY | O_CLOEXEC);
	check(on_fd >= 0, "tracing_on: errno %d", errno);
	tracing("0");
	put("16384", "buffer_size_kb");
	/* so that its times use our clock */
	put("mono", "trace_clock");
	snprintf(text, sizeof(text), "%ld", (long)syscall(SYS_gettid));
	if (mine)
		put(text, "set_event_pid");
	for (; *events; events++) {
		int err = sysfs_write("1", HERE "/events/%s/enable", *events);

		check(!err || (err == -ENOENT && strstr(*events, "_node")),
		      "event %s: errno %d", *events, -err);
	}
}

void ftrace_close(void)
{
	put("0", "events/enable");
	close(on_fd);
	rmdir(HERE);
}

void ftrace_start(void)
{
	FILE *f = fopen(HERE "/trace", "w");	/* empties it */

	if (f)
		fclose(f);
	tracing("1");
}

void ftrace_pause(void)
{
	tracing("0");
}

unsigned long long ftrace_number(const char *text, const char *name)
{
	const char *p = strstr(text, name);

	return p ? strtoull(p + strlen(name), NULL, 0) : 0;
}

void ftrace_stop(void (*line)(void *arg, const char *text), void *arg)
{
	char text[LINE];
	FILE *f;

	tracing("0");
	f = fopen(HERE "/trace", "r");
	check(f, HERE "/trace: errno %d", errno);
	while (fgets(text, sizeof(text), f)) {
		check(!strstr(text, "LOST"), "the trace is not whole: %s", text);
		line(arg, text);
	}
	fclose(f);
}

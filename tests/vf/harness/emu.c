// SPDX-License-Identifier: GPL-2.0-only
/*
 * emu.c - the monitor of the emulator that this host runs in.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "emu.h"
#include "expect.h"
#include "monitor.h"

#define PORTS	"/sys/class/virtio-ports"

static FILE *port_open(void)
{
	char name[32], path[280];
	DIR *dir = opendir(PORTS);
	struct dirent *e;
	FILE *f = NULL;
	int fd;

	while (dir && !f && (e = readdir(dir))) {
		if (sysfs_read(name, sizeof(name), PORTS "/%s/name",
			       e->d_name) <= 0 || strcmp(name, "monitor"))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", e->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		f = fd < 0 ? NULL : fdopen(fd, "r");
	}
	if (dir)
		closedir(dir);
	check(f, "no way to the emulator's monitor: host --monitor");
	return f;
}

void emu_do(const char *answer, const char *fmt, ...)
{
	static const char head[] = "{\"return\": \"";
	char text[512], cmd[640];
	FILE *f = port_open();
	const char *line;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(cmd, sizeof(cmd),
		 "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"%s\"}}",
		 text);
	line = monitor_begin(f) ? monitor_do(f, cmd) : NULL;
	check(line, "the emulator's monitor is gone");
	fclose(f);
	check(!strncmp(line, head, strlen(head)) &&
	      !strncmp(line + strlen(head), *answer ? answer : "\"", *answer ? strlen(answer) : 1),
	      "%s: the emulator says %s", text, line);
}

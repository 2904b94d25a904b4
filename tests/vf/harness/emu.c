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

/* The line that answers command @id; greetings, events and older answers pass. */
static void answer_of(FILE *f, int id, char *line, size_t len)
{
	char mark[32];

	snprintf(mark, sizeof(mark), "\"id\": %d}", id);
	do
		check(fgets(line, len, f), "the emulator's monitor is gone");
	while (!strstr(line, mark));
}

void emu_do(const char *answer, const char *fmt, ...)
{
	static const char head[] = "{\"return\": \"";
	char cmd[512], line[4096];
	FILE *f = port_open();
	int id = getpid();
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	/* refused once it was given, which does no harm */
	dprintf(fileno(f), "{\"execute\":\"qmp_capabilities\"}\n");
	dprintf(fileno(f), "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"%s\"},\"id\":%d}\n",
		cmd, id);
	answer_of(f, id, line, sizeof(line));
	fclose(f);
	check(!strncmp(line, head, strlen(head)) &&
	      !strncmp(line + strlen(head), *answer ? answer : "\"", *answer ? strlen(answer) : 1),
	      "%s: the emulator says %s", cmd, line);
}

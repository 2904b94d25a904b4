// SPDX-License-Identifier: GPL-2.0-only
/*
 * monitor.c - the monitor of an emulator, by QMP.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "monitor.h"

const char *monitor_do(FILE *f, const char *command)
{
	static unsigned int count;
	static char *line;
	static size_t size;
	char id[48];

	/* several processes may talk to one monitor, one after the other */
	snprintf(id, sizeof(id), "\"id\": \"%d-%u\"", getpid(), ++count);
	errno = 0;
	if (dprintf(fileno(f), "{%s, %s\n", id, command + 1) < 0)
		return NULL;
	do {
		if (getline(&line, &size, f) < 0)
			return NULL;
	} while (!strstr(line, id));
	return line;
}

bool monitor_begin(FILE *f)
{
	return monitor_do(f, "{\"execute\":\"qmp_capabilities\"}");
}

bool monitor_is_error(const char *answer)
{
	static const char good[] = "{\"return\"";

	return strncmp(answer, good, strlen(good));
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * leak.c - what kmemleak finds.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "bed.h"
#include "leak.h"

#define DEBUGFS		"/sys/kernel/debug"
#define LEAKS		DEBUGFS "/kmemleak"
#define AGE_US		6000000		/* younger objects are not reported */

/* twice: what the first scan finds may have been moved meanwhile */
static int scan(void)
{
	int err = sysfs_write("scan", LEAKS);

	if (!err)
		sleep_us(AGE_US);
	return err ? err : sysfs_write("scan", LEAKS);
}

bool leak_forget(void)
{
	/* fails if it is mounted already */
	mount("debugfs", DEBUGFS, "debugfs", 0, NULL);
	return !scan() && !sysfs_write("clear", LEAKS);
}

void leak_check(void)
{
	unsigned int lines = 0;
	char line[256];
	FILE *f;

	must(scan());
	f = fopen(LEAKS, "r");
	check(f, "no " LEAKS);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (lines++ < 60)
			tap_note("%s", line);
	}
	fclose(f);
	check(!lines, "kmemleak finds memory that was lost");
}

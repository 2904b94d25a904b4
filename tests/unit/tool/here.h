/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * here.h - the test's own folder, in which it runs: relative paths are below
 * it.
 */
#ifndef UNIT_HERE_H
#define UNIT_HERE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char here[64];

static inline void here_begin(void)
{
	strcpy(here, "/tmp/nvme-vfio-unit-XXXXXX");
	if (!mkdtemp(here) || chdir(here)) {
		perror(here);
		exit(1);
	}
}

static inline int here_drop(const char *path, const struct stat *st, int flag,
			    struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void here_end(void)
{
	if (chdir("/") || nftw(here, here_drop, 16, FTW_DEPTH | FTW_PHYS))
		perror(here);
}

/* A text file, and the folders that it needs. */
static inline void put(const char *path, const char *text)
{
	char folder[256], *c;
	FILE *f;

	snprintf(folder, sizeof(folder), "%s", path);
	for (c = folder + 1; (c = strchr(c, '/')); c++) {
		*c = 0;
		mkdir(folder, 0755);
		*c = '/';
	}
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f)) {
		perror(path);
		exit(1);
	}
}

#endif

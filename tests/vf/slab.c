// SPDX-License-Identifier: GPL-2.0-only
/*
 * slab.c - what the kernel holds.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bed.h"
#include "slab.h"

#define SLAB		"/sys/kernel/slab"
#define SETTLE_US	500000	/* files and RCU are given back late */

static void visit(struct slab *s, bool shrink)
{
	struct dirent *e;
	char text[64];
	DIR *dir;

	dir = opendir(SLAB);
	if (!dir)
		tap_skip("this kernel has no " SLAB);
	while ((e = readdir(dir))) {
		/* what is merged has a name with a colon, and its members' ones */
		if (e->d_name[0] == '.' || strlen(e->d_name) >= sizeof(s->name[0]))
			continue;
		if (shrink) {
			sysfs_write("1", SLAB "/%s/shrink", e->d_name);
			continue;
		}
		if (sysfs_read(text, sizeof(text), SLAB "/%s/objects",
			       e->d_name) < 0)
			continue;
		check(s->n < SLAB_CACHES, "more caches than expected");
		strcpy(s->name[s->n], e->d_name);
		s->objects[s->n++] = atol(text);
	}
	closedir(dir);
}

static long meminfo(const char *name)
{
	char line[128];
	long kib = -1;
	FILE *f;

	f = fopen("/proc/meminfo", "r");
	check(f, "no /proc/meminfo");
	while (kib < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			kib = atol(line + strlen(name));
	fclose(f);
	check(kib >= 0, "no %s in /proc/meminfo", name);
	return kib;
}

void slab_take(struct slab *s)
{
	char text[64];

	memset(s, 0, sizeof(*s));
	sleep_us(SETTLE_US);
	visit(s, true);
	sleep_us(SETTLE_US);
	/* once in vain: looking takes memory, too, the first time */
	visit(s, false);
	visit(s, true);
	s->n = 0;
	visit(s, false);
	if (!s->n)
		tap_skip("this kernel does not count the objects of its caches");
	s->slab_kib = meminfo("SUnreclaim:");
	s->vmalloc_kib = meminfo("VmallocUsed:");
	check(sysfs_read(text, sizeof(text), "/proc/sys/fs/file-nr") > 0,
	      "no file-nr");
	s->files = atol(text);
}

/*
 * Given back late, in a bunch: addresses of vmalloc, whose memory is counted
 * beside, and of the IOMMU, which are the PF's driver's.
 */
static bool is_lazy(const char *cache)
{
	return !strcmp(cache, "vmap_area") || !strcmp(cache, "iommu_iova");
}

static long objects(const struct slab *s, const char *name)
{
	int i;

	for (i = 0; i < s->n; i++)
		if (!strcmp(s->name[i], name))
			return s->objects[i];
	return 0;
}

void slab_compare(const struct slab *before, const struct slab *after,
		  unsigned int rounds)
{
	long limit = rounds / 2, page = 4L * rounds / 2, grown;
	int i, bad = 0;

	for (i = 0; i < after->n; i++) {
		grown = after->objects[i] - objects(before, after->name[i]);
		if (grown >= limit / 4)
			tap_note("%s: %ld objects more than before",
				 after->name[i], grown);
		bad += grown >= limit && !is_lazy(after->name[i]);
	}
	tap_note("caches %+ld KiB, vmalloc %+ld KiB, files %+ld",
		 after->slab_kib - before->slab_kib,
		 after->vmalloc_kib - before->vmalloc_kib,
		 after->files - before->files);
	check(!bad, "%d caches have grown by an object each other round", bad);
	check(after->files - before->files < limit,
	      "open files have grown with the rounds");
	check(after->slab_kib - before->slab_kib < page,
	      "kernel memory has grown with the rounds");
	check(after->vmalloc_kib - before->vmalloc_kib < page,
	      "vmalloc memory has grown with the rounds");
}

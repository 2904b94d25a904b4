// SPDX-License-Identifier: GPL-2.0-only
/*
 * slab.c - what the kernel holds.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "slab.h"

#define SLAB		"/sys/kernel/slab"
#define LATE_TRIES	10
#define LATE_US		3000000
#define SETTLE_US	500000	/* files and RCU are given back late */

/*
 * Objects of one cache that are in use. All that is free in the slab of a CPU
 * counts as used: so these are given back, and between that and the look
 * nothing may be opened, which would take objects itself.
 *
 * Return: the number, or -1 when the kernel does not tell.
 */
static long count(const char *cache)
{
	char path[96], text[64] = "";
	ssize_t n = -1;
	int fd, shrink;

	snprintf(path, sizeof(path), SLAB "/%s/objects", cache);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), SLAB "/%s/shrink", cache);
	shrink = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && shrink >= 0 && pread(fd, text, sizeof(text), 0) > 0 &&
	    write(shrink, "1", 1) == 1)
		n = pread(fd, text, sizeof(text) - 1, 0);
	if (fd >= 0)
		close(fd);
	if (shrink >= 0)
		close(shrink);
	return n > 0 ? atol(text) : -1;
}

static void visit(struct slab *s)
{
	struct dirent *e;
	DIR *dir;

	dir = opendir(SLAB);
	if (!dir)
		tap_skip("this kernel has no " SLAB);
	s->n = 0;
	while ((e = readdir(dir))) {
		/* what is merged has a name with a colon, and its members' ones */
		if (e->d_name[0] == '.' || strlen(e->d_name) >= sizeof(s->name[0]))
			continue;
		check(s->n < SLAB_CACHES, "more caches than expected");
		strcpy(s->name[s->n], e->d_name);
		s->objects[s->n] = count(e->d_name);
		s->n += s->objects[s->n] >= 0;
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

/* those that are over but not given back are "unpurged" */
static long count_areas(void)
{
	char line[256];
	long n = 0;
	FILE *f;

	f = fopen("/proc/vmallocinfo", "r");
	check(f, "no /proc/vmallocinfo");
	while (fgets(line, sizeof(line), f))
		n += !strstr(line, "unpurged");
	fclose(f);
	return n;
}

void slab_take(struct slab *s)
{
	char text[64];

	memset(s, 0, sizeof(*s));
	/* once in vain: looking takes memory, too, the first time */
	visit(s);
	sleep_us(SETTLE_US);
	visit(s);
	if (!s->n)
		tap_skip("this kernel does not count the objects of its caches");
	s->slab_kib = meminfo("SUnreclaim:");
	s->vmalloc_kib = meminfo("VmallocUsed:");
	s->areas = count_areas();
	check(sysfs_read(text, sizeof(text), "/proc/sys/fs/file-nr") > 0,
	      "no file-nr");
	s->files = atol(text);
}

/*
 * Given back in a bunch, after a long time: addresses of vmalloc and ioremap,
 * which are counted beside while in use, and of the IOMMU, which only the PF's
 * driver takes. kmemleak has an object for each of the others, and the checker
 * of live objects keeps a stock of its own.
 */
static bool is_lazy(const char *cache)
{
	return !strcmp(cache, "vmap_area") || !strcmp(cache, "iommu_iova") ||
	       !strcmp(cache, "debug_objects_cache") ||
	       !strncmp(cache, "kmemleak_", 9);
}

static long objects(const struct slab *s, const char *name)
{
	int i;

	for (i = 0; i < s->n; i++)
		if (!strcmp(s->name[i], name))
			return s->objects[i];
	return 0;
}

static bool grown(const struct slab *before, const struct slab *after,
		  unsigned int rounds, bool show)
{
	long limit = rounds / 2, more, page = 4L * limit;
	bool bad = false;
	int i;

	for (i = 0; i < after->n; i++) {
		more = after->objects[i] - objects(before, after->name[i]);
		if (more < limit)
			continue;
		bad |= !is_lazy(after->name[i]);
		if (show)
			tap_note("%s: %ld objects more than before%s",
				 after->name[i], more,
				 is_lazy(after->name[i]) ? ", which is no leak" :
				 "");
	}
	if (show)
		tap_note("caches %+ld KiB, vmalloc %+ld KiB, %+ld areas, files %+ld",
			 after->slab_kib - before->slab_kib,
			 after->vmalloc_kib - before->vmalloc_kib,
			 after->areas - before->areas,
			 after->files - before->files);
	return bad || after->files - before->files >= limit ||
	       after->areas - before->areas >= limit ||
	       after->slab_kib - before->slab_kib >= page ||
	       after->vmalloc_kib - before->vmalloc_kib >= page;
}

void slab_compare(const struct slab *before, unsigned int rounds)
{
	static struct slab after;
	unsigned int tries;

	for (tries = 0; tries < LATE_TRIES; tries++) {
		slab_take(&after);
		if (!grown(before, &after, rounds, false))
			break;
		sleep_us(LATE_US);
	}
	grown(before, &after, rounds, true);
	check(tries < LATE_TRIES, "the kernel holds more with each round");
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * slab.c - what the kernel holds.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bed.h"
#include "slab.h"

#define SLAB		"/sys/kernel/slab"
#define FILES		"filp"		/* the cache of open files */
#define LATE_TRIES	10
#define LATE_US		3000000
#define SETTLE_US	500000	/* files and RCU are freed late */

/*
 * The files of all caches, opened once and kept: opening one takes objects,
 * which the kernel frees seconds later, as many as there are caches.
 */
static struct cache {
	int objects, shrink;
	int slabs;		/* of the lazy ones; -1 */
	long slab_kib;		/* what each of these takes */
	char name[48];
} caches[SLAB_CACHES];
static int ncaches;

/*
 * Freed all at once, after a long time: addresses of vmalloc and ioremap, which
 * are counted separately while in use, and of the IOMMU, which only the PF's
 * driver takes. kmemleak has an object for each of the others, and the checker
 * of live objects keeps a stock of its own.
 */
static bool is_lazy(const char *cache)
{
	return !strcmp(cache, "vmap_area") || !strcmp(cache, "iommu_iova") ||
	       !strcmp(cache, "debug_objects_cache") ||
	       !strncmp(cache, "kmemleak_", 9);
}

static int open_file(const char *cache, const char *name, int flags)
{
	char path[96];

	snprintf(path, sizeof(path), SLAB "/%s/%s", cache, name);
	return open(path, flags | O_CLOEXEC);
}

static void open_lazy(struct cache *c)
{
	char text[16] = "";
	int order = open_file(c->name, "order", O_RDONLY);

	c->slabs = open_file(c->name, "slabs", O_RDONLY);
	check(c->slabs >= 0 && read(order, text, sizeof(text) - 1) > 0,
	      "%s/%s does not report its size", SLAB, c->name);
	close(order);
	c->slab_kib = sysconf(_SC_PAGESIZE) / 1024 << atoi(text);
}

static void open_caches(void)
{
	struct rlimit files = { 2 * SLAB_CACHES + 512, 2 * SLAB_CACHES + 512 };
	struct dirent *e;
	DIR *dir;

	dir = opendir(SLAB);
	if (!dir)
		tap_skip("this kernel has no " SLAB);
	check(!setrlimit(RLIMIT_NOFILE, &files), "cannot open many files");
	while ((e = readdir(dir))) {
		struct cache *c = &caches[ncaches];

		/* merged caches have a name with a colon, and their members' */
		if (e->d_name[0] == '.' || strlen(e->d_name) >= sizeof(c->name))
			continue;
		check(ncaches < SLAB_CACHES, "more caches than expected");
		strcpy(c->name, e->d_name);
		c->objects = open_file(c->name, "objects", O_RDONLY);
		c->shrink = open_file(c->name, "shrink", O_WRONLY);
		check(c->objects >= 0 && c->shrink >= 0, "%s/%s cannot be opened",
		      SLAB, c->name);
		c->slabs = -1;
		if (is_lazy(c->name))
			open_lazy(c);
		ncaches++;
	}
	closedir(dir);
}

static long number(int fd)
{
	char text[64];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return -1;
	text[n] = 0;
	return atol(text);
}

/*
 * Objects of one cache that are in use. Whatever is free in a CPU's slab counts
 * as used, so it is given back first.
 *
 * Return: the number, or -1 if the kernel does not say.
 */
static long count(const struct cache *c)
{
	if (pwrite(c->shrink, "1", 1, 0) != 1)
		return -1;
	return number(c->objects);
}

static void visit(struct slab *s)
{
	int i;

	s->n = 0;
	for (i = 0; i < ncaches; i++) {
		strcpy(s->name[s->n], caches[i].name);
		s->objects[s->n] = count(&caches[i]);
		s->n += s->objects[s->n] >= 0;
	}
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

/* everything that caches hold and that cannot be reclaimed, except lazy ones */
static long caches_kib(void)
{
	long kib = meminfo("SUnreclaim:");
	int i;

	for (i = 0; i < ncaches; i++)
		if (caches[i].slabs >= 0)
			kib -= number(caches[i].slabs) * caches[i].slab_kib;
	return kib;
}

/* those that were freed but not given back are "unpurged" */
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

static long objects(const struct slab *s, const char *name)
{
	int i;

	for (i = 0; i < s->n; i++)
		if (!strcmp(s->name[i], name))
			return s->objects[i];
	return 0;
}

void slab_take(struct slab *s)
{
	memset(s, 0, sizeof(*s));
	if (!ncaches)
		open_caches();
	/* once in vain, as the first look takes memory as well */
	visit(s);
	sleep_us(SETTLE_US);
	visit(s);
	if (!s->n)
		tap_skip("this kernel does not count the objects of its caches");
	check(objects(s, FILES) > 0, "no cache " FILES);
	s->slab_kib = caches_kib();
	s->vmalloc_kib = meminfo("VmallocUsed:");
	s->areas = count_areas();
}

static bool grown(const struct slab *before, const struct slab *after,
		  unsigned int rounds, bool show)
{
	/* file-nr would lag by a CPU's batch */
	long files = objects(after, FILES) - objects(before, FILES);
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
			 after->areas - before->areas, files);
	return bad || after->areas - before->areas >= limit ||
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

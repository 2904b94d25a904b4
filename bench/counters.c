// SPDX-License-Identifier: GPL-2.0-only
/*
 * counters.c - what the kernel did for this thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "expect.h"
#include "ftrace.h"
#include "counters.h"
#include "util.h"

#define COPIES	"/sys/module/copies/parameters/"

static const char * const events[] = {
	"kmem/kmalloc", "kmem/kmem_cache_alloc",
	"kmem/kmalloc_node", "kmem/kmem_cache_alloc_node",
	"kmem/mm_page_alloc", "kmem/mm_page_free", NULL
};

void counters_open(void)
{
	char text[16];

	snprintf(text, sizeof(text), "%ld", (long)syscall(SYS_gettid));
	check(!sysfs_write(text, COPIES "thread"), "bench/copies is not loaded");
	ftrace_open(events, true);
}

void counters_close(void)
{
	ftrace_close();
	sysfs_write("0", COPIES "thread");
}

static unsigned long copied_before;

static void note_site(struct counters *t, const char *line)
{
	const char *p = strstr(line, "call_site=");
	char site[96] = "pages";
	unsigned int i;

	if (p) {
		snprintf(site, sizeof(site), "%s", p + 10);
		site[strcspn(site, "+\n ")] = 0;
		if (strstr(line, "[nvme_vfio_pci]") ||
		    strstr(line, "[nvme_pf_shim]"))
			t->ours++;
	}
	for (i = 0; i < t->nsite; i++) {
		if (!strcmp(t->site[i], site)) {
			t->calls[i]++;
			return;
		}
	}
	if (t->nsite < COUNTERS_SITES) {
		strcpy(t->site[t->nsite], site);
		t->calls[t->nsite++] = 1;
	}
}

/* "kmalloc: call_site=... ptr=... bytes_req=..." and the like */
static void count(void *arg, const char *line)
{
	struct counters *t = arg;
	long n = 1l << ftrace_number(line, "order=");

	if (strstr(line, " mm_page_alloc: ")) {
		t->pages += n;
		t->taken += n;
		if (t->pages > t->peak)
			t->peak = t->pages;
		return;
	}
	if (strstr(line, " mm_page_free: ")) {
		t->pages -= n;
		return;
	}
	if (strstr(line, "call_site=")) {
		t->allocs++;
		note_site(t, line);
	}
}

static unsigned long copied(void)
{
	char text[32];
	int err = sysfs_read(text, sizeof(text), COPIES "bytes");

	check(err > 0, COPIES "bytes: errno %d", -err);
	return strtoul(text, NULL, 10);
}

void counters_start(void)
{
	copied_before = copied();
	ftrace_start();
}

void counters_stop(struct counters *t)
{
	/* to look at the copies allocates, to read the trace copies */
	ftrace_pause();
	t->copied += copied() - copied_before;
	ftrace_stop(count, t);
}

void counters_print(const struct counters *t)
{
	unsigned int i;

	printf("{\"allocs\": %lu, \"ours\": %lu, \"taken\": %lu, \"pages\": %ld, \"peak\": %ld, \"copied\": %lu, \"sites\": {",
	       t->allocs, t->ours, t->taken, t->pages, t->peak, t->copied);
	for (i = 0; i < t->nsite; i++)
		printf("%s\"%s\": %u", i ? ", " : "", t->site[i], t->calls[i]);
	printf("}}");
}

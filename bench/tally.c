// SPDX-License-Identifier: GPL-2.0-only
/*
 * tally.c - what the kernel did for this thread.
 */
#include <stdio.h>
#include <string.h>

#include "ftrace.h"
#include "tally.h"

static const char * const events[] = {
	"kmem/kmalloc", "kmem/kmem_cache_alloc",
	"kmem/kmalloc_node", "kmem/kmem_cache_alloc_node",
	"kmem/mm_page_alloc", "kmem/mm_page_free", NULL
};

void tally_open(void)
{
	ftrace_open(events, true);
}

void tally_close(void)
{
	ftrace_close();
}

static void note_site(struct tally *t, const char *line)
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
	if (t->nsite < TALLY_SITES) {
		strcpy(t->site[t->nsite], site);
		t->calls[t->nsite++] = 1;
	}
}

/* "kmalloc: call_site=... ptr=... bytes_req=..." and the like */
static void count(void *arg, const char *line)
{
	struct tally *t = arg;
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

void tally_start(void)
{
	ftrace_start();
}

void tally_stop(struct tally *t)
{
	ftrace_stop(count, t);
}

void tally_print(const struct tally *t)
{
	unsigned int i;

	printf("{\"allocs\": %lu, \"ours\": %lu, \"taken\": %lu, \"pages\": %ld, \"peak\": %ld, \"sites\": {",
	       t->allocs, t->ours, t->taken, t->pages, t->peak);
	for (i = 0; i < t->nsite; i++)
		printf("%s\"%s\": %u", i ? ", " : "", t->site[i], t->calls[i]);
	printf("}}");
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * io.c - the I/O of a VF under our driver, and under vfio-pci.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define DEPTH	32

static void bind_to(const char *bdf, const char *driver)
{
	must(sysfs_write(driver, "/sys/bus/pci/devices/%s/driver_override", bdf));
	must(topo_rebind(bdf));
}

static struct nvme_cmd read_cmd(const struct workload *w, uint64_t iova)
{
	return (struct nvme_cmd){ .opc = NVME_READ, .nsid = w->nsid,
		.prp1 = iova, .cdw12 = (UNIT >> w->lba_shift) - 1 };
}

/* microseconds of @n reads one after the other, each waited for by interrupt */
static uint64_t one_by_one(struct workload *w, unsigned int n, uint64_t iova)
{
	struct nvme_queue *q = &w->ctrl.io[0];
	uint64_t t0 = now_us();
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct nvme_req req = { .cmd = read_cmd(w, iova) };

		must(nvme_queue_add(q, &req));
		nvme_queue_ring(q);
		must(nvme_wait_done(&w->ctrl, q, &req, 10000));
		check(!nvme_status(&req), "read: status %x", nvme_status(&req));
	}
	return now_us() - t0;
}

/* of @n reads, DEPTH at a time */
static uint64_t many(struct workload *w, unsigned int n, uint64_t iova)
{
	static struct nvme_req req[DEPTH];
	struct nvme_queue *q = &w->ctrl.io[0];
	uint64_t t0 = now_us();
	unsigned int i, k;

	for (i = 0; i < n; i += DEPTH) {
		for (k = 0; k < DEPTH; k++) {
			req[k] = (struct nvme_req){ .cmd = read_cmd(w, iova) };
			must(nvme_queue_add(q, &req[k]));
		}
		nvme_queue_ring(q);
		must(nvme_wait_out(&w->ctrl, q, 0, 10000));
	}
	return now_us() - t0;
}

static unsigned long interrupts(const char *bdf)
{
	char line[4096], *at, *next;
	unsigned long n = 0, x;
	FILE *f = fopen("/proc/interrupts", "r");

	check(f, "/proc/interrupts cannot be read");
	while (fgets(line, sizeof(line), f)) {
		if (!strstr(line, bdf))
			continue;
		at = strchr(line, ':') + 1;
		for (x = strtoul(at, &next, 10); next != at;
		     x = strtoul(at, &next, 10)) {
			n += x;
			at = next;
		}
	}
	fclose(f);
	return n;
}

static void measure(const char *driver, unsigned int n, bool show)
{
	const char *bdf = bed.pf[0].vf[0];
	struct workload *w = workload_new();
	unsigned long irqs;
	uint64_t iova, latency, through;
	struct vfio_dev dev;

	bind_to(bdf, driver);
	bed_open(&dev, VF_A, &w->mem);
	workload_start(w, &dev, NULL);
	check(dma_alloc(&w->mem, UNIT, &iova), "no memory");
	one_by_one(w, n / 10 + 1, iova);
	irqs = interrupts(bdf);
	latency = one_by_one(w, n, iova);
	irqs = interrupts(bdf) - irqs;
	through = many(w, n, iova);
	vfio_close(&dev);
	workload_free(w);
	if (!show)
		return;
	printf("{\"figure\": \"io\", \"driver\": \"%s\", \"n\": %u, \"latency\": %llu, \"through\": %llu, \"interrupts\": %lu}\n",
	       driver, n, (unsigned long long)latency,
	       (unsigned long long)through, irqs);
	fflush(stdout);
}

/* arguments: repetitions, reads in each */
void io_run(char **argv)
{
	unsigned int times = atoi(argv[0]), n = atoi(argv[1]) & ~(DEPTH - 1);
	unsigned int i;

	for (i = 0; i <= times; i++) {
		measure("vfio-pci", n, i);
		measure(VF_DRIVER, n, i);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirty.c - a report of the memory that a VF has written, compared with the
 * commands that it takes.
 */
#include <errno.h>
#include <linux/nvme_ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bench.h"
#include "vfio_log.h"

#define PAGE	4096ull
#define IOVA	0x200000000ull
#define BYTES	(256ull << 20)
#define PAGES	(BYTES / PAGE)
#define BATCH	64		/* pages of one read */
#define REPORT	65536		/* as the driver's */

/**
 * struct field - memory that the VF is made to write
 * @mem: all of it
 * @w: the controller that does it
 * @list: a page of addresses, for the controller
 * @list_iova: where it sees that page
 */
struct field {
	struct dma_mem mem;
	struct workload *w;
	uint64_t *list;
	uint64_t list_iova;
};

static void read_to(struct field *f, unsigned int n)
{
	struct nvme_queue *q = &f->w->ctrl.io[0];
	struct nvme_req req = { .cmd = {
		.opc = NVME_READ, .nsid = f->w->nsid, .prp1 = f->list[0],
		.prp2 = n > 2 ? f->list_iova + 8 : n == 2 ? f->list[1] : 0,
		.cdw12 = (n * PAGE >> f->w->lba_shift) - 1,
	} };

	must(nvme_queue_add(q, &req));
	nvme_queue_ring(q);
	must(nvme_wait_done(&f->w->ctrl, q, &req, 10000));
	check(!nvme_status(&req), "read: status %x", nvme_status(&req));
}

/* every @every-th page. Return: how many. */
static unsigned long dirty(struct field *f, unsigned long every)
{
	unsigned long page, n = 0;
	unsigned int k = 0;

	for (page = 0; page < PAGES; page += every, n++) {
		f->list[k++] = IOVA + page * PAGE;
		if (k == BATCH) {
			read_to(f, k);
			k = 0;
		}
	}
	if (k)
		read_to(f, k);
	return n;
}

/* a report that goes nowhere, and how many commands it takes */
static unsigned int receive_all(struct port *p, void *buf)
{
	struct nvme_passthru_cmd cmd = { .opcode = 0x3e, .cdw11 = p->id,
		.cdw12 = REPORT / 4 - 1, .addr = (uintptr_t)buf,
		.data_len = REPORT };
	unsigned int n = 0;

	do {
		int status = ioctl(p->fd, NVME_IOCTL_ADMIN_CMD, &cmd);

		check(!status, "Track Receive: status %x, errno %d", status,
		      errno);
		n++;
	} while (((uint8_t *)buf)[1] & 1);
	return n;
}

static unsigned long bits(const uint64_t *map)
{
	unsigned long i, n = 0;

	for (i = 0; i < PAGES / 64; i++)
		n += __builtin_popcountll(map[i]);
	return n;
}

static void measure(struct vfio_dev *dev, struct port *p, struct field *f,
		    unsigned long every, unsigned int times)
{
	uint64_t *map = pages_new(PAGES / 8), t0, us, baseline;
	void *buf = pages_new(REPORT);
	unsigned int i, commands;
	unsigned long n;

	for (i = 0; i <= times; i++) {
		dirty(f, every);
		t0 = now_us();
		commands = receive_all(p, buf);
		baseline = now_us() - t0;

		n = dirty(f, every);
		memset(map, 0, PAGES / 8);
		t0 = now_us();
		must(vfio_log_report(dev, IOVA, BYTES, PAGE, map));
		us = now_us() - t0;
		check(bits(map) == n, "%lu pages were written, %lu told", n,
		      bits(map));
		if (!i)
			continue;
		printf("{\"figure\": \"dirty\", \"pages\": %lu, \"of\": %llu, \"commands\": %u, \"us\": %llu, \"baseline\": %llu}\n",
		       n, PAGES, commands, (unsigned long long)us,
		       (unsigned long long)baseline);
		fflush(stdout);
	}
}

/* arguments: repetitions, then a page in how many is written */
void dirty_run(char **argv)
{
	struct vfio_log_range range[2];
	unsigned int times = atoi(*argv++);
	struct vfio_dev dev;
	struct field f;
	struct port p;
	uint64_t unit = PAGE;

	f.w = solo_open(&dev, VF_A, NULL);
	check(vfio_log_supported(&dev), "no dirty tracking here");
	must(dma_mem_new(&f.mem, BYTES, IOVA));
	must(vfio_dma_map(&dev, &f.mem));
	f.list = dma_alloc(&f.w->mem, PAGE, &f.list_iova);
	check(f.list, "no memory");
	port_open(&p, VF_A);
	range[0] = (struct vfio_log_range){ f.w->mem.iova, f.w->mem.size };
	range[1] = (struct vfio_log_range){ IOVA, BYTES };
	must(vfio_log_start(&dev, range, 2, &unit));
	check_eq(unit, PAGE, "unit of the log");
	for (; *argv; argv++)
		measure(&dev, &p, &f, strtoul(*argv, NULL, 10), times);
	must(vfio_log_stop(&dev));
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-vmm.c - a workload that is moved as cloud-hypervisor moves guests, into
 * memory of its own: what nobody reported is not there. The same calls without a
 * workload, on any driver: tests/conformance/case-vmm.c.
 */
#define _GNU_SOURCE		/* mremap() */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cases.h"
#include "move.h"
#include "vfio_log.h"

#define PAGE		4096
#define PASSES		3

/**
 * struct way - what is different
 * @cdev: devices are opened by their character devices, memory is IOMMUFD's
 * @live: the guest runs while its memory is sent; else it is stopped first
 */
struct way {
	bool cdev;
	bool live;
};

/**
 * struct vmm - a guest on its way
 * @way: how
 * @w: its work, in the memory it has now
 * @there: memory at the destination
 * @unit: bytes that a bit of the log stands for
 * @told: pages reported since the processor has written last
 */
struct vmm {
	const struct way *way;
	struct workload *w;
	struct dma_mem there;
	uint64_t unit;
	unsigned int told;
};

static void vmm_open(struct vfio_dev *dev, struct place at, const struct way *way)
{
	static const uint16_t off;
	const char *bdf;
	int err;

	bed_need(at);
	bdf = bed.pf[at.pf].vf[at.vf];
	err = way->cdev ? vfio_open_cdev(dev, bdf) : vfio_open(dev, bdf);
	if (way->cdev && err == -ENOENT)
		tap_skip("this kernel has no character devices of VFIO");
	check(!err, "%s", lib_msg());
	if (way->cdev)
		must(vfio_attach(dev));
	/* not before it is needed */
	must(vfio_cfg_write(dev, 4, &off, sizeof(off)));
}

static void interrupts(struct vfio_dev *dev)
{
	must(vfio_irq_enable(dev, dev->nvec < BED_VECTORS ? dev->nvec :
			     BED_VECTORS));
}

/* what is left to a VMM after a reset, and in RESUMING */
static void rearm(struct vfio_dev *dev)
{
	must(vfio_bus_master(dev));
	interrupts(dev);
}

/* memory of the guest to the other host: what was reported, or all of it */
static void send_all(struct vmm *v)
{
	memcpy(v->there.va, v->w->mem.va, v->w->mem.size);
}

static void send_told(struct vmm *v, struct vfio_dev *src, bool send)
{
	const struct dma_mem *mem = &v->w->mem;
	uint64_t *map = calloc(mem->size / PAGE / 64 + 1, 8);
	unsigned int i, units = mem->size / v->unit;

	must(vfio_log_report(src, mem->iova, mem->size, v->unit, map));
	for (i = 0; send && i < units; i++) {
		if (!(map[i / 64] >> (i % 64) & 1))
			continue;
		memcpy(v->there.va + i * v->unit, mem->va + i * v->unit,
		       v->unit);
		v->told += v->unit / PAGE;
	}
	free(map);
}

static void nothing_lost(struct vmm *v)
{
	const struct dma_mem *mem = &v->w->mem;
	unsigned int i;

	for (i = 0; i < mem->size / PAGE; i++)
		check(!memcmp(v->there.va + i * PAGE, mem->va + i * PAGE, PAGE),
		      "page %u is not at the destination", i);
}

/* as far as STOP, with commands in flight and nothing written by the processor */
static void sends(struct vmm *v, struct vfio_dev *src)
{
	struct vfio_log_range r = { v->w->mem.iova, v->w->mem.size };
	unsigned int i;

	v->told = 0;
	if (!v->way->live) {
		workload_fill(v->w, 50);
		must(vfio_mig_set(src, MIG_STOP, NULL));
		send_all(v);
		return;
	}
	v->unit = PAGE;
	must(vfio_log_start(src, &r, 1, &v->unit));
	for (i = 0; i < PASSES; i++) {
		workload_burst(v->w, 1);
		send_told(v, src, false);
	}
	workload_fill(v->w, 50);
	send_told(v, src, false);
	send_all(v);
	must(vfio_mig_set(src, MIG_STOP, NULL));
	send_told(v, src, true);
}

static void snapshot(struct vmm *v, struct vfio_dev *src, struct mig_stream *s)
{
	must(mig_save(src, s, NULL));
	must(vfio_mig_set(src, MIG_STOP, NULL));
	if (v->way->live)
		send_told(v, src, true);
	nothing_lost(v);
}

/* from now on the guest's memory is what was sent */
static void changes_memory(struct vmm *v)
{
	struct dma_mem *mem = &v->w->mem;

	check(mremap(v->there.va, mem->size, mem->size,
		     MREMAP_MAYMOVE | MREMAP_FIXED, mem->va) == mem->va,
	      "mremap: %s", strerror(errno));
}

static void restores(struct vmm *v, struct vfio_dev *dst, struct mig_stream *s)
{
	uint64_t sum;
	int fd;

	must(vfio_dma_map(dst, &v->there));
	changes_memory(v);
	sum = workload_sum(v->w);
	must(vfio_mig_set(dst, MIG_RESUMING, &fd));
	must(mig_write(fd, s->data, s->len, 0));
	rearm(dst);
	state_is(dst, MIG_RESUMING);
	must(nvme_rebind(&v->w->ctrl, dst));
	check(workload_sum(v->w) == sum,
	      "memory changed before the destination was started");
	must(vfio_mig_set(dst, MIG_RUNNING, NULL));
	state_is(dst, MIG_RUNNING);
	close(fd);
}

static struct vmm *vmm_start(struct vfio_dev *dev, const struct way *way)
{
	struct vmm *v = calloc(1, sizeof(*v));

	v->way = way;
	v->w = workload_new();
	vmm_open(dev, VF_A, way);
	if (way->live && !vfio_log_supported(dev))
		tap_skip("no dirty tracking");
	must(vfio_dma_map(dev, &v->w->mem));
	rearm(dev);
	workload_start(v->w, dev, NULL);
	return v;
}

static void new_memory(struct vmm *v)
{
	must(dma_mem_new(&v->there, v->w->mem.size, v->w->mem.iova));
}

static void there_and_back(const void *arg)
{
	const struct place at[2] = { VF_A, VF_C };
	struct mig_stream s = { 0 };
	unsigned int i, in_flight = 0, told = 0;
	struct vfio_dev dev[2];
	struct vmm *v;

	v = vmm_start(&dev[0], arg);
	for (i = 0; i < 4; i++) {
		struct vfio_dev *src = &dev[i % 2], *dst = &dev[(i + 1) % 2];

		new_memory(v);
		sends(v, src);
		in_flight += workload_out(v->w);
		snapshot(v, src, &s);
		vmm_open(dst, at[(i + 1) % 2], arg);
		restores(v, dst, &s);
		if (v->way->live)
			must(vfio_log_stop(src));
		state_is(src, MIG_STOP);
		vfio_close(src);
		told += v->told;
		workload_check(v->w);
		workload_event(v->w);
		workload_burst(v->w, 2);
	}
	workload_check(v->w);
	tap_note("%u commands were in flight, %u pages sent after the guest was stopped, %lu pieces compared",
		 in_flight, told, v->w->checked);
}

/* The destination cannot take the state: it resets its VF, and the guest goes on. */
static void given_up(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct vmm *v;
	int fd;

	v = vmm_start(&a, arg);
	new_memory(v);
	sends(v, &a);
	snapshot(v, &a, &s);
	vmm_open(&b, VF_C, arg);
	must(vfio_dma_map(&b, &v->there));
	s.data[s.len / 2] ^= 0x55;
	must(vfio_mig_set(&b, MIG_RESUMING, &fd));
	if (!mig_write(fd, s.data, s.len, 0)) {
		rearm(&b);
		check(vfio_mig_set(&b, MIG_RUNNING, NULL),
		      "a damaged state was taken");
	}
	must(vfio_reset(&b));
	rearm(&b);
	state_is(&b, MIG_RUNNING);
	close(fd);

	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	if (v->way->live)
		must(vfio_log_stop(&a));
	workload_check(v->w);
	workload_event(v->w);
	vfio_close(&b);
	workload_burst(v->w, 2);
	workload_check(v->w);
}

static const struct way live_cdev = { .cdev = true, .live = true };
static const struct way live_group = { .cdev = false, .live = true };
static const struct way stopped_cdev = { .cdev = true, .live = false };
static const struct way stopped_group = { .cdev = false, .live = false };

const struct tap_case vmm_cases[] = {
	{ .name = "as cloud-hypervisor, by IOMMUFD, 4 rounds",
	  .fn = there_and_back, .arg = &live_cdev, .limit_s = 60 },
	{ .name = "as cloud-hypervisor, by groups, 4 rounds",
	  .fn = there_and_back, .arg = &live_group, .limit_s = 60 },
	{ .name = "as cloud-hypervisor, a state is refused, by IOMMUFD",
	  .fn = given_up, .arg = &live_cdev, .log = "" },
	{ .name = "as cloud-hypervisor, a state is refused, by groups",
	  .fn = given_up, .arg = &live_group, .deep = true, .log = "" },
	{ .name = "as cloud-hypervisor, snapshots, by IOMMUFD, 4 rounds",
	  .fn = there_and_back, .arg = &stopped_cdev, .limit_s = 60,
	  .deep = true },
	{ .name = "as cloud-hypervisor, snapshots, by groups, 4 rounds",
	  .fn = there_and_back, .arg = &stopped_group, .limit_s = 60 },
	{ }
};

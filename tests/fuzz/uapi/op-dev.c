// SPDX-License-Identifier: GPL-2.0-only
/*
 * op-dev.c - what happens to a VF besides migration: resets, its registers, its
 * config space, users that leave and come.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"
#include "nvme_defs.h"

#define PCI_CAP_LIST	0x34
#define PCI_CAP_EXP	0x10
#define EXP_DEVCTL	8
#define DEVCTL_FLR	0x8000

#define SQ_OFF		0		/* in the VF's memory: a page each */
#define CQ_OFF		4096
#define DATA_OFF	8192
#define ENTRIES		32

#define RESET_TRIES	600		/* of 0.1 s: there may be other resets */

void op_reset(struct thread *t, struct vf *v)
{
	event_begins(&v->reset);
	ruled(t, "reset", vfio_reset(&v->dev));
	event_ends(&v->reset);
}

/* is somebody waiting until we leave the VF? */
static bool is_taken(struct vf *v)
{
	return moment_of(v).lost.busy;
}

/* Return: the state after it; MIG_NR = there was none, the VF is to leave */
static unsigned int reset_once(struct thread *t, struct vf *v)
{
	unsigned int state, i;
	int err = -EAGAIN;

	for (i = 0; err == -EAGAIN; i++) {
		op_reset(t, v);
		err = t->result;
		if (err == -EAGAIN && is_taken(v))
			return MIG_NR;
		if (err && (err != -EAGAIN || i == RESET_TRIES))
			broken(t, "reset of an idle VF: %d", err);
		if (err)
			sleep_us(100000);
	}
	err = ruled(t, "get state", vfio_mig_get(&v->dev, &state));
	if (err)
		broken(t, "after a reset the state is not told: %d", err);
	return state;
}

/*
 * A command that was given up keeps the VF in ERROR until it has ended. The
 * watch notices if it never does.
 */
void reset_now(struct thread *t, struct vf *v)
{
	struct moment since;
	unsigned int state;

	if (v->dev.fd < 0)
		return;
	for (;;) {
		since = moment_of(v);
		state = reset_once(t, v);
		if (state == MIG_NR)
			return;
		if (state == MIG_RUNNING)
			break;
		if (state != MIG_ERROR || !vf_may_be_busy(v))
			broken(t, "after a reset: expected RUNNING, got %s",
			       mig_name(state));
		sleep_us(100000);
	}
	vf_is_calm(v, &since);
	data_dead(t, v);
	t->result = 0;		/* dead fds have to return no errno of theirs */
}

void op_reset_alone(struct thread *t, struct vf *v)
{
	reset_now(t, v);
}

/* as a guest does it */
void op_flr(struct thread *t, struct vf *v)
{
	uint8_t pos = 0, cap[2];
	uint16_t ctl;
	int i;

	if (ruled(t, "config", vfio_cfg_read(&v->dev, PCI_CAP_LIST, &pos, 1)))
		return;
	for (i = 0; i < 48 && pos; i++) {
		if (ruled(t, "config",
			  vfio_cfg_read(&v->dev, pos, cap, sizeof(cap))))
			return;
		if (cap[0] == PCI_CAP_EXP)
			break;
		pos = cap[1];
	}
	if (!pos || cap[0] != PCI_CAP_EXP)
		return;
	if (ruled(t, "config", vfio_cfg_read(&v->dev, pos + EXP_DEVCTL, &ctl, 2)))
		return;
	ctl |= DEVCTL_FLR;
	event_begins(&v->reset);
	ruled(t, "FLR", vfio_cfg_write(&v->dev, pos + EXP_DEVCTL, &ctl, 2));
	event_ends(&v->reset);
}

void op_bus_master(struct thread *t, struct vf *v)
{
	uint16_t off = 0;

	if (rnd(t, 8))
		ruled(t, "bus master", vfio_bus_master(&v->dev));
	else
		ruled(t, "config", vfio_cfg_write(&v->dev, 4, &off, 2));
}

void op_config(struct thread *t, struct vf *v)
{
	uint32_t val;

	ruled(t, "config", vfio_cfg_read(&v->dev, rnd(t, 1024) * 4, &val, 4));
}

static void unmap(volatile uint32_t **map)
{
	if (*map)
		munmap((void *)*map, MAP_BYTES);
	*map = NULL;
}

void unmap_all(struct vf *v)
{
	unsigned int i, k;

	for (i = 0; i < MAX_THREADS; i++)
		for (k = 0; k < MAPS; k++)
			unmap(&v->map[i][k]);
}

void op_map(struct thread *t, struct vf *v)
{
	struct vfio_region_info bar = { .argsz = sizeof(bar) };
	volatile uint32_t **map = &v->map[t->nr][rnd(t, MAPS)];
	void *p;

	unmap(map);
	if (ruled_call(t, "region info",
		       ioctl(v->dev.fd, VFIO_DEVICE_GET_REGION_INFO, &bar)))
		return;
	if (ruled_call(t, "mmap",
		       (p = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE,
				 MAP_SHARED, v->dev.fd, bar.offset)) ==
		       MAP_FAILED ? -1 : 0) == 0)
		*map = p;
}

void op_unmap(struct thread *t, struct vf *v)
{
	unmap(&v->map[t->nr][rnd(t, MAPS)]);
}

/* there is no memory behind a mapping while a function is reset */
void bus_error(int sig)
{
	int tid = syscall(SYS_gettid);
	unsigned int i;

	for (i = 0; i < fuzz.nall; i++) {
		struct thread *t = &fuzz.thread[i];

		if (t->tid == tid && t->touching)
			siglongjmp(t->jump, 1);
	}
	signal(sig, SIG_DFL);		/* the fuzzer's own fault */
}

/* Return: registers, or NULL; to be followed by t->touching = false */
static volatile uint32_t *touch(struct thread *t, struct vf *v)
{
	volatile uint32_t *r = v->map[t->nr][rnd(t, MAPS)];

	t->touching = r;
	return r;
}

void op_registers(struct thread *t, struct vf *v)
{
	volatile uint32_t *r = touch(t, v);
	int n = 1 + rnd(t, 20);
	volatile uint32_t sum = 0;

	while (r && n--)
		sum += r[rnd(t, 20)];
	t->touching = false;
}

/* reset the controller, and mostly start it; nobody waits for it */
void op_enable(struct thread *t, struct vf *v)
{
	volatile uint32_t *r = touch(t, v);
	uint64_t iova = v->mem.iova;
	bool on = rnd(t, 4);

	if (r) {
		r[NVME_CC / 4] = 0;
		r[NVME_AQA / 4] = (ENTRIES - 1) << 16 | (ENTRIES - 1);
		r[NVME_ASQ / 4] = iova + SQ_OFF;
		r[NVME_ASQ / 4 + 1] = (iova + SQ_OFF) >> 32;
		r[NVME_ACQ / 4] = iova + CQ_OFF;
		r[NVME_ACQ / 4 + 1] = (iova + CQ_OFF) >> 32;
		if (on)
			r[NVME_CC / 4] = NVME_CC_ENABLE;
	}
	t->touching = false;
}

static struct nvme_cmd some_command(struct thread *t, const struct vf *v)
{
	uint64_t data = v->mem.iova + DATA_OFF;
	struct nvme_cmd c = { .cid = rnd(t, 65535), .prp1 = data };
	unsigned int q = 1 + rnd(t, 3);

	switch (rnd(t, 6)) {
	case 0:
		c.opc = NVME_IDENTIFY;
		c.nsid = 1;
		c.cdw10 = rnd(t, 2);
		break;
	case 1:
		c.opc = NVME_ASYNC_EVENT;
		break;
	case 2:
		c.opc = NVME_CREATE_CQ;
		c.cdw10 = 15 << 16 | q;
		c.cdw11 = q << 16 | 3;
		break;
	case 3:
		c.opc = NVME_CREATE_SQ;
		c.cdw10 = 15 << 16 | q;
		c.cdw11 = q << 16 | 1;
		break;
	case 4:
		c.opc = rnd(t, 2) ? NVME_DELETE_SQ : NVME_DELETE_CQ;
		c.cdw10 = q;
		break;
	default:
		c.opc = NVME_GET_FEATURES;
		c.cdw10 = NVME_FEAT_QUEUES;
	}
	return c;
}

/* admin commands anywhere in the queue, and a doorbell */
void op_command(struct thread *t, struct vf *v)
{
	struct nvme_cmd *sq = (void *)(v->mem.va + SQ_OFF);
	unsigned int n = 1 + rnd(t, 4), tail = rnd(t, ENTRIES);
	unsigned int head = rnd(t, ENTRIES);
	volatile uint32_t *r;

	while (n--)
		sq[rnd(t, ENTRIES)] = some_command(t, v);
	r = touch(t, v);
	if (r) {
		r[NVME_DB / 4] = tail;
		r[NVME_DB / 4 + 1] = head;
	}
	t->touching = false;
}

/*
 * Not while the PF is lost. The VF's table then shrinks, and a kernel that
 * reads its size twice while it enables vectors is left with an invalid mapping
 * (WARN of iounmap() in __pci_enable_msix_range()), with any driver.
 */
void op_irq(struct thread *t, struct vf *v)
{
	if (rnd(t, 3)) {
		unsigned int n = 1 + rnd(t, BED_VECTORS);

		if (pthread_rwlock_tryrdlock(&v->pf->vectors))
			return;
		ruled(t, "enable interrupts", vfio_irq_enable(&v->dev, n));
		pthread_rwlock_unlock(&v->pf->vectors);
	} else {
		ruled(t, "disable interrupts", vfio_irq_disable(&v->dev));
	}
}

/*
 * The user leaves and another one comes. As long as the BAR is mapped the old
 * one is still there and the new one finds the group busy; then the next one
 * comes.
 */
void op_reopen(struct thread *t, struct vf *v)
{
	const char *bdf = bed.pf[v->at.pf].vf[v->at.vf];
	struct moment since = moment_of(v);
	unsigned int state, gone = v->pf->gone;

	if (v->dev.fd < 0 || rnd(t, 8))
		unmap_all(v);
	vfio_close(&v->dev);
	if (ruled(t, "open", vfio_open(&v->dev, bdf)))
		return;
	ruled(t, "map memory", vfio_dma_map(&v->dev, &v->mem));
	if (ruled(t, "get state", vfio_mig_get(&v->dev, &state)))
		broken(t, "a VF just opened does not tell its state");
	/* an error of the bus may have come already */
	if (state != MIG_RUNNING &&
	    !(state == MIG_ERROR && vf_was_lost(v, &since)))
		broken(t, "a VF just opened is in %s", mig_name(state));
	vf_is_told(v, gone);
	vf_is_calm(v, &since);
}

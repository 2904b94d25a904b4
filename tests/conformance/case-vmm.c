// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-vmm.c - the calls of cloud-hypervisor, in its order, as a VMM that differs
 * from QEMU wherever the uAPI lets it: it never asks for P2P or PRE_COPY, asks for
 * written memory while the device is stopped, also after its state was read, and
 * once more for the end of the log; at the destination it writes PCI_COMMAND and
 * enables interrupts in RESUMING, and goes on to RUNNING in one step. When a step
 * fails it tries a named state, if it has one, or else resets the device and gives
 * it PCI_COMMAND and interrupts again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cases.h"
#include "mig.h"

#define PAGE		4096ULL
#define RAM		(16UL << 20)
#define MAX_VECTORS	64
#define PCI_COMMAND	4
#define PCI_BAR		0x10
#define PCI_ROM		0x30
#define PCI_MEM_MASTER	6

/* guest memory begins below and goes on above the hole for devices */
static struct log_range ram[] = { { 0, RAM }, { 4ULL << 30, RAM } };

/**
 * struct vmm - a guest's device
 * @cfg: where its config space is in its fd
 * @nvec: MSI-X vectors
 * @efd: their eventfds
 * @unit: bytes that a bit of the log stands for, 0 = the log is not on
 */
struct vmm {
	struct dev d;
	uint64_t cfg;
	unsigned int nvec;
	int efd[MAX_VECTORS];
	uint64_t unit;
};

static void config_read(struct vmm *v, unsigned int at, void *p, size_t len)
{
	check(pread(v->d.fd, p, len, v->cfg + at) == (ssize_t)len,
	      "config space cannot be read at %#x: %s", at, strerror(errno));
}

static void config_write(struct vmm *v, unsigned int at, const void *p,
			 size_t len)
{
	check(pwrite(v->d.fd, p, len, v->cfg + at) == (ssize_t)len,
	      "config space cannot be written at %#x: %s", at, strerror(errno));
}

static void command_is(struct vmm *v, const char *when)
{
	uint16_t command;

	config_read(v, PCI_COMMAND, &command, sizeof(command));
	check((command & PCI_MEM_MASTER) == PCI_MEM_MASTER,
	      "%s: PCI_COMMAND is %#x", when, command);
}

/* It asks for the size of each BAR, and writes no address afterwards. */
static void size_bars(struct vmm *v)
{
	uint32_t ones = ~0U, now;
	unsigned int at;

	for (at = PCI_BAR; at < PCI_BAR + 24; at += 4) {
		config_read(v, at, &now, sizeof(now));
		config_write(v, at, &ones, sizeof(ones));
		config_read(v, at, &now, sizeof(now));
	}
	config_read(v, PCI_ROM, &now, sizeof(now));
	config_write(v, PCI_ROM, &ones, sizeof(ones));
	config_read(v, PCI_ROM, &now, sizeof(now));
}

/* all vectors that the table has, used by the guest or not */
static int interrupts(struct vmm *v)
{
	union {
		struct vfio_irq_set set;
		char room[sizeof(struct vfio_irq_set) +
			  MAX_VECTORS * sizeof(int)];
	} u = { .set = {
		.argsz = sizeof(struct vfio_irq_set) + v->nvec * sizeof(int),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD |
			 VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX,
		.count = v->nvec,
	} };

	if (!v->nvec)
		return 0;
	memcpy(u.set.data, v->efd, v->nvec * sizeof(int));
	return ioctl(v->d.fd, VFIO_DEVICE_SET_IRQS, &u.set) ? -errno : 0;
}

/* what a reset or another process's state leaves to it */
static void rearm(struct vmm *v)
{
	uint16_t command = PCI_MEM_MASTER;

	config_write(v, PCI_COMMAND, &command, sizeof(command));
	check_err(interrupts(v), 0, "VFIO_DEVICE_SET_IRQS");
	command_is(v, "after it was written");
}

/* @fresh: the device is not restored, so all about it is asked for */
static void vmm_open(struct vmm *v, unsigned int which, bool fresh)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_region_info cfg = {
		.argsz = sizeof(cfg), .index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	struct vfio_irq_info irq = {
		.argsz = sizeof(irq), .index = VFIO_PCI_MSIX_IRQ_INDEX,
	};
	unsigned int i;
	uint64_t flags;
	void *p;

	memset(v, 0, sizeof(*v));
	dev_open(&v->d, which);
	check(!ioctl(v->d.fd, VFIO_DEVICE_GET_INFO, &info), "info: %s",
	      strerror(errno));
	if (!(info.flags & VFIO_DEVICE_FLAGS_PCI))
		tap_skip("no PCI device");
	check(!ioctl(v->d.fd, VFIO_DEVICE_GET_REGION_INFO, &cfg) &&
	      !ioctl(v->d.fd, VFIO_DEVICE_GET_IRQ_INFO, &irq),
	      "config space, MSI-X: %s", strerror(errno));
	v->cfg = cfg.offset;
	v->nvec = irq.count < MAX_VECTORS ? irq.count : MAX_VECTORS;
	for (i = 0; i < v->nvec; i++)
		v->efd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (i = 0; i < ARRAY_SIZE(ram); i++) {
		p = mmap(NULL, RAM, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		check(p != MAP_FAILED, "no memory");
		check_err(dev_map(&v->d, p, ram[i].iova, RAM), 0,
			  "guest memory at %#llx",
			  (unsigned long long)ram[i].iova);
	}
	check_err(feature(&v->d, FEAT_MIGRATION | FEATURE_GET, &flags,
			  sizeof(flags)), 0, "GET of MIGRATION");
	if (!fresh)
		return;
	size_bars(v);
	rearm(v);
}

static void vmm_close(struct vmm *v)
{
	unsigned int i;

	dev_close(&v->d);
	for (i = 0; i < v->nvec; i++)
		close(v->efd[i]);
}

static void reset_and_rearm(struct vmm *v)
{
	reset(&v->d);
	state_is(&v->d, ST_RUNNING);
	rearm(v);
}

/* ---- the log ---- */

static void log_on(struct vmm *v)
{
	v->unit = sysconf(_SC_PAGESIZE);
	check_err(log_start(&v->d, ram, ARRAY_SIZE(ram), &v->unit), 0,
		  "START in %s", st_name(mig_get(&v->d)));
	check(v->unit >= PAGE && !(v->unit & (v->unit - 1)),
	      "START: its pages have %llu bytes",
	      (unsigned long long)v->unit);
}

/* memory, a range after the other */
static void log_ask(struct vmm *v)
{
	static uint64_t map[RAM / PAGE / 64];
	unsigned int i;

	for (i = 0; v->unit && i < ARRAY_SIZE(ram); i++) {
		memset(map, 0, sizeof(map));
		check_err(log_report(&v->d, ram[i].iova, ram[i].length, v->unit,
				     map), 0, "REPORT in %s",
			  st_name(mig_get(&v->d)));
	}
}

static void log_off(struct vmm *v)
{
	check_err(log_stop(&v->d), 0, "STOP of the log in %s",
		  st_name(mig_get(&v->d)));
	v->unit = 0;
}

/* ---- the guest's ways ---- */

/* It keeps the data fd until the state is left. */
static void snapshot(struct vmm *v, struct stream *s)
{
	int fd = go_fd(&v->d, ST_STOP_COPY);

	s->len = 0;
	read_to_end(fd, s, 0);
	check(s->len, "the stream is empty");
	go(&v->d, ST_STOP);
	session_is_dead(fd, true);
	close(fd);
	log_ask(v);
}

/* as far as the source is asked before it knows that all went well */
static void send(struct vmm *v, struct stream *s)
{
	unsigned int i;

	log_on(v);
	for (i = 0; i < 3; i++)
		log_ask(v);
	if (mig_get(&v->d) == ST_RUNNING)
		go(&v->d, ST_STOP);
	log_ask(v);
	snapshot(v, s);
}

/* Return: the data fd; the device is in RESUMING, and stays there until resume() */
static int restore(struct vmm *v, const struct stream *s)
{
	int fd = go_fd(&v->d, ST_RESUMING);

	check_err(write_some(fd, s->data, s->len, s->len), 0, "write()");
	rearm(v);
	state_is(&v->d, ST_RESUMING);
	return fd;
}

static void resume(struct vmm *v, int fd)
{
	go(&v->d, ST_RUNNING);
	command_is(v, "in RUNNING");
	if (fd >= 0) {
		session_is_dead(fd, false);
		close(fd);
	}
}

/* the source's end */
static void sent(struct vmm *v)
{
	log_off(v);
	state_is(&v->d, ST_STOP);
	vmm_close(v);
}

/* ---- cases ---- */

static void migrates(const void *arg)
{
	struct stream s = { 0 };
	struct vmm v[2];
	unsigned int i;

	(void)arg;
	vmm_open(&v[0], 0, true);
	for (i = 0; i < 4; i++) {
		struct vmm *a = &v[i % 2], *b = &v[(i + 1) % 2];

		send(a, &s);
		vmm_open(b, (i + 1) % 2, false);
		resume(b, restore(b, &s));
		sent(a);
	}
	whole_cycle(&v[0].d);
}

/* A paused guest is sent as it is, and need not have run where it came to. */
static void paused(const void *arg)
{
	struct stream s = { 0 };
	struct vmm a, b;
	int fd;

	(void)arg;
	vmm_open(&a, 0, true);
	go(&a.d, ST_STOP);
	send(&a, &s);
	vmm_open(&b, 1, false);
	fd = restore(&b, &s);
	sent(&a);
	send(&b, &s);
	close(fd);
	vmm_open(&a, 0, false);
	resume(&a, restore(&a, &s));
	sent(&b);
	whole_cycle(&a.d);
}

static void snapshots(const void *arg)
{
	struct stream s = { 0 };
	struct vmm a;
	int i;

	(void)arg;
	vmm_open(&a, 0, true);
	for (i = 0; i < 3; i++) {
		go(&a.d, ST_STOP);
		snapshot(&a, &s);
		resume(&a, -1);
	}
	vmm_close(&a);
	vmm_open(&a, 0, false);
	resume(&a, restore(&a, &s));
	whole_cycle(&a.d);
}

/* The guest goes on first, then the log ends. @arg: what had come by then */
static void fails(const void *arg)
{
	bool complete = *(const bool *)arg;
	struct stream s = { 0 };
	struct vmm a, b;
	int i, fd;

	vmm_open(&a, 0, true);
	for (i = 0; i < 2; i++) {
		send(&a, &s);
		vmm_open(&b, 1, false);
		if (complete) {
			restore(&b, &s);
		} else {
			fd = go_fd(&b.d, ST_RESUMING);
			check_err(write_some(fd, s.data, s.len / 2, 0), 0,
				  "write()");
		}
		/* the destination ends, in whatever state */
		vmm_close(&b);
		resume(&a, -1);
		log_off(&a);
	}
	send(&a, &s);
	vmm_open(&b, 1, false);
	resume(&b, restore(&b, &s));
	sent(&a);
	whole_cycle(&b.d);
}

/* noticed at once, or when it is to run */
static void load_bad(struct vmm *v, const struct stream *s)
{
	int fd = go_fd(&v->d, ST_RESUMING);
	int err = write_some(fd, s->data, s->len, s->len);

	if (!err) {
		rearm(v);
		err = mig_set(&v->d, ST_RUNNING, NULL);
		check(err || run.lenient,
		      "RESUMING -> RUNNING with half of a state succeeded");
	}
	reset_and_rearm(v);
	session_is_dead(fd, false);
	close(fd);
}

static void refused(const void *arg)
{
	struct stream s = { 0 }, bad;
	struct vmm a, b;
	int i;

	(void)arg;
	vmm_open(&a, 0, true);
	go(&a.d, ST_STOP);
	snapshot(&a, &s);
	vmm_open(&b, 1, false);
	for (i = 0; i < 3; i++) {
		bad = stream_copy(&s);
		if (i == 0)
			bad.len /= 2;
		else if (i == 1)
			bad.data[bad.len / 2] ^= 0x55;
		else
			memset(bad.data, 0, bad.len);
		load_bad(&b, &bad);
		stream_free(&bad);
	}
	resume(&b, restore(&b, &s));
	whole_cycle(&b.d);
	resume(&a, -1);
	whole_cycle(&a.d);
}

/* a state that cannot be had: the one it names, then RUNNING as before */
static void recovers(const void *arg)
{
	struct stream s = { 0 };
	struct vmm a;

	(void)arg;
	vmm_open(&a, 0, true);
	go(&a.d, ST_STOP);
	check_err(mig_set(&a.d, ST_ERROR, NULL), -EINVAL, "STOP -> ERROR");
	go(&a.d, ST_STOP);
	snapshot(&a, &s);
	resume(&a, -1);
	make_error(&a.d);
	check(mig_set(&a.d, ST_STOP, NULL), "ERROR -> STOP succeeded");
	reset_and_rearm(&a);
	whole_cycle(&a.d);
}

static const bool yes = true, no;

const struct tap_case vmm_cases[] = {
	{ .name = "vmm: there and back, with the log until the end",
	  .fn = migrates, .needs = NEED_PAIR | NEED_LOG },
	{ .name = "vmm: a paused guest, which does not run where it comes to",
	  .fn = paused, .needs = NEED_PAIR | NEED_LOG },
	{ .name = "vmm: snapshots, and one is restored", .fn = snapshots },
	{ .name = "vmm: the destination ends half-way, the guest goes on",
	  .fn = fails, .arg = &no, .needs = NEED_PAIR | NEED_LOG },
	{ .name = "vmm: the destination ends in RESUMING, the guest goes on",
	  .fn = fails, .arg = &yes, .needs = NEED_PAIR | NEED_LOG },
	{ .name = "vmm: a state is refused: reset, PCI_COMMAND, interrupts",
	  .fn = refused, .needs = NEED_PAIR | NEED_RESET },
	{ .name = "vmm: a step fails: a named state, then a reset",
	  .fn = recovers, .needs = NEED_RESET },
	{ }
};

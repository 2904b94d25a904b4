// SPDX-License-Identifier: GPL-2.0-only
/*
 * bed.c - the host that a test runs in.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "bed-vfs.h"

struct bed bed;

/* how long the driver, which may be part of nvme, and nvme wait for a command */
#define LIMIT_PARAM	"/sys/module/nvme_pf_shim/parameters/command_timeout"
#define LIMIT_IN_NVME	"/sys/module/nvme/parameters/command_timeout"
#define NVME_LIMIT_PARAM "/sys/module/nvme_core/parameters/admin_timeout"

/* seconds; their values when the run began, 0 = not known */
static unsigned int limit, nvme_limit;

static const char *limit_param(void)
{
	return access(LIMIT_IN_NVME, F_OK) ? LIMIT_PARAM : LIMIT_IN_NVME;
}

static unsigned int read_limit(const char *param)
{
	char text[16];

	return sysfs_read(text, sizeof(text), "%s", param) > 0 ? atoi(text) : 0;
}

static int write_limit(const char *param, unsigned int seconds)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", seconds);
	return sysfs_write(text, "%s", param);
}

/* Newer kernels read the parameter once, and then use the controller's own. */
static int write_nvme_limit(unsigned int seconds)
{
	char text[16];
	int i;

	snprintf(text, sizeof(text), "%u", seconds * 1000);
	for (i = 0; i < bed.npf; i++)
		sysfs_write(text, "/sys/class/nvme/%s/admin_timeout",
			    bed.pf[i].name);
	return write_limit(NVME_LIMIT_PARAM, seconds);
}

static void put_back(void)
{
	if ((limit && write_limit(limit_param(), limit)) ||
	    (nvme_limit && write_nvme_limit(nvme_limit)))
		tap_note("a time limit cannot be restored");
}

const char *bed_set_name(enum cmdset set)
{
	return set == SET_VENDOR ? "vendor" : "standard";
}

bool bed_set_of(const char *name, enum cmdset *set)
{
	*set = strcmp(name, "vendor") ? SET_STANDARD : SET_VENDOR;
	return !strcmp(name, bed_set_name(*set));
}

static bool vouched(void)
{
	char text[16];

	return sysfs_read(text, sizeof(text), P2P_PARAM) > 0 && *text == 'Y';
}

const char *bed_find(const char *driver, enum cmdset set)
{
	char text[32];
	int i;

	bed.set = set;
	bed.npf = topo_scan(driver, bed.pf);
	if (bed.npf < 0)
		return lib_msg();
	if (!bed.npf)
		return "no PF has VFs bound to the driver";
	for (i = 0; i < bed.npf; i++) {
		if (vfs_note(i))
			return lib_msg();
	}
	if (sysfs_read(text, sizeof(text), CAP_PARAM) > 0)
		bed.max_state_mb = atol(text);
	bed.vouched = vouched();
	limit = read_limit(limit_param());
	nvme_limit = read_limit(NVME_LIMIT_PARAM);
	return NULL;
}

void model_set(int pf, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	must(pf_test_set(bed.pf[pf].name, text));
}

void model_zero(int pf)
{
	model_set(pf, "lm-reset-counters=1");
}

long model_count(int pf, unsigned int opc, int sel)
{
	char report[4096], name[32];

	must(pf_test_get(bed.pf[pf].name, report, sizeof(report)));
	if (sel < 0)
		snprintf(name, sizeof(name), "count.%02x", opc);
	else
		snprintf(name, sizeof(name), "count.%02x.%d", opc, sel);
	return report_num(report, name);
}

long model_commands(int pf)
{
	static const unsigned int op[] = {
		0x41, 0x42, 0xc4, 0xc8, 0xcc, 0xd2, 0xd5,
	};
	char report[4096], name[32];
	unsigned int i;
	long n = 0;

	must(pf_test_get(bed.pf[pf].name, report, sizeof(report)));
	for (i = 0; i < sizeof(op) / sizeof(op[0]); i++) {
		snprintf(name, sizeof(name), "count.%02x", op[i]);
		n += report_num(report, name);
	}
	return n;
}

/* Return: 0, or -ENOENT when the model reports no such value */
static int model_vf(struct place at, const char *what, char *value, size_t len)
{
	char report[4096], name[48];

	must(pf_test_get(bed.pf[at.pf].name, report, sizeof(report)));
	snprintf(name, sizeof(name), "vf.%u%s", vfs_cntlid(at.pf, at.vf), what);
	return report_get(report, name, value, len);
}

long model_vf_num(struct place at, const char *what)
{
	char value[32];

	return model_vf(at, what, value, sizeof(value)) ? 0 : atol(value);
}

bool model_vf_is(struct place at, const char *state)
{
	char value[32];

	must(model_vf(at, "", value, sizeof(value)));
	return !strcmp(value, state);
}

void model_await(struct place at, const char *state)
{
	while (!model_vf_is(at, state))
		sleep_us(1000);
}

void limit_set(unsigned int seconds)
{
	must(write_limit(limit_param(), seconds));
}

void nvme_limit_set(unsigned int seconds)
{
	must(write_nvme_limit(seconds));
}

void pf_driver(int pf, const char *what)
{
	must(sysfs_write(bed.pf[pf].bdf, "/sys/bus/pci/drivers/nvme/%s", what));
}

void bed_rebind(int pf)
{
	pf_driver(pf, "unbind");
	pf_driver(pf, "bind");
	bed_online(pf);
}

static void rebind_all(int pf)
{
	int i;

	for (i = 0; i < bed.pf[pf].nvfs; i++)
		must(topo_rebind(bed.pf[pf].vf[i]));
}

void bed_use_set(int pf, enum cmdset set)
{
	model_set(pf, "lm=%s", bed_set_name(set));
	rebind_all(pf);
}

void bed_vouch(bool on)
{
	int p;

	must(sysfs_write(on ? "1" : "0", P2P_PARAM));
	for (p = 0; p < bed.npf; p++)
		rebind_all(p);
}

/* those that a case has unbound before it failed */
static void bind_lost(int pf)
{
	char driver[64];
	int i;

	for (i = 0; i < bed.pf[pf].nvfs; i++) {
		const char *vf = bed.pf[pf].vf[i];

		if (sysfs_link(driver, sizeof(driver),
			       "/sys/bus/pci/devices/%s/driver", vf) &&
		    sysfs_write(vf, "/sys/bus/pci/drivers_probe"))
			tap_note("%s cannot be bound again", vf);
	}
}

/* called outside a case: what fails here shows in the next one */
static void baseline_pf(int pf, bool bind)
{
	char report[4096], value[32], text[64];
	const char *name = bed.pf[pf].name;
	bool changed;

	if (vfs_wait(pf))
		tap_note("%s", lib_msg());
	if (pf_test_get(name, report, sizeof(report)))
		return;
	changed = bind || report_get(report, "lm", value, sizeof(value)) ||
		  strcmp(value, bed_set_name(bed.set));
	snprintf(text, sizeof(text), "lm-reset-knobs=1\nlm=%s",
		 bed_set_name(bed.set));
	if (pf_test_set(name, text))
		tap_note("%s: cannot restore the model: %s", name, lib_msg());
	if (changed) {
		int i;

		for (i = 0; i < bed.pf[pf].nvfs; i++)
			if (topo_rebind(bed.pf[pf].vf[i]))
				tap_note("%s", lib_msg());
	}
	if (!vfs_online(pf)) {
		tap_note("%s: bringing VFs online again", name);
		vfs_restore(pf);
	}
}

void bed_baseline(void)
{
	char cap[32];
	bool bind;
	int i;

	snprintf(cap, sizeof(cap), "%ld", bed.max_state_mb);
	if (bed.max_state_mb)
		sysfs_write(cap, CAP_PARAM);
	bind = bed.vouched && !vouched();
	if (bind)
		sysfs_write("1", P2P_PARAM);

	for (i = 0; i < bed.npf; i++) {
		baseline_pf(i, bind);
		bind_lost(i);
		/* an address alone: the defaults */
		sysfs_write(bed.pf[i].bdf, "%s", POLICY);
	}
	put_back();
}

void bed_need(struct place at)
{
	if (at.pf >= bed.npf)
		tap_skip("this host has %d PF with VFs bound to %s", bed.npf,
			 VF_DRIVER);
	if (at.vf >= bed.pf[at.pf].nvfs)
		tap_skip("%s has %d VFs bound to %s", bed.pf[at.pf].name,
			 bed.pf[at.pf].nvfs, VF_DRIVER);
}

void bed_open(struct vfio_dev *dev, struct place at, struct dma_mem *mem)
{
	bed_need(at);
	must(vfio_open(dev, bed.pf[at.pf].vf[at.vf]));
	must(vfio_dma_map(dev, mem));
	must(vfio_irq_enable(dev, dev->nvec < BED_VECTORS ? dev->nvec :
			     BED_VECTORS));
}

bool sane_errno(int err)
{
	switch (-err) {
	case EIO:
	case EINVAL:
	case ENODEV:
	case ENXIO:
	case EBUSY:
	case EFBIG:
	case EOVERFLOW:
	case EMSGSIZE:
	case ENOSPC:
	case ENOMEM:
	case EREMOTEIO:
	case EPROTO:
	case EBADMSG:
	case ETIMEDOUT:
	case EOPNOTSUPP:
		return true;
	}
	return false;
}

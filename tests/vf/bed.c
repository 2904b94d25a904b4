// SPDX-License-Identifier: GPL-2.0-only
/*
 * bed.c - the host a test runs in.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bed.h"
#include "bed-vfs.h"

struct bed bed;

const char *bed_set_name(enum cmdset set)
{
	return set == SET_VENDOR ? "vendor" : "standard";
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

/* called outside of a case: what fails here shows in the next one */
static void baseline_pf(int pf)
{
	char report[4096], value[32], text[512];
	const char *name = bed.pf[pf].name;
	bool changed;

	if (vfs_wait(pf))
		tap_note("%s", lib_msg());
	if (pf_test_get(name, report, sizeof(report)))
		return;
	changed = report_get(report, "lm", value, sizeof(value)) ||
		  strcmp(value, bed_set_name(bed.set));
	snprintf(text, sizeof(text),
		 "lm=%s\nlm-pad=0\nlm-suspend-delay-ms=0\nlm-resume-delay-ms=0\nlm-command-us=0\nlm-mib-per-s=0\nlm-fail=\nlm-hang=\nlm-lie=\nlm-model=\nlm-firmware=\n"
		 "lm-track=\nlm-track-ranges=\nlm-track-min=\nlm-track-max=\nlm-track-pow2=\nlm-track-grain=\nlm-track-room=\nlm-track-batch=\n",
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
		tap_note("%s: putting VFs online again", name);
		vfs_restore(pf);
	}
}

void bed_baseline(void)
{
	char cap[32];
	int i;

	snprintf(cap, sizeof(cap), "%ld", bed.max_state_mb);
	if (bed.max_state_mb)
		sysfs_write(cap, CAP_PARAM);

	for (i = 0; i < bed.npf; i++)
		baseline_pf(i);
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

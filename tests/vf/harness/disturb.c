// SPDX-License-Identifier: GPL-2.0-only
/*
 * disturb.c - something happens to a PF, or a VF is removed.
 */
#include "disturb.h"

#define PCI	"/sys/bus/pci"

const char *disturb_name(enum disturb_kind kind)
{
	static const char * const names[DISTURB_KINDS] = {
		"PF reset", "PF rebind", "VF unbind", "sriov_numvfs=0",
		"PF removed",
	};

	return names[kind];
}

/* returns when the VF's lock is held and its user is being waited for */
static void take(struct disturb *d, const char *vf)
{
	char driver[64];

	if (d->kind == VF_UNBIND)
		beside_write(&d->taking, vf, PCI "/devices/%s/driver/unbind", vf);
	else
		beside_write(&d->taking, "0", PCI "/devices/%s/sriov_numvfs",
			     bed.pf[d->at.pf].bdf);
	while (!sysfs_link(driver, sizeof(driver), PCI "/devices/%s/driver", vf))
		sleep_us(1000);
}

static void *disturb_main(void *arg)
{
	struct disturb *d = arg;
	int pf = d->at.pf;

	sleep_us(d->delay_us);
	d->began_us = now_us();
	switch (d->kind) {
	case PF_RESET:
		must(sysfs_write("1", "/sys/class/nvme/%s/reset_controller",
				 bed.pf[pf].name));
		bed_online(pf);
		break;
	case PF_REBIND:
		bed_rebind(pf);
		break;
	default:
		take(d, bed.pf[pf].vf[d->at.vf]);
	}
	return NULL;
}

void disturb_start(struct disturb *d, enum disturb_kind kind, struct place at,
		   unsigned int delay_us)
{
	d->kind = kind;
	d->at = at;
	d->delay_us = delay_us;
	check(!pthread_create(&d->thread, NULL, disturb_main, d), "no thread");
}

void disturb_wait(struct disturb *d)
{
	pthread_join(d->thread, NULL);
}

void disturb_end(struct disturb *d)
{
	const char *bdf = bed.pf[d->at.pf].bdf;

	must(beside_end(&d->taking));
	if (d->kind == VF_UNBIND) {
		must(sysfs_write(bed.pf[d->at.pf].vf[d->at.vf],
				 PCI "/drivers_probe"));
		return;
	}
	if (d->kind == NO_PF) {
		must(sysfs_write("1", PCI "/devices/%s/remove", bdf));
		must(sysfs_write("1", PCI "/rescan"));
	}
	bed_remake(d->at.pf);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-last.c - the driver on a whole drive. The drive's VFs are gone
 * afterwards, so this comes after all other cases.
 */
#include <string.h>

#include "cases.h"
#include "move.h"
#include "plain.h"

#define PCI	"/sys/bus/pci/devices/%s/"

static void change_driver(const char *bdf, const char *driver)
{
	char now[64];

	must(sysfs_write(bdf, PCI "driver/unbind", bdf));
	must(sysfs_write(*driver ? driver : "\n", PCI "driver_override", bdf));
	must(sysfs_write(bdf, "/sys/bus/pci/drivers_probe"));
	must(sysfs_link(now, sizeof(now), PCI "driver", bdf));
	if (*driver)
		check(!strcmp(now, driver), "expected driver %s, it is %s",
		      driver, now);
}

static void whole_drive(const void *arg)
{
	const char *bdf = bed.pf[bed.npf - 1].bdf;
	struct vfio_dev dev;
	struct workload *w;

	(void)arg;
	if (bed.npf < 2)
		tap_skip("the only drive with VFs is needed");
	must(sysfs_write("0", PCI "sriov_numvfs", bdf));
	change_driver(bdf, VF_DRIVER);
	w = workload_new();
	must(vfio_open(&dev, bdf));
	plain_device(&dev);
	must(vfio_dma_map(&dev, &w->mem));
	must(vfio_irq_enable(&dev, dev.nvec < BED_VECTORS ? dev.nvec :
			     BED_VECTORS));
	workload_start(w, &dev, NULL);
	workload_burst(w, 2);
	workload_event(w);
	workload_check(w);
	must(vfio_reset(&dev));
	plain_device(&dev);
	vfio_close(&dev);
	change_driver(bdf, "");
}

const struct tap_case last_cases[] = {
	{ .name = "whole drive is a plain one", .fn = whole_drive,
	  .limit_s = 60, .log = "" },
	{ }
};

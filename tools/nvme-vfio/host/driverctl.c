// SPDX-License-Identifier: GPL-2.0-only
/*
 * driverctl.c - driverctl keeps a file per function with the driver's name, and
 * binds the function to it whenever the function appears.
 */
#include <string.h>

#include "base/tool.h"
#include "driverctl.h"
#include "host.h"
#include "util.h"

int driverctl_has(const char *bdf, char *driver, size_t len)
{
	int n = sysfs_read(driver, len, DRIVERCTL_DIR "/pci-%s", bdf);

	return n < 0 ? n : 0;
}

void driverctl_warn(const char *bdf, const char *driver)
{
	char other[HOST_NAME];

	if (driverctl_has(bdf, other, sizeof(other)) || !strcmp(other, driver))
		return;
	warn("%s: driverctl will give it to %s when it next appears; fix: rm " DRIVERCTL_DIR "/pci-%s",
	     bdf, other, bdf);
}

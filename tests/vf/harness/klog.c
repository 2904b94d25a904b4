// SPDX-License-Identifier: GPL-2.0-only
/*
 * klog.c - what the driver says in the kernel log while a case runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "klog.h"

#define LEVEL_WARNING	4

static int fd = -1;

int klog_start(void)
{
	if (fd < 0)
		fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || lseek(fd, 0, SEEK_END) < 0)
		return -errno;
	return 0;
}

/* a record is "level,number,time,flags;text"; Return: NULL if not of interest */
static const char *driver_warning(char *record)
{
	char *text = strchr(record, ';');

	if (!text || (atoi(record) & 7) > LEVEL_WARNING)
		return NULL;
	text[strcspn(text, "\n")] = 0;
	if (!strstr(text, "nvme-vfio-pci") && !strstr(text, "nvme_vfio_pci") &&
	    !strstr(text, "nvme-pf-shim") && !strstr(text, "nvme_pf_shim"))
		return NULL;
	/* PCI's own word on every reset of a function, since 7.x; no complaint */
	if (strstr(text, ": resetting") || strstr(text, ": reset done"))
		return NULL;
	return text + 1;
}

bool klog_judge(const struct tap_case *c)
{
	bool any = c->log && !*c->log;
	unsigned int bad = 0, hits = 0;
	char record[2048];
	ssize_t n;

	if (fd < 0)
		return true;
	while ((n = read(fd, record, sizeof(record) - 1)) > 0 ||
	       (n < 0 && (errno == EPIPE || errno == EINTR))) {
		const char *text;

		if (n < 0)
			continue;
		record[n] = 0;
		text = driver_warning(record);
		if (!text || any)
			continue;
		if (c->log) {
			hits += strstr(text, c->log) != NULL;
		} else if (!bad++) {
			tap_note("the driver warns, no reason to do so is known: %s",
				 text);
		}
	}
	if (c->log && !any && !hits) {
		tap_note("expected a warning of the driver with '%s', there is none",
			 c->log);
		return false;
	}
	return !bad;
}

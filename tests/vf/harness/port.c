// SPDX-License-Identifier: GPL-2.0-only
/*
 * port.c - the port that a PF is behind.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "emu.h"
#include "port.h"

#define PCI		"/sys/bus/pci"
#define CAP_POINTER	0x34
#define CAP_EXPRESS	0x10
#define SLTCTL		0x18
#define SLTCTL_PDCE	0x0008	/* report cards; the kernel heeds buttons */
#define SLTCTL_HPIE	0x0020	/* report anything at all */
#define SLTCTL_OFF	0x0700	/* power off, indicator as well */
#define SLTSTA		0x1a
#define SLTSTA_ABP	0x0001	/* the button was pressed */
#define GONE_MS		60000

void port_of(int pf, char *port)
{
	char path[96], real[PATH_MAX], *end;

	snprintf(path, sizeof(path), PCI "/devices/%s", bed.pf[pf].bdf);
	check(realpath(path, real), "%s: no such function", bed.pf[pf].bdf);
	end = strrchr(real, '/');
	*end = 0;
	end = strrchr(real, '/');
	check(strlen(end) > 8 && strlen(end) <= PORT_LEN,
	      "%s is not behind a port but in %s", bed.pf[pf].bdf, real);
	strcpy(port, end + 1);
}

void port_found(int pf)
{
	must(sysfs_write("1", PCI "/rescan"));
	bed_remake(pf);
}

/* registers of a port's slot */
struct slot {
	int fd;
	unsigned int at;
};

static uint16_t get(const struct slot *slot, unsigned int reg)
{
	uint16_t w;

	check(pread(slot->fd, &w, sizeof(w), slot->at + reg) == sizeof(w),
	      "a port's config space cannot be read");
	return w;
}

static void put(const struct slot *slot, unsigned int reg, uint16_t w)
{
	check(pwrite(slot->fd, &w, sizeof(w), slot->at + reg) == sizeof(w),
	      "a port's config space cannot be written");
}

static void slot_open(struct slot *slot, const char *port)
{
	char path[64];

	snprintf(path, sizeof(path), PCI "/devices/%s/config", port);
	slot->fd = open(path, O_RDWR | O_CLOEXEC);
	check(slot->fd >= 0, "%s: no config space", port);
	slot->at = 0;
	for (slot->at = get(slot, CAP_POINTER) & 0xff;
	     slot->at && (get(slot, 0) & 0xff) != CAP_EXPRESS; )
		slot->at = get(slot, 0) >> 8;
	check(slot->at, "%s: no PCI Express capability", port);
}

/*
 * The emulator removes the card when its slot is switched off. The kernel is
 * only notified once the slot is on again, or it would think that it had been
 * off before.
 */
void port_pull(int pf, char *port)
{
	struct slot slot;
	uint16_t ctl;

	port_of(pf, port);
	slot_open(&slot, port);
	ctl = get(&slot, SLTCTL);
	put(&slot, SLTCTL, (ctl | SLTCTL_OFF) & ~SLTCTL_HPIE);
	put(&slot, SLTCTL, ctl | SLTCTL_PDCE | SLTCTL_HPIE);
	close(slot.fd);
}

/*
 * The emulator presses the button as well, once for each function: the kernel
 * would switch the slot on and off again.
 */
void port_plug(int pf, const char *port)
{
	char device[512];
	struct slot slot;
	uint16_t ctl;
	int ms;

	slot_open(&slot, port);
	for (ms = 0; (get(&slot, SLTCTL) & SLTCTL_OFF) != SLTCTL_OFF; ms += 10) {
		check(ms < GONE_MS, "%s is not released", bed.pf[pf].bdf);
		sleep_us(10000);
	}
	ctl = get(&slot, SLTCTL);
	check(sysfs_read(device, sizeof(device), "/share/device-%d", pf) > 0,
	      "what to plug in is not known: host --monitor");
	put(&slot, SLTCTL, ctl & ~SLTCTL_HPIE);
	emu_do("", "device_add %s", device);
	put(&slot, SLTSTA, SLTSTA_ABP);
	put(&slot, SLTCTL, ctl);
	close(slot.fd);
	bed_remake(pf);
}

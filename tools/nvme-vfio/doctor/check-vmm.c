// SPDX-License-Identifier: GPL-2.0-only
/*
 * check-vmm.c - what runs the VMs: QEMU, libvirt, and the memory they may lock.
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/tool.h"
#include "check.h"

static void qemu(struct checkup *c, struct answer *a)
{
	char system[96];
	const char *names[] = { system, "qemu-kvm", "kvm", NULL };
	struct version *v = &c->qemu;

	snprintf(system, sizeof(system), "qemu-system-%s", c->machine);
	version_find(v, names);
	if (!*v->path) {
		say(a, CHECK_WARN, "no %s", system);
		cure(a, "Install QEMU 8.2 or later.");
	} else if (!v->known) {
		say(a, CHECK_UNKNOWN, "%s does not report its version", v->path);
	} else if (version_before(v, 8, 1)) {
		say(a, CHECK_FAIL, "%u.%u.%u cannot migrate with the VFIO of current kernels",
		    v->major, v->minor, v->micro);
		cure(a, "Install QEMU 8.2 or later (Debian 12: from bookworm-backports).");
	} else if (version_before(v, 8, 2)) {
		say(a, CHECK_WARN, "%u.%u.%u migrates only one VFIO device per VM",
		    v->major, v->minor, v->micro);
		cure(a, "Install QEMU 8.2 or later.");
	} else {
		say(a, CHECK_OK, "%u.%u.%u: several VFIO devices per VM%s%s",
		    v->major, v->minor, v->micro,
		    version_before(v, 9, 1) ? "" : ", dirty tracking by the IOMMU",
		    version_before(v, 10, 0) ? "" : ", state over several channels");
	}
}

static void libvirt(struct checkup *c, struct answer *a)
{
	static const char * const names[] = { "virtqemud", "libvirtd", NULL };
	struct version *v = &c->libvirt;

	version_find(v, names);
	if (!*v->path && !access("/usr/sbin/qm", X_OK)) {
		say(a, CHECK_OK, "not installed; Proxmox VE does not need it (hostpci with driver=keep)");
	} else if (!*v->path) {
		say(a, CHECK_WARN, "no libvirt");
		cure(a, "Install libvirt 10.0 or later, unless QEMU is run without it.");
	} else if (!v->known) {
		say(a, CHECK_UNKNOWN, "%s does not report its version", v->path);
	} else if (version_before(v, 9, 7)) {
		say(a, CHECK_FAIL, "%u.%u.%u knows no VFIO driver but vfio-pci",
		    v->major, v->minor, v->micro);
		cure(a, "Install libvirt 10.0 or later (Debian 12: from bookworm-backports).");
	} else if (version_before(v, 10, 0)) {
		say(a, CHECK_WARN, "%u.%u.%u uses VFs that are already bound, with managed='no'",
		    v->major, v->minor, v->micro);
		cure(a, "Install libvirt 10.0 or later, which chooses the driver itself.");
	} else {
		say(a, CHECK_OK, "%u.%u.%u: chooses the driver by itself",
		    v->major, v->minor, v->micro);
	}
}

static void memlock(struct checkup *c, struct answer *a)
{
	unsigned long long all = (unsigned long long)sysconf(_SC_PHYS_PAGES) *
				 sysconf(_SC_PAGESIZE);
	struct rlimit r;

	if (getrlimit(RLIMIT_MEMLOCK, &r))
		say(a, CHECK_UNKNOWN, "the limit cannot be read");
	else if (r.rlim_max == RLIM_INFINITY)
		say(a, CHECK_OK, "no limit");
	else if (r.rlim_max >= all)
		say(a, CHECK_OK, "%llu MiB, all of the memory",
		    (unsigned long long)r.rlim_max >> 20);
	else if (*c->libvirt.path)
		say(a, CHECK_OK, "%llu KiB here; libvirt raises it for its VMs",
		    (unsigned long long)r.rlim_max >> 10);
	else {
		say(a, CHECK_WARN, "%llu KiB: QEMU not running as root can lock no more, and VFIO locks all memory of a VM",
		    (unsigned long long)r.rlim_max >> 10);
		cure(a, "Raise it: ulimit -l, memlock in /etc/security/limits.conf, or LimitMEMLOCK= of the service.");
	}
}

const struct check checks_vmm[] = {
	{ "qemu", qemu },
	{ "libvirt", libvirt },
	{ "memlock", memlock },
	{ }
};

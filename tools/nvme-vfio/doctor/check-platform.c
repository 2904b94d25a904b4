// SPDX-License-Identifier: GPL-2.0-only
/*
 * check-platform.c - firmware and kernel.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/tool.h"
#include "check.h"
#include "secure_boot.h"
#include "util.h"

/* a symbol of what nvme-vfio-iommufd puts in place of the kernel's VFIO */
#define REBUILT_CORE	"nvme_vfio_iommufd_core"

/* The first entry of a folder; false if it is empty or not there. */
static bool first_entry(const char *path, char *name, size_t len)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	bool found = false;

	while (dir && !found && (e = readdir(dir))) {
		found = *e->d_name != '.';
		if (found)
			snprintf(name, len, "%s", e->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

#define TABLES	"/sys/firmware/acpi/tables"

static void iommu(struct checkup *c, struct answer *a)
{
	bool intel = !access(TABLES "/DMAR", F_OK);
	char name[NAME_MAX + 1];

	c->iommu = first_entry("/sys/class/iommu", name, sizeof(name));
	if (c->iommu) {
		say(a, CHECK_OK, "on (%s)", name);
		return;
	}
	say(a, CHECK_FAIL, "off: functions cannot be assigned to VMs");
	if (!access(TABLES, F_OK) && !intel && access(TABLES "/IVRS", F_OK) &&
	    access(TABLES "/IORT", F_OK))
		cure(a, "Enable it in the firmware setup (Intel VT-d, AMD-Vi, SMMU).");
	else if (intel)
		cure(a, "Boot the kernel with intel_iommu=on.");
	else
		cure(a, "Remove iommu=off or amd_iommu=off from the kernel's command line.");
}

static void secure_boot(struct checkup *c, struct answer *a)
{
	struct signing_key key;
	struct module mod;

	if (!secure_boot_on()) {
		say(a, CHECK_OK, "off");
		return;
	}
	modules_look(c->modules, TOOL_DRIVER, &mod);
	if (mod.loaded) {
		say(a, CHECK_OK, "on, and the kernel has accepted the module");
		return;
	}
	signing_key(&key);
	if (!key.there) {
		say(a, CHECK_WARN, "on, but %s, with whose key dkms would sign modules, is missing%s%s",
		    key.certificate, *key.by ? ", according to " : "", key.by);
		cure(a, "Reinstall the module with dkms, which creates one (dkms install --force), then enrol it: run mokutil --import %s, and confirm at the next boot; or sign the modules with a key that is enrolled.",
		     key.certificate);
	} else if (secure_boot_enrolled(key.certificate) == 1) {
		say(a, CHECK_OK, "on, and the key of dkms is enrolled (%s)",
		    key.certificate);
	} else {
		say(a, CHECK_WARN, "on, but the key of dkms is not known to be enrolled (%s)",
		    key.certificate);
		cure(a, "Run mokutil --import %s, and confirm at the next boot.",
		     key.certificate);
	}
}

static void kernel(struct checkup *c, struct answer *a)
{
	struct version v;

	if (!version_parse(&v, c->release)) {
		say(a, CHECK_UNKNOWN, "%s: unknown version format",
		    c->release);
	} else if (version_before(&v, 6, 1)) {
		say(a, CHECK_FAIL, "%s has no usable VFIO migration",
		    c->release);
		cure(a, "Use kernel 6.1 or later.");
	} else if (version_before(&v, 6, 2)) {
		say(a, CHECK_OK, "%s; a wrong destination is only found after the guest has stopped (PRE_COPY: from 6.2 on)",
		    c->release);
	} else {
		say(a, CHECK_OK, "%s", c->release);
	}
}

/* Does the kernel, or a module that is loaded, have this function? */
static bool has_function(const char *name, bool *readable)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	size_t n = strlen(name);
	bool found = false;
	char line[512], *p;

	/*
	 * A line is an address, a letter, the name, and the module if there is
	 * one.
	 */
	*readable = false;
	while (f && !found && fgets(line, sizeof(line), f)) {
		*readable = true;
		p = strchr(line, ' ');
		found = p && strlen(p) > 3 && !strncmp(p + 3, name, n) &&
			(p[3 + n] == '\n' || p[3 + n] == '\t');
	}
	if (f)
		fclose(f);
	return found;
}

enum tracking kernel_tracking(const char *release)
{
	bool readable;
	struct version v;

	/* Up to 6.6 it is part of module vfio, which need not be loaded yet. */
	if (version_parse(&v, release) && version_before(&v, 6, 7))
		return TRACKING_YES;
	/* Since then it is in the kernel itself, or it is not there. */
	if (has_function("iova_bitmap_set", &readable))
		return TRACKING_YES;
	return readable ? TRACKING_NO : TRACKING_UNKNOWN;
}

/*
 * Has the kernel's VFIO been replaced by a build with IOMMUFD? It is nobody else's that
 * has this symbol.
 */
static bool core_replaced(struct checkup *c)
{
	return modules_needs(c->modules, "vfio_iommu_type1", REBUILT_CORE) == 1;
}

static bool core_is_kernels(struct checkup *c)
{
	struct module vfio;
	bool readable;

	modules_look(c->modules, "vfio", &vfio);
	return vfio.loaded && !has_function(REBUILT_CORE, &readable);
}

/* of this kernel nvme-vfio-iommufd-dkms can build VFIO again */
static bool core_is_replaceable(struct checkup *c)
{
	struct utsname names;
	struct version v;

	return !uname(&names) && strstr(names.version, " Debian ") &&
		!strcmp(names.machine, "x86_64") &&
		version_parse(&v, c->release) && !version_before(&v, 6, 12);
}

static void no_tracking(struct checkup *c, struct answer *a)
{
	if (core_replaced(c)) {
		say(a, CHECK_WARN, "nvme-vfio-iommufd is installed, but the kernel's own VFIO is loaded");
		cure(a, "Reboot.");
		return;
	}
	say(a, CHECK_WARN, "this kernel has no IOMMUFD (CONFIG_IOMMUFD): all memory is sent while the guest is stopped");
	if (core_is_replaceable(c))
		cure(a, "Install nvme-vfio-iommufd-dkms and reboot: it replaces the kernel's VFIO by a build with IOMMUFD; or give QEMU enable-migration=on and allow a downtime of memory / bandwidth.");
	else
		cure(a, "Use a kernel with CONFIG_IOMMUFD, or 6.1 to 6.6; or give QEMU enable-migration=on and allow a downtime of memory / bandwidth.");
}

static void tracking(struct checkup *c, struct answer *a)
{
	c->tracking = kernel_tracking(c->release);
	/* The rebuilt iommufd, which has it, need not be loaded yet. */
	if (c->tracking == TRACKING_NO && core_replaced(c) && !core_is_kernels(c))
		c->tracking = TRACKING_YES;
	switch (c->tracking) {
	case TRACKING_UNKNOWN:
		say(a, CHECK_UNKNOWN, "/proc/kallsyms cannot be read");
		return;
	case TRACKING_NO:
		no_tracking(c, a);
		return;
	case TRACKING_YES:
		break;
	}
	if (!modules_needs(c->modules, TOOL_DRIVER, "iova_bitmap_set")) {
		say(a, CHECK_WARN, "possible, but the module was built without it");
		cure(a, "Rebuild it with this kernel's headers: dkms build --force, dkms install --force.");
	} else {
		say(a, CHECK_OK, "possible");
	}
}

const struct check checks_platform[] = {
	{ "iommu", iommu },
	{ "secure-boot", secure_boot },
	{ "kernel", kernel },
	{ "kernel-dirty-tracking", tracking },
	{ }
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * check-module.c - our modules for the running kernel.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/tool.h"
#include "check.h"
#include "secure_boot.h"
#include "util.h"

#define DKMS	"/var/lib/dkms/" TOOL_NAME

static void cure_missing(const struct checkup *c, struct answer *a)
{
	char path[128];

	snprintf(path, sizeof(path), "/lib/modules/%s/build", c->release);
	if (access(path, F_OK))
		cure(a, "Install the headers of this kernel (linux-headers-%s or kernel-devel), then: dkms autoinstall.",
		     c->release);
	else if (!access(DKMS, F_OK))
		cure(a, "Run dkms autoinstall; if that fails, the reason is in make.log below " DKMS ".");
	else
		cure(a, "Install the package " TOOL_NAME "-dkms.");
}

/* nvme itself may export what the shim does: then there is none. */
static bool needs_shim(struct checkup *c, const struct module *driver)
{
	char name[64];

	/* If that depends on the shim, both were loaded together. */
	if (driver->loaded)
		return !sysfs_link(name, sizeof(name),
			"/sys/module/nvme_pf_shim/holders/nvme_vfio_pci");
	if (!*driver->path)
		return true;
	return modules_depends(c->modules, TOOL_DRIVER, TOOL_SHIM);
}

static void built(struct checkup *c, struct answer *a)
{
	struct module driver, shim;
	const struct module *bad = NULL;
	const char *name = TOOL_DRIVER;

	modules_look(c->modules, TOOL_DRIVER, &driver);
	modules_look(c->modules, TOOL_SHIM, &shim);
	if (!*driver.path || driver.gone) {
		bad = &driver;
	} else if (needs_shim(c, &driver) && (!*shim.path || shim.gone)) {
		bad = &shim;
		name = TOOL_SHIM;
	}
	if (!bad) {
		say(a, CHECK_OK, "%s", driver.path);
	} else if (bad->gone) {
		say(a, CHECK_FAIL, "%s is gone, but modules.dep still has it: libvirt starts no VM with an NVMe drive",
		    bad->path);
		cure(a, "Run depmod -a if the package was removed, else dkms install --force.");
	} else if (bad->loaded) {
		say(a, CHECK_WARN, "module %s is loaded, but not installed for kernel %s: it will be missing after the next boot",
		    name, c->release);
		cure_missing(c, a);
	} else {
		say(a, CHECK_FAIL, "there is no module %s for kernel %s", name,
		    c->release);
		cure_missing(c, a);
	}
}

static void is_signed(struct checkup *c, struct answer *a)
{
	bool forced = signatures_forced() || secure_boot_on();
	struct signing_key key;
	struct module mod;

	modules_look(c->modules, TOOL_DRIVER, &mod);
	if (!*mod.path || mod.gone) {
		say(a, CHECK_UNKNOWN, "no module, see module-built");
	} else if (*mod.signer) {
		say(a, CHECK_OK, "by %s", mod.signer);
	} else if (!forced) {
		say(a, CHECK_OK, "no, but this host accepts unsigned modules");
	} else {
		say(a, CHECK_FAIL, "no, and this host accepts only signed modules");
		signing_key(&key);
		cure(a, "Let dkms sign it (dkms install --force) and enrol its key: mokutil --import %s.",
		     key.certificate);
	}
}

static void loaded(struct checkup *c, struct answer *a)
{
	struct module mod;

	modules_look(c->modules, TOOL_DRIVER, &mod);
	if (mod.blacklisted) {
		say(a, CHECK_FAIL, "%s, but blacklisted in modprobe.d: libvirt finds it but cannot load it",
		    mod.loaded ? "loaded" : "not loaded");
		cure(a, "Remove the blacklist; to do without it, give the VM <driver name='vfio' model='vfio-pci'/>.");
	} else if (!mod.loaded) {
		say(a, CHECK_WARN, "no");
		cure(a, "Run modprobe " TOOL_DRIVER "; \"" TOOL_NAME " bind\" and libvirt load it when it is needed.");
	} else if (*mod.loaded_srcversion && *mod.srcversion &&
		   strcmp(mod.loaded_srcversion, mod.srcversion)) {
		say(a, CHECK_WARN, "yes, but not the build that is installed");
		cure(a, "With no VF in use, modprobe -r " TOOL_DRIVER " and modprobe " TOOL_DRIVER ", or reboot.");
	} else {
		say(a, CHECK_OK, "yes");
	}
}

const struct check checks_module[] = {
	{ "module-built", built },
	{ "module-signed", is_signed },
	{ "module-loaded", loaded },
	{ }
};

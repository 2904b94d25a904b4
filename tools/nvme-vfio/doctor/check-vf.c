// SPDX-License-Identifier: GPL-2.0-only
/*
 * check-vf.c - a VF: it has what a guest needs, and the right driver.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/tool.h"
#include "check.h"
#include "util.h"

/* Whether its PF reported the VF; if not, that is the answer. */
static bool told(struct checkup *c, struct answer *a)
{
	const struct host_fn *vf = c->fn;

	if (vf->listed)
		return true;
	if (!vf->asked) {
		say(a, CHECK_UNKNOWN, "the PF was not asked: %s",
		    c->root ? "see pf-driver" : "not root");
	} else if (vf->set == SET_STANDARD) {
		say(a, CHECK_FAIL, "the PF does not list this VF as its secondary controller");
		cure(a, "Recreate the VFs (" TOOL_NAME " teardown, apply); if that does not help, update the drive's firmware.");
	} else {
		say(a, CHECK_UNKNOWN, "the PF does not list its VFs");
	}
	return false;
}

static void online(struct checkup *c, struct answer *a)
{
	const struct host_fn *vf = c->fn;

	if (!told(c, a))
		return;
	if (vf->online) {
		say(a, CHECK_OK, "online, %u queues, %u interrupts", vf->nvq,
		    vf->nvi);
		return;
	}
	say(a, CHECK_FAIL, "offline, %u queues, %u interrupts", vf->nvq,
	    vf->nvi);
	cure(a, "Run " TOOL_NAME " apply, or by hand nvme virt-mgmt: resources (-a 8), a reset of the VF, online (-a 9).");
}

static void namespaces(struct checkup *c, struct answer *a)
{
	const struct host_fn *vf = c->fn;

	if (!told(c, a))
		return;
	if (!vf->nsid) {
		say(a, CHECK_UNKNOWN, "the PF does not say");
	} else if (vf->nns && vf->namespaces.known) {
		say(a, CHECK_OK, "%zu attached, digest %016llx", vf->nns,
		    (unsigned long long)ns_get64(&vf->namespaces.digest));
	} else if (vf->nns) {
		say(a, CHECK_OK, "%zu attached", vf->nns);
	} else {
		say(a, CHECK_WARN, "none is attached: a guest sees no disk");
		cure(a, "nvme attach-ns /dev/%s -n NSID -c %u; or list it in /etc/" TOOL_NAME " and run " TOOL_NAME " apply.",
		     vf->pf && *vf->pf->ctrl ? vf->pf->ctrl : "nvmeN",
		     vf->cntlid);
	}
}

static bool is_bridge(const char *bdf)
{
	char text[16];

	return sysfs_read(text, sizeof(text), HOST_PCI "/%s/class", bdf) > 0 &&
	       !strncmp(text, "0x06", 4);
}

static void group(struct checkup *c, struct answer *a)
{
	char path[64], others[128] = "";
	struct dirent *e;
	size_t len;
	DIR *dir;

	if (c->fn->iommu_group < 0) {
		say(a, c->iommu ? CHECK_FAIL : CHECK_UNKNOWN, "not in an IOMMU group%s",
		    c->iommu ? "" : ", see iommu");
		if (c->iommu)
			cure(a, "See the kernel log for why the IOMMU leaves it out.");
		return;
	}
	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/devices",
		 c->fn->iommu_group);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		if (*e->d_name == '.' || !strcmp(e->d_name, c->fn->bdf) ||
		    is_bridge(e->d_name))
			continue;
		len = strlen(others);
		snprintf(others + len, sizeof(others) - len, " %.*s",
			 BDF_MAX - 1, e->d_name);
	}
	if (dir)
		closedir(dir);
	if (!*others) {
		say(a, CHECK_OK, "%d, its own", c->fn->iommu_group);
		return;
	}
	say(a, CHECK_FAIL, "%d, shared with%s", c->fn->iommu_group, others);
	cure(a, "Enable ACS in the firmware setup or use another slot: only whole groups can be assigned to a VM.");
}

static void binding(struct checkup *c, struct answer *a)
{
	const struct host_fn *vf = c->fn;

	if (!*vf->driver) {
		say(a, CHECK_WARN, "bound to no driver");
		cure(a, "Run " TOOL_NAME " bind %s; libvirt from 10.0 on does it for a device with managed='yes'.",
		     vf->bdf);
	} else if (strcmp(vf->driver, TOOL_DRIVER)) {
		say(a, CHECK_FAIL, "bound to %s", vf->driver);
		cure(a, "Run " TOOL_NAME " bind %s.", vf->bdf);
	} else if (!*vf->override) {
		say(a, CHECK_WARN, "bound to %s, but driver_override is not set: once unbound it is lost",
		    vf->driver);
		cure(a, "Run " TOOL_NAME " bind %s.", vf->bdf);
	} else {
		say(a, CHECK_OK, "%s", vf->driver);
	}
}

const struct check checks_vf[] = {
	{ "vf-online", online },
	{ "vf-namespace", namespaces },
	{ "vf-group", group },
	{ "vf-binding", binding },
	{ "claims", check_conflicts },
	{ "alias", check_alias },
	{ "vfio-offers", check_offers },
	{ }
};

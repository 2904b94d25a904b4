// SPDX-License-Identifier: GPL-2.0-only
/*
 * check-pf.c - a PF: it has VFs, nvme runs it, it can migrate them, and our
 * driver can reach its admin queue.
 */
#include <string.h>

#include "base/tool.h"
#include "check.h"
#include "util.h"

static void sriov(struct checkup *c, struct answer *a)
{
	const struct host_fn *pf = c->fn;

	if (pf->role == ROLE_PLAIN) {
		say(a, CHECK_FAIL, "this drive has no SR-IOV");
		cure(a, "Enable SR-IOV in the firmware of the host and of the drive, if they have it.");
	} else if (!pf->numvfs) {
		say(a, CHECK_FAIL, "no VFs; up to %u are possible", pf->totalvfs);
		cure(a, "Describe the PF in /etc/" TOOL_NAME " and run " TOOL_NAME " apply.");
	} else if (pf->autoprobe) {
		say(a, CHECK_WARN, "%u of %u VFs; host drivers bind VFs that a guest has released, and can read the guest's data",
		    pf->numvfs, pf->totalvfs);
		cure(a, "echo 0 >" HOST_PCI "/%s/sriov_drivers_autoprobe; " TOOL_NAME " apply does that.",
		     pf->bdf);
	} else {
		say(a, CHECK_OK, "%u of %u VFs", pf->numvfs, pf->totalvfs);
	}
}

static void driver(struct checkup *c, struct answer *a)
{
	const struct host_fn *pf = c->fn;

	if (strcmp(pf->driver, "nvme")) {
		say(a, CHECK_FAIL, "the PF is bound to %s, but VFs can migrate only while it is bound to nvme",
		    *pf->driver ? pf->driver : "no driver");
		cure(a, "Clear its driver_override, unbind it, and echo %s >/sys/bus/pci/drivers/nvme/bind.",
		     pf->bdf);
	} else if (strcmp(pf->state, "live")) {
		say(a, CHECK_FAIL, "nvme, but the controller is %s",
		    *pf->state ? pf->state : "gone");
		cure(a, "See what happened to it: dmesg | grep -e %s -e nvme.",
		     pf->bdf);
	} else {
		say(a, CHECK_OK, "nvme (%s), live", pf->ctrl);
	}
}

static void capability(struct checkup *c, struct answer *a)
{
	const struct host_fn *pf = c->fn;

	if (pf->role != ROLE_PF) {
		say(a, CHECK_UNKNOWN, "no SR-IOV, see sriov");
	} else if (pf->set) {
		say(a, CHECK_OK, "%s command set", host_set_name(pf->set));
	} else if (!pf->asked) {
		say(a, CHECK_UNKNOWN, "the PF was not asked: %s",
		    !c->root ? "not root" : pf->why ? pf->why : "no reason");
	} else {
		say(a, CHECK_FAIL, "%s", pf->why ? pf->why : "no reason");
		if (strstr(a->text, "vendor_ids"))
			cure(a, "If the drive has that set, load " TOOL_DRIVER " with vendor_ids=%04x:%04x (options in modprobe.d).",
			     pf->vendor, pf->vf_device);
		else
			cure(a, "Ask the drive's vendor for a firmware with Host Managed Live Migration (NVMe 2.1).");
	}
}

static void tracks(struct checkup *c, struct answer *a)
{
	const struct host_fn *pf = c->fn;

	if (!pf->set) {
		say(a, CHECK_UNKNOWN, "see pf-capability");
	} else if (pf->set == SET_STANDARD && pf->track_memory) {
		say(a, CHECK_OK, "the drive tracks what its VFs write to memory");
	} else {
		say(a, CHECK_WARN, "the drive does not track what its VFs write to memory");
		cure(a, "Give QEMU enable-migration=on and allow a downtime of memory / bandwidth, unless the IOMMU tracks it.");
	}
}

/* What a PF needs of a type, of those that it might give to VFs. */
static unsigned int needs(const struct ctrl_resource *r, unsigned int type)
{
	static const unsigned int least[] = { 2, 1 };

	return r->private ? 0 : least[type];
}

/* Does the PF keep so many that not even one VF could work? */
static bool held(const struct ctrl_resource *r, unsigned int type)
{
	static const unsigned int least[] = { 2, 1 };

	return r->flexible && r->primary > needs(r, type) &&
	       r->total < r->primary + least[type];
}

/* Are there some for VFs, or does the PF keep all of them? */
static void resources(struct checkup *c, struct answer *a)
{
	const struct fn_facts *f = facts_of(c, c->fn);
	const struct ctrl_resource *q = &f->res[RESOURCE_QUEUES];
	const struct ctrl_resource *i = &f->res[RESOURCE_INTERRUPTS];
	unsigned int keep[RESOURCES], type;
	const struct ctrl_resource *r;

	if (!f->identified) {
		say(a, CHECK_UNKNOWN, "see pf-capability");
		return;
	}
	if (!q->flexible && !i->flexible) {
		say(a, CHECK_OK, "the drive divides queues and interrupts among its VFs itself");
		return;
	}
	for (type = 0; type < RESOURCES; type++) {
		r = &f->res[type];
		keep[type] = held(r, type) ? needs(r, type) : r->primary;
	}
	r = held(q, RESOURCE_QUEUES) ? q :
	    held(i, RESOURCE_INTERRUPTS) ? i : NULL;
	if (!r) {
		say(a, CHECK_OK, "queues: %u for VFs, %u of them assigned; interrupts: %u, %u",
		    q->total - q->primary, q->assigned, i->total - i->primary,
		    i->assigned);
		return;
	}
	say(a, CHECK_FAIL, "the PF keeps all of its %u %s: none are left for VFs",
	    r->total, r == q ? "queues" : "interrupts");
	cure(a, "Release them, which resets the drive: %s; a larger -n leaves the PF more.",
	     ctrl_give_back(c->fn->ctrl, f->cntlid, keep));
}

/*
 * Does what the driver says about a VF prove that it reached the PF? It can
 * migrate, or something that only the PF knows is in the way.
 */
static bool got_through(const struct driver_view *says)
{
	static const char * const before[] = {
		"the proof", "not a virtual function", "out of memory",
		"busy", "not bound to nvme", "no NVMe controller", "going away",
		"starting",
	};
	size_t i;

	for (i = 0; i < sizeof(before) / sizeof(*before); i++)
		if (strstr(says->reason, before[i]))
			return false;
	return says->can != DRIVER_UNKNOWN;
}

/* What the VFs that are bound to our driver say about its way to the PF. */
static void by_vfs(struct checkup *c, struct answer *a)
{
	size_t i;

	for (i = 0; i < c->host->n; i++) {
		const struct host_fn *vf = &c->host->fn[i];

		if (vf->pf != c->fn || strcmp(vf->driver, TOOL_DRIVER))
			continue;
		if (c->facts[i].offers || got_through(&vf->says)) {
			say(a, CHECK_OK, "passed");
			return;
		}
		if (strstr(vf->says.reason, "does not pass the proof")) {
			say(a, CHECK_FAIL, "the nvme driver of kernel %s does not pass the proof of its %s",
			    c->release, strstr(vf->says.reason, "requests") ? "requests" : "admin queue");
			cure(a, "Report it with the kernel's version; meanwhile, use another kernel, or one with this project's nvme patch.");
			return;
		}
	}
	say(a, CHECK_UNKNOWN, "the proof runs when a VF is bound to " TOOL_DRIVER "; no bound VF has reported a result");
}

static void proof(struct checkup *c, struct answer *a)
{
	char holder[64], how[32] = "";
	struct module driver, shim;

	modules_look(c->modules, TOOL_DRIVER, &driver);
	modules_look(c->modules, TOOL_SHIM, &shim);
	if (!driver.loaded) {
		say(a, CHECK_UNKNOWN, "not made yet, see module-loaded");
	} else if (sysfs_link(holder, sizeof(holder),
			      "/sys/module/nvme_pf_shim/holders/nvme_vfio_pci")) {
		say(a, CHECK_OK, "not needed: this kernel's nvme has the interface");
	} else {
		sysfs_read(how, sizeof(how),
			   "/sys/module/nvme_pf_shim/parameters/proof");
		if (!strcmp(how, "none")) {
			say(a, CHECK_FAIL, "switched off: module " TOOL_SHIM " was loaded with proof=none");
			cure(a, "Remove that option from modprobe.d, and load the modules again.");
			return;
		}
		by_vfs(c, a);
	}
}

const struct check checks_pf[] = {
	{ "sriov", sriov },
	{ "pf-driver", driver },
	{ "pf-capability", capability },
	{ "pf-tracking", tracks },
	{ "pf-resources", resources },
	{ "pf-proof", proof },
	{ "claims", check_conflicts },
	{ }
};

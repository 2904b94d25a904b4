// SPDX-License-Identifier: GPL-2.0-only
/*
 * inventory.c - what is found out before any check runs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/tool.h"
#include "host/nvme.h"
#include "inventory.h"
#include "util.h"
#include "vfio_dev.h"
#include "vfio_log.h"
#include "vfio_mig.h"

bool inventory_wanted(const struct host_fn *fn, const struct host_fn *only)
{
	return !only || fn == only || fn->pf == only || only->pf == fn;
}

static void identify(struct host_fn *pf, struct fn_facts *f)
{
	struct ctrl_id id;
	struct ctrl *ctrl;

	/* Asked before, with success: it is there and answers. */
	if (!pf->asked || ctrl_open(pf->ctrl, &ctrl))
		return;
	if (!ctrl_identify(ctrl, &id)) {
		f->identified = true;
		f->cntlid = id.cntlid;
		if (id.virt_mgmt && ctrl_resources(ctrl, id.cntlid, f->res))
			memset(f->res, 0, sizeof(f->res));
	}
	ctrl_close(ctrl);
}

static int look_through(const struct host_fn *vf, struct fn_facts *f,
			int (*way)(struct vfio_dev *dev, const char *bdf))
{
	struct vfio_dev dev;
	int err;

	err = way(&dev, vf->bdf);
	if (err)
		return err;
	f->flags = 0;
	f->state_bytes = 0;
	f->offers = !vfio_mig_flags(&dev, &f->flags);
	f->log = f->offers && vfio_log_supported(&dev);
	if (f->offers)
		vfio_mig_data_size(&dev, &f->state_bytes);
	vfio_close(&dev);
	return 0;
}

static void try_vfio(struct checkup *c, const struct host_fn *vf,
		     struct fn_facts *f)
{
	const char *why = NULL;
	int err, lock;

	if (!host_is_vfio(vf->driver))
		why = "not bound to a VFIO driver, see vf-binding";
	else if (!strcmp(vf->driver, "vfio-pci"))
		why = "vfio-pci offers no migration, see vf-binding";
	/* The driver would ask about it, and complain in the kernel log. */
	else if (vf->listed && !vf->online)
		why = "the VF is offline, see vf-online";
	else if (!c->root)
		why = "not root";
	else if (!c->open)
		why = "not opened: --probe opens VFs that nobody uses, which resets them";
	if (why) {
		snprintf(f->trouble, sizeof(f->trouble), "%s", why);
		return;
	}
	if (vf->nusers) {
		snprintf(f->trouble, sizeof(f->trouble), "in use by %s(%d)",
			 vf->users->name, (int)vf->users->pid);
		return;
	}
	/* Nor while "apply" resets it, or counts on it being at rest. */
	if (lock_pf(vf->pf_bdf, 0, &lock)) {
		snprintf(f->trouble, sizeof(f->trouble), "not opened: another " TOOL_NAME " is working on its PF");
		return;
	}
	note("%s: opened to see what VFIO offers", vf->bdf);
	/* Kernels with IOMMUFD alone have no groups. */
	err = access("/dev/vfio/vfio", F_OK) && *vf->cdev ?
	      look_through(vf, f, vfio_open_cdev) :
	      look_through(vf, f, vfio_open);
	if (!err && *vf->cdev && !access("/dev/iommu", F_OK))
		err = look_through(vf, f, vfio_open_cdev);
	unlock_pf(lock);
	/* Opened by somebody since the processes were looked at. */
	if (err == -EBUSY) {
		snprintf(f->trouble, sizeof(f->trouble), "in use");
		return;
	}
	f->tried = true;
	if (err)
		snprintf(f->trouble, sizeof(f->trouble), "%s", lib_msg());
}

static void find_name(struct checkup *c)
{
	struct utsname u;

	uname(&u);
	snprintf(c->release, sizeof(c->release), "%s", u.release);
	snprintf(c->machine, sizeof(c->machine), "%s", u.machine);
	snprintf(c->name, sizeof(c->name), "%s", u.nodename);
}

int inventory_find(struct checkup *c, const struct host_fn *only)
{
	struct host_fn *fn;
	size_t i;

	find_name(c);
	c->root = !geteuid();
	c->modules = modules_new();
	c->facts = calloc(c->host->n + 1, sizeof(*c->facts));
	if (!c->modules || !c->facts)
		return fail(TOOL_FAILED, "out of memory");
	for (i = 0; i < c->host->n; i++) {
		fn = &c->host->fn[i];
		if (!inventory_wanted(fn, only))
			continue;
		if (fn->role == ROLE_PF)
			identify(fn, &c->facts[i]);
		else if (fn->role == ROLE_VF)
			try_vfio(c, fn, &c->facts[i]);
	}
	return TOOL_OK;
}

json_object *inventory_classes(struct host *h)
{
	struct checkup c = { .host = h };
	json_object *host, *functions;

	find_name(&c);
	c.tracking = kernel_tracking(c.release);
	c.facts = calloc(h->n + 1, sizeof(*c.facts));
	need_memory(c.facts);
	host = inventory_host(&c);
	functions = inventory_functions(&c, NULL, host);
	json_object_put(host);
	free(c.facts);
	return functions;
}

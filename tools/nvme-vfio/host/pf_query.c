// SPDX-License-Identifier: GPL-2.0-only
/*
 * pf_query.c - what only a PF's controller knows about its VFs.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool.h"
#include "nvme.h"
#include "pf_query.h"
#include "util.h"

#define MODULE	"/sys/module"

/* The first reason is the one that counts. */
__attribute__((format(printf, 2, 3)))
static void because(struct host_fn *fn, const char *fmt, ...)
{
	va_list ap;

	if (fn->why)
		return;
	va_start(ap, fmt);
	if (vasprintf(&fn->why, fmt, ap) < 0)
		fn->why = NULL;
	va_end(ap);
}

/* The driver asks for the vendor set only where the PCI id is known to have it. */
static bool vendor_id_listed(const struct host_fn *pf)
{
	char list[256];
	unsigned int v, d;
	const char *s = list;

	if (lm_vendor_id_known(pf->vendor, pf->vf_device))
		return true;
	if (sysfs_read(list, sizeof(list),
		       MODULE "/nvme_vfio_pci/parameters/vendor_ids") < 0)
		return false;
	while (s && sscanf(s, "%4x:%4x", &v, &d) == 2) {
		if (v == pf->vendor && d == pf->vf_device)
			return true;
		s = strchr(s, ',');
		if (s)
			s++;
	}
	return false;
}

static void find_set(struct ctrl *ctrl, const struct ctrl_id *id,
		    struct host_fn *pf)
{
	const char *why;

	if (id->migration) {
		if (ctrl_format(ctrl, pf->formats, &pf->format, &why))
			because(pf, "the PF does not report its state formats: %s",
				ctrl_error());
		else if (why)
			because(pf, "%s", why);
		else
			pf->set = SET_STANDARD;
		pf->has_format = pf->set;
		if (pf->set)
			return;
	}
	if (id->vendor_byte) {
		if (vendor_id_listed(pf))
			pf->set = SET_VENDOR;
		else
			because(pf, "the PF may have the vendor set of 2022, but %04x:%04x is not in the vendor_ids of " TOOL_DRIVER,
				pf->vendor, pf->vf_device);
	}
	if (!pf->set)
		because(pf, LM_NO_COMMANDS);
}

static int list_vfs(struct ctrl *ctrl, struct host *h, struct host_fn *pf)
{
	struct ctrl_secondary *list;
	struct host_fn *vf;
	size_t i, n;
	int ret;

	ret = ctrl_secondaries(ctrl, &list, &n);
	if (ret)
		return ret;
	for (i = 0; i < n; i++) {
		vf = list[i].vfn ? host_vf(h, pf, list[i].vfn) : NULL;
		/* The list may be about the VFs of several PFs. */
		if (!vf || list[i].primary != pf->cntlid)
			continue;
		vf->listed = true;
		vf->cntlid = list[i].cntlid;
		vf->online = list[i].online;
		vf->nvq = list[i].nvq;
		vf->nvi = list[i].nvi;
	}
	free(list);
	return 0;
}

static int add_namespace(struct host_fn *fn, uint32_t nsid,
			 const struct stream_namespace *ns)
{
	uint32_t *more = realloc(fn->nsid, (fn->nns + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	fn->nsid = more;
	more[fn->nns++] = nsid;
	ns_add(&fn->namespaces, ns);
	return 0;
}

static int list_namespaces(struct ctrl *ctrl, struct host *h,
			   struct host_fn *pf)
{
	size_t i, j, k, n, m;
	uint16_t *cntlid;
	uint32_t *nsid;
	int ret;

	ret = ctrl_namespaces(ctrl, &nsid, &n);
	for (i = 0; !ret && i < n; i++) {
		struct stream_namespace ns;
		bool own = false;

		ret = ctrl_attached(ctrl, nsid[i], &cntlid, &m);
		for (j = 0; !ret && j < m; j++)
			own |= cntlid[j] == pf->cntlid;
		if (!ret)
			ret = ctrl_namespace(ctrl, nsid[i], own, &ns);
		for (j = 0; !ret && j < m; j++)
			for (k = 0; !ret && k < h->n; k++) {
				struct host_fn *fn = &h->fn[k];

				if ((fn == pf || (fn->pf == pf && fn->listed)) &&
				    fn->cntlid == cntlid[j])
					ret = add_namespace(fn, nsid[i], &ns);
			}
		free(cntlid);
	}
	/* None is an answer as well. */
	for (k = 0; !ret && k < h->n; k++) {
		struct host_fn *fn = &h->fn[k];

		if (fn != pf && (fn->pf != pf || !fn->listed))
			continue;
		/* The driver looks at no more either. */
		fn->namespaces.known = n <= NS_MAX_ASKED;
		if (!fn->nsid) {
			fn->nsid = calloc(1, sizeof(*fn->nsid));
			if (!fn->nsid)
				ret = -ENOMEM;
		}
	}
	free(nsid);
	return ret;
}

static int query(struct ctrl *ctrl, struct host *h, struct host_fn *pf)
{
	struct ctrl_id id;
	int ret;

	ret = ctrl_identify(ctrl, &id);
	if (ret)
		return ret;
	pf->asked = true;
	pf->listed = true;
	pf->online = true;
	pf->cntlid = id.cntlid;
	pf->nvme_version = id.version;
	pf->track_memory = id.track_memory;
	find_set(ctrl, &id, pf);
	if (id.virt_mgmt || pf->set == SET_STANDARD) {
		ret = list_vfs(ctrl, h, pf);
		if (ret == -ENOMEM)
			return ret;
	}
	if (!id.ns_mgmt)
		return 0;
	ret = list_namespaces(ctrl, h, pf);
	return ret == -ENOMEM ? ret : 0;
}

static void judge_vf(struct host_fn *vf)
{
	const struct host_fn *pf = vf->pf;
	char proof[32] = "";

	if (!strcmp(vf->driver, TOOL_DRIVER))
		driver_view_read(&vf->says, vf->bdf);
	/* It decides, and asking it needs no privilege. */
	if (vf->says.can == DRIVER_NO && *vf->says.reason)
		because(vf, "%s", vf->says.reason);
	if (!pf) {
		because(vf, "its PF %s is not an NVMe function", vf->pf_bdf);
		return;
	}
	vf->asked = pf->asked;
	vf->unknown = pf->unknown && !vf->why;
	vf->set = pf->set;
	if (!pf->set) {
		because(vf, "%s", pf->why ? pf->why : "not known");
		return;
	}
	if (pf->set == SET_STANDARD && !vf->listed)
		because(vf, LM_NOT_LISTED);
	else if (vf->listed && !vf->online)
		because(vf, "offline; fix: " TOOL_NAME " apply, or nvme virt-mgmt");
	else if (!*vf->driver)
		because(vf, "bound to no driver; fix: " TOOL_NAME " bind %s",
			vf->bdf);
	else if (strcmp(vf->driver, TOOL_DRIVER))
		because(vf, "bound to %s; fix: " TOOL_NAME " bind %s",
			vf->driver, vf->bdf);
	sysfs_read(proof, sizeof(proof),
		   MODULE "/nvme_pf_shim/parameters/proof");
	if (!strcmp(proof, "none"))
		because(vf, "module nvme-pf-shim was loaded with proof=none");
	/* Nobody knows whether it will when it is opened. */
	if (!vf->why && vf->says.can == DRIVER_NOT_NOW) {
		vf->unknown = true;
		because(vf, "not for now: %s", vf->says.reason);
	}
}

static void judge(struct host *h, struct host_fn *pf)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		if (h->fn[i].pf == pf)
			judge_vf(&h->fn[i]);
	if (pf->set) {
		free(pf->why);
		pf->why = NULL;
		because(pf, "a PF; its VFs have the %s command set",
			host_set_name(pf->set));
	}
}

int pf_query(struct host *h, struct host_fn *pf)
{
	struct ctrl *ctrl = NULL;
	int ret;

	if (strcmp(pf->driver, "nvme") || !*pf->ctrl) {
		because(pf, "the PF is bound to %s, and only nvme can reach its controller",
			*pf->driver ? pf->driver : "no driver");
	} else if (strcmp(pf->state, "live")) {
		/* A command would wait for the reset, perhaps for long. */
		because(pf, "the PF's controller is %s",
			*pf->state ? pf->state : "gone");
	} else {
		ret = ctrl_open(pf->ctrl, &ctrl);
		if (!ret)
			ret = query(ctrl, h, pf);
		ctrl_close(ctrl);
		if (ret == -ENOMEM)
			return fail(TOOL_FAILED, "out of memory");
		if (ret) {
			pf->unknown = true;
			because(pf, "not known: %s", ctrl_error());
		}
	}
	judge(h, pf);
	return TOOL_OK;
}

int pf_query_all(struct host *h)
{
	int err = TOOL_OK;
	size_t i;

	for (i = 0; !err && i < h->n; i++) {
		if (h->fn[i].role == ROLE_PF)
			err = pf_query(h, &h->fn[i]);
		else if (h->fn[i].role == ROLE_PLAIN)
			because(&h->fn[i], "a drive without SR-IOV");
		else if (!h->fn[i].pf)
			judge_vf(&h->fn[i]);
	}
	return err;
}

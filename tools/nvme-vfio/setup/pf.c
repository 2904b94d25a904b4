// SPDX-License-Identifier: GPL-2.0-only
/*
 * pf.c - a PF and what its VFs are like.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool.h"
#include "host/busy.h"
#include "pf.h"
#include "util.h"

bool pf_gone(const struct pf *pf)
{
	char class[16];

	return sysfs_read(class, sizeof(class), HOST_PCI "/%s/class",
			  pf->fn->bdf) < 0;
}

/* The message about a command that failed. */
static int no_answer(const struct pf *pf, int ret)
{
	if (ret == -ENODEV || pf_gone(pf))
		return fail(TOOL_NODEV, "%s: the PF is gone", pf->fn->bdf);
	if (ret == -EACCES || ret == -EPERM)
		return fail(TOOL_PERM, "%s: %s: try again with sudo",
			    pf->fn->bdf, ctrl_error());
	return fail(TOOL_FAILED, "%s: %s", pf->fn->bdf, ctrl_error());
}

int pf_open(const struct host_fn *fn, struct pf *pf)
{
	int ret;

	memset(pf, 0, sizeof(*pf));
	pf->fn = fn;
	if (strcmp(fn->driver, "nvme") || !*fn->ctrl)
		return fail(TOOL_NODEV, "%s: bound to %s, and only nvme can reach its controller: unbind it, clear its driver_override, and echo %s > /sys/bus/pci/drivers/nvme/bind",
			    fn->bdf, *fn->driver ? fn->driver : "no driver",
			    fn->bdf);
	if (strcmp(fn->state, "live"))
		return fail(TOOL_NODEV, "%s: its controller %s is %s, not live: see the kernel log",
			    fn->bdf, fn->ctrl, *fn->state ? fn->state : "gone");
	ret = ctrl_open(fn->ctrl, &pf->ctrl);
	if (!ret)
		ret = ctrl_identify(pf->ctrl, &pf->id);
	if (!ret && pf->id.virt_mgmt)
		ret = ctrl_resources(pf->ctrl, pf->id.cntlid, pf->res);
	if (!ret && pf->id.ns_mgmt)
		ret = ctrl_namespaces(pf->ctrl, &pf->nsid, &pf->nns);
	return ret ? no_answer(pf, ret) : TOOL_OK;
}

void pf_close(struct pf *pf)
{
	ctrl_close(pf->ctrl);
	free(pf->nsid);
	memset(pf, 0, sizeof(*pf));
}

bool vf_has(const struct vf_state *vf, uint32_t nsid)
{
	size_t i;

	for (i = 0; i < vf->nns; i++)
		if (vf->nsid[i] == nsid)
			return true;
	return false;
}

int vf_add(struct vf_state *vf, uint32_t nsid)
{
	uint32_t *more;

	if (vf_has(vf, nsid))
		return TOOL_OK;
	more = realloc(vf->nsid, (vf->nns + 1) * sizeof(*more));
	if (!more)
		return fail(TOOL_FAILED, "out of memory");
	vf->nsid = more;
	more[vf->nns++] = nsid;
	return TOOL_OK;
}

void vf_drop(struct vf_state *vf, uint32_t nsid)
{
	size_t i, n = 0;

	for (i = 0; i < vf->nns; i++)
		if (vf->nsid[i] != nsid)
			vf->nsid[n++] = vf->nsid[i];
	vf->nns = n;
}

static int read_secondaries(const struct pf *pf, struct pf_state *s)
{
	struct ctrl_secondary *list;
	size_t i, n;
	int ret;

	ret = ctrl_secondaries(pf->ctrl, &list, &n);
	if (ret)
		return ret;
	for (i = 0; i < n; i++) {
		struct vf_state *vf;

		if (!list[i].vfn || list[i].vfn > s->n ||
		    list[i].primary != pf->id.cntlid)
			continue;
		vf = &s->vf[list[i].vfn - 1];
		vf->listed = true;
		vf->cntlid = list[i].cntlid;
		vf->online = list[i].online;
		vf->count[RESOURCE_QUEUES] = list[i].nvq;
		vf->count[RESOURCE_INTERRUPTS] = list[i].nvi;
	}
	free(list);
	return 0;
}

/* Not of the host's nvme, which gives its controller up and has to probe anew. */
static void read_lost(struct vf_state *vf)
{
	vf->lost = *vf->bdf && vf->listed && !vf->online &&
		   busy_is_open(vf->bdf);
}

static int read_namespaces(const struct pf *pf, struct pf_state *s)
{
	size_t i, j, m;
	uint16_t *cntlid;
	unsigned int k;
	int ret = 0;

	for (i = 0; !ret && i < pf->nns; i++) {
		ret = ctrl_attached(pf->ctrl, pf->nsid[i], &cntlid, &m);
		for (j = 0; !ret && j < m; j++)
			for (k = 0; k < s->n; k++)
				if (s->vf[k].listed &&
				    s->vf[k].cntlid == cntlid[j] &&
				    vf_add(&s->vf[k], pf->nsid[i]))
					ret = -ENOMEM;
		free(cntlid);
	}
	return ret;
}

static void read_vf(const struct pf *pf, unsigned int vfn, struct vf_state *vf)
{
	char text[HOST_NAME];

	if (sysfs_link(vf->bdf, sizeof(vf->bdf), HOST_PCI "/%s/virtfn%u",
		       pf->fn->bdf, vfn - 1)) {
		*vf->bdf = 0;
		return;
	}
	if (sysfs_link(vf->driver, sizeof(vf->driver), HOST_PCI "/%s/driver",
		       vf->bdf))
		*vf->driver = 0;
	if (sysfs_read(text, sizeof(text), HOST_PCI "/%s/driver_override",
		       vf->bdf) > 0 && strcmp(text, "(null)"))
		strcpy(vf->override, text);
}

/* A driver that is not loaded, or has no policies, uses the defaults. */
static void read_policy(const struct pf *pf, struct pf_state *s)
{
	char text[4096], *line, *rest = text;
	size_t len = strlen(pf->fn->bdf);

	if (sysfs_read(text, sizeof(text), POLICY_FILE) < 0)
		return;
	while ((line = strsep(&rest, "\n")))
		if (!strncmp(line, pf->fn->bdf, len) && line[len] == ' ')
			snprintf(s->policy, sizeof(s->policy), "%s",
				 line + len + 1);
}

int pf_read(const struct pf *pf, struct pf_state *s)
{
	char num[16], probe[16];
	unsigned int i;
	int ret = 0;

	memset(s, 0, sizeof(*s));
	if (sysfs_read(num, sizeof(num), HOST_PCI "/%s/sriov_numvfs",
		       pf->fn->bdf) < 0 ||
	    sysfs_read(probe, sizeof(probe),
		       HOST_PCI "/%s/sriov_drivers_autoprobe", pf->fn->bdf) < 0)
		return no_answer(pf, -ENODEV);
	s->numvfs = atoi(num);
	s->autoprobe = atoi(probe);
	read_policy(pf, s);
	s->n = pf->fn->totalvfs;
	s->vf = calloc(s->n, sizeof(*s->vf));
	if (!s->vf)
		return fail(TOOL_FAILED, "out of memory");
	for (i = 0; i < s->numvfs && i < s->n; i++)
		read_vf(pf, i + 1, &s->vf[i]);
	if (pf->id.virt_mgmt || pf->id.migration)
		ret = read_secondaries(pf, s);
	for (i = 0; !ret && i < s->n; i++)
		read_lost(&s->vf[i]);
	if (!ret)
		ret = read_namespaces(pf, s);
	return ret ? no_answer(pf, ret) : TOOL_OK;
}

int pf_state_copy(const struct pf_state *from, struct pf_state *to)
{
	int err = TOOL_OK;
	unsigned int i;
	size_t k;

	*to = *from;
	to->vf = calloc(to->n, sizeof(*to->vf));
	if (!to->vf) {
		to->n = 0;
		return fail(TOOL_FAILED, "out of memory");
	}
	for (i = 0; i < to->n; i++) {
		to->vf[i] = from->vf[i];
		to->vf[i].nsid = NULL;
		to->vf[i].nns = 0;
	}
	for (i = 0; i < to->n; i++)
		for (k = 0; !err && k < from->vf[i].nns; k++)
			err = vf_add(&to->vf[i], from->vf[i].nsid[k]);
	return err;
}

void pf_state_free(struct pf_state *s)
{
	unsigned int i;

	for (i = 0; s->vf && i < s->n; i++)
		free(s->vf[i].nsid);
	free(s->vf);
	memset(s, 0, sizeof(*s));
}

static bool vf_is(const struct vf_state *now, const struct vf_state *want,
		  const char **what)
{
	size_t i;

	*what = "driver";
	if (strcmp(now->driver, want->driver))
		return false;
	*what = "driver_override";
	if (strcmp(now->override, want->override))
		return false;
	if (!want->listed)
		return true;
	*what = "controller's state";
	if (now->online != want->online)
		return false;
	*what = "number of queues";
	if (now->count[RESOURCE_QUEUES] != want->count[RESOURCE_QUEUES])
		return false;
	*what = "number of interrupts";
	if (now->count[RESOURCE_INTERRUPTS] != want->count[RESOURCE_INTERRUPTS])
		return false;
	*what = "attached namespaces";
	for (i = 0; i < want->nns; i++)
		if (!vf_has(now, want->nsid[i]))
			return false;
	return true;
}

bool pf_state_is(const struct pf_state *now, const struct pf_state *want,
		 char *why, size_t len)
{
	const char *what;
	unsigned int i;

	if (now->autoprobe != want->autoprobe) {
		snprintf(why, len, "sriov_drivers_autoprobe is %u, not %u",
			 now->autoprobe, want->autoprobe);
		return false;
	}
	if (strcmp(now->policy, want->policy)) {
		snprintf(why, len, "the policy is '%.90s', not '%.90s'",
			 now->policy, want->policy);
		return false;
	}
	if (now->numvfs != want->numvfs) {
		snprintf(why, len, "there are %u VFs, not %u", now->numvfs,
			 want->numvfs);
		return false;
	}
	for (i = 0; i < want->n && i < now->n; i++) {
		if (vf_is(&now->vf[i], &want->vf[i], &what))
			continue;
		snprintf(why, len, "VF %u: wrong %s", i + 1,
			 what);
		return false;
	}
	return true;
}

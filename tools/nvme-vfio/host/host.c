// SPDX-License-Identifier: GPL-2.0-only
/*
 * host.c - the NVMe functions of this host, from sysfs.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/tool.h"
#include "host.h"
#include "util.h"

#define CLASS_NVM	0x0108	/* any programming interface */

/* A small number from a file of the function; @otherwise if there is none. */
static unsigned long number(const char *bdf, const char *file,
			    unsigned long otherwise)
{
	unsigned long n;
	char text[32];
	char *end;

	if (sysfs_read(text, sizeof(text), HOST_PCI "/%s/%s", bdf, file) < 0)
		return otherwise;
	n = strtoul(text, &end, 0);
	return end == text ? otherwise : n;
}

/* The first entry of a folder whose name begins as given. */
static void entry(char *name, size_t len, const char *bdf, const char *folder,
		  const char *begin)
{
	char path[128];
	struct dirent *e;
	DIR *dir;

	*name = 0;
	snprintf(path, sizeof(path), HOST_PCI "/%s/%s", bdf, folder);
	dir = opendir(path);
	if (!dir)
		return;
	while (!*name && (e = readdir(dir)))
		if (!strncmp(e->d_name, begin, strlen(begin)) &&
		    strlen(e->d_name) < len)
			strcpy(name, e->d_name);
	closedir(dir);
}

char *host_trim(char *text)
{
	size_t lead = strspn(text, " \t"), len = strlen(text + lead);

	while (len && isspace((unsigned char)text[lead + len - 1]))
		len--;
	memmove(text, text + lead, len);
	text[len] = 0;
	return text;
}

/* What a kernel says of a controller that it has not identified yet. */
#define NOT_YET	"(efault)"

static void load_name(char *name, size_t len, const char *ctrl,
		      const char *file)
{
	sysfs_read(name, len, HOST_NVME "/%s/%s", ctrl, file);
	host_trim(name);
	if (!strcmp(name, NOT_YET))
		*name = 0;
}

static void load_ctrl(struct host_fn *fn)
{
	const char *ctrl = fn->ctrl;

	entry(fn->ctrl, sizeof(fn->ctrl), fn->bdf, "nvme", "nvme");
	if (!*ctrl)
		return;
	sysfs_read(fn->state, sizeof(fn->state), HOST_NVME "/%s/state", ctrl);
	load_name(fn->serial, sizeof(fn->serial), ctrl, "serial");
	load_name(fn->nqn, sizeof(fn->nqn), ctrl, "subsysnqn");
	load_name(fn->model, sizeof(fn->model), ctrl, "model");
	load_name(fn->firmware, sizeof(fn->firmware), ctrl, "firmware_rev");
}

static void load_fn(struct host_fn *fn)
{
	char text[HOST_NAME];

	fn->vendor = number(fn->bdf, "vendor", 0);
	fn->device = number(fn->bdf, "device", 0);
	sysfs_link(fn->driver, sizeof(fn->driver), HOST_PCI "/%s/driver",
		   fn->bdf);
	/* Kernels write "(null)" where there is none. */
	if (sysfs_read(text, sizeof(text), HOST_PCI "/%s/driver_override",
		       fn->bdf) > 0 && strcmp(text, "(null)"))
		strcpy(fn->override, text);
	fn->iommu_group = -1;
	if (!sysfs_link(text, sizeof(text), HOST_PCI "/%s/iommu_group",
			fn->bdf))
		fn->iommu_group = atoi(text);
	/* The name is there on every kernel, the device only with IOMMUFD. */
	entry(fn->cdev, sizeof(fn->cdev), fn->bdf, "vfio-dev", "vfio");
	if (sysfs_read(text, sizeof(text), HOST_PCI "/%s/vfio-dev/%s/dev",
		       fn->bdf, fn->cdev) < 0)
		*fn->cdev = 0;
	if (!sysfs_link(fn->pf_bdf, sizeof(fn->pf_bdf), HOST_PCI "/%s/physfn",
			fn->bdf))
		fn->role = ROLE_VF;
	fn->totalvfs = number(fn->bdf, "sriov_totalvfs", 0);
	if (fn->totalvfs) {
		fn->role = ROLE_PF;
		fn->numvfs = number(fn->bdf, "sriov_numvfs", 0);
		fn->autoprobe = number(fn->bdf, "sriov_drivers_autoprobe", 1);
		if (sysfs_read(text, sizeof(text),
			       HOST_PCI "/%s/sriov_vf_device", fn->bdf) > 0)
			fn->vf_device = strtoul(text, NULL, 16);
	}
	load_ctrl(fn);
}

/* A PF's VFs come after it, in the order of their numbers. */
static int by_family(const void *a, const void *b)
{
	const struct host_fn *x = a, *y = b;
	const char *fx = x->role == ROLE_VF ? x->pf_bdf : x->bdf;
	const char *fy = y->role == ROLE_VF ? y->pf_bdf : y->bdf;
	int diff = strcmp(fx, fy);

	if (!diff)
		diff = (int)x->vfn - (int)y->vfn;
	return diff ? diff : strcmp(x->bdf, y->bdf);
}

static struct host_fn *by_bdf(struct host *h, const char *bdf)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		if (!strcmp(h->fn[i].bdf, bdf))
			return &h->fn[i];
	return NULL;
}

static void number_vfs(struct host *h, const struct host_fn *pf)
{
	struct host_fn *vf;
	char bdf[BDF_MAX];
	unsigned int i;

	for (i = 0; i < pf->totalvfs; i++) {
		if (sysfs_link(bdf, sizeof(bdf), HOST_PCI "/%s/virtfn%u",
			       pf->bdf, i))
			break;
		vf = by_bdf(h, bdf);
		if (vf)
			vf->vfn = i + 1;
	}
}

static int load_all(struct host *h, DIR *dir)
{
	struct dirent *e;
	struct host_fn *fn;

	while ((e = readdir(dir))) {
		if (!isxdigit((unsigned char)e->d_name[0]) ||
		    strlen(e->d_name) >= BDF_MAX ||
		    number(e->d_name, "class", 0) >> 8 != CLASS_NVM)
			continue;
		fn = realloc(h->fn, (h->n + 1) * sizeof(*fn));
		if (!fn)
			return fail(TOOL_FAILED, "out of memory");
		h->fn = fn;
		fn += h->n++;
		memset(fn, 0, sizeof(*fn));
		strcpy(fn->bdf, e->d_name);
		load_fn(fn);
	}
	return TOOL_OK;
}

int host_load(struct host *h)
{
	size_t i;
	DIR *dir;
	int err;

	memset(h, 0, sizeof(*h));
	dir = opendir(HOST_PCI);
	if (!dir)
		return fail(TOOL_FAILED, HOST_PCI ": %s", strerror(errno));
	err = load_all(h, dir);
	closedir(dir);
	if (err)
		return err;
	for (i = 0; i < h->n; i++)
		if (h->fn[i].role == ROLE_PF)
			number_vfs(h, &h->fn[i]);
	if (h->n)
		qsort(h->fn, h->n, sizeof(*h->fn), by_family);
	/* From here on nothing moves any more. */
	for (i = 0; i < h->n; i++)
		if (h->fn[i].role == ROLE_VF)
			h->fn[i].pf = by_bdf(h, h->fn[i].pf_bdf);
	return TOOL_OK;
}

void host_free(struct host *h)
{
	size_t i;

	for (i = 0; i < h->n; i++) {
		free(h->fn[i].users);
		free(h->fn[i].nsid);
		free(h->fn[i].why);
	}
	free(h->fn);
	memset(h, 0, sizeof(*h));
}

/* "3b:00.0" and "0000:3B:00.0" are one address. */
static bool same_address(const char *bdf, const char *name)
{
	return !strcasecmp(bdf, name) ||
	       (!strncmp(bdf, "0000:", 5) && !strcasecmp(bdf + 5, name));
}

struct host_fn *host_find(struct host *h, const char *name)
{
	size_t i;

	if (!strncmp(name, "/dev/", 5))
		name += 5;
	if (!*name)
		return NULL;
	for (i = 0; i < h->n; i++)
		if (same_address(h->fn[i].bdf, name) ||
		    !strcmp(h->fn[i].ctrl, name))
			return &h->fn[i];
	return NULL;
}

bool host_called(const struct host_fn *fn, const char *name)
{
	char *text = strdup(name);
	bool found;

	if (!text)
		exit(fail(TOOL_FAILED, "out of memory"));
	host_trim(text);
	found = *text && (!strcmp(fn->serial, text) || !strcmp(fn->nqn, text));
	free(text);
	return found;
}

const char *host_unread(const struct host *h, const char *its,
			const char *their)
{
	static char text[512];
	unsigned int n = 0;
	size_t i, len = 0;

	for (i = 0; i < h->n && len < sizeof(text) / 2; i++) {
		const struct host_fn *fn = &h->fn[i];

		if (fn->role != ROLE_PF || !strcmp(fn->driver, "nvme"))
			continue;
		len += snprintf(text + len, sizeof(text) - len, "%s %s%s",
				n ? "," : ";", fn->bdf,
				n ? " to " : " is bound to ");
		len += snprintf(text + len, sizeof(text) - len, "%s",
				*fn->driver ? fn->driver : "no driver");
		n++;
	}
	if (!n)
		return "";
	snprintf(text + len, sizeof(text) - len, ", so %s cannot be read",
		 n == 1 ? its : their);
	return text;
}

/* It has the form of an address, and is no serial number or NQN. */
static bool is_address(const char *name)
{
	return strchr(name, ':') &&
	       strspn(name, "0123456789abcdefABCDEF:.") == strlen(name);
}

/* By serial number or NQN; *@twice is set if more than one fits. */
static struct host_fn *by_identity(struct host *h, const char *name,
				   struct host_fn **twice)
{
	struct host_fn *found = NULL;
	size_t i;

	*twice = NULL;
	for (i = 0; i < h->n; i++) {
		struct host_fn *fn = &h->fn[i];

		/* A VF shows the serial number of its drive as well. */
		if (fn->role == ROLE_VF || !host_called(fn, name))
			continue;
		if (found)
			*twice = fn;
		else
			found = fn;
	}
	return found;
}

int host_find_pf(struct host *h, const char *name, struct host_fn **fn)
{
	struct host_fn *twice = NULL;

	*fn = host_find(h, name);
	if (!*fn && *name)
		*fn = by_identity(h, name, &twice);
	if (!*fn)
		return fail(TOOL_NODEV, "%s: no such PF; \"" TOOL_NAME " list\" shows all%s",
			    name, is_address(name) ? "" :
			    host_unread(h, "its serial number and NQN",
					"their serial numbers and NQNs"));
	if (twice)
		return fail(TOOL_NODEV, "%s: names both %s and %s; name one by its address",
			    name, (*fn)->bdf, twice->bdf);
	if ((*fn)->role == ROLE_VF)
		return fail(TOOL_NODEV, "%s: a VF, not a PF; its PF is %s",
			    name, (*fn)->pf_bdf);
	if ((*fn)->role == ROLE_PLAIN)
		return fail(TOOL_NODEV, "%s: has no SR-IOV, so there are no VFs to set up: is it disabled in the firmware of the host or of the drive?",
			    name);
	return TOOL_OK;
}

struct host_fn *host_vf(struct host *h, const struct host_fn *pf,
			unsigned int vfn)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		if (h->fn[i].pf == pf && h->fn[i].vfn == vfn)
			return &h->fn[i];
	return NULL;
}

int host_find_vf(struct host *h, const char *name, struct host_fn **fn)
{
	*fn = host_find(h, name);
	if (!*fn)
		return fail(TOOL_NODEV, "%s: no such NVMe function; \"" TOOL_NAME " list\" shows all",
			    name);
	if ((*fn)->role != ROLE_VF)
		return fail(TOOL_NODEV, "%s: not a VF but %s", name,
			    (*fn)->role == ROLE_PF ? "a PF" :
			    "a drive without SR-IOV");
	return TOOL_OK;
}

const char *host_role_name(enum host_role role)
{
	static const char * const name[] = { "drive", "pf", "vf" };

	return name[role];
}

const char *host_set_name(enum command_set set)
{
	static const char * const name[] = { NULL, "standard", "vendor" };

	return name[set];
}

bool host_is_vfio(const char *driver)
{
	return !strcmp(driver, TOOL_DRIVER) || strstr(driver, "vfio");
}

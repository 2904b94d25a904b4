// SPDX-License-Identifier: GPL-2.0-only
/*
 * device.c - a PF with VFs in memory. It only has what steps use; asking for
 * anything else ends the test.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool.h"
#include "device.h"
#include "host/busy.h"
#include "host/host.h"
#include "setup/module.h"
#include "util.h"

struct dev dev;
struct ctrl_resource dev_res[RESOURCES];
const char *dev_broken;
int dev_calls, dev_fail_at, dev_errno, dev_fail_again, dev_gone_at;
bool dev_lies;
static bool gone;

/* what a function that ends with a format is asked for */
#define FORMAT(text, fmt) do { \
	va_list ap__; \
	va_start(ap__, fmt); \
	vsnprintf(text, sizeof(text), fmt, ap__); \
	va_end(ap__); \
} while (0)

/* a controller id must not be taken for the number of a VF */
#define CNTLID(vf)	(0x100 + 3 * (vf))

void dev_begin(void)
{
	dev_broken = NULL;
	dev_calls = 0;
	dev_fail_at = 0;
	dev_errno = 0;
	dev_fail_again = 0;
	dev_gone_at = 0;
	dev_lies = false;
	gone = false;
}

bool dev_same(const struct dev *a, const struct dev *b)
{
	int i;

	if (a->autoprobe != b->autoprobe || a->numvfs != b->numvfs)
		return false;
	for (i = 0; i < DEV_VFS; i++) {
		const struct dev_vf *x = &a->vf[i], *y = &b->vf[i];

		if (x->online != y->online ||
		    memcmp(x->count, y->count, sizeof(x->count)) ||
		    memcmp(x->attached, y->attached, sizeof(x->attached)) ||
		    strcmp(x->driver, y->driver) ||
		    strcmp(x->override, y->override))
			return false;
	}
	return true;
}

static void never(const char *what)
{
	if (!dev_broken)
		dev_broken = what;
}

/* Whether this call, which would change something, fails. */
static int fails(void)
{
	dev_calls++;
	if (dev_calls == dev_gone_at)
		gone = true;
	if (gone)
		return -ENODEV;
	if (dev_calls != dev_fail_at && dev_calls != dev_fail_again)
		return 0;
	return dev_errno ? dev_errno : -EIO;
}

/* -- sysfs --------------------------------------------------------------------- */

static void address(int vf, char *bdf)
{
	sprintf(bdf, "0000:01:00.%d", vf + 1);
}

/* "devices/<address of an existing VF>/<rest>" */
static struct dev_vf *vf_at(const char *path, const char **rest)
{
	unsigned int vf;
	char bdf[BDF_MAX];
	size_t len;

	if (strncmp(path, HOST_PCI "/", sizeof(HOST_PCI)))
		return NULL;
	path += sizeof(HOST_PCI);
	for (vf = 0; vf < dev.numvfs; vf++) {
		address(vf, bdf);
		len = strlen(bdf);
		if (strncmp(path, bdf, len) || path[len] != '/')
			continue;
		*rest = path + len + 1;
		return &dev.vf[vf];
	}
	return NULL;
}

static struct dev_vf *vf_named(const char *bdf)
{
	char path[64];
	const char *rest;

	snprintf(path, sizeof(path), HOST_PCI "/%s/", bdf);
	return vf_at(path, &rest);
}

static void new_vf(struct dev_vf *vf)
{
	strcpy(vf->driver, dev.autoprobe ? "nvme" : "");
	*vf->override = 0;
	vf->fresh = true;
}

static int set_numvfs(const char *text)
{
	unsigned int n = atoi(text), i;

	if (n == dev.numvfs)
		return 0;
	if (n && dev.numvfs)
		return -EBUSY;
	if (n > DEV_VFS)
		return -ERANGE;
	for (i = 0; i < dev.numvfs; i++) {
		struct dev_vf *vf = &dev.vf[i];

		if (vf->open)
			never("a VF in use was removed");
		*vf->driver = 0;
		*vf->override = 0;
		vf->online = false;
		memset(vf->count, 0, sizeof(vf->count));
	}
	dev.numvfs = n;
	for (i = 0; i < n; i++)
		new_vf(&dev.vf[i]);
	return 0;
}

static int unbind(const char *driver, const char *bdf)
{
	struct dev_vf *vf = vf_named(bdf);

	if (!vf || strcmp(vf->driver, driver))
		return -ENODEV;
	if (vf->open)
		never("a VF in use was unbound");
	*vf->driver = 0;
	return 0;
}

static int probe(const char *bdf)
{
	struct dev_vf *vf = vf_named(bdf);

	if (!vf)
		return -ENODEV;
	if (*vf->driver)
		return 0;
	if (!strcmp(vf->override, "refuses"))
		return 0;
	if (*vf->override)
		strcpy(vf->driver, vf->override);
	else if (dev.autoprobe)
		strcpy(vf->driver, "nvme");
	return 0;
}

/* Would anybody miss its controller? Not if it is offline while open. */
static bool is_had(const struct dev_vf *vf)
{
	return vf->open ? vf->online : *vf->driver;
}

static int vf_write(struct dev_vf *vf, const char *file, const char *text)
{
	if (!strcmp(file, "driver_override")) {
		snprintf(vf->override, sizeof(vf->override), "%s", text);
		vf->override[strcspn(vf->override, "\n")] = 0;
		return 0;
	}
	if (!strcmp(file, "reset")) {
		if (is_had(vf))
			never("a VF that somebody has was reset");
		vf->fresh = true;
		return 0;
	}
	abort();
}

int sysfs_write(const char *text, const char *fmt, ...)
{
	char path[256], driver[64];
	struct dev_vf *vf;
	const char *rest;
	int err;

	FORMAT(path, fmt);
	err = fails();
	if (err)
		return err;
	if (!strcmp(path, HOST_PCI "/" DEV_PF "/sriov_numvfs"))
		return set_numvfs(text);
	if (!strcmp(path, HOST_PCI "/" DEV_PF "/sriov_drivers_autoprobe")) {
		dev.autoprobe = atoi(text);
		return 0;
	}
	if (!strcmp(path, "/sys/bus/pci/drivers_probe"))
		return probe(text);
	if (sscanf(path, "/sys/bus/pci/drivers/%63[^/]/unbind", driver) == 1)
		return unbind(driver, text);
	vf = vf_at(path, &rest);
	return vf ? vf_write(vf, rest, text) : -ENOENT;
}

int sysfs_read(char *buf, size_t len, const char *fmt, ...)
{
	struct dev_vf *vf;
	char path[256];
	const char *rest;

	FORMAT(path, fmt);
	if (gone)
		return -ENOENT;
	if (!strcmp(path, HOST_PCI "/" DEV_PF "/class"))
		return snprintf(buf, len, "0x010802");
	if (!strcmp(path, HOST_PCI "/" DEV_PF "/sriov_numvfs"))
		return snprintf(buf, len, "%u", dev.numvfs);
	if (!strcmp(path, HOST_PCI "/" DEV_PF "/sriov_drivers_autoprobe"))
		return snprintf(buf, len, "%d", dev.autoprobe);
	vf = vf_at(path, &rest);
	if (!vf)
		return -ENOENT;
	if (!strcmp(rest, "driver_override"))
		return snprintf(buf, len, "%s", *vf->override ? vf->override :
				"(null)");
	abort();
}

int sysfs_link(char *buf, size_t len, const char *fmt, ...)
{
	struct dev_vf *vf;
	unsigned int n;
	char path[256];
	const char *rest;

	FORMAT(path, fmt);
	if (gone)
		return -ENOENT;
	if (sscanf(path, HOST_PCI "/" DEV_PF "/virtfn%u", &n) == 1) {
		if (n >= dev.numvfs)
			return -ENOENT;
		address(n, buf);
		return 0;
	}
	vf = vf_at(path, &rest);
	if (vf && !strcmp(rest, "driver") && *vf->driver) {
		snprintf(buf, len, "%s", vf->driver);
		return 0;
	}
	return -ENOENT;
}

uint64_t now_us(void)
{
	return 0;
}

void sleep_us(unsigned int us)
{
	(void)us;
}

bool busy_is_open(const char *bdf)
{
	struct dev_vf *vf = vf_named(bdf);

	return vf && vf->open;
}

int busy_quick(const char *bdf)
{
	struct dev_vf *vf = vf_named(bdf);

	return vf && vf->open ? fail(TOOL_INUSE, "%s: in use", bdf) : TOOL_OK;
}

int module_driver(const char *driver)
{
	return strcmp(driver, "missing") ? TOOL_OK :
	       fail(TOOL_MODULE, "no module %s", driver);
}

/* -- the drive ------------------------------------------------------------------ */

#define INVALID_FIELD		0x002
#define INVALID_CONTROLLER	0x11f
#define INVALID_STATE		0x120
#define INVALID_NUMBER		0x121
#define INVALID_RESOURCE	0x122
#define NS_ATTACHED		0x118
#define NS_NOT_ATTACHED		0x11a

struct ctrl {
	int unused;
};

const char *ctrl_error(void)
{
	return "no";
}

int ctrl_open(const char *name, struct ctrl **ctrl)
{
	(void)name;
	*ctrl = calloc(1, sizeof(**ctrl));
	return 0;
}

void ctrl_close(struct ctrl *ctrl)
{
	free(ctrl);
}

int ctrl_identify(struct ctrl *ctrl, struct ctrl_id *id)
{
	(void)ctrl;
	*id = (struct ctrl_id){ .cntlid = 7, .ns_mgmt = true,
				.virt_mgmt = true };
	return 0;
}

int ctrl_resources(struct ctrl *ctrl, uint16_t cntlid,
		   struct ctrl_resource res[RESOURCES])
{
	unsigned int type, i;

	(void)ctrl;
	if (cntlid != 7)
		never("capabilities of another controller than the PF");
	for (type = 0; type < RESOURCES; type++) {
		res[type] = dev_res[type];
		res[type].assigned = 0;
		for (i = 0; i < DEV_VFS; i++)
			res[type].assigned += dev.vf[i].count[type];
	}
	return 0;
}

int ctrl_secondaries(struct ctrl *ctrl, struct ctrl_secondary **list,
		     size_t *n)
{
	unsigned int i;

	(void)ctrl;
	if (gone)
		return -ENODEV;
	*n = DEV_VFS + 1;
	*list = calloc(*n, sizeof(**list));
	/* of another PF, with a VF of the same number */
	(*list)[DEV_VFS] = (struct ctrl_secondary){
		.cntlid = 1, .primary = 8, .vfn = 1, .online = true, .nvq = 99,
	};
	for (i = 0; i < DEV_VFS; i++)
		(*list)[i] = (struct ctrl_secondary){
			.cntlid = CNTLID(i), .primary = 7, .vfn = i + 1,
			.online = dev.vf[i].online,
			.nvq = dev.vf[i].count[RESOURCE_QUEUES],
			.nvi = dev.vf[i].count[RESOURCE_INTERRUPTS],
		};
	return 0;
}

int ctrl_namespaces(struct ctrl *ctrl, uint32_t **list, size_t *n)
{
	uint32_t i;

	(void)ctrl;
	*n = DEV_NS;
	*list = calloc(*n, sizeof(**list));
	for (i = 0; i < DEV_NS; i++)
		(*list)[i] = i + 1;
	return 0;
}

int ctrl_attached(struct ctrl *ctrl, uint32_t nsid, uint16_t **list, size_t *n)
{
	unsigned int i;

	(void)ctrl;
	*n = 0;
	*list = calloc(DEV_VFS + 1, sizeof(**list));
	(*list)[(*n)++] = 7;
	for (i = 0; i < DEV_VFS; i++)
		if (dev.vf[i].attached[nsid - 1])
			(*list)[(*n)++] = CNTLID(i);
	return 0;
}

static struct dev_vf *vf_of(uint16_t cntlid)
{
	unsigned int i;

	for (i = 0; i < DEV_VFS; i++)
		if (CNTLID(i) == cntlid)
			return &dev.vf[i];
	return NULL;
}

static int assign(struct dev_vf *vf, unsigned int type, unsigned int count)
{
	unsigned int sum = count, i;

	if (type >= RESOURCES)
		return INVALID_RESOURCE;
	if (vf->online)
		return INVALID_STATE;
	if (count > dev_res[type].max || count % dev_res[type].grain)
		return INVALID_NUMBER;
	for (i = 0; i < DEV_VFS; i++)
		if (&dev.vf[i] != vf)
			sum += dev.vf[i].count[type];
	if (sum > dev_res[type].total - dev_res[type].primary)
		return INVALID_RESOURCE;
	vf->count[type] = dev_lies && count ? count - 1 : count;
	vf->fresh = false;
	return 0;
}

int ctrl_virt_mgmt(struct ctrl *ctrl, uint16_t cntlid, enum ctrl_action act,
		   unsigned int type, unsigned int count)
{
	struct dev_vf *vf = vf_of(cntlid);
	int err = fails();

	(void)ctrl;
	if (err)
		return err == -ENODEV ? err : INVALID_FIELD;
	if (!vf)
		return INVALID_CONTROLLER;
	if ((act == CTRL_OFFLINE || act == CTRL_ASSIGN) && is_had(vf))
		never("the controller of a VF that somebody has was changed");
	switch (act) {
	case CTRL_OFFLINE:
		vf->online = false;
		memset(vf->count, 0, sizeof(vf->count));
		return 0;
	case CTRL_ASSIGN:
		return assign(vf, type, count);
	case CTRL_ONLINE:
		if (vf - dev.vf >= (int)dev.numvfs || vf->count[0] < 2 ||
		    !vf->count[1])
			return INVALID_STATE;
		if (!vf->fresh)
			never("a VF went online without a reset");
		vf->online = true;
		return 0;
	}
	never("another action of Virtualization Management");
	return INVALID_FIELD;
}

int ctrl_attach(struct ctrl *ctrl, uint32_t nsid, uint16_t cntlid, bool attach)
{
	struct dev_vf *vf = vf_of(cntlid);
	int err = fails();

	(void)ctrl;
	if (err)
		return err == -ENODEV ? err : INVALID_FIELD;
	if (!vf || vf - dev.vf >= (int)dev.numvfs)
		return INVALID_CONTROLLER;
	if (vf->attached[nsid - 1] == attach)
		return attach ? NS_ATTACHED : NS_NOT_ATTACHED;
	vf->attached[nsid - 1] = attach;
	return 0;
}

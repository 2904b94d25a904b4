// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions of a host: what sysfs shows of them, including drives'
 * oddities.
 */
#include "base/tool.h"
#include "here.h"
#include "host/host.h"
#include "said.h"
#include "tap.h"

static void file(const char *bdf, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), HOST_PCI "/%s/%s", bdf, name);
	put(path, text);
}

static void pf(const char *bdf, const char *driver, const char *ctrl, const char *serial,
	       const char *model)
{
	char path[256];

	file(bdf, "class", "0x010802\n");
	file(bdf, "sriov_totalvfs", "4\n");
	snprintf(path, sizeof(path), HOST_PCI "/%s/driver", bdf);
	if (symlink(driver, path))
		perror(path);
	snprintf(path, sizeof(path), "nvme/%s/x", ctrl);
	file(bdf, path, "");
	snprintf(path, sizeof(path), HOST_NVME "/%s/serial", ctrl);
	put(path, serial);
	snprintf(path, sizeof(path), HOST_NVME "/%s/model", ctrl);
	put(path, model);
}

static const char *found(struct host *h, const char *name)
{
	struct host_fn *fn;

	said_forget();
	return host_find_pf(h, name, &fn) ? "none" : fn->bdf;
}

int main(void)
{
	static const char a[] = "0000:01:00.0", b[] = "0000:02:00.0", c[] = "0000:03:00.0", d[] = "0000:04:00.0";
	struct host h;

	here_begin();
	pf(a, "drivers/nvme", "nvme0", "        S6XYNX0T\n", "  A model   ");
	pf(b, "drivers/nvme", "nvme1", "S7 1 2              ", "Another\n");
	ok(!host_load(&h) && h.n == 2, "two PFs");
	ok(!strcmp(h.fn[0].serial, "S6XYNX0T") && !strcmp(h.fn[0].model, "A model"),
	   "padding in front and behind is no part of a name ('%s', '%s')", h.fn[0].serial, h.fn[0].model);
	ok(!strcmp(found(&h, "S6XYNX0T"), a), "found by its serial number (%s)", said);
	ok(!strcmp(found(&h, "        S6XYNX0T"), a) && !strcmp(found(&h, "S6XYNX0T    "), a),
	   "and as it is padded");
	ok(!strcmp(found(&h, "S7 1 2"), b) && !strcmp(found(&h, "S7"), "none"),
	   "blanks within count");
	ok(!strcmp(found(&h, "   "), "none") && said_lines == 1, "nothing but padding is no name");
	ok(!strstr(said, "cannot be read"), "and nvme has all PFs");
	host_free(&h);

	pf(c, "drivers/vfio-pci", "nvme2", "", "");
	ok(!host_load(&h) && h.n == 3 && !strcmp(found(&h, "S9"), "none") && said_lines == 1 &&
	   strstr(said, "no such PF") &&
	   strstr(said, "; 0000:03:00.0 is bound to vfio-pci, so its serial number and NQN cannot be read"),
	   "it may be the one that another driver has (%s)", said);
	ok(!strcmp(found(&h, "0000:77:00.0"), "none") && !strstr(said, "cannot be read"),
	   "but not if an address is meant (%s)", said);
	host_free(&h);

	pf(d, "drivers/nvme", "nvme3", "(efault)\n", "(efault)\n");
	ok(!host_load(&h) && h.n == 4 && !*h.fn[3].serial && !*h.fn[3].model,
	   "one that nvme has not identified yet has no names ('%s', '%s')", h.fn[3].serial, h.fn[3].model);
	host_free(&h);
	here_end();
	return tap_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * bed-vfs.c - the VFs of a PF as they were when the run began, and how they are
 * restored.
 */
#include <errno.h>
#include <stdio.h>

#include "bed.h"
#include "bed-vfs.h"

#define PCI		"/sys/bus/pci"
#define READY_MS	20000

static struct pf_secondary secondary[TOPO_PFS][TOPO_VFS];
static int nsecondary[TOPO_PFS];

int vfs_note(int pf)
{
	int n = pf_secondaries(bed.pf[pf].name, secondary[pf], TOPO_VFS);

	if (n < 0)
		return n;
	nsecondary[pf] = n;
	return 0;
}

int vfs_wait(int pf)
{
	struct pf_secondary now[TOPO_VFS];
	struct topo_pf *p = &bed.pf[pf];
	char state[32];
	int ms;

	for (ms = 0; ms < READY_MS; ms += 20) {
		/* commands to a PF that is just starting would fail and be logged */
		if (!topo_name(p->bdf, p->name, sizeof(p->name)) &&
		    sysfs_read(state, sizeof(state), "/sys/class/nvme/%s/state",
			       p->name) == 4 &&
		    pf_secondaries(p->name, now, TOPO_VFS) >= 0)
			return 0;
		sleep_us(20000);
	}
	return lib_fail(-ETIMEDOUT, "%s: nvme does not run it", p->bdf);
}

bool vfs_online(int pf)
{
	struct pf_secondary now[TOPO_VFS];
	int i, n = pf_secondaries(bed.pf[pf].name, now, TOPO_VFS);

	if (n != nsecondary[pf])
		return false;
	for (i = 0; i < n; i++)
		if (now[i].online != secondary[pf][i].online ||
		    now[i].nvq != secondary[pf][i].nvq ||
		    now[i].nvi != secondary[pf][i].nvi)
			return false;
	return true;
}

unsigned int vfs_cntlid(int pf, int vf)
{
	int i;

	for (i = 0; i < nsecondary[pf]; i++)
		if (secondary[pf][i].vfn == bed.pf[pf].vfn[vf])
			return secondary[pf][i].cntlid;
	return 0;
}

/* Return: as pf_cmd() */
static int restore(int pf, const struct pf_secondary *s)
{
	const char *name = bed.pf[pf].name;
	int err;

	err = pf_virt_mgmt(name, s->cntlid, 7, 0, 0);
	if (!err)
		err = pf_virt_mgmt(name, s->cntlid, 8, 0, s->nvq);
	if (!err)
		err = pf_virt_mgmt(name, s->cntlid, 8, 1, s->nvi);
	if (!err && s->online)
		err = pf_virt_mgmt(name, s->cntlid, 9, 0, 0);
	return err;
}

void vfs_restore(int pf)
{
	int i;

	for (i = 0; i < nsecondary[pf]; i++)
		if (restore(pf, &secondary[pf][i]))
			tap_note("%s", lib_msg());
}

/*
 * A property of some drives, with which nvme waits some seconds before it
 * checks whether they are ready. A dynamic id can claim it for any drive.
 */
void pf_slow(int pf, bool on)
{
	const char *bdf = bed.pf[pf].bdf;
	char vendor[16], device[16], text[64];

	check(sysfs_read(vendor, sizeof(vendor), PCI "/devices/%s/vendor", bdf) > 0 &&
	      sysfs_read(device, sizeof(device), PCI "/devices/%s/device", bdf) > 0,
	      "%s has no id", bdf);
	/* NVME_QUIRK_DELAY_BEFORE_CHK_RDY is 8 in all kernels */
	snprintf(text, sizeof(text), "%s %s ffffffff ffffffff%s", vendor + 2,
		 device + 2, on ? " 0 0 8" : "");
	must(sysfs_write(text, PCI "/drivers/nvme/%s",
			 on ? "new_id" : "remove_id"));
}

void bed_online(int pf)
{
	int i;

	must(vfs_wait(pf));
	for (i = 0; i < nsecondary[pf]; i++)
		if (secondary[pf][i].online)
			must(restore(pf, &secondary[pf][i]));
}

static int count_vfs(int pf)
{
	int i, n = 0;

	for (i = 0; i < nsecondary[pf]; i++)
		if (secondary[pf][i].online && secondary[pf][i].vfn > n)
			n = secondary[pf][i].vfn;
	return n;
}

void bed_remake(int pf)
{
	const struct topo_pf *p = &bed.pf[pf];
	char text[8];
	int i;

	must(vfs_wait(pf));
	snprintf(text, sizeof(text), "%d", count_vfs(pf));
	must(sysfs_write("0", PCI "/devices/%s/sriov_drivers_autoprobe",
			 p->bdf));
	must(sysfs_write(text, PCI "/devices/%s/sriov_numvfs", p->bdf));
	bed_online(pf);
	for (i = 0; i < p->nvfs; i++) {
		must(sysfs_write(VF_DRIVER, PCI "/devices/%s/driver_override",
				 p->vf[i]));
		must(sysfs_write(p->vf[i], PCI "/drivers_probe"));
	}
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * holders.h - who holds a PF's driver, and the shim's code. A VF that nobody
 * has open holds neither.
 */
#ifndef NVME_VFIO_HOLDERS_H
#define NVME_VFIO_HOLDERS_H

/** struct holders - references on modules */
struct holders {
	long nvme;
	long shim;
};

struct holders holders_now(void);

/** holders_gone - wait until there are as many as before, or the case fails */
void holders_gone(const struct holders *before);

#endif

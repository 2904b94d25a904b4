/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pf.h - a PF that is being set up, and what its VFs are like at one moment.
 */
#ifndef NVME_VFIO_PF_H
#define NVME_VFIO_PF_H

#include "host/host.h"
#include "host/nvme.h"

/**
 * struct vf_state - a VF, whether it exists now or not
 * @listed: the PF lists it as its secondary controller
 * @cntlid: controller id
 * @online: the controller is online
 * @lost: it is not, though the VF is open: a reset of the PF took it from its user
 * @count: queues and interrupts it has
 * @bdf: PCI address; empty: the VF does not exist now
 * @driver: what it is bound to; empty: nothing
 * @override: driver_override; empty: none
 * @nsid: attached namespaces
 * @nns: how many
 */
struct vf_state {
	bool listed;
	uint16_t cntlid;
	bool online;
	bool lost;
	uint16_t count[RESOURCES];
	char bdf[BDF_MAX];
	char driver[HOST_NAME];
	char override[HOST_NAME];
	uint32_t *nsid;
	size_t nns;
};

/* Policies of the driver, a line for each PF, and how long one is at most. */
#define POLICY_FILE	"/sys/bus/pci/drivers/nvme-vfio-pci/policy"
#define POLICY_TEXT	256

/**
 * struct pf_state - a PF and its VFs at one moment
 * @autoprobe: new VFs are given to drivers
 * @policy: words of the PF's policy; empty: the defaults
 * @numvfs: how many VFs there are
 * @n: how many there could be
 * @vf: each of those; VF 1 is the first
 */
struct pf_state {
	bool autoprobe;
	char policy[POLICY_TEXT];
	unsigned int numvfs;
	unsigned int n;
	struct vf_state *vf;
};

/**
 * struct pf - a PF that is being set up
 * @fn: what the host shows about it
 * @ctrl: its controller
 * @id: what the controller is
 * @res: what it can give its VFs
 * @nsid: namespaces of the subsystem
 * @nns: how many
 */
struct pf {
	const struct host_fn *fn;
	struct ctrl *ctrl;
	struct ctrl_id id;
	struct ctrl_resource res[RESOURCES];
	uint32_t *nsid;
	size_t nns;
};

/**
 * pf_open - get ready to set up a PF
 * @fn: must stay
 * @pf: filled in; pf_close() it, also after a failure
 *
 * Return: TOOL_OK, or a code after saying why.
 */
int pf_open(const struct host_fn *fn, struct pf *pf);

/** pf_close - done with it */
void pf_close(struct pf *pf);

/** pf_gone - whether the PF has been removed from the host */
bool pf_gone(const struct pf *pf);

/**
 * pf_read - what the PF and its VFs are like now
 * @s: filled in; pf_state_free() it, also after a failure
 *
 * Return: TOOL_OK, or a code after saying why.
 */
int pf_read(const struct pf *pf, struct pf_state *s);

/** pf_state_copy - a copy of its own. Return: as pf_read(). */
int pf_state_copy(const struct pf_state *from, struct pf_state *to);

/**
 * pf_state_is - whether a PF is as wanted
 * @why: filled with the first difference
 * @len: its size
 *
 * Namespaces that are not asked for are no difference.
 */
bool pf_state_is(const struct pf_state *now, const struct pf_state *want,
		 char *why, size_t len);

/** pf_state_free - forget it */
void pf_state_free(struct pf_state *s);

/** vf_has - whether a namespace is attached to a VF */
bool vf_has(const struct vf_state *vf, uint32_t nsid);

/** vf_add - add a namespace. Return: TOOL_OK, or a code after saying why. */
int vf_add(struct vf_state *vf, uint32_t nsid);

/** vf_drop - remove a namespace */
void vf_drop(struct vf_state *vf, uint32_t nsid);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host.h - the NVMe functions of this host, as sysfs shows them.
 *
 * Nothing here needs a command to a drive or any privilege; what only a PF's
 * controller knows of its VFs is added by pf_query.h.
 */
#ifndef NVME_VFIO_HOST_H
#define NVME_VFIO_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "driver_view.h"
#include "verdict.h"

#ifndef HOST_PCI		/* tests have their own */
#define HOST_PCI	"/sys/bus/pci/devices"
#define HOST_NVME	"/sys/class/nvme"
#endif

#define BDF_MAX		16
#define HOST_NAME	64	/* drivers, controllers */

enum host_role {
	ROLE_PLAIN,		/* a drive without SR-IOV */
	ROLE_PF,
	ROLE_VF,
};

enum command_set {
	SET_NONE,
	SET_STANDARD,
	SET_VENDOR,
};

/** struct host_user - a process that has the function open */
struct host_user {
	pid_t pid;
	char name[32];
};

/**
 * struct host_fn - an NVMe function
 * @bdf: PCI address
 * @role: what it is
 * @pf: of a VF: its PF; NULL if that is no NVMe function
 * @pf_bdf: of a VF: the address of its PF
 * @vfn: of a VF: its number, from 1
 * @vendor: PCI vendor id
 * @device: PCI device id
 * @driver: what it is bound to; empty: nothing
 * @override: driver_override; empty: none
 * @iommu_group: its number, or -1
 * @cdev: IOMMUFD's name for it, e.g. "vfio0"; empty: none
 * @numvfs: of a PF: VFs it has
 * @totalvfs: of a PF: VFs it could have
 * @autoprobe: of a PF: new VFs are given to drivers
 * @vf_device: of a PF: PCI device id of its VFs
 * @ctrl: name of the nvme driver's controller, e.g. "nvme0"; empty: none
 * @state: the controller's state, e.g. "live"
 * @serial: serial number of the drive
 * @nqn: name of the NVM subsystem
 * @model: model of the drive
 * @firmware: its revision
 * @users: processes that have it open
 * @nusers: how many
 *
 * What pf_query.h adds:
 *
 * @asked: the PF was asked about it
 * @unknown: it could not be asked, though it may well answer others: @why says
 *	why
 * @listed: of a VF: the PF lists it, the next five are known
 * @cntlid: controller id
 * @online: the controller is online
 * @nvq: queue resources
 * @nvi: interrupt resources
 * @nsid: namespaces attached, ascending; not known if NULL
 * @nns: how many
 * @namespaces: the same as the driver's stream has them; known where the driver
 *	would know them
 * @nvme_version: of a PF that was asked: version of the specification it says it has
 * @track_memory: likewise: it can track what its VFs write
 * @has_format: of a PF: it has a format of state
 * @format: the one that the driver uses
 * @formats: all that it lists, as Identify has them
 * @says: of a VF that is bound to our driver: what that says about it
 * @set: command set that migrates it (of a PF: its VFs)
 * @why: why it cannot migrate; NULL: it can
 */
struct host_fn {
	char bdf[BDF_MAX];
	enum host_role role;
	struct host_fn *pf;
	char pf_bdf[BDF_MAX];
	unsigned int vfn;
	uint16_t vendor;
	uint16_t device;
	char driver[HOST_NAME];
	char override[HOST_NAME];
	int iommu_group;
	char cdev[HOST_NAME];
	unsigned int numvfs;
	unsigned int totalvfs;
	bool autoprobe;
	uint16_t vf_device;
	char ctrl[HOST_NAME];
	char state[HOST_NAME];
	char serial[64];
	char nqn[256];
	char model[64];
	char firmware[32];
	struct host_user *users;
	size_t nusers;

	bool asked;
	bool unknown;
	bool listed;
	uint16_t cntlid;
	bool online;
	uint16_t nvq;
	uint16_t nvi;
	uint32_t *nsid;
	size_t nns;
	struct stream_namespaces namespaces;
	uint32_t nvme_version;
	bool track_memory;
	bool has_format;
	struct state_format format;
	uint8_t formats[LM_FORMATS_LEN];
	struct driver_view says;
	enum command_set set;
	char *why;
};

/** struct host - all of them, by address; the VFs of a PF follow it */
struct host {
	struct host_fn *fn;
	size_t n;
};

/**
 * host_load - look at the host
 * @h: filled in; host_free() it, also after a failure
 *
 * Return: TOOL_OK, or a code after saying why.
 */
int host_load(struct host *h);

/**
 * host_users - find out who has the functions open
 *
 * Only root sees all processes. Return: TOOL_OK, or a code after saying why.
 */
int host_users(struct host *h);

/** host_free - forget the host */
void host_free(struct host *h);

/**
 * host_trim - remove blanks from both ends of a text, in place
 *
 * Drives pad their serial numbers and models with blanks, some in front. Kernels
 * pass these on, people do not write them.
 * Return: @text.
 */
char *host_trim(char *text);

/**
 * host_find - a function by its PCI address, with or without the domain, or by
 * the name of its controller ("nvme0", "/dev/nvme0")
 *
 * Return: the function, or NULL.
 */
struct host_fn *host_find(struct host *h, const char *name);

/**
 * host_unread - which PFs could be meant by a name that only nvme shows
 * @its: what cannot be read of one that nvme does not have, "its serial number"
 * @their: the same of several
 *
 * Return: "" if nvme has all PFs; or a text for the end of a message, valid until
 * the next call.
 */
const char *host_unread(const struct host *h, const char *its,
			const char *their);

/** host_called - whether a serial number or NQN is a function's; padding never counts */
bool host_called(const struct host_fn *fn, const char *name);

/**
 * host_find_pf - a PF by address, controller, serial number or NQN
 * @fn: set
 *
 * Return: TOOL_OK, or a code after saying why.
 */
int host_find_pf(struct host *h, const char *name, struct host_fn **fn);

/**
 * host_find_vf - a VF by address, or by the name of its controller
 * @fn: set
 *
 * Return: TOOL_OK, or a code after saying why.
 */
int host_find_vf(struct host *h, const char *name, struct host_fn **fn);

/** host_vf - VF @vfn of a PF, or NULL */
struct host_fn *host_vf(struct host *h, const struct host_fn *pf,
			unsigned int vfn);

/** host_role_name - "pf", "vf" or "drive" */
const char *host_role_name(enum host_role role);

/** host_set_name - "standard", "vendor", or NULL for none */
const char *host_set_name(enum command_set set);

/**
 * host_is_vfio - whether a driver is one that passes functions to user space:
 * vfio-pci or a variant of it
 */
bool host_is_vfio(const char *driver);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bed.h - the host that a test runs in: its PFs and VFs, and the emulated
 * device's test controls.
 */
#ifndef NVME_VFIO_BED_H
#define NVME_VFIO_BED_H

#include <stdbool.h>

#include "migrate.h"
#include "pf_admin.h"
#include "tap.h"
#include "topo.h"
#include "util.h"
#include "vfio_mig.h"

#define VF_DRIVER	"nvme-vfio-pci"
#define BED_VECTORS	5

/* the driver's limit for a state, in MiB; takes effect at once */
#define CAP_PARAM	"/sys/module/nvme_vfio_pci/parameters/max_state_mb"

/* what the administrator allows, a line for each PF */
#define POLICY		"/sys/bus/pci/drivers/" VF_DRIVER "/policy"

/*
 * whether SUSPEND of the vendor set is declared to end all DMA; for VFs that
 * are bound afterwards
 */
#define P2P_PARAM	"/sys/module/nvme_vfio_pci/parameters/vendor_p2p"

enum cmdset { SET_STANDARD, SET_VENDOR };

/**
 * struct bed - what was found; the same for all cases of a run
 * @pf: PFs with VFs, in order of address
 * @npf: how many
 * @set: command set under test
 * @max_state_mb: the driver's limit in MiB, 0 if it cannot be read
 * @vouched: SUSPEND of the vendor set is declared to end all DMA
 */
struct bed {
	struct topo_pf pf[TOPO_PFS];
	int npf;
	enum cmdset set;
	long max_state_mb;
	bool vouched;
};

extern struct bed bed;

/**
 * struct place - one VF of the bed
 * @pf: index of its PF
 * @vf: index of the VF there
 */
struct place {
	int pf;
	int vf;
};

/** bed_find - find PFs and VFs of a driver. Return: NULL, or what is missing. */
const char *bed_find(const char *driver, enum cmdset set);

/**
 * bed_baseline - model properties as they were, all VFs online and bound
 *
 * Undoes what a case has changed and could not undo when it failed.
 */
void bed_baseline(void);

/** bed_need - skip the case unless there is such a VF */
void bed_need(struct place at);

/** bed_open - open a VF with memory and interrupts, or the case fails */
void bed_open(struct vfio_dev *dev, struct place at, struct dma_mem *mem);

/** bed_set_name - "standard" or "vendor" */
const char *bed_set_name(enum cmdset set);

/** bed_set_of - the set with this name. Return: false = there is none. */
bool bed_set_of(const char *name, enum cmdset *set);

/** bed_use_set - let a PF speak another command set; its VFs are bound again */
void bed_use_set(int pf, enum cmdset set);

/**
 * bed_vouch - declare that the vendor set's SUSPEND ends all DMA, or nothing
 *
 * All VFs are bound again.
 */
void bed_vouch(bool on);

/** pf_driver - nvme takes a PF, "bind", or releases it, "unbind" */
void pf_driver(int pf, const char *what);

/**
 * bed_online - bring every VF of a PF online again, e.g. after a PF reset
 *
 * Waits until the PF's driver is ready, under any name.
 */
void bed_online(int pf);

/** bed_rebind - release a PF and take it again; its VFs are online afterwards */
void bed_rebind(int pf);

/** pf_slow - whether a PF takes seconds to start when it is bound the next time */
void pf_slow(int pf, bool on);

/**
 * bed_remake - create all VFs of a PF that has none, as they were, and bind them
 */
void bed_remake(int pf);

/** model_set - set a test property of a PF's model, printf style */
void model_set(int pf, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** model_zero - zero the PF's command counters */
void model_zero(int pf);

/**
 * model_count - commands of one opcode that the PF has seen
 * @sel: first byte of dword 10, -1 for commands without
 */
long model_count(int pf, unsigned int opc, int sel);

/** model_commands - migration commands that the PF has seen */
long model_commands(int pf);

/** model_vf_num - a number that the model reports for a VF, e.g. ".resets" */
long model_vf_num(struct place at, const char *what);

/**
 * model_vf_is - does the model say so about a VF: "running", "suspended", ...?
 */
bool model_vf_is(struct place at, const char *state);

/** model_await - wait until it does; the case has a limit */
void model_await(struct place at, const char *state);

/** limit_set - how long the driver waits for a command */
void limit_set(unsigned int seconds);

/** nvme_limit_set - how long nvme waits for one; then it resets the PF */
void nvme_limit_set(unsigned int seconds);

/**
 * sane_errno - is it an error that a user may get from a device that fails?
 *
 * Not EINTR and the like, nothing that says "no such feature", and never a
 * positive number.
 */
bool sane_errno(int err);

#endif

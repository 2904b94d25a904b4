/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check.h - the checks of "doctor": one function each, in tables that are in
 * the order in which things are needed, from firmware to libvirt.
 */
#ifndef NVME_VFIO_CHECK_H
#define NVME_VFIO_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/driver_view.h"
#include "host/host.h"
#include "host/nvme.h"
#include "modinfo.h"
#include "version.h"

enum check_status {
	CHECK_OK,
	CHECK_WARN,
	CHECK_FAIL,
	CHECK_UNKNOWN,		/* cannot be known, as things are */
};

/** struct answer - what a check found; see say() and cure() */
struct answer {
	enum check_status status;
	char *text;
	char *cure;
};

/**
 * struct fn_facts - what is known about a function beyond host.h
 * @identified: of a PF: the next two are known
 * @res: what it can give its VFs; all 0 where it gives nothing by command
 * @cntlid: its controller id
 * @tried: of a VF: VFIO was asked, see offers.h
 * @offers: it offers migration
 * @flags: VFIO_MIGRATION_* bits
 * @log: it offers the log of writes to memory
 * @state_bytes: size of its state; 0: not known
 * @trouble: why VFIO could not be asked; empty: it could
 */
struct fn_facts {
	bool identified;
	struct ctrl_resource res[RESOURCES];
	uint16_t cntlid;
	bool tried;
	bool offers;
	uint64_t flags;
	bool log;
	uint64_t state_bytes;
	char trouble[300];
};

/** enum tracking - whether this kernel passes on what a VF writes to memory */
enum tracking {
	TRACKING_NO,
	TRACKING_YES,
	TRACKING_UNKNOWN,
};

/**
 * struct checkup - everything that checks look at
 * @host: the NVMe functions; all were asked
 * @facts: what is known about each of them, in the same order
 * @fn: the function that is looked at; NULL: the host
 * @root: root, so that everything can be seen
 * @open: VFs may be opened
 * @release: of the kernel
 * @machine: of the processor
 * @name: of the host
 * @modules: what there is of modules
 * @iommu: there is one, and it is on
 * @tracking: of the kernel
 * @qemu: its version
 * @libvirt: its version
 */
struct checkup {
	struct host *host;
	struct fn_facts *facts;
	struct host_fn *fn;
	bool root;
	bool open;
	char release[65];
	char machine[65];
	char name[65];
	struct modules *modules;
	bool iommu;
	enum tracking tracking;
	struct version qemu;
	struct version libvirt;
};

/**
 * struct check - one line of the list
 * @id: its name for scripts, which stays
 * @run: finds the answer with say() and cure()
 */
struct check {
	const char *id;
	void (*run)(struct checkup *c, struct answer *a);
};

/* The tables end with an empty entry. */
extern const struct check checks_platform[];
extern const struct check checks_module[];
extern const struct check checks_pf[];
extern const struct check checks_vf[];
extern const struct check checks_vmm[];

/** check_conflicts - nothing else claims the function */
void check_conflicts(struct checkup *c, struct answer *a);

/** check_alias - libvirt would choose our driver for the function */
void check_alias(struct checkup *c, struct answer *a);

/** check_offers - VFIO offers migration of the function */
void check_offers(struct checkup *c, struct answer *a);

/** kernel_tracking - of this kernel; @release: as uname has it */
enum tracking kernel_tracking(const char *release);

/** facts_of - what is known about a function */
struct fn_facts *facts_of(struct checkup *c, const struct host_fn *fn);

/**
 * say - the answer of a check
 * @fmt: printf format: what is, in half a line
 */
void say(struct answer *a, enum check_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** cure - what would help, in a sentence */
void cure(struct answer *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** answer_free - forget an answer */
void answer_free(struct answer *a);

/** check_status_name - "ok", "warn", "fail" or "unknown" */
const char *check_status_name(enum check_status status);

#endif

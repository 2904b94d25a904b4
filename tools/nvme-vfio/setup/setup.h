/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * setup.h - sets one PF up as its configuration says, or restores it.
 */
#ifndef NVME_VFIO_SETUP_H
#define NVME_VFIO_SETUP_H

#include "base/report.h"
#include "config.h"
#include "host/host.h"

/**
 * struct setup - how to do it
 * @dry_run: only say what would be done
 * @boot: by a boot unit: a PF that is disabled is left alone
 * @disable: teardown: and disable the PF, until it is set up not by a boot unit
 * @until: by now_us(): how long to wait for another process working on the PF;
 *	0: not at all
 * @report: gets a row for each step
 */
struct setup {
	bool dry_run;
	bool boot;
	bool disable;
	uint64_t until;
	struct report *report;
};

/** setup_report - a report for struct setup */
struct report *setup_report(const char *command);

/**
 * setup_apply - set up a PF and its VFs as a section says
 *
 * Return: TOOL_OK, or a code after saying why.
 */
int setup_apply(const struct host_fn *fn, const struct config_pf *c,
		const struct setup *how);

/**
 * setup_teardown - restore a PF and its VFs to what they were before the first
 * setup_apply() of this boot
 *
 * Return: TOOL_OK, also if nothing is to be done; or a code after saying why.
 */
int setup_teardown(const struct host_fn *fn, const struct setup *how);

/** setup_disabled - whether the boot units leave a PF alone */
bool setup_disabled(const struct host_fn *fn);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compare.h - one PF and its VFs: as configured, as they are, as the next boot would
 * make them.
 */
#ifndef NVME_VFIO_COMPARE_H
#define NVME_VFIO_COMPARE_H

#include "base/report.h"
#include "config.h"
#include "host/host.h"

/** compare_report - a report for compare_pf() */
struct report *compare_report(void);

/**
 * compare_pf - add a row for each setting
 * @fn: the PF
 * @c: its section; NULL: it has none
 * @boot: the section that it will have after a reboot; likewise
 * @r: gets the rows
 * @n: how many settings differ is added
 *
 * A setting differs where apply would change it, or a reboot. By plan.h, so that
 * nothing differs from @c where apply has nothing to do. Changes nothing. Where the
 * PF cannot be asked, what only it knows stays unknown.
 *
 * Return: TOOL_OK, or a code after saying what could not be found out.
 */
int compare_pf(const struct host_fn *fn, const struct config_pf *c,
	       const struct config_pf *boot, struct report *r, size_t *n);

#endif

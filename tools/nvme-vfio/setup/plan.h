/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan.h - the steps from what a PF and its VFs are to what they should be.
 */
#ifndef NVME_VFIO_PLAN_H
#define NVME_VFIO_PLAN_H

#include "config.h"
#include "pf.h"
#include "step.h"

/**
 * plan_target - what a PF should be like, by its configuration
 * @pf: the PF
 * @now: what it is like
 * @c: its section
 * @want: filled in; pf_state_free() it, also after a failure
 *
 * Checks all that can be known before anything is touched: how many VFs,
 * queues and interrupts the PF can give, in which units, and whether it can
 * give them at all.
 *
 * Return: TOOL_OK; TOOL_LIMIT, TOOL_CONFIG or TOOL_FAILED after saying why.
 */
int plan_target(const struct pf *pf, const struct pf_state *now,
		const struct config_pf *c, struct pf_state *want);

/**
 * plan_steps - the steps that lead from one to the other; none if they agree
 * @now: what it is like
 * @want: what it should be like
 * @drop: per VF, namespaces to detach; or NULL
 * @s: filled in; steps_free() it, also after a failure
 *
 * VFs that are as they should be are not touched, unless their number changes.
 *
 * Return: TOOL_OK, or TOOL_FAILED after saying why.
 */
int plan_steps(const struct pf_state *now, const struct pf_state *want,
	       const struct pf_state *drop, struct steps *s);

#endif

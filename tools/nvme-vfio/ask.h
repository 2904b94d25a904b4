/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ask.h - what only a PF's controller knows: which controller each VF is, what
 * it has, and whether it can migrate.
 */
#ifndef NVME_VFIO_ASK_H
#define NVME_VFIO_ASK_H

#include "host.h"

/**
 * ask_pf - ask a PF about itself and its VFs
 *
 * Fills in what host.h says; what cannot be learnt stays unknown, and the
 * functions' @why says the reason. Return: TOOL_OK, also where the PF does not
 * answer; TOOL_FAILED if memory is short, after saying so.
 */
int ask_pf(struct host *h, struct host_fn *pf);

/** ask_all - ask every PF. Return: as ask_pf(). */
int ask_all(struct host *h);

#endif

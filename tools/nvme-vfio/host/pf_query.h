/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pf_query.h - what only a PF's controller knows: which controller each VF is,
 * what it has, and whether it can migrate.
 */
#ifndef NVME_VFIO_PF_QUERY_H
#define NVME_VFIO_PF_QUERY_H

#include "host.h"

/**
 * pf_query - ask a PF about itself and its VFs
 *
 * Fills in what host.h says; what cannot be found out stays unknown, and the
 * functions' @why has the reason. Return: TOOL_OK, also where the PF does not
 * answer; TOOL_FAILED if memory is short, after saying so.
 */
int pf_query(struct host *h, struct host_fn *pf);

/** pf_query_all - ask every PF. Return: as pf_query(). */
int pf_query_all(struct host *h);

#endif

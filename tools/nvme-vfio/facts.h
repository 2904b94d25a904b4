/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * facts.h - what is found out before any check is made, because several checks
 * and the comparison with another host need it.
 */
#ifndef NVME_VFIO_FACTS_H
#define NVME_VFIO_FACTS_H

#include <json-c/json.h>

#include "check.h"

/**
 * facts_find - ask the drives, VFIO and the kernel log
 * @only: a PF or a VF that it is about; NULL: all
 *
 * VFs are opened, which resets them, only where c->open says so, the VF is
 * bound to a VFIO driver, and nobody has it open.
 *
 * Return: TOOL_OK, or a code after saying why.
 */
int facts_find(struct checkup *c, const struct host_fn *only);

/** facts_wanted - is the function the one it is about, its PF or its VF? */
bool facts_wanted(const struct host_fn *fn, const struct host_fn *only);

/** facts_host - the host, as in JSON */
json_object *facts_host(const struct checkup *c);

/** facts_functions - the functions, as in JSON */
json_object *facts_functions(struct checkup *c, const struct host_fn *only);

#endif

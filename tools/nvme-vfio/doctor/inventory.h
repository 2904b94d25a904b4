/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * inventory.h - what is found out before any check runs, because several checks
 * and the comparison with another host need it.
 */
#ifndef NVME_VFIO_INVENTORY_H
#define NVME_VFIO_INVENTORY_H

#include <json-c/json.h>

#include "check.h"

/**
 * inventory_find - ask the drives and VFIO
 * @only: a PF or a VF that it is about; NULL: all
 *
 * VFs are opened, which resets them, only where c->open says so, the VF is
 * bound to a VFIO driver, and nobody has it open.
 *
 * Return: TOOL_OK, or a code after saying why.
 */
int inventory_find(struct checkup *c, const struct host_fn *only);

/** inventory_wanted - is the function the one it is about, its PF or its VF? */
bool inventory_wanted(const struct host_fn *fn, const struct host_fn *only);

/** inventory_host - the host, as in JSON */
json_object *inventory_host(const struct checkup *c);

/**
 * inventory_functions - the functions, as in JSON
 * @host: see inventory_host()
 */
json_object *inventory_functions(struct checkup *c, const struct host_fn *only,
				 json_object *host);

/**
 * inventory_classes - the same without what needs more commands or VFIO, for the
 * classes
 * @h: all were asked
 */
json_object *inventory_classes(struct host *h);

#endif

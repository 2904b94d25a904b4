/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * match.h - which section of a configuration is about which PF.
 *
 * One that names a PF by serial number, NQN or address overrides those that are
 * about all PFs alike.
 */
#ifndef NVME_VFIO_MATCH_H
#define NVME_VFIO_MATCH_H

#include "config.h"
#include "host/host.h"

/**
 * match_fits - whether a section's words fit a function, whatever others say
 *
 * For sections about PFs alike only PFs count that nvme has, or that have no driver.
 */
bool match_fits(const struct config_pf *section, struct host *h,
		const struct host_fn *fn);

/**
 * match_may_fit - whether a section about PFs alike could turn out to be about
 * a PF whose model nvme does not show yet
 */
bool match_may_fit(const struct config_pf *section, const struct host_fn *fn);

/**
 * match_section - the section of a PF
 * @section: set; NULL: none is about it
 *
 * Return: TOOL_OK; TOOL_CONFIG after saying which two are about it.
 */
int match_section(const struct config *c, struct host *h,
		  const struct host_fn *fn, const struct config_pf **section);

/**
 * match_pf - the PF that a section names by serial number, NQN or address
 * @fn: set
 *
 * Return: TOOL_OK, or a code after saying why.
 */
int match_pf(struct host *h, const struct config_pf *section,
	     struct host_fn **fn);

/**
 * match_none - say which sections about PFs alike fit none of this host
 *
 * With one configuration for many hosts that is as it should be: it is a note, and a
 * warning only if nothing of the configuration is about this host.
 */
void match_none(const struct config *c, struct host *h);

#endif

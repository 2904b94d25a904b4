// SPDX-License-Identifier: GPL-2.0-only
/*
 * give_back.c - how a PF releases what it keeps to its VFs. Only printed, never
 * done: it takes a reset of the PF, which its users notice.
 */
#include <stdio.h>

#include "nvme.h"

const char *ctrl_give_back(const char *name, uint16_t cntlid,
			   const unsigned int keep[RESOURCES])
{
	static char text[256];

	/* action 1h: Primary Controller Flexible Allocation */
	snprintf(text, sizeof(text),
		 "nvme virt-mgmt /dev/%s -c %u -r 0 -a 1 -n %u && nvme virt-mgmt /dev/%s -c %u -r 1 -a 1 -n %u && nvme reset /dev/%s",
		 name, cntlid, keep[RESOURCE_QUEUES], name, cntlid,
		 keep[RESOURCE_INTERRUPTS], name);
	return text;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * holders.c - references on modules. Whoever has a way to a PF holds its driver,
 * and an unfinished command the shim.
 */
#include <stdlib.h>

#include "bed.h"
#include "holders.h"

/* What remains to be done for a VF that was closed is tried for a minute. */
#define NAP_US	100000
#define NAPS	1800

static long users_of(const char *module)
{
	char text[16];

	/* none if the way to the PF is nvme's own */
	if (sysfs_read(text, sizeof(text), "/sys/module/%s/refcnt", module) < 0)
		return 0;
	return atol(text);
}

struct holders holders_now(void)
{
	return (struct holders){
		.nvme = users_of("nvme"), .shim = users_of("nvme_pf_shim"),
	};
}

void holders_gone(const struct holders *before)
{
	struct holders now = holders_now();
	unsigned int naps;

	for (naps = NAPS; naps; naps--) {
		if (now.nvme == before->nvme && now.shim == before->shim)
			return;
		sleep_us(NAP_US);
		now = holders_now();
	}
	check(false, "no VF is open, but nvme has %ld users and not %ld, the shim %ld and not %ld",
	      now.nvme, before->nvme, now.shim, before->shim);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * trouble.c - the kernel's own complaints: see trouble.h.
 */
#include <string.h>

#include "check.h"
#include "klog.h"
#include "trouble.h"

static const char * const signs[] = {
	"WARNING: ", "BUG: ", "Oops", "general protection fault",
	"unable to handle", "UBSAN: ", "KASAN: ", "KCSAN: ", "refcount_t: ",
	"possible recursive locking", "possible circular locking",
	"suspicious RCU usage", "soft lockup", "rcu_sched", "rcu: INFO",
	"blocked for more than", "sleeping function called",
	"DMAR: [DMA", "AMD-Vi: Event logged",
};

static bool is_trouble(const char *text)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(signs); i++) {
		if (strstr(text, signs[i]))
			return true;
	}
	return false;
}

bool trouble_judge(const struct tap_case *c, enum tap_result result)
{
	unsigned int level;
	const char *text;
	bool any = false;

	(void)c;
	(void)result;
	/* the first one says most; the rest is skipped for the next case */
	while ((text = klog_next(&level))) {
		if (!any && is_trouble(text)) {
			tap_note("the kernel log says: %s", text);
			any = true;
		}
	}
	return !any;
}

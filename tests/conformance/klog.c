// SPDX-License-Identifier: GPL-2.0-only
/*
 * klog.c - the kernel's own complaints: see klog.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "klog.h"
#include "tap.h"

static const char * const signs[] = {
	"WARNING: ", "BUG: ", "Oops", "general protection fault",
	"unable to handle", "UBSAN: ", "KASAN: ", "KCSAN: ", "refcount_t: ",
	"possible recursive locking", "possible circular locking",
	"suspicious RCU usage", "soft lockup", "rcu_sched", "rcu: INFO",
	"blocked for more than", "sleeping function called",
	"DMAR: [DMA", "AMD-Vi: Event logged",
};

static int fd = -1;

bool klog_open(void)
{
	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 && lseek(fd, 0, SEEK_END) >= 0;
}

const char *klog_trouble(void)
{
	static char found[1024];
	char record[4096];
	bool any = false;
	ssize_t n;

	if (fd < 0)
		return NULL;
	/* EPIPE: records were lost, the next read goes on behind them */
	while ((n = read(fd, record, sizeof(record) - 1)) > 0 ||
	       (n < 0 && (errno == EPIPE || errno == EINTR))) {
		unsigned int i;
		char *text;

		if (n < 0)
			continue;
		record[n] = 0;
		/* "level,number,time,flags;text", then lines of properties */
		text = strchr(record, ';');
		if (!text++ || any)
			continue;
		text[strcspn(text, "\n")] = 0;
		for (i = 0; i < ARRAY_SIZE(signs); i++)
			any |= strstr(text, signs[i]) != NULL;
		if (any) {
			snprintf(found, sizeof(found), "%s", text);
		}
	}
	return any ? found : NULL;
}

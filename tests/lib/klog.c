// SPDX-License-Identifier: GPL-2.0-only
/*
 * klog.c - what is written to the kernel log while a case runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "klog.h"

static int fd = -1;

int klog_start(void)
{
	if (fd < 0)
		fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || lseek(fd, 0, SEEK_END) < 0)
		return -errno;
	return 0;
}

const char *klog_next(unsigned int *level)
{
	static char record[4096];
	char *text;
	ssize_t n;

	if (fd < 0)
		return NULL;
	for (;;) {
		n = read(fd, record, sizeof(record) - 1);
		/* EPIPE: records were lost, the next read goes on after them */
		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n <= 0)
			return NULL;
		record[n] = 0;
		/* "level,number,time,flags;text", then lines of properties */
		text = strchr(record, ';');
		if (!text++)
			continue;
		text[strcspn(text, "\n")] = 0;
		*level = atoi(record) & 7;
		return text;
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * util.c - time, messages and small sysfs access, shared by the library.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

static char msg[LIB_MSG_MAX];

const char *lib_msg(void)
{
	return msg;
}

int lib_fail(int err, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(msg))
		snprintf(msg + n, sizeof(msg) - n, ": %s", strerror(-err));
	return err;
}

uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void sleep_us(unsigned int us)
{
	struct timespec t = { us / 1000000, (us % 1000000) * 1000L };

	nanosleep(&t, NULL);
}

static int open_path(int flags, const char *fmt, va_list ap)
{
	char path[PATH_MAX];
	int fd;

	vsnprintf(path, sizeof(path), fmt, ap);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int sysfs_read(char *buf, size_t len, const char *fmt, ...)
{
	va_list ap;
	ssize_t n;
	int fd, err;

	va_start(ap, fmt);
	fd = open_path(O_RDONLY, fmt, ap);
	va_end(ap);
	if (fd < 0)
		return fd;
	n = read(fd, buf, len - 1);
	err = errno;
	close(fd);
	if (n < 0)
		return -err;
	while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == ' '))
		n--;
	buf[n] = 0;
	return n;
}

int sysfs_write(const char *text, const char *fmt, ...)
{
	va_list ap;
	ssize_t n;
	int fd, err;

	va_start(ap, fmt);
	fd = open_path(O_WRONLY, fmt, ap);
	va_end(ap);
	if (fd < 0)
		return fd;
	n = write(fd, text, strlen(text));
	err = errno;
	close(fd);
	return n < 0 ? -err : 0;
}

int sysfs_link(char *buf, size_t len, const char *fmt, ...)
{
	char path[PATH_MAX], target[PATH_MAX], *base;
	va_list ap;
	ssize_t n;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = 0;
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	if (strlen(base) >= len)
		return -ENAMETOOLONG;
	strcpy(buf, base);
	return 0;
}

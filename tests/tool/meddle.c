// SPDX-License-Identifier: GPL-2.0-only
/*
 * meddle.c - preloaded into the tool: something goes wrong at a chosen call.
 *
 * It counts the calls that change a device: writes to sysfs, and the admin
 * commands Virtualization Management and Namespace Attachment.
 *
 *	MEDDLE_AT=N	the call that is meant, from 1
 *	MEDDLE_RUN=...	a shell command to run before it, or else it fails (EIO)
 *	MEDDLE_COUNT=F	write the number of calls to file F at the end
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/nvme_ioctl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int calls;

/* Not system(): that would keep some signals away from this process. */
static void run_shell(const char *command)
{
	int status = -1;
	pid_t child = fork();

	if (!child) {
		unsetenv("LD_PRELOAD");
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (status)
		fprintf(stderr, "meddle: %s: status %x\n", command, status);
}

/* Return: whether the call has to fail. */
static bool meddle(void)
{
	const char *at = getenv("MEDDLE_AT"), *run = getenv("MEDDLE_RUN");

	calls++;
	if (!at || calls != atoi(at))
		return false;
	if (run) {
		run_shell(run);
		return false;
	}
	errno = EIO;
	return true;
}

static bool is_sysfs(int fd)
{
	char link[32], path[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	return n >= 5 && !memcmp(path, "/sys/", 5);
}

ssize_t write(int fd, const void *buf, size_t len)
{
	static ssize_t (*real)(int, const void *, size_t);

	if (!real)
		real = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT,
								     "write");
	if (is_sysfs(fd) && meddle())
		return -1;
	return real(fd, buf, len);
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int, unsigned long, void *);
	void *arg;
	va_list ap;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (!real)
		real = (int (*)(int, unsigned long, void *))dlsym(RTLD_NEXT,
								  "ioctl");
	if (request == NVME_IOCTL_ADMIN_CMD) {
		const struct nvme_passthru_cmd *cmd = arg;

		if ((cmd->opcode == 0x15 || cmd->opcode == 0x1c) && meddle())
			return -1;
	}
	return real(fd, request, arg);
}

__attribute__((destructor))
static void count(void)
{
	const char *file = getenv("MEDDLE_COUNT");
	FILE *f = file ? fopen(file, "w") : NULL;

	if (!f)
		return;
	fprintf(f, "%d\n", calls);
	fclose(f);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * qmp - talk to a QEMU from inside a host.
 *
 * usage: qmp SOCKET COMMAND...	each COMMAND is a JSON object; prints each answer
 *				as one line, fails if one is an error; @N
 *				instead waits for N milliseconds
 *	  qmp -t SOCKET TEXT	write a line of text to a socket (a guest's console)
 */
#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "monitor.h"

#define DRAIN_MS	120000
#define STEP_MS		10

static void die(const char *what)
{
	fprintf(stderr, "qmp: %s: %s\n", what, errno ? strerror(errno) : "closed");
	exit(1);
}

static int dial(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0 || strlen(path) >= sizeof(addr.sun_path))
		die(path);
	strcpy(addr.sun_path, path);
	if (connect(fd, (void *)&addr, sizeof(addr)))
		die(path);
	return fd;
}

static void put(int fd, const char *text)
{
	if (dprintf(fd, "%s\n", text) < 0)
		die("write");
}

/* A guest reads a few bytes at a time, and what its QEMU has not read by the
 * time the socket is closed is lost.
 */
static void drain(int fd)
{
	int left, i;

	for (i = 0; i < DRAIN_MS / STEP_MS; i++) {
		if (ioctl(fd, SIOCOUTQ, &left))
			die("SIOCOUTQ");
		if (!left)
			return;
		usleep(STEP_MS * 1000);
	}
	errno = ETIMEDOUT;
	die("not all is read");
}

int main(int argc, char **argv)
{
	const char *answer;
	int fd, i;
	FILE *f;

	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "-t")) {
		fd = dial(argv[2]);
		for (i = 3; i < argc; i++)
			put(fd, argv[i]);
		drain(fd);
		return 0;
	}
	f = fdopen(dial(argv[1]), "r");
	if (!f)
		die(argv[1]);
	if (!monitor_begin(f))
		die("no answer");
	for (i = 2; i < argc; i++) {
		if (argv[i][0] == '@') {
			usleep(atoi(argv[i] + 1) * 1000);
			continue;
		}
		answer = monitor_do(f, argv[i]);
		if (!answer)
			die("no answer");
		fputs(answer, stdout);
		if (monitor_is_error(answer))
			return 1;
	}
	return 0;
}

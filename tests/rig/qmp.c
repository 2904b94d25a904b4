// SPDX-License-Identifier: GPL-2.0-only
/*
 * qmp - talk to a QEMU from inside a host.
 *
 * usage: qmp SOCKET COMMAND...	each COMMAND is a JSON object; prints one line with
 *				each answer, fails if one is an error; @N
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

#define DRAIN_MS	120000
#define STEP_MS		10

static FILE *answers;

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

/* A guest takes a few bytes at a time, and what its QEMU has not read when the
 * socket is closed is lost.
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

/* The answer to the last command; events in between are of no interest here. */
static int answer(int print)
{
	static char *line;
	static size_t size;

	for (;;) {
		errno = 0;
		if (getline(&line, &size, answers) < 0)
			die("read");
		if (!strncmp(line, "{\"return\"", 9) || !strncmp(line, "{\"error\"", 8))
			break;
	}
	if (print)
		fputs(line, stdout);
	return !strncmp(line, "{\"error\"", 8);
}

int main(int argc, char **argv)
{
	int fd, i;

	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "-t")) {
		fd = dial(argv[2]);
		for (i = 3; i < argc; i++)
			put(fd, argv[i]);
		drain(fd);
		return 0;
	}
	fd = dial(argv[1]);
	answers = fdopen(fd, "r");
	if (!answers)
		die(argv[1]);
	put(fd, "{\"execute\":\"qmp_capabilities\"}");
	answer(0);
	for (i = 2; i < argc; i++) {
		if (argv[i][0] == '@') {
			usleep(atoi(argv[i] + 1) * 1000);
			continue;
		}
		put(fd, argv[i]);
		if (answer(1))
			return 1;
	}
	return 0;
}

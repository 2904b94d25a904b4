// SPDX-License-Identifier: GPL-2.0-only
/*
 * version.c - runs programs to learn their version.
 */
#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util.h"
#include "version.h"

#define ELSEWHERE	"/usr/sbin:/sbin:/usr/local/sbin:/usr/libexec"
#define PATIENCE_MS	20000

static bool find_in(char *path, size_t len, const char *dirs, const char *name)
{
	size_t n;

	for (; dirs && *dirs; dirs += n + (dirs[n] == ':')) {
		n = strcspn(dirs, ":");
		/* Only absolute ones: root must not run what lies around. */
		if (*dirs != '/' ||
		    snprintf(path, len, "%.*s/%s", (int)n, dirs, name) >=
		    (int)len)
			continue;
		if (!access(path, X_OK))
			return true;
	}
	*path = 0;
	return false;
}

static void read_all(int fd, char *text, size_t len)
{
	uint64_t end = now_us() + PATIENCE_MS * 1000ULL;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t n = 0;
	ssize_t got;

	while (n < len - 1 && now_us() < end) {
		if (poll(&p, 1, (end - now_us()) / 1000 + 1) <= 0)
			continue;
		got = read(fd, text + n, len - 1 - n);
		if (got <= 0)
			break;
		n += got;
	}
	text[n] = 0;
}

extern char **environ;

static void run(const char *path, char *text, size_t len)
{
	char *argv[] = { (char *)path, (char *)"--version", NULL };
	posix_spawn_file_actions_t act;
	int fd[2];
	pid_t pid;
	int err;

	*text = 0;
	if (pipe2(fd, O_CLOEXEC))
		return;
	err = posix_spawn_file_actions_init(&act);
	if (!err) {
		err = posix_spawn_file_actions_addopen(&act, 0, "/dev/null",
						       O_RDONLY, 0) ||
		      posix_spawn_file_actions_addopen(&act, 2, "/dev/null",
						       O_WRONLY, 0) ||
		      posix_spawn_file_actions_adddup2(&act, fd[1], 1) ||
		      posix_spawn(&pid, path, &act, NULL, argv, environ);
		posix_spawn_file_actions_destroy(&act);
	}
	close(fd[1]);
	if (!err) {
		read_all(fd[0], text, len);
		kill(pid, SIGKILL);	/* done, or it never will be */
		waitpid(pid, NULL, 0);
	}
	close(fd[0]);
}

bool version_parse(struct version *v, const char *text)
{
	v->micro = 0;
	v->known = sscanf(text, "%u.%u.%u", &v->major, &v->minor,
			  &v->micro) >= 2;
	return v->known;
}

void version_find(struct version *v, const char *const *names)
{
	char text[1024];
	const char *s;

	*v = (struct version){ };
	for (; *names; names++)
		if (find_in(v->path, sizeof(v->path), getenv("PATH"), *names) ||
		    find_in(v->path, sizeof(v->path), ELSEWHERE, *names))
			break;
	if (!*names)
		return;
	run(v->path, text, sizeof(text));
	/* The first word that is a version: names in front of it differ. */
	for (s = text; *s && *s != '\n'; s++)
		if (isdigit((unsigned char)*s) &&
		    (s == text || s[-1] == ' ') && version_parse(v, s))
			return;
}

bool version_before(const struct version *v, unsigned int major,
		    unsigned int minor)
{
	return v->major < major || (v->major == major && v->minor < minor);
}

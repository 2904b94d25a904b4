// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"
#include "tap.h"
#include "user.h"
#include "vfio_dev.h"

pid_t user_start(void (*fn)(void *arg), void (*then)(void *arg), void *arg)
{
	char byte = 0;
	int ready[2];
	pid_t pid;

	check(!pipe(ready), "no pipe");
	pid = fork();
	check(pid >= 0, "no process");
	if (!pid) {
		fn(arg);
		check(write(ready[1], &byte, 1) == 1, "no reader");
		if (then)
			then(arg);
		for (;;)
			pause();
	}
	close(ready[1]);
	check(read(ready[0], &byte, 1) == 1, "the process failed early");
	close(ready[0]);
	return pid;
}

void user_closes(void *arg)
{
	vfio_close(arg);
}

void user_kill(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	check(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status),
	      "the process was not killed");
}

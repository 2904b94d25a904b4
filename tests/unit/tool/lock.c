// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks: in a folder that nobody else can enter, and no wait lasts for ever.
 */
#include <errno.h>
#include <sys/wait.h>

#include "base/lock.h"
#include "base/tool.h"
#include "here.h"
#include "said.h"
#include "tap.h"
#include "util.h"

#define PF	"0000:01:00.0"

static unsigned int mode(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_mode & 07777;
}

static int take(int (*lock)(uint64_t until, int *fd), unsigned int ms, int *fd,
		unsigned int *took)
{
	uint64_t start = now_us();
	int err;

	said_forget();
	err = lock(start + 1000 * ms, fd);
	*took = (now_us() - start) / 1000;
	return err;
}

static int pf(uint64_t until, int *fd)
{
	return lock_pf(PF, until, fd);
}

static void test_waits(const char *what, int (*lock)(uint64_t until, int *fd))
{
	unsigned int took;
	int a, b, err;
	pid_t pid;

	err = take(lock, 0, &a, &took);
	ok(!err && a >= 0, "%s: taken (%s)", what, said);
	err = take(lock, 0, &b, &took);
	ok(err == TOOL_LOCKED && b == -1 && said_lines == 1 && took < 400,
	   "%s: taken already: at once, in one line (%s)", what, said);
	err = take(lock, 500, &b, &took);
	ok(err == TOOL_LOCKED && took >= 450 && took < 3000,
	   "%s: no longer than it was to wait (%u ms)", what, took);
	pid = fork();
	if (!pid) {
		sleep_us(300000);
		_exit(0);	/* with the only copy of the lock */
	}
	unlock_pf(a);
	err = take(lock, 20000, &b, &took);
	ok(!err && took < 15000, "%s: had when the other process has ended (%u ms)", what, took);
	unlock_pf(b);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	int fd;

	here_begin();
	umask(0);
	ok(!lock_pf(PF, 0, &fd) && mode(LOCK_DIR) == 0700 && mode(LOCK_DIR "/" PF ".lock") == 0600,
	   "folder and lock are for nobody else (%o, %o)", mode(LOCK_DIR), mode(LOCK_DIR "/" PF ".lock"));
	unlock_pf(fd);
	test_waits("a PF", pf);
	test_waits("the turn", lock_turn);

	chmod(LOCK_DIR, 0777);
	ok(!lock_pf(PF, 0, &fd) && mode(LOCK_DIR) == 0700, "a folder that was open to others is closed");
	unlock_pf(fd);
	said_forget();
	remove(LOCK_DIR "/" PF ".lock");
	ok(!symlink("elsewhere", LOCK_DIR "/" PF ".lock") && lock_pf(PF, 0, &fd) == TOOL_FAILED &&
	   said_lines == 1 && fd == -1 && access("elsewhere", F_OK),
	   "a link is not followed (%s)", said);
	here_end();
	here_begin();
	said_forget();
	ok(!symlink("elsewhere", LOCK_DIR) && lock_pf(PF, 0, &fd) == TOOL_FAILED && said_lines == 1,
	   "nor for the folder (%s)", said);
	if (!geteuid()) {
		remove(LOCK_DIR);
		mkdir(LOCK_DIR, 0777);
		said_forget();
		ok(!chown(LOCK_DIR, 65534, 65534) && lock_pf(PF, 0, &fd) == TOOL_FAILED && said_lines == 1,
		   "a folder of somebody else is refused (%s)", said);
	}
	here_end();
	return tap_done();
}

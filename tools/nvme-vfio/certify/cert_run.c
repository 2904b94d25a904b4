// SPDX-License-Identifier: GPL-2.0-only
/*
 * cert_run.c - a rule in a process of its own, and the clean-up after it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/tool.h"
#include "cert.h"
#include "util.h"

volatile sig_atomic_t cert_interrupted;

#define POLL_US		2000
#define TRIES		50
#define NAP_US		100000

static void outcome(struct cert_outcome *out, int status, bool late,
		    unsigned int limit_s)
{
	if (out->result != CERT_NOT_RUN)
		return;
	out->result = CERT_FAIL;
	if (late)
		snprintf(out->why, sizeof(out->why),
			 "not done after %u s%s%s", limit_s,
			 out->hang ? "; not completed: " : "",
			 out->hang ? out->sent : "");
	else
		snprintf(out->why, sizeof(out->why), "ended by signal %d",
			 WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

/*
 * Return: whether the process has ended. Limits count naps: it is not the
 * drive's fault if the host stood still.
 */
static bool await(pid_t pid, unsigned int limit_s, bool stops, int *status,
		  bool *late)
{
	uint64_t naps, per_s = 1000000 / POLL_US;
	bool told = false;

	for (naps = 0; !waitpid(pid, status, WNOHANG); naps++) {
		if (naps >= limit_s * per_s && !*late) {
			kill(pid, SIGKILL);
			*late = true;
		}
		if (stops && cert_interrupted && !told) {
			kill(pid, SIGKILL);
			told = true;
		}
		/* It waits for a command, and nvme for its own limit. */
		if (naps >= (limit_s + CERT_LIMIT_S) * per_s)
			return false;
		sleep_us(POLL_US);
	}
	return true;
}

static int in_process(struct cert *c, void (*run)(struct cert *c),
		      unsigned int limit_s, bool stops)
{
	struct cert_outcome *out = c->out;
	bool late = false, ended;
	int status = 0;
	pid_t pid;

	limit_s = limit_s ? limit_s : CERT_LIMIT_S;
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return fail(TOOL_FAILED, "fork: %s", strerror(errno));
	if (!pid) {
		/* Only the process that started it restores the VFs. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		expect_into(out->why, sizeof(out->why), &out->result,
			    CERT_FAIL, CERT_SKIP);
		run(c);
		out->result = CERT_PASS;
		_exit(0);
	}
	ended = await(pid, limit_s, stops, &status, &late);
	if (ended && stops && cert_interrupted)
		return TOOL_OK;
	outcome(out, status, late, limit_s);
	if (!ended || (out->result == CERT_FAIL && out->hang))
		return fail(TOOL_BROKEN,
				"%s: a command did not complete (%s). Reset the drive, which resets all its VFs as well: echo 1 >/sys/class/nvme/%s/reset_controller; then run " TOOL_NAME " certify --recover %s",
			    c->pf, out->sent, c->ctrl, c->pf);
	return TOOL_OK;
}

/* -- what a rule leaves ------------------------------------------------------------ */

/*
 * Part of a state keeps a VF from running; loading its own whole state ends
 * that.
 */
static int complete(struct cert *c, unsigned int vf)
{
	struct cert_state s;

	cert_is(c, cert_suspend_vf(c, vf), 0, "Suspend");
	cert_save(c, vf, &s);
	cert_load(c, vf, &s, 0);
	return cert_resume_vf(c, vf);
}

static bool runs(const struct cert *c, int ret)
{
	return !ret || c->set == CERT_VENDOR || ret == CERT_NOT_SUSPENDED ||
	       ret == CERT_INVALID_CTRL;
}

/* Suspended or not, tracked or not: afterwards it is neither. */
static void put_right(struct cert *c, unsigned int vf)
{
	int ret = 0, i;

	for (i = 0; i < TRIES; i++) {
		ret = cert_resume_vf(c, vf);
		if (ret == CERT_SEQUENCE)
			ret = complete(c, vf);
		if (runs(c, ret) || ret < 0)
			break;
		sleep_us(NAP_US);
	}
	check(ret >= 0, "Resume of %s: %s", c->vf[vf].bdf, strerror(-ret));
	check(runs(c, ret), "Resume of %s: status %03xh", c->vf[vf].bdf, ret);
	if (!c->tracks || c->set == CERT_VENDOR)
		return;
	ret = cert_untrack(c, c->vf[vf].cntlid);
	check(ret >= 0, "Track stop of %s: %s", c->vf[vf].bdf, strerror(-ret));
}

static void settle(struct cert *c)
{
	unsigned int i;

	for (i = 0; i < c->nvf; i++)
		put_right(c, i);
	/* Opening a VF resets it, and closing it again. */
	for (i = 0; i < c->nvf; i++) {
		check(!vfio_open(&c->dev[i], c->vf[i].bdf), "%s", lib_msg());
		vfio_close(&c->dev[i]);
	}
}

int cert_settle(struct cert *c)
{
	struct cert_outcome *old = c->out, *out;
	int err;

	out = mmap(NULL, sizeof(*out), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (out == MAP_FAILED)
		return fail(TOOL_FAILED, "out of memory");
	c->out = out;
	err = in_process(c, settle, 0, false);
	if (!err && out->result != CERT_PASS)
		err = fail(TOOL_BROKEN,
				"%s: %s: the VF may still be suspended: echo 1 >/sys/class/nvme/%s/reset_controller resets the drive and all its VFs",
			   c->pf, out->why, c->ctrl);
	c->out = old;
	munmap(out, sizeof(*out));
	return err;
}

int cert_run(struct cert *c, const struct cert_rule *rule,
	     struct cert_outcome *out)
{
	int err;

	c->out = out;
	err = in_process(c, rule->run, rule->limit_s, true);
	if (err || !(rule->needs & (CERT_VF | CERT_TWO)))
		return err;
	return cert_settle(c);
}

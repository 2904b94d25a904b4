// SPDX-License-Identifier: GPL-2.0-only
/*
 * tap-test.c - cases that end in every way, for 02-tap.t, which knows what has
 * to be reported about them.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

enum { THERE = 1, NOT_THERE = 2 };

static void passes(const void *arg)
{
	(void)arg;
	tap_note("one line\nand another");
}

static void fails(const void *arg)
{
	(void)arg;
	fail("1 is not %d", 2);
}

static void library_fails(const void *arg)
{
	(void)arg;
	must(lib_fail(-1, "no reason"));
}

static void skips(const void *arg)
{
	(void)arg;
	tap_skip("there is no %s", "sense");
}

static void library_skips(const void *arg)
{
	(void)arg;
	expect_missing("no such device");
}

static void is_killed(const void *arg)
{
	(void)arg;
	raise(SIGUSR1);
}

static void never_ends(const void *arg)
{
	(void)arg;
	signal(SIGTERM, SIG_IGN);
	for (;;)
		pause();
}

static bool wanted(const struct tap_case *c)
{
	return !c->deep;
}

static const char *missing(const struct tap_case *c)
{
	return c->needs & ~THERE ? "not here" : NULL;
}

/* @log: the case must be judged to have failed for that */
static bool judge(const struct tap_case *c, enum tap_result result)
{
	if (c->log)
		tap_note("%s, says the judge of %d", c->log, result);
	return !c->log;
}

int main(void)
{
	static const struct tap_case first[] = {
		{ .name = "passes", .fn = passes },
		{ .name = "fails", .fn = fails },
		{ .name = "fails in the library", .fn = library_fails },
		{ .name = "is not wanted", .fn = fails, .deep = true },
		{ }
	};
	static const struct tap_case second[] = {
		{ .name = "is skipped", .fn = skips },
		{ .name = "is skipped by the library", .fn = library_skips },
		{ .name = "needs something", .fn = fails, .needs = NOT_THERE },
		{ .name = "needs what there is", .fn = passes, .needs = THERE },
		{ .name = "is killed", .fn = is_killed },
		{ .name = "never ends", .fn = never_ends, .limit_s = 1 },
		{ .name = "is not liked", .fn = passes, .log = "bad" },
		{ .name = "is skipped, not liked", .fn = skips, .log = "bad" },
		{ }
	};
	struct tap_run run = {
		.limit_s = 60, .wanted = wanted, .missing = missing,
		.judge = judge,
	};

	run.prefix = "first: ";
	tap_cases(&run, first);
	run.prefix = NULL;
	tap_cases(&run, second);
	tap_end(&run);
	tap_note("%u of %u failed", run.failed, run.ran);
	return 0;
}

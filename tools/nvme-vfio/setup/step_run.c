// SPDX-License-Identifier: GPL-2.0-only
/*
 * step_run.c - does a list of steps, and undoes it after a failure.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/tool.h"
#include "step_run.h"
#include "util.h"

/* What takes longer than this is shown. */
#define PATIENCE_US	2000000

static volatile sig_atomic_t stop;

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

#define NSIGNALS	(sizeof(signals) / sizeof(signals[0]))

static void on_signal(int sig)
{
	stop = sig;
}

/* No half set-up may be left behind, however the user interrupts it. */
static void catch(struct sigaction old[NSIGNALS])
{
	struct sigaction sa = { .sa_handler = on_signal };
	size_t i;

	stop = 0;
	for (i = 0; i < NSIGNALS; i++)
		sigaction(signals[i], &sa, &old[i]);
}

static void release(const struct sigaction old[NSIGNALS])
{
	size_t i;

	for (i = 0; i < NSIGNALS; i++)
		sigaction(signals[i], &old[i], NULL);
}

struct progress {
	uint64_t start;
	bool shown;
};

static void progress(struct progress *p, const struct step_ctx *ctx,
		     const struct steps *s, size_t i)
{
	if (tool.quiet || tool.verbose || !isatty(STDERR_FILENO) ||
	    now_us() - p->start < PATIENCE_US)
		return;
	fprintf(stderr, "\r\033[K%s: %zu of %zu: %s", ctx->name, i + 1, s->n,
		step_text(&s->step[i]));
	fflush(stderr);
	p->shown = true;
}

static void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}

/* Undo the first @n steps. */
static int undo(const struct step_ctx *ctx, struct steps *s, size_t n)
{
	int err, worst = TOOL_OK;

	while (n--) {
		note("%s: undo: %s", ctx->name, step_text(&s->step[n]));
		err = step_undo(ctx, &s->step[n]);
		s->step[n].state = err ? STATE_STUCK : STATE_UNDONE;
		/* Whatever else can be undone is undone. */
		if (err)
			worst = err;
	}
	return worst;
}

int steps_run(const struct step_ctx *ctx, struct steps *s)
{
	struct progress p = { .start = now_us() };
	struct sigaction old[NSIGNALS];
	int err = TOOL_OK;
	size_t i;

	catch(old);
	for (i = 0; i < s->n; i++) {
		progress(&p, ctx, s, i);
		note("%s: %s", ctx->name, step_text(&s->step[i]));
		if (stop)
			err = fail(TOOL_FAILED, "%s: stopped by a signal (%s)",
				   ctx->name, strsignal(stop));
		else
			err = step_do(ctx, &s->step[i]);
		if (err) {
			progress_end(&p);
			s->step[i].state = STATE_FAILED;
			break;
		}
		s->step[i].state = STATE_DONE;
	}
	progress_end(&p);
	if (err) {
		if (ctx->pf && pf_gone(ctx->pf))
			/* Its VFs went with it: there is nothing to undo. */
			err = TOOL_NODEV;
		else if (undo(ctx, s, i))
			err = fail(TOOL_BROKEN, "%s: not everything could be undone: it is not as it was before", ctx->name);
	}
	release(old);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * selftest_run.c - a workload on a VF that is migrated meanwhile. The library's
 * code for that is the tests' own.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/tool.h"
#include "migrate.h"
#include "selftest_run.h"
#include "vfio_log.h"

#define VECTORS		5
#define IO_US		1000000
#define PATIENCE_US	2000000
#define PAGE		4096

static struct selftest_result *result;

static void stage(const char *text)
{
	snprintf(result->stage, sizeof(result->stage), "%s", text);
}

/* -- the work ------------------------------------------------------------------ */

static void interrupts(struct vfio_dev *dev)
{
	int err = vfio_irq_enable(dev, dev->nvec < VECTORS ? dev->nvec :
				       VECTORS);

	check(!err, "%s", lib_msg());
}

static void open_vf(struct vfio_dev *dev, const char *bdf, struct workload *w)
{
	check(!vfio_open(dev, bdf), "%s", lib_msg());
	check(!vfio_dma_map(dev, &w->mem), "%s", lib_msg());
	interrupts(dev);
}

static void measure(struct workload *w, struct selftest_io *io)
{
	uint64_t start = now_us(), before = w->checked;

	while (now_us() - start < IO_US) {
		workload_fill(w, 24);
		workload_drain(w);
	}
	io->us = now_us() - start;
	io->bytes = (w->checked - before) * UNIT;
}

static void track(struct workload *w, struct vfio_dev *dev)
{
	struct vfio_log_range all = { w->mem.iova, w->mem.size };
	uint64_t *bitmap, start;
	size_t bits, i;

	result->tracks = vfio_log_supported(dev);
	if (!result->tracks)
		return;
	stage("tracking of writes to memory");
	result->granule = PAGE;
	check(!vfio_log_start(dev, &all, 1, &result->granule), "%s", lib_msg());
	measure(w, &result->io_tracked);
	bits = w->mem.size / result->granule + 64;
	bitmap = calloc(bits / 64 + 1, sizeof(*bitmap));
	check(bitmap, "out of memory");
	start = now_us();
	check(!vfio_log_report(dev, w->mem.iova, w->mem.size, result->granule,
			       bitmap), "%s", lib_msg());
	result->report_us = now_us() - start;
	for (i = 0; i < bits / 64; i++)
		result->dirty += __builtin_popcountll(bitmap[i]);
	free(bitmap);
	check(result->dirty, "%s: data was read into memory, but the report of written memory is empty",
	      dev->bdf);
	check(!vfio_log_stop(dev), "%s", lib_msg());
}

/* The destination is the VF itself, reset in between. */
static void onto_itself(struct workload *w, struct vfio_dev *dev,
			struct mig_stream *s, struct mig_times *t)
{
	int fired[VECTORS] = { };
	unsigned int i, n = dev->nefd;

	move_stop(w, dev, s, t);
	for (i = 0; i < n && i < VECTORS; i++)
		fired[i] = vfio_irq_take(dev, i);
	check(!vfio_reset(dev), "%s", lib_msg());
	interrupts(dev);
	for (i = 0; i < n && i < VECTORS; i++)
		if (fired[i] > 0)
			check(!vfio_irq_give(dev, i), "%s", lib_msg());
	move_load(w, dev, s, t);
}

static void to_another(struct workload *w, struct vfio_dev *from,
		       struct vfio_dev *to, struct mig_stream *s,
		       struct mig_times *t)
{
	move(w, from, to, s, t);
	/* The way back must lead to a VF that nobody has used. */
	check(!vfio_reset(from), "%s", lib_msg());
	interrupts(from);
}

static void migrate(struct workload *w, struct vfio_dev dev[2], bool two)
{
	struct mig_stream s = { };
	unsigned int i;

	for (i = 0; i < SELFTEST_ROUNDS; i++) {
		snprintf(result->stage, sizeof(result->stage),
			 "migration %u of %u", i + 1, SELFTEST_ROUNDS);
		if (i)
			workload_fill(w, 16);
		else
			workload_unseen(w);
		if (two)
			to_another(w, &dev[i % 2], &dev[1 - i % 2], &s,
				   &result->t[i]);
		else
			onto_itself(w, &dev[0], &s, &result->t[i]);
		result->state = s.len;
		workload_check(w);
		result->rounds = i + 1;
	}
	mig_stream_free(&s);
}

static void work(const struct selftest *what)
{
	struct workload_opts opts = { .nsid = what->nsid,
				  .readonly = !what->write };
	bool two = *what->vf[1];
	struct vfio_dev dev[2];
	struct workload *w;
	int err;

	expect_into(result->why, sizeof(result->why), NULL, 0, 0);
	stage("opening");
	w = workload_new();
	open_vf(&dev[0], what->vf[0], w);
	if (two)
		open_vf(&dev[1], what->vf[1], w);
	err = vfio_mig_flags(&dev[0], &result->flags);
	check(!err, "%s: VFIO does not offer migration for it; " TOOL_NAME " doctor %s says why",
	      what->vf[0], what->vf[0]);
	stage("I/O");
	workload_start(w, &dev[0], &opts);
	measure(w, &result->io);
	track(w, &dev[0]);
	migrate(w, dev, two);
	result->checked = w->checked;
	vfio_close(&dev[0]);
	if (two)
		vfio_close(&dev[1]);
	workload_free(w);
	result->done = true;
}

/* -- around it ------------------------------------------------------------------ */

static void show(uint64_t start, bool *shown)
{
	if (tool.quiet || !isatty(STDERR_FILENO) ||
	    now_us() - start < PATIENCE_US)
		return;
	fprintf(stderr, "\r\033[K%s", result->stage);
	fflush(stderr);
	*shown = true;
}

static void outcome(int status, bool late, unsigned int limit_s)
{
	if (result->done || *result->why)
		return;
	if (late)
		snprintf(result->why, sizeof(result->why),
			 "%s: not done after %u s", result->stage, limit_s);
	else
		snprintf(result->why, sizeof(result->why),
			 "%s: ended by signal %d", result->stage,
			 WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void wait_for(pid_t child, unsigned int limit_s)
{
	uint64_t start = now_us();
	bool shown = false, late = false;
	int status = 0;

	while (waitpid(child, &status, WNOHANG) == 0) {
		show(start, &shown);
		if (!late && now_us() - start > limit_s * 1000000ULL) {
			kill(child, SIGKILL);
			late = true;
		}
		sleep_us(20000);
	}
	if (shown)
		fputs("\r\033[K", stderr);
	outcome(status, late, limit_s);
}

int selftest_run(const struct selftest *what, struct selftest_result **r,
		 unsigned int limit_s)
{
	pid_t child;

	result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (result == MAP_FAILED) {
		result = NULL;
		return fail(TOOL_FAILED, "out of memory");
	}
	*r = result;
	fflush(stdout);
	child = fork();
	if (child < 0)
		return fail(TOOL_FAILED, "fork: %s", strerror(errno));
	if (!child) {
		work(what);
		_exit(0);
	}
	wait_for(child, limit_s);
	return TOOL_OK;
}

void selftest_free(struct selftest_result *r)
{
	if (r)
		munmap(r, sizeof(*r));
	result = NULL;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * mig-fuzz.c - random calls on the VFs of this host from several threads, as
 * root. Rules that hold for any call are checked at each; at the end every VF
 * must be as good as new.
 *
 * usage: mig-fuzz [--set standard|vendor] [--seed N] [--seconds N] [--ops N]
 *                 [--threads N] [--no-pf | --bus] [--verbose]
 *
 * The same seed makes the same operations in each thread.
 */
#define _GNU_SOURCE			/* joining and locks, the non-portable ways */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"
#include "holders.h"
#include "move.h"
#include "run.h"

#define MEM_BYTES	(64 << 10)
#define MEM_IOVA	0x100000000ull
#define FIRST_DATA_FD	200
#define MANY_OPS	5000

struct fuzz fuzz = { .seconds = 60, .nthreads = 6, .pf_events = true };

const struct op vf_ops[] = {
	{ "set state", 20, false, op_set_state },
	{ "run", 14, false, op_run },
	{ "get state", 6, false, op_get_state },
	{ "data size", 4, false, op_data_size },
	{ "save", 12, false, op_save },
	{ "pre-copy", 8, false, op_pre_copy },
	{ "cancel", 4, true, op_cancel },
	{ "load", 14, false, op_load },
	{ "logging", 5, false, op_log },
	{ "logging start", 5, false, op_log_start },
	{ "logging report", 5, false, op_log_report },
	{ "logging stop", 4, false, op_log_stop },
	{ "feature", 10, false, op_feature },
	{ "read", 8, false, op_read },
	{ "write", 8, false, op_write },
	{ "seek", 3, false, op_seek },
	{ "poll", 2, false, op_poll },
	{ "precopy info", 4, false, op_precopy_info },
	{ "ioctl", 3, false, op_fd_ioctl },
	{ "close", 5, false, op_close_data },
	{ "reset", 12, false, op_reset },
	{ "reset alone", 6, true, op_reset_alone },
	{ "FLR", 3, false, op_flr },
	{ "bus master", 4, false, op_bus_master },
	{ "config", 2, false, op_config },
	{ "map", 5, false, op_map },
	{ "unmap", 5, false, op_unmap },
	{ "registers", 5, false, op_registers },
	{ "enable", 5, false, op_enable },
	{ "command", 6, false, op_command },
	{ "interrupts", 1, true, op_irq },
	{ "reopen", 4, true, op_reopen },
	{ }
};

_Static_assert(sizeof(vf_ops) / sizeof(vf_ops[0]) <= MAX_OPS, "tally");

static const struct op *choose(struct thread *t)
{
	const struct op *op;
	unsigned int sum = 0, n;

	for (op = t->ops; op->fn; op++)
		sum += op->weight;
	n = rnd(t, sum);
	for (op = t->ops; n >= op->weight; op++)
		n -= op->weight;
	return op;
}

/* with a way out for an operation that touches a mapping that is gone */
static void guarded(struct thread *t, const struct op *op, struct vf *v)
{
	t->doing = op;
	t->on = v;
	t->since = now_us();
	if (!sigsetjmp(t->jump, 1))
		op->fn(t, v);
	else
		t->result = -EFAULT;
	t->touching = false;
	t->since = 0;
}

static void one_op(struct thread *t)
{
	unsigned long n = t->done;
	unsigned int slot = n % RECENT;
	struct vf *v = t->home;
	const struct op *op;
	uint64_t t0 = now_us();

	t->rnd = fuzz.seed * 0x9e3779b97f4a7c15ull ^ (uint64_t)t->nr << 48 ^ n;
	t->result = 0;
	op = choose(t);
	if (v && !rnd(t, 8))
		v = &fuzz.vf[rnd(t, fuzz.nvfs)];
	if (v && op->alone)
		pthread_rwlock_wrlock(&v->lock);
	else if (v)
		pthread_rwlock_rdlock(&v->lock);
	guarded(t, op, v);
	if (v)
		pthread_rwlock_unlock(&v->lock);
	if (v)
		fuzz.tally[op - vf_ops][t->result < 0]++;
	else
		fuzz.pf_tally[op - pf_ops]++;
	if (!v)
		fuzz.pf_us[op - pf_ops] += now_us() - t0;
	t->recent[slot].name = op->name;
	t->recent[slot].n = n;
	t->recent[slot].vf = v ? v - fuzz.vf : -1;
	t->recent[slot].result = t->result;
	if (fuzz.verbose)
		tap_note("%u/%lu %s, VF %d: %d", t->nr, n, op->name,
			 t->recent[slot].vf, t->result);
	t->done = n + 1;
}

static void *thread_main(void *arg)
{
	struct thread *t = arg;

	t->tid = syscall(SYS_gettid);
	while (!fuzz.stop && (!fuzz.nops || t->done < fuzz.nops))
		one_op(t);
	return NULL;
}

static void vf_open(struct vf *v, struct place at)
{
	pthread_rwlockattr_t attr;
	unsigned int i;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr,
				      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&v->lock, &attr);
	v->at = at;
	v->pf = &fuzz.pf[at.pf];
	must(dma_mem_new(&v->mem, MEM_BYTES, MEM_IOVA));
	bed_open(&v->dev, at, &v->mem);
	for (i = 0; i < DATA_FDS; i++) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		check(null >= 0, "/dev/null: errno %d", errno);
		v->data_fd[i] = fcntl(null, F_DUPFD_CLOEXEC, FIRST_DATA_FD);
		check(v->data_fd[i] >= 0, "no fd: errno %d", errno);
		close(null);
	}
}

static void start(unsigned int nr, const struct op *ops, struct vf *home, int pf)
{
	struct thread *t = &fuzz.thread[nr];

	t->nr = nr;
	t->ops = ops;
	t->home = home;
	t->pf = pf;
	fuzz.nall = nr + 1;
	check(!pthread_create(&t->thread, NULL, thread_main, t), "no thread");
}

static bool all_done(void)
{
	unsigned int i;

	for (i = 0; i < fuzz.nthreads; i++)
		if (fuzz.thread[i].done < fuzz.nops)
			return false;
	return fuzz.nops;
}

static void finish_vf(struct vf *v)
{
	struct thread *t = &fuzz.thread[0];

	t->on = v;
	unmap_all(v);
	if (v->dev.fd < 0) {
		data_drop(v);
		return;			/* the next case opens it */
	}
	/* whatever state it is in, ERROR included */
	reset_now(t, v);
	data_drop(v);
	vfio_close(&v->dev);
}

static void show_tally(void)
{
	const struct op *op;

	for (op = vf_ops; op->fn; op++)
		tap_note("%-16s %6lu good, %6lu failed", op->name,
			 fuzz.tally[op - vf_ops][0], fuzz.tally[op - vf_ops][1]);
	for (op = pf_ops; op->fn; op++)
		tap_note("%-16s %6lu, %lu ms", op->name,
			 fuzz.pf_tally[op - pf_ops],
			 fuzz.pf_us[op - pf_ops] / 1000);
	tap_note("%lu states read, %lu taken; this machine stood still %u times",
		 fuzz.saved, fuzz.loaded, fuzz.stalls);
}

static void random_calls(const void *arg)
{
	struct sigaction sa = { .sa_handler = bus_error };
	uint64_t end = now_us() + fuzz.seconds * 1000000ull;
	struct holders before = holders_now();
	unsigned long total = 0;
	unsigned int i;
	int pf;

	(void)arg;
	sigaction(SIGBUS, &sa, NULL);
	limit_set(PATIENCE_S);
	for (pf = 0; pf < bed.npf; pf++)
		pthread_rwlock_init(&fuzz.pf[pf].vectors, NULL);
	vf_open(&fuzz.vf[fuzz.nvfs++], VF_A);
	vf_open(&fuzz.vf[fuzz.nvfs++], VF_B);
	if (bed.npf > 1)
		vf_open(&fuzz.vf[fuzz.nvfs++], VF_C);
	pool_fill(&fuzz.vf[0]);

	tap_note("replay: --set %s --seed %llu --threads %u%s",
		 bed_set_name(bed.set), (unsigned long long)fuzz.seed,
		 fuzz.nthreads, fuzz.bus ? " --bus" :
		 fuzz.pf_events ? "" : " --no-pf");
	for (i = 0; i < fuzz.nthreads; i++)
		start(i, vf_ops, &fuzz.vf[i % fuzz.nvfs], 0);
	for (pf = 0; fuzz.pf_events && pf < bed.npf; pf++)
		start(i++, pf_ops + !fuzz.bus, NULL, pf);

	while (!all_done() && (!fuzz.seconds || now_us() < end)) {
		watch_for(200000);
	}
	fuzz.stop = true;
	for (i = 0; i < fuzz.nall; i++) {
		while (pthread_tryjoin_np(fuzz.thread[i].thread, NULL))
			watch_for(50000);
		total += fuzz.thread[i].done;
		tap_note("thread %u: %lu operations", i, fuzz.thread[i].done);
	}
	show_tally();
	/* a run in which every call fails finds nothing */
	check(total < MANY_OPS || (fuzz.saved && fuzz.loaded),
	      "%lu operations, but no state was read or none was taken", total);
	bed_baseline();
	for (i = 0; i < fuzz.nvfs; i++)
		finish_vf(&fuzz.vf[i]);
	holders_gone(&before);
}

/* a fresh controller comes up on each VF and does verified I/O */
static void good_as_new(const void *arg)
{
	static const struct place at[] = { VF_A, VF_B, VF_C };
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	unsigned int i;
	struct workload *w;

	(void)arg;
	for (i = 0; i < 3; i++) {
		if (at[i].pf >= bed.npf)
			continue;
		w = workload_new();
		bed_open(&a, at[i], &w->mem);
		alive(&a, at[i]);
		workload_free(w);
	}
	w = pair_open(&a, VF_A, &b, VF_B, NULL);
	workload_fill(w, 20);
	move(w, &a, &b, &s, NULL);
	workload_check(w);
	workload_event(w);
}

static struct tap_case cases[] = {
	{ .name = "random calls", .fn = random_calls },
	{ .name = "every VF works and migrates afterwards",
	  .fn = good_as_new, .limit_s = 300 },
	{ }
};

static int usage(void)
{
	fprintf(stderr,
		"usage: mig-fuzz [--set standard|vendor] [--seed N] [--seconds N] [--ops N] [--threads N] [--no-pf|--bus] [--verbose]\n");
	return 2;
}

int main(int argc, char **argv)
{
	enum cmdset set = SET_STANDARD;
	const char *why;
	int k;

	fuzz.seed = now_us() ^ (uint64_t)getpid() << 40;
	for (k = 1; k < argc; k++) {
		const char *val = argv[k + 1];

		if (!strcmp(argv[k], "--no-pf")) {
			fuzz.pf_events = false;
		} else if (!strcmp(argv[k], "--bus")) {
			fuzz.bus = true;
		} else if (!strcmp(argv[k], "--verbose")) {
			fuzz.verbose = true;
		} else if (!val) {
			return usage();
		} else if (!strcmp(argv[k], "--seed")) {
			fuzz.seed = strtoull(argv[++k], NULL, 0);
		} else if (!strcmp(argv[k], "--seconds")) {
			fuzz.seconds = strtoul(argv[++k], NULL, 0);
		} else if (!strcmp(argv[k], "--ops")) {
			fuzz.nops = strtoul(argv[++k], NULL, 0);
		} else if (!strcmp(argv[k], "--threads")) {
			fuzz.nthreads = strtoul(argv[++k], NULL, 0);
		} else if (!strcmp(argv[k], "--set")) {
			k++;
			if (!bed_set_of(val, &set))
				return usage();
		} else {
			return usage();
		}
	}
	if (!fuzz.nthreads || fuzz.nthreads > MAX_THREADS ||
	    (!fuzz.seconds && !fuzz.nops))
		return usage();
	why = bed_find(VF_DRIVER, set);
	if (why) {
		printf("Bail out! %s\n", why);
		return 1;
	}
	/* the watch limits a call, this limits all of them */
	cases[0].limit_s = fuzz.seconds ? fuzz.seconds + 600 : 24 * 3600;
	return run_cases(cases, RUN_ALL, NULL, bed_baseline, NULL);
}

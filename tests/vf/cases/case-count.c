// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-count.c - how many admin commands a migration costs the PFs. In the
 * downtime each counts.
 */
#include "cases.h"
#include "move.h"

enum { SUSPEND, GET, SET, RESUME, QUERY, KINDS };

/* opcode and first byte of dword 10 in each set; -1 = the set has none */
static const struct {
	const char *name;
	int opc[2];
	int sel[2];
} kind[KINDS] = {
	[SUSPEND] = { "suspend", { 0x41, 0xc8 }, { 0, -1 } },
	[GET] = { "get or save", { 0x42, 0xd2 }, { 0, -1 } },
	[SET] = { "set or load", { 0x41, 0xd5 }, { 2, -1 } },
	[RESUME] = { "resume", { 0x41, 0xcc }, { 1, -1 } },
	[QUERY] = { "size query", { -1, 0xc4 }, { 0, -1 } },
};

static void expect(int pf, const int *want)
{
	int k;

	for (k = 0; k < KINDS; k++) {
		long seen;

		if (want[k] < 0 || kind[k].opc[bed.set] < 0)
			continue;
		seen = model_count(pf, kind[k].opc[bed.set],
				   kind[k].sel[bed.set]);
		check(seen == want[k], "%s: %s commands: expected %d, seen %ld",
		      bed.pf[pf].name, kind[k].name, want[k], seen);
	}
}

/* the size of a blob may have to be asked for: only bounded here */
static void expect_queries(int pf, long most)
{
	long seen;

	if (bed.set != SET_VENDOR)
		return;
	seen = model_count(pf, 0xc4, -1);
	check(seen <= most, "%s: size queries: expected at most %ld, seen %ld",
	      bed.pf[pf].name, most, seen);
}

static void between_pfs(const void *arg)
{
	static const int source[KINDS] = { 1, 1, 0, 0, -1 };
	static const int dest[KINDS] = { 1, 0, 1, 1, 0 };
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;

	(void)arg;
	one_command_each();
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	workload_fill(w, 40);
	model_zero(0);
	model_zero(1);
	move(w, &a, &b, &s, NULL);
	expect(0, source);
	expect_queries(0, 2);
	expect(1, dest);
	workload_check(w);
}

static void on_one_pf(const void *arg)
{
	static const int both[KINDS] = { 2, 1, 1, 1, -1 };
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;

	(void)arg;
	one_command_each();
	w = pair_open(&a, VF_A, &b, VF_B, NULL);
	workload_fill(w, 40);
	model_zero(0);
	move(w, &a, &b, &s, NULL);
	expect(0, both);
	expect_queries(0, 2);
	workload_check(w);
}

static void cancelled(const void *arg)
{
	static const int standard[KINDS] = { 1, 1, 0, 1, 0 };
	/* SAVE disables the VF: the blob has to be loaded back */
	static const int vendor[KINDS] = { 1, 1, 1, 1, -1 };
	struct mig_stream s = { 0 };
	struct vfio_dev a;
	struct workload *w;

	(void)arg;
	one_command_each();
	w = solo_open(&a, VF_A, NULL);
	workload_fill(w, 40);
	model_zero(0);
	must(mig_stop(&a, NULL));
	must(mig_save(&a, &s, NULL));
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	expect(0, bed.set == SET_VENDOR ? vendor : standard);
	workload_check(w);
}

/* nothing at all is sent while nobody migrates */
static void at_rest(const void *arg)
{
	static const int none[KINDS] = { 0, 0, 0, 0, 0 };
	struct vfio_dev a;
	struct workload *w;

	(void)arg;
	w = solo_open(&a, VF_A, NULL);
	model_zero(0);
	workload_burst(w, 4);
	workload_check(w);
	must(vfio_reset(&a));
	vfio_close(&a);
	expect(0, none);
}

const struct tap_case count_cases[] = {
	{ .name = "commands of a migration PF to PF", .fn = between_pfs },
	{ .name = "commands of a migration on one PF", .fn = on_one_pf },
	{ .name = "commands of a cancelled migration", .fn = cancelled },
	{ .name = "no commands without a migration", .fn = at_rest },
	{ }
};

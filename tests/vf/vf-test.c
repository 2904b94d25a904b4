// SPDX-License-Identifier: GPL-2.0-only
/*
 * vf-test.c - runs the cases on the VFs of this host, as root.
 *
 * usage: vf-test [--set standard|vendor] [--quick|--brief] [--only TEXT]
 *                [--until-failure] [--list] [--plain DRIVER]
 *                [--soak NUMBER] [--together NUMBER] [--lies] [--draws FILE]
 *                [--table|--table-timeout|--table-bus|--table-faults|--pf]
 *
 * --quick runs the few cases that together notice the usual faults of a driver,
 * --brief all except the long ones. --only runs cases with TEXT in their name;
 * --until-failure stops after the first failure. --plain runs I/O without
 * migration on VFs bound to another driver, to check the bed and the library.
 * --table runs the table of states and events instead of the other cases,
 * --table-timeout those of its cells in which nvme gives up a command and says
 * so, --table-bus those with errors of the bus above the PFs, --table-faults
 * those that need a kernel whose allocations fail on demand.
 * --pf runs the cases of bad moments of the PF and of commands that do not end, in
 * some of which nvme resets the PF and says so.
 * --soak runs that many migrations in a row, --together that many round trips of a
 * guest with four VFs.
 * --save keeps the stream of a VF in a file, --load loads one from there. Policies
 * stay as they are then.
 * --lies runs one from each drive of tests/model/personalities that breaks the
 * standard, --draws one between each two drives that FILE has a line of.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "file.h"
#include "draws.h"
#include "klog.h"
#include "run.h"
#include "soak.h"
#include "table.h"
#include "together.h"
#include "warnings.h"

static const struct tap_case * const lists[] = {
	probe_cases, migrate_cases, vmm_cases, precopy_cases, log_cases,
	queue_cases, cancel_cases, count_cases, size_cases, refuse_cases, foreign_cases,
	namespace_cases, policy_cases, fault_cases, sysfs_cases, figures_cases,
	reset_cases, fd_cases, race_cases, nomem_cases, lie_cases, deviate_cases,
	last_cases,
};

static const struct tap_case * const pf_lists[] = { pf_cases, stuck_cases };

static const struct tap_case * const lie_lists[] = { drive_cases };

#define NPF_LISTS	(sizeof(pf_lists) / sizeof(pf_lists[0]))
#define NLISTS		(sizeof(lists) / sizeof(lists[0]))
#define MAX_CASES	256

static void plain_io(const void *arg)
{
	struct vfio_dev dev;
	struct workload *w;

	(void)arg;
	w = workload_new();
	bed_open(&dev, VF_A, &w->mem);
	workload_start(w, &dev, NULL);
	workload_burst(w, 20);
	workload_event(w);
	workload_check(w);
	tap_note("%u queues, %lu pieces compared", w->ctrl.nio, w->checked);
}

static void plain_small_cq(const void *arg)
{
	static const struct workload_opts small = { .cq_size = 4 };
	struct vfio_dev dev;
	struct workload *w = workload_new();
	unsigned int i;

	(void)arg;
	bed_open(&dev, VF_A, &w->mem);
	workload_start(w, &dev, &small);
	for (i = 0; i < 10; i++) {
		workload_fill(w, 60);
		sleep_us(20000);
		workload_check(w);
	}
}

static void plain_polled(const void *arg)
{
	static const struct workload_opts polled = { .poll = true };
	struct vfio_dev dev;
	struct workload *w = workload_new();

	(void)arg;
	bed_open(&dev, VF_A, &w->mem);
	workload_start(w, &dev, &polled);
	workload_burst(w, 20);
	workload_check(w);
}

static void plain_shadow(const void *arg)
{
	static const struct workload_opts shadow = {
		.cq_size = 8, .shadow = true
	};
	struct vfio_dev dev;
	struct workload *w = workload_new();

	(void)arg;
	bed_open(&dev, VF_A, &w->mem);
	workload_start(w, &dev, &shadow);
	workload_burst(w, 20);
	workload_check(w);
}

static const struct tap_case plain_cases[] = {
	{ .name = "I/O with interrupts, events", .fn = plain_io },
	{ .name = "small completion queues", .fn = plain_small_cq },
	{ .name = "polled queues", .fn = plain_polled },
	{ .name = "shadow doorbells", .fn = plain_shadow },
	{ }
};

/* Return: how many cases the lists have */
static unsigned int gather(const struct tap_case * const *from, unsigned int nr,
			   struct tap_case *cases)
{
	const struct tap_case *c;
	unsigned int i, n = 0;

	for (i = 0; i < nr; i++)
		for (c = from[i]; c->fn && n < MAX_CASES; c++)
			cases[n++] = *c;
	return n;
}

static void before(void)
{
	bed_baseline();
	klog_start();
}

static int usage(void)
{
	fprintf(stderr,
		"usage: vf-test [--set standard|vendor] [--quick|--brief] [--only TEXT] [--until-failure] [--list] [--plain DRIVER] [--table|--table-timeout|--table-bus|--table-faults|--pf] [--soak NUMBER] [--together NUMBER] [--lies] [--draws FILE] [--save FILE|--load FILE]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static struct tap_case cases[MAX_CASES + 1];
	const char *only = NULL, *plain = NULL, *draws = NULL, *why;
	enum cmdset set = SET_STANDARD;
	enum run_level level = RUN_ALL;
	enum table_host host = TABLE_ANY;
	bool list = false, table = false, pf = false, lies = false, logged;
	const struct tap_case *run = cases;
	unsigned int i, n;
	const char *file = NULL;
	bool load = false;
	int k, soak = 0, together = 0;

	for (k = 1; k < argc; k++) {
		const char *val = argv[k + 1];

		if (!strcmp(argv[k], "--quick")) {
			level = RUN_QUICK;
		} else if (!strcmp(argv[k], "--brief")) {
			level = RUN_BRIEF;
		} else if (!strcmp(argv[k], "--until-failure")) {
			run_until_failure();
		} else if (!strcmp(argv[k], "--list")) {
			list = true;
		} else if (!strcmp(argv[k], "--table")) {
			table = true;
		} else if (!strcmp(argv[k], "--table-timeout")) {
			table = true;
			host = TABLE_TIMEOUT;
		} else if (!strcmp(argv[k], "--table-bus")) {
			table = true;
			host = TABLE_BUS;
		} else if (!strcmp(argv[k], "--table-faults")) {
			table = true;
			host = TABLE_FAULTS;
		} else if (!strcmp(argv[k], "--pf")) {
			pf = true;
		} else if (!strcmp(argv[k], "--lies")) {
			lies = true;
		} else if (!strcmp(argv[k], "--draws") && val) {
			draws = argv[++k];
		} else if ((!strcmp(argv[k], "--save") ||
			    !strcmp(argv[k], "--load")) && val) {
			load = !strcmp(argv[k], "--load");
			file = argv[++k];
		} else if (!strcmp(argv[k], "--soak") && val) {
			soak = atoi(argv[++k]);
			if (soak <= 0)
				return usage();
		} else if (!strcmp(argv[k], "--together") && val) {
			together = atoi(argv[++k]);
			if (together <= 0)
				return usage();
		} else if (!strcmp(argv[k], "--only") && val) {
			only = argv[++k];
		} else if (!strcmp(argv[k], "--plain") && val) {
			plain = argv[++k];
		} else if (!strcmp(argv[k], "--set") && val) {
			k++;
			if (!bed_set_of(val, &set))
				return usage();
		} else {
			return usage();
		}
	}
	n = pf ? gather(pf_lists, NPF_LISTS, cases) :
	    lies ? gather(lie_lists, 1, cases) :
		   gather(lists, NLISTS, cases);
	if (list) {
		for (i = 0; i < n; i++)
			printf("%s%s%s\n", cases[i].name,
			       cases[i].quick ? " (quick)" : "",
			       cases[i].deep ? " (deep)" : "");
		return 0;
	}
	why = bed_find(plain ? plain : VF_DRIVER, set);
	if (why) {
		printf("Bail out! %s\n", why);
		return 1;
	}
	tap_note("%d PFs, %d VFs on the first, command set %s", bed.npf,
		 bed.pf[0].nvfs, bed_set_name(set));
	if (plain)
		return run_cases(plain_cases, level, only, NULL, NULL);
	if (file)
		return run_cases(file_cases(file, load), level, only, NULL, NULL);
	logged = !klog_start();
	if (!logged)
		tap_note("/dev/kmsg cannot be read: the driver's warnings are not checked");
	if (table)
		run = table_cases(host);
	else if (soak)
		run = soak_cases(soak);
	else if (together)
		run = together_cases(together);
	else if (draws)
		run = drawn_cases(draws);
	return run_cases(run, level, only, before,
			 logged ? warnings_judge : NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * selftest_run.h - what a VM and its migration would do to a VF, done by a
 * process, and measured.
 */
#ifndef NVME_VFIO_SELFTEST_RUN_H
#define NVME_VFIO_SELFTEST_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "vfio_mig.h"

#define SELFTEST_ROUNDS	6

/**
 * struct selftest - what to do
 * @vf: addresses of the VF and of the one to migrate to; empty: onto itself
 * @nsid: namespace to read
 * @write: write to it as well
 */
struct selftest {
	char vf[2][16];
	uint32_t nsid;
	bool write;
};

/** struct selftest_io - reads and writes for a while */
struct selftest_io {
	uint64_t bytes;
	uint64_t us;
};

/**
 * struct selftest_result - what was found; lives in memory that is shared with
 * the process that does the work
 * @stage: the current stage
 * @why: what is wrong; empty so far: nothing
 * @done: it has finished
 * @flags: what migration VFIO offers, VFIO_MIGRATION_*
 * @rounds: migrations so far
 * @t: times of each
 * @state: bytes of a state
 * @io: verified I/O without tracking
 * @tracks: VFIO offers to track what is written to memory
 * @io_tracked: verified I/O while that is done
 * @granule: bytes of its unit
 * @report_us: time of one report
 * @dirty: units in it
 * @checked: pieces of data that were compared
 */
struct selftest_result {
	char stage[64];
	char why[512];
	bool done;
	uint64_t flags;
	unsigned int rounds;
	struct mig_times t[SELFTEST_ROUNDS];
	uint64_t state;
	struct selftest_io io;
	bool tracks;
	struct selftest_io io_tracked;
	uint64_t granule;
	uint64_t report_us;
	uint64_t dirty;
	unsigned long checked;
};

/**
 * selftest_run - do it in a process of its own
 * @r: filled in as it goes
 * @limit_s: longest time
 *
 * Whatever happens to that process, the VFs are closed, and so reset.
 *
 * Return: TOOL_OK, also if the VF fails, as @r then says; a code after saying
 * why it could not be tried.
 */
int selftest_run(const struct selftest *what, struct selftest_result **r,
		 unsigned int limit_s);

/** selftest_free - forget the result */
void selftest_free(struct selftest_result *r);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mig_trace.h - what trace events say about a VF's migration. Only knows text:
 * no files, no clock.
 */
#ifndef NVME_VFIO_MIG_TRACE_H
#define NVME_VFIO_MIG_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct mig_trace - a VF
 * @vf: its address
 * @state: state it is in, as the kernel calls it; empty: not known
 * @role: "source", "destination", or "": neither yet
 * @bytes: state moved by commands, in this migration
 * @at_most: it may be less: a command that reads gives the room for the answer
 * @failed: commands and steps that failed, in this migration
 * @stopped: it stands still, since @since
 * @since: when it stopped, microseconds of the trace clock
 * @over: the guest continued elsewhere, as far as can be seen from here
 * @downtime_us: how long it stood still, up to the last event
 * @last_us: when the last event was
 */
struct mig_trace {
	char vf[32];
	char state[32];
	const char *role;
	uint64_t bytes;
	bool at_most;
	unsigned int failed;
	bool stopped;
	uint64_t since;
	bool over;
	uint64_t downtime_us;
	uint64_t last_us;
};

/**
 * struct mig_event - one line of the trace
 * @us: when, microseconds
 * @arc: a step from @from to @to, else an admin command
 * @opcode: of the command
 * @len: its bytes
 * @usecs: how long it took
 * @status: 0, or what failed
 */
struct mig_event {
	char vf[32];
	uint64_t us;
	bool arc;
	char from[32];
	char to[32];
	char now[32];
	unsigned int opcode;
	unsigned int cdw10;
	unsigned long long len;
	long long usecs;
	int status;
};

/**
 * mig_event_parse - read a line of the trace
 *
 * Return: false if it is no event of ours.
 */
bool mig_event_parse(struct mig_event *e, const char *line);

/**
 * mig_event_failed - has it gone wrong?
 *
 * After a reset of a VF that was suspended the driver resumes it in any case,
 * and hopes to be refused; the vendor set does not say with which status. A
 * Resume that should have worked shows in its step.
 */
bool mig_event_failed(const struct mig_event *e);

/** mig_trace_add - what an event means for its VF */
void mig_trace_add(struct mig_trace *f, const struct mig_event *e);

/** mig_trace_downtime - how long it has stood still at @now_us, in microseconds */
uint64_t mig_trace_downtime(const struct mig_trace *f, uint64_t now_us);

#endif

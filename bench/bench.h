/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bench.h - what the measurements share. Each prints a line of JSON for each
 * repetition; the program that started the host computes figures from them.
 */
#ifndef NVME_VFIO_BENCH_H
#define NVME_VFIO_BENCH_H

#include "baseline.h"
#include "move.h"
#include "wire.h"

/**
 * struct measurement - one of them
 * @name: on the command line
 * @run: does it; @argv: its arguments, ended by NULL
 */
struct measurement {
	const char *name;
	void (*run)(char **argv);
};

void downtime_run(char **argv);
void cost_run(char **argv);
void scale_run(char **argv);
void dirty_run(char **argv);
void io_run(char **argv);
void timeline_run(char **argv);
void tracked_run(char **argv);
void together_run(char **argv);

/**
 * bench_pace - how long each command of all PFs takes, and its data
 * @us: each command
 * @mib_per_s: MiB of data a second; both 0: as long as the emulator needs
 */
void bench_pace(unsigned int us, unsigned int mib_per_s);

/** commands_seen - commands that a PF has had since its counters were set to zero */
unsigned long commands_seen(int pf);

/** identify_seen - those of them that were Identify */
unsigned long identify_seen(int pf);

/** cpu_us - CPU time of this thread, or of all threads of the program */
uint64_t cpu_us(bool all);

/** pages_new - @size bytes, page aligned, every page touched */
void *pages_new(size_t size);

/* what runs now: the source or the destination, the guest running or not */
enum side { NOBODY, SOURCE_EARLY, DEST_EARLY, SOURCE, DEST, SIDES };

/**
 * struct carrier - two VFs that a workload is moved between
 * @w: the workload
 * @dev: both, open
 * @at: where they are in the bed
 * @port: both, for commands that bypass the driver
 * @now: which one the workload is on
 * @size: bytes of its state
 * @buf: room for a state
 * @room: bytes of it
 * @wire: between the two sides
 * @turn: called whenever the other side begins to work, and then the two sides
 *	take turns; may be NULL
 * @last_words: called before the stop, after all of PRE_COPY; may be NULL
 * @reports: how many parts of memory the log of writes is asked about after the
 *	stop; 0: nothing is logged
 */
struct carrier {
	struct workload *w;
	struct vfio_dev dev[2];
	struct place at[2];
	struct port port[2];
	unsigned int now;
	uint64_t size;
	void *buf;
	size_t room;
	struct wire *wire;
	void (*turn)(struct carrier *c, enum side side);
	void (*last_words)(struct carrier *c);
	unsigned int reports;
};

/**
 * carrier_open - a workload on the first of two VFs
 * @size: bytes its state should have, not less than what it cannot do without
 *
 * Return: bytes its state has.
 */
uint64_t carrier_open(struct carrier *c, struct place a, struct place b,
		      uint64_t size);

/** carrier_close - and no more */
void carrier_close(struct carrier *c);

/**
 * struct downtime - one migration
 * @start: when the stop began
 * @us: from the first stop arc to the destination's running
 * @stop, @report, @read, @load, @run: its parts: to STOP_COPY; what the log of
 *	writes still has; reading; writing; to STOP and RUNNING
 * @bytes: of the stream
 * @commands: that both PFs got in it, if they were counted from the stop on
 * @identify: those of them that were Identify
 * @cpu: CPU time of the program in @us
 */
struct downtime {
	uint64_t start;
	uint64_t us;
	uint64_t stop;
	uint64_t report;
	uint64_t read;
	uint64_t load;
	uint64_t run;
	uint64_t bytes;
	unsigned long commands;
	unsigned long identify;
	uint64_t cpu;
};

/**
 * carrier_move - migrate the workload to the other VF, and check it there
 *
 * With PRE_COPY where the kernel has it, as QEMU would: only what needs the
 * guest to be stopped happens after the stop.
 */
void carrier_move(struct carrier *c, struct downtime *t);

/**
 * carrier_early - what is done while the guest runs
 * @out, @in: set to the data files; @out to -1 without PRE_COPY
 *
 * Return: whether there is PRE_COPY.
 */
bool carrier_early(struct carrier *c, int *out, int *in);

/* its two halves: up to where the guest runs again, and the rest */
void carrier_move_only(struct carrier *c, struct downtime *t);
void carrier_arrived(struct carrier *c);

/**
 * carrier_baseline - the same with commands that bypass the driver
 * @size: bytes of the state
 * @cpu: set to the CPU time of the program in it; may be NULL
 *
 * Return: microseconds.
 */
uint64_t carrier_baseline(struct carrier *c, uint64_t size, uint64_t *cpu);

#endif

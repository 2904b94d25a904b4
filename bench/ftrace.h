/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ftrace.h - the kernel's trace events, in a buffer of our own.
 */
#ifndef NVME_VFIO_BENCH_FTRACE_H
#define NVME_VFIO_BENCH_FTRACE_H

#include <stdbool.h>

/**
 * ftrace_open - make ready; the case fails where the kernel has no tracing
 * @events: their names as "system/event", ended by NULL; those with "_node" in
 *	their name are in old kernels only, and may be missing
 * @mine: only what this thread does
 */
void ftrace_open(const char * const *events, bool mine);

/** ftrace_start - from now on */
void ftrace_start(void);

/** ftrace_pause - until now; ftrace_stop() reports */
void ftrace_pause(void);

/**
 * ftrace_stop - until now, if it has not been paused
 * @line: called for each line of the trace
 * @arg: handed to it
 */
void ftrace_stop(void (*line)(void *arg, const char *text), void *arg);

/** ftrace_close - leave nothing behind */
void ftrace_close(void);

/** ftrace_number - the number after @name in a line, 0 when there is none */
unsigned long long ftrace_number(const char *text, const char *name);

#endif

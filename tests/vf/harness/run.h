/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * run.h - the cases of a program on VFs, and how many of them are run.
 */
#ifndef NVME_VFIO_RUN_H
#define NVME_VFIO_RUN_H

#include "expect.h"
#include "tap.h"

/* all cases, all but the deep ones, only the quick ones */
enum run_level { RUN_ALL, RUN_BRIEF, RUN_QUICK };

/**
 * run_cases - run cases and print TAP
 * @cases: ends with an entry without @fn; a limit of 0 is 30 s, and all are
 *	multiplied by VF_SLOW in the environment
 * @level: which of them
 * @only: only cases whose name contains this text; NULL = all
 * @before, @judge: see struct tap_run
 *
 * Errors that the library finds fail a case, what the device lacks skips it.
 *
 * Return: exit status, 0 = no case has failed.
 */
int run_cases(const struct tap_case *cases, enum run_level level,
	      const char *only, void (*before)(void),
	      bool (*judge)(const struct tap_case *c, enum tap_result result));

/** run_until_failure - for callers that only want to know whether one fails */
void run_until_failure(void);

#endif

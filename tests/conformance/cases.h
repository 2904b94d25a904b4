/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cases.h - the areas of the suite, one file each. A list ends with an entry
 * without a function.
 */
#ifndef CONFORMANCE_CASES_H
#define CONFORMANCE_CASES_H

#include "check.h"

extern const struct tap_case offer_cases[];
extern const struct tap_case fd_cases[];
extern const struct tap_case stream_cases[];
extern const struct tap_case precopy_cases[];
extern const struct tap_case size_cases[];
extern const struct tap_case resume_cases[];
extern const struct tap_case reset_cases[];
extern const struct tap_case log_cases[];
extern const struct tap_case move_cases[];
extern const struct tap_case vmm_cases[];
extern const struct tap_case race_cases[];

/* the matrix is built at start-up; blocked arcs come last of all cases */
const struct tap_case *arc_cases(void);
const struct tap_case *blocked_cases(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cases.h - the lists of cases, one per file.
 */
#ifndef NVME_VFIO_CASES_H
#define NVME_VFIO_CASES_H

#include "tap.h"

/* each list ends with an entry without function */
extern const struct tap_case probe_cases[];
extern const struct tap_case migrate_cases[];
extern const struct tap_case vmm_cases[];
extern const struct tap_case precopy_cases[];
extern const struct tap_case log_cases[];
extern const struct tap_case queue_cases[];
extern const struct tap_case cancel_cases[];
extern const struct tap_case size_cases[];
extern const struct tap_case count_cases[];
extern const struct tap_case refuse_cases[];
extern const struct tap_case foreign_cases[];
extern const struct tap_case namespace_cases[];
extern const struct tap_case policy_cases[];
extern const struct tap_case fault_cases[];
extern const struct tap_case sysfs_cases[];
extern const struct tap_case figures_cases[];
extern const struct tap_case reset_cases[];
extern const struct tap_case fd_cases[];
extern const struct tap_case race_cases[];
extern const struct tap_case nomem_cases[];
extern const struct tap_case lie_cases[];
extern const struct tap_case deviate_cases[];
extern const struct tap_case last_cases[];

/* those of vf-test --lies */
extern const struct tap_case drive_cases[];

/* those of vf-test --pf */
extern const struct tap_case pf_cases[];
extern const struct tap_case stuck_cases[];

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * soak.h - many migrations in a row.
 */
#ifndef NVME_VFIO_SOAK_H
#define NVME_VFIO_SOAK_H

#include "tap.h"

/**
 * soak_cases - the cases of a long run
 * @migrations: how many in a row
 */
const struct tap_case *soak_cases(unsigned int migrations);

#endif

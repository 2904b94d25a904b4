/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * together.h - several VFs of one guest that migrate at once, many times.
 */
#ifndef NVME_VFIO_TOGETHER_H
#define NVME_VFIO_TOGETHER_H

#include "tap.h"

/**
 * together_cases - the cases of such a run
 * @trips: round trips
 */
const struct tap_case *together_cases(unsigned int trips);

#endif

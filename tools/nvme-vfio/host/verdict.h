/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verdict.h - what the driver judges by: which command set, which format of
 * state, what fits what. The driver's own headers, which are plain C.
 */
#ifndef NVME_VFIO_VERDICT_H
#define NVME_VFIO_VERDICT_H

#include <stdbool.h>

#include "src/identity.h"
#include "src/lm_caps.h"

#endif

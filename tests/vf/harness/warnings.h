/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * warnings.h - what the driver says in the kernel log while a case runs. It has
 * to give a reason if it refuses something, and to be silent otherwise.
 */
#ifndef NVME_VFIO_WARNINGS_H
#define NVME_VFIO_WARNINGS_H

#include "tap.h"

/**
 * warnings_judge - compare the driver's warnings since klog_start() or the last
 * call with what the case expects (struct tap_case @log)
 *
 * A case that was skipped did not get to what it would have been warned about.
 *
 * Return: true if they are as expected; else a note says why not.
 */
bool warnings_judge(const struct tap_case *c, enum tap_result result);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * klog.h - what the driver says in the kernel log while a case runs. It has to
 * give a reason when it refuses something, and to be silent else.
 */
#ifndef NVME_VFIO_KLOG_H
#define NVME_VFIO_KLOG_H

#include "tap.h"

/** klog_start - from here on lines count. Return: 0, or a negative errno. */
int klog_start(void);

/**
 * klog_judge - compare the driver's warnings since the last call with what
 * the case expects (struct tap_case @log)
 *
 * Return: true when they are as expected; else a note says why not.
 */
bool klog_judge(const struct tap_case *c);

#endif

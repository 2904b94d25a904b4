/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * klog.h - the kernel's own complaints (warnings, oopses, sanitizers) while a
 * case runs. A driver's messages are its own affair.
 */
#ifndef CONFORMANCE_KLOG_H
#define CONFORMANCE_KLOG_H

#include <stdbool.h>

/** klog_open - from now on; Return: false = the log cannot be read */
bool klog_open(void);

/** klog_trouble - a complaint since the last call, NULL = none */
const char *klog_trouble(void);

#endif

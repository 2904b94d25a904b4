/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * klog.h - what is written to the kernel log while a case runs.
 */
#ifndef TESTS_KLOG_H
#define TESTS_KLOG_H

/** klog_start - from here on lines count. Return: 0, or a negative errno. */
int klog_start(void);

/**
 * klog_next - the next line
 * @level: its level, from 0 (emergency) to 7
 *
 * Return: its text, until the next call; NULL = there is none, or the log
 * cannot be read.
 */
const char *klog_next(unsigned int *level);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * child.h - how a process of the tool ends when an expectation (the library's
 * expect.h) fails.
 */
#ifndef NVME_VFIO_CHILD_H
#define NVME_VFIO_CHILD_H

#include <stddef.h>

/**
 * expect_into - from now on that ends this process, by _exit(1)
 * @why: receives the reason, in shared memory
 * @len: bytes of @why
 * @result: set to @failed, or to @missing where the device lacks something; may
 *	be NULL
 */
void expect_into(char *why, size_t len, int *result, int failed, int missing);

#endif

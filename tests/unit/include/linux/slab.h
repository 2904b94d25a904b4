/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNIT_LINUX_SLAB_H
#define _UNIT_LINUX_SLAB_H

#include <stdlib.h>

#define GFP_KERNEL_ACCOUNT	0

/* Set by a test: this many allocations succeed, the next fails; -1: none fails */
extern int allocs_left;

static inline void *unit_alloc(size_t n, size_t size)
{
	if (!allocs_left)
		return NULL;
	if (allocs_left > 0)
		allocs_left--;
	return calloc(n, size);
}

#define kzalloc(size, gfp)	unit_alloc(1, size)
#define kvcalloc(n, size, gfp)	unit_alloc(n, size)
#define kfree(p)		free(p)
#define kvfree(p)		free(p)

#endif

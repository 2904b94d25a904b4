/* SPDX-License-Identifier: GPL-2.0-only */
/* TAP output for the unit tests. */
#ifndef _UNIT_TAP_H
#define _UNIT_TAP_H

#include <stdio.h>

static int tap_count, tap_failed;

#define ok(cond, ...) do {						\
	int ok_ = !!(cond);						\
	tap_failed += !ok_;						\
	printf("%sok %d - ", ok_ ? "" : "not ", ++tap_count);		\
	printf(__VA_ARGS__);						\
	putchar('\n');							\
	if (!ok_)							\
		printf("# failed: %s (%s:%d)\n", #cond, __FILE__, __LINE__); \
} while (0)

static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

#endif

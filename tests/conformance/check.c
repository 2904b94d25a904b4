// SPDX-License-Identifier: GPL-2.0-only
/*
 * check.c - how a case reports what it found.
 */
#include <errno.h>
#include <stdio.h>

#include "check.h"

const char *errname(int err)
{
	static const struct {
		int err;
		const char *name;
	} names[] = {
		{ 0, "success" }, { E2BIG, "E2BIG" }, { EAGAIN, "EAGAIN" },
		{ EBADF, "EBADF" }, { EBUSY, "EBUSY" }, { EFAULT, "EFAULT" },
		{ EINTR, "EINTR" }, { EINVAL, "EINVAL" }, { EIO, "EIO" },
		{ ENODEV, "ENODEV" }, { ENOMEM, "ENOMEM" },
		{ ENOMSG, "ENOMSG" }, { ENOSPC, "ENOSPC" },
		{ ENOTTY, "ENOTTY" }, { EOPNOTSUPP, "EOPNOTSUPP" },
		{ EOVERFLOW, "EOVERFLOW" }, { EPERM, "EPERM" },
		{ ESPIPE, "ESPIPE" }, { ENXIO, "ENXIO" },
	};
	static char room[4][24];
	static unsigned int next;
	unsigned int i;
	char *other;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].err == -err)
			return names[i].name;
	}
	other = room[next++ % 4];
	snprintf(other, sizeof(room[0]), "errno %d", -err);
	return other;
}

void check_err_at(const char *file, int line, int got, int want,
		  const char *fmt, ...)
{
	char what[400];
	va_list ap;

	if (got == want)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	tap_fail(file, line, "%s: expected %s, got %s", what, errname(want),
		 errname(got));
}

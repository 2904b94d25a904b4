// SPDX-License-Identifier: GPL-2.0-only
/*
 * cert_record.c - a file in LOCK_DIR, which a reboot removes, as it ends a
 * suspension.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/tool.h"
#include "cert_record.h"

static void path_of(const struct cert *c, char *path, size_t len)
{
	snprintf(path, len, LOCK_DIR "/certify-%s", c->pf);
}

int cert_record_begin(const struct cert *c)
{
	char path[96];
	unsigned int i;
	FILE *f;
	int fd;

	path_of(c, path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f)
		return fail(TOOL_FAILED, "%s: %s", path, strerror(errno));
	for (i = 0; i < c->nvf; i++)
		fprintf(f, "%s\n", c->vf[i].bdf);
	if (fclose(f))
		return fail(TOOL_FAILED, "%s: %s", path, strerror(errno));
	return TOOL_OK;
}

void cert_record_end(const struct cert *c)
{
	char path[96];

	path_of(c, path, sizeof(path));
	unlink(path);
}

bool cert_record_is(const struct cert *c)
{
	char path[96];

	path_of(c, path, sizeof(path));
	return !access(path, F_OK);
}

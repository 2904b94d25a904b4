// SPDX-License-Identifier: GPL-2.0-only
/*
 * secure_boot.c - Secure Boot, from the variables of UEFI and from the kernel.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "secure_boot.h"
#include "util.h"

#define EFIVARS		"/sys/firmware/efi/efivars"
#define SECURE_BOOT	EFIVARS "/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define MAX_FILE	(1 << 20)

/* A whole file; free() it. NULL: it cannot be read, or is far too large. */
static char *slurp(const char *path, size_t *len)
{
	char *data = malloc(MAX_FILE);
	ssize_t n;
	int fd;

	*len = 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (!data || fd < 0)
		goto fail;
	/* A variable of UEFI comes in one piece. */
	while ((n = read(fd, data + *len, MAX_FILE - *len)) > 0)
		*len += n;
	if (n < 0 || *len == MAX_FILE)
		goto fail;
	close(fd);
	return data;

fail:
	if (fd >= 0)
		close(fd);
	free(data);
	return NULL;
}

bool secure_boot_on(void)
{
	size_t len;
	char *var = slurp(SECURE_BOOT, &len);
	bool on;

	/* Four bytes of attributes come first. */
	on = var && len >= 5 && var[4] == 1;
	free(var);
	return on;
}

bool signatures_forced(void)
{
	char text[64];

	if (sysfs_read(text, sizeof(text),
		       "/sys/module/module/parameters/sig_enforce") > 0 &&
	    *text == 'Y')
		return true;
	return sysfs_read(text, sizeof(text),
			  "/sys/kernel/security/lockdown") > 0 &&
	       !strstr(text, "[none]");
}

const char *secure_boot_key(void)
{
	static const char * const path[] = {
		"/var/lib/shim-signed/mok/MOK.der",
		"/var/lib/dkms/mok.pub",
	};
	size_t i;

	for (i = 0; i < sizeof(path) / sizeof(*path); i++)
		if (!access(path[i], F_OK))
			return path[i];
	return NULL;
}

/* Lists of keys have each certificate in them as it is. */
static bool in_variable(const char *name, const char *cert, size_t len)
{
	char path[512];
	size_t n;
	char *var;
	bool found;

	snprintf(path, sizeof(path), EFIVARS "/%s", name);
	var = slurp(path, &n);
	found = var && memmem(var, n, cert, len);
	free(var);
	return found;
}

int secure_boot_enrolled(const char *path)
{
	struct dirent *e;
	int ret = -1;
	char *cert;
	size_t len;
	DIR *dir;

	cert = slurp(path, &len);
	dir = opendir(EFIVARS);
	if (!cert || !len || !dir)
		goto out;
	while (ret < 1 && (e = readdir(dir))) {
		if (strncmp(e->d_name, "MokListRT", 9) &&
		    strncmp(e->d_name, "db-", 3))
			continue;
		ret = in_variable(e->d_name, cert, len);
	}
out:
	if (dir)
		closedir(dir);
	free(cert);
	return ret;
}

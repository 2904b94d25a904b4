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
#ifndef ROOT_DIR		/* tests have their own */
#define ROOT_DIR	""
#endif
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

/* The value of a line 'name=value' of a shell script; quotes may be round it. */
static bool assignment(char *line, const char *name, char *value, size_t len)
{
	size_t n = strlen(name);
	char quote, *end;

	line += strspn(line, " \t");
	if (!strncmp(line, "export ", 7))
		line += 7;
	if (strncmp(line, name, n) || line[n] != '=')
		return false;
	line += n + 1;
	quote = *line == '"' || *line == '\'' ? *line++ : 0;
	end = quote ? strchr(line, quote) : line + strcspn(line, " \t;#\r\n");
	if (!end)
		return false;
	*end = 0;
	snprintf(value, len, "%s", line);
	return true;
}

/*
 * Later lines and files override earlier ones, as in the shell that reads them.
 */
static void read_framework(const char *path, struct signing_key *key)
{
	FILE *f = fopen(path, "re");
	char line[1024], value[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (!assignment(line, "mok_certificate", value, sizeof(value)))
			continue;
		strcpy(key->certificate, value);
		snprintf(key->by, sizeof(key->by), "%s", *value ? path : "");
	}
	if (f)
		fclose(f);
}

static int is_conf(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return *e->d_name != '.' && dot && !strcmp(dot, ".conf");
}

static bool on_ubuntu(void)
{
	FILE *f = fopen(ROOT_DIR "/etc/os-release", "re");
	char line[256], id[64] = "";

	while (f && fgets(line, sizeof(line), f))
		assignment(line, "ID", id, sizeof(id));
	if (f)
		fclose(f);
	return !strncmp(id, "ubuntu", 6);
}

void signing_key(struct signing_key *key)
{
	static const char folder[] = ROOT_DIR "/etc/dkms/framework.conf.d";
	static const char shim[] = "/var/lib/shim-signed/mok/MOK.der";
	static const char own[] = "/var/lib/dkms/mok.pub";
	struct dirent **name;
	char path[512];
	int i, n;

	memset(key, 0, sizeof(*key));
	read_framework(ROOT_DIR "/etc/dkms/framework.conf", key);
	n = scandir(folder, &name, is_conf, alphasort);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, name[i]->d_name);
		read_framework(path, key);
		free(name[i]);
	}
	if (n >= 0)
		free(name);
	if (!*key->certificate) {
		snprintf(path, sizeof(path), ROOT_DIR "%s", own);
		i = access(path, F_OK);
		snprintf(path, sizeof(path), ROOT_DIR "%s", shim);
		strcpy(key->certificate, on_ubuntu() || (i && !access(path, F_OK)) ?
		       shim : own);
	}
	snprintf(path, sizeof(path), ROOT_DIR "%s", key->certificate);
	key->there = !access(path, F_OK);
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

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Undo files: one for each PF, whatever their drives' serial numbers.
 */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>

#include "base/tool.h"
#include "here.h"
#include "said.h"
#include "setup/undo_file.h"
#include "tap.h"
#include "util.h"

static struct host_fn pf[] = {
	{ .bdf = "0000:01:00.0", .vendor = 0x144d, .serial = "SAME" },
	{ .bdf = "0000:02:00.0", .vendor = 0x144d, .serial = "SAME" },
	{ .bdf = "0000:03:00.0", .vendor = 0x144d, .serial = "OTHER" },
};
static const char *boot = "boot-1";
static bool is_there[3] = { true, true, true };

int sysfs_read(char *buf, size_t len, const char *fmt, ...)
{
	char path[256];
	va_list ap;
	size_t i;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (strstr(path, "boot_id"))
		return snprintf(buf, len, "%s", boot);
	for (i = 0; i < 3; i++)
		if (is_there[i] && strstr(path, pf[i].bdf))
			return snprintf(buf, len, "0x010802");
	return -ENOENT;
}

int sysfs_link(char *buf, size_t len, const char *fmt, ...)
{
	(void)buf;
	(void)len;
	(void)fmt;
	return -ENOENT;
}

/* One namespace is enough here. */
int vf_add(struct vf_state *vf, uint32_t nsid)
{
	free(vf->nsid);
	vf->nsid = malloc(sizeof(*vf->nsid));
	vf->nsid[0] = nsid;
	vf->nns = 1;
	return TOOL_OK;
}

void pf_state_free(struct pf_state *s)
{
	unsigned int i;

	for (i = 0; s->vf && i < s->n; i++)
		free(s->vf[i].nsid);
	free(s->vf);
}

/* From here on what setup.c does. */
static int record(struct host_fn *fn, unsigned int numvfs, uint32_t nsid)
{
	struct undo_file r;
	int err;

	said_forget();
	err = undo_file_load(fn, 4, &r);
	if (!err) {
		r.has_before = true;
		r.before.numvfs = numvfs;
		if (nsid)
			err = vf_add(&r.attached.vf[0], nsid);
	}
	if (!err)
		err = undo_file_save(fn, &r);
	undo_file_free(&r);
	return err;
}

/* VFs before, or -1: nothing is on file, -2: refused; *nsid: what was attached */
static int recorded(struct host_fn *fn, uint32_t *nsid)
{
	struct undo_file r;
	int n = -2;

	said_forget();
	*nsid = 0;
	if (!undo_file_load(fn, 4, &r)) {
		n = r.has_before ? (int)r.before.numvfs : -1;
		if (r.attached.vf[0].nns)
			*nsid = r.attached.vf[0].nsid[0];
	}
	undo_file_free(&r);
	return n;
}

static void forget(struct host_fn *fn)
{
	struct undo_file r;

	undo_file_load(fn, 4, &r);
	r.has_before = false;
	r.attached.vf[0].nns = 0;
	undo_file_save(fn, &r);
	undo_file_free(&r);
}

/* Disable or enable; or, -1, only look. Return: whether it was disabled. */
static int disabled(struct host_fn *fn, int set)
{
	struct undo_file r;
	int was = undo_file_load(fn, 4, &r) ? -1 : r.disabled;

	if (set >= 0) {
		r.disabled = set;
		undo_file_save(fn, &r);
	}
	undo_file_free(&r);
	return was;
}

static int files(void)
{
	struct dirent *e;
	struct stat st;
	char path[512];
	DIR *dir = opendir(UNDO_DIR);
	int n = 0;

	while (dir && (e = readdir(dir))) {
		if (*e->d_name == '.')
			continue;
		snprintf(path, sizeof(path), UNDO_DIR "/%s", e->d_name);
		n += stat(path, &st) || (st.st_mode & 0777) != 0600 ? 100 : 1;
	}
	if (dir)
		closedir(dir);
	return n;
}

int main(void)
{
	struct stat st;
	uint32_t ns;

	here_begin();
	umask(0);
	ok(recorded(&pf[0], &ns) == -1, "nothing on file");
	ok(!record(&pf[0], 1, 0) && !record(&pf[1], 2, 7) && files() == 2,
	   "two PFs of one serial number have a file each, which only root can read (%d)", files());
	ok(!stat(UNDO_DIR, &st) && (st.st_mode & 0777) == 0700, "and so has the folder");
	ok(recorded(&pf[0], &ns) == 1 && !ns && recorded(&pf[1], &ns) == 2 && ns == 7,
	   "each has its own");
	forget(&pf[0]);
	ok(recorded(&pf[0], &ns) == -1 && recorded(&pf[1], &ns) == 2 && files() == 1,
	   "what one forgets the other keeps");

	is_there[1] = false;
	ok(recorded(&pf[0], &ns) == -2 && said_lines == 1 && strstr(said, pf[1].bdf) && strstr(said, pf[0].bdf),
	   "that of a PF which was removed meanwhile is refused (%s)", said);
	ok(recorded(&pf[2], &ns) == -1, "and does not concern a drive of another serial number");
	boot = "boot-2";
	ok(recorded(&pf[0], &ns) == -1 && ns == 7, "a card that was moved while the host was off is known again");
	ok(!record(&pf[0], 3, 0) && files() == 1 && recorded(&pf[0], &ns) == 3 && ns == 7,
	   "and has one file");
	forget(&pf[0]);

	ok(!disabled(&pf[2], 1) && disabled(&pf[2], -1) == 1 && recorded(&pf[2], &ns) == -1,
	   "that a PF is disabled is kept, and is nothing to tear down");
	record(&pf[2], 1, 0);
	boot = "boot-3";
	ok(disabled(&pf[2], -1) == 1 && recorded(&pf[2], &ns) == -1,
	   "it outlasts the boot, what was before does not");
	boot = "boot-2";
	forget(&pf[2]);
	ok(files() == 1 && disabled(&pf[2], 0) == 1 && !files(), "and goes when it is enabled");

	put(UNDO_DIR "/144d-SAME.json", "{ \"version\": 1, \"address\": \"0000:01:00.0\", \"serial\": \"   SAME\","
	    " \"boot_id\": \"boot-2\", \"before\": { \"vfs\": 4, \"functions\": [] }, \"attached\": [] }");
	is_there[1] = true;
	ok(recorded(&pf[1], &ns) == -1 && recorded(&pf[0], &ns) == 4, "a file of an earlier version is its PF's");
	chmod(UNDO_DIR "/144d-SAME.json", 0600);
	ok(!record(&pf[0], 4, 0) && files() == 1 && access(UNDO_DIR "/144d-SAME.json", F_OK),
	   "and gets its new name");
	forget(&pf[0]);
	put(UNDO_DIR "/144d-SAME-0000:01:00.0.json", "{ \"version\": 1, \"address\": \"0000:02:00.0\" }");
	ok(recorded(&pf[0], &ns) == -2 && said_lines == 1, "one that is about another address is refused (%s)", said);
	put(UNDO_DIR "/144d-SAME-0000:01:00.0.json", "{ \"version\": 2 }");
	ok(recorded(&pf[0], &ns) == -2 && said_lines == 1, "and one that cannot be read (%s)", said);
	here_end();
	return tap_done();
}

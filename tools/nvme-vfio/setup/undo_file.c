// SPDX-License-Identifier: GPL-2.0-only
/*
 * undo_file.c - the file about a PF that was set up, as JSON.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tool.h"
#include "undo_file.h"
#include "util.h"

#define VERSION_HERE	1

static void path_of(const struct host_fn *fn, char *path, size_t len)
{
	size_t n;
	char *c;

	n = snprintf(path, len, UNDO_DIR "/%04x-%s-%s.json", fn->vendor,
		     fn->serial, fn->bdf);
	/* Drives choose their serial numbers, not our file names. */
	for (c = path + sizeof(UNDO_DIR); n < len && *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_.:", *c))
			*c = '_';
}

static void boot_id(char *id, size_t len)
{
	if (sysfs_read(id, len, "/proc/sys/kernel/random/boot_id") < 0)
		*id = 0;
}

/* -- reading ------------------------------------------------------------------ */

static const char *get_text(json_object *o, const char *key)
{
	json_object *v = json_object_object_get(o, key);

	return json_object_is_type(v, json_type_string) ?
	       json_object_get_string(v) : "";
}

static int64_t get_number(json_object *o, const char *key)
{
	return json_object_get_int64(json_object_object_get(o, key));
}

static bool get_flag(json_object *o, const char *key)
{
	return json_object_get_boolean(json_object_object_get(o, key));
}

static int load_vf(json_object *o, const char *namespaces,
		   struct pf_state *s)
{
	int64_t vfn = get_number(o, "vf");
	json_object *list;
	struct vf_state *vf;
	int err = TOOL_OK;
	size_t i;

	if (vfn < 1 || vfn > s->n)
		return TOOL_OK;
	vf = &s->vf[vfn - 1];
	vf->cntlid = get_number(o, "controller_id");
	vf->listed = get_flag(o, "listed");
	vf->online = get_flag(o, "online");
	vf->count[RESOURCE_QUEUES] = get_number(o, "queues");
	vf->count[RESOURCE_INTERRUPTS] = get_number(o, "interrupts");
	snprintf(vf->driver, sizeof(vf->driver), "%s", get_text(o, "driver"));
	snprintf(vf->override, sizeof(vf->override), "%s",
		 get_text(o, "driver_override"));
	list = json_object_object_get(o, namespaces);
	if (!json_object_is_type(list, json_type_array))
		return TOOL_OK;
	for (i = 0; !err && i < json_object_array_length(list); i++)
		err = vf_add(vf, json_object_get_int64(
					json_object_array_get_idx(list, i)));
	return err;
}

static int load_vfs(json_object *list, const char *namespaces,
		    struct pf_state *s)
{
	int err = TOOL_OK;
	size_t i;

	if (!json_object_is_type(list, json_type_array))
		return TOOL_OK;
	for (i = 0; !err && i < json_object_array_length(list); i++)
		err = load_vf(json_object_array_get_idx(list, i), namespaces,
			      s);
	return err;
}

static bool same_boot(json_object *o)
{
	char boot[64];

	boot_id(boot, sizeof(boot));
	return !strcmp(get_text(o, "boot_id"), boot);
}

static int parse(json_object *o, struct undo_file *r)
{
	json_object *before = json_object_object_get(o, "before");
	int err;

	r->disabled = get_flag(o, "disabled");
	err = load_vfs(json_object_object_get(o, "attached"), "namespaces",
		       &r->attached);
	if (err || !before || !same_boot(o))
		return err;
	r->has_before = true;
	r->before.autoprobe = get_flag(before, "autoprobe");
	r->before.numvfs = get_number(before, "vfs");
	if (r->before.numvfs > r->before.n)
		r->before.numvfs = r->before.n;
	return load_vfs(json_object_object_get(before, "functions"), "", &r->before);
}

static json_object *open_file(const char *path)
{
	json_object *o = json_object_from_file(path);

	if (o && get_number(o, "version") == VERSION_HERE)
		return o;
	json_object_put(o);
	return NULL;
}

/* Is this the file of the same drive, whose PF is not at that address any more? */
static bool lost_its_pf(const struct host_fn *fn, json_object *o)
{
	char serial[sizeof(fn->serial)], class[16];
	const char *bdf = get_text(o, "address");

	snprintf(serial, sizeof(serial), "%s", get_text(o, "serial"));
	if (strcmp(host_trim(serial), fn->serial))
		return false;
	/* under the name of an earlier version */
	if (!strcmp(bdf, fn->bdf))
		return true;
	return sysfs_read(class, sizeof(class), HOST_PCI "/%s/class", bdf) < 0;
}

static int vendor_of;

static int of_vendor(const struct dirent *e)
{
	size_t len = strlen(e->d_name);
	char begin[8];

	snprintf(begin, sizeof(begin), "%04x-", vendor_of);
	return !strncmp(e->d_name, begin, 5) && len > 10 &&
	       !strcmp(e->d_name + len - 5, ".json");
}

/* The file of a drive that was elsewhere; NULL in *@found: there is none. */
static int find_elsewhere(const struct host_fn *fn, char **found)
{
	struct dirent **name;
	int i, n, err = TOOL_OK;
	json_object *o;
	char *path;

	*found = NULL;
	vendor_of = fn->vendor;
	n = scandir(UNDO_DIR, &name, of_vendor, alphasort);
	for (i = 0; i < n; i++) {
		if (asprintf(&path, UNDO_DIR "/%s", name[i]->d_name) < 0)
			exit(fail(TOOL_FAILED, "out of memory"));
		free(name[i]);
		o = open_file(path);
		if (!o || err || !lost_its_pf(fn, o)) {
			free(path);
		} else if (strcmp(get_text(o, "address"), fn->bdf) && same_boot(o)) {
			err = fail(TOOL_FAILED, "%s: is about a drive with the same serial number that was at %s until it was removed, not about %s. Fix: put that drive back, or rm %s to discard it",
				   path, get_text(o, "address"), fn->bdf, path);
			free(path);
		} else if (*found) {
			err = fail(TOOL_FAILED, "%s and %s: both are about a drive with the serial number of %s, at other addresses. Fix: rm the one that is not about this drive",
				   *found, path, fn->bdf);
			free(path);
		} else {
			*found = path;
		}
		json_object_put(o);
	}
	if (n >= 0)
		free(name);
	if (err) {
		free(*found);
		*found = NULL;
	}
	return err;
}

int undo_file_load(const struct host_fn *fn, unsigned int n, struct undo_file *r)
{
	char path[PATH_MAX];
	const char *bdf;
	json_object *o;
	int err;

	memset(r, 0, sizeof(*r));
	r->before.n = n;
	r->attached.n = n;
	r->before.vf = calloc(n, sizeof(*r->before.vf));
	r->attached.vf = calloc(n, sizeof(*r->attached.vf));
	if (!r->before.vf || !r->attached.vf)
		return fail(TOOL_FAILED, "out of memory");
	path_of(fn, path, sizeof(path));
	if (access(path, F_OK) && errno == ENOENT) {
		err = find_elsewhere(fn, &r->elsewhere);
		if (err || !r->elsewhere)
			return err;
		snprintf(path, sizeof(path), "%s", r->elsewhere);
	}
	r->there = true;
	o = open_file(path);
	if (!o)
		return fail(TOOL_FAILED, "%s: not a file that this version can read. Fix: move it away; teardown then cannot restore %s",
			    path, fn->bdf);
	bdf = get_text(o, "address");
	if (!r->elsewhere && strcmp(bdf, fn->bdf))
		err = fail(TOOL_FAILED, "%s: is about %s, not %s. Fix: move it away; teardown then cannot restore %s",
			   path, *bdf ? bdf : "no PF", fn->bdf, fn->bdf);
	else
		err = parse(o, r);
	json_object_put(o);
	return err;
}

void undo_file_free(struct undo_file *r)
{
	pf_state_free(&r->before);
	pf_state_free(&r->attached);
	free(r->elsewhere);
	memset(r, 0, sizeof(*r));
}

/* -- writing ------------------------------------------------------------------ */

static json_object *namespaces_of(const struct vf_state *vf)
{
	json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < vf->nns; i++)
		json_object_array_add(list, json_object_new_int64(vf->nsid[i]));
	return list;
}

static void put_text(json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, *text ? json_object_new_string(text) :
					       NULL);
}

static void put_number(json_object *o, const char *key, int64_t n)
{
	json_object_object_add(o, key, json_object_new_int64(n));
}

static void put_flag(json_object *o, const char *key, bool flag)
{
	json_object_object_add(o, key, json_object_new_boolean(flag));
}

static json_object *save_before(const struct pf_state *s)
{
	json_object *o = json_object_new_object();
	json_object *list = json_object_new_array();
	unsigned int i;

	put_flag(o, "autoprobe", s->autoprobe);
	put_number(o, "vfs", s->numvfs);
	for (i = 0; i < s->n; i++) {
		const struct vf_state *vf = &s->vf[i];
		json_object *v = json_object_new_object();

		put_number(v, "vf", i + 1);
		put_flag(v, "listed", vf->listed);
		put_number(v, "controller_id", vf->cntlid);
		put_flag(v, "online", vf->online);
		put_number(v, "queues", vf->count[RESOURCE_QUEUES]);
		put_number(v, "interrupts", vf->count[RESOURCE_INTERRUPTS]);
		put_text(v, "driver", vf->driver);
		put_text(v, "driver_override", vf->override);
		json_object_array_add(list, v);
	}
	json_object_object_add(o, "functions", list);
	return o;
}

static json_object *save_attached(const struct pf_state *s, bool *any)
{
	json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < s->n; i++) {
		json_object *v;

		if (!s->vf[i].nns)
			continue;
		*any = true;
		v = json_object_new_object();
		put_number(v, "vf", i + 1);
		json_object_object_add(v, "namespaces",
				       namespaces_of(&s->vf[i]));
		json_object_array_add(list, v);
	}
	return list;
}

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text);
	ssize_t n;

	while (len) {
		n = write(fd, text, len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			len -= n;
		}
	}
	return fsync(fd) ? -errno : 0;
}

/* Never half a file: a new one replaces the old. */
static int replace(const char *path, const char *text)
{
	char next[PATH_MAX + 8];
	int fd, err;

	snprintf(next, sizeof(next), "%s.new", path);
	fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, text);
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(next, path))
		err = -errno;
	if (err) {
		unlink(next);
		return err;
	}
	fd = open(UNDO_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	return 0;
}

/* Only root may read it. Opening the file will show whether this worked. */
static void make_dir(void)
{
	char path[] = UNDO_DIR, *c;

	for (c = path + 1; *c; c++) {
		if (*c != '/')
			continue;
		*c = 0;
		mkdir(path, 0755);
		*c = '/';
	}
	mkdir(path, 0700);
	chmod(path, 0700);	/* of an earlier version */
}

/* What another file recorded is now recorded here, or nowhere. */
static void forget_elsewhere(struct undo_file *r)
{
	if (r->elsewhere)
		unlink(r->elsewhere);
	free(r->elsewhere);
	r->elsewhere = NULL;
}

int undo_file_save(const struct host_fn *fn, struct undo_file *r)
{
	char path[PATH_MAX], boot[64];
	json_object *o, *attached;
	bool any = false;
	int err;

	path_of(fn, path, sizeof(path));
	attached = save_attached(&r->attached, &any);
	if (!r->has_before && !any && !r->disabled) {
		json_object_put(attached);
		if (unlink(path) && errno != ENOENT)
			return fail(TOOL_FAILED, "%s: %s", path,
				    strerror(errno));
		forget_elsewhere(r);
		return TOOL_OK;
	}
	boot_id(boot, sizeof(boot));
	o = json_object_new_object();
	put_number(o, "version", VERSION_HERE);
	put_text(o, "address", fn->bdf);
	put_text(o, "serial", fn->serial);
	put_text(o, "nqn", fn->nqn);
	/* what outlasts this boot is not of it */
	put_text(o, "boot_id", r->has_before || any ? boot : "");
	if (r->disabled)
		put_flag(o, "disabled", true);
	if (r->has_before)
		json_object_object_add(o, "before", save_before(&r->before));
	json_object_object_add(o, "attached", attached);
	make_dir();
	err = replace(path, json_object_to_json_string_ext(o,
				JSON_C_TO_STRING_PRETTY));
	json_object_put(o);
	if (err)
		return fail(TOOL_FAILED, "%s: %s", path, strerror(-err));
	forget_elsewhere(r);
	return TOOL_OK;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * fleet.c - many reports: which VFs are of which class and kind.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/tool.h"
#include "fleet.h"
#include "peer.h"

#define KIND_LEN	(CLASS_TEXT_LEN + 32)

static char *copy(const char *text)
{
	char *new = strdup(text);

	need_memory(new);
	return new;
}

static void *grown(void *list, size_t n, size_t size)
{
	void *more = list;

	/* at 1, 2, 4, ... */
	if (!(n & (n - 1))) {
		more = reallocarray(list, n ? 2 * n : 1, size);
		need_memory(more);
	}
	return more;
}

static struct lh_table *table(void)
{
	struct lh_table *t = lh_kchar_table_new(64, NULL);

	need_memory(t);
	return t;
}

static void *look(struct lh_table *t, const char *key)
{
	void *found = NULL;

	lh_table_lookup_ex(t, key, &found);
	return found;
}

static void begin(struct fleet *f)
{
	if (f->by_name)
		return;
	f->by_name = table();
	f->by_text = table();
	f->by_kind = table();
}

/* Hosts come one after the other. */
static void on_host(struct fleet_hosts *on, size_t host)
{
	if (on->n && on->at[on->n - 1] == host)
		return;
	on->at = grown(on->at, on->n, sizeof(*on->at));
	on->at[on->n++] = host;
}

static void no_class(struct fleet *f, const struct class_gap *why, size_t host)
{
	size_t i;

	for (i = 0; i < f->gaps && f->gap[i].why != why; i++)
		;
	if (i == f->gaps) {
		f->gap = grown(f->gap, f->gaps, sizeof(*f->gap));
		f->gap[f->gaps++] = (struct fleet_gap){ .why = why };
	}
	on_host(&f->gap[i].on, host);
	f->gap[i].vfs++;
}

/* All that is judged, and not in the class's text. */
static void kind_name(const struct class_facts *c, const char *text, char *name)
{
	uint64_t h = ns_hash(0xcbf29ce484222325ULL, &c->id, sizeof(c->id));

	h = ns_hash(h, &c->policy, sizeof(c->policy));
	h = ns_hash(h, c->unsure, sizeof(c->unsure));
	if (c->has_formats)
		h = ns_hash(h, c->formats, sizeof(c->formats));
	snprintf(name, KIND_LEN, "%s %016llx", text, (unsigned long long)h);
}

static struct fleet_class *class_of(struct fleet *f, const char *text)
{
	struct fleet_class *c = look(f->by_text, text);

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	need_memory(c);
	c->text = copy(text);
	class_id_of(text, c->id);
	f->cls = grown(f->cls, f->classes, sizeof(*f->cls));
	f->cls[f->classes++] = c;
	need_memory(!lh_table_insert(f->by_text, c->text, c));
	return c;
}

static struct fleet_kind *kind_of(struct fleet *f, const struct class_facts *c)
{
	char text[CLASS_TEXT_LEN], name[KIND_LEN];
	struct fleet_kind *k;

	if (!class_text(c, text))
		return NULL;
	kind_name(c, text, name);
	k = look(f->by_kind, name);
	if (k) {
		/* the largest state; not known of one: not known */
		if (!c->state_bytes || !k->facts.state_bytes)
			k->facts.state_bytes = 0;
		else if (c->state_bytes > k->facts.state_bytes)
			k->facts.state_bytes = c->state_bytes;
		return k;
	}
	if (f->kinds == FLEET_KINDS)
		return NULL;
	k = calloc(1, sizeof(*k));
	need_memory(k);
	k->facts = *c;
	k->cls = class_of(f, text);
	k->cls->kinds++;
	f->kind = grown(f->kind, f->kinds, sizeof(*f->kind));
	f->kind[f->kinds++] = k;
	need_memory(!lh_table_insert(f->by_kind, copy(name), k));
	return k;
}

static void add_vf(struct fleet *f, json_object *host, json_object *vf,
		   size_t at)
{
	const struct class_gap *why;
	struct class_facts facts;
	struct fleet_kind *k;

	f->vfs++;
	why = class_facts(host, vf, &facts);
	if (why) {
		no_class(f, why, at);
		return;
	}
	k = kind_of(f, &facts);
	if (!k) {
		f->lost++;
		return;
	}
	k->vfs++;
	k->cls->vfs++;
	on_host(&k->cls->on, at);
}

int fleet_add(struct fleet *f, json_object *report, const char *file)
{
	json_object *host = json_object_object_get(report, "host");
	json_object *all = json_object_object_get(report, "functions");
	const char *name = json_object_get_string(json_object_object_get(host, "name"));
	size_t i, at = f->hosts, before = f->vfs;
	const char *other;

	begin(f);
	if (!name || !*name) {
		name = strrchr(file, '/');
		name = name ? name + 1 : file;
	}
	other = look(f->by_name, name);
	if (other) {
		f->bad++;
		return fail(TOOL_CONFIG, "%s: host %s is in %s as well: keep one report of each host",
			    file, name, other);
	}
	f->host = grown(f->host, f->hosts, sizeof(*f->host));
	f->host[f->hosts++] = copy(name);
	need_memory(!lh_table_insert(f->by_name, f->host[at], copy(file)));
	for (i = 0; i < json_object_array_length(all); i++) {
		json_object *fn = json_object_array_get_idx(all, i);
		json_object *role = json_object_object_get(fn, "role");

		if (!strcmp(json_object_get_string(role), "vf"))
			add_vf(f, host, fn, at);
	}
	f->bare += f->vfs == before;
	return TOOL_OK;
}

/* -- the folder ----------------------------------------------------------------- */

static int is_report(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return *e->d_name != '.' && len > 5 &&
	       !strcmp(e->d_name + len - 5, ".json");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_one(struct fleet *f, const char *file)
{
	json_object *report = NULL;
	struct stat st;

	/* nothing else that is opened may wait for somebody */
	if (!stat(file, &st) && !S_ISREG(st.st_mode)) {
		fail(TOOL_CONFIG, "%s: no file: move it away", file);
		f->bad++;
		return;
	}
	if (peer_load(file, &report))
		f->bad++;
	else
		fleet_add(f, report, file);
	json_object_put(report);
}

int fleet_load(struct fleet *f, const char *folder)
{
	struct dirent **entry;
	int i, n = scandir(folder, &entry, is_report, by_name);
	char *file;

	if (n < 0)
		return fail(TOOL_CONFIG, "%s: %s; it must be a folder with the reports that \"" TOOL_NAME " doctor --json\" makes on each host, as *.json",
			    folder, strerror(errno));
	if (!n) {
		free(entry);
		return fail(TOOL_CONFIG, "%s: no *.json in it; on each host, \"" TOOL_NAME " doctor --json\" makes one",
			    folder);
	}
	for (i = 0; i < n; i++) {
		need_memory(asprintf(&file, "%s/%s", folder, entry[i]->d_name) >= 0);
		free(entry[i]);
		f->files++;
		load_one(f, file);
		free(file);
	}
	free(entry);
	return TOOL_OK;
}

/* -- words ------------------------------------------------------------------------ */

static unsigned int digit(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

const char *fleet_value(const struct fleet_class *c, const char *key,
			size_t len, char *value, size_t size)
{
	const char *word = c->text;
	size_t n = 0;

	while (strncmp(word, key, len) || word[len] != '=') {
		word = strchr(word, ' ');
		if (!word)
			return NULL;
		word++;
	}
	for (word += len + 1; *word && *word != ' ' && n + 1 < size; word++) {
		unsigned char b = *word;

		if (b == '%' && word[1] && word[2]) {
			b = digit(word[1]) << 4 | digit(word[2]);
			word += 2;
		}
		value[n++] = b < ' ' || b >= 0x7f ? '?' : b;
	}
	value[n] = 0;
	return value;
}

void fleet_free(struct fleet *f)
{
	struct lh_entry *e;
	size_t i;

	for (i = 0; i < f->classes; i++) {
		free(f->cls[i]->text);
		free(f->cls[i]->on.at);
		free(f->cls[i]);
	}
	for (i = 0; i < f->kinds; i++)
		free(f->kind[i]);
	for (i = 0; i < f->hosts; i++)
		free(f->host[i]);
	for (i = 0; i < f->gaps; i++)
		free(f->gap[i].on.at);
	if (f->by_name) {
		lh_foreach(f->by_name, e)
			free((void *)lh_entry_v(e));
		lh_foreach(f->by_kind, e)
			free(lh_entry_k(e));
		lh_table_free(f->by_name);
		lh_table_free(f->by_text);
		lh_table_free(f->by_kind);
	}
	free(f->cls);
	free(f->kind);
	free(f->host);
	free(f->gap);
	free(f->move);
	memset(f, 0, sizeof(*f));
}

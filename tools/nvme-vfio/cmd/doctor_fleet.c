// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_fleet.c - "doctor --fleet": classes in a table, and below it who differs,
 * and between which classes no guest can move.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "base/tool.h"
#include "doctor/fleet.h"
#include "doctor_fleet.h"

#define LINES		20	/* of a kind, below the table */
#define NAMED		3	/* so many hosts are named */
#define VALUE		512
#define ANY		"any"	/* the class does not go by it */

enum {
	ID, HOSTS, VFS, SET, MODEL, FIRMWARE, QUEUES, INTERRUPTS, BLOCKS,
	MACHINE, PCI_ID, NVME_VERSION, MATCH, FORMAT, TRACKING, LIMIT, MEDIA,
	NAMESPACES, STREAM, STUCK, COLUMNS
};

static const struct report_column columns[COLUMNS] = {
	[ID] = { "class", "CLASS" },
	[HOSTS] = { "hosts", "HOSTS", .right = true },
	[VFS] = { "vfs", "VFS", .right = true },
	[SET] = { "command_set", "COMMANDS" },
	[MODEL] = { "model", "MODEL", .cut = true },
	[FIRMWARE] = { "firmware", "FIRMWARE" },
	[QUEUES] = { "queues", "QUEUES", .right = true },
	[INTERRUPTS] = { "interrupts", "INTR", .right = true },
	[BLOCKS] = { "blocks", "BLOCKS" },
	[MACHINE] = { "machine" },
	[PCI_ID] = { "pci_id" },
	[NVME_VERSION] = { "nvme_version" },
	[MATCH] = { "match" },
	[FORMAT] = { "format" },
	[TRACKING] = { "tracking" },
	[LIMIT] = { "max_state_mb" },
	[MEDIA] = { "media" },
	[NAMESPACES] = { "namespaces" },
	[STREAM] = { "stream" },
	[STUCK] = { "stuck" },
};

static void add(json_object *o, const char *key, json_object *value)
{
	need_memory(!json_object_object_add(o, key, value));
}

static void append(json_object *list, json_object *value)
{
	need_memory(value && !json_object_array_add(list, value));
}

static json_object *text(const char *s)
{
	json_object *o = s ? json_object_new_string(s) : NULL;

	need_memory(o || !s);
	return o;
}

static json_object *number(size_t n)
{
	return json_object_new_int64(n);
}

static const char *value(const struct fleet_class *c, const char *key,
			 size_t len, char *to)
{
	return fleet_value(c, key, len, to, VALUE);
}

/* -- the table ------------------------------------------------------------------ */

static json_object *names(const struct fleet *f, const struct fleet_hosts *on)
{
	json_object *list = json_object_new_array();
	size_t i;

	need_memory(list);
	for (i = 0; i < on->n; i++)
		append(list, text(f->host[on->at[i]]));
	return list;
}

static void row(struct report *r, const struct fleet *f,
		const struct fleet_class *c)
{
	char s[VALUE];
	size_t i;

	report_row(r);
	report_text(r, ID, c->id);
	snprintf(s, sizeof(s), "%zu", c->on.n);
	report_value(r, HOSTS, names(f, &c->on), s);
	report_number(r, VFS, c->vfs);
	for (i = SET; i < STUCK; i++) {
		const char *key = columns[i].key;

		if (!value(c, key, strlen(key), s)) {
			if (i == MODEL || i == FIRMWARE)
				report_value(r, i, NULL, ANY);
			continue;
		}
		if (i == QUEUES || i == INTERRUPTS || i == LIMIT || i == STREAM)
			report_number(r, i, strtoll(s, NULL, 10));
		else
			report_text(r, i, s);
	}
	if (c->compared)
		report_flag(r, STUCK, c->stuck, NULL, NULL);
}

/* -- notes: no more of a kind than people read ------------------------------------ */

struct notes {
	struct report *r;
	size_t n;
	bool begun;
};

/* Whether there is room for one more; the first has a blank line above it. */
static bool room(struct notes *to)
{
	if (to->n++ >= LINES)
		return false;
	if (to->n == 1 && to->begun)
		report_note(to->r, "%s", "");
	to->begun = true;
	return true;
}

static void rest(struct notes *to)
{
	if (to->n > LINES)
		report_note(to->r, "and %zu more, which --json has", to->n - LINES);
	to->n = 0;
}

/* Names of others are in it. */
static const char *plain(const char *name, char *to, size_t size)
{
	size_t n = 0;

	for (; *name && n + 1 < size; name++)
		to[n++] = iscntrl((unsigned char)*name) ? '?' : *name;
	to[n] = 0;
	return to;
}

static const char *who(const struct fleet *f, const struct fleet_hosts *on,
		       char *to, size_t size)
{
	char name[128];
	size_t i, len = 0;

	*to = 0;
	for (i = 0; i < on->n && i < NAMED; i++) {
		snprintf(to + len, size - len, "%s%s", i ? ", " : "",
			 plain(f->host[on->at[i]], name, sizeof(name)));
		len = strlen(to);
	}
	if (i < on->n)
		snprintf(to + len, size - len, " and %zu more", on->n - i);
	return to;
}

/* "model: A, B there" */
static const char *both(const struct fleet_class *a, const struct fleet_class *b,
			const char *key, size_t len, char *to, size_t size)
{
	char x[VALUE], y[VALUE];

	if (!value(a, key, len, x))
		snprintf(x, sizeof(x), ANY);
	if (!value(b, key, len, y))
		snprintf(y, sizeof(y), ANY);
	snprintf(to, size, "%.*s: %s, %s there", (int)len, key, x, y);
	return to;
}

/* -- outliers -------------------------------------------------------------------- */

static const char *cure_of(const struct fleet_class *c)
{
	char key[64];

	snprintf(key, sizeof(key), "%.*s", (int)c->len, c->key);
	return class_key_cure(key);
}

static json_object *outlier(const struct fleet *f, const struct fleet_class *c)
{
	json_object *o = json_object_new_object();
	char s[VALUE];

	need_memory(o);
	add(o, "host", text(f->host[*c->on.at]));
	add(o, "vfs", number(c->vfs));
	add(o, "class", text(c->id));
	add(o, "like", text(c->like->id));
	snprintf(s, sizeof(s), "%.*s", (int)c->len, c->key);
	add(o, "key", text(s));
	add(o, "here", text(value(c, c->key, c->len, s)));
	add(o, "there", text(value(c->like, c->key, c->len, s)));
	add(o, "cure", text(cure_of(c)));
	return o;
}

static json_object *outliers(const struct fleet *f, struct notes *to)
{
	json_object *list = json_object_new_array();
	char what[3 * VALUE], name[512];
	size_t i;

	need_memory(list);
	for (i = 0; i < f->compared; i++) {
		const struct fleet_class *c = f->cls[i];
		const char *cure;

		if (!c->like)
			continue;
		append(list, outlier(f, c));
		cure = cure_of(c);
		if (room(to))
			report_note(to->r, "%s, %zu VF%s, differs from the %zu hosts of %s in one thing only: %s%s%s",
				    who(f, &c->on, name, sizeof(name)), c->vfs,
				    c->vfs == 1 ? "" : "s", c->like->on.n,
				    c->like->id,
				    both(c, c->like, c->key, c->len, what, sizeof(what)),
				    cure ? ". Fix: " : "", cure ? cure : "");
	}
	rest(to);
	return list;
}

/* -- pairs ------------------------------------------------------------------------ */

static const struct fleet_move *move_of(const struct fleet *f, size_t from,
					size_t to)
{
	return &f->move[from * f->compared + to];
}

static const char *answer(const struct fleet_move *m)
{
	if (m->least == m->most)
		return m->least == CLASS_YES ? "yes" :
		       m->least == CLASS_NO ? "no" : "perhaps";
	return m->least == CLASS_NO ? "some" : "perhaps";
}

static json_object *pair(const struct fleet *f, size_t from, size_t to)
{
	const struct fleet_class *a = f->cls[from], *b = f->cls[to];
	const struct fleet_move *m = move_of(f, from, to);
	json_object *o = json_object_new_object();
	const char *key = class_part_key(m->part);
	bool yes = m->least == CLASS_YES;
	char s[VALUE];

	need_memory(o);
	add(o, "from", text(a->id));
	add(o, "to", text(b->id));
	add(o, "moves", text(answer(m)));
	add(o, "key", yes ? NULL : text(key));
	add(o, "here", yes ? NULL : text(value(a, key, strlen(key), s)));
	add(o, "there", yes ? NULL : text(value(b, key, strlen(key), s)));
	return o;
}

/* How two classes are to each other; in this order they are told. */
enum { ONE_WAY, DEPENDS, NEITHER, BOTH, RELATIONS };

static unsigned int relation(const struct fleet_move *there,
			     const struct fleet_move *back)
{
	unsigned int yes = (there->least == CLASS_YES) + (back->least == CLASS_YES);
	unsigned int no = (there->most == CLASS_NO) + (back->most == CLASS_NO);

	return yes == 2 ? BOTH : no == 2 ? NEITHER : yes && no ? ONE_WAY : DEPENDS;
}

static void tell(struct notes *to, const struct fleet *f, size_t i, size_t k,
		 unsigned int how)
{
	const struct fleet_move *there = move_of(f, i, k), *back = move_of(f, k, i);
	const struct fleet_class *a = f->cls[i], *b = f->cls[k];
	char x[3 * VALUE] = "", y[3 * VALUE] = "";
	const char *key;

	if (how == ONE_WAY && there->least != CLASS_YES) {
		tell(to, f, k, i, how);
		return;
	}
	key = class_part_key(there->part);
	if (there->least != CLASS_YES)
		both(a, b, key, strlen(key), x, sizeof(x));
	key = class_part_key(back->part);
	if (back->least != CLASS_YES)
		both(b, a, key, strlen(key), y, sizeof(y));
	if (how == ONE_WAY)
		report_note(to->r, "from %s to %s only; back: %s", a->id, b->id, y);
	else if (how == NEITHER)
		report_note(to->r, "%s and %s: neither way; %s", a->id, b->id, x);
	else if (how == BOTH)
		report_note(to->r, "%s and %s: both ways", a->id, b->id);
	else
		report_note(to->r, "%s to %s: %s%s%s%s; back: %s%s%s%s", a->id, b->id,
			    answer(there), *x ? " (" : "", x, *x ? ")" : "",
			    answer(back), *y ? " (" : "", y, *y ? ")" : "");
}

static json_object *pairs(const struct fleet *f, struct notes *to)
{
	json_object *list = json_object_new_array();
	unsigned int how;
	size_t i, k;

	need_memory(list);
	for (i = 0; i < f->compared; i++)
		for (k = 0; k < f->compared; k++)
			if (i != k)
				append(list, pair(f, i, k));
	for (how = 0; how < RELATIONS; how++) {
		for (i = 0; i < f->compared; i++)
			for (k = i + 1; k < f->compared; k++)
				if (relation(move_of(f, i, k), move_of(f, k, i)) == how &&
				    room(to))
					tell(to, f, i, k, how);
		rest(to);
	}
	return list;
}

/* -- what is left ------------------------------------------------------------------- */

static json_object *without(const struct fleet *f, struct notes *to)
{
	json_object *list = json_object_new_array();
	char name[512];
	size_t i;

	need_memory(list);
	for (i = 0; i < f->gaps; i++) {
		const struct fleet_gap *g = &f->gap[i];
		json_object *o = json_object_new_object();

		need_memory(o);
		add(o, "key", text(g->why->key));
		add(o, "reason", text(g->why->why));
		add(o, "cure", text(g->why->cure));
		add(o, "vfs", number(g->vfs));
		add(o, "hosts", names(f, &g->on));
		append(list, o);
		if (room(to))
			report_note(to->r, "%zu VF%s without a class, on %s: %s. Fix: %s",
				    g->vfs, g->vfs == 1 ? "" : "s",
				    who(f, &g->on, name, sizeof(name)), g->why->why,
				    g->why->cure);
	}
	rest(to);
	if (f->compared < f->classes && room(to))
		report_note(to->r, "%zu of %zu classes were not compared: no more than %d kinds of VFs are, of the most common ones",
			    f->classes - f->compared, f->classes, FLEET_COMPARED);
	if (f->lost && room(to))
		report_note(to->r, "%zu VFs are of further kinds: no more than %d are told apart",
			    f->lost, FLEET_KINDS);
	rest(to);
	return list;
}

static void lead(struct report *r, const struct fleet *f, size_t stuck,
		 size_t no_class)
{
	char at_end[128] = ".", bare[64] = "";

	if (stuck || no_class)
		snprintf(at_end, sizeof(at_end), ": %zu can move to no other host, %zu have no class.",
			 stuck, no_class);
	if (f->bare)
		snprintf(bare, sizeof(bare), " (%zu without VFs)", f->bare);
	report_lead(r, "%zu host%s%s, %zu VF%s of %zu class%s%s", f->hosts,
		    f->hosts == 1 ? "" : "s", bare, f->vfs,
		    f->vfs == 1 ? "" : "s", f->classes,
		    f->classes == 1 ? "" : "es", at_end);
}

static json_object *counts(const struct fleet *f)
{
	json_object *o = json_object_new_object();

	need_memory(o);
	add(o, "files", number(f->files));
	add(o, "bad_files", number(f->bad));
	add(o, "hosts", number(f->hosts));
	add(o, "hosts_without_vfs", number(f->bare));
	add(o, "vfs", number(f->vfs));
	add(o, "vfs_left_out", number(f->lost));
	add(o, "classes", number(f->classes));
	add(o, "classes_compared", number(f->compared));
	add(o, "kinds", number(f->kinds));
	add(o, "comparisons", number(f->comparisons));
	return o;
}

static int print(const struct fleet *f, size_t *unfit)
{
	struct report *r = report_new("doctor", "classes", columns, COLUMNS);
	struct notes to = { .r = r };
	size_t i, stuck = 0, no_class = f->lost;

	for (i = 0; i < f->classes; i++) {
		row(r, f, f->cls[i]);
		stuck += f->cls[i]->stuck ? f->cls[i]->vfs : 0;
	}
	for (i = 0; i < f->gaps; i++)
		no_class += f->gap[i].vfs;
	lead(r, f, stuck, no_class);
	report_extra(r, "outliers", outliers(f, &to));
	report_extra(r, "pairs", pairs(f, &to));
	report_extra(r, "without_class", without(f, &to));
	report_extra(r, "counts", counts(f));
	*unfit = stuck + no_class;
	return report_print(r);
}

int doctor_fleet(const char *folder)
{
	struct fleet f = { };
	size_t unfit = 0;
	int err;

	err = fleet_load(&f, folder);
	if (!err) {
		fleet_compare(&f);
		err = print(&f, &unfit);
	}
	/* Half an answer must not look like a whole one. */
	if (!err && f.bad)
		err = TOOL_CONFIG;
	fleet_free(&f);
	return err ? err : unfit ? TOOL_UNFIT : TOOL_OK;
}

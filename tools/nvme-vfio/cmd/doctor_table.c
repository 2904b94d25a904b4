// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_table.c - answers of a group stand in the order of the checks, those of
 * one check together. What is ok is one line for all functions; what is not is
 * one line per text, apart from the function's own address in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool.h"
#include "doctor_table.h"

#define OK		"ok"
#define NAMED		3	/* this many functions are named */

struct doctor_entry {
	enum doctor_group group;
	char *status;
	char *id;
	struct doctor_names on;
	bool alike;		/* the text is the same for all of them */
	char *text;
	char *cure;
	char *plain_text;	/* the same without addresses of their own */
	char *plain_cure;
	bool put;
};

static const char * const name[DOCTOR_GROUPS] = {
	[OF_HOST] = "Host", [OF_PF] = "PF", [OF_DRIVE] = "Drive",
	[OF_VF] = "VF",
};

static char *copy(const char *text)
{
	char *new = text ? strdup(text) : NULL;

	need_memory(new || !text);
	return new;
}

static void names_add(struct doctor_names *names, const char *text)
{
	names->name = reallocarray(names->name, names->n + 1,
				   sizeof(*names->name));
	need_memory(names->name);
	names->name[names->n++] = copy(text);
}

static void names_once(struct doctor_names *names, const char *text)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (!strcmp(names->name[i], text))
			return;
	names_add(names, text);
}

static void names_free(struct doctor_names *names)
{
	while (names->n)
		free(names->name[--names->n]);
	free(names->name);
	*names = (struct doctor_names){ };
}

/* @text with @word in place of each @address. */
static char *plain(const char *text, const char *address, const char *word)
{
	char *out = NULL;
	const char *at;
	size_t len;
	FILE *f;

	if (!text)
		return NULL;
	f = open_memstream(&out, &len);
	need_memory(f);
	while (address && *address && (at = strstr(text, address))) {
		fprintf(f, "%.*s%s", (int)(at - text), text, word);
		text = at + strlen(address);
	}
	fputs(text, f);
	need_memory(!fclose(f));
	return out;
}

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool joins(const struct doctor_entry *a, const struct doctor_entry *b)
{
	return a->group == b->group && a->on.n && b->on.n &&
	       !strcmp(a->id, b->id) && !strcmp(a->status, b->status) &&
	       (!strcmp(a->status, OK) ||
		(same(a->plain_text, b->plain_text) &&
		 same(a->plain_cure, b->plain_cure)));
}

static void entry_free(struct doctor_entry *e)
{
	free(e->status);
	free(e->id);
	names_free(&e->on);
	free(e->text);
	free(e->cure);
	free(e->plain_text);
	free(e->plain_cure);
}

void doctor_table_add(struct doctor_table *t, const struct doctor_line *line)
{
	struct doctor_entry new = {
		.group = line->group, .alike = true,
		.status = copy(line->status), .id = copy(line->id),
		.text = copy(line->text), .cure = copy(line->cure),
		.plain_text = plain(line->text, line->function,
				    name[line->group]),
		.plain_cure = plain(line->cure, line->function,
				    name[line->group]),
	};
	size_t i;

	if (line->function) {
		names_add(&new.on, line->function);
		names_once(&t->functions[line->group], line->function);
	}
	for (i = 0; i < t->n; i++) {
		struct doctor_entry *e = &t->entry[i];

		if (!joins(e, &new))
			continue;
		names_once(&e->on, line->function);
		e->alike = e->alike && same(e->plain_text, new.plain_text);
		entry_free(&new);
		return;
	}
	t->entry = reallocarray(t->entry, t->n + 1, sizeof(*t->entry));
	need_memory(t->entry);
	t->entry[t->n++] = new;
}

static void say_on(FILE *f, const struct doctor_entry *e, size_t all)
{
	size_t i;

	if (!e->on.n || all == 1)
		return;
	if (e->on.n == all) {
		fprintf(f, "on %zu %ss", all, name[e->group]);
	} else {
		fputs("on ", f);
		for (i = 0; i < e->on.n && i < NAMED; i++)
			fprintf(f, "%s%s", i ? ", " : "", e->on.name[i]);
		if (i < e->on.n)
			fprintf(f, " and %zu more", e->on.n - i);
	}
	if (e->alike)
		fputs(": ", f);
}

static char *finding(const struct doctor_entry *e, size_t all, const char *fix)
{
	bool many = e->on.n > 1;
	char *out = NULL;
	size_t len;
	FILE *f;

	f = open_memstream(&out, &len);
	need_memory(f);
	say_on(f, e, all);
	if (e->alike)
		fputs(many ? e->plain_text : e->text, f);
	if (e->cure)
		fprintf(f, "%s%s", fix, many ? e->plain_cure : e->cure);
	need_memory(!fclose(f));
	return out;
}

static const char *color(const char *status)
{
	return !strcmp(status, OK) ? "green" :
	       !strcmp(status, "warn") ? "yellow" :
	       !strcmp(status, "fail") ? "red" : "magenta";
}

static void put(struct doctor_table *t, struct doctor_entry *e,
		struct report *r, const struct doctor_columns *column,
		const char *fix)
{
	char *text = finding(e, t->functions[e->group].n, fix);

	report_row(r);
	report_text(r, column->status, e->status);
	report_color(r, column->status, color(e->status));
	report_text(r, column->id, e->id);
	report_value(r, column->finding, NULL, text);
	free(text);
	e->put = true;
}

static void title(const struct doctor_table *t, enum doctor_group group,
		  struct report *r)
{
	const struct doctor_names *of = &t->functions[group];
	char text[128];

	if (!of->n)
		snprintf(text, sizeof(text), "%s", name[group]);
	else if (of->n == 1)
		snprintf(text, sizeof(text), "%s %s", name[group], of->name[0]);
	else
		snprintf(text, sizeof(text), "%zu %ss", of->n, name[group]);
	report_group(r, text);
}

static bool wanted(const struct doctor_entry *e, enum doctor_group group,
		   bool quiet)
{
	return !e->put && e->group == group &&
	       !(quiet && !strcmp(e->status, OK));
}

void doctor_table_put(struct doctor_table *t, struct report *r,
		      const struct doctor_columns *column, bool quiet,
		      const char *fix)
{
	enum doctor_group group;
	size_t i, k;

	for (group = 0; group < DOCTOR_GROUPS; group++) {
		bool begun = false;

		for (i = 0; i < t->n; i++) {
			if (!wanted(&t->entry[i], group, quiet))
				continue;
			if (!begun)
				title(t, group, r);
			begun = true;
			for (k = i; k < t->n; k++)
				if (wanted(&t->entry[k], group, quiet) &&
				    !strcmp(t->entry[k].id, t->entry[i].id))
					put(t, &t->entry[k], r, column, fix);
		}
		names_free(&t->functions[group]);
	}
	for (i = 0; i < t->n; i++)
		entry_free(&t->entry[i]);
	free(t->entry);
	*t = (struct doctor_table){ };
}

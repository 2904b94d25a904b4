// SPDX-License-Identifier: GPL-2.0-only
/*
 * fleet-compare.c - which class can move to which, and who differs in one thing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/tool.h"
#include "fleet.h"

static int more(size_t a, size_t b)
{
	return a > b ? -1 : a < b;
}

static int by_hosts(const void *x, const void *y)
{
	const struct fleet_class *a = *(struct fleet_class *const *)x;
	const struct fleet_class *b = *(struct fleet_class *const *)y;

	return more(a->on.n, b->on.n) ?: more(a->vfs, b->vfs) ?:
	       strcmp(a->text, b->text);
}

static int by_class(const void *x, const void *y)
{
	const struct fleet_kind *a = *(struct fleet_kind *const *)x;
	const struct fleet_kind *b = *(struct fleet_kind *const *)y;

	return a->cls->rank < b->cls->rank ? -1 : a->cls->rank > b->cls->rank;
}

/* The first classes all of whose kinds can be compared. Return: how many kinds. */
static size_t choose(struct fleet *f)
{
	size_t i, kinds = 0;

	if (!f->classes)
		return 0;
	qsort(f->cls, f->classes, sizeof(*f->cls), by_hosts);
	for (i = 0; i < f->classes; i++)
		f->cls[i]->rank = i;
	qsort(f->kind, f->kinds, sizeof(*f->kind), by_class);
	for (i = 0; i < f->classes; i++) {
		if (kinds + f->cls[i]->kinds > FLEET_COMPARED)
			break;
		kinds += f->cls[i]->kinds;
		f->cls[i]->compared = true;
		f->compared++;
	}
	return kinds;
}

static void judge(struct fleet *f, const struct fleet_kind *from,
		  const struct fleet_kind *to)
{
	struct fleet_move *m = &f->move[from->cls->rank * f->compared +
					to->cls->rank];
	enum class_move move;
	unsigned int part;

	move = class_moves(&from->facts, &to->facts, &part);
	f->comparisons++;
	if (move < m->least) {
		m->least = move;
		m->part = part;
	}
	if (move > m->most)
		m->most = move;
}

/* -- outliers --------------------------------------------------------------------- */

static size_t word_len(const char *word)
{
	return strcspn(word, " ");
}

static const char *next(const char *word)
{
	word += word_len(word);
	return *word ? word + 1 : word;
}

/* Is there a word in a text that is this one, or begins so? */
static bool has(const char *text, const char *word, size_t len, bool whole)
{
	for (; *text; text = next(text))
		if (!strncmp(text, word, len) &&
		    (!whole || word_len(text) == len))
			return true;
	return false;
}

/* Keys of which two texts have other values, and one of them. */
struct differing {
	const char *key;
	size_t len;
	size_t n;
};

/* Those of the text @a; @missing: that @b has not at all. */
static void differ(const char *a, const char *b, bool missing,
		   struct differing *d)
{
	const char *word;
	size_t len;

	for (word = a; *word; word = next(word)) {
		len = strcspn(word, "=");
		if (missing ? has(b, word, len + 1, false) :
			      has(b, word, word_len(word), true))
			continue;
		d->key = word;
		d->len = len;
		d->n++;
	}
}

static void outlier(struct fleet_class *c, const struct fleet_class *of)
{
	struct differing d = { };

	if (c->on.n != 1 || of->on.n < 2 || c->like)
		return;
	differ(c->text, of->text, false, &d);
	differ(of->text, c->text, true, &d);
	if (d.n != 1)
		return;
	c->like = of;
	c->key = d.key;
	c->len = d.len;
}

/* Can a guest there move to another host? */
static bool leaves(const struct fleet *f, const struct fleet_class *c)
{
	size_t i;

	if (c->on.n > 1)
		return true;
	for (i = 0; i < f->compared; i++) {
		const struct fleet_class *to = f->cls[i];

		if (to != c && (to->on.n > 1 || *to->on.at != *c->on.at) &&
		    f->move[c->rank * f->compared + i].most != CLASS_NO)
			return true;
	}
	return false;
}

void fleet_compare(struct fleet *f)
{
	size_t kinds = choose(f), i, k;

	f->move = calloc(f->compared * f->compared + 1, sizeof(*f->move));
	need_memory(f->move);
	for (i = 0; i < f->compared * f->compared; i++)
		f->move[i].least = CLASS_YES;
	for (i = 0; i < kinds; i++)
		for (k = 0; k < kinds; k++)
			if (f->kind[i]->cls != f->kind[k]->cls)
				judge(f, f->kind[i], f->kind[k]);
	/* those with the most hosts come first */
	for (i = 0; i < f->compared; i++) {
		f->cls[i]->stuck = !leaves(f, f->cls[i]);
		for (k = 0; k < f->compared; k++)
			outlier(f->cls[i], f->cls[k]);
	}
}

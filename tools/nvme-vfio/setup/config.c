// SPDX-License-Identifier: GPL-2.0-only
/*
 * config.c - what the lines of configuration files mean. Lines without a
 * meaning are refused.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool.h"
#include "config.h"
#include "config_file.h"
#include "host/verdict.h"
#include "ini.h"
#include "known.h"
#include "pf.h"

#define NAMESPACES_MAX	1024		/* as many as a controller can list */

/* Where a VF's settings are in the section that begins in line @begun. */
struct place {
	int begun;
	size_t at;
};

struct parser {
	struct config *c;
	const char *path;
	int line;
	char *section;		/* name of the last one; NULL: it cannot be read */
	int begun;		/* its line */
	int used;		/* that for which there is a config_pf */
	bool all;		/* report every mistake, not only the first */
	bool failed;		/* something is wrong */
	int told;		/* line of the last mistake that was reported */
	struct place *place;	/* of each VF that has settings of its own */
	bool homeless;		/* so were settings before the first section */
};

__attribute__((format(printf, 2, 3)))
static int wrong(struct parser *p, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* Only the first of a line counts: others often follow from it. */
	if (!p->failed || (p->all && p->line != p->told))
		fail(TOOL_CONFIG, "%s:%d: %s", p->path, p->line, text);
	p->failed = true;
	p->told = p->line;
	if (p->c->n && p->used == p->begun)
		p->c->pf[p->c->n - 1].bad = true;
	return 0;
}

static bool number(const char *text, unsigned int max, unsigned int *n)
{
	unsigned long v;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	v = strtoul(text, &end, 10);
	if (*end || errno || v > max)
		return false;
	*n = v;
	return true;
}

static int set_number(struct parser *p, const char *name, const char *value,
		      unsigned int min, unsigned int max, unsigned int *n)
{
	if (*n)
		return wrong(p, "%s is given twice", name);
	if (!number(value, max, n) || *n < min)
		return wrong(p, "%s = %s: must be a number from %u to %u", name,
			     value, min, max);
	return 1;
}

static int set_driver(struct parser *p, const char *name, const char *value,
		      struct config_vf *vf)
{
	size_t len = strlen(value);

	if (*vf->driver)
		return wrong(p, "%s is given twice", name);
	if (!len || len >= sizeof(vf->driver) ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != len)
		return wrong(p, "%s = %s: must be the name of a driver, or none",
			     name, value);
	strcpy(vf->driver, value);
	return 1;
}

/* From @first to @last; none of them may be there already. */
static int add_namespaces(struct parser *p, const char *name, uint32_t first,
			  uint32_t last, struct config_vf *vf)
{
	uint32_t *more;
	size_t i;

	for (i = 0; i < vf->nns; i++)
		if (vf->nsid[i] >= first && vf->nsid[i] <= last)
			return wrong(p, "%s: %u is given twice", name,
				     vf->nsid[i]);
	if (last - first >= NAMESPACES_MAX - vf->nns)
		return wrong(p, "%s: more than %u", name, NAMESPACES_MAX);
	more = realloc(vf->nsid,
		       (vf->nns + last - first + 1) * sizeof(*more));
	if (!more)
		return wrong(p, "out of memory");
	vf->nsid = more;
	for (; first < last; first++)
		more[vf->nns++] = first;
	more[vf->nns++] = last;
	return 1;
}

/* "7", or "1-4" */
static int add_range(struct parser *p, const char *name, char *word,
		     struct config_vf *vf)
{
	unsigned int first, last;
	char *dash = strchr(word, '-');

	if (dash)
		*dash = 0;
	if (!number(word, 0xfffffffe, &first) || !first)
		return wrong(p, "%s: %s is not a namespace id", name, word);
	last = first;
	if (dash && (!number(dash + 1, 0xfffffffe, &last) || last < first))
		return wrong(p, "%s: %s-%s is not a range", name, word, dash + 1);
	return add_namespaces(p, name, first, last, vf);
}

static int set_namespaces(struct parser *p, const char *name,
			  const char *value, struct config_vf *vf)
{
	char *text, *word, *rest;
	int good = 1;

	if (vf->nsid)
		return wrong(p, "%s is given twice", name);
	rest = text = strdup(value);
	if (!text)
		return wrong(p, "out of memory");
	while (good && (word = strsep(&rest, " \t,")))
		good = !*word || add_range(p, name, word, vf);
	free(text);
	if (good && !vf->nns)
		return wrong(p, "%s: no namespace given", name);
	return good;
}

/* By the driver's own rules. */
static int set_policy(struct parser *p, struct config_pf *pf, const char *name,
		      const char *value)
{
	const char *bad, *why;
	struct policy policy;
	unsigned int len;

	if (pf->policy)
		return wrong(p, "%s is given twice", name);
	if (strlen(value) >= POLICY_TEXT)
		return wrong(p, "%s: longer than %d characters", name,
			     POLICY_TEXT - 1);
	why = nvme_vfio_policy_parse(&policy, value, &bad, &len);
	if (why)
		return wrong(p, "%s: %.*s %s", name, (int)len, bad, why);
	pf->policy = strdup(value);
	return pf->policy ? 1 : wrong(p, "out of memory");
}

#define HEX	"0123456789abcdefABCDEF"

/* With the domain or without it. */
static bool is_address(const char *text)
{
	size_t n = strspn(text, HEX);

	if (n >= 4 && text[n] == ':')
		text += n + 1;
	return isxdigit((unsigned char)text[0]) &&
	       isxdigit((unsigned char)text[1]) && text[2] == ':' &&
	       isxdigit((unsigned char)text[3]) &&
	       isxdigit((unsigned char)text[4]) && text[5] == '.' &&
	       text[6] >= '0' && text[6] <= '7' && !text[7];
}

static const char * const key_name[] = {
	[KEY_SERIAL] = "serial", [KEY_NQN] = "nqn", [KEY_ADDRESS] = "address",
};

static int set_id(struct parser *p, struct config_pf *pf, enum config_key key,
		  const char *value)
{
	const char *name = key_name[key];

	if (pf->key == key)
		return wrong(p, "%s is given twice", name);
	if (pf->key)
		return wrong(p, "%s: name a PF by one of serial, nqn and address, or describe it by model and pci, but not both",
			     name);
	if (!*value)
		return wrong(p, "%s is empty", name);
	if (key == KEY_ADDRESS && !is_address(value))
		return wrong(p, "%s = %s: must be a PCI address, such as 0000:3b:00.0",
			     name, value);
	pf->key = key;
	pf->id = strdup(value);
	return pf->id ? 1 : wrong(p, "out of memory");
}

/* Of all PFs that are like this; model and PCI id may be given both. */
static int set_like(struct parser *p, struct config_pf *pf, const char *name)
{
	if (pf->key && pf->key != KEY_LIKE)
		return wrong(p, "%s: this section is about one PF already, by %s",
			     name, key_name[pf->key]);
	pf->key = KEY_LIKE;
	return 1;
}

static int set_model(struct parser *p, struct config_pf *pf, const char *value)
{
	if (pf->model)
		return wrong(p, "model is given twice");
	if (!*value)
		return wrong(p, "model is empty");
	if (!set_like(p, pf, "model"))
		return 0;
	pf->model = strdup(value);
	return pf->model ? 1 : wrong(p, "out of memory");
}

static int set_pci(struct parser *p, struct config_pf *pf, const char *value)
{
	size_t i;

	if (*pf->pci)
		return wrong(p, "pci is given twice");
	if (strlen(value) != 9 || strspn(value, HEX) != 4 || value[4] != ':' ||
	    strspn(value + 5, HEX) != 4)
		return wrong(p, "pci = %s: must be the PF's vendor and device id, such as 144d:a80a",
			     value);
	if (!set_like(p, pf, "pci"))
		return 0;
	for (i = 0; i <= 9; i++)
		pf->pci[i] = tolower((unsigned char)value[i]);
	return 1;
}

/* An array with room for one more: its size doubles, so that it is seldom copied. */
static void *room_for(void *array, size_t n, size_t size)
{
	if (n & (n - 1))
		return array;
	return reallocarray(array, n ? 2 * n : 1, size);
}

/* "vf3.queues": finds the settings of VF 3, and cuts the name. */
static struct config_vf *one_vf(struct parser *p, struct config_pf *pf,
				const char **name)
{
	struct config_one *more;
	const char *dot = strchr(*name, '.');
	unsigned int vfn;
	char digits[8];
	size_t len;

	if (strncmp(*name, "vf", 2) || !dot)
		return &pf->all;
	len = dot - *name - 2;
	if (len >= sizeof(digits))
		len = 0;
	memcpy(digits, *name + 2, len);
	digits[len] = 0;
	if (!number(digits, CONFIG_VFS, &vfn) || !vfn) {
		wrong(p, "%s: VFs are numbered from 1, as in vf1.queues",
		      *name);
		return NULL;
	}
	*name = dot + 1;
	if (!p->place)
		p->place = calloc(CONFIG_VFS + 1, sizeof(*p->place));
	if (p->place && p->place[vfn].begun == p->begun)
		return &pf->vf[p->place[vfn].at].vf;
	more = p->place ? room_for(pf->vf, pf->nvf, sizeof(*more)) : NULL;
	if (!more) {
		wrong(p, "out of memory");
		return NULL;
	}
	pf->vf = more;
	p->place[vfn].begun = p->begun;
	p->place[vfn].at = pf->nvf;
	more += pf->nvf++;
	memset(more, 0, sizeof(*more));
	more->vfn = vfn;
	return &more->vf;
}

static struct config_pf *section(struct parser *p, const char *name)
{
	const char *first = NULL;
	struct config_pf *pf;
	int line;

	if (!p->begun) {
		/* one message is enough, however many lines there are */
		if (!p->homeless)
			wrong(p, "a section must come first, such as [drive]");
		p->homeless = true;
		return NULL;
	}
	if (p->used == p->begun)
		return &p->c->pf[p->c->n - 1];
	pf = room_for(p->c->pf, p->c->n, sizeof(*pf));
	if (!pf) {
		wrong(p, "out of memory");
		return NULL;
	}
	p->c->pf = pf;
	pf += p->c->n++;
	memset(pf, 0, sizeof(*pf));
	p->used = p->begun;
	pf->bad = !name;
	pf->name = strdup(name ? name : "");
	if (!pf->name || asprintf(&pf->where, "%s:%d", p->path, p->begun) < 0)
		pf->where = NULL;
	if (!pf->where || (name && known_add(&p->c->names, pf->name, pf->where,
					     &first))) {
		wrong(p, "out of memory");
		return NULL;
	}
	if (first) {
		line = p->line;
		p->line = p->begun;
		wrong(p, "section [%s] is given twice, first at %s", name,
		      first);
		p->line = line;
	}
	return pf;
}

static int set(struct parser *p, const char *name, const char *value)
{
	const char *key = name;
	struct config_pf *pf;
	struct config_vf *vf;
	enum config_key id;

	pf = section(p, p->section);
	if (!pf)
		return 0;
	for (id = KEY_SERIAL; id <= KEY_ADDRESS; id++)
		if (!strcmp(name, key_name[id]))
			return set_id(p, pf, id, value);
	if (!strcmp(name, "model"))
		return set_model(p, pf, value);
	if (!strcmp(name, "pci"))
		return set_pci(p, pf, value);
	if (!strcmp(name, "num_vfs"))
		return set_number(p, name, value, 1, CONFIG_VFS, &pf->num_vfs);
	if (!strcmp(name, "policy"))
		return set_policy(p, pf, name, value);
	vf = one_vf(p, pf, &key);
	if (!vf)
		return 0;
	/* One queue is for admin commands, so that with fewer there is no I/O. */
	if (!strcmp(key, "queues"))
		return set_number(p, name, value, 2, UINT16_MAX, &vf->queues);
	if (!strcmp(key, "interrupts"))
		return set_number(p, name, value, 1, UINT16_MAX,
				  &vf->interrupts);
	if (!strcmp(key, "driver"))
		return set_driver(p, name, value, vf);
	if (!strcmp(key, "namespaces"))
		return set_namespaces(p, name, value, vf);
	return wrong(p, "unknown key %s: the keys are serial, nqn, address, model, pci, num_vfs, policy, queues, interrupts, namespaces, driver, and vf1.queues and so on",
		     name);
}

/* What identifies it, in the words of the file. */
static char *words(const struct config_pf *pf)
{
	char *text;
	int len;

	if (pf->key != KEY_LIKE)
		len = asprintf(&text, "%s = %s", key_name[pf->key], pf->id);
	else if (pf->model)
		len = asprintf(&text, "model = %s%s%s", pf->model,
			       *pf->pci ? ", pci = " : "", pf->pci);
	else
		len = asprintf(&text, "pci = %s", pf->pci);
	return len < 0 ? NULL : text;
}

static int complete(struct parser *p, struct config_pf *pf)
{
	size_t i;

	p->line = atoi(strrchr(pf->where, ':') + 1);
	if (!pf->key)
		return wrong(p, "[%s] does not say which PF it is about: serial, nqn, address, model or pci is missing",
			     pf->name);
	if (!pf->num_vfs)
		return wrong(p, "[%s] does not say how many VFs: num_vfs is missing",
			     pf->name);
	for (i = 0; i < pf->nvf; i++)
		if (pf->vf[i].vfn > pf->num_vfs)
			return wrong(p, "[%s] has settings for VF %u, but num_vfs is %u",
				     pf->name, pf->vf[i].vfn, pf->num_vfs);
	pf->words = words(pf);
	return pf->words ? 1 : wrong(p, "out of memory");
}

/* -- a file --------------------------------------------------------------------- */

static bool goes_on(const struct parser *p)
{
	return !p->failed || p->all;
}

static void end_section(struct parser *p)
{
	if (p->begun == p->used || (p->begun && !p->section) || !goes_on(p))
		return;
	p->line = p->begun;
	wrong(p, "the section is empty");
}

static bool on_section(void *arg, int line, const char *name)
{
	struct parser *p = arg;

	end_section(p);
	p->line = line;
	free(p->section);
	p->begun = line;
	p->section = name ? strdup(name) : NULL;
	if (name && !p->section)
		wrong(p, "out of memory");
	return goes_on(p);
}

static bool on_setting(void *arg, int line, const char *key, const char *value)
{
	struct parser *p = arg;

	p->line = line;
	set(p, key, value);
	return goes_on(p);
}

static bool on_mistake(void *arg, int line, const char *what)
{
	struct parser *p = arg;

	p->line = line;
	wrong(p, "%s", what);
	return goes_on(p);
}

static const struct ini_calls calls = {
	.section = on_section, .setting = on_setting, .mistake = on_mistake,
};

int config_file(const char *path, bool all, struct config *c)
{
	struct parser p = { .c = c, .path = path, .all = all };
	size_t i = c->n;
	const char *why;

	why = ini_read(path, &calls, &p);
	if (why)
		return fail(TOOL_CONFIG, "%s: %s", path, why);
	end_section(&p);
	/* What a section lacks may be in a line that was refused. */
	for (; goes_on(&p) && i < c->n; i++)
		if (!c->pf[i].bad)
			complete(&p, &c->pf[i]);
	free(p.section);
	free(p.place);
	return p.failed ? TOOL_CONFIG : TOOL_OK;
}

void config_free(struct config *c)
{
	size_t i, j;

	for (i = 0; i < c->n; i++) {
		struct config_pf *pf = &c->pf[i];

		for (j = 0; j < pf->nvf; j++)
			free(pf->vf[j].vf.nsid);
		free(pf->vf);
		free(pf->all.nsid);
		free(pf->where);
		free(pf->name);
		free(pf->id);
		free(pf->model);
		free(pf->words);
		free(pf->policy);
	}
	free(c->pf);
	known_free(&c->names);
	memset(c, 0, sizeof(*c));
}

struct config_vf config_of(const struct config_pf *pf, unsigned int vfn)
{
	struct config_vf vf = pf->all;
	size_t i;

	for (i = 0; i < pf->nvf; i++) {
		const struct config_vf *own = &pf->vf[i].vf;

		if (pf->vf[i].vfn != vfn)
			continue;
		if (own->queues)
			vf.queues = own->queues;
		if (own->interrupts)
			vf.interrupts = own->interrupts;
		if (*own->driver)
			strcpy(vf.driver, own->driver);
		if (own->nsid) {
			vf.nsid = own->nsid;
			vf.nns = own->nns;
		}
	}
	if (!*vf.driver)
		strcpy(vf.driver, TOOL_DRIVER);
	return vf;
}

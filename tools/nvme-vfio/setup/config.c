// SPDX-License-Identifier: GPL-2.0-only
/*
 * config.c - configuration files, by libinih.
 *
 * libinih cuts lines that are too long, joins indented ones, and does not tell
 * where a section begins. The reader below, which it gets its lines from, sees
 * to that, and knows the line number.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/tool.h"
#include "config.h"

struct parser {
	struct config *c;
	const char *path;
	FILE *f;
	int line;
	int begun;		/* line of the last "[" */
	int used;		/* that for which there is a config_pf */
	bool failed;
};

__attribute__((format(printf, 2, 3)))
static int wrong(struct parser *p, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* One mistake at a time: later ones often come from the first. */
	if (!p->failed)
		fail(TOOL_CONFIG, "%s:%d: %s", p->path, p->line, text);
	p->failed = true;
	return 0;
}

static char *read_line(char *str, int num, void *stream)
{
	struct parser *p = stream;
	size_t len, lead;

	if (!fgets(str, num, p->f))
		return NULL;
	p->line++;
	len = strlen(str);
	if (len == (size_t)num - 1 && str[len - 1] != '\n') {
		int c = fgetc(p->f);

		if (c != EOF && c != '\n')
			wrong(p, "the line is too long, %d characters at most",
			      num - 2);
		while (c != EOF && c != '\n')
			c = fgetc(p->f);
	}
	lead = strspn(str, " \t");
	memmove(str, str + lead, len - lead + 1);
	if (*str == '[') {
		if (p->begun != p->used && !p->failed) {
			p->line = p->begun;
			wrong(p, "the section is empty");
		}
		p->begun = p->line;
	}
	return str;
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

static int set_namespaces(struct parser *p, const char *name,
			  const char *value, struct config_vf *vf)
{
	char text[512], *word, *rest = text;
	unsigned int nsid;
	uint32_t *more;
	size_t i;

	if (vf->nsid)
		return wrong(p, "%s is given twice", name);
	snprintf(text, sizeof(text), "%s", value);
	while ((word = strsep(&rest, " \t,"))) {
		if (!*word)
			continue;
		if (!number(word, 0xfffffffe, &nsid) || !nsid)
			return wrong(p, "%s: %s is no namespace id", name, word);
		for (i = 0; i < vf->nns; i++)
			if (vf->nsid[i] == nsid)
				return wrong(p, "%s: %u is there twice", name,
					     nsid);
		more = realloc(vf->nsid, (vf->nns + 1) * sizeof(*more));
		if (!more)
			return wrong(p, "out of memory");
		vf->nsid = more;
		more[vf->nns++] = nsid;
	}
	if (!vf->nns)
		return wrong(p, "%s: names no namespace", name);
	return 1;
}

static int set_id(struct parser *p, struct config_pf *pf, enum config_key key,
		  const char *name, const char *value)
{
	if (pf->key == key)
		return wrong(p, "%s is given twice", name);
	if (pf->key)
		return wrong(p, "%s: a PF is known by one of serial, nqn and address, not by two",
			     name);
	if (!*value)
		return wrong(p, "%s is empty", name);
	pf->key = key;
	pf->id = strdup(value);
	return pf->id ? 1 : wrong(p, "out of memory");
}

/* "vf3.queues": finds what is said of VF 3, and cuts the name. */
static struct config_vf *one_vf(struct parser *p, struct config_pf *pf,
				const char **name)
{
	struct config_one *more;
	const char *dot = strchr(*name, '.');
	unsigned int vfn;
	char digits[8];
	size_t i, len;

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
	for (i = 0; i < pf->nvf; i++)
		if (pf->vf[i].vfn == vfn)
			return &pf->vf[i].vf;
	more = realloc(pf->vf, (pf->nvf + 1) * sizeof(*more));
	if (!more) {
		wrong(p, "out of memory");
		return NULL;
	}
	pf->vf = more;
	more += pf->nvf++;
	memset(more, 0, sizeof(*more));
	more->vfn = vfn;
	return &more->vf;
}

static struct config_pf *section(struct parser *p, const char *name)
{
	struct config_pf *pf;
	size_t i;

	if (!p->begun) {
		wrong(p, "a section must come first, such as [drive]");
		return NULL;
	}
	if (p->used == p->begun)
		return &p->c->pf[p->c->n - 1];
	for (i = 0; i < p->c->n; i++) {
		if (strcmp(p->c->pf[i].name, name))
			continue;
		p->line = p->begun;
		wrong(p, "section [%s] is there twice, first at %s", name,
		      p->c->pf[i].where);
		return NULL;
	}
	pf = realloc(p->c->pf, (p->c->n + 1) * sizeof(*pf));
	if (!pf) {
		wrong(p, "out of memory");
		return NULL;
	}
	p->c->pf = pf;
	pf += p->c->n++;
	memset(pf, 0, sizeof(*pf));
	p->used = p->begun;
	pf->name = strdup(name);
	if (!pf->name || asprintf(&pf->where, "%s:%d", p->path, p->begun) < 0) {
		pf->where = NULL;
		wrong(p, "out of memory");
		return NULL;
	}
	return pf;
}

static int handler(void *user, const char *name_of_section, const char *name,
		   const char *value)
{
	struct parser *p = user;
	const char *key = name;
	struct config_pf *pf;
	struct config_vf *vf;

	if (p->failed)
		return 0;
	pf = section(p, name_of_section);
	if (!pf)
		return 0;
	if (!strcmp(name, "serial"))
		return set_id(p, pf, KEY_SERIAL, name, value);
	if (!strcmp(name, "nqn"))
		return set_id(p, pf, KEY_NQN, name, value);
	if (!strcmp(name, "address"))
		return set_id(p, pf, KEY_ADDRESS, name, value);
	if (!strcmp(name, "num_vfs"))
		return set_number(p, name, value, 1, CONFIG_VFS, &pf->num_vfs);
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
	return wrong(p, "unknown key %s: there are serial, nqn, address, num_vfs, queues, interrupts, namespaces, driver, and vf1.queues and so on",
		     name);
}

static int complete(struct parser *p, const struct config_pf *pf)
{
	size_t i;

	p->line = atoi(strrchr(pf->where, ':') + 1);
	if (!pf->key)
		return wrong(p, "[%s] does not say which PF it is about: serial, nqn or address is missing",
			     pf->name);
	if (!pf->num_vfs)
		return wrong(p, "[%s] does not say how many VFs: num_vfs is missing",
			     pf->name);
	for (i = 0; i < pf->nvf; i++)
		if (pf->vf[i].vfn > pf->num_vfs)
			return wrong(p, "[%s] has words for VF %u, but num_vfs is %u",
				     pf->name, pf->vf[i].vfn, pf->num_vfs);
	return 1;
}

static int load_file(const char *path, struct config *c)
{
	struct parser p = { .c = c, .path = path };
	size_t first = c->n, i;
	int line;

	p.f = fopen(path, "re");
	if (!p.f)
		return fail(TOOL_CONFIG, "%s: %s", path, strerror(errno));
	line = ini_parse_stream(read_line, &p, handler, &p);
	if (ferror(p.f)) {
		p.failed = true;
		fail(TOOL_CONFIG, "%s: %s", path, strerror(EIO));
	}
	fclose(p.f);
	if (line && !p.failed) {
		p.line = line > 0 ? line : 0;
		wrong(&p, "neither [section] nor key = value");
	}
	if (p.begun != p.used && !p.failed) {
		p.line = p.begun;
		wrong(&p, "the section is empty");
	}
	for (i = first; !p.failed && i < c->n; i++)
		complete(&p, &c->pf[i]);
	return p.failed ? TOOL_CONFIG : TOOL_OK;
}

static int is_config(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return *e->d_name != '.' && len > 5 &&
	       !strcmp(e->d_name + len - 5, ".conf");
}

/* Two sections that name one PF by the same words. */
static int twice(const struct config *c)
{
	size_t i, j;

	for (i = 0; i < c->n; i++)
		for (j = 0; j < i; j++)
			if (c->pf[i].key == c->pf[j].key &&
			    !strcmp(c->pf[i].id, c->pf[j].id))
				return fail(TOOL_CONFIG, "%s and %s: two sections for one PF (%s)",
					    c->pf[j].where, c->pf[i].where,
					    c->pf[i].id);
	return TOOL_OK;
}

int config_load(const char *path, struct config *c)
{
	struct dirent **name;
	char *file;
	int i, n, err = TOOL_OK;
	struct stat st;

	memset(c, 0, sizeof(*c));
	if (stat(path, &st)) {
		if (errno == ENOENT && !strcmp(path, CONFIG_DIR))
			return TOOL_OK;
		return fail(TOOL_CONFIG, "%s: %s", path, strerror(errno));
	}
	if (!S_ISDIR(st.st_mode)) {
		err = load_file(path, c);
		return err ? err : twice(c);
	}
	n = scandir(path, &name, is_config, alphasort);
	if (n < 0)
		return fail(TOOL_CONFIG, "%s: %s", path, strerror(errno));
	for (i = 0; i < n; i++) {
		if (!err && asprintf(&file, "%s/%s", path, name[i]->d_name) < 0)
			err = fail(TOOL_FAILED, "out of memory");
		else if (!err) {
			err = load_file(file, c);
			free(file);
		}
		free(name[i]);
	}
	free(name);
	return err ? err : twice(c);
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
	}
	free(c->pf);
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

// SPDX-License-Identifier: GPL-2.0-only
/*
 * quarantine.c - functions in quarantine, in the driver and in a file.
 *
 * The file has the number of the driver's folder in its first line: another one
 * means that the module was loaded anew, and has forgotten all. Then a line for
 * each function, as the driver has it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tool.h"
#include "quarantine.h"
#include "util.h"

#define DRIVER_FILE	HOST_DRIVER "/quarantine"
#define RECORD		QUARANTINE_DIR "/quarantine"
#define TEXT_MAX	4096

static void add(struct quarantine *q, const char *bdf, const char *word)
{
	struct quarantined *more;

	if (quarantine_word(q, bdf))
		return;
	more = realloc(q->q, (q->n + 1) * sizeof(*more));
	need_memory(more);
	q->q = more;
	strcpy(more[q->n].bdf, bdf);
	strcpy(more[q->n++].word, word);
}

static void add_lines(struct quarantine *q, const char *text)
{
	char bdf[BDF_MAX], word[QUARANTINE_WORD];

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (sscanf(text, "%15[^\n ]%*1[ ]%15[^\n ]", bdf, word) == 2)
			add(q, bdf, word);
	}
}

/* Return: whether there is a driver */
static bool from_driver(struct quarantine *q)
{
	char text[TEXT_MAX];

	if (sysfs_read(text, sizeof(text), DRIVER_FILE) < 0)
		return false;
	add_lines(q, text);
	return true;
}

static unsigned long long driver_number(void)
{
	struct stat st;

	return stat(HOST_DRIVER, &st) ? 0 : st.st_ino;
}

/* Return: the number of the driver that it is from; 0: none. @q may be NULL */
static unsigned long long from_record(struct quarantine *q)
{
	unsigned long long number = 0;
	char text[TEXT_MAX], *lines;

	if (sysfs_read(text, sizeof(text), RECORD) < 0 ||
	    sscanf(text, "%llu", &number) != 1)
		return 0;
	lines = strchr(text, '\n');
	if (lines && q)
		add_lines(q, lines + 1);
	return number;
}

/* Nobody finds half of it. */
static void record(const struct quarantine *q, unsigned long long number)
{
	char temporary[] = RECORD ".XXXXXX";
	bool bad;
	size_t i;
	FILE *f;
	int fd;

	/* Others only look. */
	mkdir(QUARANTINE_DIR, 0700);
	if (access(QUARANTINE_DIR, W_OK))
		return;
	fd = mkstemp(temporary);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		warn(RECORD ": %s", strerror(errno));
		return;
	}
	fprintf(f, "%llu\n", number);
	for (i = 0; i < q->n; i++)
		fprintf(f, "%s %s\n", q->q[i].bdf, q->q[i].word);
	bad = ferror(f);
	if (fclose(f) || bad || rename(temporary, RECORD)) {
		warn(RECORD ": %s", strerror(errno));
		unlink(temporary);
	}
}

static bool same(const struct quarantine *a, const struct quarantine *b)
{
	size_t i;

	for (i = 0; i < a->n; i++) {
		const char *word = quarantine_word(b, a->q[i].bdf);

		if (!word || strcmp(word, a->q[i].word))
			return false;
	}
	return a->n == b->n;
}

/* To a driver that has been loaded anew. */
static void give_back(struct quarantine *q, const struct quarantine *old)
{
	char line[BDF_MAX + QUARANTINE_WORD + 2];
	size_t i;
	int err;

	for (i = 0; i < old->n; i++) {
		if (quarantine_word(q, old->q[i].bdf))
			continue;
		snprintf(line, sizeof(line), "%s %s", old->q[i].bdf,
			 old->q[i].word);
		err = sysfs_write(line, DRIVER_FILE);
		if (err)
			warn("%s: its quarantine is not known to the driver any more: %s",
			     old->q[i].bdf, strerror(-err));
		add(q, old->q[i].bdf, old->q[i].word);
	}
}

void quarantine_load(struct quarantine *q)
{
	unsigned long long number = driver_number(), was;
	struct quarantine old = { };
	size_t i;

	*q = (struct quarantine){ };
	was = from_record(&old);
	if (!from_driver(q)) {
		*q = old;
		return;
	}
	if (was && was != number && access(DRIVER_FILE, W_OK)) {
		/* who may not tell the driver leaves that to another */
		for (i = 0; i < old.n; i++)
			add(q, old.q[i].bdf, old.q[i].word);
	} else {
		if (was && was != number)
			give_back(q, &old);
		if ((q->n || was) && (was != number || !same(q, &old)))
			record(q, number);
	}
	quarantine_free(&old);
}

const char *quarantine_word(const struct quarantine *q, const char *bdf)
{
	size_t i;

	for (i = 0; i < q->n; i++)
		if (!strcmp(q->q[i].bdf, bdf))
			return q->q[i].word;
	return NULL;
}

const char *quarantine_text(const char *word)
{
	if (!strcmp(word, "error"))
		return "its migration state became ERROR, and no reset has ended well since";
	if (!strcmp(word, "reset"))
		return "it was reset while a command moved a VF of it";
	return word;
}

int quarantine_end(const char *bdf)
{
	struct quarantine q;
	size_t i, n = 0;
	int err;

	quarantine_load(&q);
	if (!quarantine_word(&q, bdf)) {
		quarantine_free(&q);
		return TOOL_OK;
	}
	err = driver_number() ? sysfs_write(bdf, DRIVER_FILE) : 0;
	if (err) {
		quarantine_free(&q);
		return fail(TOOL_FAILED, DRIVER_FILE ": %s", strerror(-err));
	}
	for (i = 0; i < q.n; i++)
		if (strcmp(q.q[i].bdf, bdf))
			q.q[n++] = q.q[i];
	q.n = n;
	/* of a driver that is not there: as it was */
	record(&q, driver_number() ?: from_record(NULL));
	quarantine_free(&q);
	return TOOL_OK;
}

void quarantine_free(struct quarantine *q)
{
	free(q->q);
	*q = (struct quarantine){ };
}

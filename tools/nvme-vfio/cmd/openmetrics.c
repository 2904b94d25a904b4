// SPDX-License-Identifier: GPL-2.0-only
/*
 * openmetrics.c - OpenMetrics text.
 */
#include "openmetrics.h"

void om_family(FILE *f, const char *name, const char *type, const char *unit,
	       const char *help)
{
	fprintf(f, "# TYPE %s %s\n", name, type);
	if (unit)
		fprintf(f, "# UNIT %s %s\n", name, unit);
	fprintf(f, "# HELP %s %s\n", name, help);
}

/* Drives choose their models: anything may be in it. */
static void escaped(FILE *f, const char *s)
{
	for (; *s; s++) {
		if (*s == '\n')
			fputs("\\n", f);
		else if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s);
		else if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			fputc('?', f);	/* no text of a drive has these */
		else
			fputc(*s, f);
	}
}

static void begin(FILE *f, const char *name, const char *suffix,
		  const struct om_label *label)
{
	const char *sep = "{";
	int i;

	fprintf(f, "%s%s", name, suffix);
	for (i = 0; i < OM_LABELS; i++) {
		if (!label[i].name)
			continue;
		fprintf(f, "%s%s=\"", sep, label[i].name);
		escaped(f, label[i].value);
		fputc('"', f);
		sep = ",";
	}
	if (*sep == ',')
		fputc('}', f);
}

void om_sample(FILE *f, const char *name, const char *suffix,
	       const struct om_label *label, uint64_t value)
{
	begin(f, name, suffix, label);
	fprintf(f, " %llu\n", (unsigned long long)value);
}

void om_sample_us(FILE *f, const char *name, const char *suffix,
		  const struct om_label *label, uint64_t us)
{
	begin(f, name, suffix, label);
	fprintf(f, " %llu.%06u\n", (unsigned long long)(us / 1000000),
		(unsigned int)(us % 1000000));
}

void om_end(FILE *f)
{
	fputs("# EOF\n", f);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * cert_report.c - the results of the rules.
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/report.h"
#include "base/tool.h"
#include "cert_report.h"

const struct cert_rule *const cert_lists[] = {
	cert_discovery, cert_suspend, cert_state, cert_tracking,
	cert_isolation, cert_faults, cert_endurance, cert_speed, NULL
};

enum { RULE, RESULT, SEVERITY, TITLE, SECTION, REASON, SENT, GOT, COLUMNS };

static const struct report_column columns[COLUMNS] = {
	[RULE]		= { "rule", "RULE" },
	[RESULT]	= { "result", "RESULT" },
	[SEVERITY]	= { "severity", "SEVERITY" },
	[TITLE]		= { "title", "WHAT", .wrap = true },
	[SECTION]	= { "section", NULL },
	[REASON]	= { "reason", NULL },
	[SENT]		= { "sent", NULL },
	[GOT]		= { "got", NULL },
};

static const struct report_column rule_columns[] = {
	[RULE]		= { "rule", "RULE" },
	[RESULT]	= { NULL, NULL },
	[SEVERITY]	= { "severity", "SEVERITY" },
	[TITLE]		= { "title", "WHAT", .wrap = true },
	[SECTION]	= { "section", "SECTION", .wrap = true },
};

static const char *const result_name[] = {
	[CERT_NOT_RUN] = "not run", [CERT_PASS] = "pass",
	[CERT_FAIL] = "FAIL", [CERT_SKIP] = "skip",
};

static const char *const result_key[] = {
	[CERT_NOT_RUN] = "not-run", [CERT_PASS] = "pass",
	[CERT_FAIL] = "fail", [CERT_SKIP] = "skip",
};

static const char *const kind_name[CERT_T_KINDS] = {
	[CERT_T_SUSPEND] = "suspend", [CERT_T_RESUME] = "resume",
	[CERT_T_GET] = "get", [CERT_T_SET] = "set",
	[CERT_T_TRACK] = "track", [CERT_T_REPORT] = "report",
	[CERT_T_OTHER] = "other",
};

static const char *severity_name(enum cert_severity s)
{
	static const char *const name[] = {
		[CERT_MUST] = "must", [CERT_SHOULD] = "should",
		[CERT_QUALITY] = "quality",
	};

	return name[s];
}

static json_object *word(const char *s)
{
	return s && *s ? json_object_new_string(s) : NULL;
}

/* For the rules about times. */
static json_object *times(struct report *r, const struct cert_row *row, size_t n)
{
	json_object *list = json_object_new_array();
	size_t i, k;

	for (i = 0; i < n; i++) {
		if (strncmp(row[i].rule->id, "speed-", 6) || !row[i].out)
			continue;
		for (k = 0; k < CERT_T_OTHER; k++) {
			const struct cert_time *t = &row[i].out->time[k];
			json_object *o;

			if (!t->count)
				continue;
			o = json_object_new_object();
			json_object_object_add(o, "rule", word(row[i].rule->id));
			json_object_object_add(o, "command", word(kind_name[k]));
			json_object_object_add(o, "count", json_object_new_int64(t->count));
			json_object_object_add(o, "bytes", json_object_new_int64(t->bytes));
			json_object_object_add(o, "mean_us",
					json_object_new_int64(t->sum / t->count));
			json_object_object_add(o, "min_us", json_object_new_int64(t->least));
			json_object_object_add(o, "max_us", json_object_new_int64(t->most));
			json_object_array_add(list, o);
			report_note(r,
				"%s: %s: %llu us on average, %llu to %llu, of %llu commands with %llu bytes",
				    row[i].rule->id, kind_name[k],
				    (unsigned long long)(t->sum / t->count),
				    (unsigned long long)t->least,
				    (unsigned long long)t->most,
				    (unsigned long long)t->count,
				    (unsigned long long)t->bytes);
		}
	}
	return list;
}

static void one(struct report *r, const struct cert_row *row)
{
	const struct cert_rule *rule = row->rule;
	const struct cert_outcome *out = row->out;
	bool failed = out->result == CERT_FAIL;

	report_row(r);
	report_text(r, RULE, rule->id);
	report_value(r, RESULT, json_object_new_string(result_key[out->result]),
		     result_name[out->result]);
	report_text(r, SEVERITY, severity_name(rule->severity));
	report_text(r, TITLE, rule->title);
	report_text(r, SECTION, rule->section);
	report_text(r, REASON, out->why);
	if (failed) {
		report_text(r, SENT, out->sent);
		report_text(r, GOT, out->got);
		report_note(r, "%s: %s", rule->id, out->why);
		if (*out->sent)
			report_note(r, "  last command: %s", out->sent);
		if (*out->got)
			report_note(r, "  its completion: %s", out->got);
	} else if (out->result == CERT_SKIP) {
		report_note(r, "%s: skipped: %s", rule->id, out->why);
	}
}

int cert_print(const struct cert *c, const struct host_fn *pf,
		const struct cert_row *row, size_t n, unsigned int seconds,
		bool complete)
{
	struct report *r = report_new("certify", "rules", columns, COLUMNS);
	json_object *vfs = json_object_new_array();
	unsigned int version = c->id[80] | c->id[81] << 8 | c->id[82] << 16 |
			(unsigned int)c->id[83] << 24;
	struct utsname u;
	char text[48];
	time_t now = time(NULL);
	size_t i;

	for (i = 0; i < c->nvf; i++)
		json_object_array_add(vfs, word(c->vf[i].bdf));
	uname(&u);
	report_extra(r, "pf", word(c->pf));
	report_extra(r, "vfs", vfs);
	report_extra(r, "model", word(pf->model));
	report_extra(r, "firmware", word(pf->firmware));
	report_extra(r, "serial", word(pf->serial));
	snprintf(text, sizeof(text), "%u.%u.%u", version >> 16, version >> 8 & 0xff, version &
			0xff);
	report_extra(r, "nvme_version", word(text));
	report_extra(r, "command_set", word(c->set == CERT_VENDOR ? "vendor" : "standard"));
	report_extra(r, "kernel", word(u.release));
	report_extra(r, "tool", word(VERSION));
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	report_extra(r, "ended", word(text));
	report_extra(r, "seconds", json_object_new_int64(seconds));
	report_extra(r, "complete", json_object_new_boolean(complete));
	for (i = 0; i < n; i++)
		one(r, &row[i]);
	report_extra(r, "times", times(r, row, n));
	return report_print(r);
}

void cert_tap(const struct cert_row *row, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct cert_outcome *out = row[i].out;

		if (out->result == CERT_NOT_RUN) {
			printf("Bail out! %s and the rules after it were not run\n", row[i].rule->id);
			return;
		}
		printf("%s %zu - %s: %s%s%s\n", out->result == CERT_FAIL ? "not ok" : "ok",
		       i + 1, row[i].rule->id, row[i].rule->title,
		       out->result == CERT_SKIP ? " # SKIP " : "",
		       out->result == CERT_SKIP ? out->why : "");
		if (out->result == CERT_FAIL)
			printf("# %s: %s\n# %s\n# %s\n",
					severity_name(row[i].rule->severity), out->why,
			       out->sent, out->got);
	}
	printf("1..%zu\n", n);
}

int cert_list_rules(void)
{
	struct report *r = report_new("certify", "rules", rule_columns,
				      sizeof(rule_columns) / sizeof(*rule_columns));
	const struct cert_rule *const *list, *rule;

	for (list = cert_lists; *list; list++) {
		for (rule = *list; rule->id; rule++) {
			report_row(r);
			report_text(r, RULE, rule->id);
			report_text(r, SEVERITY, severity_name(rule->severity));
			report_text(r, TITLE, rule->title);
			report_text(r, SECTION, rule->section);
		}
	}
	return report_print(r);
}

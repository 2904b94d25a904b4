// SPDX-License-Identifier: GPL-2.0-only
/*
 * tables.c - what tables look like: by default, with requested columns, for
 * scripts, on a terminal; what "doctor" makes of many answers; and JSON, which
 * none of this changes.
 */
#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"
#include "base/report.h"
#include "base/tool.h"
#include "cmd/doctor_table.h"
#include "said.h"

/* -- what is printed ---------------------------------------------------------- */

static char out[8192];
static int terminal = -1, saved = -1;

/* To a terminal with this many columns, or to none. */
static void capture(unsigned short columns)
{
	struct winsize size = { .ws_row = 24, .ws_col = columns };
	char path[] = "/tmp/nvme-vfio-tables-XXXXXX";
	int to;

	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	if (columns) {
		if (openpty(&terminal, &to, NULL, NULL, &size))
			abort();
	} else {
		to = terminal = mkstemp(path);
		unlink(path);
	}
	dup2(to, STDOUT_FILENO);
	if (columns)
		close(to);
}

/* All of it, without what a terminal makes of it. */
static const char *captured(void)
{
	bool file = lseek(terminal, 0, SEEK_SET) == 0;
	char raw[sizeof(out)], *c = out;
	ssize_t n, i, len = 0;

	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	if (file)
		lseek(terminal, 0, SEEK_SET);
	while ((n = read(terminal, raw + len, sizeof(raw) - 1 - len)) > 0)
		len += n;
	close(terminal);
	for (i = 0; i < len; i++)
		if (raw[i] != '\r')
			*c++ = raw[i];
	*c = 0;
	return out;
}

static bool is(const char *have, const char *want)
{
	const char *line = have;
	size_t len;

	if (!strcmp(have, want))
		return true;
	for (; *line; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		printf("# have: %.*s|\n", (int)len, line);
	}
	return false;
}

/* -- a report of two tables ---------------------------------------------------- */

enum { NAME, SIZE, USER, WHY, HIDDEN, COLUMNS };

static const struct report_column columns[COLUMNS] = {
	[NAME] = { "name", "NAME", .in = 3 },
	[SIZE] = { "size", "SIZE", .right = true, .in = 1 },
	[USER] = { "user", "USER", .in = 2 },
	[WHY] = { "why", "WHY", .wrap = true, .extra = true },
	[HIDDEN] = { "hidden" },
};

static struct report *begin(const struct report_look *look)
{
	struct report *r = report_new("test", "rows", columns, COLUMNS);

	if (look && report_look(r, look)) {
		report_free(r);
		return NULL;
	}
	report_row_in(r, 0);
	report_text(r, NAME, "a");
	report_number(r, SIZE, 7);
	report_text(r, HIDDEN, "x");
	report_row_in(r, 1);
	report_text(r, NAME, "b");
	report_text(r, USER, "of two words");
	report_text(r, WHY, "one two three");
	report_note(r, "b: one two three");
	return r;
}

static const char *shown(const struct report_look *look)
{
	struct report *r;

	said_forget();
	capture(0);
	r = begin(look);
	if (r)
		report_print(r);
	return captured();
}

static void looks(void)
{
	ok(is(shown(NULL), "NAME SIZE\na       7\n\nNAME USER\nb    of two words\n\n"
			   "b: one two three\n"),
	   "two tables and the notes");
	ok(is(shown(&(const struct report_look){ .noheadings = true }),
	      "a       7\n\nb    of two words\n"), "no headings, no notes");
	ok(is(shown(&(const struct report_look){ .columns = "why,Name" }),
	      "WHY           NAME\n-             a\none two three b\n"),
	   "columns as asked for, in one table");
	ok(is(shown(&(const struct report_look){ .columns = "+WHY" }),
	      "NAME SIZE WHY\na       7 -\n\nNAME USER         WHY\n"
	      "b    of two words one two three\n\nb: one two three\n"),
	   "columns besides those by default, in both tables");
	ok(is(shown(&(const struct report_look){ .columns = "NAME,NAME" }),
	      "NAME NAME\na    a\nb    b\n"), "a column twice");
	ok(is(shown(&(const struct report_look){ .raw = true }),
	      "NAME SIZE USER\na 7 -\nb - of\\x20two\\x20words\n"),
	   "raw: a word for each cell");
	ok(is(shown(&(const struct report_look){ .raw = true, .noheadings = true, .columns = "SIZE" }),
	      "7\n-\n"), "raw, no headings, a column");
	ok(is(shown(&(const struct report_look){ .pairs = true, .columns = "+WHY" }),
	      "NAME=\"a\" SIZE=\"7\" USER=\"\" WHY=\"\"\n"
	      "NAME=\"b\" SIZE=\"\" USER=\"of two words\" WHY=\"one two three\"\n"),
	   "pairs: what is not known is empty");
}

static void refused(void)
{
	static const char * const bad[] = { "NOPE", "", "NAME,", "+", "hidden",
					    "NAME,+WHY" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const struct report_look look = { .columns = bad[i] };

		ok(is(shown(&look), "") && said_lines == 1 &&
		   strstr(said, "the columns are NAME, SIZE, USER, WHY"),
		   "no column \"%s\": %s", bad[i], said);
	}
}

static const char *json(const struct report_look *look)
{
	struct report *r;

	said_forget();
	tool.json = true;
	capture(0);
	r = begin(look);
	report_print(r);
	fail(TOOL_FAILED, "afterwards");
	report_finish("test", false);
	tool.json = false;
	return captured();
}

static void json_is_the_same(void)
{
	char *plain = strdup(json(NULL));

	ok(strstr(plain, "\"hidden\":\"x\"") && strstr(plain, "\"why\":null"),
	   "JSON has all keys");
	ok(strstr(plain, "\"afterwards\""),
	   "and what has gone wrong after the report");
	ok(!strcmp(plain, json(&(const struct report_look){
		.columns = "SIZE", .raw = true, .noheadings = true })),
	   "and does not depend on columns");
	free(plain);
}

static void no_report(void)
{
	said_forget();
	tool.json = true;
	capture(0);
	report_finish("watch", true);
	ok(is(captured(), ""), "a stream of objects ends with none");
	fail(TOOL_FAILED, "broken");
	capture(0);
	report_finish("watch", true);
	ok(is(captured(), "{\"version\":1,\"command\":\"watch\",\"errors\":[\"broken\"]}\n"),
	   "but for what went wrong, in a line");
	tool.json = false;
}

/* -- a terminal that is too narrow ---------------------------------------------- */

static const struct report_column columns_of_users[] = {
	{ "a", "A" }, { "n", "NSID" }, { "u", "USERS" },
};

static const char *narrow(unsigned short columns, const struct report_look *look,
			  const char *user)
{
	struct report *r;

	said_forget();
	capture(columns);
	r = report_new("test", "rows", columns_of_users, 3);
	report_look(r, look);
	report_row(r);
	report_text(r, 0, "0000:01:00.1");
	report_text(r, 1, "1,2,3,4,5,6,7,8,9");
	report_short(r, 1, "1 +8");
	report_text(r, 2, user);
	report_short(r, 2, "qemu(4194304)");
	report_lead(r, "%s", "all of one two three four five six");
	report_note(r, "%s", "0000:01:00.1: it is bound to another driver, and cannot migrate");
	report_note(r, "%s", "  an indented note that is long as well");
	report_note(r, "%s", "");
	report_note(r, "%s", "short");
	report_print(r);
	return captured();
}

#define USERS	"qemu-system-x86(4194304)"

static void too_narrow(void)
{
	static const struct report_look none, named = { .columns = "A,NSID,USERS" };
	char long_user[60];

	ok(is(narrow(56, &none, USERS),
	      "all of one two three four five six\n\n"
	      "A            NSID              USERS\n"
	      "0000:01:00.1 1,2,3,4,5,6,7,8,9 " USERS "\n\n"
	      "0000:01:00.1: it is bound to another driver, and cannot\n"
	      "  migrate\n"
	      "  an indented note that is long as well\n\nshort\n"),
	   "what fits is whole, and lines end between words");
	ok(is(narrow(54, &none, USERS),
	      "all of one two three four five six\n\n"
	      "A            NSID              USERS\n"
	      "0000:01:00.1 1,2,3,4,5,6,7,8,9 qemu(4194304)\n\n"
	      "0000:01:00.1: it is bound to another driver, and\n"
	      "  cannot migrate\n"
	      "  an indented note that is long as well\n\nshort\n"),
	   "one letter less: the last column is short");
	ok(is(narrow(31, &none, USERS),
	      "all of one two three four five\n"
	      "  six\n\n"
	      "A            NSID USERS\n"
	      "0000:01:00.1 1 +8 qemu(4194304)\n\n"
	      "0000:01:00.1: it is bound to\n"
	      "  another driver, and cannot\n"
	      "  migrate\n"
	      "  an indented note that is long\n"
	      "  as well\n\nshort\n"),
	   "a narrow terminal: both are");
	ok(strstr(narrow(31, &named, USERS), USERS), "columns that are asked for are whole");
	ok(strstr(narrow(0, &none, USERS), USERS "\n") &&
	   strstr(out, "\n0000:01:00.1: it is bound to another driver, and cannot migrate\n"),
	   "without a terminal notes are whole");
	memset(long_user, 'q', sizeof(long_user));
	long_user[sizeof(long_user) - 1] = 0;
	ok(strstr(narrow(0, &none, long_user), "6,7,8,9 qemu(4194304)\n"),
	   "but a table has 80 columns");
	ok(strstr(narrow(20, &none, USERS), "\n0000:01:00.1: it is\n  bound to another\n"),
	   "a very narrow one");
}

/* -- doctor -------------------------------------------------------------------- */

enum { CHECK, STATUS, FINDING, PARTS };

static const struct report_column checks[PARTS] = {
	[CHECK] = { "id", "CHECK", .tree = true },
	[STATUS] = { "status", "STATUS" },
	[FINDING] = { NULL, "FINDING", .wrap = true },
};

static const struct doctor_columns places = {
	.id = CHECK, .status = STATUS, .finding = FINDING,
};

static void answer(struct doctor_table *t, enum doctor_group group,
		   const char *status, const char *id, const char *function,
		   const char *text, const char *cure)
{
	const struct doctor_line line = {
		.group = group, .status = status, .id = id,
		.function = function, .text = text, .cure = cure,
	};

	doctor_table_add(t, &line);
}

static const char *doctor(struct doctor_table *t, unsigned short columns,
			  bool quiet, bool color, const char *fix)
{
	const struct report_look look = { .color = color };
	struct report *r;

	capture(columns);
	r = report_new("doctor", "checks", checks, PARTS);
	report_look(r, &look);
	doctor_table_put(t, r, &places, quiet, fix);
	report_lead(r, "sum");
	report_print(r);
	return captured();
}

static void of_host(struct doctor_table *t)
{
	answer(t, OF_HOST, "ok", "iommu", NULL, "on", NULL);
	answer(t, OF_HOST, "warn", "qemu", NULL, "no QEMU here", "Install it.");
}

static void of_vfs(struct doctor_table *t, unsigned int n, unsigned int bad)
{
	char vf[16], text[64], fix[64];
	unsigned int i;

	for (i = 1; i <= n; i++) {
		snprintf(vf, sizeof(vf), "01:00.%u", i);
		answer(t, OF_VF, "ok", "online", vf, "online", NULL);
		snprintf(text, sizeof(text), "%u, its own", i);
		answer(t, OF_VF, "ok", "group", vf, text, NULL);
		snprintf(text, sizeof(text), "%s is bound to nothing", vf);
		snprintf(fix, sizeof(fix), "Run bind %s.", vf);
		if (i <= bad)
			answer(t, OF_VF, "fail", "binding", vf, text, fix);
		else
			answer(t, OF_VF, "ok", "binding", vf, "bound", NULL);
	}
}

static void groups(void)
{
	struct doctor_table t = { };

	of_host(&t);
	answer(&t, OF_PF, "ok", "sriov", "01:00.0", "12 VFs", NULL);
	of_vfs(&t, 12, 0);
	answer(&t, OF_HOST, "ok", "libvirt", NULL, "11.3", NULL);
	ok(is(doctor(&t, 0, false, false, ". Fix: "),
	      "sum\n\n"
	      "CHECK      STATUS FINDING\n"
	      "Host\n"
	      "|-iommu    ok     on\n"
	      "|-qemu     warn   no QEMU here. Fix: Install it.\n"
	      "`-libvirt  ok     11.3\n"
	      "PF 01:00.0\n"
	      "`-sriov    ok     12 VFs\n"
	      "12 VFs\n"
	      "|-online   ok     on 12 VFs: online\n"
	      "|-group    ok     on 12 VFs\n"
	      "`-binding  ok     on 12 VFs: bound\n"),
	   "the sum first, groups, and one line for what is in order on many VFs");

	of_vfs(&t, 4, 4);
	ok(is(doctor(&t, 0, true, false, ". Fix: "),
	      "sum\n\n"
	      "CHECK     STATUS FINDING\n"
	      "4 VFs\n"
	      "`-binding fail   on 4 VFs: VF is bound to nothing. Fix: Run bind VF.\n"),
	   "quiet: only what is not ok; one fix for all that fail alike");

	of_vfs(&t, 6, 5);
	ok(is(doctor(&t, 0, true, false, ". Fix: "),
	      "sum\n\n"
	      "CHECK     STATUS FINDING\n"
	      "6 VFs\n"
	      "`-binding fail   on 01:00.1, 01:00.2, 01:00.3 and 2 more: VF is bound to nothing. Fix: Run bind VF.\n"),
	   "some of many: who they are");

	of_vfs(&t, 2, 1);
	ok(is(doctor(&t, 0, false, false, ". Fix: "),
	      "sum\n\n"
	      "CHECK     STATUS FINDING\n"
	      "2 VFs\n"
	      "|-online  ok     on 2 VFs: online\n"
	      "|-group   ok     on 2 VFs\n"
	      "|-binding fail   on 01:00.1: 01:00.1 is bound to nothing. Fix: Run bind 01:00.1.\n"
	      "`-binding ok     on 01:00.2: bound\n"),
	   "one of two: its own words, beside the other's");
	ok(is(doctor(&t, 0, true, false, ". Fix: "), "sum\n"),
	   "nothing to tell: the sum alone");
}

static void on_terminal(void)
{
	struct doctor_table t = { };

	of_host(&t);
	answer(&t, OF_HOST, "fail", "modules", NULL,
	       "three words and then some more of them", "Take fewer.");
	ok(is(doctor(&t, 44, false, false, ".\nFix: "),
	      "sum\n\n"
	      "CHECK     STATUS FINDING\n"
	      "Host\n"
	      "|-iommu   ok     on\n"
	      "|-qemu    warn   no QEMU here.\n"
	      "|                Fix: Install it.\n"
	      "`-modules fail   three words and then some\n"
	      "                 more of them.\n"
	      "                 Fix: Take fewer.\n"),
	   "on a terminal lines end between words, and a fix has its own");

	of_host(&t);
	answer(&t, OF_HOST, "fail", "x", NULL, "bad", "None.");
	answer(&t, OF_HOST, "unknown", "y", NULL, "?", NULL);
	ok(strstr(doctor(&t, 0, false, true, ". Fix: "), "\033[32mok") &&
	   strstr(out, "warn") && strstr(out, "\033[31mfail") &&
	   strstr(out, "\033[35munknown"), "colours, where they are wanted");
	of_host(&t);
	ok(!strchr(doctor(&t, 0, false, false, ". Fix: "), '\033'),
	   "and nowhere else");
}

int main(void)
{
	unsetenv("COLUMNS");
	looks();
	refused();
	json_is_the_same();
	no_report();
	too_narrow();
	groups();
	on_terminal();
	return tap_done();
}

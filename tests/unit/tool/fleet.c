// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reports of many hosts: how they are sorted into classes, what is
 * compared, who differs from all others, files that cannot be read, and what is
 * printed. Work is counted, not timed.
 */
#include <fcntl.h>

#include "base/report.h"
#include "base/tool.h"
#include "cmd/doctor_fleet.h"
#include "doctor/fleet.h"
#include "here.h"
#include "doctor_report.h"
#include "said.h"
#include "tap.h"

/* A report of a host with some VFs that are alike except for one key. */
static json_object *report(const char *host, unsigned int vfs, const char *key,
			   const char *value)
{
	json_object *o = json_tokener_parse("{\"version\": 1, \"command\": \"doctor\", \"checks\": []}");
	json_object *list = json_object_new_array();
	json_object *h = json_tokener_parse(REPORT_HOST);
	unsigned int i;

	json_object_object_add(h, "name", json_object_new_string(host));
	if (key && !strcmp(key, "max_state_mb"))
		with(h, key, value);
	json_object_object_add(o, "host", h);
	for (i = 0; i < vfs; i++)
		json_object_array_add(list, with(json_tokener_parse(REPORT_VF),
						 key, value));
	json_object_object_add(o, "functions", list);
	return o;
}

static int add(struct fleet *f, const char *host, unsigned int vfs,
	       const char *key, const char *value)
{
	json_object *o = report(host, vfs, key, value);
	int err = fleet_add(f, o, host);

	json_object_put(o);
	return err;
}

/* The class of the host's VFs. */
static const struct fleet_class *of(const struct fleet *f, const char *host)
{
	size_t i, k;

	for (i = 0; i < f->classes; i++)
		for (k = 0; k < f->cls[i]->on.n; k++)
			if (!strcmp(f->host[f->cls[i]->on.at[k]], host))
				return f->cls[i];
	return NULL;
}

static const struct fleet_move *move(const struct fleet *f, const char *from,
				     const char *to)
{
	return &f->move[of(f, from)->rank * f->compared + of(f, to)->rank];
}

/* -- how much is done --------------------------------------------------------------- */

static void many(void)
{
	static const struct {
		const char *key;
		const char *value;
	} kind[5] = {
		{ NULL, NULL }, { "firmware", "\"1.1\"" }, { "queues", "8" },
		{ "policy", "\"match=format\"" }, { "model", "\"Y\"" },
	};
	struct fleet f = { };
	char host[16];
	unsigned int i;

	for (i = 0; i < 5000; i++) {
		snprintf(host, sizeof(host), "h%u", i);
		add(&f, host, 2, kind[i % 5].key, kind[i % 5].value);
	}
	fleet_compare(&f);
	ok(f.hosts == 5000 && f.vfs == 10000 && f.classes == 5 && f.kinds == 5 &&
	   of(&f, "h7")->on.n == 1000 && of(&f, "h7")->vfs == 2000,
	   "5000 hosts of 5 classes: %zu classes", f.classes);
	ok(f.comparisons && f.comparisons <= 5 * 5,
	   "their VFs are not compared with each other: %zu comparisons", f.comparisons);
	fleet_free(&f);
}

static void caps(void)
{
	struct fleet f = { };
	char host[16], queues[16];
	unsigned int i;

	for (i = 1; i <= FLEET_KINDS + 10; i++) {
		snprintf(host, sizeof(host), "h%u", i);
		snprintf(queues, sizeof(queues), "%u", i);
		add(&f, host, i == 1 ? 3 : 1, "queues", queues);
	}
	fleet_compare(&f);
	ok(f.classes == FLEET_KINDS && f.lost == 10,
	   "no more than %zu classes are told apart, %zu VFs are of others", f.classes, f.lost);
	ok(f.compared == FLEET_COMPARED && of(&f, "h1")->rank == 0 &&
	   f.comparisons == FLEET_COMPARED * (FLEET_COMPARED - 1),
	   "no more than %zu are compared, those with the most VFs first: %zu comparisons",
	   f.compared, f.comparisons);
	fleet_free(&f);
}

/* Some kinds of one class: what differs is not in it. */
static void kinds(void)
{
	struct fleet f = { };
	json_object *o;

	add(&f, "a", 1, "policy", "\"match=format\"");
	o = report("b", 1, "policy", "\"match=format\"");
	with(json_object_array_get_idx(json_object_object_get(o, "functions"), 0),
	     "firmware", "\"1.1\"");
	fleet_add(&f, o, "b");
	json_object_put(o);
	add(&f, "c", 1, NULL, NULL);
	fleet_compare(&f);
	ok(f.classes == 2 && f.kinds == 3 && f.comparisons == 4 &&
	   of(&f, "a") == of(&f, "b"), "two kinds of one class are not compared with each other");
	ok(move(&f, "a", "c")->least == CLASS_NO && move(&f, "a", "c")->most == CLASS_YES &&
	   move(&f, "c", "a")->least == CLASS_YES, "some of a class can move there, all can come back");
	fleet_free(&f);
}

/* -- who differs ------------------------------------------------------------------------ */

static void outliers(void)
{
	struct fleet f = { };
	const struct fleet_class *c;
	char value[64];
	json_object *o;

	add(&f, "a", 2, NULL, NULL);
	add(&f, "b", 2, NULL, NULL);
	add(&f, "c", 2, "firmware", "\"1.1\"");
	add(&f, "d", 2, "queues", "8");
	add(&f, "e", 2, "queues", "2");
	add(&f, "f", 2, "policy", "\"stream=1\"");
	o = report("g", 1, "queues", "8");
	with(json_object_array_get_idx(json_object_object_get(o, "functions"), 0),
	     "firmware", "\"1.2\"");
	fleet_add(&f, o, "g");
	json_object_put(o);
	add(&f, "h", 0, NULL, NULL);
	add(&f, "i", 1, "max_state_mb", "null");
	add(&f, "j", 2, "max_state_mb", "null");
	fleet_compare(&f);
	c = of(&f, "c");
	ok(c->like == of(&f, "a") && c->len == 8 && !strncmp(c->key, "firmware", 8) &&
	   !strcmp(fleet_value(c, c->key, c->len, value, sizeof(value)), "1.1"),
	   "a host with another firmware: that is what differs");
	c = of(&f, "f");
	ok(c->like == of(&f, "a") && !strncmp(c->key, "stream=1", 8) &&
	   !fleet_value(c->like, c->key, c->len, value, sizeof(value)),
	   "a host that goes by something which others do not");
	ok(!of(&f, "g")->like, "a host that differs in two things is none");
	ok(!of(&f, "a")->like && !of(&f, "a")->stuck, "nor are those that are many");
	ok(of(&f, "c")->stuck && of(&f, "d")->stuck && of(&f, "g")->stuck,
	   "a VF that nobody else takes over can move nowhere");
	ok(!of(&f, "e")->stuck && !of(&f, "f")->stuck, "one with fewer queues can, and one with an older stream");
	ok(f.bare == 1 && f.gaps == 1 && f.gap->vfs == 3 && f.gap->on.n == 2 &&
	   !strcmp(f.gap->why->key, "max_state_mb"),
	   "a host without VFs, and two whose VFs have no class, for one reason");
	fleet_free(&f);

	add(&f, "a", 2, NULL, NULL);
	fleet_compare(&f);
	ok(f.classes == 1 && (*f.cls)->stuck && !(*f.cls)->like, "one host: there is no other");
	said_forget();
	ok(add(&f, "a", 1, NULL, NULL) == TOOL_CONFIG && f.bad == 1 && f.hosts == 1 &&
	   f.vfs == 2 && said_lines == 1 && strstr(said, "keep one"), "the same host twice: %s", said);
	fleet_free(&f);
	fleet_compare(&f);
	ok(!f.comparisons, "no host");
	fleet_free(&f);
}

/* -- files -------------------------------------------------------------------------------- */

static void write_report(const char *path, json_object *o)
{
	put(path, json_object_to_json_string(o));
	json_object_put(o);
}

static void empty_folder(void)
{
	nftw("fleet", here_drop, 16, FTW_DEPTH | FTW_PHYS);
	mkdir("fleet", 0755);
}

/* Beside a good one: a line that names it and the fix; the good one counts. */
static void bad_file(const char *name)
{
	struct fleet f = { };
	int err;

	write_report("fleet/good.json", report("good", 1, NULL, NULL));
	said_forget();
	err = fleet_load(&f, "fleet");
	ok(!err && f.bad == 1 && f.files == 2 && f.hosts == 1 && said_lines == 1 &&
	   !strncmp(said, "fleet/bad.json: ", 16), "%s: %s", name, said);
	fleet_free(&f);
	empty_folder();
}

static void bad_text(const char *name, const char *text)
{
	put("fleet/bad.json", text);
	bad_file(name);
}

static void bad_files(void)
{
	char deep[64] = "";
	json_object *o;
	int i;

	empty_folder();
	bad_text("nothing", "");
	bad_text("no JSON", "hello");
	bad_text("half of it", "{\"version\": 1, \"command\": \"doctor\", \"host\": {");
	bad_text("more behind it", "{\"version\": 1, \"command\": \"doctor\"} x");
	bad_text("a list", "[]");
	bad_text("another command's", "{\"version\": 1, \"command\": \"list\", \"functions\": []}");
	bad_text("of a later version", "{\"version\": 2, \"command\": \"doctor\"}");
	for (i = 0; i < 20; i++)
		strcat(deep, "[");
	bad_text("too deep", deep);
	o = report("bad", 1, "queues", "\"4\"");
	write_report("fleet/bad.json", o);
	bad_file("a wrong type");
	o = report("bad", 1, NULL, NULL);
	json_object_object_del(json_object_object_get(o, "host"), "machine");
	write_report("fleet/bad.json", o);
	bad_file("a key is missing");
	put("fleet/bad.json", "{");
	if (truncate("fleet/bad.json", 5 << 20))
		perror("truncate");
	bad_file("too large");
	mkdir("fleet/bad.json", 0755);
	bad_file("a folder");
	if (mkfifo("fleet/bad.json", 0600))
		perror("mkfifo");
	bad_file("a pipe that nobody writes to");
	if (symlink("nowhere", "fleet/bad.json"))
		perror("symlink");
	bad_file("a link that leads nowhere");
	write_report("fleet/z.json", report("good", 1, NULL, NULL));
	rename("fleet/z.json", "fleet/bad.json");
	said_forget();
	{
		struct fleet f = { };

		write_report("fleet/good.json", report("good", 1, NULL, NULL));
		ok(!fleet_load(&f, "fleet") && f.bad == 1 && said_lines == 1 &&
		   strstr(said, "fleet/good.json: host good is in fleet/bad.json"),
		   "two of one host: %s", said);
		fleet_free(&f);
		empty_folder();
	}
}

static void folders(void)
{
	struct fleet f = { };

	said_forget();
	ok(fleet_load(&f, "nowhere") == TOOL_CONFIG && said_lines == 1, "no folder: %s", said);
	put("fleet/notes.txt", "x");
	put("fleet/.hidden.json", "x");
	put("fleet/.json", "x");
	said_forget();
	ok(fleet_load(&f, "fleet") == TOOL_CONFIG && said_lines == 1, "nothing in it: %s", said);
	said_forget();
	ok(fleet_load(&f, "fleet/notes.txt") == TOOL_CONFIG && said_lines == 1, "a file: %s", said);
	fleet_free(&f);
	empty_folder();
}

/* -- what is printed ------------------------------------------------------------------------ */

static char out[1 << 16];

/* Status of the command; what it has printed is in @out. */
static int printed(bool json)
{
	int saved, file, err;
	ssize_t n;

	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	file = open("out", O_RDWR | O_CREAT | O_TRUNC, 0600);
	dup2(file, STDOUT_FILENO);
	said_forget();
	tool.json = json;
	err = doctor_fleet("fleet");
	report_finish("doctor", false);
	tool.json = false;
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	n = pread(file, out, sizeof(out) - 1, 0);
	out[n < 0 ? 0 : n] = 0;
	close(file);
	return err;
}

static bool has(const char *want)
{
	if (strstr(out, want))
		return true;
	printf("# not there: %s, in\n# %s\n", want, out);
	return false;
}

static long long count(json_object *o, const char *key)
{
	return json_object_get_int64(json_object_object_get(json_object_object_get(o, "counts"), key));
}

static void prints(void)
{
	json_object *o, *list, *first;
	int err;

	write_report("fleet/a.json", report("a", 4, NULL, NULL));
	write_report("fleet/b.json", report("b", 4, NULL, NULL));
	err = printed(false);
	ok(err == TOOL_OK && !strncmp(out, "2 hosts, 8 VFs of 1 class.\n\nCLASS ", 34) &&
	   has("\nc1-10ebc87982d9     2   8 standard Model X 1.0           4    3 -\n"),
	   "one class: all is well");
	write_report("fleet/c.json", report("c\x1b[31m", 1, "firmware", "\"1.1\""));
	write_report("fleet/d.json", report("d", 1, "queues", "8"));
	write_report("fleet/e.json", report("e", 1, "max_state_mb", "512"));
	write_report("fleet/f.json", report("f", 1, "policy", "\"x\""));
	err = printed(false);
	ok(err == TOOL_UNFIT && has("6 hosts, 12 VFs of 4 classes: 2 can move to no other host, 1 have no class.\n"),
	   "VFs that can move nowhere, and one without a class: 11");
	ok(has("c?[31m, 1 VF, differs from the 2 hosts of c1-10ebc87982d9 in one thing only: "
	       "firmware: 1.1, 1.0 there. Fix: Give both drives the same firmware.\n"),
	   "who differs, in what, what helps, and nothing for the terminal");
	ok(has("from c1-10ebc87982d9 to c1-") && has(" only; back: queues: 8, 4 there\n"),
	   "a way that is one way");
	ok(has(": perhaps (max_state_mb: 1024, 512 there); back: yes\n"), "a way that depends");
	ok(has(": neither way; firmware: 1.0, 1.1 there\n"), "a way that is none");
	ok(has("\n1 VF without a class, on f: the policy of the PF"), "and why there is no class");
	ok(!strchr(out, '\x1b'), "nothing for the terminal anywhere");

	put("fleet/g.json", "{}");
	err = printed(true);
	o = json_tokener_parse(out);
	list = json_object_object_get(o, "classes");
	first = json_object_array_get_idx(list, 0);
	ok(err == TOOL_CONFIG && said_lines == 1 && json_object_array_length(list) == 4 &&
	   json_object_array_length(json_object_object_get(first, "hosts")) == 2 &&
	   !strcmp(json_object_get_string(json_object_object_get(first, "class")), "c1-10ebc87982d9") &&
	   json_object_get_int(json_object_object_get(first, "queues")) == 4 &&
	   json_object_is_type(json_object_object_get(first, "match"), json_type_null),
	   "JSON: classes; with a file that cannot be read: 5");
	ok(json_object_array_length(json_object_object_get(o, "pairs")) == 12 &&
	   json_object_array_length(json_object_object_get(o, "outliers")) == 3 &&
	   json_object_array_length(json_object_object_get(o, "without_class")) == 1 &&
	   json_object_array_length(json_object_object_get(o, "errors")) == 1,
	   "JSON: pairs in both directions, outliers, VFs without a class, errors");
	ok(count(o, "files") == 7 && count(o, "bad_files") == 1 && count(o, "hosts") == 6 &&
	   count(o, "vfs") == 12 && count(o, "comparisons") == 12 && count(o, "classes_compared") == 4,
	   "JSON: how much there was, and what was done");
	json_object_put(o);
	empty_folder();
}

int main(void)
{
	here_begin();
	many();
	caps();
	kinds();
	outliers();
	bad_files();
	folders();
	prints();
	here_end();
	return tap_done();
}

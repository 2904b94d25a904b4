// SPDX-License-Identifier: GPL-2.0-only
/*
 * What differs from a configuration: on a device in memory, with everything
 * that somebody could have changed, and compared with what apply would do.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "base/tool.h"
#include "device.h"
#include "said.h"
#include "setup/compare.h"
#include "setup/pf.h"
#include "setup/plan.h"
#include "setup/step.h"
#include "tap.h"

static struct host_fn fn = {
	.bdf = DEV_PF, .role = ROLE_PF, .driver = "nvme", .ctrl = "nvme0",
	.state = "live", .totalvfs = DEV_VFS,
};

/* -- in place of the tool's report.c: rows as lines of "column=cell" ---------------- */

struct report {
	const struct report_column *column;
	size_t n;
};

static char rows[16384];
static struct report report;

__attribute__((format(printf, 1, 2)))
static void print(const char *fmt, ...)
{
	size_t len = strlen(rows);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rows + len, sizeof(rows) - len, fmt, ap);
	va_end(ap);
}

struct report *report_new(const char *command, const char *list,
			  const struct report_column *column, size_t n)
{
	(void)command;
	(void)list;
	report = (struct report){ column, n };
	return &report;
}

void report_row(struct report *r)
{
	(void)r;
	print("\n");
}

void report_value(struct report *r, size_t column, json_object *value, const char *text)
{
	if (value)
		print("%s=%s ", r->column[column].key, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
	print("%s:%s ", r->column[column].key, text);
	json_object_put(value);
}

void report_text(struct report *r, size_t column, const char *text)
{
	if (*text)
		report_value(r, column, json_object_new_string(text), text);
}

void report_number(struct report *r, size_t column, int64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	report_value(r, column, json_object_new_int64(number), text);
}

void report_flag(struct report *r, size_t column, bool flag, const char *yes, const char *no)
{
	report_value(r, column, json_object_new_boolean(flag), flag ? yes : no);
}

/* -- helpers --------------------------------------------------------------------- */

static size_t differ;

static int compare(const struct config_pf *c, const struct config_pf *boot)
{
	*rows = 0;
	differ = 0;
	said_forget();
	dev_begin();
	return compare_pf(&fn, c, boot, compare_report(), &differ);
}

/* The row of a setting, of VF @vfn or 0; empty: there is none. */
static const char *row(unsigned int vfn, const char *setting)
{
	static char line[1024];
	char vf[16] = "", name[64];
	char *at, *end;

	if (vfn)
		snprintf(vf, sizeof(vf), "vf:%u ", vfn);
	snprintf(name, sizeof(name), "setting:%s ", setting);
	for (at = rows; *at; at = end) {
		at += *at == '\n';
		end = at + strcspn(at, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)(end - at), at);
		if (strstr(line, name) && (vfn ? !!strstr(line, vf) : !strstr(line, "vf:")))
			return line;
	}
	return "";
}

static bool has(unsigned int vfn, const char *setting, const char *configured, const char *now,
		const char *next, const char *differs)
{
	const char *key[] = { "configured", "now", "next_boot", "differs" };
	const char *want[] = { configured, now, next, differs };
	const char *line = row(vfn, setting);
	char cell[256];
	size_t i;

	for (i = 0; *line && i < 4; i++) {
		snprintf(cell, sizeof(cell), "%s:%s ", key[i], want[i] ? want[i] : "");
		if (want[i] ? !strstr(line, cell) : !!strstr(line, cell))
			break;
	}
	if (i < 4)
		printf("# VF %u %s: '%s'\n", vfn, setting, line);
	return i == 4;
}

/* How many steps apply would take; with @doing it takes them. */
static size_t steps(const struct config_pf *c, bool doing)
{
	struct pf_state now = { }, want = { };
	struct steps s = { };
	struct pf pf;
	size_t n;

	dev_begin();
	if (pf_open(&fn, &pf) || pf_read(&pf, &now) || plan_target(&pf, &now, c, &want) ||
	    plan_steps(&now, &want, NULL, &s)) {
		n = 999;
	} else {
		struct step_ctx ctx = { .name = DEV_PF, .pf = &pf, .want = &want };

		n = s.n;
		if (doing && steps_run(&ctx, &s))
			n = 999;
	}
	steps_free(&s);
	pf_state_free(&want);
	pf_state_free(&now);
	pf_close(&pf);
	return n;
}

static void fresh(void)
{
	unsigned int type;

	memset(&dev, 0, sizeof(dev));
	dev.autoprobe = true;
	for (type = 0; type < RESOURCES; type++)
		dev_res[type] = (struct ctrl_resource){
			.flexible = true, .total = 19, .primary = 3, .max = 8, .grain = 2,
		};
}

static uint32_t two[] = { 1, 3 };
static struct config_one one = { .vfn = 2, .vf = { .driver = "none" } };
static struct config_pf conf = {
	.where = (char *)"test:1", .num_vfs = 2, .vf = &one, .nvf = 1,
	.all = { .queues = 4, .interrupts = 2, .nsid = two, .nns = 2 },
};

/* -- tests ----------------------------------------------------------------------- */

static void test_before(void)
{
	struct dev before;

	fresh();
	before = dev;
	ok(!compare(&conf, &conf) && !dev_calls && dev_same(&dev, &before), "nothing is touched (%s)", said);
	ok(has(0, "num_vfs", "2", "0", "2", "yes"), "no VFs as yet");
	ok(has(1, "queues", "4", NULL, "4", "yes") && has(2, "interrupts", "2", NULL, "2", "yes"), "their queues and interrupts");
	ok(has(1, "namespaces", "1,3", NULL, "1,3", "yes") && strstr(row(1, "namespaces"), "configured=[1,3] "), "their namespaces");
	ok(has(1, "driver", "nvme-vfio-pci", NULL, "nvme-vfio-pci", "yes") && has(2, "driver", "none", NULL, "none", "yes"), "their drivers");
	ok(!*row(0, "policy") && !*row(3, "driver") && !*row(1, "online") && !*row(1, "driver_override") && *row(0, "autoprobe"),
	   "what is not configured is no row, unless it is there and differs");
}

static void test_after(void)
{
	ok(steps(&conf, true) < 999 && !compare(&conf, &conf) && !differ, "after apply nothing differs (%s)", said);
	ok(has(0, "num_vfs", "2", "2", "=", "no") && strstr(row(0, "num_vfs"), "next_boot=2 ") &&
	   has(1, "queues", "4", "4", "=", "no") && has(2, "driver", "none", "none", "=", "no"), "and is shown");
	ok(!*row(1, "online") && !*row(1, "driver_override") && !*row(0, "autoprobe"), "but for what was not asked for");
	tool.quiet = true;
	ok(!compare(&conf, &conf) && !*rows, "--quiet: only what differs");
	tool.json = true;
	ok(!compare(&conf, &conf) && *rows, "--json: all of it");
	tool.json = false;
	tool.quiet = false;
}

static void change(const char *what, unsigned int vfn, const char *setting, const char *configured,
		   const char *now, const char *next)
{
	ok(!compare(&conf, &conf) && has(vfn, setting, configured, now, next, "yes") && differ && steps(&conf, false),
	   "changed: %s", what);
}

/*
 * Whatever apply would change is reported, and apply would change whatever is
 * reported.
 */
static void test_changes(void)
{
	struct dev good = dev;

	dev.autoprobe = true;
	change("autoprobe", 0, "autoprobe", "no", "yes", "no");
	dev = good;
	dev.numvfs = 1;
	change("number of VFs", 0, "num_vfs", "2", "1", "2");
	dev = good;
	dev.vf[0].count[RESOURCE_QUEUES] = 6;
	change("queues", 1, "queues", "4", "6", "4");
	ok(differ == 1, "and nothing else (%zu)", differ);
	dev = good;
	dev.vf[1].count[RESOURCE_INTERRUPTS] = 0;
	change("interrupts", 2, "interrupts", "2", "0", "2");
	dev = good;
	dev.vf[0].online = false;
	change("offline", 1, "online", "yes", "no", "yes");
	dev = good;
	dev.vf[1].attached[2] = false;
	change("namespaces", 2, "namespaces", "1,3", "1", "1,3");
	dev = good;
	strcpy(dev.vf[0].driver, "vfio-pci");
	change("driver", 1, "driver", "nvme-vfio-pci", "vfio-pci", "nvme-vfio-pci");
	dev = good;
	*dev.vf[0].override = 0;
	change("driver_override", 1, "driver_override", "nvme-vfio-pci", "none", "nvme-vfio-pci");
	dev = good;
	dev.vf[0].attached[1] = true;
	ok(!compare(&conf, &conf) && !differ && !steps(&conf, false), "a namespace more is no difference, nor has apply a step for it");
	dev = good;
}

static void test_next_boot(void)
{
	struct config_pf other = conf, less = conf;
	struct dev good = dev;

	other.num_vfs = 3;
	ok(!compare(&conf, &other) && differ == 1 && has(0, "num_vfs", "2", "2", "3", "yes"),
	   "the next boot has another number of VFs");
	ok(!compare(&conf, NULL) && has(0, "num_vfs", "2", "2", "0", "yes") && has(0, "autoprobe", "no", "no", "yes", "yes") &&
	   has(1, "queues", "4", "4", NULL, "yes"), "the next boot has no section for it");
	ok(!compare(NULL, &conf) && !differ && has(0, "num_vfs", NULL, "2", "=", "no"), "only the next boot has one");
	less.where = (char *)"boot:7";
	less.all.queues = 0;
	ok(!compare(&less, &conf) && !differ && !*row(1, "queues"), "what is not configured stays as it is");
	ok(compare(&less, &less) == TOOL_CONFIG && said_lines == 1 && strstr(said, "boot:7 (at the next boot) does not say how many") &&
	   has(0, "num_vfs", "2", "2", "?", "no"), "but a boot leaves nothing of it: told, the rest is compared (%s)", said);
	strcpy(conf.all.driver, "vfio-pci");
	conf.policy = (char *)"media=copied";
	ok(!compare(&conf, &conf) && has(0, "policy", "media=copied", "defaults", "media=copied", "yes"), "a policy");
	conf.policy = (char *)"";
	ok(!compare(&conf, &conf) && has(0, "policy", "defaults", "defaults", "=", "no"), "the defaults");
	conf.policy = NULL;
	*conf.all.driver = 0;
	/* everything that there is: what VFs have now does not count then */
	dev_res[RESOURCE_QUEUES].total = 11;
	ok(!compare(&conf, &conf) && !differ, "a boot gives back what VFs have (%s)", said);
	ok(dev_same(&dev, &good), "nothing was touched");
}

static void test_unknown(void)
{
	struct config_pf many = conf;

	strcpy(fn.state, "resetting");
	ok(compare(&conf, &conf) == TOOL_NODEV && said_lines == 1 && strstr(said, "resetting") && !differ &&
	   has(0, "num_vfs", "2", "2", "=", "no") && has(1, "driver", "nvme-vfio-pci", "nvme-vfio-pci", "=", "no"),
	   "a PF that does not answer: what the host shows is compared (%s)", said);
	ok(has(1, "queues", "4", "?", "?", "?") && has(2, "namespaces", "1,3", "?", "?", "?") && !strstr(row(1, "queues"), "differs="),
	   "and what only it knows is unknown");
	tool.quiet = true;
	ok(compare(&conf, &conf) && *row(1, "queues") && !*row(1, "driver"), "--quiet: that as well");
	tool.quiet = false;
	strcpy(dev.vf[0].driver, "vfio-pci");
	ok(compare(&conf, &conf) == TOOL_NODEV && differ == 1 && has(1, "driver", "nvme-vfio-pci", "vfio-pci", "nvme-vfio-pci", "yes"),
	   "a driver that differs is seen");
	strcpy(fn.state, "live");
	many.num_vfs = 5;
	ok(compare(&many, &many) == TOOL_LIMIT && said_lines == 1 && !*rows, "what cannot be had is told once, without rows (%s)", said);
}

int main(void)
{
	tool.quiet = false;
	test_before();
	test_after();
	test_changes();
	test_next_boot();
	test_unknown();
	return tap_done();
}

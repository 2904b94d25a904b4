// SPDX-License-Identifier: GPL-2.0-only
/*
 * The quarantine in the driver and in a file, while the driver is loaded anew.
 */
#include "base/tool.h"
#include "here.h"
#include "host/quarantine.h"
#include "said.h"
#include "tap.h"
#include "util.h"

#define VF	"0000:01:00.1"
#define PF	"0000:01:00.0"

/* what the driver shows; without a folder, or in another one, it is new */
static void driver(const char *text)
{
	remove("driver/quarantine");
	put("driver/quarantine", text);
}

static void reload(const char *text)
{
	static int n;
	char old[32];

	snprintf(old, sizeof(old), "old%d", n++);
	if (rename("driver", old))
		exit(1);
	if (text)
		driver(text);
}

static bool has(const char *bdf, const char *word)
{
	const char *is;
	struct quarantine q;
	bool good;

	quarantine_load(&q);
	is = quarantine_word(&q, bdf);
	good = word ? is && !strcmp(is, word) : !is;
	quarantine_free(&q);
	return good;
}

static const char *shows(void)
{
	static char text[256];

	if (sysfs_read(text, sizeof(text), "driver/quarantine") < 0)
		return "none";
	return text;
}

int main(void)
{
	here_begin();
	ok(has(VF, NULL) && access("run/quarantine", F_OK), "no driver, nothing recorded");
	driver("");
	ok(has(VF, NULL) && access("run/quarantine", F_OK), "an empty one: no file is made");
	driver(VF " error\n" PF " reset\n");
	ok(has(VF, "error") && has(PF, "reset") && has("0000:01:00.2", NULL), "what the driver has");
	driver(PF " reset\n");
	ok(has(VF, NULL) && has(PF, "reset"), "what has ended in the driver has ended");
	reload("");
	ok(has(VF, NULL) && has(PF, "reset"), "the driver is loaded anew: what was recorded");
	ok(!strcmp(shows(), PF " reset"), "and it is told (%s)", shows());
	driver("");
	ok(has(PF, NULL), "once: what ends then has ended");
	driver(VF " error\n");
	ok(has(VF, "error"), "another one");
	reload(NULL);
	ok(has(VF, "error"), "the driver is not loaded: what was recorded");
	ok(!quarantine_end(VF) && has(VF, NULL), "it is ended without the driver");
	driver("");
	ok(has(VF, NULL) && !*shows(), "and the driver that comes is not told");
	driver(VF " error\n");
	ok(has(VF, "error") && !quarantine_end(VF) && !strncmp(shows(), VF, strlen(VF)) &&
	   !quarantine_end(PF), "it is ended with the driver, which is told the address");
	remove("run/quarantine");
	put("run/quarantine", "nonsense\n" VF);
	driver(PF " reset\n");
	ok(has(VF, NULL) && has(PF, "reset"), "a file that makes no sense does not count");
	remove("run/quarantine");
	put("run/quarantine", "17\n" VF "\n0000:01:00.0000000000000000000000000 error\n\n" VF " later\n");
	ok(has(VF, "later"), "a reason that is not known is kept");
	ok(!said_lines, "nothing is said (%s)", said);
	here_end();
	return tap_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration files: what they mean, and the messages about wrong ones.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/tool.h"
#include "here.h"
#include "said.h"
#include "setup/config.h"
#include "tap.h"
#include "wrapped.h"

static const char dir[] = "etc/nvme-vfio";

static void file(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	put(path, text);
}

static void drop(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
}

static int load(struct config *c)
{
	said_forget();
	return config_load(dir, c);
}

static void test_good(void)
{
	struct config_vf vf;
	struct config c;

	file("a.conf",
	    "; a comment\n"
	    "# another\n"
	    "[one]\n"
	    "    serial = S6XY NX0T\n"
	    "    num_vfs = 4\n"
	    "\tqueues=9\n"
	    "interrupts = 8   ; of each\n"
	    "namespaces = 1, 2 3	# three\n"
	    "vf2.queues = 17\n"
	    "vf2.driver = none\n"
	    "vf4.namespaces = 7\n"
	    "vf3.namespaces = 2-5,9\n"
	    "\n"
	    "[two] # a drive\r\n"
	    "nqn = nqn.2014-08.org.nvmexpress:uuid:0123\r\n"
	    "num_vfs = 65535\r\n"
	    "driver = vfio-pci\r\n");
	file("b.conf", "[three]\naddress = 0000:3b:00.0\nnum_vfs = 1");
	file("c.conf~", "not a configuration");
	file(".conf", "neither");
	ok(!load(&c) && !said_lines, "good files give no message (%s)", said);
	ok(c.n == 3, "three sections");
	ok(c.pf[0].key == KEY_SERIAL && !strcmp(c.pf[0].id, "S6XY NX0T"),
	   "a serial number may have blanks");
	ok(c.pf[1].key == KEY_NQN &&
	   !strcmp(c.pf[1].id, "nqn.2014-08.org.nvmexpress:uuid:0123"),
	   "an NQN may have colons");
	ok(c.pf[2].key == KEY_ADDRESS && c.pf[2].num_vfs == 1,
	   "a last line without its end counts");
	ok(c.pf[1].num_vfs == 65535, "the largest number of VFs");

	vf = config_of(&c.pf[0], 1);
	ok(vf.queues == 9 && vf.interrupts == 8, "a VF gets what all get");
	ok(vf.nns == 3 && vf.nsid[0] == 1 && vf.nsid[2] == 3,
	   "namespaces with commas and blanks");
	ok(!strcmp(vf.driver, "nvme-vfio-pci"), "the default driver");
	vf = config_of(&c.pf[0], 2);
	ok(vf.queues == 17 && vf.interrupts == 8 && !strcmp(vf.driver, "none"),
	   "a VF's own words go first, key by key");
	vf = config_of(&c.pf[0], 4);
	ok(vf.queues == 9 && vf.nns == 1 && vf.nsid[0] == 7,
	   "a VF's own namespaces take the place of those of all");
	vf = config_of(&c.pf[0], 3);
	ok(vf.nns == 5 && vf.nsid[0] == 2 && vf.nsid[3] == 5 && vf.nsid[4] == 9,
	   "a range of namespaces");
	vf = config_of(&c.pf[1], 1);
	ok(!vf.queues && !vf.nsid && !strcmp(vf.driver, "vfio-pci"),
	   "what is not given is as it is");
	config_free(&c);
	drop("a.conf");
	drop("b.conf");
	drop("c.conf~");
	drop(".conf");

	ok(!load(&c) && !c.n, "an empty folder is no error");
	config_free(&c);
	said_forget();
	ok(config_load("/nonexistent", &c) == TOOL_CONFIG && said_lines == 1,
	   "a path that was given must be there");
	config_free(&c);
}

#define HEAD	"[a]\nserial = x\nnum_vfs = 4\n"
#define LONG	"0123456789012345678901234567890123456789012345678901234567890123456789"

static const struct {
	const char *what, *text, *said;
} bad[] = {
	{ "a typo in a key", HEAD "quues = 4\n", ":4: unknown key quues" },
	{ "a typo after vfN.", HEAD "vf1.queue = 4\n", ":4: unknown key vf1.queue" },
	{ "a key that only a PF has", HEAD "vf1.num_vfs = 4\n", ":4: unknown key vf1.num_vfs" },
	{ "a policy that the driver would not take", HEAD "policy = media=mine\n",
	  ":4: policy: media=mine is not media=shared" },
	{ "a policy that lacks a word", HEAD "policy = match=firmware\n",
	  ":4: policy: firmware= is missing" },
	{ "a policy of one VF", HEAD "vf1.policy = media=copied\n",
	  ":4: unknown key vf1.policy" },
	{ "two policies", HEAD "policy = media=copied\npolicy = media=copied\n",
	  ":5: policy is given twice" },
	{ "no section", "serial = x\n", ":1: a section must come first" },
	{ "no value", HEAD "queues =\n", ":4: queues = : must be a number from 2" },
	{ "no equals sign", HEAD "queues 4\n", ":4: neither [section] nor key = value" },
	{ "a word for a number", HEAD "queues = many\n", ":4: queues = many: must be a number" },
	{ "a negative number", HEAD "interrupts = -1\n", ":4: interrupts = -1: must be" },
	{ "a number with more behind it", HEAD "queues = 4#four\n", ":4: queues = 4#four: must be" },
	{ "a colon for the equals sign", HEAD "queues: 4\n", ":4: neither [section] nor key = value" },
	{ "text behind a section", "[d]x\nserial = y\n", ":1: a section is [name]" },
	{ "no PCI address", "[a]\naddress = foo\n", ":2: address = foo: must be a PCI address" },
	{ "half a PCI address", "[a]\naddress = 3b:00\n", ":2: address = 3b:00: must be" },
	{ "what a terminal would do something with", HEAD "\033[31m = 4\n", ":4: contains a control character" },
	{ "a range that runs backwards", HEAD "namespaces = 4-1\n", ":4: namespaces: 4-1 is not a range" },
	{ "a range without its end", HEAD "namespaces = 4-\n", ":4: namespaces: 4- is not a range" },
	{ "a range of too many", HEAD "namespaces = 1-4294967294\n", ":4: namespaces: more than 1024" },
	{ "a namespace twice, once in a range", HEAD "namespaces = 1-4 3\n", ":4: namespaces: 3 is given twice" },
	{ "a number too large", HEAD "queues = 65536\n", ":4: queues = 65536: must be a number from 2 to 65535" },
	{ "a number too large for anything", HEAD "queues = 99999999999999999999999\n", ":4: queues = 9" },
	{ "one queue, so no I/O", HEAD "queues = 1\n", ":4: queues = 1: must be" },
	{ "no VFs", "[a]\nserial = x\nnum_vfs = 0\n", ":3: num_vfs = 0: must be" },
	{ "a key twice", HEAD "queues = 4\nqueues = 4\n", ":5: queues is given twice" },
	{ "a VF's key twice", HEAD "vf1.driver = a\nvf1.driver = b\n", ":5: vf1.driver is given twice" },
	{ "namespaces twice", HEAD "namespaces = 1\nnamespaces = 2\n", ":5: namespaces is given twice" },
	{ "a namespace twice", HEAD "namespaces = 1 2 1\n", ":4: namespaces: 1 is given twice" },
	{ "a namespace of no such id", HEAD "namespaces = 0\n", ":4: namespaces: 0 is not a namespace id" },
	{ "the broadcast namespace", HEAD "namespaces = 4294967295\n", "is not a namespace id" },
	{ "no namespace", HEAD "namespaces = ,\n", ":4: namespaces: no namespace given" },
	{ "two ranges that overlap", HEAD "namespaces = 4-9 2-5\n", ":4: namespaces: 4 is given twice" },
	{ "VF 0", HEAD "vf0.queues = 4\n", ":4: vf0.queues: VFs are numbered from 1" },
	{ "VF without a number", HEAD "vf.queues = 4\n", ":4: vf.queues: VFs are numbered" },
	{ "VF with too long a number", HEAD "vf123456789.queues = 4\n", ":4: vf123456789.queues: VFs" },
	{ "words for a VF there is not", HEAD "vf5.queues = 4\n", ":1: [a] has settings for VF 5" },
	{ "a path for a driver", HEAD "driver = ../../x\n", ":4: driver = ../../x: must be the name" },
	{ "no name of the PF", "[a]\nnum_vfs = 4\n", ":1: [a] does not say which PF" },
	{ "two names of the PF", HEAD "nqn = y\n", ":4: nqn: name a PF by one of" },
	{ "a model beside a serial number", HEAD "model = y\n", ":4: model: this section is about one PF already, by serial" },
	{ "a serial number beside a PCI id", "[a]\npci = 1234:5678\nserial = x\n", ":3: serial: name a PF by one of" },
	{ "two models", "[a]\nmodel = x\nmodel = x\n", ":3: model is given twice" },
	{ "an empty model", "[a]\nmodel =\n", ":2: model is empty" },
	{ "two PCI ids", "[a]\npci = 1234:5678\npci = 1234:5678\n", ":3: pci is given twice" },
	{ "half a PCI id", "[a]\npci = 1234\n", ":2: pci = 1234: must be the PF's vendor and device id" },
	{ "a PCI id with more behind it", "[a]\npci = 1234:5678a\n", ":2: pci = 1234:5678a: must be" },
	{ "a PCI id that is none", "[a]\npci = 1234:567g\n", ":2: pci = 1234:567g: must be" },
	{ "two sections for one model", "[a]\nmodel = x\nnum_vfs = 1\n[b]\nmodel = x\nnum_vfs = 2\n",
	  "two sections for one PF (model = x)" },
	{ "a name twice", HEAD "serial = y\n", ":4: serial is given twice" },
	{ "an empty name", "[a]\nserial =\nnum_vfs = 1\n", ":2: serial is empty" },
	{ "no number of VFs", "[a]\nserial = x\n", ":1: [a] does not say how many VFs" },
	{ "a section twice", HEAD "[b]\nserial = y\nnum_vfs = 1\n" HEAD, ":7: section [a] is given twice, first at" },
	{ "two sections for one PF", HEAD "[b]\nserial = x\nnum_vfs = 1\n", "two sections for one PF (serial = x)" },
	{ "an empty section", "[b]\n" HEAD, ":1: the section is empty" },
	{ "an empty section at the end", HEAD "[b]\n", ":4: the section is empty" },
	{ "a section without its end", "[a\nserial = x\n", ":1: a section is [name]" },
	{ "a driver's name in a long line", HEAD "driver = " LONG LONG LONG LONG "\n", ":4: driver = " },
	{ "a driver's name that is too long", HEAD "driver = " LONG "\n", ":4: driver = " },
};

static void test_bad(void)
{
	struct config c;
	char where[64];
	size_t i;
	int err;

	snprintf(where, sizeof(where), "%s/a.conf:", dir);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		file("a.conf", bad[i].text);
		err = load(&c);
		ok(err == TOOL_CONFIG && said_lines == 1 &&
		   !strncmp(said, where, strlen(where)) &&
		   strstr(said, bad[i].said) && !strchr(said, '\n'),
		   "%s: one line, with its place (%d, %d: %s)", bad[i].what,
		   err, said_lines, said);
		config_free(&c);
	}
	file("a.conf", HEAD);
	file("b.conf", "[c]\nserial = x\nnum_vfs = 2\n");
	ok(load(&c) == TOOL_CONFIG && said_lines == 1 && strstr(said, "a.conf:1 and ") &&
	   strstr(said, "b.conf:1: two sections for one PF"),
	   "two files with one PF: both are named (%s)", said);
	config_free(&c);
	file("b.conf", HEAD);
	ok(load(&c) == TOOL_CONFIG && said_lines == 1,
	   "two files with one section (%s)", said);
	config_free(&c);
	drop("b.conf");
}

static void test_like(void)
{
	struct config c;

	file("a.conf", "[a]\nmodel =  SAMSUNG PM*\t\npci = 144D:A80a\nnum_vfs = 1\n"
	     "[b]\nmodel = SAMSUNG PM*\nnum_vfs = 1\n[c]\npci = 144d:a80a\nnum_vfs = 2\n");
	ok(!load(&c) && c.n == 3 && c.pf[0].key == KEY_LIKE && !strcmp(c.pf[0].model, "SAMSUNG PM*") &&
	   !strcmp(c.pf[0].pci, "144d:a80a"), "PFs by model and PCI id (%s)", said);
	ok(!strcmp(c.pf[0].words, "model = SAMSUNG PM*, pci = 144d:a80a") &&
	   !strcmp(c.pf[1].words, "model = SAMSUNG PM*") && !strcmp(c.pf[2].words, "pci = 144d:a80a"),
	   "and by one of them");
	config_free(&c);
	drop("a.conf");
}

/* The names of the sections that count, in the order in which they are read. */
static const char *sections(int (*how)(struct config *c))
{
	static char names[64];
	struct config c;
	size_t i;

	said_forget();
	*names = 0;
	if (how(&c))
		strcpy(names, "failed");
	else
		for (i = 0; i < c.n; i++)
			strcat(names, c.pf[i].name);
	config_free(&c);
	return names;
}

static int standard(struct config *c)
{
	return config_load(NULL, c);
}

#define SECTION(name)	"[" name "]\nserial = " name "\nnum_vfs = 1\n"

static void test_layers(void)
{
	struct config c;

	ok(!strcmp(sections(standard), "") && !said_warnings, "no folder is there");
	put("usr/lib/nvme-vfio/10-a.conf", SECTION("a"));
	put("usr/lib/nvme-vfio/30-c.conf", SECTION("c"));
	put("usr/lib/nvme-vfio/50-e.conf", SECTION("e"));
	put("run/nvme-vfio/20-b.conf", SECTION("b"));
	put("run/nvme-vfio/0000:01:00.0.lock", "");
	ok(!strcmp(sections(standard), "abce"), "files of all folders, by their names (%s)", sections(standard));
	ok(!strcmp(sections(config_load_boot), "ace"), "what is in /run is gone after a boot (%s)", sections(config_load_boot));
	put("run/nvme-vfio/30-c.conf", SECTION("r"));
	ok(!strcmp(sections(standard), "abre"), "/run goes before /usr/lib (%s)", sections(standard));
	put("etc/nvme-vfio/30-c.conf", SECTION("x"));
	ok(!strcmp(sections(standard), "abxe"), "/etc goes before both (%s)", sections(standard));
	put("etc/nvme-vfio/30-c.conf", "");
	ok(!strcmp(sections(standard), "abe"), "an empty file masks (%s)", sections(standard));
	ok(!symlink("/dev/null", "etc/nvme-vfio/50-e.conf") && !strcmp(sections(standard), "ab"),
	   "so does a link to /dev/null (%s, %s)", sections(standard), said);
	put("run/nvme-vfio/20-b.conf", "junk\n");
	ok(!strcmp(sections(standard), "failed") && strstr(said, "run/nvme-vfio/20-b.conf:1:"), "a mistake is named with its folder (%s)", said);
	said_forget();
	ok(config_check(NULL) == TOOL_CONFIG && said_lines == 1, "check-config reads all folders (%s)", said);
	put("etc/nvme-vfio/20-b.conf", SECTION("a"));
	ok(!strcmp(sections(standard), "failed") && strstr(said, "etc/nvme-vfio/20-b.conf:1: section [a] is given twice, first at ./usr/lib/"),
	   "what files of other names say counts all (%s)", said);
	unlink("etc/nvme-vfio/20-b.conf");
	unlink("run/nvme-vfio/20-b.conf");
	unlink("usr/lib/nvme-vfio/10-a.conf");
	said_forget();
	ok(!standard(&c) && !c.n && !c.others, "nothing is left");
	config_warn_empty(NULL, &c);
	ok(said_warnings == 1, "and that is said");
	config_free(&c);
	unlink("etc/nvme-vfio/50-e.conf");
	unlink("etc/nvme-vfio/30-c.conf");
	unlink("run/nvme-vfio/30-c.conf");
	ok(!standard(&c) && c.n == 2, "what is not masked any more counts again");
	config_free(&c);
	unlink("usr/lib/nvme-vfio/30-c.conf");
	unlink("usr/lib/nvme-vfio/50-e.conf");
	rmdir("usr/lib/nvme-vfio");
	put("usr/lib/nvme-vfio", "");
	ok(!strcmp(sections(standard), "failed") && said_lines == 1, "a file for a folder (%s)", said);
	unlink("usr/lib/nvme-vfio");
}

/* NQNs have up to 223 bytes, and there may be a hundred namespaces. */
static void test_long(void)
{
	char text[2048] = "[a]\nnqn = nqn.2014-08.org.example:" LONG LONG LONG "\nnum_vfs = 1\nnamespaces =";
	struct config c;
	int i;

	for (i = 1; i <= 200; i++)
		sprintf(text + strlen(text), " %d", i);
	file("a.conf", text);
	ok(!load(&c) && c.n == 1 && strlen(c.pf[0].id) > 220 && c.pf[0].all.nns == 200,
	   "long lines (%s)", said);
	config_free(&c);
	drop("a.conf");
}

/* What is not a text file is refused, without waiting for it. */
static void test_odd(void)
{
	char path[128];
	struct config c;
	FILE *f;

	snprintf(path, sizeof(path), "%s/a.conf", dir);
	ok(!mkfifo(path, 0600) && load(&c) == TOOL_CONFIG && said_lines == 1 && strstr(said, "not a regular file"),
	   "a pipe (%s)", said);
	config_free(&c);
	unlink(path);
	ok(!mkdir(path, 0700) && load(&c) == TOOL_CONFIG && said_lines == 1 && strstr(said, "not a regular file"),
	   "a folder (%s)", said);
	config_free(&c);
	rmdir(path);
	said_forget();
	ok(config_load("/dev/zero", &c) == TOOL_CONFIG && said_lines == 1, "a device (%s)", said);
	config_free(&c);
	f = fopen(path, "w");
	ok(f && fwrite("[a]\nserial = x\nnum_vfs = 4\0 or 5\n", 1, 32, f) == 32 && !fclose(f) &&
	   load(&c) == TOOL_CONFIG && said_lines == 1 && strstr(said, ":3: contains a control"),
	   "a NUL and what is behind it (%s)", said);
	config_free(&c);
	drop("a.conf");
	file("drive.cfg", HEAD);
	ok(!load(&c) && !c.n && c.others == 1, "a folder with files of other names: they are counted");
	config_free(&c);
	drop("drive.cfg");
}

static void test_check(void)
{
	file("a.conf", "queues = 4\n"
	    "[a]\nserial = x\nnum_vfs = many\nquues = 4 # and a second time\nqueues 4\n"
	    "[b]\nnum_vfs = 4\n"
	    "[empty]\n"
	    "[c]\naddress = foo\n");
	file("b.conf", HEAD "namespaces = 0\n");
	said_forget();
	ok(config_check(dir) == TOOL_CONFIG && said_lines == 9,
	   "check-config: all that is wrong with two files, and nothing that follows from it (%d)", said_lines);
	drop("b.conf");
	file("a.conf", "[d]x\nserial = y\nnum_vfs = 4\n");
	said_forget();
	ok(config_check(dir) == TOOL_CONFIG && said_lines == 1 && strstr(said, ":1: a section is [name]"),
	   "check-config: a mistake in the line of a section is one (%d: %s)", said_lines, said);
	file("a.conf", HEAD "[b]x\nserial = y\nnum_vfs = 4\n[\x1b]\nserial = z\nnum_vfs = 4\n[c\n");
	said_forget();
	ok(config_check(dir) == TOOL_CONFIG && said_lines == 3,
	   "check-config: and its settings are not those of the one before (%d: %s)", said_lines, said);
	file("a.conf", "[d]x\nserial = y\nqueues = 0\n");
	said_forget();
	ok(config_check(dir) == TOOL_CONFIG && said_lines == 2,
	   "check-config: but they are checked (%d: %s)", said_lines, said);
	file("a.conf", "serial = x\nnum_vfs = 4\nqueues = 4\n" HEAD);
	said_forget();
	ok(config_check(dir) == TOOL_CONFIG && said_lines == 1 && strstr(said, ":1: a section must come first"),
	   "check-config: settings without a section are one mistake (%d: %s)", said_lines, said);
	file("a.conf", HEAD HEAD "queues = 0\n");
	said_forget();
	ok(config_check(dir) == TOOL_CONFIG && said_lines == 2,
	   "check-config: a section that is given twice, and what is wrong in it (%d: %s)", said_lines, said);
	file("a.conf", HEAD);
	said_forget();
	ok(!config_check(dir) && !said_lines, "check-config: nothing is wrong (%s)", said);
	drop("a.conf");
}

/* -- thousands of sections ------------------------------------------------------ */

static unsigned long compared;

/* Counts what the files under test compare. */
int __wrap_strcmp(const char *a, const char *b)
{
	compared++;
	return __real_strcmp(a, b);
}

/* Comparisons for @n sections, one in each of @files files or all in one. */
static unsigned long comparisons(int n, bool files)
{
	char name[32], *text = malloc(n * 60 + 1), *at = text;
	struct config c;
	int i;

	for (i = 0; i < n; i++) {
		at += sprintf(at, "[s%d]\nserial = S%d\nnum_vfs = 1\n", i, i);
		if (!files)
			continue;
		snprintf(name, sizeof(name), "%d.conf", i);
		file(name, text);
		at = text;
	}
	if (!files)
		file("0.conf", text);
	free(text);
	compared = 0;
	if (load(&c) || c.n != (size_t)n)
		compared = ~0ul;
	config_free(&c);
	for (i = 0; i < (files ? n : 1); i++) {
		snprintf(name, sizeof(name), "%d.conf", i);
		drop(name);
	}
	return compared;
}

/* CPU time for @n VFs with settings of their own, the least of three runs. */
static clock_t busy(int n)
{
	char *text = malloc(n * 30 + 60), *at = text;
	clock_t least = 0, now;
	struct config c;
	int i;

	at += sprintf(at, "[s]\nserial = S\nnum_vfs = 65535\n");
	for (i = 1; i <= n; i++)
		at += sprintf(at, "vf%d.queues = 2\n", i);
	file("a.conf", text);
	free(text);
	for (i = 0; i < 3; i++) {
		now = clock();
		if (load(&c) || c.pf[0].nvf != (size_t)n)
			printf("# %s\n", said);
		now = clock() - now;
		least = !least || now < least ? now : least;
		config_free(&c);
	}
	drop("a.conf");
	return least;
}

static void test_many(void)
{
	unsigned long few = comparisons(500, false), many = comparisons(4000, false);

	/* 8 times as many sections; in a tree each takes 3 steps more, of about 20 */
	ok(few && many < 12 * few, "comparisons for 500 and 4000 sections: %lu, %lu", few, many);
	few = comparisons(100, true);
	many = comparisons(800, true);
	ok(few && many < 16 * few, "comparisons for 100 and 800 files: %lu, %lu", few, many);
	few = busy(1000);
	many = busy(16000);
	/* 16 times as many; 256 if each was compared with all others */
	ok(few && many < 64 * few, "CPU time for 1000 and 16000 VFs: %lu, %lu us", few, many);
}

/* Whatever is in a file, it is read to its end, and wrong ones are reported. */
static void test_noise(void)
{
	static const char * const piece[] = {
		"[", "]", "[a]", "\n", "\r\n", "=", ":", ";", "#", " ", "\t",
		"serial", "nqn", "num_vfs", "queues", "vf1.", "vf", "driver",
		"namespaces", "1", "4", "none", LONG, "\xff", "x",
	};
	int bads = 0, lines = 0, i, k;
	char text[8192];
	struct config c;
	int err;

	srand(1);
	for (i = 0; i < 3000; i++) {
		text[0] = 0;
		for (k = rand() % 60; k; k--)
			strcat(text, piece[rand() % (sizeof(piece) / sizeof(piece[0]))]);
		file("a.conf", text);
		err = load(&c);
		config_free(&c);
		bads += err && err != TOOL_CONFIG;
		lines += said_lines != !!err;
	}
	ok(!bads && !lines, "3000 files of noise: one line each for those that are wrong");
	drop("a.conf");
}

int main(void)
{
	here_begin();
	test_layers();
	test_good();
	test_like();
	test_bad();
	test_long();
	test_odd();
	test_check();
	test_many();
	test_noise();
	here_end();
	return tap_done();
}

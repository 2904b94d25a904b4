// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration files: what they mean, and what is said of wrong ones.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tool.h"
#include "said.h"
#include "setup/config.h"
#include "tap.h"

static char dir[] = "/tmp/nvme-vfio-config-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f)) {
		perror(path);
		exit(1);
	}
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

	put("a.conf",
	    "; a comment\n"
	    "# another\n"
	    "[one]\n"
	    "    serial = S6XY NX0T\n"
	    "    num_vfs = 4\n"
	    "\tqueues=9\n"
	    "interrupts : 8   ; of each\n"
	    "namespaces = 1, 2 3\n"
	    "vf2.queues = 17\n"
	    "vf2.driver = none\n"
	    "vf4.namespaces = 7\n"
	    "\n"
	    "[two]\r\n"
	    "nqn = nqn.2014-08.org.nvmexpress:uuid:0123\r\n"
	    "num_vfs = 65535\r\n"
	    "driver = vfio-pci\r\n");
	put("b.conf", "[three]\naddress = 0000:3b:00.0\nnum_vfs = 1");
	put("c.conf~", "not a configuration");
	put(".conf", "neither");
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
	{ "no section", "serial = x\n", ":1: a section must come first" },
	{ "no value", HEAD "queues =\n", ":4: queues = : must be a number from 2" },
	{ "no equals sign", HEAD "queues 4\n", ":4: neither [section] nor key = value" },
	{ "a word for a number", HEAD "queues = many\n", ":4: queues = many: must be a number" },
	{ "a negative number", HEAD "interrupts = -1\n", ":4: interrupts = -1: must be" },
	{ "a number with more behind it", HEAD "queues = 4 # four\n", ":4: queues = 4 # four: must be" },
	{ "a number too large", HEAD "queues = 65536\n", ":4: queues = 65536: must be a number from 2 to 65535" },
	{ "a number too large for anything", HEAD "queues = 99999999999999999999999\n", ":4: queues = 9" },
	{ "one queue, so no I/O", HEAD "queues = 1\n", ":4: queues = 1: must be" },
	{ "no VFs", "[a]\nserial = x\nnum_vfs = 0\n", ":3: num_vfs = 0: must be" },
	{ "a key twice", HEAD "queues = 4\nqueues = 4\n", ":5: queues is given twice" },
	{ "a VF's key twice", HEAD "vf1.driver = a\nvf1.driver = b\n", ":5: vf1.driver is given twice" },
	{ "namespaces twice", HEAD "namespaces = 1\nnamespaces = 2\n", ":5: namespaces is given twice" },
	{ "a namespace twice", HEAD "namespaces = 1 2 1\n", ":4: namespaces: 1 is there twice" },
	{ "a namespace of no such id", HEAD "namespaces = 0\n", ":4: namespaces: 0 is no namespace id" },
	{ "the broadcast namespace", HEAD "namespaces = 4294967295\n", "is no namespace id" },
	{ "no namespace", HEAD "namespaces = ,\n", ":4: namespaces: names no namespace" },
	{ "VF 0", HEAD "vf0.queues = 4\n", ":4: vf0.queues: VFs are numbered from 1" },
	{ "VF without a number", HEAD "vf.queues = 4\n", ":4: vf.queues: VFs are numbered" },
	{ "VF with too long a number", HEAD "vf123456789.queues = 4\n", ":4: vf123456789.queues: VFs" },
	{ "words for a VF there is not", HEAD "vf5.queues = 4\n", ":1: [a] has words for VF 5" },
	{ "a path for a driver", HEAD "driver = ../../x\n", ":4: driver = ../../x: must be the name" },
	{ "no name of the PF", "[a]\nnum_vfs = 4\n", ":1: [a] does not say which PF" },
	{ "two names of the PF", HEAD "nqn = y\n", ":4: nqn: a PF is known by one of" },
	{ "a name twice", HEAD "serial = y\n", ":4: serial is given twice" },
	{ "an empty name", "[a]\nserial =\nnum_vfs = 1\n", ":2: serial is empty" },
	{ "no number of VFs", "[a]\nserial = x\n", ":1: [a] does not say how many VFs" },
	{ "a section twice", HEAD "[b]\nserial = y\nnum_vfs = 1\n" HEAD, ":7: section [a] is there twice, first at" },
	{ "two sections for one PF", HEAD "[b]\nserial = x\nnum_vfs = 1\n", "two sections for one PF (x)" },
	{ "an empty section", "[b]\n" HEAD, ":1: the section is empty" },
	{ "an empty section at the end", HEAD "[b]\n", ":4: the section is empty" },
	{ "a section without its end", "[a\nserial = x\n", ":1: neither" },
	{ "a line that is too long", HEAD "driver = " LONG LONG LONG "\n", ":4: the line is too long" },
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
		put("a.conf", bad[i].text);
		err = load(&c);
		ok(err == TOOL_CONFIG && said_lines == 1 &&
		   !strncmp(said, where, strlen(where)) &&
		   strstr(said, bad[i].said) && !strchr(said, '\n'),
		   "%s: one line, with its place (%d, %d: %s)", bad[i].what,
		   err, said_lines, said);
		config_free(&c);
	}
	put("a.conf", HEAD);
	put("b.conf", "[c]\nserial = x\nnum_vfs = 2\n");
	ok(load(&c) == TOOL_CONFIG && said_lines == 1 && strstr(said, "a.conf:1 and ") &&
	   strstr(said, "b.conf:1: two sections for one PF"),
	   "two files with one PF: both are named (%s)", said);
	config_free(&c);
	put("b.conf", HEAD);
	ok(load(&c) == TOOL_CONFIG && said_lines == 1,
	   "two files with one section (%s)", said);
	config_free(&c);
	drop("b.conf");
}

/* Whatever is in a file, it is read to its end, and wrong ones are named. */
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
		put("a.conf", text);
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
	if (!mkdtemp(dir)) {
		perror(dir);
		return 1;
	}
	test_good();
	test_bad();
	test_noise();
	rmdir(dir);
	return tap_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sections and PFs: one by one, or many alike.
 */
#include "base/tool.h"
#include "here.h"
#include "host/host.h"
#include "said.h"
#include "setup/match.h"
#include "tap.h"

static struct host h;
static struct config c;

static void file(const char *bdf, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), HOST_PCI "/%s/%s", bdf, name);
	put(path, text);
}

static void function(const char *bdf, const char *device, const char *driver)
{
	char path[256];

	file(bdf, "class", "0x010802\n");
	file(bdf, "vendor", "0x144d\n");
	file(bdf, "device", device);
	file(bdf, "sriov_totalvfs", "4\n");
	snprintf(path, sizeof(path), HOST_PCI "/%s/driver", bdf);
	if (*driver && symlink(driver, path))
		perror(path);
}

static void ctrl(const char *bdf, const char *name, const char *serial, const char *model)
{
	char path[256];

	snprintf(path, sizeof(path), "nvme/%s/x", name);
	file(bdf, path, "");
	snprintf(path, sizeof(path), HOST_NVME "/%s/serial", name);
	put(path, serial);
	snprintf(path, sizeof(path), HOST_NVME "/%s/model", name);
	put(path, model);
}

static void config(const char *text)
{
	config_free(&c);
	said_forget();
	put("etc/nvme-vfio/a.conf", text);
	if (config_load(NULL, &c))
		printf("# %s\n", said);
}

/* The name of the section that is a PF's; "-" for none, "!" for an error. */
static const char *of(const char *bdf)
{
	const struct config_pf *section;

	said_forget();
	if (match_section(&c, &h, host_find(&h, bdf), &section))
		return "!";
	return section ? section->name : "-";
}

#define A	"0000:01:00.0"
#define B	"0000:02:00.0"
#define OTHER	"0000:03:00.0"
#define GUESTS	"0000:04:00.0"
#define LATE	"0000:05:00.0"
#define DISK	"0000:06:00.0"

static void is(const char *what, const char *a, const char *b, const char *other)
{
	const char *got_a = of(A), *got_b = of(B), *got = of(OTHER);

	ok(!strcmp(got_a, a) && !strcmp(got_b, b) && !strcmp(got, other),
	   "%s: %s %s %s", what, got_a, got_b, got);
}

static void test_sections(void)
{
	config("[m]\nmodel = SAMSUNG PM1\nnum_vfs = 1\n");
	is("a model", "m", "m", "-");
	config("[m]\nmodel = SAMSUNG*\nnum_vfs = 1\n");
	is("a model with *", "m", "m", "m");
	config("[m]\nmodel = SAMSUNG PM?\nnum_vfs = 1\n");
	is("a model with ?", "m", "m", "m");
	config("[m]\nmodel = SAMSUNG\nnum_vfs = 1\n");
	is("half a model", "-", "-", "-");
	config("[m]\npci = 144D:A80A\nnum_vfs = 1\n");
	is("a PCI id", "m", "m", "-");
	config("[m]\npci = 144d:a80a\nmodel = SAMSUNG PM2\nnum_vfs = 1\n");
	is("both, and not both fit", "-", "-", "-");
	config("[m]\nmodel = *\nnum_vfs = 1\n[s]\nserial = S2\nnum_vfs = 2\n");
	is("a serial number goes before a model", "m", "s", "m");
	config("[m]\npci = 144d:a80a\nnum_vfs = 1\n[s]\naddress = 02:00.0\nnum_vfs = 2\n");
	is("an address goes before a PCI id", "m", "s", "-");
	config("[m]\nmodel = SAMSUNG PM1\nnum_vfs = 1\n[p]\npci = 144d:a80a\nnum_vfs = 2\n[s]\nserial = S2\nnum_vfs = 3\n");
	is("two for many, and one of its own", "!", "s", "-");
	of(A);
	ok(said_lines == 1 && strstr(said, "a.conf:1 (model = SAMSUNG PM1)") && strstr(said, "a.conf:4 (pci = 144d:a80a)") &&
	   strstr(said, "both fit " A) && strstr(said, "serial = S1"), "two that fit: both, the PF, what helps (%s)", said);
	config("[s]\nserial = S1\nnum_vfs = 1\n[n]\naddress = " A "\nnum_vfs = 3\n");
	is("two for one", "!", "-", "-");
}

static void test_others(void)
{
	const struct host_fn *fn = host_find(&h, GUESTS);

	config("[p]\npci = 144d:a80a\nnum_vfs = 1\n");
	ok(!strcmp(of(GUESTS), "-"), "one that a VFIO driver has is not one of many");
	ok(!match_may_fit(&c.pf[0], fn), "and not waited for");
	ok(!strcmp(of(LATE), "p") && match_may_fit(&c.pf[0], host_find(&h, LATE)), "one without a driver is, by its PCI id");
	ok(!strcmp(of(DISK), "-"), "a drive without SR-IOV is not");
	config("[m]\nmodel = SAMSUNG PM1\nnum_vfs = 1\n");
	fn = host_find(&h, LATE);
	ok(!strcmp(of(LATE), "-") && match_may_fit(&c.pf[0], fn), "by its model it may turn out to be");
	ok(!match_may_fit(&c.pf[0], host_find(&h, OTHER)), "another model cannot");
	config("[m]\nmodel = SAMSUNG PM1\npci = 144d:beef\nnum_vfs = 1\n");
	ok(!match_may_fit(&c.pf[0], fn), "nor can another PCI id");
	config("[a]\naddress = " GUESTS "\nnum_vfs = 1\n");
	ok(!strcmp(of(GUESTS), "a"), "by its address it is meant");
}

static void none(const char *what, int warnings)
{
	said_forget();
	match_none(&c, &h);
	ok(said_warnings == warnings && !said_lines, "%s: %d warnings", what, said_warnings);
}

static void test_none(void)
{
	struct host_fn *fn;

	config("[m]\nmodel = INTEL*\nnum_vfs = 1\n[n]\npci = 1234:5678\nnum_vfs = 1\n");
	none("nothing fits", 1);
	config("[m]\nmodel = INTEL*\nnum_vfs = 1\n[n]\npci = 144d:a80a\nnum_vfs = 1\n");
	none("one fits", 0);
	config("[m]\nmodel = DISK\nnum_vfs = 1\n[n]\npci = 144d:a80a\nnum_vfs = 1\n");
	none("one fits a drive without SR-IOV", 1);
	config("");
	none("nothing is configured", 0);
	config("[s]\nserial = S9\nnum_vfs = 1\n");
	none("a serial number is another matter", 0);
	ok(match_pf(&h, &c.pf[0], &fn) == TOOL_NODEV && said_lines == 1 && strstr(said, "a.conf:1: this host has no PF with serial = S9") &&
	   strstr(said, "nvme; it has S1, S2, S3; " GUESTS " is bound to vfio-pci, " LATE
			" to no driver, so their serial numbers cannot be read"),
	   "which must be there, or with another driver (%s)", said);
	config("[s]\nnqn = nqn.x\nnum_vfs = 1\n");
	ok(match_pf(&h, &c.pf[0], &fn) == TOOL_NODEV && said_lines == 1 &&
	   strstr(said, "with nqn = nqn.x that is bound to nvme; " GUESTS) && strstr(said, "so their NQNs cannot be read"),
	   "an NQN, where no PF shows one (%s)", said);
	config("[s]\naddress = 77:00.0\nnum_vfs = 1\n");
	ok(match_pf(&h, &c.pf[0], &fn) == TOOL_NODEV && said_lines == 1 && !strstr(said, "cannot be read"),
	   "an address needs no driver (%s)", said);
	config("[s]\nserial = S2\nnum_vfs = 1\n");
	ok(!match_pf(&h, &c.pf[0], &fn) && !strcmp(fn->bdf, B), "as this one is");
}

int main(void)
{
	char path[64];

	here_begin();
	function(A, "0xa80a\n", "drivers/nvme");
	ctrl(A, "nvme0", "S1\n", "   SAMSUNG PM1     ");
	function(B, "0xa80a\n", "drivers/nvme");
	ctrl(B, "nvme1", "S2\n", "SAMSUNG PM1\n");
	function(OTHER, "0xbeef\n", "drivers/nvme");
	ctrl(OTHER, "nvme2", "S3\n", "SAMSUNG PM2\n");
	function(GUESTS, "0xa80a\n", "drivers/vfio-pci");
	function(LATE, "0xa80a\n", "");
	function(DISK, "0xd15c\n", "drivers/nvme");
	ctrl(DISK, "nvme3", "S4\n", "DISK\n");
	snprintf(path, sizeof(path), HOST_PCI "/%s/sriov_totalvfs", DISK);
	unlink(path);
	ok(!host_load(&h) && h.n == 6, "six functions");
	test_sections();
	test_others();
	test_none();
	config_free(&c);
	host_free(&h);
	here_end();
	return tap_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of doctor, on hosts that are made of files.
 */
#include "base/tool.h"
#include "doctor/check.h"
#include "doctor/secure_boot.h"
#include "here.h"
#include "host/driverctl.h"
#include "said.h"
#include "tap.h"

/* -- what the checks ask for and this test leaves out ----------------------- */

void modules_look(struct modules *m, const char *name, struct module *mod)
{
	(void)m;
	(void)name;
	memset(mod, 0, sizeof(*mod));
}

const char *modules_options(struct modules *m, const char *name)
{
	(void)m;
	(void)name;
	return "";
}

int driverctl_has(const char *bdf, char *driver, size_t len)
{
	(void)bdf;
	(void)driver;
	(void)len;
	return -1;
}

/* -- the PF ---------------------------------------------------------------------- */

static struct host_fn fn[] = { {
	.bdf = "0000:01:00.0", .role = ROLE_PF, .driver = "nvme", .ctrl = "nvme0", .state = "live",
	.totalvfs = 4, .set = SET_STANDARD, .asked = true,
} };
static struct host h = { .fn = fn, .n = 1 };
static struct fn_facts facts[1];
static struct checkup c = { .host = &h, .facts = facts, .fn = fn, .root = true, .release = "1" };

static void run(const char *id, struct answer *a)
{
	const struct check *check;

	answer_free(a);
	for (check = checks_pf; check->id && strcmp(check->id, id); check++)
		;
	if (check->id)
		check->run(&c, a);
}

static void test_resources(void)
{
	struct ctrl_resource *q = &facts->res[RESOURCE_QUEUES], *i = &facts->res[RESOURCE_INTERRUPTS];
	struct answer a = { };

	facts->identified = true;
	facts->cntlid = 7;
	*q = (struct ctrl_resource){ .flexible = true, .total = 16, .primary = 16, .private = 3 };
	*i = (struct ctrl_resource){ .flexible = true, .total = 8, .private = 2 };
	run("pf-resources", &a);
	ok(a.status == CHECK_FAIL && a.cure &&
	   strstr(a.cure, "nvme virt-mgmt /dev/nvme0 -c 7 -r 0 -a 1 -n 0 && nvme virt-mgmt /dev/nvme0 -c 7 -r 1 -a 1 -n 0 && nvme reset /dev/nvme0"),
	   "a PF that holds all queues: the commands that give them back (%s. %s)", a.text, a.cure);
	q->private = 0;
	run("pf-resources", &a);
	ok(a.status == CHECK_FAIL && a.cure && strstr(a.cure, "-r 0 -a 1 -n 2 &&"),
	   "one that has no others keeps what it needs (%s)", a.cure);
	q->primary = 0;
	i->primary = 8;
	run("pf-resources", &a);
	ok(a.status == CHECK_FAIL && strstr(a.text, "interrupts"), "a PF that holds all interrupts (%s)", a.text);
	i->primary = 4;
	run("pf-resources", &a);
	ok(a.status == CHECK_OK, "a PF that leaves some (%s)", a.text);
	q->flexible = i->flexible = false;
	run("pf-resources", &a);
	ok(a.status == CHECK_OK, "a PF that gives nothing by command (%s)", a.text);
	facts->identified = false;
	run("pf-resources", &a);
	ok(a.status == CHECK_UNKNOWN, "a PF that could not be asked (%s)", a.text);
	answer_free(&a);
}

/* -- libvirt's choice ------------------------------------------------------------ */

static void test_alias(void)
{
	struct answer a = { };

	put(HOST_PCI "/0000:01:00.0/modalias", "pci:v0000144Dd0000A824sv0000144Dsd0000A801bc01sc08i02\n");
	snprintf(c.release, sizeof(c.release), "../../nonexistent");
	check_alias(&c, &a);
	ok(a.status == CHECK_FAIL && strstr(a.text, "libvirt starts no VM") && !strstr(a.text, "vfio-pci"),
	   "no modules.alias: what libvirt does then (%s)", a.text);
	answer_free(&a);
}

/* -- the key of dkms -------------------------------------------------------------- */

static void key_is(const char *what, const char *certificate, bool there)
{
	struct signing_key key;

	signing_key(&key);
	ok(!strcmp(key.certificate, certificate) && key.there == there, "key of dkms: %s (%s, %d, by %s)", what,
	   key.certificate, key.there, key.by);
}

static void test_key(void)
{
	key_is("none as yet", "/var/lib/dkms/mok.pub", false);
	put(ROOT_DIR "/var/lib/shim-signed/mok/MOK.der", "x");
	key_is("only Ubuntu's", "/var/lib/shim-signed/mok/MOK.der", true);
	put(ROOT_DIR "/var/lib/dkms/mok.pub", "x");
	put(ROOT_DIR "/etc/os-release", "NAME=x\nID=debian\n");
	key_is("both, on Debian", "/var/lib/dkms/mok.pub", true);
	put(ROOT_DIR "/etc/os-release", "NAME=x\nID=\"ubuntu\"\n");
	key_is("both, on Ubuntu", "/var/lib/shim-signed/mok/MOK.der", true);
	put(ROOT_DIR "/etc/dkms/framework.conf",
	    "# mok_certificate=/comment\nmok_signing_key=/k\nmok_certificate=/root/site.der # ours\n");
	key_is("a site's own, not there", "/root/site.der", false);
	put(ROOT_DIR "/root/site.der", "x");
	key_is("a site's own", "/root/site.der", true);
	put(ROOT_DIR "/etc/dkms/framework.conf.d/b.conf", "mok_certificate=\"/a b.der\"\n");
	put(ROOT_DIR "/etc/dkms/framework.conf.d/a.conf", "mok_certificate='/a.der'\n");
	put(ROOT_DIR "/etc/dkms/framework.conf.d/c.txt", "mok_certificate=/c.der\n");
	key_is("the last file counts", "/a b.der", false);
}

int main(void)
{
	here_begin();
	test_resources();
	test_alias();
	test_key();
	here_end();
	return tap_done();
}

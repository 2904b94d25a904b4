// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the driver says about a VF in sysfs, and what "list" and doctor make of
 * it: on hosts that are made of files, with a PF that answers or does not.
 */
#include <errno.h>

#include "base/tool.h"
#include "doctor/check.h"
#include "here.h"
#include "host/nvme.h"
#include "host/pf_query.h"
#include "said.h"
#include "tap.h"

#define VF	"0000:01:00.1"
#define REFUSED	"the PF may have the set of 2022, but the VF's id is not in vendor_ids"

/* -- the PF's controller ------------------------------------------------------------ */

static int answers;	/* what it answers with */
static bool migrates = true;

int ctrl_open(const char *name, struct ctrl **ctrl)
{
	(void)name;
	*ctrl = NULL;
	return answers;
}

void ctrl_close(struct ctrl *ctrl)
{
	(void)ctrl;
}

const char *ctrl_error(void)
{
	return "no answer";
}

int ctrl_identify(struct ctrl *ctrl, struct ctrl_id *id)
{
	(void)ctrl;
	*id = (struct ctrl_id){ .cntlid = 0, .migration = migrates };
	return 0;
}

int ctrl_format(struct ctrl *ctrl, uint8_t *all, struct state_format *format, const char **why)
{
	(void)ctrl;
	(void)all;
	(void)format;
	*why = NULL;
	return 0;
}

int ctrl_secondaries(struct ctrl *ctrl, struct ctrl_secondary **list, size_t *n)
{
	(void)ctrl;
	*list = calloc(1, sizeof(**list));
	**list = (struct ctrl_secondary){ .cntlid = 1, .vfn = 1, .online = true, .nvq = 4, .nvi = 4 };
	*n = 1;
	return 0;
}

int ctrl_namespaces(struct ctrl *ctrl, uint32_t **list, size_t *n)
{
	(void)ctrl;
	*list = NULL;
	*n = 0;
	return 0;
}

int ctrl_attached(struct ctrl *ctrl, uint32_t nsid, uint16_t **list, size_t *n)
{
	(void)ctrl;
	(void)nsid;
	*list = NULL;
	*n = 0;
	return 0;
}

int ctrl_namespace(struct ctrl *ctrl, uint32_t nsid, bool own, struct stream_namespace *ns)
{
	(void)ctrl;
	(void)nsid;
	(void)own;
	(void)ns;
	return 0;
}

/* -- the host ----------------------------------------------------------------------- */

static struct host_fn fn[2];
static struct host h = { .fn = fn, .n = 2 };

static void file(const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), HOST_PCI "/" VF "/nvme_vfio/%s", name);
	put(path, text);
}

static void says(const char *migratable, const char *reason)
{
	file("command_set", *reason ? "none\n" : "standard\n");
	file("cntlid", *reason ? "unknown\n" : "7\n");
	file("format", *reason ? "none\n" : "0:00112233-4455-6677-8899-aabbccddeeff\n");
	file("tracking", *reason ? "no: migration\n" : "no: kernel\n");
	file("migratable", migratable);
	file("reason", reason);
	file("state", *reason ? "none\n" : "STOP_COPY\n");
	file("last_error", "\n");
}

/* The VF again, as from host_load(), after asking the PF about it. */
static struct host_fn *query(const char *driver)
{
	free(fn[0].why);
	free(fn[1].why);
	fn[0] = (struct host_fn){ .bdf = "0000:01:00.0", .role = ROLE_PF, .driver = "nvme",
				  .ctrl = "nvme0", .state = "live" };
	fn[1] = (struct host_fn){ .bdf = VF, .role = ROLE_VF, .pf = fn, .vfn = 1, .pf_bdf = "0000:01:00.0" };
	snprintf(fn[1].driver, sizeof(fn[1].driver), "%s", driver);
	pf_query_all(&h);
	return &fn[1];
}

static const char *json(const struct driver_view *v)
{
	static char text[1000];
	json_object *o = driver_view_json(v);

	snprintf(text, sizeof(text), "%s", o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN) : "null");
	json_object_put(o);
	return text;
}

static void test_read(void)
{
	struct driver_view v;
	char text[400];

	driver_view_read(&v, VF);
	ok(v.can == DRIVER_UNKNOWN && v.cntlid == -1 && !*v.state && !strcmp(json(&v), "null") &&
	   !*driver_view_text(&v, text, sizeof(text)),
	   "a driver without the files says nothing (%s)", json(&v));

	says("yes\n", "\n");
	file("reason", "\n");
	file("command_set", "standard\n");
	file("cntlid", "7\n");
	file("tracking", "no: kernel\n");
	file("state", "STOP_COPY\n");
	file("format", "0:00112233-4455-6677-8899-aabbccddeeff\n");
	file("last_error", "-EIO RUNNING -> RUNNING_P2P, command 41h, status 006h\n");
	driver_view_read(&v, VF);
	driver_view_text(&v, text, sizeof(text));
	ok(v.can == DRIVER_YES && v.cntlid == 7 &&
	   !strcmp(text, "can migrate: standard command set, controller 7, without dirty tracking"),
	   "a VF that can (%s)", text);
	ok(!strcmp(json(&v), "{\"migratable\":\"yes\",\"reason\":null,\"command_set\":\"standard\",\"controller_id\":7,"
		   "\"format\":\"0:00112233-4455-6677-8899-aabbccddeeff\",\"tracking\":\"no: kernel\","
		   "\"state\":\"STOP_COPY\",\"last_error\":\"-EIO RUNNING -> RUNNING_P2P, command 41h, status 006h\"}"),
	   "in JSON (%s)", json(&v));
	file("tracking", "yes\n");
	file("cntlid", "unknown\n");
	driver_view_read(&v, VF);
	driver_view_text(&v, text, sizeof(text));
	ok(!strcmp(text, "can migrate: standard command set, with dirty tracking"),
	   "tracking, and a controller id that is not known (%s)", text);

	says("no\n", REFUSED "\n");
	driver_view_read(&v, VF);
	driver_view_text(&v, text, sizeof(text));
	ok(v.can == DRIVER_NO && !strcmp(text, "cannot migrate: " REFUSED), "a VF that cannot (%s)", text);
	says("not now\n", "the PF is starting\n");
	file("command_set", "unknown\n");
	driver_view_read(&v, VF);
	driver_view_text(&v, text, sizeof(text));
	ok(v.can == DRIVER_NOT_NOW && !*v.command_set && !strcmp(text, "cannot migrate for now: the PF is starting"),
	   "a VF that cannot for now (%s)", text);
	file("migratable", "perhaps\n");
	file("cntlid", "65536\n");
	driver_view_read(&v, VF);
	ok(v.can == DRIVER_UNKNOWN && v.cntlid == -1, "values of a later version are not known");
}

static void test_list(void)
{
	struct host_fn *vf;

	says("yes\n", "\n");
	file("reason", "\n");
	vf = query(TOOL_DRIVER);
	ok(!vf->why && !vf->unknown && vf->says.can == DRIVER_YES, "list: a VF that can (%s)", vf->why);
	says("no\n", REFUSED "\n");
	vf = query(TOOL_DRIVER);
	ok(!vf->unknown && vf->why && !strcmp(vf->why, REFUSED), "list: why not, by the driver (%s)", vf->why);
	vf = query("vfio-pci");
	ok(vf->why && strstr(vf->why, "bound to vfio-pci") && vf->says.can == DRIVER_UNKNOWN,
	   "list: what another driver has there is not ours (%s)", vf->why);
	says("not now\n", "the PF is starting\n");
	vf = query(TOOL_DRIVER);
	ok(vf->unknown && vf->why && !strcmp(vf->why, "not for now: the PF is starting"),
	   "list: not for now is not known (%s)", vf->why);
	migrates = false;
	vf = query(TOOL_DRIVER);
	ok(!vf->unknown && vf->why && strstr(vf->why, LM_NO_COMMANDS), "list: what the PF says is newer (%s)", vf->why);
	migrates = true;
	answers = -EACCES;
	vf = query(TOOL_DRIVER);
	ok(vf->unknown && vf->why && strstr(vf->why, "no answer"), "list: neither is known without root (%s)", vf->why);
	says("no\n", REFUSED "\n");
	vf = query(TOOL_DRIVER);
	ok(!vf->unknown && vf->why && !strcmp(vf->why, REFUSED), "list: but a no of the driver is (%s)", vf->why);
	answers = 0;
}

static void offers(const char *driver, struct fn_facts *f, struct answer *a)
{
	struct checkup c = { .host = &h, .facts = f, .fn = query(driver) };

	answer_free(a);
	check_offers(&c, a);
}

static void test_offers(void)
{
	struct fn_facts f[2] = { };
	struct answer a = { };

	snprintf(f[1].trouble, sizeof(f[1].trouble), "in use by qemu(1)");
	says("yes\n", "\n");
	file("reason", "\n");
	file("command_set", "vendor\n");
	offers(TOOL_DRIVER, f, &a);
	ok(a.status == CHECK_OK && !a.cure && strstr(a.text, "in use by qemu(1); the driver says: can migrate: vendor"),
	   "doctor: a VF that is in use (%s)", a.text);
	file("last_error", "-EIO STOP -> RUNNING\n");
	offers(TOOL_DRIVER, f, &a);
	ok(a.status == CHECK_OK && strstr(a.text, "what failed last: -EIO STOP -> RUNNING"),
	   "doctor: and what failed last (%s)", a.text);
	says("no\n", REFUSED "\n");
	offers(TOOL_DRIVER, f, &a);
	ok(a.status == CHECK_FAIL && strstr(a.text, REFUSED) && a.cure && strstr(a.cure, "pf-capability"),
	   "doctor: a VF that cannot (%s. %s)", a.text, a.cure);
	says("not now\n", "the PF is starting\n");
	offers(TOOL_DRIVER, f, &a);
	ok(a.status == CHECK_FAIL && a.cure && strstr(a.cure, "when the VF is opened"),
	   "doctor: one that cannot for now (%s. %s)", a.text, a.cure);
	f[1].tried = true;
	*f[1].trouble = 0;
	offers(TOOL_DRIVER, f, &a);
	ok(a.status == CHECK_FAIL && strstr(a.text, "the driver says: cannot migrate for now"),
	   "doctor: VFIO offers nothing (%s)", a.text);
	f[1].tried = false;
	file("migratable", "unknown\n");
	offers(TOOL_DRIVER, f, &a);
	ok(a.status == CHECK_UNKNOWN && strstr(a.text, "older"), "doctor: an older driver (%s)", a.text);
	offers("vfio-pci", f, &a);
	ok(a.status == CHECK_UNKNOWN && !strstr(a.text, "older"), "doctor: another driver (%s)", a.text);
	answer_free(&a);
}

int main(void)
{
	here_begin();
	test_read();
	test_list();
	test_offers();
	free(fn[0].why);
	free(fn[1].why);
	here_end();
	return tap_done();
}

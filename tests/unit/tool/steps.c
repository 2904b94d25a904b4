// SPDX-License-Identifier: GPL-2.0-only
/*
 * Planning and doing: from any state of a PF to any configuration and back, with
 * a failure at each call on the way, on a device that keeps the rules.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool.h"
#include "device.h"
#include "said.h"
#include "setup/config.h"
#include "setup/pf.h"
#include "setup/plan.h"
#include "setup/step.h"
#include "tap.h"

static struct host_fn fn = {
	.bdf = DEV_PF, .role = ROLE_PF, .driver = "nvme", .ctrl = "nvme0",
	.state = "live", .totalvfs = DEV_VFS,
};

static uint64_t seed = 20261125;

static unsigned int rnd(unsigned int n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static void resources(unsigned int total, unsigned int max, unsigned int grain)
{
	unsigned int type;

	for (type = 0; type < RESOURCES; type++)
		dev_res[type] = (struct ctrl_resource){
			.flexible = true, .total = total + 3, .primary = 3,
			.max = max, .grain = grain,
		};
}

/* -- one job: look, plan, do ---------------------------------------------------- */

struct job {
	struct pf pf;
	struct pf_state now, want;
	struct steps s;
};

static void done(struct job *j)
{
	steps_free(&j->s);
	pf_state_free(&j->want);
	pf_state_free(&j->now);
	pf_close(&j->pf);
}

/* Return: what the tool would, having done nothing. */
static int look(struct job *j, const struct config_pf *c)
{
	int err;

	memset(j, 0, sizeof(*j));
	said_forget();
	err = pf_open(&fn, &j->pf);
	if (!err)
		err = pf_read(&j->pf, &j->now);
	if (!err)
		err = plan_target(&j->pf, &j->now, c, &j->want);
	if (!err)
		err = plan_steps(&j->now, &j->want, NULL, &j->s);
	return err;
}

static int run(struct job *j)
{
	struct step_ctx ctx = { .name = DEV_PF, .pf = &j->pf, .want = &j->want };

	return steps_run(&ctx, &j->s);
}

static int apply(const struct config_pf *c)
{
	struct job j;
	int err = look(&j, c);

	if (!err)
		err = run(&j);
	done(&j);
	return err;
}

static size_t planned(const struct config_pf *c)
{
	struct job j;
	size_t n;

	n = look(&j, c) ? 999 : j.s.n;
	done(&j);
	return n;
}

/* Back to a state, and without the namespaces that were attached meanwhile. */
static int back(const struct pf_state *before)
{
	struct pf_state drop;
	struct job j = { };
	unsigned int i;
	int err;
	size_t k;

	said_forget();
	err = pf_open(&fn, &j.pf);
	if (!err)
		err = pf_read(&j.pf, &j.now);
	if (!err)
		err = pf_state_copy(&j.now, &drop);
	if (err)
		return err;
	pf_state_copy(before, &j.want);
	for (i = 0; i < drop.n; i++)
		for (k = 0; k < before->vf[i].nns; k++)
			vf_drop(&drop.vf[i], before->vf[i].nsid[k]);
	err = plan_steps(&j.now, &j.want, &drop, &j.s);
	if (!err)
		err = run(&j);
	pf_state_free(&drop);
	done(&j);
	return err;
}

/* -- random devices and configurations ------------------------------------------- */

static const char *driver(void)
{
	static const char * const name[] = {
		"nvme-vfio-pci", "nvme-vfio-pci", "vfio-pci", "nvme", "",
	};

	return name[rnd(5)];
}

static void random_device(void)
{
	unsigned int i, type, grain = dev_res[0].grain;
	unsigned int left[RESOURCES];

	for (type = 0; type < RESOURCES; type++)
		left[type] = dev_res[type].total - dev_res[type].primary;
	memset(&dev, 0, sizeof(dev));
	dev.autoprobe = rnd(2);
	dev.numvfs = rnd(DEV_VFS + 1);
	for (i = 0; i < DEV_VFS; i++) {
		struct dev_vf *vf = &dev.vf[i];

		for (type = rnd(3) ? 0 : RESOURCES; type < RESOURCES; type++) {
			unsigned int n = grain * (1 + rnd(2));

			if (n > left[type])
				continue;
			vf->count[type] = n;
			left[type] -= n;
		}
		if (i >= dev.numvfs)
			continue;
		vf->fresh = true;
		vf->online = vf->count[0] >= 2 && vf->count[1] && rnd(4);
		strcpy(vf->driver, driver());
		strcpy(vf->override, rnd(2) ? vf->driver : "");
		vf->attached[rnd(DEV_NS)] = rnd(2);
	}
}

static void random_config(struct config_pf *c, struct config_one *one)
{
	static uint32_t two[] = { 1, 3 };
	unsigned int grain = dev_res[0].grain;

	memset(c, 0, sizeof(*c));
	memset(one, 0, sizeof(*one));
	c->where = (char *)"test:1";
	c->num_vfs = 1 + rnd(DEV_VFS);
	c->all.queues = rnd(4) ? grain * (1 + rnd(3)) : 0;
	c->all.interrupts = rnd(4) ? grain * (1 + rnd(3)) : 0;
	strcpy(c->all.driver, rnd(3) ? "" : "vfio-pci");
	c->vf = one;
	c->nvf = rnd(2);
	one->vfn = 1 + rnd(c->num_vfs);
	one->vf.queues = rnd(2) ? grain * (1 + rnd(3)) : 0;
	strcpy(one->vf.driver, rnd(2) ? "none" : "");
	if (rnd(3))
		return;
	one->vf.nsid = two;
	one->vf.nns = 2;
}

/* Is what the configuration asks for there? Found out without the plan. */
static bool fulfilled(const struct config_pf *c)
{
	unsigned int i;
	size_t k;

	if (dev.autoprobe || dev.numvfs != c->num_vfs)
		return false;
	for (i = 0; i < c->num_vfs; i++) {
		struct config_vf cv = config_of(c, i + 1);
		const char *want = strcmp(cv.driver, "none") ? cv.driver : "";
		const struct dev_vf *vf = &dev.vf[i];

		if (!vf->online || strcmp(vf->driver, want) ||
		    strcmp(vf->override, want) ||
		    (cv.queues && vf->count[0] != cv.queues) ||
		    (cv.interrupts && vf->count[1] != cv.interrupts))
			return false;
		for (k = 0; k < cv.nns; k++)
			if (!vf->attached[cv.nsid[k] - 1])
				return false;
	}
	return true;
}

struct tally {
	int refused, applied, faults, bad;
	const char *what;
};

static void show(const char *what, const struct dev *d)
{
	unsigned int i;

	printf("# %s: autoprobe %d, %u VFs:", what, d->autoprobe, d->numvfs);
	for (i = 0; i < DEV_VFS; i++) {
		const struct dev_vf *vf = &d->vf[i];

		printf(" [%s %u %u %d%d%d '%s' '%s']",
		       vf->online ? "on" : "off", vf->count[0], vf->count[1],
		       vf->attached[0], vf->attached[1], vf->attached[2],
		       vf->driver, vf->override);
	}
	printf("\n");
}

static void wrong(struct tally *t, const char *what, int round, int at)
{
	if (!t->bad++)
		printf("# round %d, call %d: %s; rule: %s; said in %d lines: %s\n",
		       round, at, what, dev_broken ? dev_broken : "-",
		       said_lines, said);
}

/* Each call fails once, and everything is as it was. */
static void faults(struct tally *t, const struct config_pf *c,
		   const struct dev *before, int calls, int round)
{
	int at, err;

	for (at = 1; at <= calls; at++) {
		dev = *before;
		dev_begin();
		dev_fail_at = at;
		err = apply(c);
		t->faults++;
		if (err != TOOL_FAILED || said_lines != 1)
			wrong(t, "a failure is not told as one", round, at);
		if (!dev_same(&dev, before) && !t->bad) {
			show("before", before);
			show("after", &dev);
		}
		if (!dev_same(&dev, before))
			wrong(t, "a failure left something behind", round, at);
		if (dev_broken)
			wrong(t, "undoing broke a rule", round, at);

		/* undoing fails as well */
		dev = *before;
		dev_begin();
		dev_fail_at = at;
		dev_fail_again = at + 1;
		err = apply(c);
		if (err == TOOL_OK ||
		    (err == TOOL_FAILED && !dev_same(&dev, before)))
			wrong(t, "failing to undo is not told", round, at);

		dev = *before;
		dev_begin();
		dev_gone_at = at;
		if (apply(c) != TOOL_NODEV || said_lines != 1)
			wrong(t, "a PF that vanishes is not told as that",
			      round, at);
	}
}

/* And on the way back: it stays as it was set up. */
static void faults_back(struct tally *t, const struct pf_state *before,
			int calls, int round)
{
	struct dev now = dev;
	int at, err;

	for (at = 1; at <= calls; at++) {
		dev = now;
		dev_begin();
		dev_fail_at = at;
		err = back(before);
		t->faults++;
		if (err != TOOL_FAILED || said_lines != 1 || dev_broken ||
		    !dev_same(&dev, &now))
			wrong(t, "a failure of teardown left something behind",
			      round, at);
	}
	dev = now;
}

static void there_and_back(struct tally *t, const struct config_pf *c,
			   const struct dev *before, int round)
{
	struct dev applied;
	int err, calls;
	struct job j;

	look(&j, c);		/* only to have what was before */
	dev_begin();
	err = apply(c);
	if (err || dev_broken)
		wrong(t, "apply fails", round, 0);
	if (!fulfilled(c))
		wrong(t, "not as configured", round, 0);
	if (planned(c))
		wrong(t, "applied again there is something to do", round, 0);
	t->applied++;
	faults(t, c, before, dev_calls, round);
	dev = *before;
	dev_begin();
	apply(c);
	applied = dev;
	dev_begin();
	back(&j.now);
	calls = dev_calls;
	dev = applied;
	faults_back(t, &j.now, calls, round);
	dev_begin();
	err = back(&j.now);
	if (err || dev_broken)
		wrong(t, "teardown fails", round, 0);
	if (!dev_same(&dev, before))
		wrong(t, "teardown does not lead back", round, 0);
	done(&j);
}

static void test_random(unsigned int total, unsigned int max, unsigned int grain)
{
	struct tally t = { };
	struct config_one one;
	struct config_pf c;
	struct dev before;
	struct job j;
	int i, err;

	resources(total, max, grain);
	for (i = 0; i < 600; i++) {
		random_device();
		random_config(&c, &one);
		before = dev;
		dev_begin();
		err = look(&j, &c);
		done(&j);
		if (dev_calls)
			wrong(&t, "planning touched the device", i, 0);
		if (err) {
			t.refused++;
			if (said_lines != 1 || (err != TOOL_LIMIT &&
						err != TOOL_CONFIG))
				wrong(&t, "refused without a reason", i, 0);
			continue;
		}
		there_and_back(&t, &c, &before, i);
	}
	ok(!t.bad && t.applied > 100 && t.refused > 10,
	   "%u resources, %u at most, by %u: %d configurations applied and torn down, %d refused, %d failures undone",
	   total, max, grain, t.applied, t.refused, t.faults);
}

/* -- examples -------------------------------------------------------------------- */

static void fresh(void)
{
	memset(&dev, 0, sizeof(dev));
	dev.autoprobe = true;
	resources(16, 8, 2);
	dev_begin();
}

static struct config_pf some(unsigned int num_vfs, unsigned int queues,
			     unsigned int interrupts)
{
	struct config_pf c = { .where = (char *)"test:1", .num_vfs = num_vfs };

	c.all.queues = queues;
	c.all.interrupts = interrupts;
	return c;
}

static void refuses(const char *what, const struct config_pf *c, int code,
		    const char *text)
{
	struct dev before = dev;
	int err;

	dev_begin();
	err = apply(c);
	ok(err == code && said_lines == 1 && strstr(said, text) &&
	   !dev_calls && dev_same(&dev, &before),
	   "refused, nothing touched: %s (%d: %s)", what, err, said);
}

static void test_limits(void)
{
	static uint32_t four[] = { 4 };
	struct config_pf c;

	fresh();
	c = some(5, 2, 2);
	refuses("more VFs than there can be", &c, TOOL_LIMIT,
		"5 VFs are more than the 4 it can have");
	c = some(1, 10, 2);
	refuses("more queues than one VF can have", &c, TOOL_LIMIT,
		"10 queues are more than the 8 that one VF can have");
	c = some(1, 2, 10);
	refuses("more interrupts than one VF can have", &c, TOOL_LIMIT,
		"10 interrupts are more than the 8");
	c = some(1, 5, 2);
	refuses("a number between two portions", &c, TOOL_LIMIT,
		"only multiples of 2: try 4");
	c = some(3, 8, 2);
	refuses("more queues than all VFs can have", &c, TOOL_LIMIT,
		"3 VFs need 24 queues, but only 16 are available to VFs");
	c = some(1, 0, 2);
	refuses("no number of queues where the VF has none", &c, TOOL_CONFIG,
		"VF 1 has 0 queues");
	c = some(1, 2, 2);
	c.all.nsid = four;
	c.all.nns = 1;
	refuses("a namespace that is not there", &c, TOOL_LIMIT,
		"has no namespace 4");

	/* what a VF that does not exist holds counts, as it is not ours */
	dev.vf[3].count[RESOURCE_QUEUES] = 6;
	c = some(2, 6, 2);
	refuses("more queues than are left by others", &c, TOOL_LIMIT,
		"2 VFs need 12 queues, but only 10 are available");
	c = some(2, 4, 2);
	ok(!apply(&c), "as many as are left by others");

	fresh();
	dev_res[RESOURCE_QUEUES].flexible = false;
	c = some(1, 2, 2);
	refuses("queues of a PF that gives none by command", &c, TOOL_LIMIT,
		"has no command to give queues to VFs");

	fresh();
	c = some(1, 2, 2);
	strcpy(c.all.driver, "missing");
	refuses("a driver that is not there", &c, TOOL_MODULE, "missing");
}

static void test_users(void)
{
	struct config_pf c = some(2, 4, 4);
	struct config_one one = { .vfn = 2, .vf.queues = 8 };

	fresh();
	ok(!apply(&c) && !dev_broken, "two VFs");
	dev.vf[0].open = true;
	dev_begin();
	ok(!apply(&c) && !dev_calls, "as it shall be: a VF in use is no hindrance");
	c.vf = &one;
	c.nvf = 1;
	ok(!apply(&c) && !dev_broken && dev.vf[1].count[0] == 8,
	   "the other VF can change meanwhile");
	*dev.vf[1].driver = 0;
	dev_begin();
	ok(!apply(&c) && !dev_broken && !strcmp(dev.vf[1].driver, "nvme-vfio-pci"),
	   "one that lost its driver gets it back");
	c.num_vfs = 3;
	refuses("the number of VFs with one in use", &c, TOOL_INUSE, "in use");
}

/* everything that its reset takes from a PF's VFs */
static void reset_pf(void)
{
	unsigned int i;

	for (i = 0; i < DEV_VFS; i++) {
		dev.vf[i].online = false;
		memset(dev.vf[i].count, 0, sizeof(dev.vf[i].count));
	}
}

static void test_pf_reset(void)
{
	struct config_pf c = some(2, 4, 4);
	struct dev before;
	int n, bad = 0;

	fresh();
	ok(!apply(&c) && !dev_broken, "two VFs");
	before = dev;
	dev.vf[0].open = true;
	before.vf[0].open = true;
	reset_pf();
	dev_begin();
	ok(!apply(&c) && !dev_broken && dev_same(&dev, &before),
	   "after a reset of the PF its VFs come back, the one in use under its user");

	/* what the user has already got back stays */
	for (n = 1; n < 50; n++) {
		dev = before;
		reset_pf();
		dev_begin();
		dev_fail_at = n;
		if (!apply(&c))
			break;
		bad += dev_broken || strcmp(dev.vf[0].driver, "nvme-vfio-pci");
	}
	ok(n > 8 && n < 50 && !bad, "with a failure at each of %d calls", n - 1);
	c.all.queues = 8;
	reset_pf();
	dev_begin();
	ok(!apply(&c) && !dev_broken && dev.vf[0].count[0] == 8,
	   "and has what the configuration says by now");
	strcpy(c.all.driver, "vfio-pci");
	reset_pf();
	refuses("another driver for a VF in use", &c, TOOL_INUSE, "in use");
}

static void test_swap(void)
{
	struct config_one one = { .vfn = 1, .vf.queues = 8 };
	struct config_pf c = some(2, 2, 2);

	fresh();
	resources(10, 8, 2);
	c.vf = &one;
	c.nvf = 1;
	ok(!apply(&c) && dev.vf[0].count[0] == 8 && dev.vf[1].count[0] == 2,
	   "all the queues there are");
	one.vfn = 2;
	ok(!apply(&c) && !dev_broken && dev.vf[0].count[0] == 2 && dev.vf[1].count[0] == 8,
	   "what one VF gives back another gets");
}

static void test_driver_refuses(void)
{
	struct config_pf c = some(1, 2, 2);
	struct dev before;

	fresh();
	before = dev;
	strcpy(c.all.driver, "refuses");
	ok(apply(&c) == TOOL_FAILED && said_lines == 1 &&
	   strstr(said, "the driver did not bind it") && dev_same(&dev, &before),
	   "a driver that takes nothing: told, and undone (%s)", said);
}

static void test_lies(void)
{
	struct config_pf c = some(2, 4, 4);
	struct dev before;

	fresh();
	before = dev;
	dev_lies = true;
	ok(apply(&c) == TOOL_FAILED && said_lines == 1 &&
	   strstr(said, "verify: VF 1: wrong number of queues") &&
	   dev_same(&dev, &before),
	   "a device that gives less than it says: told, and undone (%s)",
	   said);
}

/* VFs are made by the second call, after autoprobe was switched off */
static void test_no_room(void)
{
	static const struct { int err; const char *said[3]; } t[] = {
		{ -ENOMEM, { "sriov_numvfs", "Above 4G Decoding", "pci=realloc" } },
		{ -ENOSPC, { "sriov_numvfs", "Above 4G Decoding", "dmesg" } },
		{ -EBUSY, { "sriov_numvfs", "meanwhile", "again" } },
		{ -EIO, { "sriov_numvfs", "Input/output", "dmesg | grep " DEV_PF } },
	};
	struct config_pf c = some(2, 4, 4);
	struct dev before;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		fresh();
		before = dev;
		dev_fail_at = 2;
		dev_errno = t[i].err;
		ok(apply(&c) == TOOL_FAILED && said_lines == 1 &&
		   strstr(said, t[i].said[0]) && strstr(said, t[i].said[1]) &&
		   strstr(said, t[i].said[2]) && dev_same(&dev, &before),
		   "no VFs are made (%s): told with what helps, and undone (%s)",
		   strerror(-t[i].err), said);
	}
}

/* Real drives often give everything to the PF itself until told otherwise. */
static void test_primary_holds(void)
{
	struct config_pf c = some(2, 4, 4);

	fresh();
	dev_res[RESOURCE_QUEUES].primary = dev_res[RESOURCE_QUEUES].total;
	dev_res[RESOURCE_INTERRUPTS].primary = dev_res[RESOURCE_INTERRUPTS].total;
	refuses("the PF holds all queues and interrupts", &c, TOOL_LIMIT,
		"nvme virt-mgmt /dev/nvme0 -c 7 -r 0 -a 1 -n 10 && nvme virt-mgmt /dev/nvme0 -c 7 -r 1 -a 1 -n 10 && nvme reset /dev/nvme0");
	c = some(3, 8, 4);
	refuses("the PF holds more than are left, and giving back is not enough", &c,
		TOOL_LIMIT, "3 VFs need 24 queues, but only 0 are available to VFs, and 19 if the PF held none");
}

static void test_stuck(void)
{
	struct config_pf c = some(2, 4, 4);

	fresh();
	dev_begin();
	dev_fail_at = 8;
	dev_fail_again = 9;
	ok(apply(&c) == TOOL_BROKEN && dev.autoprobe && !dev.numvfs,
	   "what can be undone is undone when something cannot");
}

int main(void)
{
	test_limits();
	test_users();
	test_pf_reset();
	test_swap();
	test_driver_refuses();
	test_lies();
	test_no_room();
	test_primary_holds();
	test_stuck();
	test_random(32, 8, 2);
	test_random(16, 8, 1);
	test_random(12, 6, 3);
	return tap_done();
}

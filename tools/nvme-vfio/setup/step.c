// SPDX-License-Identifier: GPL-2.0-only
/*
 * step.c - steps: what each does, how it is undone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool.h"
#include "host/busy.h"
#include "module.h"
#include "step.h"
#include "step_run.h"
#include "util.h"

/* How long a driver may take to appear behind a function, once bound. */
#define BIND_TRIES	50
#define BIND_WAIT_US	20000

struct step *steps_add(struct steps *s, enum step_kind kind, unsigned int vfn)
{
	struct step *more = realloc(s->step, (s->n + 1) * sizeof(*more));

	if (!more) {
		fail(TOOL_FAILED, "out of memory");
		return NULL;
	}
	s->step = more;
	more += s->n++;
	memset(more, 0, sizeof(*more));
	more->kind = kind;
	more->vfn = vfn;
	return more;
}

void steps_free(struct steps *s)
{
	free(s->step);
	memset(s, 0, sizeof(*s));
}

static const char *resource(unsigned int type)
{
	return type == RESOURCE_QUEUES ? "queues" : "interrupts";
}

const char *step_text(const struct step *st)
{
	static char text[POLICY_TEXT + 64];
	char who[32] = "";

	if (st->vfn)
		snprintf(who, sizeof(who), "VF %u: ", st->vfn);
	switch (st->kind) {
	case STEP_DRIVER:
		snprintf(text, sizeof(text), "load driver %s", st->text);
		break;
	case STEP_POLICY:
		snprintf(text, sizeof(text), "set the policy to %s",
			 *st->policy ? st->policy : "the defaults");
		break;
	case STEP_AUTOPROBE:
		snprintf(text, sizeof(text), "set sriov_drivers_autoprobe to %u",
			 st->want);
		break;
	case STEP_NUMVFS:
		snprintf(text, sizeof(text), "set sriov_numvfs to %u", st->want);
		break;
	case STEP_UNBIND:
		snprintf(text, sizeof(text), "%sunbind from %s", who,
			 st->text_was);
		break;
	case STEP_OVERRIDE:
		if (*st->text)
			snprintf(text, sizeof(text),
				 "%sset driver_override to %s", who, st->text);
		else
			snprintf(text, sizeof(text), "%sclear driver_override",
				 who);
		break;
	case STEP_BIND:
		snprintf(text, sizeof(text), "%sbind to %s", who, st->text);
		break;
	case STEP_OFFLINE:
		snprintf(text, sizeof(text), "%stake controller %u offline",
			 who, st->cntlid);
		break;
	case STEP_ASSIGN:
		snprintf(text, sizeof(text), "%sgive controller %u %u %s", who,
			 st->cntlid, st->want, resource(st->type));
		break;
	case STEP_RESET:
		snprintf(text, sizeof(text), "%sreset", who);
		break;
	case STEP_ATTACH:
		snprintf(text, sizeof(text),
			 "%sattach namespace %u to controller %u", who,
			 st->nsid, st->cntlid);
		break;
	case STEP_DETACH:
		snprintf(text, sizeof(text),
			 "%sdetach namespace %u from controller %u", who,
			 st->nsid, st->cntlid);
		break;
	case STEP_ONLINE:
		snprintf(text, sizeof(text), "%sput controller %u online", who,
			 st->cntlid);
		break;
	case STEP_VERIFY:
		snprintf(text, sizeof(text), "verify");
		break;
	}
	return text;
}

/* -- messages: each failure is one line ------------------------------------- */

static int failed(const struct step_ctx *ctx, const struct step *st,
		  const char *why)
{
	return fail(TOOL_FAILED, "%s: %s: %s", ctx->name, step_text(st), why);
}

/* An errno alone does not help: add what would, as far as it is known. */
static int sysfs(const struct step_ctx *ctx, const struct step *st, int err)
{
	const char *bdf = *st->bdf ? st->bdf : ctx->name;
	char why[400];

	if (err >= 0)
		return TOOL_OK;
	if (st->kind == STEP_NUMVFS && (err == -ENOMEM || err == -ENOSPC))
		snprintf(why, sizeof(why), "%s: the host has no room for the VFs' registers or addresses. Fix: enable SR-IOV and MMIO above 4 GiB (\"Above 4G Decoding\") in the firmware setup, or boot with pci=realloc; dmesg | grep %s shows which is missing",
			 strerror(-err), bdf);
	else if (st->kind == STEP_NUMVFS && err == -EBUSY)
		snprintf(why, sizeof(why), "%s: something else changed the number of VFs meanwhile; try again",
			 strerror(-err));
	else
		snprintf(why, sizeof(why), "%s; dmesg | grep %s may say why",
			 strerror(-err), bdf);
	return failed(ctx, st, why);
}

static int command(const struct step_ctx *ctx, const struct step *st, int ret)
{
	if (ret == -ENODEV)
		return fail(TOOL_NODEV, "%s: %s: the PF is gone", ctx->name,
			    step_text(st));
	return ret ? failed(ctx, st, ctrl_error()) : TOOL_OK;
}

/* -- functions ---------------------------------------------------------------- */

/* A VF has no address before it exists, so it is found out only here. */
static int address(const struct step_ctx *ctx, struct step *st)
{
	if (*st->bdf)
		return TOOL_OK;
	if (!sysfs_link(st->bdf, sizeof(st->bdf), HOST_PCI "/%s/virtfn%u",
			ctx->name, st->vfn - 1))
		return TOOL_OK;
	*st->bdf = 0;
	return failed(ctx, st, "there is no such VF");
}

static int set_override(const char *bdf, const char *text)
{
	/* A newline clears it, on every kernel. */
	return sysfs_write(*text ? text : "\n", HOST_PCI "/%s/driver_override",
			   bdf);
}

static bool bound_to(const char *bdf, const char *driver)
{
	char now[HOST_NAME];

	return !sysfs_link(now, sizeof(now), HOST_PCI "/%s/driver", bdf) &&
	       !strcmp(now, driver);
}

static int unbind(const char *bdf, const char *driver)
{
	int err = sysfs_write(bdf, "/sys/bus/pci/drivers/%s/unbind", driver);

	/* Not bound to it: somebody else did the same first. */
	return err == -ENODEV ? 0 : err;
}

static int probe(const char *bdf, const char *driver)
{
	int i, err;

	err = sysfs_write(bdf, "/sys/bus/pci/drivers_probe");
	for (i = 0; !err && !bound_to(bdf, driver); i++) {
		/* The kernel reports success even if nothing took it. */
		if (i == BIND_TRIES)
			return -ENXIO;
		sleep_us(BIND_WAIT_US);
	}
	return err;
}

/*
 * With its override set a driver takes the function whatever its ids are, and
 * whatever the PF's autoprobe says; none other does. The override of the end
 * comes after that. Of a failure nothing is left.
 */
static int bind(const char *bdf, const char *driver, const char *override)
{
	int err = set_override(bdf, driver);

	if (err)
		return err;
	err = probe(bdf, driver);
	if (!strcmp(override, driver))
		return err;
	if (!set_override(bdf, override))
		return err;
	if (!err)
		unbind(bdf, driver);
	set_override(bdf, override);
	return err ? err : -EIO;
}

static int taken(const struct step_ctx *ctx, const struct step *st, int err)
{
	char why[128];

	if (err != -ENXIO)
		return sysfs(ctx, st, err);
	snprintf(why, sizeof(why), "the driver did not bind it; dmesg | grep %s says why",
		 st->bdf);
	return failed(ctx, st, why);
}

/* -- doing ------------------------------------------------------------------- */

static int verify(const struct step_ctx *ctx, const struct step *st)
{
	struct pf_state now;
	char why[256];
	int err;

	err = pf_read(ctx->pf, &now);
	if (!err && !pf_state_is(&now, ctx->want, why, sizeof(why)))
		err = failed(ctx, st, why);
	pf_state_free(&now);
	return err;
}

static int function(const struct step_ctx *ctx, struct step *st)
{
	int err = address(ctx, st);

	if (err)
		return err;
	switch (st->kind) {
	case STEP_UNBIND:
		/* While it is open this would wait, perhaps for ever. */
		err = busy_quick(st->bdf);
		if (err)
			return err;
		return sysfs(ctx, st, unbind(st->bdf, st->text_was));
	case STEP_OVERRIDE:
		return sysfs(ctx, st, set_override(st->bdf, st->text));
	case STEP_BIND:
		return taken(ctx, st, bind(st->bdf, st->text, st->override));
	default:
		return sysfs(ctx, st, sysfs_write("1", HOST_PCI "/%s/reset",
						st->bdf));
	}
}

static int pf_file(const struct step_ctx *ctx, const struct step *st,
		   const char *file, unsigned int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	return sysfs(ctx, st, sysfs_write(text, HOST_PCI "/%s/%s", ctx->name,
					file));
}

static int set_policy(const struct step_ctx *ctx, const struct step *st,
		      const char *words)
{
	char line[POLICY_TEXT + BDF_MAX + 1];
	int err;

	snprintf(line, sizeof(line), "%s %s", ctx->name, words);
	err = sysfs_write(line, POLICY_FILE);
	/* A driver that has gone has none. */
	return err == -ENOENT && !*words ? TOOL_OK : sysfs(ctx, st, err);
}

int step_do(const struct step_ctx *ctx, struct step *st)
{
	struct ctrl *ctrl = ctx->pf ? ctx->pf->ctrl : NULL;

	switch (st->kind) {
	case STEP_DRIVER:
		return module_driver(st->text);
	case STEP_POLICY:
		return set_policy(ctx, st, st->policy);
	case STEP_AUTOPROBE:
		return pf_file(ctx, st, "sriov_drivers_autoprobe", st->want);
	case STEP_NUMVFS:
		return pf_file(ctx, st, "sriov_numvfs", st->want);
	case STEP_UNBIND:
	case STEP_OVERRIDE:
	case STEP_BIND:
	case STEP_RESET:
		return function(ctx, st);
	case STEP_OFFLINE:
		return command(ctx, st, ctrl_virt_mgmt(ctrl, st->cntlid,
						     CTRL_OFFLINE, 0, 0));
	case STEP_ASSIGN:
		return command(ctx, st, ctrl_virt_mgmt(ctrl, st->cntlid,
						     CTRL_ASSIGN, st->type,
						     st->want));
	case STEP_ATTACH:
	case STEP_DETACH:
		return command(ctx, st, ctrl_attach(ctrl, st->nsid, st->cntlid,
						  st->kind == STEP_ATTACH));
	case STEP_ONLINE:
		return command(ctx, st, ctrl_virt_mgmt(ctrl, st->cntlid,
						     CTRL_ONLINE, 0, 0));
	case STEP_VERIFY:
		return verify(ctx, st);
	}
	return TOOL_OK;
}

/* -- undoing ----------------------------------------------------------------- */

static int undo_offline(const struct step_ctx *ctx, const struct step *st)
{
	struct ctrl *ctrl = ctx->pf->ctrl;
	unsigned int type;
	char bdf[BDF_MAX];
	int ret = 0;

	for (type = 0; !ret && type < RESOURCES; type++)
		if (st->count[type])
			ret = ctrl_virt_mgmt(ctrl, st->cntlid, CTRL_ASSIGN,
					     type, st->count[type]);
	if (ret || !st->was)
		return command(ctx, st, ret);
	if (sysfs_link(bdf, sizeof(bdf), HOST_PCI "/%s/virtfn%u", ctx->name,
		       st->vfn - 1))
		return failed(ctx, st, "there is no such VF");
	ret = sysfs_write("1", HOST_PCI "/%s/reset", bdf);
	if (ret)
		return sysfs(ctx, st, ret);
	return command(ctx, st, ctrl_virt_mgmt(ctrl, st->cntlid, CTRL_ONLINE, 0,
					     0));
}

/* The address of a VF that existed before may have changed since. */
static int undo_function(const struct step_ctx *ctx, struct step *st)
{
	int err;

	if (st->vfn)
		*st->bdf = 0;
	err = address(ctx, st);
	if (err)
		return err;
	switch (st->kind) {
	case STEP_UNBIND:
		return taken(ctx, st, bind(st->bdf, st->text_was,
					 st->override_was));
	case STEP_OVERRIDE:
		return sysfs(ctx, st, set_override(st->bdf, st->text_was));
	default:
		return sysfs(ctx, st, unbind(st->bdf, st->text));
	}
}

int step_undo(const struct step_ctx *ctx, struct step *st)
{
	struct ctrl *ctrl = ctx->pf ? ctx->pf->ctrl : NULL;

	/* what a user got back is not taken away again */
	if (st->lost && st->kind != STEP_ATTACH)
		return TOOL_OK;
	switch (st->kind) {
	case STEP_DRIVER:
	case STEP_RESET:
	case STEP_VERIFY:
		return TOOL_OK;
	case STEP_POLICY:
		return set_policy(ctx, st, st->policy_was);
	case STEP_AUTOPROBE:
		return pf_file(ctx, st, "sriov_drivers_autoprobe", st->was);
	case STEP_NUMVFS:
		return pf_file(ctx, st, "sriov_numvfs", st->was);
	case STEP_UNBIND:
	case STEP_OVERRIDE:
	case STEP_BIND:
		return undo_function(ctx, st);
	case STEP_OFFLINE:
		return undo_offline(ctx, st);
	case STEP_ASSIGN:
		return command(ctx, st, ctrl_virt_mgmt(ctrl, st->cntlid,
						     CTRL_ASSIGN, st->type,
						     st->was));
	case STEP_ATTACH:
	case STEP_DETACH:
		return command(ctx, st, ctrl_attach(ctrl, st->nsid, st->cntlid,
						  st->kind == STEP_DETACH));
	case STEP_ONLINE:
		return command(ctx, st, ctrl_virt_mgmt(ctrl, st->cntlid,
						     CTRL_OFFLINE, 0, 0));
	}
	return TOOL_OK;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * module.c - kernel modules, by libkmod.
 */
#include <errno.h>
#include <libkmod.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/tool.h"
#include "module.h"

static bool registered(const char *driver)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s", driver);
	return !access(path, F_OK);
}

static int probe(struct kmod_ctx *ctx, const char *driver)
{
	struct kmod_list *list = NULL, *entry;
	struct kmod_module *mod;
	int err;

	err = kmod_module_new_from_lookup(ctx, driver, &list);
	if (!err && !list)
		err = -ENOENT;
	kmod_list_foreach(entry, list) {
		mod = kmod_module_get_module(entry);
		err = kmod_module_probe_insert_module(mod, 0, NULL, NULL, NULL,
						      NULL);
		kmod_module_unref(mod);
		if (err)
			break;
	}
	kmod_module_unref_list(list);
	return err;
}

static void silent(void *data, int priority, const char *file, int line,
		   const char *fn, const char *format, va_list args)
{
	/* Says in one line what libkmod would, with the fix. */
	(void)data;
	(void)priority;
	(void)file;
	(void)line;
	(void)fn;
	(void)format;
	(void)args;
}

int module_driver(const char *driver)
{
	struct utsname u;
	struct kmod_ctx *ctx;
	int err;

	if (registered(driver))
		return TOOL_OK;
	ctx = kmod_new(NULL, NULL);
	if (!ctx)
		return fail(TOOL_FAILED, "out of memory");
	kmod_set_log_fn(ctx, silent, NULL);
	note("loading module %s", driver);
	err = probe(ctx, driver);
	kmod_unref(ctx);
	uname(&u);
	if (err == -ENOENT)
		return fail(TOOL_MODULE, "there is no module %s for kernel %s: dkms status says whether it was built",
			    driver, u.release);
	if (err == -EKEYREJECTED)
		return fail(TOOL_MODULE, "module %s is not signed by a key that this host trusts: enrol it with mokutil --import, or switch Secure Boot off",
			    driver);
	if (err)
		return fail(TOOL_MODULE, "module %s could not be loaded: %s; the kernel log has more",
			    driver, strerror(err < 0 ? -err : err));
	if (!registered(driver))
		return fail(TOOL_MODULE, "module %s has no PCI driver of that name",
			    driver);
	return TOOL_OK;
}

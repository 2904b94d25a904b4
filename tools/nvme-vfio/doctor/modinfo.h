/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * modinfo.h - questions about kernel modules, answered by libkmod.
 */
#ifndef NVME_VFIO_MODINFO_H
#define NVME_VFIO_MODINFO_H

#include <stdbool.h>
#include <stddef.h>

#define TOOL_SHIM	"nvme-pf-shim"

struct modules;

/** modules_new - for the running kernel. Return: NULL if memory is short. */
struct modules *modules_new(void);

/** modules_free - forget them; NULL is fine */
void modules_free(struct modules *m);

/**
 * struct module - a module's file for this kernel, and what is loaded
 * @path: its file, as modules.dep has it; empty: it is not there
 * @gone: modules.dep names a file that does not exist
 * @signer: who signed it; empty: nobody
 * @srcversion: of the file; may be empty
 * @loaded: it is loaded
 * @loaded_srcversion: of what is loaded; may be empty
 * @blacklisted: modprobe does not load it by an alias
 */
struct module {
	char path[512];
	bool gone;
	char signer[128];
	char srcversion[64];
	bool loaded;
	char loaded_srcversion[64];
	bool blacklisted;
};

/** modules_look - what is known about a module */
void modules_look(struct modules *m, const char *name, struct module *mod);

/**
 * modules_needs - whether a module's file needs a symbol of the kernel's
 *
 * Return: 1, 0, or -1 if it is not known.
 */
int modules_needs(struct modules *m, const char *name, const char *symbol);

/** modules_depends - whether a module's file depends on another module's */
bool modules_depends(struct modules *m, const char *name, const char *other);

/**
 * modules_options - options given to a module by modprobe.d or on the kernel's
 * command line
 *
 * Return: them, or "".
 */
const char *modules_options(struct modules *m, const char *name);

#endif

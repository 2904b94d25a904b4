/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * config.h - how PFs are to be set up: /etc/nvme-vfio/<any name>.conf.
 *
 *	[any name]
 *	serial = S6XYNX0T	or nqn = ..., or address = 0000:3b:00.0;
 *				or model = Samsung PM*, pci = 144d:a80a: all such PFs
 *	num_vfs = 4
 *	policy = media=shared match=firmware firmware=1.0>2.0	see src/policy.h
 *	queues = 9		of each VF, the admin queue included
 *	interrupts = 9
 *	namespaces = 1 3-5	attached to each VF
 *	driver = nvme-vfio-pci	or none
 *	vf2.queues = 17		of one VF, as every key from queues on
 */
#ifndef NVME_VFIO_CONFIG_H
#define NVME_VFIO_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "known.h"

#ifndef CONFIG_ROOT		/* tests have their own */
#define CONFIG_ROOT	""
#endif

/* A file of a later one replaces a file of the same name. */
#define CONFIG_VENDOR	CONFIG_ROOT "/usr/lib/nvme-vfio"
#define CONFIG_RUN	CONFIG_ROOT "/run/nvme-vfio"
#define CONFIG_DIR	CONFIG_ROOT "/etc/nvme-vfio"
#define CONFIG_DIRS	CONFIG_DIR ", " CONFIG_RUN ", " CONFIG_VENDOR
#define CONFIG_VFS	65535

/**
 * struct config_vf - how a VF is to be set up
 * @queues: queue resources; 0: as they are
 * @interrupts: interrupt resources; 0: as they are
 * @driver: empty: the default; "none": no driver
 * @nsid: namespaces to attach; NULL: none asked for
 * @nns: how many
 */
struct config_vf {
	unsigned int queues;
	unsigned int interrupts;
	char driver[64];
	uint32_t *nsid;
	size_t nns;
};

/** enum config_key - what identifies PFs; KEY_LIKE: any number, by what they are */
enum config_key { KEY_NONE, KEY_SERIAL, KEY_NQN, KEY_ADDRESS, KEY_LIKE };

/**
 * struct config_pf - a section
 * @where: "file:line" of its beginning, for messages
 * @name: its name
 * @key: what identifies the PF
 * @id: the serial number, NQN or address
 * @model: of KEY_LIKE: pattern of the model, as of fnmatch(); NULL: any
 * @pci: of KEY_LIKE: "vvvv:dddd"; empty: any
 * @words: what identifies it, as "serial = S6XYNX0T"
 * @bad: something in it is wrong, and was reported
 * @num_vfs: how many VFs
 * @policy: words for the driver; NULL: those that there are, none for an empty text
 * @all: how each VF is to be set up
 * @vf: the same for single VFs, @vfn says which
 * @nvf: how many of them
 */
struct config_pf {
	char *where;
	char *name;
	enum config_key key;
	char *id;
	char *model;
	char pci[10];
	char *words;
	bool bad;
	unsigned int num_vfs;
	char *policy;
	struct config_vf all;
	struct config_one {
		unsigned int vfn;
		struct config_vf vf;
	} *vf;
	size_t nvf;
};

/**
 * struct config - all sections
 * @n: how many
 * @others: of a folder without *.conf: files of other names that are there
 * @names: of the sections
 */
struct config {
	struct config_pf *pf;
	size_t n;
	size_t others;
	struct known names;
};

/**
 * config_load - read a configuration
 * @path: a file, or a folder whose *.conf files are read in order; NULL: those of
 *	the standard folders
 * @c: filled in; config_free() it, also after a failure
 *
 * Return: TOOL_OK, also where the folder is empty or not there; TOOL_CONFIG
 * after saying what is wrong in which line; or TOOL_FAILED.
 */
int config_load(const char *path, struct config *c);

/**
 * config_load_boot - read what the next boot will find in the standard folders
 *
 * Return: as config_load().
 */
int config_load_boot(struct config *c);

/** config_name - what to call it in messages; @path as for config_load() */
const char *config_name(const char *path);

/** config_warn_empty - say it if there is no section; @path as for config_load() */
void config_warn_empty(const char *path, const struct config *c);

/**
 * config_check - read a configuration only to say all that is wrong with it
 *
 * Return: as config_load().
 */
int config_check(const char *path);

/** config_free - forget it */
void config_free(struct config *c);

/**
 * config_of - how one VF is to be set up
 *
 * Return: the section's own words for it over those for all VFs; the driver is
 * never empty. Lists still belong to the configuration.
 */
struct config_vf config_of(const struct config_pf *pf, unsigned int vfn);

#endif

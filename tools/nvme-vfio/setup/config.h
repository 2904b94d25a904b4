/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * config.h - what PFs shall be like: /etc/nvme-vfio/<any name>.conf.
 *
 *	[any name]
 *	serial = S6XYNX0T	or nqn = ..., or address = 0000:3b:00.0
 *	num_vfs = 4
 *	queues = 9		of each VF, the admin queue included
 *	interrupts = 9
 *	namespaces = 1 2	attached to each VF
 *	driver = nvme-vfio-pci	or none
 *	vf2.queues = 17		of one VF, as every key from queues on
 */
#ifndef NVME_VFIO_CONFIG_H
#define NVME_VFIO_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_DIR	"/etc/nvme-vfio"
#define CONFIG_VFS	65535

/**
 * struct config_vf - what a VF shall be like
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

/** enum config_key - what a PF is known by */
enum config_key { KEY_NONE, KEY_SERIAL, KEY_NQN, KEY_ADDRESS };

/**
 * struct config_pf - a section
 * @where: "file:line" of its beginning, for messages
 * @name: its name
 * @key: what the PF is known by
 * @id: the serial number, NQN or address
 * @num_vfs: how many VFs
 * @all: what each VF shall be like
 * @vf: what single VFs shall be like instead, @vfn says which
 * @nvf: how many of them
 */
struct config_pf {
	char *where;
	char *name;
	enum config_key key;
	char *id;
	unsigned int num_vfs;
	struct config_vf all;
	struct config_one {
		unsigned int vfn;
		struct config_vf vf;
	} *vf;
	size_t nvf;
};

struct config {
	struct config_pf *pf;
	size_t n;
};

/**
 * config_load - read a configuration
 * @path: a file, or a folder whose *.conf files are read in order
 * @c: filled in; config_free() it, also after a failure
 *
 * Return: TOOL_OK, also where the folder is empty or not there; TOOL_CONFIG
 * after saying what is wrong in which line; or TOOL_FAILED.
 */
int config_load(const char *path, struct config *c);

/** config_free - forget it */
void config_free(struct config *c);

/**
 * config_of - what one VF shall be like
 *
 * Return: the section's own words for it over those for all VFs; the driver is
 * never empty. Lists still belong to the configuration.
 */
struct config_vf config_of(const struct config_pf *pf, unsigned int vfn);

#endif

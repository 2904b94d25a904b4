/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nvme.h - the few admin commands the tool sends to a PF's controller.
 *
 * The only file that knows libnvme is nvme.c; its newer interface means a
 * change there and nowhere else. Commands are made here and sent through the
 * pass-through, so nothing depends on what a version of the library supports.
 */
#ifndef NVME_VFIO_NVME_H
#define NVME_VFIO_NVME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verdict.h"

struct ctrl;

/**
 * ctrl_open - open a controller of the kernel's nvme driver
 * @name: such as "nvme0"
 * @ctrl: set; ctrl_close() it
 *
 * Return: 0, or a negative errno; ctrl_error() has the words.
 */
int ctrl_open(const char *name, struct ctrl **ctrl);

/** ctrl_close - close it; NULL is fine */
void ctrl_close(struct ctrl *ctrl);

/**
 * ctrl_error - what went wrong with the last command, in words
 *
 * Return: such as "Virtualization Management: Invalid Controller Identifier
 * (11fh)"; valid until the next command.
 */
const char *ctrl_error(void);

/**
 * struct ctrl_cmd - an admin command
 * @name: for messages
 */
struct ctrl_cmd {
	const char *name;
	uint8_t opcode;
	uint32_t nsid;
	uint32_t cdw10;
	uint32_t cdw11;
};

/**
 * ctrl_admin - send an admin command
 * @data: buffer to send or to fill, as bits 1:0 of the opcode say; or NULL
 * @len: its length in bytes
 *
 * Return: 0; a positive NVMe status (type << 8 | code); or a negative errno:
 * -ENODEV if the controller is gone.
 */
int ctrl_admin(struct ctrl *ctrl, const struct ctrl_cmd *cmd, void *data,
	       size_t len);

/**
 * struct ctrl_id - what the tool needs from Identify Controller
 * @cntlid: controller id
 * @version: of the specification, as in register VS
 * @ns_mgmt: it can attach namespaces
 * @virt_mgmt: it has secondary controllers and can give them resources
 * @migration: it has the standard's migration commands
 * @vendor_byte: byte 3072 is what it is in the vendor set of 2022
 * @track_memory: it can track what its VFs write to memory
 */
struct ctrl_id {
	uint16_t cntlid;
	uint32_t version;
	bool ns_mgmt;
	bool virt_mgmt;
	bool migration;
	bool vendor_byte;
	bool track_memory;
};

/** ctrl_identify - Identify Controller. Return: as ctrl_admin(). */
int ctrl_identify(struct ctrl *ctrl, struct ctrl_id *id);

/**
 * ctrl_format - find the format of state that the driver uses
 * @all: set to all that the PF lists, LM_FORMATS_LEN bytes; may be NULL
 * @why: set to NULL, or to why there is none
 *
 * Return: as ctrl_admin().
 */
int ctrl_format(struct ctrl *ctrl, uint8_t *all, struct state_format *format,
		const char **why);

/**
 * struct ctrl_resource - flexible resources of one type
 * @flexible: secondary controllers get theirs by command
 * @total: how many there are
 * @assigned: how many the secondary controllers have now
 * @primary: how many of them the primary controller keeps
 * @private: how many it has beside them, which it cannot give away
 * @max: most that one secondary controller can have
 * @grain: they are given in multiples of this
 */
struct ctrl_resource {
	bool flexible;
	uint32_t total;
	uint32_t assigned;
	uint32_t primary;
	uint32_t private;
	uint16_t max;
	uint16_t grain;
};

enum { RESOURCE_QUEUES, RESOURCE_INTERRUPTS, RESOURCES };

/**
 * ctrl_resources - Primary Controller Capabilities
 * @res: filled in, one for each type
 *
 * Return: as ctrl_admin().
 */
int ctrl_resources(struct ctrl *ctrl, uint16_t cntlid,
		   struct ctrl_resource res[RESOURCES]);

/** struct ctrl_secondary - an entry of the Secondary Controller List */
struct ctrl_secondary {
	uint16_t cntlid;
	uint16_t primary;
	uint16_t vfn;
	bool online;
	uint16_t nvq;
	uint16_t nvi;
};

/**
 * ctrl_secondaries - the whole Secondary Controller List
 * @list: set; free() it
 * @n: how many
 *
 * Return: as ctrl_admin().
 */
int ctrl_secondaries(struct ctrl *ctrl, struct ctrl_secondary **list,
		     size_t *n);

/**
 * ctrl_namespaces - namespaces that are allocated in the subsystem
 * @list: set; free() it
 * @n: how many
 *
 * Return: as ctrl_admin().
 */
int ctrl_namespaces(struct ctrl *ctrl, uint32_t **list, size_t *n);

/**
 * ctrl_attached - controllers that a namespace is attached to
 * @list: set; free() it
 * @n: how many
 *
 * Return: as ctrl_admin().
 */
int ctrl_attached(struct ctrl *ctrl, uint32_t nsid, uint16_t **list,
		  size_t *n);

/**
 * ctrl_namespace - what a namespace is, as far as the PF says
 * @own: the PF has it as well, and can be asked for its descriptors
 * @ns: filled in
 *
 * Return: as ctrl_admin(), but what the PF refuses to say is not known.
 */
int ctrl_namespace(struct ctrl *ctrl, uint32_t nsid, bool own,
		   struct stream_namespace *ns);

enum ctrl_action {
	CTRL_OFFLINE = 7,
	CTRL_ASSIGN = 8,
	CTRL_ONLINE = 9,
};

/**
 * ctrl_virt_mgmt - Virtualization Management of a secondary controller
 * @type: RESOURCE_QUEUES or RESOURCE_INTERRUPTS, for CTRL_ASSIGN
 * @count: how many of them
 *
 * Return: as ctrl_admin().
 */
int ctrl_virt_mgmt(struct ctrl *ctrl, uint16_t cntlid, enum ctrl_action act,
		   unsigned int type, unsigned int count);

/**
 * ctrl_give_back - the commands by which a primary controller releases
 * resources that it keeps
 * @name: of the controller, such as "nvme0"
 * @keep: how many of each type it is to keep
 *
 * Return: a shell command; valid until the next call. It ends in a reset of the
 * controller, with which they take effect.
 */
const char *ctrl_give_back(const char *name, uint16_t cntlid,
			   const unsigned int keep[RESOURCES]);

/**
 * ctrl_attach - attach a namespace to a controller, or detach it
 *
 * Return: as ctrl_admin().
 */
int ctrl_attach(struct ctrl *ctrl, uint32_t nsid, uint16_t cntlid,
		bool attach);

#endif

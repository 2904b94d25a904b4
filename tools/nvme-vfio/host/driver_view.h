/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * driver_view.h - what our driver says about a function that is bound to it, in
 * sysfs: docs/ABI.md. Needs no privilege and no command to a drive.
 */
#ifndef NVME_VFIO_DRIVER_VIEW_H
#define NVME_VFIO_DRIVER_VIEW_H

#include <json-c/json.h>
#include <stdbool.h>

#define DRIVER_VIEW_MAX	256	/* longest value */

/** enum driver_can - whether the driver says that a function can migrate */
enum driver_can {
	DRIVER_UNKNOWN,		/* it does not say */
	DRIVER_NO,
	DRIVER_NOT_NOW,		/* it asks the PF again when the VF is opened */
	DRIVER_YES,
};

/**
 * struct driver_view - the values as they are there; empty: not known
 * @can: what @migratable means
 * @command_set: "standard", "vendor", "none"
 * @cntlid: controller id, -1: not known
 * @format: of the states that are sent, or "none"
 * @tracking: "yes", or "no: " and why
 * @migratable: "yes", "no", "not now"
 * @reason: why not
 * @state: state of the migration, as VFIO calls it, or "none"
 * @last_error: what failed last
 */
struct driver_view {
	enum driver_can can;
	char command_set[32];
	long cntlid;
	char format[64];
	char tracking[32];
	char migratable[32];
	char reason[DRIVER_VIEW_MAX];
	char state[32];
	char last_error[DRIVER_VIEW_MAX];
};

/**
 * driver_view_read - read it anew
 * @bdf: the function; one that is bound elsewhere, or to a driver that is older
 *	than the files, has nothing that is known
 */
void driver_view_read(struct driver_view *v, const char *bdf);

/**
 * driver_view_text - in half a line, as the driver has it in the kernel log
 *
 * Return: @text; empty: the driver says nothing.
 */
const char *driver_view_text(const struct driver_view *v, char *text,
			     size_t len);

/** driver_view_json - as docs/tool-json.md has it; NULL: the driver says nothing */
json_object *driver_view_json(const struct driver_view *v);

#endif

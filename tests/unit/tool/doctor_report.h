/* SPDX-License-Identifier: GPL-2.0-only */
/* doctor_report.h - a report of doctor: one host with one VF, in which a test changes things. */
#ifndef DOCTOR_REPORT_H
#define DOCTOR_REPORT_H

#include <json-c/json.h>

#define UUID1	"6f1c27904b8e4d359a52e10d73b628c4"
#define UUID2	"00000000000000000000000000000002"

#define REPORT_VF \
	"{\"address\": \"0000:01:00.1\", \"role\": \"vf\", \"pf\": \"0000:01:00.0\"," \
	" \"pci_id\": \"1b36:0010\", \"model\": \"Model X\", \"firmware\": \"1.0\"," \
	" \"command_set\": \"standard\", \"nvme_version\": \"2.1.0\"," \
	" \"state_version\": 0, \"state_uuid\": \"" UUID1 "\"," \
	" \"state_formats\": {\"versions\": [0], \"uuids\": [\"" UUID1 "\"]}," \
	" \"tracks_memory\": true, \"namespace_digest\": null, \"namespace_count\": null," \
	" \"namespaces\": null, \"policy\": \"\", \"queues\": 4, \"interrupts\": 3," \
	" \"state_bytes\": null}"
#define REPORT_HOST \
	"{\"name\": \"a\", \"machine\": \"x86_64\", \"kernel\": \"6.12\"," \
	" \"dirty_tracking\": true, \"qemu\": \"10.0.2\", \"libvirt\": \"11.3.0\"," \
	" \"max_state_mb\": 1024}"

/* @value: JSON */
static inline json_object *with(json_object *o, const char *key,
				const char *value)
{
	if (key)
		json_object_object_add(o, key, json_tokener_parse(value));
	return o;
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two reports compared: each part of a VF's identity alone, and what cannot be
 * understood.
 */
#include <string.h>

#include "doctor/check.h"
#include "doctor/peer.h"
#include "tap.h"

#define VF \
	"{\"address\": \"0000:01:00.1\", \"role\": \"vf\", \"pf\": \"0000:01:00.0\"," \
	" \"pci_id\": \"1b36:0010\", \"model\": \"M\", \"firmware\": \"1\"," \
	" \"command_set\": \"standard\", \"nvme_version\": \"1.4.0\"," \
	" \"state_version\": 0, \"state_uuid\": \"6f1c27904b8e4d359a52e10d73b628c4\"," \
	" \"queues\": 4, \"interrupts\": 3, \"state_bytes\": 1272}"
#define HOST \
	"{\"name\": \"b\", \"machine\": \"x86_64\", \"kernel\": \"6.12\"," \
	" \"dirty_tracking\": true, \"qemu\": \"10.0.2\", \"libvirt\": \"11.3.0\"," \
	" \"max_state_mb\": 1024}"

static char answers[1024];

static void emit(void *arg, const char *id, const char *function,
		 struct answer *a)
{
	size_t len = strlen(answers);

	(void)arg;
	(void)function;
	if (a->status != CHECK_OK)
		snprintf(answers + len, sizeof(answers) - len, "%s=%s ", id,
			 check_status_name(a->status));
}

/* All that is not well when @here moves to @there. */
static const char *compare(json_object *here, json_object *there)
{
	json_object *host = json_tokener_parse(HOST);
	json_object *functions = json_object_new_array();
	json_object *peer = json_object_new_object();
	json_object *others = json_object_new_array();

	json_object_array_add(functions, here);
	json_object_array_add(others, there);
	json_object_object_add(peer, "host", json_tokener_parse(HOST));
	json_object_object_add(peer, "functions", others);
	json_object_object_add(peer, "checks", json_object_new_array());
	*answers = 0;
	peer_compare(host, functions, peer, emit, NULL);
	json_object_put(host);
	json_object_put(functions);
	json_object_put(peer);
	return answers;
}

static json_object *vf(const char *key, const char *value)
{
	json_object *o = json_tokener_parse(VF);

	if (key)
		json_object_object_add(o, key, json_tokener_parse(value));
	return o;
}

static void one(const char *key, const char *value, const char *want)
{
	const char *got = compare(vf(NULL, NULL), vf(key, value));

	ok(!strcmp(got, want), "%s there is %s: %s", key, value,
	   *got ? got : "well");
	if (strcmp(got, want))
		printf("# expected: %s\n", want);
}

int main(void)
{
	static const char long_model[] =
		"\"M                                       2\"";

	ok(!*compare(vf(NULL, NULL), vf(NULL, NULL)), "the same");
	one("command_set", "\"vendor\"", "peer-command-set=fail peer=fail ");
	one("model", "\"M2\"", "peer-model=fail peer=fail ");
	one("firmware", "\"12\"", "peer-firmware=fail peer=fail ");
	one("pci_id", "\"1b36:0011\"", "peer-pci-id=fail peer=fail ");
	one("pci_id", "\"1b37:0010\"", "peer-pci-id=fail peer=fail ");
	one("nvme_version", "\"1.4.1\"", "peer-nvme-version=fail peer=fail ");
	one("nvme_version", "\"2.4.0\"", "peer-nvme-version=fail peer=fail ");
	one("state_version", "1", "peer-format=fail peer=fail ");
	one("state_uuid", "\"6f1c27904b8e4d359a52e10d73b628c5\"",
	    "peer-format=fail peer=fail ");
	one("state_uuid", "null", "peer-format=fail peer=fail ");
	one("queues", "3", "peer-queues=fail peer=fail ");
	one("queues", "5", "peer-queues=warn ");
	one("interrupts", "2", "peer-interrupts=fail peer=fail ");
	one("interrupts", "4", "peer-interrupts=warn ");

	/* not known, or not what it says it is */
	one("command_set", "null", "peer-command-set=unknown peer=unknown ");
	one("command_set", "\"other\"", "peer-command-set=unknown peer=unknown ");
	one("model", "null", "peer-model=unknown peer=unknown ");
	one("model", long_model, "peer-model=unknown peer=unknown ");
	one("firmware", "\"123456789\"", "peer-firmware=unknown peer=unknown ");
	one("pci_id", "\"1b36\"", "peer-pci-id=unknown peer=unknown ");
	one("nvme_version", "\"1.4\"", "peer-nvme-version=unknown peer=unknown ");
	one("state_version", "65536", "peer-format=unknown peer=unknown ");
	one("state_uuid", "\"6f1c\"", "peer-format=unknown peer=unknown ");
	one("state_uuid", "\"6f1c27904b8e4d359a52e10d73b628cg\"",
	    "peer-format=unknown peer=unknown ");
	one("queues", "-1", "peer-queues=unknown peer=unknown ");
	one("interrupts", "65540", "peer-interrupts=unknown peer=unknown ");
	return tap_done();
}

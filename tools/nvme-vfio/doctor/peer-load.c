// SPDX-License-Identifier: GPL-2.0-only
/*
 * peer-load.c - reads the report of another host, and trusts none of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "base/tool.h"
#include "peer.h"

#define MAX_FILE	(4 << 20)
#define MAX_DEPTH	8

/* A key that is checked. */
struct field {
	const char *key;
	enum json_type type;
	bool must;		/* not null */
};

static const struct field host_fields[] = {
	{ "name", json_type_string },
	{ "machine", json_type_string },
	{ "kernel", json_type_string },
	{ "dirty_tracking", json_type_boolean },
	{ "qemu", json_type_string },
	{ "libvirt", json_type_string },
	{ "max_state_mb", json_type_int },
	{ }
};

static const struct field function_fields[] = {
	{ "address", json_type_string, true },
	{ "role", json_type_string, true },
	{ "pf", json_type_string },
	{ "pci_id", json_type_string },
	{ "model", json_type_string },
	{ "firmware", json_type_string },
	{ "command_set", json_type_string },
	{ "nvme_version", json_type_string },
	{ "state_version", json_type_int },
	{ "state_uuid", json_type_string },
	{ "queues", json_type_int },
	{ "interrupts", json_type_int },
	{ "state_bytes", json_type_int },
	{ }
};

static const struct field check_fields[] = {
	{ "id", json_type_string, true },
	{ "function", json_type_string },
	{ "status", json_type_string, true },
	{ }
};

/* The first key that is wrong; NULL: none is. */
static const char *wrong_field(json_object *o, const struct field *f)
{
	json_object *v;

	if (!json_object_is_type(o, json_type_object))
		return "{}";
	for (; f->key; f++) {
		if (!json_object_object_get_ex(o, f->key, &v))
			return f->key;
		if (v ? !json_object_is_type(v, f->type) : f->must)
			return f->key;
	}
	return NULL;
}

static const char *wrong_list(json_object *top, const char *key,
			      const struct field *f)
{
	json_object *list = json_object_object_get(top, key);
	const char *bad = NULL;
	size_t i;

	if (!json_object_is_type(list, json_type_array))
		return key;
	for (i = 0; !bad && i < json_object_array_length(list); i++)
		bad = wrong_field(json_object_array_get_idx(list, i), f);
	return bad;
}

static int look_at(const char *name, json_object *top)
{
	json_object *command, *version;
	const char *bad;

	if (!json_object_is_type(top, json_type_object) ||
	    !json_object_object_get_ex(top, "command", &command) ||
	    !json_object_is_type(command, json_type_string) ||
	    strcmp(json_object_get_string(command), "doctor") ||
	    !json_object_object_get_ex(top, "version", &version) ||
	    !json_object_is_type(version, json_type_int))
		return fail(TOOL_CONFIG, "%s: not a report of \"" TOOL_NAME " doctor --json\"",
			    name);
	if (json_object_get_int(version) != REPORT_VERSION)
		return fail(TOOL_CONFIG, "%s: the report has version %s, but this host needs version %d: use the same " TOOL_NAME " on both hosts",
			    name, json_object_get_string(version),
			    REPORT_VERSION);
	bad = wrong_field(json_object_object_get(top, "host"), host_fields);
	if (!bad)
		bad = wrong_list(top, "functions", function_fields);
	if (!bad)
		bad = wrong_list(top, "checks", check_fields);
	if (bad)
		return fail(TOOL_CONFIG, "%s: damaged at \"%s\": make it again with " TOOL_NAME " doctor --json",
			    name, bad);
	return TOOL_OK;
}

/* Reads to the end; NULL: not possible, errno says why. */
static char *slurp(FILE *f, size_t *len)
{
	char *data = malloc(MAX_FILE);

	if (!data)
		return NULL;
	*len = fread(data, 1, MAX_FILE, f);
	if (*len < MAX_FILE && !ferror(f))
		return data;
	if (!ferror(f))
		errno = EFBIG;
	free(data);
	return NULL;
}

static json_object *parse(const char *data, size_t len)
{
	struct json_tokener *t = json_tokener_new_ex(MAX_DEPTH);
	json_object *top = NULL;
	size_t end;

	if (!t)
		return NULL;
	top = json_tokener_parse_ex(t, data, len);
	if (json_tokener_get_error(t) != json_tokener_success) {
		json_object_put(top);
		top = NULL;
	}
	end = json_tokener_get_parse_end(t);
	json_tokener_free(t);
	while (top && end < len && strchr(" \t\r\n", data[end]))
		end++;
	if (top && end < len) {
		json_object_put(top);
		top = NULL;
	}
	return top;
}

int peer_load(const char *file, json_object **peer)
{
	bool input = !strcmp(file, "-");
	const char *name = input ? "standard input" : file;
	FILE *f = input ? stdin : fopen(file, "re");
	size_t len;
	char *data;
	int err;

	*peer = NULL;
	data = f ? slurp(f, &len) : NULL;
	err = errno;
	if (f && !input)
		fclose(f);
	if (!data)
		return fail(TOOL_CONFIG, "%s: %s; make it on the other host with \"" TOOL_NAME " doctor --json\"",
			    name, strerror(err));
	*peer = parse(data, len);
	free(data);
	if (!*peer)
		return fail(TOOL_CONFIG, "%s: not JSON: make it again with " TOOL_NAME " doctor --json",
			    name);
	err = look_at(name, *peer);
	if (err) {
		json_object_put(*peer);
		*peer = NULL;
	}
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * report-lists.c - lists of a report: see report-lists.h.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report-lists.h"

#define UUID_LEN	16

json_object *report_bytes(const uint8_t *from, size_t len)
{
	char s[2 * UUID_LEN + 1];
	size_t i;

	for (i = 0; i < len && i < UUID_LEN; i++)
		sprintf(s + 2 * i, "%02x", from[i]);
	return json_object_new_string(s);
}

bool peer_bytes(const char *text, uint8_t *to, size_t len)
{
	unsigned int byte;
	size_t i;

	if (!text || strlen(text) != 2 * len ||
	    strspn(text, "0123456789abcdef") != 2 * len)
		return false;
	for (i = 0; i < len; i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		to[i] = byte;
	}
	return true;
}

/* A number of at most this many bits. */
static bool number(json_object *o, const char *key, unsigned int bits,
		   uint64_t *n)
{
	json_object *v = json_object_object_get(o, key);
	int64_t got = json_object_get_int64(v);

	*n = got;
	return json_object_is_type(v, json_type_int) && got >= 0 &&
	       (bits > 62 || got < (int64_t)1 << bits);
}

/* -- namespaces ----------------------------------------------------------------- */

static json_object *namespace(const struct stream_namespace *n)
{
	bool told = n->flags & NS_F_STRUCT;
	bool named = n->flags & NS_F_DESCRIPTORS;
	json_object *o = json_object_new_object();

	json_object_object_add(o, "nsid",
			       json_object_new_int64(le32toh(n->nsid)));
	json_object_object_add(o, "block_shift", !told ? NULL :
			       json_object_new_int64(n->lba_shift));
	json_object_object_add(o, "blocks", !told ? NULL :
			       json_object_new_int64(le64toh(n->blocks)));
	json_object_object_add(o, "metadata", !told ? NULL :
			       json_object_new_int64(le16toh(n->metadata)));
	json_object_object_add(o, "extended", !told ? NULL :
			       json_object_new_int64(n->extended));
	json_object_object_add(o, "protection", !told ? NULL :
			       json_object_new_int64(n->protection));
	json_object_object_add(o, "nguid", !n->flags ? NULL :
			       report_bytes(n->nguid, sizeof(n->nguid)));
	json_object_object_add(o, "eui64", !n->flags ? NULL :
			       report_bytes(n->eui64, sizeof(n->eui64)));
	json_object_object_add(o, "uuid", !named ? NULL :
			       report_bytes(n->uuid, sizeof(n->uuid)));
	return o;
}

json_object *report_namespaces(const struct stream_namespaces *ns)
{
	json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < lm_le16(&ns->listed); i++)
		json_object_array_add(list, namespace(&ns->ns[i]));
	return list;
}

static const char *text(json_object *o, const char *key)
{
	return json_object_get_string(json_object_object_get(o, key));
}

static bool structure(json_object *o, struct stream_namespace *n)
{
	uint64_t shift, blocks, metadata, extended, protection;

	if (!json_object_object_get(o, "block_shift"))
		return true;
	if (!number(o, "block_shift", 8, &shift) ||
	    !number(o, "blocks", 63, &blocks) ||
	    !number(o, "metadata", 16, &metadata) ||
	    !number(o, "extended", 1, &extended) ||
	    !number(o, "protection", 8, &protection))
		return false;
	n->flags |= NS_F_STRUCT;
	n->lba_shift = shift;
	n->blocks = htole64(blocks);
	n->metadata = htole16(metadata);
	n->extended = extended;
	n->protection = protection;
	return true;
}

static bool one(json_object *o, struct stream_namespace *n)
{
	uint64_t nsid;

	memset(n, 0, sizeof(*n));
	if (!json_object_is_type(o, json_type_object) ||
	    !number(o, "nsid", 32, &nsid) || !structure(o, n))
		return false;
	n->nsid = htole32(nsid);
	if (json_object_object_get(o, "uuid")) {
		if (!peer_bytes(text(o, "uuid"), n->uuid, sizeof(n->uuid)))
			return false;
		n->flags |= NS_F_DESCRIPTORS;
	}
	return !n->flags ||
	       (peer_bytes(text(o, "nguid"), n->nguid, sizeof(n->nguid)) &&
		peer_bytes(text(o, "eui64"), n->eui64, sizeof(n->eui64)));
}

/* As many as the driver lists; the report has what it computes from all. */
static bool take_all(json_object *vf, json_object *list,
		     struct stream_namespaces *ns)
{
	size_t i, n = json_object_array_length(list);
	const char *digest = text(vf, "namespace_digest");
	uint64_t count;
	char *end;

	if (n > NS_MAX_LISTED || !digest ||
	    !number(vf, "namespace_count", 32, &count))
		return false;
	for (i = 0; i < n; i++)
		if (!one(json_object_array_get_idx(list, i), &ns->ns[i]))
			return false;
	ns->known = 1;
	ns->listed = htole16(n);
	ns->count = htole32(count);
	ns->digest = htole64(strtoull(digest, &end, 16));
	return !*end && !ns_fault(ns, ns_len(ns));
}

bool peer_namespaces(json_object *vf, struct stream_namespaces *ns)
{
	json_object *list = json_object_object_get(vf, "namespaces");

	memset(ns, 0, sizeof(*ns));
	if (json_object_is_type(list, json_type_array) &&
	    take_all(vf, list, ns))
		return true;
	memset(ns, 0, sizeof(*ns));
	return false;
}

/* -- formats of state ------------------------------------------------------------ */

json_object *report_formats(const uint8_t *page)
{
	json_object *versions = json_object_new_array();
	json_object *uuids = json_object_new_array();
	json_object *o = json_object_new_object();
	unsigned int i, nv = page[0], at = 2;

	for (i = 0; i < nv; i++, at += 2)
		json_object_array_add(versions,
				      json_object_new_int64(lm_le16(page + at)));
	for (i = 0; i < page[1] && at + UUID_LEN <= LM_FORMATS_LEN;
	     i++, at += UUID_LEN)
		json_object_array_add(uuids, report_bytes(page + at, UUID_LEN));
	json_object_object_add(o, "versions", versions);
	json_object_object_add(o, "uuids", uuids);
	return o;
}

bool peer_formats(json_object *vf, uint8_t *page)
{
	json_object *o = json_object_object_get(vf, "state_formats"), *v, *u;
	size_t i, nv, nu, at = 2;

	memset(page, 0, LM_FORMATS_LEN);
	if (!json_object_is_type(o, json_type_object))
		return false;
	v = json_object_object_get(o, "versions");
	u = json_object_object_get(o, "uuids");
	if (!json_object_is_type(v, json_type_array) ||
	    !json_object_is_type(u, json_type_array))
		return false;
	nv = json_object_array_length(v);
	nu = json_object_array_length(u);
	if (nv > 255 || nu > 255 ||
	    2 + 2 * nv + UUID_LEN * nu > LM_FORMATS_LEN)
		return false;
	page[0] = nv;
	page[1] = nu;
	for (i = 0; i < nv; i++, at += 2) {
		json_object *n = json_object_array_get_idx(v, i);
		int64_t version = json_object_get_int64(n);

		if (!json_object_is_type(n, json_type_int) || version < 0 ||
		    version > 0xffff)
			return false;
		page[at] = version;
		page[at + 1] = version >> 8;
	}
	for (i = 0; i < nu; i++, at += UUID_LEN)
		if (!peer_bytes(json_object_get_string(json_object_array_get_idx(u, i)),
				page + at, UUID_LEN))
			return false;
	return true;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * peer-identity.c - from the words of a report to what the driver compares.
 */
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "peer-identity.h"
#include "report-lists.h"

static const char *text(json_object *o, const char *key)
{
	return json_object_get_string(json_object_object_get(o, key));
}

/* As Identify has text: filled up with spaces. */
static bool padded(json_object *vf, const char *key, __u8 *to, size_t len)
{
	const char *s = text(vf, key);

	if (!s || strlen(s) > len)
		return false;
	memset(to, ' ', len);
	memcpy(to, s, strlen(s));
	return true;
}

static bool number(json_object *vf, const char *key, __le16 *to)
{
	json_object *o = json_object_object_get(vf, key);
	long long n = json_object_get_int64(o);

	*to = htole16(n);
	return o && n >= 0 && n <= 0xffff;
}

static bool cmdset(json_object *vf, __le32 *to)
{
	const char *s = text(vf, "command_set");

	if (!s)
		return false;
	if (!strcmp(s, "standard"))
		*to = htole32(CMDSET_STANDARD);
	else if (!strcmp(s, "vendor"))
		*to = htole32(CMDSET_VENDOR_2022);
	return *to;
}

static bool pci_id(json_object *vf, struct stream_identity *id)
{
	const char *s = text(vf, "pci_id");
	unsigned int vendor, device;

	if (!s || sscanf(s, "%4x:%4x", &vendor, &device) != 2)
		return false;
	id->pci_vendor = htole16(vendor);
	id->pci_device = htole16(device);
	return true;
}

static bool nvme_version(json_object *vf, __le32 *to)
{
	const char *s = text(vf, "nvme_version");
	unsigned int major, minor, tertiary;

	if (!s || sscanf(s, "%5u.%3u.%3u", &major, &minor, &tertiary) != 3 ||
	    major > 0xffff || minor > 0xff || tertiary > 0xff)
		return false;
	*to = htole32(major << 16 | minor << 8 | tertiary);
	return true;
}

static bool format(json_object *vf, struct stream_identity *id)
{
	const char *s = text(vf, "state_uuid");

	if (!number(vf, "state_version", &id->state_version))
		return false;
	if (!s)
		return true;
	id->has_uuid = peer_bytes(s, id->uuid, sizeof(id->uuid));
	return id->has_uuid;
}

void peer_identity(json_object *vf, struct peer_identity *p)
{
	struct stream_identity *id = &p->id;
	bool *known = p->known;

	memset(p, 0, sizeof(*p));
	known[IDENTITY_CMDSET] = cmdset(vf, &id->cmdset);
	known[IDENTITY_MODEL] = padded(vf, "model", id->model,
				       sizeof(id->model));
	known[IDENTITY_FIRMWARE] = padded(vf, "firmware", id->firmware,
					  sizeof(id->firmware));
	known[IDENTITY_PCI_ID] = pci_id(vf, id);
	known[IDENTITY_NVME_VERSION] = nvme_version(vf, &id->nvme_version);
	known[IDENTITY_FORMAT] = format(vf, id);
	known[IDENTITY_QUEUES] = number(vf, "queues", &id->nvq);
	known[IDENTITY_INTERRUPTS] = number(vf, "interrupts", &id->nvi);
	p->has_formats = peer_formats(vf, p->formats);
	peer_namespaces(vf, &p->namespaces);
}

bool peer_policy(json_object *vf, struct policy *policy)
{
	const char *words = text(vf, "policy"), *bad;
	unsigned int len;

	memset(policy, 0, sizeof(*policy));
	return words && !nvme_vfio_policy_parse(policy, words, &bad, &len);
}

bool peer_sends(struct peer_identity *p, const struct policy *policy)
{
	struct state_format f;

	if (!policy->has_format || !p->has_formats)
		return true;
	if (!nvme_vfio_pick_format(p->formats, policy->version,
				   policy->has_uuid ? policy->uuid : NULL, &f))
		return false;
	p->id.state_version = htole16(f.version);
	memcpy(p->id.uuid, f.uuid, sizeof(p->id.uuid));
	p->id.has_uuid = 1;
	return true;
}

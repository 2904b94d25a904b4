/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a state is taken from, and where it can be loaded. Pure, and plain C:
 * also compiled in user space, by whoever must come to the same verdict.
 *
 * A new field needs a place in the struct, out of what is reserved, the next
 * STREAM_MINOR, a line in identity_fits(), or a part of its own with its words,
 * and a line in nvme_vfio_fill_identity(). From a source that does not know it
 * the field is 0.
 */
#ifndef _NVME_VFIO_IDENTITY_H
#define _NVME_VFIO_IDENTITY_H

#include <linux/string.h>
#include <linux/types.h>

#include "lm_caps.h"
#include "namespaces.h"
#include "policy.h"

#define STREAM_MAGIC		"NVMEVFIO"
#define STREAM_MAJOR		1	/* readers refuse another one */
#define STREAM_MINOR		2	/* additions a reader may ignore */

/* From this minor version on NAMESPACES follows, see namespaces.h. */
#define STREAM_MINOR_NAMESPACES	2

/**
 * struct stream_identity - payload of the stream's first record
 * @magic: STREAM_MAGIC
 * @major: STREAM_MAJOR
 * @minor: STREAM_MINOR
 * @cmdset: command set the state was read with: enum cmdset_id
 * @model: model number of the controller, as in Identify
 * @firmware: its firmware revision
 * @pci_vendor: PCI vendor id of the VF
 * @pci_device: PCI device id of the VF
 * @nvq: virtual queue resources of the VF, 0 = not known
 * @nvi: virtual interrupt resources of the VF, 0 = not known
 * @nvme_version: VS of the controller
 * @state_version: version of the NVMe part of the state (standard set)
 * @has_uuid: 1: there is a vendor specific part, laid out as @uuid says
 * @reserved1: 0
 * @size_hint: bytes of state that are to be expected, 0 = not known; minor 1
 * @data_hint: largest DATA payload to be expected, bytes, 0 = not known;
 *	minor 1
 * @reserved2: 0
 * @uuid: format of the vendor specific part
 */
struct stream_identity {
	__u8	magic[8];
	__le16	major;
	__le16	minor;
	__le32	cmdset;
	__u8	model[40];
	__u8	firmware[8];
	__le16	pci_vendor;
	__le16	pci_device;
	__le16	nvq;
	__le16	nvi;
	__le32	nvme_version;
	__le16	state_version;
	__u8	has_uuid;
	__u8	reserved1;
	__le64	size_hint;
	__le32	data_hint;
	__u8	reserved2[20];
	__u8	uuid[16];
};

/* What is compared, the most telling first. */
enum identity_part {
	IDENTITY_CMDSET,
	IDENTITY_MODEL,
	IDENTITY_FIRMWARE,
	IDENTITY_PCI_ID,
	IDENTITY_NVME_VERSION,
	IDENTITY_FORMAT,
	IDENTITY_QUEUES,
	IDENTITY_INTERRUPTS,
	IDENTITY_PARTS
};

/**
 * struct identity_rules - what counts at the destination
 * @policy: what its administrator allows; NULL = nothing beyond the defaults
 * @formats: all formats that its PF lists, as nvme_vfio_pick_format() wants them; NULL =
 *	the one that it would send
 */
struct identity_rules {
	const struct policy *policy;
	const __u8 *formats;
};

static inline bool identity_has_format(const struct stream_identity *from,
				       const struct stream_identity *here,
				       const struct identity_rules *rules)
{
	struct state_format f;

	if (from->has_uuid && here->has_uuid && rules->formats)
		return nvme_vfio_pick_format(rules->formats,
					     lm_le16(&from->state_version),
					     from->uuid, &f);
	return from->state_version == here->state_version &&
	       from->has_uuid == here->has_uuid &&
	       !memcmp(from->uuid, here->uuid, sizeof(from->uuid));
}

/**
 * identity_fits - can a state be loaded, as far as this part is concerned?
 * @from: what it was taken from; not trusted
 * @here: where it is to be loaded
 * @rules: what counts there
 * @part: what to look at
 */
static inline bool identity_fits(const struct stream_identity *from,
				 const struct stream_identity *here,
				 const struct identity_rules *rules,
				 enum identity_part part)
{
	bool any = rules->policy && rules->policy->match == POLICY_FORMAT;
	bool other = nvme_vfio_policy_lets_firmware(rules->policy,
						    from->firmware,
						    here->firmware);

	switch (part) {
	case IDENTITY_CMDSET:
		return from->cmdset == here->cmdset;
	case IDENTITY_MODEL:
		return any || !memcmp(from->model, here->model,
				      sizeof(from->model));
	case IDENTITY_FIRMWARE:
		return other || !memcmp(from->firmware, here->firmware,
					sizeof(from->firmware));
	case IDENTITY_PCI_ID:
		return from->pci_vendor == here->pci_vendor &&
		       from->pci_device == here->pci_device;
	case IDENTITY_NVME_VERSION:
		return other || from->nvme_version == here->nvme_version;
	case IDENTITY_FORMAT:
		return identity_has_format(from, here, rules);
	case IDENTITY_QUEUES:
		return lm_le16(&from->nvq) <= lm_le16(&here->nvq);
	case IDENTITY_INTERRUPTS:
		/* The size of the MSI-X table: config space has to be the same. */
		return !lm_le16(&from->nvi) ||
		       lm_le16(&from->nvi) == lm_le16(&here->nvi);
	case IDENTITY_PARTS:
		break;
	}
	return false;
}

/**
 * identity_misfit - may a state with this identity be loaded?
 * @from: what it was taken from; not trusted
 * @here: where it is to be loaded
 * @rules: what counts there
 *
 * Return: NULL, or what is in the way
 */
static inline const char *identity_misfit(const struct stream_identity *from,
					  const struct stream_identity *here,
					  const struct identity_rules *rules)
{
	static const char * const why[IDENTITY_PARTS] = {
		[IDENTITY_CMDSET] = "the state is from the other command set",
		[IDENTITY_MODEL] = "the state is from another model",
		[IDENTITY_FIRMWARE] = "the state is from another firmware revision",
		[IDENTITY_PCI_ID] = "the state is from a function with another PCI id",
		[IDENTITY_NVME_VERSION] = "the state is from another NVMe version",
		[IDENTITY_FORMAT] = "the state has a format that this device does not support",
		[IDENTITY_QUEUES] = "this VF has fewer queues than the state needs",
		[IDENTITY_INTERRUPTS] = "this VF has a different number of interrupts",
	};
	unsigned int i;

	for (i = 0; i < IDENTITY_PARTS; i++)
		if (!identity_fits(from, here, rules, i))
			return why[i];
	return NULL;
}

#endif

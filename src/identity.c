// SPDX-License-Identifier: GPL-2.0-only
/*
 * The identity of a VF, from what was found out about it: see identity.h.
 */
#include "nvme_vf.h"

void nvme_vfio_fill_identity(const struct nvme_vf *vf, struct vf_facts *f,
			     const struct cmdset *set,
			     const struct nvme_id_ctrl *id)
{
	struct stream_identity *me = &f->identity;

	memset(me, 0, sizeof(*me));
	memcpy(me->magic, STREAM_MAGIC, sizeof(me->magic));
	me->major = cpu_to_le16(STREAM_MAJOR);
	me->minor = cpu_to_le16(STREAM_MINOR);
	me->cmdset = cpu_to_le32(set->id);
	memcpy(me->model, id->mn, sizeof(me->model));
	memcpy(me->firmware, id->fr, sizeof(me->firmware));
	me->pci_vendor = cpu_to_le16(vf->pdev->vendor);
	me->pci_device = cpu_to_le16(vf->pdev->device);
	me->nvq = cpu_to_le16(f->nvq);
	me->nvi = cpu_to_le16(f->nvi);
	me->nvme_version = id->ver;
	me->state_version = cpu_to_le16(f->format.version);
	me->has_uuid = f->format.index.uuid != 0;
	memcpy(me->uuid, f->format.uuid, sizeof(me->uuid));
}

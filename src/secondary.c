// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of its secondary controllers is a VF to the PF? From the Secondary
 * Controller List (Identify, CNS 15h); never a guess.
 */
#include <linux/build_bug.h>

#include "nvme_vf.h"

static_assert(sizeof(struct std_secondary) == 32);
static_assert(sizeof(struct std_secondary_list) == IDENTIFY_LEN);

int nvme_vfio_identify(struct nvme_vf *vf, u8 cns, u16 cntid, void *page)
{
	struct nvme_command cmd = { };

	memset(page, 0, IDENTIFY_LEN);
	std_identify(&cmd.common, cns, cntid);
	return nvme_vfio_exec(vf, &cmd, page, IDENTIFY_LEN, NULL);
}

int nvme_vfio_find_secondary(struct nvme_vf *vf, u16 pf_cntlid, void *page,
			     const char **why)
{
	struct std_secondary_list *list = page;
	u32 from = 0;

	*why = LM_NOT_LISTED;
	while (from <= U16_MAX) {
		unsigned int i, n;
		u32 last;
		int ret;

		ret = nvme_vfio_identify(vf, STD_CNS_SECONDARY_LIST, from,
					 list);
		if (ret)
			return ret;

		n = min_t(unsigned int, list->nument, STD_SECONDARY_MAX);
		for (i = 0; i < n; i++) {
			struct std_secondary *e = &list->entry[i];

			if (le16_to_cpu(e->vfn) != vf->vfn ||
			    le16_to_cpu(e->pcid) != pf_cntlid)
				continue;
			vf->cntlid = le16_to_cpu(e->scid);
			vf->nvq = le16_to_cpu(e->nvq);
			vf->nvi = le16_to_cpu(e->nvi);
			*why = NULL;
			return 0;
		}
		if (n < STD_SECONDARY_MAX)
			break;
		/* The list ascends; a device that repeats itself must end too. */
		last = le16_to_cpu(list->entry[n - 1].scid);
		if (last < from)
			break;
		from = last + 1;
	}
	return -EOPNOTSUPP;
}

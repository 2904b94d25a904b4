// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of its secondary controllers is a VF to the PF? From the Secondary
 * Controller List (Identify, CNS 15h); never a guess.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>

#include "nvme_vf.h"

static_assert(sizeof(struct std_secondary) == 32);
static_assert(sizeof(struct std_secondary_list) == IDENTIFY_LEN);
static_assert(STD_SECONDARY_MAX == LM_SECONDARY_MAX);

int nvme_vfio_find_secondary(struct nvme_vf *vf, struct vf_facts *f,
			     u16 pf_cntlid, struct nvme_pf_buf *page,
			     const char **why)
{
	const struct std_secondary_list *list = page->data;
	u32 from = 0;

	*why = LM_NOT_LISTED;
	do {
		unsigned int i, n;
		int ret;

		ret = nvme_vfio_identify(vf, STD_CNS_SECONDARY_LIST, from,
					 page);
		if (ret)
			return ret;

		n = min_t(unsigned int, list->nument, STD_SECONDARY_MAX);
		for (i = 0; i < n; i++) {
			const struct std_secondary *e = &list->entry[i];

			if (le16_to_cpu(e->vfn) != vf->vfn ||
			    le16_to_cpu(e->pcid) != pf_cntlid)
				continue;
			f->cntlid = le16_to_cpu(e->scid);
			f->nvq = le16_to_cpu(e->nvq);
			f->nvi = le16_to_cpu(e->nvi);
			*why = NULL;
			return 0;
		}
		from = lm_next_secondary(page->data, from);
	} while (from);
	return -EOPNOTSUPP;
}

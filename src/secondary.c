// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of its secondary controllers is a VF to the PF? From the Secondary
 * Controller List (Identify, CNS 15h); never a guess.
 */
#include <linux/build_bug.h>

#include "nvme_vf.h"

static_assert(sizeof(struct std_secondary) == 32);
static_assert(sizeof(struct std_secondary_list) == IDENTIFY_LEN);

/*
 * Where the next list is to start: behind the last of an ascending one. The
 * standard states no order, so of another one only the smallest is done with.
 * Either way it grows, which a device that repeats itself must end by.
 */
static u32 nvme_vfio_next_secondary(const struct std_secondary_list *list,
				    unsigned int n)
{
	u32 first = le16_to_cpu(list->entry[0].scid), least = first;
	bool ascending = true;
	u32 last = first;
	unsigned int i;

	for (i = 1; i < n; i++) {
		u32 id = le16_to_cpu(list->entry[i].scid);

		ascending &= id > last;
		least = min(least, id);
		last = id;
	}
	return (ascending ? last : least) + 1;
}

int nvme_vfio_find_secondary(struct nvme_vf *vf, u16 pf_cntlid,
			     struct nvme_pf_buf *page, const char **why)
{
	const struct std_secondary_list *list = page->data;
	u32 from = 0;

	*why = LM_NOT_LISTED;
	while (from <= U16_MAX) {
		unsigned int i, n;
		u32 next;
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
			vf->cntlid = le16_to_cpu(e->scid);
			vf->nvq = le16_to_cpu(e->nvq);
			vf->nvi = le16_to_cpu(e->nvi);
			*why = NULL;
			return 0;
		}
		if (n < STD_SECONDARY_MAX)
			break;
		next = nvme_vfio_next_secondary(list, n);
		if (next <= from)
			break;
		from = next;
	}
	return -EOPNOTSUPP;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which namespaces a VF has, according to its PF: see namespaces.h.
 *
 * One Identify for the list of allocated namespaces; for each of these, at most
 * NS_MAX_ASKED, one or two for the controllers that have it; and where the VF is
 * among them, one for its structure, and one for its descriptors if the PF is
 * among them as well. Not all of them when that takes too long.
 */
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "nvme_vf.h"

/*
 * The last command must not be given up: the PF would have to be attached to
 * again.
 */
#define FIND_MS		5000
#define SPARE_MS	3000

static int nvme_vfio_ns_ask(struct nvme_vf *vf, u8 cns, u32 nsid, u16 cntid,
			    struct nvme_pf_buf *page)
{
	if (time_after(jiffies + msecs_to_jiffies(SPARE_MS),
		       vf->identify_until))
		return -ETIME;
	return nvme_vfio_identify_ns(vf, cns, nsid, cntid, page);
}

/* Which of the two have the namespace? The list starts with the smaller id. */
static int nvme_vfio_ns_owners(struct nvme_vf *vf, u32 nsid,
			       struct nvme_pf_buf *page, bool *of_vf,
			       bool *of_pf)
{
	u16 from = min(vf->cntlid, vf->pf_cntlid);
	int ret;

	ret = nvme_vfio_ns_ask(vf, NS_CNS_CONTROLLERS, nsid, from, page);
	if (ret)
		return ret;
	*of_vf = ns_has_controller(page->data, vf->cntlid);
	*of_pf = ns_has_controller(page->data, vf->pf_cntlid);
	if (*of_vf || lm_le16(page->data) < NS_MAX_CONTROLLERS)
		return 0;

	ret = nvme_vfio_ns_ask(vf, NS_CNS_CONTROLLERS, nsid, vf->cntlid, page);
	if (!ret)
		*of_vf = ns_has_controller(page->data, vf->cntlid);
	return ret;
}

/* What is not answered stays unknown, unless the PF does not answer at all. */
static int nvme_vfio_ns_describe(struct nvme_vf *vf, u32 nsid, bool of_pf,
				 struct nvme_pf_buf *page)
{
	struct stream_namespace n = { .nsid = cpu_to_le32(nsid) };
	int ret;

	ret = nvme_vfio_ns_ask(vf, NS_CNS_STRUCT, nsid, 0, page);
	if (!ret)
		ns_take_struct(&n, page->data);
	else if (!vf->status)
		return ret;

	/* Asked for another's, a PF would enter an error in its log. */
	if (of_pf) {
		ret = nvme_vfio_ns_ask(vf, NS_CNS_DESCRIPTORS, nsid, 0, page);
		if (!ret)
			ns_take_descriptors(&n, page->data);
		else if (!vf->status)
			return ret;
	}
	ns_add(&vf->namespaces, &n);
	return 0;
}

static int nvme_vfio_ns_each(struct nvme_vf *vf, struct nvme_pf_buf *list,
			     struct nvme_pf_buf *page)
{
	const __le32 *nsid = list->data;
	unsigned int i;
	int ret;

	ret = nvme_vfio_ns_ask(vf, NS_CNS_ALLOCATED, 0, 0, list);
	for (i = 0; !ret && i < IDENTIFY_LEN / sizeof(*nsid) && nsid[i]; i++) {
		bool of_vf, of_pf;

		if (i == NS_MAX_ASKED)
			return -E2BIG;
		ret = nvme_vfio_ns_owners(vf, le32_to_cpu(nsid[i]), page,
					  &of_vf, &of_pf);
		if (!ret && of_vf)
			ret = nvme_vfio_ns_describe(vf, le32_to_cpu(nsid[i]),
						    of_pf, page);
	}
	vf->namespaces.known = !ret;
	return ret;
}

/*
 * Return: 0, also for what a PF does not report; an error if it may be asked
 * again
 */
static int nvme_vfio_ns_ended(struct nvme_vf *vf, int ret)
{
	if (!vf->namespaces.known)
		memset(&vf->namespaces, 0, sizeof(vf->namespaces));
	if (vf->status || ret == -ETIME || ret == -E2BIG)
		return 0;
	return ret;
}

int nvme_vfio_find_namespaces(struct nvme_vf *vf)
{
	struct nvme_pf_buf *list, *page;
	int ret = -ENOMEM;

	memset(&vf->namespaces, 0, sizeof(vf->namespaces));
	if (!vf->tells_namespaces)
		return 0;

	list = nvme_vfio_buf_alloc(IDENTIFY_LEN);
	page = nvme_vfio_buf_alloc(IDENTIFY_LEN);
	nvme_vfio_begin_asking(vf, FIND_MS, FIND_MS);
	if (list && page)
		ret = nvme_vfio_ns_ended(vf, nvme_vfio_ns_each(vf, list, page));
	nvme_pf_buf_put(page);
	nvme_pf_buf_put(list);
	return nvme_vfio_asked(vf, ret);
}

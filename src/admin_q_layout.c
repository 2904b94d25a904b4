// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding the admin queue by the layout of struct nvme_ctrl: proof=anchor.
 *
 * struct nvme_ctrl is private to nvme and its start differs between kernels
 * and configurations, so no offset is known. But one run of its members has
 * kept its order in every kernel since 5.x:
 *
 *	ops, admin_q, connect_q, fabrics_q, dev, instance, numa_node, tagset,
 *	admin_tagset
 *
 * and the value of one of them, dev, is known: it is the PF's struct device.
 * The class device of the controller is embedded behind this run, hence the
 * memory between the two pointers belongs to one object and may be read. If
 * exactly one word of it is &pf->dev, the members around it are candidates,
 * and each is then compared with something that is known from elsewhere. One
 * mismatch and there is no queue; a changed layout costs the feature, never
 * more.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>

#include "admin_q.h"

struct ctrl_run {
	const void *ops;
	struct request_queue *admin_q;
	struct request_queue *connect_q;
	struct request_queue *fabrics_q;
	struct device *dev;
	int instance;
	int numa_node;
	struct blk_mq_tag_set *tagset;
	struct blk_mq_tag_set *admin_tagset;
};

bool nvme_pf_admin_q_valid(const struct nvme_pf_candidate *c,
			   struct request_queue *q)
{
	struct blk_mq_tag_set *set;
	unsigned int nr_hw_queues;
	struct gendisk *disk;
	void *driver_data;

	if (!q ||
	    copy_from_kernel_nofault(&set, &q->tag_set, sizeof(set)) ||
	    copy_from_kernel_nofault(&disk, &q->disk, sizeof(disk)) || !set ||
	    copy_from_kernel_nofault(&nr_hw_queues, &set->nr_hw_queues,
				     sizeof(nr_hw_queues)) ||
	    copy_from_kernel_nofault(&driver_data, &set->driver_data,
				     sizeof(driver_data)))
		return false;

	/* An I/O queue has a disk, a tag set of I/O queues has many. */
	if (disk || nr_hw_queues != 1)
		return false;

	/* nvme_ctrl since 6.2, the PCI driver's own structure before. */
	return driver_data &&
	       (driver_data == c->ctrl || driver_data == pci_get_drvdata(c->pdev));
}

struct request_queue *
nvme_pf_admin_q_by_layout(const struct nvme_pf_candidate *c)
{
	unsigned long start = (unsigned long)c->ctrl;
	unsigned long end = (unsigned long)c->cdev;
	const unsigned long back = offsetof(struct ctrl_run, dev);
	struct ctrl_run found = { };
	struct blk_mq_tag_set *set;
	unsigned int hits = 0;
	unsigned long at;
	int instance;

	if (end <= start || end - start > PAGE_SIZE ||
	    end - start < sizeof(found))
		return NULL;

	for (at = start; at + sizeof(found) <= end; at += sizeof(void *)) {
		struct device *dev;

		if (copy_from_kernel_nofault(&dev, (void *)(at + back),
					     sizeof(dev)))
			return NULL;
		if (dev != &c->pdev->dev)
			continue;
		if (copy_from_kernel_nofault(&found, (void *)at, sizeof(found)))
			return NULL;
		hits++;
	}
	if (hits != 1)
		return NULL;

	if (sscanf(dev_name(c->cdev), "nvme%d", &instance) != 1 ||
	    found.instance != instance)
		return NULL;

	/* Only transports other than PCI have these two. */
	if (found.connect_q || found.fabrics_q)
		return NULL;

	/* On its way: after a bind, until the controller is ready. */
	if (IS_ERR_OR_NULL(found.admin_q))
		return ERR_PTR(-EAGAIN);

	if (!nvme_pf_admin_q_valid(c, found.admin_q) ||
	    copy_from_kernel_nofault(&set, &found.admin_q->tag_set,
				     sizeof(set)) ||
	    set != found.admin_tagset)
		return NULL;

	return found.admin_q;
}

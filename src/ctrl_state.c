// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a controller, as nvme tells everybody: its attribute "state".
 */
#include <linux/container_of.h>
#include <linux/device.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "admin_q.h"

static struct device_attribute *
nvme_pf_find_attr(const struct attribute_group **groups, const char *name)
{
	unsigned int i;

	for (; groups && *groups; groups++)
		for (i = 0; (*groups)->attrs && (*groups)->attrs[i]; i++)
			if (!strcmp((*groups)->attrs[i]->name, name))
				return container_of((*groups)->attrs[i],
						    struct device_attribute,
						    attr);
	return NULL;
}

bool nvme_pf_ctrl_is_live(struct device *cdev)
{
	struct device_attribute *attr;
	bool live = false;
	char *page;

	attr = nvme_pf_find_attr(cdev->groups, "state");
	page = (void *)get_zeroed_page(GFP_KERNEL);
	if (attr && attr->show && page)
		live = attr->show(cdev, attr, page) > 0 &&
		       sysfs_streq(page, "live");
	free_page((unsigned long)page);
	return live;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions in quarantine, an attribute of the driver: see quarantine.h.
 *
 * Read: a line for each, its address and why. Written a function at a time: its
 * address ends the quarantine, with a word behind it begins. The latter is how
 * user space keeps it while the module is loaded anew.
 */
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/pci.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "figures.h"
#include "nvme_vf.h"
#include "quarantine.h"

static const char * const nvme_vfio_quarantine_words[] = {
	[QUARANTINE_NONE]	= "",
	[QUARANTINE_ERROR]	= "error",
	[QUARANTINE_RESET]	= "reset",
};

bool nvme_vfio_quarantine_refuses(struct nvme_vf *vf)
{
	struct policy policy;
	bool of_vf, of_pf;

	nvme_vfio_policy_get(vf->pdev, &policy);
	if (!policy.quarantine)
		return false;
	of_vf = nvme_vfio_figures_mark(vf->figures) != QUARANTINE_NONE;
	of_pf = nvme_vfio_figures_mark(vf->figures->pf) != QUARANTINE_NONE;
	if (!of_vf && !of_pf)
		return false;
	nvme_vfio_count_refusal(vf->figures, FIGURE_REFUSED_QUARANTINE);
	dev_warn_ratelimited(&vf->pdev->dev,
			     "migration refused: the %s is in quarantine, and the policy refuses that\n",
			     of_vf ? "VF" : "PF");
	return true;
}

static ssize_t nvme_vfio_quarantine_show(struct device_driver *drv, char *buf)
{
	return nvme_vfio_figures_emit_marks(nvme_vfio_quarantine_words, buf);
}

static ssize_t nvme_vfio_quarantine_store(struct device_driver *drv,
					  const char *buf, size_t count)
{
	unsigned int domain, bus, slot, function;
	char name[16], word[8] = "";
	int at = 0, mark;

	if (sscanf(buf, "%x:%x:%x.%x%n", &domain, &bus, &slot, &function,
		   &at) != 4 || bus > 0xff || slot > 0x1f || function > 7 ||
	    (buf[at] && !strchr("\n ", buf[at])))
		return -EINVAL;
	snprintf(name, sizeof(name), "%04x:%02x:%02x.%u", domain, bus, slot,
		 function);
	if (strscpy(word, skip_spaces(buf + at), sizeof(word)) < 0)
		return -EINVAL;
	mark = __sysfs_match_string(nvme_vfio_quarantine_words,
				    ARRAY_SIZE(nvme_vfio_quarantine_words),
				    word);
	if (mark < 0)
		return -EINVAL;
	return nvme_vfio_figures_set_mark(name, mark) ?: count;
}

static struct driver_attribute nvme_vfio_quarantine_attr =
	__ATTR(quarantine, 0644, nvme_vfio_quarantine_show,
	       nvme_vfio_quarantine_store);

static struct attribute *nvme_vfio_quarantine_attrs[] = {
	&nvme_vfio_quarantine_attr.attr,
	NULL
};

const struct attribute_group nvme_vfio_quarantine_group = {
	.attrs = nvme_vfio_quarantine_attrs,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policies of PFs, an attribute of the driver: see policy.h. They are not
 * attributes of the VFs, which leave the driver whenever their guest ends.
 *
 * Written a PF at a time: its address, and the words; no words are the defaults.
 */
#include <linux/compiler.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/pci.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "nvme_vf.h"

/**
 * struct pf_policy - the policy of one PF
 * @node: in the list of them
 * @pf: address, as pci_name() has it
 * @policy: what the words mean
 * @words: as they were written
 */
struct pf_policy {
	struct list_head node;
	char pf[16];
	struct policy policy;
	char words[];
};

static LIST_HEAD(nvme_vfio_policies);
static DEFINE_MUTEX(nvme_vfio_policy_lock);	/* of the list and the number */
static u32 nvme_vfio_policy_number;

static struct pf_policy *nvme_vfio_policy_find(const char *pf)
{
	struct pf_policy *p;

	list_for_each_entry(p, &nvme_vfio_policies, node)
		if (!strcmp(p->pf, pf))
			return p;
	return NULL;
}

void nvme_vfio_policy_get(struct pci_dev *vf, struct policy *policy)
{
	struct pf_policy *p;

	memset(policy, 0, sizeof(*policy));
	mutex_lock(&nvme_vfio_policy_lock);
	p = nvme_vfio_policy_find(pci_name(pci_physfn(vf)));
	if (p)
		*policy = p->policy;
	mutex_unlock(&nvme_vfio_policy_lock);
}

u32 nvme_vfio_policy_changes(void)
{
	return READ_ONCE(nvme_vfio_policy_number);
}

static ssize_t nvme_vfio_policy_show(struct device_driver *drv, char *buf)
{
	struct pf_policy *p;
	int len = 0;

	mutex_lock(&nvme_vfio_policy_lock);
	list_for_each_entry(p, &nvme_vfio_policies, node)
		len += sysfs_emit_at(buf, len, "%s %s\n", p->pf, p->words);
	mutex_unlock(&nvme_vfio_policy_lock);
	return len;
}

/* All lines have to fit what can be read at once. */
static bool nvme_vfio_policy_has_room(const struct pf_policy *new)
{
	size_t len = strlen(new->words) + strlen(new->pf) + 2;
	struct pf_policy *p;

	list_for_each_entry(p, &nvme_vfio_policies, node)
		if (strcmp(p->pf, new->pf))
			len += strlen(p->words) + strlen(p->pf) + 2;
	return len < PAGE_SIZE;
}

/* Takes @new, or frees it. */
static int nvme_vfio_policy_set(struct pf_policy *new)
{
	struct pf_policy *old;

	mutex_lock(&nvme_vfio_policy_lock);
	if (!nvme_vfio_policy_has_room(new)) {
		mutex_unlock(&nvme_vfio_policy_lock);
		kfree(new);
		return -ENOSPC;
	}
	old = nvme_vfio_policy_find(new->pf);
	if (old) {
		list_del(&old->node);
		kfree(old);
	}
	if (*new->words)
		list_add_tail(&new->node, &nvme_vfio_policies);
	else
		kfree(new);
	WRITE_ONCE(nvme_vfio_policy_number, nvme_vfio_policy_number + 1);
	mutex_unlock(&nvme_vfio_policy_lock);
	return 0;
}

static ssize_t nvme_vfio_policy_store(struct device_driver *drv,
				      const char *buf, size_t count)
{
	unsigned int domain, bus, slot, function, len;
	const char *why, *bad;
	struct pf_policy *new;
	int at = 0, ret;
	char *words;

	if (sscanf(buf, "%x:%x:%x.%x%n", &domain, &bus, &slot, &function,
		   &at) != 4 || bus > 0xff || slot > 0x1f || function > 7 ||
	    (buf[at] && !strchr("\n ", buf[at]))) {
		pr_err("%s: policy: '%.*s' does not begin with the address of a PF, as in 0000:01:00.0 media=shared\n",
		       KBUILD_MODNAME, (int)strcspn(buf, "\n"), buf);
		return -EINVAL;
	}

	new = kzalloc(struct_size(new, words, count + 1), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	snprintf(new->pf, sizeof(new->pf), "%04x:%02x:%02x.%u", domain, bus,
		 slot, function);
	memcpy(new->words, buf + at, count - at);
	words = strim(new->words);
	memmove(new->words, words, strlen(words) + 1);

	why = nvme_vfio_policy_parse(&new->policy, new->words, &bad, &len);
	if (!why && strchr(new->words, '\n')) {
		bad = new->words;
		len = strcspn(bad, "\n");
		why = "is followed by another line: write one PF at a time";
	}
	if (why) {
		pr_err("%s: policy of %s: '%.*s' %s\n", KBUILD_MODNAME, new->pf,
		       len, bad, why);
		kfree(new);
		return -EINVAL;
	}

	ret = nvme_vfio_policy_set(new);
	if (ret)
		pr_err("%s: policy of %04x:%02x:%02x.%u: too many policies: remove some by writing their addresses alone\n",
		       KBUILD_MODNAME, domain, bus, slot, function);
	return ret ?: count;
}

static struct driver_attribute nvme_vfio_policy_attr =
	__ATTR(policy, 0644, nvme_vfio_policy_show, nvme_vfio_policy_store);

static struct attribute *nvme_vfio_policy_attrs[] = {
	&nvme_vfio_policy_attr.attr,
	NULL
};

const struct attribute_group nvme_vfio_policy_group = {
	.attrs = nvme_vfio_policy_attrs,
};

void nvme_vfio_policy_exit(void)
{
	struct pf_policy *p, *next;

	list_for_each_entry_safe(p, next, &nvme_vfio_policies, node)
		kfree(p);
}

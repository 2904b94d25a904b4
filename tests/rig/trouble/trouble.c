// SPDX-License-Identifier: GPL-2.0-only
/*
 * trouble.c - misbehaves on demand, to prove that the debug kernel's checkers
 * report it and that the test bed sees the report. Never load it elsewhere.
 *
 * usage: insmod trouble.ko what=NAME
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *what = "";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "which trouble to make");

/* the compiler must not know what is done with these */
static volatile unsigned int number = 40;
static volatile unsigned int sink;

static int leak(void)
{
	unsigned int i;

	/* several: one may be found in an old stack frame */
	for (i = 0; i < 32; i++) {
		volatile char *p = kmalloc(100 + i, GFP_KERNEL);

		if (!p)
			return -ENOMEM;
		*p = i;
	}
	return 0;
}

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

static int lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
	return 0;
}

static int atomic_sleep(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
	return 0;
}

static int use_after_free(void)
{
	volatile unsigned int *p = kmalloc(64, GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	kfree((void *)p);
	sink = *p;
	return 0;
}

static int shift(void)
{
	sink = 1 << number;
	return 0;
}

static int bounds(void)
{
	static struct {
		unsigned int small[4];
		unsigned int rest[60];
	} s;

	sink = s.small[number];
	return 0;
}

static int rcu(void)
{
	static unsigned int __rcu *pointer;

	sink = !rcu_dereference(pointer);
	return 0;
}

static int refcount(void)
{
	static refcount_t count = REFCOUNT_INIT(1);

	if (refcount_dec_and_test(&count))
		refcount_inc(&count);
	return 0;
}

/* unmapped with a different size than mapped */
static int dma(void)
{
	struct pci_dev *pdev = pci_get_class(PCI_CLASS_STORAGE_EXPRESS, NULL);
	dma_addr_t addr;
	void *p;

	if (!pdev)
		return -ENODEV;
	p = kmalloc(64, GFP_KERNEL);
	addr = dma_map_single(&pdev->dev, p, 64, DMA_TO_DEVICE);
	if (!dma_mapping_error(&pdev->dev, addr))
		dma_unmap_single(&pdev->dev, addr, 32, DMA_TO_DEVICE);
	kfree(p);
	pci_dev_put(pdev);
	return 0;
}

static void nothing(struct timer_list *t)
{
}

/* initialized while it runs */
static int object(void)
{
	static struct timer_list timer;

	timer_setup(&timer, nothing, 0);
	mod_timer(&timer, jiffies + 100 * HZ);
	timer_setup(&timer, nothing, 0);
	timer_delete_sync(&timer);
	return 0;
}

static int hang(void)
{
	schedule_timeout_uninterruptible(15 * HZ);
	return 0;
}

static const struct {
	const char *name;
	int (*make)(void);
} troubles[] = {
	{ "leak", leak },
	{ "lock-order", lock_order },
	{ "atomic-sleep", atomic_sleep },
	{ "use-after-free", use_after_free },
	{ "shift", shift },
	{ "bounds", bounds },
	{ "rcu", rcu },
	{ "refcount", refcount },
	{ "dma", dma },
	{ "object", object },
	{ "hang", hang },
};

static int __init trouble_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(troubles); i++)
		if (!strcmp(what, troubles[i].name))
			return troubles[i].make();
	pr_err("trouble: what=%s is unknown\n", what);
	return -EINVAL;
}

static void __exit trouble_exit(void)
{
}

module_init(trouble_init);
module_exit(trouble_exit);
MODULE_DESCRIPTION("Trouble on demand, for tests of the test bed");
MODULE_LICENSE("GPL");

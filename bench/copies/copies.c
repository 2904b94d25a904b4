// SPDX-License-Identifier: GPL-2.0-only
/*
 * copies.c - counts the bytes that one thread's system calls copy from and to
 * user space, those of small structures left out. Trace events cannot: the
 * functions that copy are closed to them.
 *
 * For processors without fast string moves (bench/hosts.py): the others copy
 * without a call.
 */
#include <linux/atomic.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>

static int thread;
module_param(thread, int, 0600);
MODULE_PARM_DESC(thread, "whose copies are counted, 0: nobody's");

static atomic64_t bytes;

static int get_bytes(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%lld\n", atomic64_read(&bytes));
}

static const struct kernel_param_ops bytes_ops = { .get = get_bytes };
module_param_cb(bytes, &bytes_ops, NULL, 0400);
MODULE_PARM_DESC(bytes, "so far");

static int count(struct kprobe *p, struct pt_regs *regs)
{
	if (current->pid == READ_ONCE(thread))
		atomic64_add(regs->cx, &bytes);
	return 0;
}

static struct kprobe probe = {
	.symbol_name = "rep_movs_alternative",
	.pre_handler = count,
};

static int __init copies_init(void)
{
	return register_kprobe(&probe);
}
module_init(copies_init);

static void __exit copies_exit(void)
{
	unregister_kprobe(&probe);
}
module_exit(copies_exit);

MODULE_DESCRIPTION("Counts bytes copied from and to user space");
MODULE_LICENSE("GPL");

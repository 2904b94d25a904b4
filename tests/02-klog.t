#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:base
"""The reader of kernel logs sees trouble, and none where there is none."""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "rig"))
import klog                                             # noqa: E402
import stall                                            # noqa: E402
import tap                                              # noqa: E402

TROUBLE = """\
WARNING: CPU: 0 PID: 1 at drivers/vfio/vfio_main.c:850 vfio_mig_get_next_state+0x1/0x2
BUG: kernel NULL pointer dereference, address: 0000000000000008
Oops: 0000 [#1] PREEMPT SMP NOPTI
Kernel panic - not syncing: Fatal exception
Call Trace:
WARNING: possible circular locking dependency detected
INFO: task sh:123 blocked for more than 120 seconds.
rcu: INFO: rcu_preempt self-detected stall on CPU
watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [insmod:99]
DMAR: DRHD: handling fault status reg 2
DMAR: [DMA Read NO_PASID] Request device [01:00.1] fault addr 0x1000 [fault reason 0x06] PTE Read access is not set
UBSAN: array-index-out-of-bounds in drivers/nvme/host/pci.c:1:2
refcount_t: underflow; use-after-free.
BUG: KASAN: slab-use-after-free in use_after_free+0x5a/0x70 [trouble]
BUG: KASAN: slab-out-of-bounds in mig_read+0x10/0x20 [nvme_vfio_pci]
BUG kmalloc-64 (Tainted: G           O      ): Right Redzone overwritten
BUG: sleeping function called from invalid context at drivers/vfio/x.c:82
BUG: scheduling while atomic: insmod/99/0x00000002
BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 31s!
BUG: MAX_LOCKDEP_ENTRIES too low!
BUG: held lock freed!
[ BUG: Invalid wait context ]
WARNING: possible recursive locking detected
WARNING: possible irq lock inversion dependency detected
WARNING: inconsistent lock state
WARNING: bad unlock balance detected!
WARNING: lock held when returning to user space!
WARNING: suspicious RCU usage
INFO: trying to register non-static key.
turning off the locking correctness validator.
INFO: task vf-test:99 blocked for more than 30 seconds.
UBSAN: shift-out-of-bounds in /tmp/stream.c:71:11
ODEBUG: init active (active state 0) object: 00000000a5ef8d69 object type: timer_list hint: nothing+0x0/0x10
ODEBUG: Out of memory. ODEBUG disabled
DMA-API: nvme 0000:01:00.0: device driver frees DMA memory with different size
DMA-API: debugging out of memory - disabling
DMA-API: cacheline tracking ENOMEM, dma-debug disabled
list_add corruption. next->prev should be prev (ffff88), but was ffff89. (next=ffff8a).
kmemleak: Kernel memory leak detector disabled
kmemleak: Freeing unknown object at 0xffff888100000000
vf-test: page allocation failure: order:4, mode:0xcc0(GFP_KERNEL)
kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
nvme nvme0: I/O 12 QID 1 timeout, aborting
nvme nvme0: I/O tag 12 (100c) opcode 0x1 (I/O Cmd) QID 1 timeout, aborting req_op:WRITE(1) size:4096
nvme nvme0: Abort status: 0x0
nvme nvme0: resetting controller
nvme nvme0: I/O 5 QID 0 timeout, reset controller
nvme nvme0: I/O 5 QID 1 timeout, completion polled
nvme nvme0: controller is down; will reset: CSTS=0x3, PCI_STATUS=0x10
nvme0n1: I/O Cmd(0x2) @ LBA 0, 8 blocks, I/O Error (sct 0x0 / sc 0x4)
blk_update_request: I/O error, dev nvme0n1, sector 0 op 0x0:(READ)
critical medium error, I/O error, dev nvme0n1, sector 8
vf-test[77]: segfault at 0 ip 0000000000401234 sp 00007ffd error 4
nvme_vfio_pci: Unknown symbol nvme_pf_get (err -2)
Out of memory: Killed process 88 (qemu)
"""

HARMLESS = """\
nvme nvme0: pci function 0000:01:00.0
nvme nvme0: 1/0/0 default/read/poll queues
nvme nvme0: Ignoring bogus Namespace Identifiers
nvme-vfio-pci 0000:01:00.1: can migrate: standard command set, controller 1
nvme-vfio-pci 0000:01:00.1: enabling device (0000 -> 0002)
nvme_pf_shim: loading out-of-tree module taints kernel.
nvme_pf_shim: module verification failed: signature and/or required key missing - tainting kernel
DMAR: Intel(R) Virtualization Technology for Directed I/O
DMAR: No ATSR found
rcu: Preemptible hierarchical RCU implementation.
rcu: 	RCU callback double-/use-after-free debug is enabled.
ACPI: Added _OSI(Module Device)
kmemleak: Kernel memory leak detector initialized (mem pool available: 14773)
DMA-API: preallocated 65536 debug entries
DMA-API: debugging enabled by kernel config
kasan: KernelAddressSanitizer initialized
Kernel command line: console=ttyS0 nvme_core.admin_timeout=45
Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar
x86/mm: Checked W+X mappings: passed, no W+X pages found.
"""

out = tap.Tap()
for line in TROUBLE.splitlines():
    out.ok(klog.trouble(f"[    1.000000] {line}"), f"is trouble: {line}")
for line in HARMLESS.splitlines():
    out.ok(not klog.trouble(f"[    1.000000] {line}"), f"is none: {line}")
out.ok(not klog.trouble("nvme nvme0: resetting controller", allow=["nvme0: resetting"]),
       "a test may expect a line")
out.ok(klog.trouble("nvme nvme1: resetting controller", allow=["nvme0: resetting"]),
       "but only that line")

HUNG = """[  100.0] INFO: task vf-test:308 blocked for more than 37 seconds.
[  100.1] Call Trace:
[  100.2]  nvme_reset_ctrl_sync+0x3a/0x60 [nvme_core]
"""
STALL = "[   98.0] clocksource: Long readout interval, skipping watchdog check: cs_nsec: 17060998370 wd_nsec: 17060998330\n"
SHORT = STALL.replace("17060998", "170609")
out.ok(len(klog.trouble(HUNG)) == 2, "a task that stands still is trouble")
out.ok(not klog.trouble(STALL + HUNG), "but not on a machine that was not let run for seconds")
out.ok(klog.stood_still(STALL), "which is reported")
out.ok(klog.trouble(SHORT + HUNG) and not klog.stood_still(SHORT), "an instant is no excuse")
out.ok(klog.trouble(STALL + HUNG + "[  101.0] Call Trace:\n"), "nor is it one for a different trace")
out.ok(klog.trouble(STALL + "[  101.0] BUG: held lock freed!\n"), "or for anything else")
LOCKED = """[  117.0] rcu: INFO: rcu_preempt self-detected stall on CPU
[  117.1] Call Trace:
[  117.2] NMI backtrace for cpu 1
[  117.3] Call Trace:
"""
SOFT = "[  117.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [insmod:99]\n[  117.1] Call Trace:\n"
OTHERS = "[  117.0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:\n[  117.1] Call Trace:\n"
for text in (LOCKED, SOFT, OTHERS):
    name = text.splitlines()[0][10:]
    out.ok(klog.trouble(text), f"trouble: {name}")
    out.ok(not klog.trouble(text, stalled="not let run") and not klog.trouble(STALL + text),
           f"but not on such a machine: {name}")
    out.ok(len(klog.trouble(text + "[  147.5] Call Trace:\n", stalled="not let run")) == 1,
           f"nor is it an excuse for a later trace: {name}")
    out.ok(len(klog.trouble(text + "[  117.4] BUG: held lock freed!\n", stalled="not let run")) == 1,
           f"or for anything else: {name}")

# seen from outside: a thread that waits for a processor, or this process itself
for name, when, waited, worst in (
        ("a thread that is let run", 101, 0, None),
        ("one that shares its processor", 101, 0.9, None),
        ("one that waits for a while", 101, 9, None),
        ("one that has waited for longer than is between two looks", 101, 30, "29 s"),
        ("a watch that is late itself", 130, 0, "29 s"),
        ("a thread that shared a processor while the watch was late", 109, 8, None)):
    watch = stall.Stall(os.getpid())
    watch.look(100.0, {"7": 5_000_000_000})
    watch.worst = 0.0
    watch.look(float(when), {"7": 5_000_000_000 + int(waited * 1e9), "8": 10 ** 15})
    out.ok(worst in watch.said if worst else watch.said is None, f"seen from outside: {name}", watch.worst)
out.ok(not klog.trouble(HUNG, stalled="not let run") and klog.trouble("BUG: held lock freed!", stalled="not let run"),
       "is as good an excuse, and for nothing else")

def watched(*limit):
    """A watch that first looked at 100 s, before anybody had to wait."""
    watch = stall.Stall(0, *limit)
    watch._when = 100.0                                 # pylint: disable=protected-access
    return watch


# limits count the seconds for which a machine was let run, not time: at these moments
# its threads had waited this long
for name, looks, ran in (
        ("has no other beside it", ((1, {"7": 0}), (2, {"7": 0})), 2.0),
        ("has a thread that waits half of the time", ((1, {"7": 0.5, "8": 0.1}), (2, {"7": 1, "8": 0.2})), 1.0),
        ("waits all the time", ((1, {"7": 1}), (2, {"7": 2})), 0.0),
        ("was let run after a long wait", ((1, {"7": 0}), (2, {"7": 0}), (3, {"7": 0}), (4, {"7": 3.5})), 0.5),
        ("has two threads that were", ((1, {}), (2, {"7": 1.5, "8": 0}), (3, {"7": 1.5, "8": 1.6})), 1.4),
        ("has a thread that ended after it waited", ((1, {"9": 1}), (2, {"7": 0.1})), 1.0),
        ("stands still together with us", ((60, {"7": 0}), (61, {"7": 0})), 3.0),
        ("waits, and stands still with us", ((60, {"7": 58}), (61, {"7": 58})), 3.0)):
    watch = watched()
    for when, waited in looks:
        watch.look(100.0 + when, {thread: int(w * 1e9) for thread, w in waited.items()})
    out.ok(abs(watch.ran - ran) < 0.001, f"a machine that {name}: {ran:.1f} of {when} s", watch.ran)
for share, said in ((0.5, None), (0.25, "let run for 8 of 30 s by this machine")):
    watch = watched()
    for when in range(101, 161):
        watch.look(float(when), {"7": int((when - 100) * (1 - share) * 1e9)})
    out.ok(watch.said == said, f"a machine that is let run for {share} of the time: {said or 'no excuse'}", watch.said)
told = []
watch = watched(2.5, lambda: told.append(when))
for when, waited in enumerate((0, 1, 2, 2, 2, 3, 3), 101):
    watch.look(float(when), {"7": int(waited * 1e9)})
out.ok(told == [105], "what runs longer than a limit is reported once; waiting does not count", told)


def two_on_one_processor():
    """How long the second one has waited."""
    pids = []
    for _ in range(2):
        pid = os.fork()
        if not pid:
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
            while True:
                pass
        pids.append(pid)
    time.sleep(1)
    waited = max(max(stall.waits(pid).values()) for pid in pids) / 1e9
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return waited


out.ok(two_on_one_processor() > 0.1, "this machine counts how long its processes wait")
sys.exit(out.done())

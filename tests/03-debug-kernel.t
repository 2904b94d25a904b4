#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: debug model
"""The debug kernel reports each kind of trouble, and a host with a report fails.
All kinds are caused in one boot, by a module for that purpose (rig/trouble)."""

import os
import re
import subprocess
import sys
import tempfile

RIG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rig")
sys.path.insert(0, RIG)
import host as rig                                      # noqa: E402
import klog                                             # noqa: E402
import tap                                              # noqa: E402

# What is done, and the line that must be found. Lockdep gives up after its first report
# about locks and after any of KASAN's: what needs it comes first. Leaks are looked for
# at the end of the run.
TROUBLES = (
    ("rcu", r"WARNING: suspicious RCU usage"),
    ("lock-order", r"WARNING: possible circular locking dependency detected"),
    ("atomic-sleep", r"BUG: sleeping function called from invalid context"),
    ("use-after-free", r"BUG: KASAN: slab-use-after-free in use_after_free"),
    ("shift", r"UBSAN: shift-out-of-bounds in .*trouble\.c"),
    ("bounds", r"UBSAN: array-index-out-of-bounds in .*trouble\.c"),
    ("refcount", r"refcount_t: addition on 0; use-after-free"),
    ("dma", r"DMA-API: nvme 0000:01:00\.0: device driver frees DMA memory with different size"),
    ("object", r"ODEBUG: init active .*object: .* object type: timer_list"),
    ("hang", r"INFO: task insmod:\d+ blocked for more than 2 seconds"),
)
OPTIONS = ("KASAN", "PROVE_LOCKING", "DEBUG_ATOMIC_SLEEP", "DEBUG_KMEMLEAK", "UBSAN", "DMA_API_DEBUG",
           "DEBUG_OBJECTS", "DEBUG_LIST", "DETECT_HUNG_TASK", "FAULT_INJECTION", "FAILSLAB",
           "FAIL_PAGE_ALLOC", "FAULT_INJECTION_DEBUG_FS", "MODULE_UNLOAD", "PCI_IOV",
           "IOMMUFD", "VFIO_DEVICE_CDEV", "VFIO_GROUP")
MAKE = "dmesg -c >>/share/earlier; insmod /share/mod/trouble.ko what={0}; rmmod trouble; dmesg"


def build(folder):
    subprocess.run([os.path.join(RIG, "build-modules"), "debug", folder, os.path.join(RIG, "trouble")],
                   check=True, stdout=subprocess.DEVNULL)
    return os.path.join(folder, "trouble.ko")


def run(folder):
    out = tap.Tap()
    host = rig.Host("debug", "off", files={"mod/trouble.ko": build(folder)}, seconds=900,
                    cmdline="nvme_core.admin_timeout=45")
    failure = ""
    try:
        with host:
            config = host.run("zcat /proc/config.gz")
            for option in OPTIONS:
                out.ok(re.search(rf"^CONFIG_{option}=[ym]$", config, re.M), f"has {option}")
            found = klog.trouble(host.save_log())
            out.ok(not found, "boots without trouble", "\n".join(found))
            out.ok(host.run("cat /sys/module/nvme_core/parameters/admin_timeout").strip() == "45",
                   "a module's parameter is taken from the command line")
            out.ok(host.run("cat /proc/self/fail-nth").strip() == "0", "fail-nth is there")
            host.run("test -e /sys/kernel/debug/failslab/probability")  # or it raises
            out.ok(host.run("cat /proc/sys/kernel/hung_task_timeout_secs").strip() == "30",
                   "tasks that hang are reported after 30 s")
            hang = host.begin(MAKE.format("hang"))
            host.run(r"""wait_for 60 sh -c 'grep -qs "\[trouble\]" /proc/[0-9]*/stack'""", seconds=120)
            tasks = host.run(r"stuck 0 '\[trouble\]'", seconds=120)
            out.ok("insmod" in tasks and "[trouble]" in tasks, "a task that hangs in a module is found", tasks)
            tasks = host.run(r"stuck 60 '\[trouble\]'", seconds=120)
            out.ok(not tasks, "one that ends by itself is not", tasks)
            host.finish(hang, 120)
            host.run("echo 2 >/proc/sys/kernel/hung_task_timeout_secs")
            for name, line in TROUBLES:
                text = host.run(MAKE.format(name), seconds=120)
                found = klog.trouble(text)
                out.ok(any(re.search(line, f) for f in found), f"{name} is reported and seen", text[-2000:])
            # it stays loaded, as otherwise the report could not name it
            host.run("dmesg -c >>/share/earlier; insmod /share/mod/trouble.ko what=leak")
    except rig.Trouble as e:
        failure = str(e)
    out.ok("trouble in the kernel log" in failure, "a host with such a report fails", failure)
    leaks = failure.partition("memory is leaked")[2]
    out.ok(re.search(r"\bleak\+0x.*\[trouble\]", leaks), "a leak is reported, and the host fails for it", failure)
    with open(host.path("leaks"), encoding="utf-8") as f:
        reports = f.read().split("unreferenced object")[1:]
    others = [r for r in reports if "trouble" not in r]
    out.ok(len(reports) >= 16 and not others, f"{len(reports)} of 32 leaks are found, no others",
           "\n".join(others))
    return out.done()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder_:
        sys.exit(run(folder_))

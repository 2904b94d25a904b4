# SPDX-License-Identifier: GPL-2.0-only
"""What must not be in a kernel log.

A test passes only if the kernel has no complaint, whoever is at fault, so this looks
for signs of any trouble, not for known bugs.
"""

import re

TROUBLE = re.compile("|".join((
    r"WARNING:", r"BUG:", r"\bOops\b", r"Kernel panic", r"kernel BUG at", r"Call Trace",
    r"general protection fault", r"unable to handle", r"UBSAN", r"KASAN", r"KCSAN",
    r"INFO: .*(detected|blocked|possible)", r"blocked for more than", r"soft lockup", r"hard LOCKUP",
    r"rcu:? .*stall", r"possible recursive locking", r"possible circular locking",
    r"suspicious RCU usage", r"lock held when returning", r"refcount_t:", r"list_(add|del) corruption",
    r"slab.*corrupt", r"use-after-free", r"sysfs: cannot create", r"scheduling while atomic",
    r"sleeping function called", r"DMAR:.*[Ff]ault", r"DMAR: DRHD: handling fault",
    r"tainted.*crash", r"Unknown symbol", r"disagrees about version",
    r"segfault at", r"traps: ", r"invoked oom-killer", r"Out of memory", r"page allocation failure",
    # the checkers of the debug kernel; one that gives up no longer finds anything
    r"\bBUG \S+ \(", r"trying to register non-static key", r"turning off the locking", r"ODEBUG:",
    r"DMA-API: (?!preallocated|debugging enabled)",
    r"kmemleak: (?!Kernel memory leak detector initialized|Automatic memory scanning)",
)))

# The drive's driver in host and guest: no command may time out, be aborted,
# fail, or make the driver reset the controller.
NVME = re.compile("|".join((
    r"nvme.*timeout", r"nvme.*[Aa]bort", r"nvme.*reset controller", r"nvme.*resetting",
    r"nvme.*controller is down", r"nvme.*Device not ready", r"nvme.*Removing", r"nvme.*failed",
    r"nvme.*invalid (id|queue)", r"nvme.*I/O.*QID.*", r"I/O [Ee]rror", r"Buffer I/O",
    r"frozen state", r"nvme.*completion polled",
)))

# What looks like trouble but is none, each with the reason.
HARMLESS = re.compile("|".join((
    # our modules are not signed: the kernel says so once
    r"module verification failed: signature and/or required key missing",
    # since 7.x PCI announces each reset of a function; users of VFs reset them
    r"nvme-vfio-pci \S+: (resetting|reset done)$",
    # names of parameters
    r"[Cc]ommand line: ",
    # a kernel with that checker announces it at boot
    r"RCU callback double-/use-after-free debug is enabled",
)))


# An emulated machine that its own host did not let run for seconds. What it then says
# about stalled tasks and processors is about the host; what stalls for ever still fails
# its test, by the test's limit. Only kernels that doubt their clock print these lines;
# stall.py sees the same from outside.
STOOD_STILL = re.compile(r"clocksource: Long readout interval.* cs_nsec: \d{10,}|hrtimer: interrupt took \d{10,} ns")
HUNG = re.compile(r"INFO: task .* blocked for more than|soft lockup - CPU#\d+ stuck for")
# with a trace of each processor, which such a machine takes long to print
LOCKED = re.compile(r"rcu: INFO: .* (detected stalls|self-detected stall) on")
DUMP_SECONDS = 30.0
WHEN = re.compile(r"\[\s*(\d+\.\d+)\]")


def stood_still(text):
    """The first line that shows that the machine was not let run, or None."""
    found = STOOD_STILL.search(text)
    return found and found[0]


def trouble(text, allow=(), stalled=None):
    """The lines of a kernel log that must not be there. allow: patterns of lines that
    the test itself causes. stalled: what is known from outside about a machine that was
    not let run."""
    found = []
    starved = stalled or stood_still(text)
    aside = dumping = False
    for line in text.splitlines():
        when = WHEN.search(line)
        if starved and HUNG.search(line):
            aside = True            # and the call trace that comes with it
            continue
        if starved and when and LOCKED.search(line):
            dumping = float(when[1]) + DUMP_SECONDS
            continue
        if dumping and "Call Trace:" in line and when and float(when[1]) < dumping:
            continue
        if aside and "Call Trace:" in line:
            aside = False
            continue
        if not (TROUBLE.search(line) or NVME.search(line)) or HARMLESS.search(line):
            continue
        if any(re.search(pattern, line) for pattern in allow):
            continue
        found.append(line.strip())
    return found

# SPDX-License-Identifier: GPL-2.0-only
"""Valgrind: no command reads or writes where it must not, or leaks memory.
All other cases run the tool with the compiler's own checks. In a host without
KVM valgrind takes minutes for all commands; CHECK_FULL=1 runs them."""

import os

from bed import PF

TWO = f"[x]\naddress = {PF}\nnum_vfs = 1\nqueues = 3\ninterrupts = 3\nvf1.namespaces = 2\n"
VALGRIND = ("env VALGRIND_LIB=/share/valgrind valgrind -q --error-exitcode=99 --leak-check=full --sim-hints=lax-ioctls"
            " nvme-vfio-plain")
UNFIT = 11

# (words, exit status), in this order
FEW = (("list --json", 0), ("apply", 0), ("teardown", 0))
GOOD = (
    ("list", 0), ("list --json", 0), ("--help", 0), ("apply nvme99", 3),
    ("apply --dry-run", 0), ("apply", 0), ("apply", 0), ("selftest 0000:01:00.1", 0),
    # this host has no QEMU
    ("doctor --json", UNFIT), ("doctor --peer /tmp/peer", UNFIT),
    ("bind -d vfio-pci 0000:01:00.1", 0), ("unbind 0000:01:00.1", 0), ("bind 0000:01:00.1", 0),
    ("teardown", 0),
)


def run(tap, bed):
    # the dynamic loader's symbols, where valgrind looks for them
    bed.sh("mkdir -p /usr/lib/debug && cp -r /share/debug/usr/lib/debug/.build-id /usr/lib/debug/")

    def clean(words, status, name="", **how):
        r = bed.tool(words, **{"program": VALGRIND, **how})
        tap.ok(r.status == status and "==" not in r.err and "valgrind" not in r.err,
               f"valgrind: nvme-vfio {words}{name}", r)

    bed.config(TWO)
    full = bool(os.environ.get("CHECK_FULL"))
    for words, status in GOOD if full else FEW:
        clean(words, status, before="cp /share/o /tmp/peer; ")
    if not full:
        tap.skip("valgrind: all other commands", "CHECK_FULL=1")
        return
    clean("watch", 0, program=f"{{ {VALGRIND}", after=" & }; pid=$!; wait_for 100 sh -c 'grep -q 1 "
          "/sys/kernel/tracing/instances/nvme-vfio-*/events/nvme_vfio/enable'; kill -TERM $pid; wait $pid")
    bed.config(TWO + "typo = 1\n")
    clean("apply", 5, ", with a typo")
    bed.config(TWO)
    bed.model(PF, "lm-fail=0x1c@3=0x4006")
    clean("apply", 1, ", undone")
    bed.model_back()

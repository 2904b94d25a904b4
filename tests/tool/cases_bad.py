# SPDX-License-Identifier: GPL-2.0-only
"""Bad input: one line, the documented exit code, and nothing has changed."""

import re
import time

from bed import AS_USER, PF, PF2

GOOD = f"[x]\naddress = {PF}\nnum_vfs = 2\nqueues = 4\ninterrupts = 4\n"


def refused(tap, bed, name, code, word, arguments="apply", **how):
    before = bed.snapshot()
    r = bed.tool(arguments, **how)
    after = bed.snapshot()
    tap.ok(r.status == code and len(r.lines) == 1 and word in r.err and not r.out and after == before,
           f"{name}: one line, {code}, nothing touched",
           f"{r}" + ("" if after == before else f"{before}--\n{after}"))


def in_json(tap, bed, code, arguments, **how):
    """One object, with the lines of standard error in it."""
    r = bed.tool(f"{arguments} --json", **how)
    why = ""
    try:
        errors = r.json()["errors"]
        if not errors or [f"nvme-vfio: {e}" for e in errors] != r.lines or r.status != code:
            why = f"{r}"
    except (ValueError, KeyError) as e:
        why = f"{e}: {r}"
    tap.ok(not why, f"{arguments} --json{', not root' if how else ''}: {code}, and the error is in it", why)


def no_module(tap, bed):
    """Before the module is loaded."""
    bed.config(GOOD)
    refused(tap, bed, "no module", 7, "nvme-vfio-pci")
    bed.sh("load_driver vendor_ids=1b36:0010")


def run(tap, bed):
    bed.config(GOOD)
    refused(tap, bed, "an unknown PF", 3, "0000:7f:00.0", "apply 0000:7f:00.0")
    refused(tap, bed, "a PF without a section", 5, PF2, f"apply {PF2}")
    r = bed.tool(f"apply --if-configured {PF2}")
    tap.ok(r.status == 0 and not r.err, "a PF without a section, for udev: 0", r)
    refused(tap, bed, "no root", 6, "root", "apply", program=AS_USER)
    refused(tap, bed, "no root, teardown", 6, "root", "teardown", program=AS_USER)
    for name, text, code, word in (
            ("a typo", GOOD + "quues = 4\n", 5, "test.conf:6: unknown key quues"),
            ("two sections for one PF", GOOD + "[y]\nserial = rig0\nnum_vfs = 1\n", 5, "two sections"),
            ("two sections for one PF, by what it is like", GOOD.replace(f"address = {PF}", "model = QEMU*")
             + "[y]\npci = 1b36:0010\nnum_vfs = 1\n", 5, "both fit"),
            ("a PF that is not there", "[x]\nserial = other\nnum_vfs = 1\n", 3, "serial = other"),
            ("too many queues for one VF", GOOD.replace("queues = 4", "queues = 5"), 9, "5 queues"),
            ("too many interrupts for one VF", GOOD.replace("interrupts = 4", "interrupts = 9"), 9,
             "9 interrupts"),
            ("too many VFs", GOOD.replace("num_vfs = 2", "num_vfs = 5"), 9, "5 VFs"),
            ("no queues said", GOOD.replace("queues = 4\n", ""), 5, "queues"),
            ("a namespace that is not there", GOOD + "namespaces = 77\n", 9, "namespace 77"),
            ("a driver that is not there", GOOD + "driver = nothing\n", 7, "nothing"),
            ("a driver of something else", GOOD + "driver = ahci\n", 7 if not bed.has_driver("ahci") else 1, "ahci"),
    ):
        bed.config(text)
        refused(tap, bed, name, code, word)
    refused(tap, bed, "a configuration that is not there", 5, "/nowhere", "apply --config /nowhere")
    for words in ("apply --nonsense", "bind", "nonsense", "bind -d", "diff --nonsense"):
        before = bed.snapshot()
        r = bed.tool(words)
        tap.ok(r.status == 2 and 1 <= len(r.lines) <= 3 and bed.snapshot() == before,
               f"usage: nvme-vfio {words}: 2", r)
    r = bed.tool("")
    tap.ok(r.status == 2 and "\nCommands:\n" in r.err and not r.out, "usage: nvme-vfio: its help, 2", r)

    bed.config(GOOD)
    bed.tool("apply")
    refused(tap, bed, "a VF for a PF", 3, f"its PF is {PF}", "apply 0000:01:00.1")
    refused(tap, bed, "a PF for a VF", 3, "not a VF", f"bind {PF}")
    refused(tap, bed, "a VF that is not there", 3, "0000:01:00.7", "bind 0000:01:00.7")
    for code, words in ((3, f"bind {PF}"), (3, "unbind 0000:01:00.7"), (3, "apply 0000:01:00.1"),
                        (3, f"selftest {PF}"), (3, "doctor nvme77"), (3, "teardown 0000:7f:00.0")):
        in_json(tap, bed, code, words)
    bed.config(GOOD.replace("queues = 4", "queues = 5"))
    in_json(tap, bed, 9, "apply")
    bed.config(GOOD + "quues = 4\n")
    in_json(tap, bed, 5, "apply")
    in_json(tap, bed, 5, "check-config")
    bed.config(GOOD)
    for words in ("list", "apply", "teardown", "bind 0000:01:00.1", "unbind 0000:01:00.1", "selftest 0000:01:00.1",
                  "watch"):
        in_json(tap, bed, 6, words, program=AS_USER)
    in_use(tap, bed)
    two_at_a_time(tap, bed)
    bed.tool("teardown")


def in_use(tap, bed):
    bed.sh("(sleep 1000 </dev/vfio/$(basename $(readlink /sys/bus/pci/devices/0000:01:00.2/iommu_group)) &"
           "echo $! >/tmp/user) >/dev/null 2>&1; sleep 0.3")
    refused(tap, bed, "teardown, a VF in use", 4, "0000:01:00.2: in use", "teardown")
    refused(tap, bed, "unbind, a VF in use", 4, "0000:01:00.2: in use", "unbind 0000:01:00.2")
    refused(tap, bed, "bind, a VF in use", 4, "0000:01:00.2: in use", "bind -d vfio-pci 0000:01:00.2")
    bed.config(GOOD.replace("num_vfs = 2", "num_vfs = 3"))
    refused(tap, bed, "apply, a VF in use", 4, "0000:01:00.2: in use")
    bed.sh("kill $(cat /tmp/user); sleep 0.2")

    # by the host itself: swap on a VF's namespace, then a process that reads it
    bed.config(GOOD)
    bed.sh("nvme-vfio bind -d nvme 0000:01:00.2; wait_for 60 ls -d /sys/bus/pci/devices/0000:01:00.2/nvme/nvme*/nvme*n1")
    name = bed.sh("ls -d /sys/bus/pci/devices/0000:01:00.2/nvme/nvme*/nvme*n1").strip().split("/")[-1]
    disk = "/dev/" + re.sub(r"c\d+", "", name)
    bed.sh(f"wait_for 60 test -b {disk}; mkswap {disk}; swapon {disk}")
    refused(tap, bed, "apply, the host has a VF's disk", 4, f"{disk} is mounted or otherwise held")
    bed.sh(f"swapoff {disk}; (sleep 1000 <{disk} & echo $! >/tmp/user) >/dev/null 2>&1; sleep 0.3")
    refused(tap, bed, "apply, a process has a VF's disk", 4, "(sleep) has it open")
    bed.sh("kill $(cat /tmp/user); sleep 0.2")
    r = bed.tool("apply")
    tap.ok(r.status == 0, "apply: when it is free again", r)


def two_at_a_time(tap, bed):
    bed.config(GOOD.replace("queues = 4", "queues = 3"))
    waiting = bed.host.begin("LD_PRELOAD=/share/meddle.so MEDDLE_AT=2 MEDDLE_RUN='touch /tmp/in;"
                             " while test ! -e /tmp/go; do sleep 0.1; done' nvme-vfio-plain apply 2>&1")
    bed.sh("wait_for 60 test -e /tmp/in")
    before = bed.snapshot()
    for words in (f"apply {PF}", f"teardown {PF}", "bind 0000:01:00.1"):
        r = bed.tool(words)
        tap.ok(r.status == 8 and len(r.lines) == 1 and "another nvme-vfio" in r.err and bed.snapshot() == before,
               f"{words.split(' ', 1)[0]}, another process in the middle of it: one line, 8", r)
    r = bed.tool("list --json")
    tap.ok(r.status == 0, "list meanwhile", r)
    # one that waits gets its turn; one that waits less ends before
    patient = bed.host.begin("nvme-vfio apply --wait=200 2>&1")
    bed.sh("wait_for 60 test -s /run/nvme-vfio/turn.lock")
    begun = time.monotonic()
    r = bed.tool("apply --wait=1")
    took = time.monotonic() - begun
    tap.ok(r.status == 8 and len(r.lines) == 1 and took < 30,
           f"apply --wait=1, others are at work: one line, 8, after {took:.0f} s", r)
    modes = bed.sh("stat -c '%a %u' /run/nvme-vfio /run/nvme-vfio/*").split("\n")[:-1]
    tap.ok(modes[0] == "700 0" and set(modes[1:]) == {"600 0"}, "nobody but root can take a lock", modes)
    bed.sh("touch /tmp/go")
    status, output = bed.host.finish(waiting, 120)
    tap.ok(status == 0 and not output, "the first one gets done", output)
    status, output = bed.host.finish(patient, 120)
    tap.ok(status == 0 and not output, "and the one that waited", output)

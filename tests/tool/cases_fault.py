# SPDX-License-Identifier: GPL-2.0-only
"""Each step of apply fails once: everything stays as it was."""

from bed import PF

ONE = f"[x]\naddress = {PF}\nnum_vfs = 1\nqueues = 4\ninterrupts = 4\n"
TWO = f"[x]\naddress = {PF}\nnum_vfs = 2\nqueues = 3\ninterrupts = 3\nvf2.namespaces = 2\n"


def undone(tap, bed, name, r, before, code=1, lines=1):
    after = bed.snapshot()
    return tap.ok(r.status == code and len(r.lines) == lines and after == before, name,
                  f"{r}" + ("" if after == before else f"{before}--\n{after}"))


def run(tap, bed):
    commands(tap, bed)
    every_call(tap, bed)
    stopped(tap, bed)
    gone(tap, bed)


def commands(tap, bed):
    """The drive refuses each command of a first apply."""
    before = bed.snapshot()
    bed.config(TWO)
    for opcode, number in (("0x1c", 6), ("0x15", 1)):
        for at in range(1, number + 1):
            bed.model(PF, f"lm-fail={opcode}@{at}=0x4006")
            r = bed.tool("apply")
            undone(tap, bed, f"the drive fails command {opcode}, number {at}: one line, 1, undone", r, before)
            bed.model_back()
    # undoing fails too
    bed.model(PF, "lm-fail=0x1c@6=0x4006+0x1c@7=0x4006")
    r = bed.tool("apply")
    tap.ok(r.status == 10 and "not as it was" in r.err, "the drive fails while undoing as well: said, 10", r)
    bed.model_back()
    r = bed.tool("teardown")
    undone(tap, bed, "teardown leads back from there", r, before, 0, 0)


def every_call(tap, bed):
    """From one VF to two: every write to sysfs and every command fails once."""
    bed.config(ONE)
    bed.tool("apply")
    before = bed.snapshot()
    bed.config(TWO)
    at = 0
    while True:
        at += 1
        r = bed.meddle("apply", at)
        if r.status == 0 or at > 60:
            break
        if not undone(tap, bed, f"call {at} that changes something fails: one line, 1, undone", r, before):
            return
    tap.ok(at == bed.count() + 1 and at > 15, f"{at - 1} calls failed, one after the other", r)
    # resetting a VF fails for real
    bed.config(TWO.replace("queues = 3", "queues = 2"))
    before = bed.snapshot()
    bed.sh("echo >/sys/bus/pci/devices/0000:01:00.1/reset_method")
    r = bed.tool("apply")
    tap.ok(r.status in (1, 10) and len(r.lines) <= 3, "a VF that cannot be reset", r)
    bed.sh("echo default >/sys/bus/pci/devices/0000:01:00.1/reset_method")
    r = bed.tool("apply")
    tap.ok(r.status == 0, "apply, once it can", r)
    bed.tool("teardown")


def stopped(tap, bed):
    before = bed.snapshot()
    bed.config(TWO)
    for name in ("TERM", "INT", "HUP"):
        r = bed.meddle("apply", 8, f"kill -{name} $PPID")
        undone(tap, bed, f"SIG{name} in the middle of apply: one line, 1, undone", r, before)
    r = bed.meddle("apply", 9, "kill -KILL $PPID")
    tap.ok(r.status == 137 and bed.snapshot() != before, "SIGKILL in the middle of apply", r)
    r = bed.tool("teardown")
    undone(tap, bed, "teardown leads back from there as well", r, before, 0, 0)
    bed.meddle("apply", 9, "kill -KILL $PPID")
    r = bed.tool("apply")
    tap.ok(r.status == 0 and not r.err, "apply goes on from there", r)
    r = bed.tool("teardown")
    undone(tap, bed, "and teardown leads back to before the first", r, before, 0, 0)


def gone(tap, bed):
    """The PF vanishes in the middle, with everything behind its port, as if pulled
    out."""
    before = bed.snapshot()
    bed.config(TWO)
    port = bed.sh(f"basename $(dirname $(readlink -f /sys/bus/pci/devices/{PF}))").strip()
    r = bed.meddle("apply", 9, f"echo 1 >/sys/bus/pci/devices/{port}/remove")
    tap.ok(r.status == 3 and len(r.lines) == 1 and "gone" in r.err, "the PF vanishes in the middle: one line, 3", r)
    bed.sh(f"echo 1 >/sys/bus/pci/rescan; wait_for 60 pf_dev {PF}")
    bed.find()
    # the drive remembers to which controllers its namespaces are attached, and so does the tool
    r = bed.tool("teardown")
    undone(tap, bed, "teardown leads back when it has returned", r, before, 0, 0)

    r = bed.meddle("apply", 9, f"echo {PF} >/sys/bus/pci/drivers/nvme/unbind")
    tap.ok(r.status == 10 and "gone" in r.lines[0], "the PF is unbound in the middle: said, 10", r)
    bed.sh(f"echo {PF} >/sys/bus/pci/drivers/nvme/bind; wait_for 60 pf_dev {PF}")
    bed.find()
    r = bed.tool("teardown")
    undone(tap, bed, "teardown leads back when it is bound again", r, before, 0, 0)

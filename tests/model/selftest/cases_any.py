# SPDX-License-Identifier: GPL-2.0-only
"""What the standard lets a drive do, and this one does only when told to."""

from bed import AER, BAD_CNTLID, INVALID_FIELD, NOT_SUSPENDED
from bed import guest, machine, pattern, refused, same
from cases_rules import BOTH, saved
from nvmeq import FIRST, LAST, SUSPEND, VENDOR_SIZE


def case_set_running():
    """lm-set-running: Set on a controller that is enabled and runs"""
    with machine(lm="standard", vfs=3, extra="lm-set-running=on") as (qemu, pf):
        a, b, c = pf.vfs[:3]
        state = bytes(saved(pf, a, aers=0).data)
        same(pf.set(b, 0, state, BOTH), BAD_CNTLID, "one that is not enabled")
        b.enable()
        b.start(0, AER)
        qemu.settle()
        same(pf.set(b, 0, state[:64], FIRST), 0, "a first piece, with an AER out")
        same(b.identify(1)[0].status, 0, "it goes on meanwhile")
        same(pf.set(b, 64, state[64:], LAST), 0, "and takes the rest")
        same(pf.report()[f"vf.{b.cntlid}"], "running", "it runs")
        same(pf.resume(b), NOT_SUSPENDED, "and needs no resume")
        b.adopt(a)
        same(b.write_block(1, 1, pattern(1)), 0, "with the queues that it got")
        guest(c)
        same(pf.set(c, 0, state, BOTH), INVALID_FIELD, "one with I/O queues")
        same(pf.report()[refused(c)], "the target has I/O queues", "says why")
        same(c.write_block(1, 2, pattern(2)), 0, "and goes on")


def case_set_offline():
    """lm-set-offline: the state of a live controller for one that is offline"""
    with machine(lm="standard", extra="lm-set-offline=on") as (_, pf):
        a, off = pf.vfs[0], pf.vfs[2]
        state = bytes(saved(pf, a, aers=0).data)
        same(pf.set(off, 0, state, BOTH), INVALID_FIELD, "without resources")
        for resource in 0, 1:
            pf.virt(off.cntlid, 8, resource, 4)
        off.function.flr()
        broken = bytearray(state)
        broken[-1] ^= 1
        same(pf.set(off, 0, bytes(broken), BOTH), INVALID_FIELD, "a bad one")
        same(pf.set(off, 0, state, BOTH), 0, "a good one is taken")
        same(pf.report()[f"vf.{off.cntlid}"], "offline", "by one that stays offline")
        off.function.flr()
        same(pf.virt(off.cntlid, 9), 0, "online")
        same(pf.report()[f"vf.{off.cntlid}"], "running", "a reset before that takes it away")

        pf.virt(off.cntlid, 7)
        for resource in 0, 1:
            pf.virt(off.cntlid, 8, resource, 4)
        off.function.flr()
        same(pf.set(off, 0, state, BOTH), 0, "once more")
        same(pf.virt(off.cntlid, 9), 0, "online")
        same(pf.report()[f"vf.{off.cntlid}"], "suspended", "it is suspended then")
        off.function.writew(4, 0x6)
        off.setup_msix(4)
        off.adopt(a)
        same(pf.resume(off), 0, "resumed")
        same(off.write_block(1, 1, pattern(1)), 0, "it goes on with what it got")


def case_ids():
    """lm-ids, lm-list-more, lm-list-order: which ids, in which pages"""
    with machine(lm="both", extra="lm-ids=5000/7/down") as (_, pf):
        same([vf.cntlid for vf in pf.vfs], [5021, 5014, 5007, 5000], "ids of the VFs")
        guest(pf.vfs[0])
        same(pf.vfs[0].identify(1)[1][78:80], (5021).to_bytes(2, "little"),
             "a VF says so itself")
        same(pf.suspend(pf.vfs[0]), 0, "commands name it")
        same(pf.get(pf.vfs[0], 0, 48)[0].status, 0, "all of them")
        same(pf.vendor(VENDOR_SIZE, pf.vfs[0]).status, 0, "the vendor set names its number")
        same(pf.resume(pf.vfs[0]), 0, "resume")

        ids = [entry[0] for entry in pf.secondaries()]
        same(ids, [5000, 5007, 5014, 5021], "the list has the smallest first")
        pf.control("lm-list-order=down")
        same([entry[0] for entry in pf.secondaries()], ids[::-1], "or the largest")
        same(pf.identify(0x15, cntid=5007)[1][0], 3, "from some id on")
        same(pf.identify(0x15, cntid=5022)[1][0], 0, "or nothing")
        pf.control("lm-list-order=mixed")
        same([entry[0] for entry in pf.secondaries()], [5000, 5014, 5007, 5021], "or neither")

        for order in "up", "down", "mixed":
            pf.control(f"lm-list-more=300\nlm-list-order={order}")
            pages = [pf.identify(0x15, cntid=start)[1] for start in (0, 128, 255)]
            same([page[0] for page in pages], [127, 127, 50], f"{order}: three pages")
            found = pf.secondaries()
            same(sorted(entry[0] for entry in found), [*range(1, 301), *ids],
                 "each id once, the smallest that are free")
            same([entry[5] for entry in found if entry[0] < 5000], [0] * 300,
                 "those are no VFs")
        same(pf.send(SUSPEND, 17 | 1 << 16).status, BAD_CNTLID, "nor can be named")
    with machine(lm="standard", extra="lm-ids=65500/5") as (_, pf):
        same([vf.cntlid for vf in pf.vfs], [65500, 65505, 65510, 65515], "the highest ids")
        same(pf.suspend(pf.vfs[1]), 0, "are as good as others")

# SPDX-License-Identifier: GPL-2.0-only
"""Faults that tests ask for: failing, hanging, lying."""

from bed import AER, INTERNAL_ERROR, READ
from bed import guest, machine, move, ok, pattern, same, stopped
from layout import State
from nvmeq import PAGE, VENDOR_SAVE, VENDOR_SUSPEND


def case_fail():
    """lm-fail: which command, which status, no effect"""
    with machine() as (_, pf):
        vf, dest = pf.vfs[:2]
        guest(vf)
        pf.control("lm-fail=0x41/0@2=0x006+66@1=0x11f+0xd2@1=0x4002")
        same(pf.suspend(vf), 0, "the first suspend")
        pf.resume(vf)
        same(pf.suspend(vf), INTERNAL_ERROR, "the second fails")
        same(pf.report()[f"vf.{vf.cntlid}"], "running", "without effect")
        same(pf.report()["status.41.0"], "0x006", "and is counted so")
        same(pf.suspend(vf), 0, "the third")
        same(pf.get(vf, 0, 48)[0].status, 0x11f, "first Get of any SEL")
        same(pf.get(vf, 0, 48)[0].status, 0, "second Get")
        same(pf.vendor(VENDOR_SAVE, vf, prp1=0x1000000).status, 2, "save")
        same(vf.csts, 1, "without effect")

        state = pf.get_all(vf)
        stopped(pf, dest)
        pf.control("lm-fail=0x41/2@2=0x2")
        same(pf.set(dest, 0, state[:64], 1), 0, "first piece")
        same(pf.set(dest, 64, state[64:], 2), 2, "last piece fails")
        same(dest.csts, 0, "nothing committed")
        same(pf.set(dest, 64, state[64:], 2), 0, "the same once more is taken")
        same(pf.control("lm-fail=0x41/0@1=0x2\n"), 0, "a rule")
        same(pf.control("lm-fail="), 0, "taken back")
        same(pf.suspend(vf), 0, "does nothing")
        pf.control("lm-fail=0x06@1=0x6")
        same(pf.identify(1)[0].status, 6, "any admin command can fail")
        same(pf.identify(1)[0].status, 0, "once")
        same(vf.identify(1)[0].status, 0, "a VF's never") \
            if pf.resume(vf) == 0 else ok(False, "resume")


def case_hang():
    """lm-hang: no completion, no effect, until reset"""
    with machine(lm="standard") as (qemu, pf):
        vf = guest(pf.vfs[0])
        pf.control("lm-hang=0x41/0@1")
        pf.start(0, 0x41, dwords=(0, vf.cntlid | 1 << 16))
        qemu.settle()
        qemu.step_ms(100000)
        qemu.settle()
        ok(pf.queues[0].peek() is None, "it never completes")
        same(pf.report()[f"vf.{vf.cntlid}"], "running", "and has no effect")
        same(pf.suspend(vf), 0, "the next one works")
        same(pf.admin(0x08, dwords=(1 << 16,)).dw0, 1, "abort does not help")
        pf.disable()
        pf.enable(64)
        same(pf.identify(1)[0].status, 0, "a reset does")


def case_lie_csup():
    """csup-clear"""
    with machine(lm="standard", extra="lm-lie=csup-clear") as (_, pf):
        vf = guest(pf.vfs[0])
        pf.suspend(vf)
        done, data = pf.get(vf, 0, 48)
        same((done.status, done.dw0, data[2]), (0, 0, 0), "CSUP and CP are 0")
        same(pf.report()[f"vf.{vf.cntlid}"], "suspended", "though suspended")


def case_lie_lose():
    """lose-cqe: one command in flight at suspend never completes"""
    with machine(lm="standard", extra="lm-lie=lose-cqe", slow=True,
                 vfs=3) as (qemu, pf):
        a, b = pf.vfs[:2]
        guest(a)
        cids = [a.start_io(1, READ, 0, qemu.alloc(PAGE)) for _ in range(3)]
        pf.start(0, 0x41, dwords=(0, a.cntlid | 1 << 16))
        same(pf.wait(0).status, 0, "suspend")
        move(pf, a, b)
        # the drive may finish them in another order
        seen = {b.wait(1).cid, b.wait(1).cid}
        ok(len(seen) == 2 and seen < set(cids), "two of three come")
        for _ in range(10):
            qemu.step_ms(100)
            qemu.settle()
        ok(b.queues[1].peek() is None, "the third is lost")

        c = guest(pf.vfs[2])
        c.start(0, AER)
        qemu.settle()
        pf.suspend(c)
        same(State(pf.get_all(c)).vendor("nr_aers"), 0, "idle: the AER is")
        cid = c.start_io(1, READ, 0, qemu.alloc(PAGE))
        state = State(pf.get_all(c))
        same(state.sq(0)[5], state.sq(0)[6], "not fetched: that command is")
        pf.control("lm-lie=")
        same(State(pf.get_all(c)).vendor("nr_aers"), 1, "truth again")
        pf.resume(c)
        same(c.wait(1).cid, cid, "the source itself loses nothing")


def case_lie_double():
    """double-cqe: one completion comes twice after the load"""
    with machine(lm="standard", extra="lm-lie=double-cqe") as (qemu, pf):
        a, b = pf.vfs[:2]
        guest(a)
        pf.suspend(a)
        move(pf, a, b)
        cid = b.start_io(1, READ, 0, qemu.alloc(PAGE))
        same((b.wait(1).cid, b.wait(1).cid), (cid, cid), "twice the same")
        same(b.write_block(1, 1, pattern(1)), 0, "then all is well")
        qemu.settle()
        ok(b.queues[1].peek() is None, "only once twice")


def case_pf_survives():
    """the vendor suspend and a VF's FLR amid it"""
    with machine(slow=True) as (qemu, pf):
        a = guest(pf.vfs[0])
        for block in range(4):
            a.start_io(1, READ, block * 8, qemu.alloc(PAGE))
        pf.start(0, VENDOR_SUSPEND, dwords=(1,))
        pf.start(0, 0x41, dwords=(0, a.cntlid | 1 << 16))
        qemu.settle()
        ok(pf.queues[0].peek() is None, "two suspends wait")
        same(pf.report()[f"vf.{a.cntlid}"], "suspending", "for one VF")
        same((pf.wait(0).status, pf.wait(0).status), (0, 0), "both end")

# SPDX-License-Identifier: GPL-2.0-only
"""Faults on request: failing, hanging, lying."""

from bed import AER, INTERNAL_ERROR, NOT_SUSPENDED, READ
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


def case_retry():
    """lm-fail without DNR, with a retry delay; lm-crdt; lm-sequences"""
    with machine(lm="standard", vfs=3) as (_, pf):
        a, b = pf.vfs[:2]
        guest(a)
        same(pf.identify(1)[1][128:130], bytes(2), "no CRDT1")
        pf.control("lm-crdt=7\nlm-fail=0x41/0@1=0x0806")
        same(pf.identify(1)[1][128:130], bytes((7, 0)), "CRDT1")
        done = pf.admin(0x41, dwords=(0, a.cntlid | 1 << 16))
        same((done.status, done.retry_delay), (INTERNAL_ERROR, 1), "a delay with the status")
        same(pf.suspend(a), 0, "and then not")
        state = pf.get_all(a)

        c = pf.vfs[2]
        stopped(pf, b)
        stopped(pf, c)
        pf.control("lm-sequences=1")
        same(pf.set(b, 0, state[:64], 1), 0, "one sequence begins")
        same(pf.set(c, 0, state[:64], 1), 0x138, "a second one does not")
        same(pf.set(b, 64, state[64:], 2), 0, "the first one ends")
        same(pf.set(c, 0, state[:64], 1), 0, "and another may begin")


def case_empty_part():
    """lm-empty-part: a part is left out, and may be"""
    with machine(lm="standard") as (_, pf):
        a, b = pf.vfs[:2]
        guest(a)
        pf.suspend(a)
        lengths = lambda: (State(pf.get_all(a)).nvme_len > 0, State(pf.get_all(a)).vendor_len > 0)
        same(lengths(), (True, True), "both parts")
        pf.control("lm-empty-part=nvme")
        same(lengths(), (False, True), "no NVMe part")
        pf.control("lm-empty-part=vendor")
        same(lengths(), (True, False), "no vendor part")
        cut = pf.get_all(a)
        stopped(pf, b)
        pf.control("lm-empty-part=")
        same(pf.set(b, 0, cut, 3), 2, "which is not taken by others")


def case_no_format():
    """lm-no-format: an empty list of versions, or of UUIDs"""
    with machine(lm="standard") as (_, pf):
        whole = pf.identify(0x20)[1]
        same(whole[:4], bytes((1, 1, 0, 0)), "one version, one UUID")
        pf.control("lm-no-format=version")
        same(pf.identify(0x20)[1][:18], bytes((0, 1)) + whole[4:20], "no version")
        pf.control("lm-no-format=uuid")
        same(pf.identify(0x20)[1][:20], bytes((1, 0)) + bytes(18), "no UUID")


def case_half_stays():
    """lm-half-stays: what was not committed survives a reset of the VF"""
    with machine(lm="standard") as (_, pf):
        a, b = pf.vfs[:2]
        guest(a)
        pf.suspend(a)
        state = pf.get_all(a)
        for stays in "off", "on":
            pf.control(f"lm-half-stays={stays}")
            stopped(pf, b)
            same(pf.set(b, 0, state[:64], 1), 0, "a part of a state")
            stopped(pf, b)
            same(pf.resume(b), 0x0c if stays == "on" else 0, f"lm-half-stays={stays}: Resume after a reset")
        own = pf.get_all(b)
        same(pf.set(b, 0, own, 3), 0, "its own state")
        same(pf.resume(b), 0, "ends that")


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
        # the drive may finish them in a different order
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
    """double-cqe: one completion comes twice after the state was loaded"""
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


def case_lie_deaf():
    """deaf: a Resume that succeeds and does nothing"""
    with machine(extra="lm-lie=deaf") as (qemu, pf):
        vf = guest(pf.vfs[0])
        pf.suspend(vf)
        same(pf.resume(vf), 0, "resume")
        same(pf.report()[f"vf.{vf.cntlid}"], "suspended", "without effect")
        cid = vf.start_io(1, READ, 0, qemu.alloc(PAGE))
        qemu.settle()
        ok(vf.queues[1].peek() is None, "the VF does nothing")
        pf.control("lm-lie=")
        same(pf.resume(vf), 0, "a true one")
        same(vf.wait(1).cid, cid, "and it goes on")


def case_lie_sizes():
    """huge, report-overflow: more than there is"""
    with machine(lm="standard", extra="lm-lie=huge+report-overflow") as (_, pf):
        vf = guest(pf.vfs[0])
        same(pf.get(vf, 0, 48)[1][24:32], bytes((1,)) + bytes(7), "NVMECSS")
        assert pf.track(vf, [(0, 16)]).status == 0
        done, data = pf.read_data(0x3e, 64, dwords=(0, vf.cntlid, 15))
        same((done.status, data[4]), (0, 4), "ranges in a report with room for three")


def case_pf_survives():
    """the vendor suspend, and an FLR of the VF in the middle of it"""
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


def begin_suspend(qemu, pf, vf):
    """A Suspend that does not end by itself."""
    pf.start(0, 0x41, dwords=(0, vf.cntlid | 1 << 16))
    qemu.settle()
    qemu.step_ms(100000)
    qemu.settle()
    ok(pf.queues[0].peek() is None, "a suspend waits")
    same(state(pf, vf), "suspending", "and holds the VF")


def state(pf, vf):
    return pf.report()[f"vf.{vf.cntlid}"]


def resets(pf, vf):
    return int(pf.report()[f"vf.{vf.cntlid}.resets"])


def restart(vf):
    """What the driver of a VF does after a reset."""
    vf.function.writew(4, 0x6)
    vf.setup_msix(4)
    guest(vf)
    same(vf.write_block(1, 1, pattern(3)), 0, "the VF is of use again")


def case_suspend_ever():
    """lm-suspend-waits=ever: only a reset of the VF ends a Suspend, as it was set to"""
    with machine(extra="lm-suspend-waits=ever") as (qemu, pf):
        vf, other = pf.vfs[:2]
        guest(vf)
        guest(other)
        for how, status, after in (("fail", INTERNAL_ERROR, "running"), ("end", 0, "running"),
                                   ("suspend", 0, "suspended")):
            pf.control(f"lm-suspend-reset={how}")
            begin_suspend(qemu, pf, vf)
            same(other.write_block(1, 2, pattern(2)), 0, "the other VF is not held up")
            before = resets(pf, vf)
            vf.function.flr()
            same(pf.wait(0).status, status, f"{how}: the status after an FLR")
            same((resets(pf, vf), state(pf, vf)), (before + 1, after), f"{how}: the VF's state")
            if after == "suspended":
                same(pf.resume(vf), 0, f"{how}: resume")
            restart(vf)
        pf.start(0, 0xc8, dwords=(1,))
        qemu.settle()
        ok(pf.queues[0].peek() is None, "the vendor set's waits as well")
        pf.control("lm-suspend-waits=")
        same((pf.wait(0).status, state(pf, vf)), (0, "suspended"), "until the property is another")
        same(pf.vendor(0xcc, vf).status, 0, "resume")
        pf.control("lm-suspend-waits=ever")
        begin_suspend(qemu, pf, vf)
        pf.disable()
        pf.enable(64)
        ok(state(pf, vf) != "suspending", "a reset of the PF ends all")


def case_suspend_ignore():
    """lm-suspend-reset=ignore: a Suspend outlasts resets of the VF"""
    with machine(extra="lm-suspend-waits=ever,lm-suspend-reset=ignore") as (qemu, pf):
        vf = guest(pf.vfs[0])
        begin_suspend(qemu, pf, vf)
        vf.function.flr()
        vf.function.writew(4, 0x6)
        qemu.settle()
        ok(pf.queues[0].peek() is None, "it goes on after an FLR")
        same((vf.csts, state(pf, vf)), (0, "suspending"), "which else has its effect")
        same(pf.resume(vf), NOT_SUSPENDED, "there is nothing to resume")
        pf.control("lm-suspend-waits=")
        same((pf.wait(0).status, state(pf, vf)), (0, "suspended"), "late, it has its effect")
        same(pf.resume(vf), 0, "resume")
        restart(vf)

        pf.control("lm-suspend-delay-ms=50")
        pf.start(0, 0x41, dwords=(0, vf.cntlid | 1 << 16))
        qemu.settle()
        vf.function.flr()
        qemu.step_ms(49)
        qemu.settle()
        ok(pf.queues[0].peek() is None, "so does one that takes its time")
        qemu.step_ms(1)
        same((pf.wait(0).status, state(pf, vf)), (0, "suspended"), "and then ends")
        same(pf.resume(vf), 0, "resume")
        restart(vf)

        pf.control("lm-suspend-waits=ever")
        pf.start(0, 0x41, dwords=(0, vf.cntlid | 1 << 16))
        qemu.settle()
        pf.start(0, 0x1c, dwords=(vf.cntlid << 16 | 7, 0))
        same(sorted((pf.wait(0).status, pf.wait(0).status)), [0, INTERNAL_ERROR],
             "one that is taken offline fails it")
        same(state(pf, vf), "offline", "and is offline")


def case_suspend_full_cq():
    """lm-suspend-waits=cq: a Suspend ends when the guest has made room"""
    with machine(extra="lm-suspend-waits=cq") as (qemu, pf):
        vf = guest(pf.vfs[0], 2, depth=16, cq_depth=4)
        same((pf.suspend(vf), pf.resume(vf)), (0, 0), "with room it ends at once")
        cids = [vf.start_io(1, READ, i * 8, qemu.alloc(PAGE)) for i in range(12)]
        qemu.settle()
        begin_suspend(qemu, pf, vf)
        seen = {vf.wait(1).cid for _ in range(9)}
        same(pf.wait(0).status, 0, "it ends when all have found room")
        same(state(pf, vf), "suspended", "with effect")
        seen |= {vf.wait(1).cid for _ in range(3)}
        same(seen, set(cids), "none is lost")
        same(pf.resume(vf), 0, "resume")

        for i in range(12):
            vf.start_io(1, READ, i * 8, qemu.alloc(PAGE))
        qemu.settle()
        begin_suspend(qemu, pf, vf)
        vf.function.flr()
        same(pf.wait(0).status, INTERNAL_ERROR, "a reset ends it as well")
        restart(vf)

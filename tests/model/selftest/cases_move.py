# SPDX-License-Identifier: GPL-2.0-only
"""A guest moves from one VF to another and cannot tell."""

import struct

from bed import AER, BAD_CNTLID, INTERNAL_ERROR, INVALID_FIELD, NOT_SUSPENDED
from bed import READ, SMART_LOG
from bed import guest, machine, move, ok, pattern, same
from layout import State
from nvmeq import PAGE

VWC, NR_QUEUES, TEMP, AEC, TIMESTAMP, HBS, ATOMIC = 6, 7, 4, 11, 14, 22, 10


def smart_event(qemu, pf, vf):
    """Raise a critical warning on one VF, from outside."""
    path = vf_path(qemu, pf, vf)
    qemu.qmp("qom-set", path=path, property="smart_critical_warning", value=0)
    qemu.qmp("qom-set", path=path, property="smart_critical_warning", value=4)


def vf_path(qemu, pf, vf):
    """VFs have no id: find the object by its place on the bus."""
    bus = f"rp{pf.bus - 1}"
    for item in qemu.qmp("qom-list", path="/machine/unattached")["return"]:
        if item["type"] != "child<nvme>":
            continue
        path = f"/machine/unattached/{item['name']}"
        where = [qemu.qmp("qom-get", path=path, property=name)["return"]
                 for name in ("parent_bus", "addr")]
        if where == [f"/machine/peripheral/{bus}/{bus}",
                     pf.vfs.index(vf) + 1]:
            return path
    raise KeyError(f"VF {vf.cntlid}")


def features(vf):
    """Everything that a guest can ask its controller about itself."""
    seen = {fid: vf.get_feature(fid) for fid in
            (VWC, NR_QUEUES, TEMP, AEC, ATOMIC, 1, 2, 8)}
    seen["under"] = vf.get_feature(TEMP, 1 << 20)
    seen["hbs"] = vf.read_data(0x0a, 512, dwords=(HBS,))[1]
    seen["time"] = vf.read_data(0x0a, 8, dwords=(TIMESTAMP,))[1]
    seen["regs"] = [vf.reg(i) for i in range(0, 0x40, 4)]
    seen["warning"] = vf.read_data(0x02, 512, nsid=0xffffffff, dwords=(
        SMART_LOG | 127 << 16,))[1][0]
    return seen


def case_stop():
    """a suspended VF has registers, moves its tails and raises no interrupts"""
    with machine() as (qemu, pf):
        vf = guest(pf.vfs[0])
        same(vf.write_block(1, 5, pattern(1)), 0, "a write")
        ok(vf.irq(0) and vf.irq(1), "interrupts its vector")
        same(pf.suspend(vf), 0, "suspend")
        same((vf.cc & 1, vf.csts), (1, 1), "registers still answer")
        vf.start_io(1, READ, 40, qemu.alloc(PAGE))
        aer = vf.start(0, AER)
        smart_event(qemu, pf, vf)
        qemu.settle()
        ok(not vf.irq(1) and not vf.irq(0), "no interrupt")
        state = State(pf.get_all(vf))
        same(state.sq(0)[5:7], (1, 2), "the doorbell moved the tail only")
        same(state.vendor("asq_tail") - state.vendor("asq_head"), 1,
             "the admin queue's too")
        same(pf.resume(vf), 0, "resume")
        smart_event(qemu, pf, vf)
        same(vf.set_feature(AEC, 0xff), 0, "the admin queue works")
        smart_event(qemu, pf, vf)
        same(vf.wait(0).cid, aer, "and so does the event request")


def case_drain():
    """Suspend waits for what was fetched, and for nothing else"""
    with machine(slow=True) as (qemu, pf):
        a, b = pf.vfs[:2]
        guest(a)
        guest(b)
        a.start(0, AER)
        buf = qemu.alloc(PAGE)
        for block in range(4):          # the first are fast, then the drive is slow
            a.start_io(1, READ, block * 8, buf)
        b.start_io(1, READ, 0, buf)
        pf.start(0, 0x41, dwords=(0, a.cntlid | 1 << 16))
        qemu.settle()
        ok(pf.queues[0].peek() is None, "suspend waits for reads in flight")
        late = a.start_io(1, READ, 80, buf)
        same(pf.wait(0).status, 0, "suspend ends when they have ended")
        seen = []
        while a.queues[1].peek():
            seen.append(a.queues[1].take().cid)
        same(len(seen), 4, "all four are completed")
        ok(late not in seen, "the one rung later is not fetched")
        same(State(pf.get_all(a)).vendor("nr_aers"), 1, "the AER stays")
        same(b.wait(1).status, 0, "the other VF was not held up")
        pf.resume(a)
        same(a.wait(1).cid, late, "after resume the late one completes")


def case_delay():
    """delayed suspend and resume"""
    with machine(extra="lm-suspend-delay-ms=50,lm-resume-delay-ms=70") \
            as (qemu, pf):
        vf = guest(pf.vfs[0])
        for opcode, operand, state, ms in (
                (0, 1 << 16, "suspending", 50), (1, 0, "resuming", 70)):
            pf.start(0, 0x41, dwords=(opcode, vf.cntlid | operand))
            qemu.settle()
            qemu.step_ms(ms - 1)
            qemu.settle()
            ok(pf.queues[0].peek() is None, f"{state} takes its time")
            same(pf.report()[f"vf.{vf.cntlid}"], state, "and says so")
            if opcode == 0:
                same(pf.resume(vf), NOT_SUSPENDED, "not suspended yet")
            qemu.step_ms(1)
            same(pf.wait(0).status, 0, f"{state} ends")


def case_told():
    """a Suspend that was announced takes less time, once"""
    with machine(extra="lm-suspend-delay-ms=50,lm-suspend-told-ms=10") as (qemu, pf):
        vf = guest(pf.vfs[0])
        for ms in (10, 50):
            if ms == 10:
                same(pf.send(0, vf.cntlid).status, 0, "a notification")
                same(pf.report()[f"vf.{vf.cntlid}"], "running", "that stops nothing")
            pf.start(0, 0x41, dwords=(0, vf.cntlid | 1 << 16))
            qemu.settle()
            qemu.step_ms(ms - 1)
            qemu.settle()
            ok(pf.queues[0].peek() is None, f"a Suspend takes {ms} ms")
            qemu.step_ms(1)
            same(pf.wait(0).status, 0, "and ends")
            same(pf.resume(vf), 0, "resume")


def case_no_resume_irq():
    """lm-resume-irq=off: what a Suspend completed raises no interrupt"""
    with machine(slow=True, extra="lm-resume-irq=off") as (qemu, pf):
        vf = guest(pf.vfs[0])
        for by in ("off", "on"):
            pf.control(f"lm-resume-irq={by}")
            vf.irq(1)
            for block in range(4):      # the first are fast, then the drive is slow
                vf.start_io(1, READ, block * 8, qemu.alloc(PAGE))
            vf.wait(1)
            vf.irq(1)
            pf.start(0, 0x41, dwords=(0, vf.cntlid | 1 << 16))
            same(pf.wait(0).status, 0, "suspend")
            vf.irq(1)
            same(pf.resume(vf), 0, "resume")
            qemu.settle()
            same(bool(vf.irq(1)), by == "on", f"an interrupt, {by}")
            for _ in range(3):
                same(vf.wait(1).status, 0, "who looks finds them all the same")


def case_pace():
    """commands that take time, and their data as well, one after the other"""
    with machine(extra="lm-command-us=20000,lm-mib-per-s=1") as (qemu, pf):
        vf = guest(pf.vfs[0])
        get = (0x42, 1 << 16, vf.cntlid | 1 << 16, 0, 0, 0, 48 // 4 - 1)
        commands = (("suspend", 20, (0x41, 0, vf.cntlid | 1 << 16)), ("get", 21, get),
                    ("resume", 20, (0x41, 1, vf.cntlid)))
        qemu.step_ms(1)                 # time starts at zero
        pending = []
        for _, _, (opcode, *dwords) in commands:
            pending.append(pf.start(0, opcode, prp1=qemu.alloc(PAGE), dwords=dwords))
            qemu.settle()
        for cid, (name, ms, _) in zip(pending, commands):
            qemu.step_ms(ms - 1)
            qemu.settle()
            ok(pf.queues[0].peek() is None, f"{name} takes its time")
            qemu.step_ms(1)
            done = pf.wait(0)
            same((done.cid, done.status), (cid, 0), f"{name} ends")
        pf.start(0, 0x41, dwords=(0, vf.cntlid | 1 << 16))
        qemu.settle()
        same(pf.report()[f"vf.{vf.cntlid}"], "suspended", "what tests ask for takes none")
        pf.disable()
        qemu.step_ms(100)
        pf.enable(64)
        same(pf.admin(6, prp1=qemu.alloc(PAGE), dwords=(1,)).status, 0,
             "a reset takes what waits with it")


def case_slow_identify():
    """Identify that takes time, only on a PF, one after the other"""
    with machine() as (qemu, pf):
        pf.control("lm-identify-ms=30")
        qemu.step_ms(1)
        cids = []
        for cns in 1, 0x20:
            cids.append(pf.start(0, 0x06, prp1=qemu.alloc(PAGE), dwords=(cns,)))
        qemu.settle()
        qemu.step_ms(29)
        qemu.settle()
        ok(pf.queues[0].peek() is None, "it takes its time")
        qemu.step_ms(1)
        for cid in cids:
            done = pf.wait(0)
            same((done.cid, done.status), (cid, 0), "it ends")
        pf.start(0, 0x06, prp1=qemu.alloc(PAGE), dwords=(1,))
        qemu.settle()
        pf.disable()
        qemu.step_ms(100)
        pf.enable(64)
        ok(pf.queues[0].peek() is None, "a reset takes what waits with it")


def exercise(qemu, pf, a, b, dest_pf=None):
    """Everything at once: data, phases, features, AERs, unfetched commands."""
    guest(a)
    blocks = {i: pattern(i) for i in range(1, 20)}
    for i, data in blocks.items():
        if a.write_block(1 + i % 2, i, data):
            ok(False, f"write of block {i}")
    for fid, value in ((TEMP, 0x150), (TEMP, 0x110 | 1 << 20), (AEC, 0x1ff),
                       (ATOMIC, 1)):
        same(a.set_feature(fid, value), 0, f"feature {fid}")
    hbs = bytes((1,)) + bytes(511)
    same(a.write_data(0x09, hbs, dwords=(HBS,)).status, 0, "feature 22")
    same(a.write_data(0x09, struct.pack("<Q", 1234567890), dwords=(
        TIMESTAMP,)).status, 0, "timestamp")
    aers = [a.start(0, AER) for _ in range(3)]
    qemu.settle()
    before = features(a)
    identify = a.identify(1)[1]
    same(pf.suspend(a), 0, "suspend")
    buf = qemu.alloc(PAGE)
    cid = a.start_io(2, READ, 3 * 8, buf)

    data = move(pf, a, b, 512, dest_pf)
    done = b.wait(2)
    same((done.cid, done.status, qemu.read(buf, PAGE) == blocks[3]),
         (cid, 0, True), "a command rung before completes there")
    same((b.cc, b.csts), (0x460001, 1), "enabled and ready")
    same(features(b), before, "registers and features are the same")
    other = bytearray(b.identify(1)[1])
    if dest_pf is None:
        other[78:80] = identify[78:80]
        same(bytes(other), identify, "Identify too, but for the id")
    for i, want in blocks.items():
        if b.read_block(1 + i % 2, i) != want:
            ok(False, f"block {i}")
    for i in range(40):
        if b.write_block(1 + i % 2, 30 + i, pattern(i + 500)):
            ok(False, f"write of block {30 + i}")
    ok(b.read_block(1, 69) == pattern(539), "I/O goes on over many rounds")
    same(list(State(data).aers()), aers, "the AERs are in the state")
    smart_event(qemu, dest_pf or pf, b)
    done = b.wait(0)
    same((done.cid in aers, done.dw0 & 7, done.status), (True, 1, 0),
         "an AER fires after the move")
    ok(b.queues[1].peek() is None and b.queues[2].peek() is None and
       b.queues[0].peek() is None, "nothing completes twice")
    return data


def case_move():
    """VF to VF of one PF"""
    with machine(lm="standard") as (qemu, pf):
        exercise(qemu, pf, *pf.vfs[:2])


def case_move_far():
    """VF to VF of another PF, and back, with padding in pieces"""
    with machine(lm="standard", pfs=2, extra="lm-pad=400000") \
            as (qemu, pf, far):
        exercise(qemu, pf, pf.vfs[0], far.vfs[1], far)
        a, b = far.vfs[1], pf.vfs[0]
        same(far.suspend(a), 0, "suspend for the way back")
        move(far, a, b, 131072, pf)
        same(b.write_block(1, 1, pattern(77)), 0, "a write after it")
        ok(b.read_block(2, 1) == pattern(77), "is there")


def case_same_state():
    """what was set is what comes out again"""
    with machine(lm="standard", extra="lm-pad=1000") as (qemu, pf):
        a, b = guest(pf.vfs[0]), pf.vfs[1]
        a.start(0, AER)
        a.write_block(1, 1, pattern(1))
        qemu.settle()
        pf.suspend(a)
        first = pf.get_all(a)
        b.function.flr()
        b.function.writew(4, 6)
        pf.suspend(b)
        same(pf.set_all(b, first, 256), 0, "set")
        ok(pf.get_all(b, 256) == first, "get is equal to the last byte")


def case_full_cq():
    """completions that do not fit are in the state, and their commands are done"""
    with machine(lm="standard") as (qemu, pf):
        a, b = pf.vfs[:2]
        guest(a, 2, depth=16, cq_depth=4)
        bufs = [qemu.alloc(PAGE) for _ in range(12)]
        for i in range(12):
            a.write_block(2, i, pattern(i))
        for i, buf in enumerate(bufs):
            a.start_io(1, READ, i * 8, buf)
        qemu.settle()
        pf.suspend(a)
        ok(all(qemu.read(buf, PAGE) == pattern(i)
               for i, buf in enumerate(bufs)), "everything fetched was done")
        state = State(pf.get_all(a))
        same(len(state.cqes()), 9, "nine completions do not fit")
        for buf in bufs:
            qemu.write(buf, bytes(PAGE))
        move(pf, a, b)
        for _ in bufs:
            b.wait(1)
        qemu.settle()
        ok(not any(any(qemu.read(buf, PAGE)) for buf in bufs),
           "nothing was done twice")


def case_full_admin_cq():
    """the same on the admin queue, and cancel on the source"""
    with machine(lm="standard") as (qemu, pf):
        a, b = pf.vfs[:2]
        a.enable(16, 4)
        cids = [a.start(0, 0x0a, dwords=(NR_QUEUES,)) for _ in range(8)]
        qemu.settle()
        pf.suspend(a)
        same(len(State(pf.get_all(a)).cqes()), 5, "five do not fit")
        move(pf, a, b)
        done = [b.wait(0) for _ in range(8)]
        same([d.cid for d in done], cids, "all come, in order")
        same({d.dw0 for d in done}, {2 | 2 << 16}, "with their results")


def case_unseen():
    """an interrupt that the guest did not see is raised again"""
    with machine(lm="standard") as (qemu, pf):
        a, b = pf.vfs[:2]
        guest(a)
        a.start_io(1, READ, 0, qemu.alloc(PAGE))
        qemu.settle()
        pf.suspend(a)
        ok(a.irq(1), "raised once on the source")
        move(pf, a, b, before_resume=lambda: same(
            b.irq(1), False, "nothing before resume"))
        qemu.settle()
        ok(b.irq(1), "raised again on the destination")
        ok(not b.irq(2), "but no vector without news")


def case_events():
    """waiting events and masks move"""
    with machine(lm="standard") as (qemu, pf):
        a, b = pf.vfs[:2]
        guest(a, 1)
        a.set_feature(AEC, 0xff)
        first = a.start(0, AER)
        smart_event(qemu, pf, a)
        same(a.wait(0).cid, first, "first event; its kind is masked now")
        second = a.start(0, AER)
        smart_event(qemu, pf, a)
        qemu.settle()
        ok(a.queues[0].peek() is None, "the next one waits")
        pf.suspend(a)
        state = State(pf.get_all(a))
        same((state.vendor("nr_events"), state.vendor("aer_mask"),
              state.vendor("nr_aers")), (1, 2, 1), "all is in the state")
        size = len(state.data)
        smart_event(qemu, pf, a)
        same(len(pf.get_all(a)), size, "more events leave the size alone")
        move(pf, a, b)
        qemu.settle()
        ok(b.queues[0].peek() is None, "still masked")
        cid = b.start(0, SMART_LOG, nsid=0xffffffff, prp1=qemu.alloc(PAGE),
                      dwords=(SMART_LOG | 127 << 16,))
        same(b.wait(0).cid, cid, "reading the log unmasks")
        third = b.start(0, AER)
        smart_event(qemu, pf, b)
        ok(b.wait(0).cid in (second, third), "and an event comes")


def case_event_before_request():
    """an event that nobody has asked for yet moves, and comes when asked for"""
    with machine(lm="standard") as (qemu, pf):
        a, b = pf.vfs[:2]
        guest(a, 1)
        a.set_feature(AEC, 0xff)
        smart_event(qemu, pf, a)
        pf.suspend(a)
        move(pf, a, b)
        cid = b.start(0, AER)
        done = b.wait(0)
        same((done.cid, done.dw0 & 7), (cid, 1), "it comes at once")


def case_doorbell_buffer():
    """shadow doorbells move and are left alone while suspended"""
    for extra in "", "ioeventfd=on":
        with machine(lm="standard", extra=extra) as (qemu, pf):
            a, b = pf.vfs[:2]
            guest(a)
            dbs, eis = qemu.alloc(PAGE), qemu.alloc(PAGE)
            same(a.admin(0x7c, prp1=dbs, prp2=eis).status, 0,
                 f"doorbell buffer config {extra}")

            def ring(vf, qid):
                qemu.writel(dbs + qid * 8, vf.queues[qid].tail)
                Controller_ring(vf, qid)

            def ack(vf, qid):
                qemu.writel(dbs + qid * 8 + 4, vf.queues[qid].head)
                Controller_ack(vf, qid)

            Controller_ring, Controller_ack = type(a).ring, type(a).ack
            for vf in a, b:
                vf.ring = lambda qid, vf=vf: ring(vf, qid)
                vf.ack = lambda qid, vf=vf: ack(vf, qid)
            for i in range(20):
                if a.write_block(1, i, pattern(i)):
                    ok(False, f"write {i}")
            pf.suspend(a)
            before = qemu.read(dbs, 64), qemu.read(eis, 64)
            buf = qemu.alloc(PAGE)
            cid = a.start_io(1, READ, 7 * 8, buf)
            a.queues[0].put(AER)
            Controller_ring(a, 0)
            qemu.settle()
            same(qemu.read(eis, 64), before[1], "no event index is written")
            same(qemu.readl(dbs), struct.unpack("<I", before[0][:4])[0],
                 "no admin shadow either")
            ok(not any(qemu.read(buf, PAGE)), "nothing is fetched")
            move(pf, a, b)
            same(b.wait(1).cid, cid, "the shadow doorbell works after the move")
            ok(qemu.read(buf, PAGE) == pattern(7), "with data")
            for i in range(20):
                if b.read_block(1, i) != pattern(i):
                    ok(False, f"read {i}")
            qemu.settle()
            same(State(pf.get_all(b)).vendor("nr_aers"), 1,
                 "the AER rung while suspended was fetched")


def case_changed_namespaces():
    """the list of changed namespaces moves"""
    with machine(lm="standard") as (qemu, pf):
        a, b = pf.vfs[:2]
        guest(a, 1)
        ids = struct.pack("<HH", 1, a.cntlid) + bytes(PAGE - 4)
        same(pf.write_data(0x15, ids, nsid=1, dwords=(1,)).status, 0,
             "the PF detaches the namespace from the VF")
        same(pf.write_data(0x15, ids, nsid=1, dwords=(0,)).status, 0,
             "and attaches it again")
        pf.suspend(a)
        move(pf, a, b)
        data = b.read_data(0x02, PAGE, dwords=(4 | 1023 << 16,))[1]
        same(struct.unpack_from("<II", data), (1, 0), "the log names it")


def case_reset():
    """FLR, controller reset, PF reset, offline: suspension and data are lost"""
    with machine(lm="standard") as (qemu, pf):
        a, b = pf.vfs[:2]
        guest(a)
        pf.suspend(a)
        state = pf.get_all(a)

        def forget(name, action):
            pf.suspend(b)
            same(pf.set(b, 0, state[:256], 1), 0, f"{name}: half a state")
            action()
            b.function.writew(4, 6)
            now = pf.report()
            same((now[f"vf.{b.cntlid}"], f"vf.{b.cntlid}.sequence" in now,
                  f"vf.{b.cntlid}.uncommitted" in now),
                 ("running", False, False), f"{name} ends all of it")
            same(pf.resume(b), NOT_SUSPENDED, f"{name}: it is not suspended")

        def cycle():
            pf.virt(b.cntlid, 7)
            pf.online(b)

        forget("FLR", b.function.flr)
        forget("offline and online", cycle)
        b.enable()
        forget("controller reset", b.disable)
        pf.suspend(b)
        same(pf.set_all(b, state), 0, "a whole state")
        b.function.flr()
        b.function.writew(4, 6)
        same((b.cc, b.csts), (0, 0), "FLR loses it")

        same(pf.report()[f"vf.{a.cntlid}"], "suspended", "before a PF reset")
        pf.suspend(b)
        pf.set(b, 0, state[:256], 1)
        for name, action in (("reset", pf.disable), ("FLR", None)):
            if action:
                action()
                pf.enable(64)
            else:
                pf.suspend(a)
                sriov = pf.function.ext_cap(0x10)
                saved = [pf.function.readl(sriov + i) for i in (0x24, 0x28)]
                pf.function.flr()
                pf.function.writel(0x10, pf.bar)
                pf.function.writel(0x14, 0)
                pf.function.writew(4, 6)
                pf.function.writel(sriov + 0x24, saved[0])
                pf.function.writel(sriov + 0x28, saved[1])
                pf.function.writew(sriov + 0x10, pf.nr)
                pf.function.writew(sriov + 8, 9)
                pf.enable(64)
            report = pf.report()
            same({report[f"vf.{vf.cntlid}"] for vf in (a, b)}, {"offline"},
                 f"PF {name}: VFs are offline")
            ok(not any(key.startswith("vf.") and ("sequence" in key or "uncommitted" in key)
                       for key in report), f"PF {name}: no sequence is left")
            for vf in a, b:
                pf.online(vf)
                same(pf.resume(vf), NOT_SUSPENDED, f"PF {name}: not suspended")


def case_reset_pending():
    """resets while a suspend is under way"""
    with machine(lm="standard", slow=True) as (qemu, pf):
        for who in "VF", "PF":
            a = guest(pf.vfs[0])
            buf = qemu.alloc(PAGE)
            for block in range(4):
                a.start_io(1, READ, block * 8, buf)
            pf.start(0, 0x41, dwords=(0, a.cntlid | 1 << 16))
            qemu.settle()
            ok(pf.queues[0].peek() is None, f"{who}: suspend is under way")
            if who == "VF":
                a.function.flr()
                same(pf.wait(0).status, INTERNAL_ERROR,
                     "VF: the command ends, and not with a false success")
            else:
                pf.disable()
                pf.enable(64)
            qemu.settle()
            pf.online(a)
            same(pf.report()[f"vf.{a.cntlid}"], "running", f"{who}: running")
            same(pf.suspend(a), 0, f"{who}: can be suspended again")
            pf.resume(a)


def case_disabled():
    """a controller that is not enabled moves as well"""
    with machine(lm="standard") as (_, pf):
        a, b = pf.vfs[:2]
        a.enable()
        a.set_feature(TEMP, 0x155)
        a.disable()
        pf.suspend(a)
        move(pf, a, b)
        same((b.cc, b.csts), (0, 0), "disabled there")
        guest(b)
        same(b.get_feature(TEMP), 0x155, "with its feature")


def case_large():
    """64 MiB of padding through the command's largest transfers"""
    with machine(lm="standard", extra="lm-pad=67108864") as (qemu, pf):
        a, b = pf.vfs[:2]
        guest(a)
        pf.suspend(a)
        size = 64 << 20
        head = pf.get(a, 0, 48)[1]
        chunk, buf = 512 << 10, qemu.alloc(512 << 10)
        prp1, prp2 = pf.prps(buf, chunk)
        total = 48 + 4 * sum(struct.unpack_from("<Q8xQ", head, 16))
        ok(size < total < size + (1 << 20), f"{total} bytes")
        b.function.flr()
        b.function.writew(4, 6)
        pf.suspend(b)
        bad = 0
        for at in range(0, total, chunk):
            length = min(chunk, total - at)
            seq = (at == 0) | (at + length == total) << 1
            bad |= pf.admin(0x42, prp1=prp1, prp2=prp2, dwords=(
                1 << 16, a.cntlid | 1 << 16, at, 0, 0, length // 4 - 1)).status
            bad |= pf.admin(0x41, prp1=prp1, prp2=prp2, dwords=(
                2 | seq << 16, b.cntlid | 1 << 16 | 1 << 24, at, 0, 0,
                length // 4)).status
        same((bad, b.csts), (0, 1), "arrives and is committed")


def case_pieces():
    """pieces of padding that are swapped, doubled or cleared are noticed"""
    with machine(lm="standard", extra="lm-pad=65536") as (_, pf):
        a, b = pf.vfs[:2]
        guest(a)
        pf.suspend(a)
        data = pf.get_all(a)
        b.function.flr()
        b.function.writew(4, 6)
        pf.suspend(b)
        at, size = len(data) - 32768, 4096
        one, two = data[at:at + size], data[at + size:at + 2 * size]
        for name, pair in (("swapped", two + one), ("doubled", one + one),
                           ("cleared", one + bytes(size))):
            bad = data[:at] + pair + data[at + 2 * size:]
            same(pf.set_all(b, bad, 8192), INVALID_FIELD, name)
        same(pf.set_all(b, data, 8192), 0, "in order")


def case_vfs_off():
    """VFs removed and created again while suspended"""
    with machine(lm="standard") as (_, pf):
        a, b = pf.vfs[:2]
        guest(a)
        pf.suspend(a)
        state = pf.get_all(a)
        pf.suspend(b)
        pf.set(b, 0, state[:256], 1)
        sriov = pf.function.ext_cap(0x10)
        pf.function.writew(sriov + 8, 0)
        for vf in a, b:
            same(pf.suspend(vf), BAD_CNTLID, "no function, no suspend")
            same(pf.resume(vf), BAD_CNTLID, "no resume")
            same(pf.get(vf, 0, 48)[0].status, BAD_CNTLID, "no get")
            same(pf.set(vf, 0, state, 3), BAD_CNTLID, "no set")
        pf.function.writew(sriov + 8, 9)
        for vf in a, b:
            pf.online(vf)
            same(pf.resume(vf), NOT_SUSPENDED, "fresh when it is back")
        guest(a)
        same(a.write_block(1, 1, pattern(1)), 0, "and works")


def case_room():
    """room in a full queue, or an event, of a suspended VF: nothing is posted"""
    with machine(lm="standard") as (qemu, pf):
        vf = pf.vfs[0]
        guest(vf, 1, depth=16, cq_depth=4)
        vf.set_feature(AEC, 0xff)
        aer = vf.start(0, AER)
        buf = qemu.alloc(PAGE)
        cids = [vf.start_io(1, READ, 0, buf) for _ in range(6)]
        qemu.settle()
        pf.suspend(vf)
        size = len(pf.get_all(vf))
        for vector in 0, 1:
            vf.irq(vector)
        seen = [vf.wait(1).cid for _ in range(3)]
        smart_event(qemu, pf, vf)
        qemu.settle()
        ok(vf.queues[1].peek() is None, "no completion in the room made")
        ok(vf.queues[0].peek() is None, "no event")
        ok(not vf.irq(0) and not vf.irq(1), "no interrupt")
        state = State(pf.get_all(vf))
        same((len(state.data), state.vendor("nr_aers"),
              state.vendor("nr_events"), len(state.cqes()),
              state.cq(0)[3:5]), (size, 1, 1, 3, (3, 3)),
             "the state has the new head and the event, in the same size")
        same(pf.resume(vf), 0, "resume")
        same(sorted(seen + [vf.wait(1).cid for _ in range(3)]), cids,
             "all come after resume")
        same(vf.wait(0).cid, aer, "and the event")

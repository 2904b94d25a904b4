# SPDX-License-Identifier: GPL-2.0-only
"""The standard set: what is refused, with which status, without leaving a trace."""

import struct

from bed import AER, BAD_CNTLID, INVALID_FIELD, SEQUENCE
from bed import guest, machine, ok, refused, same, stopped
from layout import HEADER, State
from nvmeq import FIRST, LAST, PAGE, RESUME, SET, SUSPEND

BOTH = FIRST | LAST


def saved(pf, vf, aers=1):
    """The state of a guest with two queue pairs, VF suspended."""
    guest(vf)
    for _ in range(aers):
        vf.start(0, AER)
    vf.qemu.settle()
    assert pf.suspend(vf) == 0
    return State(pf.get_all(vf))


def case_suspend():
    """Suspend and Resume: operands, targets"""
    with machine(lm="standard") as (_, pf):
        vf = pf.vfs[0]
        for cntlid, name in ((0xffff, "FFFFh"), (pf.vfs[3].cntlid, "offline VF")):
            same(pf.send(SUSPEND, cntlid | 1 << 16).status, BAD_CNTLID,
                 f"suspend: {name}")
        for dw11, name in ((2 << 16, "STYPE 2"), (0xff << 16, "STYPE FFh"),
                           (1 << 16 | 1 << 24, "reserved bit 24"),
                           (1 << 16 | 1 << 30, "reserved bit 30")):
            same(pf.send(SUSPEND, vf.cntlid | dw11).status, INVALID_FIELD,
                 f"suspend: {name}")
        same(pf.send(SUSPEND, vf.cntlid | 1 << 16, 1 << 16).status,
             INVALID_FIELD, "suspend: MOS is not used")
        same(pf.send(SUSPEND, vf.cntlid | 1 << 16, nsid=1).status,
             INVALID_FIELD, "suspend: NSID is not used")
        same(pf.send(SUSPEND, vf.cntlid | 1 << 16, flags=0x40).status,
             INVALID_FIELD, "suspend: SGL")
        same(pf.send(SUSPEND, vf.cntlid | 1 << 16, flags=1).status,
             INVALID_FIELD, "suspend: fused")
        for sel in 3, 4, 0xc0, 0xff:
            same(pf.send(sel, vf.cntlid).status, INVALID_FIELD, f"SEL {sel}")
        same(pf.admin(0x41, dwords=(SUSPEND, vf.cntlid | 1 << 16, 0, 0, 1))
             .status, INVALID_FIELD, "suspend: UUID index")
        same(pf.report()[f"vf.{vf.cntlid}"], "running", "none had an effect")

        same(pf.send(SUSPEND, vf.cntlid | 1 << 16 | 1 << 31).status, 0,
             "suspend with DUDMQ")
        same(pf.report()[f"vf.{vf.cntlid}"], "suspended", "it is suspended")
        same(pf.send(RESUME, vf.cntlid | 1 << 16).status, INVALID_FIELD,
             "resume: reserved bits")
        same(pf.send(RESUME, vf.cntlid, 1 << 16).status, INVALID_FIELD,
             "resume: MOS is not used")
        same(pf.resume(vf), 0, "none of these had an effect")


def case_get():
    """Get: operands, indices, offsets, CSUP"""
    with machine(lm="standard") as (_, pf):
        vf = pf.vfs[0]
        guest(vf)
        for cntlid in 0, pf.vfs[3].cntlid:
            same(pf.get(vf, 0, 48, cntlid=cntlid)[0].status, BAD_CNTLID,
                 f"get: id {cntlid}")
        for csvi, uuid in (255, 1), (1, 255):
            same(pf.get(vf, 0, 48, csvi, uuid)[0].status, INVALID_FIELD,
                 f"get: CSVI {csvi} CSUUIDI {uuid}")
        for dw10, name in ((1, "SEL 1"), (0xff, "SEL FFh"),
                           (1 << 16 | 1 << 8, "reserved bit 8"),
                           (1 << 16 | 1 << 24, "MOS[15:8]")):
            same(pf.read_data(0x42, 48, dwords=(dw10, vf.cntlid, 0, 0, 0, 11))
                 [0].status, INVALID_FIELD, f"get: {name}")
        for offset in 1, 2, 3, 0x1002:
            same(pf.get(vf, offset, 48)[0].status, INVALID_FIELD,
                 f"get: offset {offset:#x}")
        size = len(pf.get_all(vf))
        done, data = pf.get(vf, size, 48)
        same((done.status, any(data)), (0, True),
             "get: offset at the end is no error, and data is not zero")
        data = pf.get(vf, size - 8, 48)[1]
        ok(all(data[8:]), "what follows the end is not zero")
        limit = PAGE << pf.identify(1)[1][77]
        same(pf.get(vf, 0, limit)[0].status, 0, "get: a whole MDTS")
        same(pf.get(vf, 0, limit + 4)[0].status, INVALID_FIELD,
             "get: more than MDTS")
        same(pf.admin(0x42, prp1=0x1000000, dwords=(
            1 << 16, vf.cntlid, 0, 0, 0, 0xffffffff)).status, INVALID_FIELD,
             "get: 16 GiB")

        done, data = pf.get(vf, 0, 48)
        same((done.dw0, data[2]), (0, 0), "running: CSUP and CP are 0")
        pf.suspend(vf)
        done, data = pf.get(vf, 0, 48)
        same((done.dw0, data[2]), (1, 1), "suspended: CSUP and CP are 1")
        state = State(pf.get_all(vf, csvi=0, uuid=1))
        same(state.nvme_len, 0, "CSVI 0: no NVMe part")
        ok(state.vendor_len, "but a vendor part")
        state = State(pf.get_all(vf, csvi=1, uuid=0))
        same(state.vendor_len, 0, "CSUUIDI 0: no vendor part")
        ok(state.nvme_len, "but an NVMe part")
        same(pf.get_all(vf, csvi=0, uuid=0), bytes((0, 0, 1)) + bytes(45),
             "neither: just a header")
        pf.resume(vf)
        done, data = pf.get(vf, 0, 48)
        same((done.dw0, data[2]), (0, 0), "resumed: CSUP and CP are 0")


def case_layout():
    """the NVMe part, field by field"""
    with machine(lm="standard") as (qemu, pf):
        vf = pf.vfs[0]
        vf.enable()
        # CQ 3 has wrapped once, CQ 1 has not
        one = vf.create_queue(1, 16, vector=1, prio=2)
        three = vf.create_queue(3, 8, 5, vector=2)
        buf = qemu.alloc(PAGE)
        for _ in range(7):
            vf.start_io(3, 2, 0, buf)
            vf.wait(3)
        vf.start_io(1, 2, 0, buf)
        vf.wait(1, ack=False)
        pf.suspend(vf)
        state = State(pf.get_all(vf))
        same((state.nsq, state.ncq), (2, 2), "counts")
        same(state.nvme_len, 8 + 4 * 24, "length")
        same(state.sq(0), (one.sq, 15, 1, 1, 1 | 2 << 1, 1, 1, 0), "SQ 1")
        same(state.sq(1), (three.sq, 7, 3, 3, 1, 7, 7, 0), "SQ 3")
        same(state.cq(0), (one.cq, 15, 1, 0, 1, 7 | 1 << 16, 0), "CQ 1")
        # seven entries into five slots: slot 0 is of the second round
        same(state.cq(1), (three.cq, 4, 3, 2, 2, 3 | 2 << 16, 0), "CQ 3")
        pf.resume(vf)
        for _ in range(3):
            vf.start_io(3, 2, 0, buf)
            vf.wait(3)
        pf.suspend(vf)
        state = State(pf.get_all(vf))
        # ten entries: the tail is at slot 0, which has the second round still
        same(state.cq(1)[3:6], (0, 0, 3 | 2 << 16), "CQ 3 at its first slot")


def case_set():
    """Set: operands, sequence, offsets"""
    with machine(lm="standard") as (_, pf):
        a, b = pf.vfs[:2]
        state = bytes(saved(pf, a).data)
        half = len(state) // 2 & ~3

        same(pf.set(b, 0, state, BOTH), BAD_CNTLID, "set on a running VF")
        guest(b)
        same(pf.set(b, 0, state, BOTH), BAD_CNTLID, "set on a live VF")
        stopped(pf, b)
        same(pf.set(b, 0, state, BOTH, cntlid=0), BAD_CNTLID, "set: own id")
        for csvi, uuid in (0, 0), (255, 0):
            same(pf.set(b, 0, state, BOTH, csvi, uuid), INVALID_FIELD,
                 f"set: CSVI {csvi} CSUUIDI {uuid}")
        for csvi, uuid in (0, 1), (1, 0):
            same(pf.set(b, 0, state, BOTH, csvi, uuid), INVALID_FIELD,
                 f"set: both parts with CSVI {csvi} CSUUIDI {uuid}")
        same(pf.set(b, 0, state, BOTH, reserved=1 << 8), INVALID_FIELD,
             "set: reserved bit 8")
        same(pf.set(b, 0, state, BOTH, reserved=1 << 18), INVALID_FIELD,
             "set: reserved MOS bit")
        same(pf.set(b, 0, state, BOTH, dw14=1), INVALID_FIELD,
             "set: UUID index")
        for seq in 0, FIRST, BOTH:
            pf.set(b, 0, state[:half], FIRST)
            same(pf.set(b, half, b"", seq), INVALID_FIELD,
                 f"NUMD 0 with SEQIND {seq:02b}b")
            same(pf.set(b, half, state[half:], LAST), SEQUENCE,
                 "a failure ends the sequence")
        pf.set(b, 0, state[:half], FIRST)
        same(pf.set(b, half + 2, state[half:], LAST), INVALID_FIELD,
             "offset not of a dword")
        pf.set(b, 0, state[:half], FIRST)
        same(pf.set(b, len(state) + 4, state[:8], 0), INVALID_FIELD,
             "offset beyond the state")
        pf.set(b, 0, state[:half], FIRST)
        same(pf.set(b, len(state) - 4, state[:8], 0), INVALID_FIELD,
             "data beyond the state")
        same(pf.set(b, 1 << 40, state[:half], FIRST), INVALID_FIELD,
             "offset beyond any state")
        same(pf.set(b, 0, state[:40], FIRST), 0, "a part of the header")
        same(pf.set(b, len(state), state[:4], 0), 0,
             "data before the size is known")
        same(pf.set(b, 40, state[40:48], 0), INVALID_FIELD,
             "that the header then leaves outside")
        pf.set(b, 0, state[:half], FIRST)
        same(pf.set(b, half, state[half:], LAST, 1, 0), INVALID_FIELD,
             "indices that change in a sequence")
        limit = PAGE << pf.identify(1)[1][77]
        same(pf.admin(0x41, prp1=0x1000000, dwords=(
            SET | FIRST << 16, b.cntlid | 1 << 16 | 1 << 24, 0, 0, 0,
            limit // 4 + 1)).status, INVALID_FIELD, "set: more than MDTS")
        same(pf.admin(0x41, prp1=0x1000000, dwords=(
            SET | FIRST << 16, b.cntlid | 1 << 16 | 1 << 24, 0, 0, 0,
            0xffffffff)).status, INVALID_FIELD, "set: 16 GiB")

        same(pf.set(b, 0, state[:half], FIRST), 0, "first")
        same(pf.report()[f"vf.{b.cntlid}.sequence"], "open", "sequence open")
        same(pf.set(b, half + 4, state[half + 4:], LAST), INVALID_FIELD,
             "a dword that never came")
        same(pf.report()[refused(b)], "not all of the state came", "says why")
        same(pf.resume(b), SEQUENCE, "resume after a failed sequence")
        same((b.cc, b.csts), (0, 0), "nothing was committed")
        same(pf.set(b, 0, state[:half], FIRST), 0, "first")
        same(pf.set(b, 0, state[:8], FIRST), 0, "first again drops it")
        same(pf.set(b, half, state[half:], LAST), INVALID_FIELD,
             "so that the rest is not enough")
        same(pf.set(b, 0, state[:half], FIRST), 0, "first")
        same(pf.set(b, 0, state, BOTH), 0, "single drops it too, and commits")
        same(pf.set(b, half, state[half:], LAST), SEQUENCE, "nothing is open")
        same((b.cc & 1, b.csts), (1, 1), "enabled and ready")
        same(pf.report()[f"vf.{b.cntlid}"], "suspended", "and suspended")
        same(pf.set(b, 0, state, BOTH), INVALID_FIELD,
             "set while I/O queues exist")
        same(pf.report()[refused(b)], "the target has I/O queues", "says why")
        same(pf.set(b, 0, state[:64], FIRST), INVALID_FIELD,
             "as soon as the header is there")


def case_order():
    """pieces in any order, 10b with and without data, small pieces"""
    with machine(lm="standard") as (_, pf):
        a, b = pf.vfs[:2]
        state = bytes(saved(pf, a).data)
        cut = len(state) // 3 & ~3
        for name, steps in (
                ("backwards", ((2 * cut, None, FIRST), (cut, 2 * cut, 0),
                               (0, cut, LAST))),
                ("last one empty", ((0, cut, FIRST), (cut, None, 0),
                                    (0, 0, LAST))),
                ("last one empty, at the end",
                 ((0, None, FIRST), (len(state), None, LAST))),
                ("twice the same", ((0, cut, FIRST), (0, cut, 0),
                                    (cut, None, LAST)))):
            stopped(pf, b)
            same([pf.set(b, at, state[at:end], seq) for at, end, seq in steps],
                 [0] * len(steps), name)
            same(bytes(pf.get_all(b)[HEADER:]) == state[HEADER:], True,
                 f"{name}: the state is back")
        stopped(pf, b)
        same(pf.set_all(b, state, 4), 0, "a dword at a time")


def tampered(state, pf, vf):
    """Every change, one by one, that makes a state inconsistent."""
    sq, cq = state.sq_at(0), state.cq_at(0)
    yield "VER", state.but(0, "<H", 1)
    yield "CSATTR", state.but(2, "<B", 2)
    yield "reserved byte 3", state.but(3, "<B", 1)
    yield "reserved byte 15", state.but(15, "<B", 1)
    yield "NVMECSS high", state.but(24, "<Q", 1)
    yield "VSS high", state.but(40, "<Q", 1)
    nvme, vendor = state.nvme_len // 4, state.vendor_len // 4
    yield "NVMECSS + 1", state.but(16, "<Q", nvme + 1)
    yield "NVMECSS - 1", state.but(16, "<Q", nvme - 1)
    yield "NVMECSS 0", state.but(16, "<Q", 0)
    yield "NVMECSS huge", state.but(16, "<Q", 1 << 62)
    yield "VSS + 1", state.but(32, "<Q", vendor + 1)
    yield "VSS - 1", state.but(32, "<Q", vendor - 1)
    yield "VSS 0", state.but(32, "<Q", 0)
    yield "VSS huge", state.but(32, "<Q", (1 << 64) - 1)
    moved = bytearray(state.but(16, "<Q", nvme + 6))
    struct.pack_into("<Q", moved, 32, vendor - 6)
    yield "border between the parts", bytes(moved)

    yield "NVMe VER", state.but(HEADER, "<H", 1)
    yield "NIOSQ", state.but(HEADER + 2, "<H", 3)
    yield "NIOCQ", state.but(HEADER + 4, "<H", 1)
    yield "NIOSQ and NIOCQ", state.but(HEADER + 2, "<I", 3 | 1 << 16)
    yield "NVMe reserved", state.but(HEADER + 6, "<H", 1)

    yield "SQ address", state.but(sq, "<Q", state.sq(0)[0] + 64)
    yield "SQ address wraps", State(state.but(
        sq, "<Q", (1 << 64) - 4096)).but(sq + 8, "<H", 127)
    yield "SQ size 0", state.but(sq + 8, "<H", 0)
    yield "SQ size beyond MQES", state.but(sq + 8, "<H", 0x800)
    yield "SQ id 0", state.but(sq + 10, "<H", 0)
    yield "SQ id too high", state.but(state.sq_at(1) + 10, "<H", 4)
    yield "SQ id twice", state.but(state.sq_at(1) + 10, "<H", 1)
    yield "SQ ids descend", state.but(sq + 10, "<H", 3)
    yield "SQ without CQ", state.but(sq + 12, "<H", 3)
    yield "SQ on the admin CQ", state.but(sq + 12, "<H", 0)
    yield "SQ not contiguous", state.but(sq + 14, "<H", 0)
    yield "SQ attributes", state.but(sq + 14, "<H", 9)
    yield "SQ head", state.but(sq + 16, "<H", 16)
    yield "SQ tail", state.but(sq + 18, "<H", 16)
    yield "SQ reserved", state.but(sq + 20, "<I", 1)

    yield "CQ address", state.but(cq, "<Q", state.cq(0)[0] + 16)
    yield "CQ size 0", state.but(cq + 8, "<H", 0)
    yield "CQ size beyond MQES", state.but(cq + 8, "<H", 0x800)
    yield "CQ id 0", state.but(cq + 10, "<H", 0)
    yield "CQ id too high", state.but(state.cq_at(1) + 10, "<H", 4)
    yield "CQ id twice", state.but(state.cq_at(1) + 10, "<H", 1)
    yield "CQ head", state.but(cq + 12, "<H", 16)
    yield "CQ tail", state.but(cq + 14, "<H", 16)
    yield "CQ not contiguous", state.but(cq + 16, "<I", 6 | 1 << 16)
    yield "CQ attributes", state.but(cq + 16, "<I", 15 | 1 << 16)
    yield "CQ vector", state.but(cq + 16, "<I", 7 | 4 << 16)
    yield "CQ reserved", state.but(cq + 20, "<I", 1)

    for name, value in (
            ("magic", 1), ("version", 2), ("version", 0), ("fixed_len", 700),
            ("length", state.vendor_len + 4), ("length", 0), ("pad_len", 0),
            ("pad_len", 18), ("pad_len", 0xfffffffc),
            ("cap", state.vendor("cap") + 1), ("vs", 0x20100),
            ("nr_ioqpairs", 2), ("nr_ioqpairs", 4), ("nr_vectors", 3),
            ("nr_vectors", 5), ("mdts", 6), ("rsvd33", 1), ("rsvd39", 1),
            ("rsvd97", 1), ("rsvd110", 1), ("rsvd149", 1),
            ("flags", 0), ("flags", 5), ("flags", 0x81),
            ("cc", 0), ("cc", 0x460001 | 15 << 7), ("cc", 0x460001 | 7 << 4 ^ 0x40),
            ("cc", 0x470001), ("cc", 0x560001),
            ("csts", 0), ("csts", 0x11), ("csts", 0x21), ("aqa", 0),
            ("aqa", 15), ("aqa", 15 << 16), ("asq", 0x1001), ("acq", 0x1010),
            ("dbbuf_dbs", 0x1000), ("dbbuf_eis", 0x1000),
            ("asq_head", 16), ("asq_tail", 16), ("acq_head", 16),
            ("acq_tail", 16), ("acq_phase", 2), ("niosq", 1), ("niosq", 3),
            ("niocq", 1), ("nr_aers", 5), ("nr_aers", 0), ("nr_events", 65),
            ("nr_events", 0xffff), ("max_events", 63), ("max_events", 0xffff),
            ("nr_cqes", 1), ("nr_cqes", 0xffffffff), ("dn", 2),
            ("atomic_max_write", 77), ("atomic_writes", 1),
            ("atomic_writes", 2), ("changed_nsids_last", 2)):
        if state.vendor(name) != value:
            yield f"{name} {value:#x}", state.but_vendor(name, value)
    yield "doorbell buffer address", State(
        state.but_vendor("flags", 3)).but_vendor("dbbuf_dbs", 8)
    yield "after the AERs", state.but(state.events_at() - 2, "<H", 1)
    yield "event", state.but(state.events_at(), "<B", 1)
    yield "first of the padding", state.but(state.pad_at(), "<I", 0)
    yield "last of the padding", state.but(len(state.data) - 4, "<I", 0)


def case_tamper():
    """an inconsistent state is refused and leaves nothing"""
    with machine(lm="standard", extra="lm-pad=16") as (_, pf):
        a, b = pf.vfs[:2]
        state = saved(pf, a)
        stopped(pf, b)
        clean = pf.get_all(b)
        for name, data in tampered(state, pf, b):
            status = pf.set(b, 0, data, BOTH)
            reason = pf.report().get(refused(b))
            same((status, (b.cc, b.csts)), (INVALID_FIELD, (0, 0)),
                 f"tampered: {name} ({reason})")
            if not status:
                stopped(pf, b)
        ok(pf.get_all(b) == clean, "the target is as it was")
        same(pf.set(b, 0, bytes(state.data), BOTH), 0, "the real one is taken")


def case_tamper_cqes():
    """unposted completions are checked as well"""
    with machine(lm="standard") as (qemu, pf):
        a, b = pf.vfs[:2]
        guest(a, 1, depth=16, cq_depth=4)
        buf = qemu.alloc(PAGE)
        for _ in range(6):
            a.start_io(1, 2, 0, buf)
        qemu.settle()
        pf.suspend(a)
        state = State(pf.get_all(a))
        same(len(state.cqes()), 3, "three did not fit")
        at = state.cqes_at()
        stopped(pf, b)
        for name, data in (
                ("queue 2", state.but(at, "<H", 2)),
                ("queue 9", state.but(at, "<H", 9)),
                ("status", state.but(at + 4, "<H", 0x8000)),
                ("reserved", state.but(at + 6, "<H", 1)),
                ("more than the queue holds", State(state.but(
                    state.sq_at(0) + 8, "<H", 1)).but(
                        state.sq_at(0) + 16, "<I", 0))):
            same(pf.set(b, 0, data, BOTH), INVALID_FIELD,
                 f"tampered completion: {name}")
        same(pf.set(b, 0, bytes(state.data), BOTH), 0, "the real one is taken")


def case_other_size():
    """a target with other resources refuses"""
    with machine(lm="standard", vfs=1) as (_, pf):
        a, b, c = pf.vfs[:3]
        state = bytes(saved(pf, a).data)
        for vf, queues, vectors in (b, 3, 4), (c, 4, 5):
            pf.online(vf, queues, vectors)
            pf.suspend(vf)
            same(pf.set(vf, 0, state, BOTH), INVALID_FIELD,
                 f"{queues} queues, {vectors} vectors")
        off = pf.vfs[3]
        same(pf.set(off, 0, state, BOTH), INVALID_FIELD,
             "an offline VF cannot take it either")


def case_parts():
    """one part alone: accepted only where it makes sense"""
    with machine(lm="standard") as (_, pf):
        a, b = pf.vfs[:2]
        saved(pf, a)
        nvme, vendor = pf.get_all(a, uuid=0), pf.get_all(a, csvi=0)
        stopped(pf, b)
        same(pf.set(b, 0, vendor, BOTH, csvi=0), INVALID_FIELD,
             "the vendor part misses its queues")
        same(pf.set(b, 0, nvme, BOTH, uuid=0), INVALID_FIELD,
             "queues for a disabled controller")
        same(pf.resume(b), SEQUENCE, "and so no resume")
        b.function.flr()
        b.function.writew(4, 6)
        b.enable()
        pf.suspend(b)
        same(pf.set(b, 0, nvme, BOTH, uuid=0), 0,
             "queues for an enabled controller")
        same(pf.get_all(b, uuid=0), nvme, "are there")
        same(pf.resume(b), 0, "and it can be resumed")
        b.function.flr()
        b.function.writew(4, 6)
        b.enable()
        pf.suspend(b)
        only = pf.get_all(b, csvi=0)
        same(pf.set(b, 0, only, BOTH, csvi=0), 0,
             "the vendor part of a controller without queues")
        ok(pf.get_all(b, csvi=0) == only, "is what it was")

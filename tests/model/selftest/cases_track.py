# SPDX-License-Identifier: GPL-2.0-only
"""Tracking: what a VF wrote is reported, all of it and nothing else."""

import random
import struct

from bed import AER, BAD_CNTLID, INVALID_FIELD, INVALID_OPCODE, NO_RESOURCES
from bed import AT_ONCE, PRP_OFFSET, READ, SLOW_MS, SMART_LOG, SUSPENDED, WRITE
from bed import guest, machine, move, note, ok, pattern, same, stopped
from nvmeq import PAGE

ALL = [(0, (512 << 20) // PAGE)]        # the machine's whole memory
COMPARE = 0x05


def page(addr):
    return addr & -PAGE


def pages(addr, length=1):
    return set(range(page(addr), addr + length, PAGE))


def tracked(pf, vf, ranges=None, grain=0):
    done = pf.track(vf, ALL if ranges is None else ranges, grain)
    assert done.status == 0, f"track: {done.status:#x}"
    return vf


def wrote(pf, vf, want, name):
    """Exactly these pages, each once."""
    units, _ = pf.changed(vf)
    if not ok(sorted(units) == sorted(want), name):
        note(f"missing {[hex(i) for i in sorted(set(want) - set(units))]}")
        note(f"too much {[hex(i) for i in sorted(set(units) - set(want))]}")


def case_track_identify():
    """Identify says what the properties say"""
    with machine(lm="standard") as (_, pf):
        def field():
            return struct.unpack_from("<HHBBB", pf.identify(1)[1], 570)

        same(field(), (16, 16, 0, 9, 1), "by default")
        pf.control("lm-track-ranges=5/3\nlm-track-min=1\nlm-track-max=4\n"
                   "lm-track-pow2=on")
        same(field(), (5, 3, 1, 4, 5), "as set")
        same(pf.report()["lm-track-ranges"], "5/3", "as the report has it")
        pf.control("lm-track-ranges=\nlm-track-min=\nlm-track-max=\n"
                   "lm-track-pow2=")
        same(field(), (16, 16, 0, 9, 1), "and back")
        vf = tracked(pf, pf.vfs[0])
        pf.control("lm-track=off")
        same(field(), (0, 0, 0, 0, 0), "off")
        same((pf.track(vf, ALL).status, pf.admin(0x3e).status),
             (INVALID_OPCODE, INVALID_OPCODE), "off: no such commands")
        pf.control("lm-track=on")
        same(pf.untrack(vf), BAD_CNTLID, "switching it off ended the tracking")
        vf.enable()
        same(vf.identify(1)[1][570:577], bytes(7), "a VF has none")
    with machine(lm="vendor") as (_, pf):
        same(pf.identify(1)[1][570:577], bytes(7), "nor has the vendor set")


def case_track_send():
    """Track Send: operands, ids, states"""
    with machine(lm="standard") as (_, pf):
        vf, other = pf.vfs[:2]
        for sel in 0, 2, 0xff:
            for tact in 0, 0x10000:
                same(pf.track(vf, ALL, dw10=sel | tact).status, INVALID_FIELD,
                     f"SEL {sel} MOS {tact >> 16}")
        for dw10 in 0x10101, 0x18001, 0x20001, 0x30001, 0x80010001:
            same(pf.track(vf, ALL, dw10=dw10).status, INVALID_FIELD,
                 f"reserved bit in {dw10:#x}")
        same(pf.track(vf, ALL, cntlid=vf.cntlid | 0x10000).status,
             INVALID_FIELD, "reserved half of CDW11")
        for i in range(4):
            same(pf.track(vf, ALL, dwords=(0,) * i + (1,)).status,
                 INVALID_FIELD, f"CDW{12 + i} is not used")
        for name, fields in (("NSID", {"nsid": 1}), ("SGL", {"flags": 0x40}),
                             ("fused", {"flags": 1})):
            same(pf.admin(0x3d, dwords=(1, vf.cntlid), **fields).status,
                 INVALID_FIELD, f"{name} is not used")
        for cntlid, name in ((0, "own id"), (0x77, "unknown id"),
                             (0xffff, "FFFFh"),
                             (pf.vfs[3].cntlid, "offline VF")):
            same(pf.track(vf, ALL, cntlid=cntlid).status, BAD_CNTLID,
                 f"start: {name}")
            same(pf.admin(0x3d, dwords=(1, cntlid)).status, BAD_CNTLID,
                 f"stop: {name}")
        ok(f"vf.{vf.cntlid}.tracked" not in pf.report(), "none had an effect")

        same(pf.track(vf, ALL).status, 0, "start")
        same(pf.report()[f"vf.{vf.cntlid}.tracked"], "1", "the report says so")
        same(pf.track(vf, ALL).status, BAD_CNTLID, "start: tracked already")
        same(pf.track(other, ALL).status, 0, "the other one too")
        pf.suspend(vf)
        pf.suspend(other)
        same(pf.track(vf, ALL).status, SUSPENDED, "start: suspended, tracked")
        same(pf.untrack(vf), SUSPENDED, "stop: suspended")
        pf.resume(vf)
        same(pf.untrack(vf), 0, "stop")
        ok(f"vf.{vf.cntlid}.tracked" not in pf.report(), "the report says so")
        same(pf.report()[f"vf.{other.cntlid}.tracked"], "1", "not the other's")
        pf.suspend(vf)
        same(pf.untrack(vf), SUSPENDED, "stop: suspended, not tracked")
        pf.resume(vf)
        same(pf.track(vf, ALL).status, 0, "start after resume")
        report = pf.report()
        same((report["count.3d.1"], report["status.3d.1"], report["count.3d.0"],
              report["status.3d.0"]), (report["count.3d.1"], "0x000", "2",
                                       "0x002"), "all is counted")


def case_track_payload():
    """the descriptors of a start are checked one by one"""
    with machine(lm="standard") as (qemu, pf):
        vf = pf.vfs[0]

        def refused(name, *args, **fields):
            same(pf.track(vf, *args, **fields).status, INVALID_FIELD, name)

        pf.control("lm-track-min=1\nlm-track-max=3")
        refused("VER 1", [(0, 1)], 1, ver=1)
        refused("reserved bytes", [(0, 1)], 1, reserved=0x100)
        refused("no descriptors", [], 1)
        refused("finer than MINMRTG", [(0, 1)], 0)
        refused("coarser than MAXMRTG", [(0, 1)], 4)
        refused("RMRTG FFh", [(0, 1)], 255)
        refused("address between units", [(PAGE, 1)], 1)
        refused("address between units, second", [(0, 1), (0x6000, 1)], 2)
        refused("beyond the last address", [(-2 * PAGE & 2 ** 64 - 1, 2)], 1)
        refused("17 descriptors", [(i << 20, 1) for i in range(17)], 1)
        refused("RNMRTD 4 G", [(0, 1)], 1, nr=0xffffffff)
        same(pf.admin(0x3d, prp1=0x1000ffc, prp2=0x1001000,
                      dwords=(0x10001, vf.cntlid)).status, PRP_OFFSET,
             "a header across two pages")
        same(pf.admin(0x3d, prp1=0x1000ff8, prp2=0x1001004,
                      dwords=(0x10001, vf.cntlid)).status, INVALID_FIELD,
             "a header that does")
        pf.control("lm-track-ranges=60000")
        data = struct.pack("<BHBI", 0, 0, 1, 50000)
        addr = qemu.alloc(PAGE)
        qemu.write(addr, data)
        same(pf.admin(0x3d, prp1=addr, dwords=(0x10001, vf.cntlid)).status,
             INVALID_FIELD, "more than MDTS")
        ok(f"vf.{vf.cntlid}.tracked" not in pf.report(), "none had an effect")

        many = [(i << 20, 1) for i in range(400)]
        same(pf.track(vf, many, 1).status, 0, "400 of them, in two pages")
        same(pf.report()[f"vf.{vf.cntlid}.tracked"], "400", "all are there")
        pf.untrack(vf)
        refused("a BAR of its own", [(0, 2 ** 32 - 1)], 1)
        pf.control("lm-track-bars=off")
        same(pf.track(vf, [(0, 2 ** 32 - 1), (-2 * PAGE & 2 ** 64 - 1, 1)], 1)
             .status, 0, "the largest, and the last address")
        pf.untrack(vf)

        pf.control("lm-track-pow2=on")
        for count in 3, 5, 6, 7, 2 ** 32 - 1:
            refused(f"MRTLL: {count} units", [(0, 1), (1 << 20, count)], 1)
        same(pf.track(vf, [(0, 1), (0x6000, 4), (1 << 20, 1 << 31)], 1)
             .status, 0, "MRTLL: 1, 4 and 2 G units, at any address")


def case_track_count():
    """descriptors are shared by all VFs of the PF"""
    with machine(lm="standard") as (_, pf):
        a, b = pf.vfs[:2]

        def some(nr):
            return [(i << 20, 1) for i in range(nr)]

        for text, limit in ("5/9", "CMMRTD"), ("9/5", "NMMRTD"):
            pf.control(f"lm-track-ranges={text}")
            same(pf.track(a, some(6)).status, INVALID_FIELD,
                 f"{limit}: six of five")
            same(pf.track(a, some(3)).status, 0, f"{limit}: three of five")
            same(pf.track(b, some(3)).status, INVALID_FIELD,
                 f"{limit}: three more")
            same(pf.track(b, some(2)).status, 0, f"{limit}: two more")
            pf.untrack(a)
            pf.untrack(b)
            same(pf.track(b, some(5)).status, 0, f"{limit}: five")
            same(pf.track(a, some(1)).status, INVALID_FIELD,
                 f"{limit}: one more")
            pf.untrack(b)


def case_track_resources():
    """38h says what is available"""
    with machine(lm="standard") as (_, pf):
        a, b = pf.vfs[:2]

        def tried(vf, nr, grain):
            done = pf.track(vf, [(i << 20, 1) for i in range(nr)], grain)
            return done.status, done.dw0, done.dw1

        pf.control("lm-track-grain=3")
        same(tried(a, 2, 0), (NO_RESOURCES, 3, 0), "too fine")
        same(tried(a, 2, 2), (NO_RESOURCES, 3, 0), "still too fine")
        ok(f"vf.{a.cntlid}.tracked" not in pf.report(), "without effect")
        same(pf.track(a, [(PAGE, 1)], 2).status, INVALID_FIELD,
             "what is wrong is wrong first")
        same(tried(a, 2, 3), (0, 0, 0), "as offered")
        same(pf.changes(a).rpmpg, 3, "in use")
        pf.untrack(a)
        pf.control("lm-track-grain=0\nlm-track-room=3\nlm-track-min=1")
        same(tried(a, 4, 2), (NO_RESOURCES, 1, 3), "too many")
        same(tried(a, 2, 2), (0, 0, 0), "two of three")
        same(tried(b, 2, 1), (NO_RESOURCES, 1, 1), "one is left")
        same(tried(b, 1, 1), (0, 0, 0), "taken")
        pf.untrack(a)
        pf.control("lm-track-room=0")
        same(tried(a, 1, 1), (NO_RESOURCES, 1, 0), "none is left")
        pf.control("lm-track-room=")
        same(tried(a, 4, 1), (0, 0, 0), "no limit of its own any more")


def case_track_receive():
    """Track Receive: operands, ids, length, header"""
    with machine(lm="standard") as (_, pf):
        vf = guest(pf.vfs[0])
        same(pf.read_data(0x3e, 64, dwords=(0, vf.cntlid, 15))[0].status,
             BAD_CNTLID, "not tracked")
        tracked(pf, vf)
        for dw10 in 1, 0xff, 0x100, 0x10000, 0x80000000:
            same(pf.read_data(0x3e, 64, dwords=(dw10, vf.cntlid, 15))[0].status,
                 INVALID_FIELD, f"SEL or reserved: {dw10:#x}")
        same(pf.read_data(0x3e, 64, dwords=(0, vf.cntlid | 1 << 16, 15))[0]
             .status, INVALID_FIELD, "reserved half of CDW11")
        for i in range(3):
            same(pf.read_data(0x3e, 64, dwords=(0, vf.cntlid, 15) + (0,) * i +
                              (1,))[0].status, INVALID_FIELD,
                 f"CDW{13 + i} is not used")
        same(pf.read_data(0x3e, 64, nsid=1, dwords=(0, vf.cntlid, 15))[0]
             .status, INVALID_FIELD, "NSID is not used")
        for cntlid in 0, 0x77, 0xffff, pf.vfs[1].cntlid, pf.vfs[3].cntlid:
            same(pf.read_data(0x3e, 64, dwords=(0, cntlid, 15))[0].status,
                 BAD_CNTLID, f"id {cntlid:#x}")
        for dwords in 1, 3, 4, 7:
            same(pf.read_data(0x3e, 64, dwords=(0, vf.cntlid, dwords - 1))[0]
                 .status, INVALID_FIELD, f"{dwords} dwords")
        limit = PAGE << pf.identify(1)[1][77]
        same(pf.admin(0x3e, prp1=0x1000000, dwords=(
            0, vf.cntlid, limit // 4)).status, INVALID_FIELD,
             "more than MDTS")
        same(pf.admin(0x3e, prp1=0x1000000, dwords=(
            0, vf.cntlid, 0xffffffff)).status, INVALID_FIELD, "16 GiB")

        report = pf.changes(vf, 64)
        same((report.ver, report.attrb, report.cntlid, report.ntmcd,
              report.rpmpg, report.reserved), (0, 0, vf.cntlid, 0, 0, False),
             "nothing was written yet")
        same(report.rest, b"\xa5" * 48, "what follows the report is not zero")
        vf.read_block(1, 0)
        same(pf.admin(0x3e, prp1=0x1000fe0, prp2=0x1001004,
                      dwords=(0, vf.cntlid, 15)).status, PRP_OFFSET,
             "a report that cannot be delivered")
        done, _ = pf.read_data(0x3e, 64, dwords=(0, vf.cntlid, 7))
        same(done.status, 0, "32 bytes are enough for one")
        ok(pf.changes(vf, limit).ntmcd, "the other comes with a whole MDTS")
        same((pf.report()["status.3e.0"], pf.report()["status.3e.1"]),
             ("0x000", "0x002"), "the last statuses")


def case_track_short():
    """lm-track-short: a report without room for a range"""
    with machine(lm="standard", extra="lm-track-short=on") as (_, pf):
        vf = tracked(pf, guest(pf.vfs[0]))
        same(pf.read_data(0x3e, 64, dwords=(0, vf.cntlid, 2))[0].status, INVALID_FIELD,
             "without room for its header")
        for length in 16, 28:
            report = pf.changes(vf, length)
            same((report.ntmcd, report.more), (0, 0), f"{length} bytes: nothing was written")
        vf.read_block(1, 0)
        for length in 16, 28:
            report = pf.changes(vf, length)
            same((report.ntmcd, report.more), (0, 1), f"{length} bytes: there is more")
        ok(pf.changes(vf).ntmcd, "which then is told")


def case_track_void():
    """lm-track-void: a report of a VF that is not tracked"""
    with machine(lm="standard") as (_, pf):
        vf = guest(pf.vfs[0])
        same(pf.read_data(0x3e, 64, dwords=(0, vf.cntlid, 15))[0].status, 0x11f, "is refused")
        pf.control("lm-track-void=on")
        report = pf.changes(vf)
        same((report.ntmcd, report.more), (0, 0), "or tells of nothing")
        tracked(pf, vf)
        vf.read_block(1, 0)
        ok(pf.changes(vf).ntmcd, "of one that is tracked it tells")


def case_track_split():
    """more changes than the buffer has room for"""
    with machine(lm="standard") as (qemu, pf):
        vf = guest(pf.vfs[0])
        tracked(pf, vf)
        bufs = [qemu.alloc(PAGE * 3) for _ in range(20)]
        for i, buf in enumerate(bufs):
            vf.start_io(1, READ, i * 8, buf)
            vf.wait(1)
        told, rounds = [], []
        while not rounds or rounds[-1].more:
            rounds.append(pf.changes(vf, 16 + 4 * 16))
            told += rounds[-1].units()
        want = set(bufs) | {vf.queues[1].cq}
        same([(r.ntmcd, r.more) for r in rounds], [(4, 1)] * 5 + [(1, 0)],
             "five full reports, and the last")
        same(sorted(told), sorted(want), "together they are complete")
        same(told, sorted(told), "in order")

        vf.start_io(1, READ, 0, bufs[5])
        vf.wait(1)
        vf.start_io(1, READ, 0, bufs[6])
        vf.wait(1)
        report = pf.changes(vf, 32)
        same((report.units(), report.more),
             ([vf.queues[1].cq], 1), "the first of three")
        vf.start_io(1, READ, 0, bufs[2])
        vf.wait(1)
        pf.suspend(vf)
        told, rounds = [], []
        while not rounds or rounds[-1].more:
            rounds.append(pf.changes(vf, 32))
            told += rounds[-1].units()
        same(sorted(told), sorted({vf.queues[1].cq, bufs[2], bufs[5],
                                   bufs[6]}), "the rest, and the new")
        same([(r.more, r.suspended) for r in rounds],
             [(1, 1)] * 3 + [(0, 1)], "the final report")
        same([(r.ntmcd, r.more, r.suspended) for r in (pf.changes(vf),)],
             [(0, 0, 1)], "after it there is nothing")
        pf.resume(vf)
        same(pf.changes(vf).suspended, 0, "running again")

        bunch = qemu.alloc(PAGE * 9)
        for i in (3, 1, 2, 8, 6):
            vf.start_io(1, READ, 0, bunch + i * PAGE)
            vf.wait(1)
        same([c[:2] for c in pf.changes(vf).changes],
             [(vf.queues[1].cq, 1), (bunch + PAGE, 3), (bunch + 6 * PAGE, 1),
              (bunch + 8 * PAGE, 1)], "neighbours are one change")


def case_track_ranges():
    """only what lies inside the ranges, at the granularity in use"""
    with machine(lm="standard") as (qemu, pf):
        vf = guest(pf.vfs[0])
        base = qemu.alloc(64 * PAGE) + 32 * PAGE & -32 * PAGE
        qemu.next_free = base + 64 * PAGE
        tracked(pf, vf, [(base + 16 * PAGE, 4), (base + 24 * PAGE, 1)])

        def read(at, blocks=1):
            prp1, prp2 = vf.prps(at, blocks * PAGE)
            done = vf.run(1, READ, nsid=1, prp1=prp1, prp2=prp2,
                          dwords=(0, 0, 8 * blocks - 1))
            assert done.status == 0

        for at in 15, 16, 19, 20, 23, 24, 25:
            read(base + at * PAGE)
        wrote(pf, vf, {base + i * PAGE for i in (16, 19, 24)},
              "the first and last page of each range")
        read(base + 14 * PAGE, 12)
        wrote(pf, vf, {base + i * PAGE for i in (16, 17, 18, 19, 24)},
              "a read across all")
        vf.run(1, READ, nsid=1, prp1=base + 15 * PAGE + 2048,
               prp2=base + 16 * PAGE, dwords=(0, 0, 7))
        wrote(pf, vf, {base + 16 * PAGE}, "a read half inside")
        pf.untrack(vf)

        tracked(pf, vf, [(base, 2), (base + 24 * PAGE, 1)], 3)
        for at in 1, 6, 9, 17, 31:
            read(base + at * PAGE)
        report = pf.changes(vf)
        same((report.rpmpg, [c[:2] for c in report.changes]),
             (3, [(base, 2), (base + 24 * PAGE, 1)]), "units of 32 KiB")
        pf.untrack(vf)

        tracked(pf, vf, [(base, 8), (base + 4 * PAGE, 8)])
        read(base + 5 * PAGE)
        wrote(pf, vf, {base + 5 * PAGE}, "ranges that overlap: told once")


def case_track_admin():
    """what the admin queue's commands write"""
    with machine(lm="standard") as (qemu, pf):
        vf = guest(pf.vfs[0])
        tracked(pf, vf)
        acq = vf.queues[0].cq

        def data(opcode, length, name, **fields):
            addr = qemu.alloc(length) + 0x20
            qemu.alloc(PAGE)
            prp2 = 0 if length <= PAGE - 0x20 else page(addr) + PAGE
            done = vf.run(0, opcode, prp1=addr, prp2=prp2, **fields)
            same(done.status, 0, name)
            wrote(pf, vf, pages(addr, length) | {acq}, f"{name}: exactly")

        data(0x06, PAGE, "Identify Controller", dwords=(1,))
        data(0x06, PAGE, "Identify Namespace", nsid=1, dwords=(0,))
        data(0x06, PAGE, "Active Namespaces", dwords=(2,))
        data(0x02, 512, "SMART log", nsid=0xffffffff,
             dwords=(SMART_LOG | 127 << 16,))
        data(0x02, PAGE, "effects log", dwords=(5 | 1023 << 16,))
        data(0x0a, 512, "Host Behavior Support", dwords=(22,))
        data(0x0a, 8, "timestamp", dwords=(14,))
        same(vf.write_data(0x09, bytes(8), dwords=(14,)).status, 0,
             "Set Features")
        wrote(pf, vf, {acq}, "Set Features: its completion")
        vf.identify(0x15)
        pf.changed(vf)
        vf.read_data(0x06, PAGE, dwords=(0x99,))
        wrote(pf, vf, {acq}, "a refused Identify: its completion")
        vf.start(0, AER)
        qemu.settle()
        wrote(pf, vf, (), "a request that waits: nothing")
        vf.qemu.writel(vf.bar + 0x1000 + 8 * 3, 1)      # there is no SQ 3
        vf.wait(0)
        wrote(pf, vf, {acq}, "its event: the completion")
        pf.identify(1)
        pf.suspend(vf)
        wrote(pf, vf, (), "what the PF writes: nothing")


def case_track_io():
    """what I/O commands write"""
    with machine(lm="standard") as (qemu, pf):
        vf = guest(pf.vfs[0])
        cq1, cq2 = vf.queues[1].cq, vf.queues[2].cq
        tracked(pf, vf)
        one = pattern(1)
        same(vf.write_block(1, 5, one), 0, "write")
        wrote(pf, vf, {cq1}, "write: its completion")
        buf = qemu.alloc(PAGE)
        vf.start_io(2, READ, 40, buf)
        vf.wait(2)
        ok(qemu.read(buf, PAGE) == one, "read")
        wrote(pf, vf, {buf, cq2}, "read: data and completion")
        done = vf.write_data(COMPARE, one, 1, nsid=1, dwords=(40, 0, 7))
        same(done.status, 0, "compare")
        wrote(pf, vf, {cq1}, "compare: its completion")
        buf = qemu.alloc(PAGE) + 512
        qemu.alloc(PAGE)
        vf.run(1, READ, nsid=1, prp1=buf, prp2=page(buf) + PAGE,
               dwords=(40, 0, 7))
        wrote(pf, vf, pages(buf, PAGE) | {cq1}, "read into two pages")
        buf = qemu.alloc(64 * PAGE)
        prp1, prp2 = vf.prps(buf, 64 * PAGE)
        vf.run(1, READ, nsid=1, prp1=prp1, prp2=prp2, dwords=(0, 0, 511))
        wrote(pf, vf, pages(buf, 64 * PAGE) | {cq1},
              "64 pages, and not their list")
        buf = qemu.alloc(PAGE)
        vf.run(1, READ, nsid=1, prp1=buf, dwords=(40, 0, 0))
        wrote(pf, vf, {buf, cq1}, "one sector")
        vf.run(1, READ, nsid=1, prp1=buf, dwords=(1 << 30, 0, 7))
        wrote(pf, vf, {cq1}, "a read beyond the end: its completion")
        segment = struct.pack("<QI3xBQI3xB", buf, 1024, 0, buf + 3 * PAGE, 3072,
                              0)
        qemu.alloc(4 * PAGE)
        table = qemu.alloc(PAGE)
        qemu.write(table, segment)
        vf.run(1, READ, flags=0x40, nsid=1, prp1=table, prp2=32 | 3 << 60,
               dwords=(40, 0, 7))
        wrote(pf, vf, {buf, buf + 3 * PAGE, cq1}, "by a list of SGLs")
        other = guest(pf.vfs[1])
        other.read_block(1, 0)
        wrote(pf, vf, (), "what another VF writes: nothing")
        pf.suspend(vf)
        vf.start_io(1, READ, 0, buf)
        qemu.settle()
        wrote(pf, vf, (), "suspended: nothing")
        pf.resume(vf)
        vf.wait(1)
        wrote(pf, vf, {buf, cq1}, "resumed: what was left")
        pf.untrack(vf)
        vf.read_block(1, 0)
        tracked(pf, vf)
        wrote(pf, vf, (), "a new tracking starts empty")


def case_track_metadata():
    """metadata, beside the data or between, with and without protection"""
    for ns in ",ms=8", ",ms=8,mset=1", ",ms=8,pi=1", ",ms=8,pi=1,mset=1":
        with machine(lm="standard", ns=ns) as (qemu, pf):
            vf = guest(pf.vfs[0])
            data, meta = qemu.alloc(2 * PAGE), qemu.alloc(PAGE)
            ext = "mset" in ns
            size = 8 * 520 if ext else PAGE

            def io(opcode):
                return vf.run(1, opcode, nsid=1, prp1=data, prp2=data + PAGE,
                              mptr=0 if ext else meta,
                              dwords=(0, 0, 7)).status

            qemu.write(data, pattern(7, 2 * PAGE))
            same(io(WRITE), 0, f"write{ns}")
            qemu.write(data, bytes(2 * PAGE))
            tracked(pf, vf)
            same(io(READ), 0, f"read{ns}")
            wrote(pf, vf, pages(data, size) | {vf.queues[1].cq} |
                  (set() if ext else {meta}), f"exactly{ns}")


def case_track_doorbells():
    """shadow doorbells and event indexes"""
    for extra in "", "ioeventfd=on":
        with machine(lm="standard", extra=extra) as (qemu, pf):
            vf = guest(pf.vfs[0])
            dbs, eis = qemu.alloc(PAGE), qemu.alloc(PAGE)
            tracked(pf, vf)
            cq, acq = vf.queues[1].cq, vf.queues[0].cq
            same(vf.admin(0x7c, prp1=dbs, prp2=eis).status, 0,
                 f"doorbell buffer config {extra}")
            wrote(pf, vf, {dbs, eis, acq}, "what it wrote")
            buf = qemu.alloc(PAGE)
            vf.start(1, READ, nsid=1, prp1=buf, dwords=(0, 0, 7))
            qemu.writel(dbs + 8, vf.queues[1].tail)
            vf.ring(1)
            vf.wait(1, ack=False)
            qemu.settle()
            wrote(pf, vf, {eis, buf, cq}, "I/O: the event index")
            vf.ack(1)
            pf.changed(vf)
            vf.run(0, 0x0a, dwords=(7,))
            qemu.settle()
            wrote(pf, vf, {dbs, eis, acq}, "admin: the shadow as well")
            pf.suspend(vf)
            pf.changed(vf)
            vf.start(0, 0x0a, dwords=(7,))
            qemu.settle()
            wrote(pf, vf, (), "suspended: none")
            pf.resume(vf)
            vf.wait(0)
            qemu.settle()
            wrote(pf, vf, {dbs, eis, acq}, "resumed: all of it")


def case_track_full_cq():
    """completions that come late are reported when they are written"""
    with machine(lm="standard") as (qemu, pf):
        vf = guest(pf.vfs[0], 1, depth=16, cq_depth=4)
        tracked(pf, vf)
        bufs = [qemu.alloc(PAGE) for _ in range(6)]
        for buf in bufs:
            vf.start_io(1, READ, 0, buf)
        qemu.settle()
        wrote(pf, vf, {*bufs, vf.queues[1].cq}, "data and three completions")
        vf.wait(1)
        qemu.settle()
        wrote(pf, vf, {vf.queues[1].cq}, "one more in the room made")
        pf.suspend(vf)
        vf.wait(1)
        qemu.settle()
        wrote(pf, vf, (), "suspended: none")
        pf.resume(vf)
        qemu.settle()
        wrote(pf, vf, {vf.queues[1].cq}, "resumed: the next")


def case_track_in_flight():
    """data that lands after the start, or between report and suspend"""
    with machine(lm="standard", slow=True) as (qemu, pf):
        vf = guest(pf.vfs[0])
        bufs = [qemu.alloc(PAGE) for _ in range(6)]

        def missing():
            return {buf for buf in bufs if qemu.read(buf, 1) == b"\xee"}

        for buf in bufs:
            qemu.write(buf, b"\xee" * PAGE)
            vf.start_io(1, READ, 0, buf)
        qemu.await_done(AT_ONCE)
        late = missing()
        same(len(late), 4, "reads in flight when tracking starts")
        tracked(pf, vf)
        qemu.step_ms(SLOW_MS)
        qemu.await_done(AT_ONCE + 1)
        before, report = pf.changed(vf)
        same(report.suspended, 0, "a report amid them")
        later = missing()
        ok(late > later and later, "some came, some did not")
        ok(late - later <= set(before), "those that came are told")
        pf.start(0, 0x41, dwords=(0, vf.cntlid | 1 << 16))
        same(pf.wait(0).status, 0, "suspend waits for them")
        after, report = pf.changed(vf)
        same((report.suspended, report.more), (1, 0), "the final report")
        ok(later <= set(after), "has all that came after the other report")
        ok(late <= {*before, *after}, "both have all that came after the start")
        ok(vf.queues[1].cq in after, "and the completions")


def case_track_reset():
    """tracking survives what happens to the VF, and ends with the PF's reset"""
    with machine(lm="standard") as (qemu, pf):
        vf = pf.vfs[0]

        def reads(name):
            guest(vf, 1)
            buf = qemu.alloc(PAGE)
            vf.start_io(1, READ, 0, buf)
            vf.wait(1)
            wrote(pf, vf, {buf, vf.queues[1].cq, vf.queues[0].cq}, name)

        guest(vf)
        tracked(pf, vf)
        buf = qemu.alloc(PAGE)
        vf.start_io(1, READ, 0, buf)
        vf.wait(1)
        vf.function.flr()
        wrote(pf, vf, {buf, vf.queues[1].cq}, "what was written before an FLR")
        vf.function.writew(4, 6)
        vf.setup_msix(4)
        reads("after the FLR")
        vf.disable()
        reads("after a controller reset")
        pf.suspend(vf)
        vf.function.flr()
        same(pf.changes(vf).suspended, 0, "a reset ends the suspension")
        vf.function.writew(4, 6)
        vf.setup_msix(4)
        reads("after a reset while suspended")
        pf.virt(vf.cntlid, 7)
        same(pf.changes(vf).ntmcd, 0, "asked while offline")
        pf.online(vf)
        reads("online again")
        pf.virt(vf.cntlid, 7)
        same(pf.untrack(vf), 0, "stopped while offline")
        pf.online(vf)

        tracked(pf, vf)
        pf.disable()
        pf.enable(64)
        for other in pf.vfs[:2]:
            pf.online(other)
        same(pf.untrack(vf), BAD_CNTLID, "the PF's reset ended it")
        tracked(pf, vf)
        pf.suspend(vf)
        pf.disable()
        pf.enable(64)
        pf.online(vf)
        same(pf.untrack(vf), BAD_CNTLID, "of a suspended VF too")
        tracked(pf, vf)
        reads("and it can start anew")

        sriov = pf.function.ext_cap(0x10)
        pf.function.writew(sriov + 8, 0)
        same(pf.untrack(vf), BAD_CNTLID, "VFs taken away: no such id")
        pf.function.writew(sriov + 8, 9)
        pf.online(vf)
        same(pf.untrack(vf), BAD_CNTLID, "and none left when they are back")


def case_track_move():
    """source and destination of a move, both tracked"""
    with machine(lm="standard") as (qemu, pf):
        a, b = pf.vfs[:2]
        guest(a)
        a.write_block(1, 7, pattern(7))
        tracked(pf, a)
        stopped(pf, b)
        pf.resume(b)
        tracked(pf, b)
        a.read_block(1, 0)
        pf.suspend(a)
        buf = qemu.alloc(PAGE)
        a.start_io(1, READ, 56, buf)
        move(pf, a, b)
        b.wait(1)
        wrote(pf, b, {buf, b.queues[1].cq}, "what the destination wrote")
        units, report = pf.changed(a)
        ok(buf not in units and report.suspended, "the source did not")
        same(pf.untrack(b), 0, "stop there")


def case_track_mix():
    """a long random mix: what changed in memory is reported"""
    with machine(lm="standard", queues=3) as (qemu, pf):
        vf = guest(pf.vfs[0], 2)
        rng = random.Random(1)
        for i in range(64):
            vf.write_block(1, i, pattern(i + 1))
        arena = qemu.alloc(256 * PAGE)
        end = qemu.next_free
        start = 0x1000000
        written = set()
        tracked(pf, vf)

        def io(told):
            count = rng.choice((1, 1, 2, 5, 16))
            at = arena + rng.randrange(256 - count) * PAGE
            qemu.write(at, b"\xee" * (count * PAGE))
            told.update(pages(at, count * PAGE))
            prp1, prp2 = vf.prps(at, count * PAGE)
            opcode = rng.choice((READ, READ, READ, WRITE))
            vf.run(rng.choice((1, 2)), opcode, nsid=1, prp1=prp1, prp2=prp2,
                   dwords=(rng.randrange(64 - count) * 8, 0, 8 * count - 1))
            if opcode == READ:
                written.update(pages(at, count * PAGE))

        lost = extra = 0
        for _ in range(30):
            host = set()
            written.clear()
            for _ in range(rng.randrange(1, 8)):
                io(host)
            memory = qemu.read(start, end - start)
            units = set(pf.changed(vf, rng.choice((32, 64, PAGE)))[0])
            mine = {vf.queues[1].cq, vf.queues[2].cq}
            for addr in range(arena, arena + 256 * PAGE, PAGE):
                text = memory[addr - start:addr - start + PAGE]
                if addr in host and text != b"\xee" * PAGE:
                    lost += addr in written and addr not in units
            lost += len(written - units)
            extra += len(units - written - mine)
        same((lost, extra), (0, 0), "none lost, none too many")


def case_lie_forget():
    """forget-page: a seventh of the pages that data was read into"""
    with machine(lm="standard", extra="lm-lie=forget-page") as (qemu, pf):
        vf = guest(pf.vfs[0])
        tracked(pf, vf)
        buf = qemu.alloc(28 * PAGE)
        prp1, prp2 = vf.prps(buf, 28 * PAGE)
        vf.run(1, READ, nsid=1, prp1=prp1, prp2=prp2, dwords=(0, 0, 28 * 8 - 1))
        bufs = pages(buf, 28 * PAGE)
        units = set(pf.changed(vf)[0])
        gone = bufs - units
        same(len(gone), 4, "four of 28 pages are not told")
        same(units - bufs, {vf.queues[1].cq}, "the completion is")
        vf.start_io(1, READ, 0, min(gone))
        vf.wait(1)
        wrote(pf, vf, {vf.queues[1].cq}, "the same page again: never")
        vf.run(0, 0x06, prp1=min(gone), dwords=(1,))
        wrote(pf, vf, {min(gone), vf.queues[0].cq}, "what is no I/O data: told")
        pf.control("lm-lie=")
        vf.start_io(1, READ, 0, min(gone))
        vf.wait(1)
        wrote(pf, vf, {min(gone), vf.queues[1].cq}, "truth again")

# SPDX-License-Identifier: GPL-2.0-only
"""The vendor set of 2022: whole blobs, VFs by number, a destructive save."""

import struct

from bed import AER, INVALID_FIELD, READ, SEQUENCE
from bed import copy_msix, guest, machine, ok, pattern, refused, same
from layout import State
from nvmeq import PAGE, VENDOR_LOAD, VENDOR_RESUME, VENDOR_SAVE, VENDOR_SIZE
from nvmeq import VENDOR_SUSPEND

BLOB = 32                       # bytes before the state
ALL = VENDOR_SIZE, VENDOR_SUSPEND, VENDOR_RESUME, VENDOR_SAVE, VENDOR_LOAD


def case_vendor_rules():
    """operands, order"""
    with machine(lm="vendor") as (_, pf):
        a, b = pf.vfs[:2]
        guest(a)
        for opcode in ALL:
            for index, name in ((0, "VF 0"), (4, "offline VF"), (5, "VF 5"),
                                (0xffff, "VF FFFFh"),
                                (1 | 1 << 16, "reserved half")):
                same(pf.admin(opcode, prp1=0x1000000, dwords=(index,)).status,
                     INVALID_FIELD, f"{opcode:#x}: {name}")
            same(pf.admin(opcode, prp1=0x1000000, dwords=(1, 0, 1)).status,
                 INVALID_FIELD, f"{opcode:#x}: reserved dword")
            same(pf.admin(opcode, prp1=0x1000000, nsid=1, dwords=(1,)).status,
                 INVALID_FIELD, f"{opcode:#x}: NSID")
        for opcode in VENDOR_SIZE, VENDOR_SUSPEND, VENDOR_RESUME, VENDOR_SAVE:
            same(pf.vendor(opcode, a, 1).status, INVALID_FIELD,
                 f"{opcode:#x}: CDW11 is reserved")
        for opcode in VENDOR_RESUME, VENDOR_SAVE:
            same(pf.vendor(opcode, a, prp1=0x1000000).status, SEQUENCE,
                 f"{opcode:#x} of a running VF")
        same(pf.vendor(VENDOR_LOAD, a, 4096, prp1=0x1000000).status, SEQUENCE,
             "load into a running VF")
        small = pf.vendor(VENDOR_SIZE, b)
        large = pf.vendor(VENDOR_SIZE, a)
        same((small.status, large.status), (0, 0), "size of running VFs")
        same(large.dw0 - small.dw0, 4 * 24, "it grows with the queues")
        same(pf.vendor(VENDOR_SUSPEND, a).status, 0, "suspend")
        same(pf.vendor(VENDOR_SUSPEND, a).status, 0, "suspend again")
        same(pf.vendor(VENDOR_LOAD, a, 4096, prp1=0x1000000).status, SEQUENCE,
             "load over live queues")
        same(pf.vendor(VENDOR_RESUME, a).status, 0, "resume")
        same(pf.vendor(VENDOR_RESUME, a).status, SEQUENCE, "resume again")


def case_vendor_move():
    """save, load elsewhere, and the guest goes on"""
    with machine(lm="vendor", pfs=2, extra="lm-pad=3000") as (qemu, pf, far):
        a, b = pf.vfs[0], far.vfs[1]
        guest(a, 2, depth=16, cq_depth=4)
        for i in range(6):
            a.write_block(2, i, pattern(i))
        aer = a.start(0, AER)
        bufs = [qemu.alloc(PAGE) for _ in range(6)]
        cids = [a.start_io(1, READ, i * 8, bufs[i]) for i in range(6)]
        qemu.settle()
        same(pf.vendor(VENDOR_SUSPEND, a).status, 0, "suspend")
        late = a.start_io(2, READ, 8, qemu.alloc(PAGE))
        pci = a.function.save()
        done, blob = pf.vendor_save(a)
        same(done.status, 0, "save")
        same(struct.unpack_from("<8sIIQ", blob), (b"NVMELM22", 1, BLOB,
                                                  len(blob)), "blob's header")
        state = State(blob[BLOB:])
        same((len(state.cqes()), state.csattr, state.aers()), (3, 1, (aer,)),
             "a state of the standard is inside")
        same((a.cc, a.csts), (0, 0), "the source is disabled")
        same(pf.report()[f"vf.{a.cntlid}"], "suspended", "but suspended")

        b.function.flr()
        same(far.vendor_load(b, blob), SEQUENCE, "load before suspend")
        same(far.vendor(VENDOR_SUSPEND, b).status, 0, "suspend")
        same(far.vendor_load(b, blob), 0, "load")
        irqs = a.irqs
        b.adopt(a)
        b.function.restore(pci)
        copy_msix(a, b)
        b.irqs = irqs
        same((b.cc, b.csts), (0x460001, 1), "enabled and ready")
        same(far.vendor(VENDOR_RESUME, b).status, 0, "resume")
        seen = [b.wait(1) for _ in cids]
        same(sorted(d.cid for d in seen), sorted(cids), "all reads complete")
        same(b.wait(2).cid, late, "the one not fetched too")
        ok(all(b.read_block(1, i) == pattern(i) for i in range(6)), "data")
        b.set_feature(0x0b, 0xff)
        same(State(bytes(state.data)).vendor("nr_aers"), 1, "one AER")

        same(pf.vendor(VENDOR_RESUME, a).status, 0,
             "resume of the source after save")
        same((a.cc, a.csts), (0, 0), "brings nothing back")


def case_vendor_drain():
    """lm-vendor-drain-ms: what SUSPEND leaves in flight ends with SAVE, or by itself"""
    with machine(lm="vendor", slow=True, extra="lm-vendor-drain-ms=9000") as (qemu, pf):
        a = guest(pf.vfs[0])
        state = f"vf.{a.cntlid}"
        for by in ("save", "time", "resume"):
            for block in range(4):      # the first are fast, then the drive is slow
                a.start_io(1, READ, block * 8, qemu.alloc(PAGE))
            same(pf.vendor(VENDOR_SUSPEND, a).status, 0, "suspend")
            same(pf.report()[state], "suspending", "with reads under way")
            same(pf.vendor(VENDOR_SUSPEND, a).status, 0, "suspend again")
            if by == "save":
                pf.start(0, VENDOR_SIZE, dwords=(1,))
                same(pf.wait(0).status, 0, "a question for the size")
                done, blob = pf.vendor_save(a)
                same(done.status, 0, "save")
                same(pf.report()[state], "suspended", "ends them")
                same(pf.vendor_load(a, blob), 0, "load")
            elif by == "time":
                for _ in range(100):
                    qemu.step_ms(100)
                    qemu.settle()
                same(pf.report()[state], "suspended", "they end by themselves")
            same(pf.vendor(VENDOR_RESUME, a).status, 0, "resume")
            for _ in range(4):
                same(a.wait(1).status, 0, f"a read, ended by {by}")


def case_vendor_load():
    """a blob is untrusted"""
    with machine(lm="vendor", extra="lm-pad=64") as (_, pf):
        a, b = pf.vfs[:2]
        guest(a)
        pf.vendor(VENDOR_SUSPEND, a)
        blob = pf.vendor_save(a)[1]
        b.function.flr()
        pf.vendor(VENDOR_SUSPEND, b)
        for size in (0, 4, BLOB, len(blob) - 4, len(blob) + 4, len(blob) - 1,
                     0xfffffffc):
            same(pf.vendor_load(b, blob, size), INVALID_FIELD, f"size {size}")
        for at, name in ((0, "magic"), (8, "version"), (12, "header length"),
                         (16, "length"), (24, "reserved"), (BLOB, "state"),
                         (BLOB + 48, "NVMe part"), (len(blob) - 1, "padding")):
            bad = bytearray(blob)
            bad[at] ^= 0x10
            same(pf.vendor_load(b, bytes(bad)), INVALID_FIELD,
                 f"changed {name} ({pf.report().get(refused(b))})")
        same((b.cc, b.csts), (0, 0), "nothing was loaded")
        same(pf.vendor_load(b, blob), 0, "the real one is taken")


def case_vendor_too_large():
    """what one command cannot carry"""
    with machine(lm="both", extra="mdts=2,lm-pad=16384") as (_, pf):
        a = guest(pf.vfs[0])
        size = pf.vendor(VENDOR_SIZE, a)
        same((size.status, size.dw0 > 16384), (0, True), "the size is told")
        pf.vendor(VENDOR_SUSPEND, a)
        same(pf.vendor(VENDOR_SAVE, a, prp1=0x1000000).status, INVALID_FIELD,
             "save")
        same(a.csts, 1, "a failed save does not disable")
        same(pf.vendor(VENDOR_LOAD, pf.vfs[1], size.dw0).status, SEQUENCE,
             "load, not suspended")
        pf.vendor(VENDOR_SUSPEND, pf.vfs[1])
        same(pf.vendor(VENDOR_LOAD, pf.vfs[1], size.dw0).status,
             INVALID_FIELD, "load")
        same(len(pf.get_all(a, 16384)) + BLOB, size.dw0,
             "the standard set takes it in pieces")

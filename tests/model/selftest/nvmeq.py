# SPDX-License-Identifier: GPL-2.0-only
"""NVMe spoken over qtest: controllers, queues, the migration commands."""

import struct

from qtest import Function, TIMEOUT, WINDOW, WINDOW_SIZE

PAGE = 4096
DEPTH = 16                      # of every queue by default

SUSPEND, RESUME, SET = 0, 1, 2
FIRST, LAST = 1, 2              # bits of the sequence indicator
VENDOR_SIZE, VENDOR_SUSPEND, VENDOR_RESUME = 0xc4, 0xc8, 0xcc
VENDOR_SAVE, VENDOR_LOAD = 0xd2, 0xd5


class Stuck(Exception):
    """A command did not complete."""


class Completion:
    def __init__(self, raw):
        self.dw0, self.dw1, self.sq_head, self.sqid, self.cid, status = \
            struct.unpack("<IIHHHH", raw)
        self.phase = status & 1
        self.status = status >> 1 & 0x7ff
        self.retry_delay = status >> 12 & 3


class Queue:
    """A queue pair in memory; any controller may work on it."""

    def __init__(self, qemu, qid, depth=DEPTH, cq_depth=None, vector=0):
        self.qemu, self.qid, self.depth, self.vector = qemu, qid, depth, vector
        self.cq_depth = cq_depth or depth
        self.sq = qemu.alloc(depth * 64)
        self.cq = qemu.alloc(self.cq_depth * 16)
        qemu.write(self.cq, bytes(self.cq_depth * 16))
        self.tail = self.head = 0
        self.phase = 1
        self.cid = 0

    def put(self, opcode, nsid=0, prp1=0, prp2=0, dwords=(), flags=0, mptr=0):
        """Write one command; the doorbell is not rung yet."""
        self.cid = (self.cid + 1) & 0xffff
        dwords = list(dwords) + [0] * (6 - len(dwords))
        sqe = struct.pack("<BBHIQQQQ6I", opcode, flags, self.cid, nsid, 0, mptr,
                          prp1, prp2, *dwords)
        self.qemu.write(self.sq + self.tail * 64, sqe)
        self.tail = (self.tail + 1) % self.depth
        return self.cid

    def peek(self):
        """The next completion, or None."""
        done = Completion(self.qemu.read(self.cq + self.head * 16, 16))
        return done if done.phase == self.phase else None

    def take(self):
        done = self.peek()
        if done:
            self.head += 1
            if self.head == self.cq_depth:
                self.head = 0
                self.phase ^= 1
        return done


class Controller:
    """A function and its registers. Its queues come from outside."""

    def __init__(self, qemu, function, bar, cntlid=None):
        self.qemu, self.function, self.bar = qemu, function, bar
        self.cntlid = cntlid
        self.queues = {}

    # registers

    def reg(self, offset):
        return self.qemu.readl(self.bar + offset)

    @property
    def cc(self):
        return self.reg(0x14)

    @property
    def csts(self):
        return self.reg(0x1c)

    def enable(self, depth=DEPTH, cq_depth=None):
        admin = Queue(self.qemu, 0, depth, cq_depth)
        self.queues = {0: admin}
        self.qemu.writel(self.bar + 0x24,
                         admin.depth - 1 | (admin.cq_depth - 1) << 16)
        self.qemu.writeq(self.bar + 0x28, admin.sq)
        self.qemu.writeq(self.bar + 0x30, admin.cq)
        self.qemu.writel(self.bar + 0x14, 0x460001)
        assert self.csts == 1, f"controller does not start: {self.csts:#x}"

    def disable(self):
        self.qemu.writel(self.bar + 0x14, 0)

    # doorbells

    def ring(self, qid):
        self.qemu.writel(self.bar + 0x1000 + qid * 8, self.queues[qid].tail)

    def ack(self, qid):
        self.qemu.writel(self.bar + 0x1004 + qid * 8, self.queues[qid].head)

    # commands

    def start(self, qid, opcode, **fields):
        cid = self.queues[qid].put(opcode, **fields)
        self.ring(qid)
        return cid

    def wait(self, qid, ack=True, step=True):
        end = self.qemu.clock() + TIMEOUT
        while self.qemu.clock() < end:
            done = self.queues[qid].take()
            if done:
                if ack:
                    self.ack(qid)
                return done
            if step and self.qemu.slow:          # the drive waits for the clock
                self.qemu.step_ms(50)
        raise Stuck(f"queue {qid}")

    def run(self, qid, opcode, **fields):
        cid = self.start(qid, opcode, **fields)
        done = self.wait(qid, step=qid > 0)
        assert done.cid == cid, f"cid {done.cid}, expected {cid}"
        return done

    def admin(self, opcode, **fields):
        return self.run(0, opcode, **fields)

    def prps(self, addr, length):
        pages = (length + PAGE - 1) // PAGE
        if pages <= 1:
            return addr, 0
        if pages == 2:
            return addr, addr + PAGE
        table = self.qemu.alloc(pages * 8)
        self.qemu.write(table, struct.pack(
            f"<{pages - 1}Q", *(addr + i * PAGE for i in range(1, pages))))
        return addr, table

    def read_data(self, opcode, length, qid=0, **fields):
        addr = self.qemu.alloc(length)
        prp1, prp2 = self.prps(addr, length)
        done = self.run(qid, opcode, prp1=prp1, prp2=prp2, **fields)
        return done, self.qemu.read(addr, length)

    def write_data(self, opcode, data, qid=0, **fields):
        addr = self.qemu.alloc(max(len(data), 4))
        if data:
            self.qemu.write(addr, data)
        prp1, prp2 = self.prps(addr, len(data))
        return self.run(qid, opcode, prp1=prp1, prp2=prp2, **fields)

    def identify(self, cns, nsid=0, cntid=0):
        return self.read_data(0x06, PAGE, nsid=nsid,
                              dwords=(cns | cntid << 16,))

    def get_feature(self, fid, dw11=0):
        return self.admin(0x0a, dwords=(fid, dw11)).dw0

    def set_feature(self, fid, dw11):
        return self.admin(0x09, dwords=(fid, dw11)).status

    def create_queue(self, qid, depth=DEPTH, cq_depth=None, vector=0, prio=0):
        queue = Queue(self.qemu, qid, depth, cq_depth, vector)
        done = self.admin(0x05, prp1=queue.cq, dwords=(
            qid | (queue.cq_depth - 1) << 16, 3 | vector << 16))
        assert done.status == 0, f"create CQ {qid}: {done.status:#x}"
        done = self.admin(0x01, prp1=queue.sq, dwords=(
            qid | (depth - 1) << 16, 1 | prio << 1 | qid << 16))
        assert done.status == 0, f"create SQ {qid}: {done.status:#x}"
        self.queues[qid] = queue
        return queue

    # one block of 4 KiB

    def start_io(self, qid, opcode, lba, addr, nsid=1):
        return self.start(qid, opcode, nsid=nsid, prp1=addr,
                          dwords=(lba, 0, 7))

    def write_block(self, qid, block, data, nsid=1):
        return self.write_data(0x01, data, qid, nsid=nsid,
                               dwords=(block * 8, 0, 7)).status

    def read_block(self, qid, block, nsid=1):
        done, data = self.read_data(0x02, PAGE, qid, nsid=nsid,
                                    dwords=(block * 8, 0, 7))
        return data if done.status == 0 else None

    # MSI-X: messages go to memory, so that they can be seen

    def setup_msix(self, count):
        cap = self.function.cap(0x11)
        table = self.bar + (self.function.readl(cap + 4) & ~7)
        self.irqs = self.qemu.alloc(PAGE)
        for i in range(count):
            self.qemu.writel(table + i * 16, self.irqs + i * 4)
            self.qemu.writel(table + i * 16 + 4, 0)
            self.qemu.writel(table + i * 16 + 8, 0x100 + i)
            self.qemu.writel(table + i * 16 + 12, 0)
        self.qemu.write(self.irqs, bytes(count * 4))
        self.function.writew(cap + 2, 0x8000)

    def irq(self, vector):
        """Whether VECTOR was raised since it was last asked for."""
        seen = self.qemu.readl(self.irqs + vector * 4)
        self.qemu.writel(self.irqs + vector * 4, 0)
        return seen == 0x100 + vector

    def adopt(self, other):
        """The guest of OTHER goes on here: same queues in the same memory."""
        self.queues = other.queues
        other.queues = {}


class Report:
    """What Track Receive returns."""

    def __init__(self, raw):
        self.ver, self.attrb, self.cntlid, self.ntmcd, self.rpmpg, rsvd = \
            struct.unpack_from("<BBHIH6s", raw)
        self.more, self.suspended = self.attrb & 1, self.attrb >> 1 & 1
        self.changes = [struct.unpack_from("<QII", raw, 16 + 16 * i)
                        for i in range(self.ntmcd)]
        self.reserved = any(rsvd) or self.attrb >> 2 or \
            any(change[2] for change in self.changes)
        self.rest = raw[16 + 16 * self.ntmcd:]

    def units(self):
        """Addresses of all units, each as often as it is reported."""
        size = PAGE << self.rpmpg
        return [addr + i * size for addr, count, _ in self.changes
                for i in range(count)]


class Pf(Controller):
    def __init__(self, qemu, index, vfs=4):
        bus = qemu.port(index)
        bar = WINDOW + index * WINDOW_SIZE
        function = Function(qemu, bus, 0, 0)
        function.writel(0x10, bar)
        function.writel(0x14, 0)
        function.writew(4, 0x6)
        super().__init__(qemu, function, bar)
        self.bus, self.nr = bus, vfs
        self.vfs = []

    def bring_up(self):
        self.enable(64)
        sriov = self.function.ext_cap(0x10)
        self.function.writel(sriov + 0x24, 0xffffffff)
        size = -(self.function.readl(sriov + 0x24) & ~0xf) & 0xffffffff
        base = self.bar + WINDOW_SIZE // 2
        self.function.writel(sriov + 0x24, base)
        self.function.writel(sriov + 0x28, 0)
        self.function.writew(sriov + 0x10, self.nr)
        self.function.writew(sriov + 8, 0x9)
        for scid, _, _, _, _, vfn in sorted(self.secondaries(),
                                            key=lambda entry: entry[5]):
            if vfn:
                function = Function(self.qemu, self.bus, 0, vfn)
                self.vfs.append(Controller(self.qemu, function,
                                           base + (vfn - 1) * size, scid))

    def secondaries(self):
        """All entries of the list, page after page: SCID, PCID, SCS, reserved,
        reserved, VFN."""
        entries, start = [], 0
        while True:
            _, data = self.identify(0x15, cntid=start)
            page = [struct.unpack_from("<HHBBHH", data, 32 + 32 * i)
                    for i in range(data[0])]
            entries += page
            if len(page) < 127:
                return entries
            start = max(entry[0] for entry in page) + 1

    def virt(self, cntlid, action, resource=0, count=0):
        return self.admin(0x1c, dwords=(
            cntlid << 16 | resource << 8 | action, count)).status

    def online(self, vf, queues=4, vectors=4):
        for status in (self.virt(vf.cntlid, 7),
                       self.virt(vf.cntlid, 8, 0, queues),
                       self.virt(vf.cntlid, 8, 1, vectors)):
            assert status == 0, f"virtualization management {status:#x}"
        vf.function.flr()
        assert self.virt(vf.cntlid, 9) == 0
        vf.function.writew(4, 0x6)
        vf.setup_msix(vectors)

    # the standard set

    def send(self, sel, dw11, dw10=0, **fields):
        return self.admin(0x41, dwords=(sel | dw10, dw11), **fields)

    def suspend(self, vf):
        return self.send(SUSPEND, vf.cntlid | 1 << 16).status

    def resume(self, vf):
        return self.send(RESUME, vf.cntlid).status

    def get(self, vf, offset, length, csvi=1, uuid=1, cntlid=None):
        cntlid = vf.cntlid if cntlid is None else cntlid
        return self.read_data(0x42, length, dwords=(
            csvi << 16, cntlid | uuid << 16, offset & 0xffffffff,
            offset >> 32, 0, length // 4 - 1))

    def get_all(self, vf, chunk=65536, csvi=1, uuid=1):
        done, head = self.get(vf, 0, 48, csvi, uuid)
        assert done.status == 0, f"get: {done.status:#x}"
        total = state_size(head)
        data = b""
        while len(data) < total:
            length = min(chunk, total - len(data))
            done, piece = self.get(vf, len(data), length, csvi, uuid)
            assert done.status == 0, f"get: {done.status:#x}"
            data += piece
        return data

    def set(self, vf, offset, data, seq, csvi=1, uuid=1, numd=None,
            cntlid=None, reserved=0, dw14=0):
        cntlid = vf.cntlid if cntlid is None else cntlid
        numd = len(data) // 4 if numd is None else numd
        return self.write_data(0x41, data, dwords=(
            SET | seq << 16 | reserved, cntlid | csvi << 16 | uuid << 24,
            offset & 0xffffffff, offset >> 32, dw14, numd)).status

    def set_all(self, vf, data, chunk=None, csvi=1, uuid=1):
        chunk = chunk or len(data)
        for at in range(0, len(data), chunk):
            piece = data[at:at + chunk]
            seq = (FIRST if at == 0 else 0) | \
                (LAST if at + chunk >= len(data) else 0)
            status = self.set(vf, at, piece, seq, csvi, uuid)
            if status:
                return status
        return 0

    # tracking

    def track(self, vf, ranges, grain=0, ver=0, reserved=0, nr=None,
              cntlid=None, dwords=(), dw10=0x10001):
        """RANGES: (address, units) each"""
        nr = len(ranges) if nr is None else nr
        data = struct.pack("<BHBI", ver, reserved, grain, nr)
        for addr, units in ranges:
            data += struct.pack("<QI", addr, units)
        cntlid = vf.cntlid if cntlid is None else cntlid
        return self.write_data(0x3d, data, dwords=(dw10, cntlid, *dwords))

    def untrack(self, vf):
        return self.admin(0x3d, dwords=(1, vf.cntlid)).status

    def changes(self, vf, length=PAGE):
        done, data = self.read_data(0x3e, length, dwords=(
            0, vf.cntlid, length // 4 - 1))
        assert done.status == 0, f"track receive: {done.status:#x}"
        return Report(data)

    def changed(self, vf, length=PAGE):
        """Everything that was written, and the last report."""
        units = []
        while True:
            report = self.changes(vf, length)
            units += report.units()
            if not report.more:
                return units, report

    # the vendor set

    def vendor(self, opcode, vf, dw11=0, **fields):
        index = self.vfs.index(vf) + 1
        return self.admin(opcode, dwords=(index, dw11), **fields)

    def vendor_save(self, vf):
        size = self.vendor(VENDOR_SIZE, vf).dw0
        return self.read_data(VENDOR_SAVE, size,
                              dwords=(self.vfs.index(vf) + 1,))

    def vendor_load(self, vf, blob, size=None):
        size = len(blob) if size is None else size
        return self.write_data(VENDOR_LOAD, blob, dwords=(
            self.vfs.index(vf) + 1, size)).status

    # test control

    def control(self, text):
        data = text.encode() + b"\0"
        data += bytes(-len(data) % 4)
        return self.write_data(0xe1, data, dwords=(len(data) // 4,)).status

    def report(self):
        _, data = self.read_data(0xe2, PAGE, dwords=(PAGE // 4,))
        text = data.split(b"\0")[0].decode()
        return dict(line.split("=", 1) for line in text.splitlines())


def state_size(head):
    nvme, nvme_hi, vendor, vendor_hi = struct.unpack_from("<4Q", head, 16)
    assert nvme_hi == 0 and vendor_hi == 0
    return 48 + 4 * (nvme + vendor)

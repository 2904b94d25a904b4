# SPDX-License-Identifier: GPL-2.0-only
"""The fuzzer's guests: VFs that are brought up, used, and reset at any moment."""

from nvmeq import PAGE

ADMIN = (0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0a, 0x0c, 0x0c,
         0x18, 0x19, 0x1a, 0x7c, 0x3d, 0x3e, 0x41, 0x42, 0xc8, 0xe1, 0xe2)
IO = (0x00, 0x01, 0x01, 0x02, 0x02, 0x02, 0x05, 0x08, 0x09, 0x0c)


class Guests:
    def __init__(self, host):
        self.host, self.rng = host, host.rng

    def actions(self):
        return [
            (4, self.bring_up), (12, self.io), (3, self.admin), (2, self.bell),
            (2, self.flr), (1, self.disable), (1, self.register),
            (2, self.shadow), (3, self.time), (2, self.ack),
        ]

    def vf(self):
        return self.host.vf()

    def soon(self, vf, qid):
        """The answer, if one comes; the VF may be in any state."""
        for _ in range(8):
            done = vf.queues[qid].take()
            if done:
                vf.ack(qid)
                return done.status == 0
        return False

    def bring_up(self):
        vf, qemu = self.vf(), self.host.qemu
        self.host.say(f"VF {vf.cntlid}: bring up")
        if self.rng.random() < 0.5:
            vf.function.flr()
        else:
            vf.disable()
        vf.function.writew(4, 6)
        admin = self.host.vf_queue(0, self.rng.choice((4, 16)),
                                   self.rng.choice((4, 16)))
        vf.queues = {0: admin}
        qemu.writel(vf.bar + 0x24, admin.depth - 1 | admin.cq_depth - 1 << 16)
        qemu.writeq(vf.bar + 0x28, admin.sq)
        qemu.writeq(vf.bar + 0x30, admin.cq)
        qemu.writel(vf.bar + 0x14, 0x460001)
        if vf.csts != 1:
            return
        vf.setup_msix(4)
        for qid in range(1, self.rng.randrange(1, 4)):
            queue = self.host.vf_queue(qid, self.rng.choice((4, 16)),
                                       self.rng.choice((2, 4, 16)))
            vf.start(0, 0x05, prp1=queue.cq, dwords=(
                qid | (queue.cq_depth - 1) << 16, 3 | qid << 16))
            if not self.soon(vf, 0):
                return
            vf.start(0, 0x01, prp1=queue.sq, dwords=(
                qid | (queue.depth - 1) << 16, 1 | qid << 16))
            if not self.soon(vf, 0):
                return
            vf.queues[qid] = queue

    def io(self):
        """Some I/O that nobody waits for."""
        vf, rng = self.vf(), self.rng
        qids = [qid for qid in vf.queues if qid]
        if not qids:
            return
        qid = rng.choice(qids)
        for _ in range(rng.choice((1, 1, 3, 20))):
            opcode = rng.choice(IO)
            blocks = rng.choice((1, 1, 2, 8, 32))
            prp1, prp2 = self.host.prps(vf, b"", blocks * PAGE)
            dwords = [rng.randrange(64) * 8, 0, blocks * 8 - 1]
            if rng.random() < 0.1:
                dwords = [self.host.number() for _ in range(6)]
            nsid = 1 if rng.random() < 0.95 else self.host.number()
            self.host.say(f"VF {vf.cntlid}: {opcode:02x} on {qid} "
                          f"{[hex(i) for i in dwords]} {prp1:#x} {prp2:#x} "
                          f"nsid {nsid:#x}")
            vf.queues[qid].put(opcode, nsid=nsid, prp1=prp1, prp2=prp2,
                               dwords=dwords)
        vf.ring(qid)
        if rng.random() < 0.5:
            self.soon(vf, qid)

    def admin(self):
        vf, rng = self.vf(), self.rng
        if 0 not in vf.queues:
            return
        opcode = rng.choice(ADMIN)
        dwords = [self.host.number() for _ in range(6)]
        if rng.random() < 0.7:
            dwords[0] = rng.randrange(32)
            dwords[1] = rng.choice((0, 3, 1 << 16 | 3, 0xff))
        prp1, prp2 = self.host.prps(vf, b"", 2 * PAGE)
        if opcode == 0x7c:
            prp1, prp2 = self.host.buffer(PAGE), self.host.buffer(PAGE)
        self.host.say(f"VF {vf.cntlid}: admin {opcode:02x} "
                      f"{[hex(i) for i in dwords]} {prp1:#x} {prp2:#x}")
        vf.start(0, opcode, nsid=rng.choice((0, 1, 0xffffffff)), prp1=prp1,
                 prp2=prp2, dwords=dwords)
        self.soon(vf, 0)

    def shadow(self):
        """Doorbell buffers, with anything in them."""
        vf, rng = self.vf(), self.rng
        if 0 not in vf.queues:
            return
        dbs, eis = self.host.buffer(PAGE), self.host.buffer(PAGE)
        self.host.say(f"VF {vf.cntlid}: doorbell buffers {dbs:#x} {eis:#x}")
        vf.start(0, 0x7c, prp1=dbs, prp2=eis)
        self.soon(vf, 0)
        for _ in range(rng.randrange(3)):
            self.host.qemu.writel(dbs + rng.randrange(8) * 4, rng.choice((
                0, 1, 2, 3, 15, self.host.number())))

    def bell(self):
        vf = self.vf()
        value = self.rng.choice((0, 1, 2, 3, 15, 16, 0xffff,
                                 self.host.number()))
        at = self.rng.choice((0, 4, 8, 12, 16, 20, 24, 0x80, 0xff8))
        self.host.say(f"VF {vf.cntlid}: doorbell {at:#x} = {value:#x}")
        self.host.qemu.writel(vf.bar + 0x1000 + at, value)

    def ack(self):
        vf = self.vf()
        for qid in vf.queues:
            self.soon(vf, qid)

    def flr(self):
        vf = self.vf()
        self.host.say(f"VF {vf.cntlid}: FLR")
        vf.function.flr()
        vf.function.writew(4, 6)

    def disable(self):
        vf = self.vf()
        self.host.say(f"VF {vf.cntlid}: disable")
        vf.disable()

    def register(self):
        vf, rng = self.vf(), self.rng
        at, value = rng.choice((
            (0x14, 0x460000), (0x14, 0x460001), (0x14, 0x464001),
            (0x14, self.host.number()), (0x24, self.host.number()),
            (0x0c, 1), (0x10, 1), (0x1c, self.host.number())))
        self.host.say(f"VF {vf.cntlid}: register {at:#x} = {value:#x}")
        self.host.qemu.writel(vf.bar + at, value)

    def time(self):
        self.host.qemu.step_ms(self.rng.choice((1, 10, 100, 1000)))

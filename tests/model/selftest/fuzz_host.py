# SPDX-License-Identifier: GPL-2.0-only
"""The fuzzer's host: the PF's commands, right and wrong."""

import random
import struct
import time

from layout import HEADER, VENDOR, State
from nvmeq import PAGE, Queue, state_size
from qtest import TIMEOUT

ARENA, ARENA_SIZE = 0x10000000, 0x4000000   # where devices may write
QUEUES, QUEUES_SIZE = 0x18000000, 0x4000000 # where VFs may, after a gap
MEMORY = 512 << 20
BATCH = 6

NUMBERS = (0, 1, 2, 3, 4, 7, 8, 11, 12, 15, 16, 17, 31, 32, 48, 63, 64, 255,
           256, 0x3ff, 0x400, 0xfff, 0x1000, 0x7fff, 0x8000, 0xffff, 0x10000,
           0x1ffff, 0x20000, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff)

PROPERTIES = {
    "lm": ("both", "standard", "vendor", "off"), "lm-pad": ("0", "4096", "3"),
    "lm-suspend-delay-ms": ("0", "1", "30"),
    "lm-resume-delay-ms": ("0", "1", "30"),
    "lm-suspend-waits": ("", "cq", "ever"),
    "lm-suspend-reset": ("fail", "end", "suspend", "ignore"),
    "lm-fail": ("", "0x41@2=0x6", "0x42/0@1=0x11f+0xd2@3=0x4002", "0xc8@1=0"),
    "lm-hang": ("", "0x41@400"), "lm-lie": (
        "", "csup-clear", "lose-cqe+double-cqe", "forget-page"),
    "lm-track": ("on", "on", "off"), "lm-track-ranges": ("1", "16", "40/8"),
    "lm-track-min": ("0", "2"), "lm-track-max": ("9", "39", "0"),
    "lm-track-pow2": ("on", "off"), "lm-track-grain": ("0", "3"),
    "lm-track-room": ("", "0", "5"), "lm-model": ("", "x"),
    "lm-reset-counters": ("1",), "lm-reset-knobs": ("1",), "lm-test": ("on",), "lm-counters": ("1",),
}


class Wrong(Exception):
    """The device did what it must not do."""


class Host:
    MUST_SUCCEED = (0x3d, 0x3e, 0x41, 0x42, 0xc4, 0xc8, 0xcc, 0xd2, 0xd5,
                    0xe1, 0xe2)

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.trace = []
        self.statuses = {}
        self.pending = {}
        self.states = []
        self.blobs = []
        self.qemu = self.pf = None

    def begin(self, qemu, pf):
        self.qemu, self.pf = qemu, pf
        self.arena = ARENA
        self.queues = QUEUES

    def say(self, text):
        self.trace.append(text)

    # memory

    def buffer(self, length):
        """A place in the arena; old ones are reused."""
        length = length + PAGE - 1 & -PAGE
        if self.arena + length > ARENA + ARENA_SIZE:
            self.arena = ARENA
        at = self.arena
        self.arena += length
        return at

    def vf_queue(self, *args):
        """Far from the PF's: a state may come back with different sizes."""
        qemu = self.qemu
        qemu.next_free, mine = self.queues, qemu.next_free
        queue = Queue(qemu, *args)
        self.queues, qemu.next_free = qemu.next_free, mine
        if self.queues > QUEUES + QUEUES_SIZE:
            self.queues = QUEUES
        return queue

    def bad_address(self, who):
        """
        No BAR but its own, which the device refuses: a controller that writes to
        another's registers may reset it in the middle of the write, and QEMU waits for
        itself.
        """
        rng = self.rng
        return rng.choice((
            self.buffer(PAGE) + rng.choice((1, 2, 4, 8, 2048, 4088, 4092)),
            MEMORY + rng.randrange(1 << 20) * PAGE,
            (1 << rng.randrange(30, 64)) - PAGE, 2 ** 64 - 4, 2 ** 64 - PAGE,
            who.bar + rng.choice((0, 0x1000))))

    def prps(self, who, data, length):
        """DATA (or room) of LENGTH bytes somewhere, not always correctly described."""
        rng = self.rng
        at = self.buffer(max(length, len(data), 4) + PAGE)
        if data:
            self.qemu.write(at, data)
        if rng.random() < 0.1 and length <= PAGE // 2:
            offset = rng.randrange(PAGE // 8) * 4
            if data:
                self.qemu.write(at + offset, data)
            return at + offset, at + PAGE if offset + length > PAGE else 0
        pages = [at + i * PAGE for i in range(1, -(-length // PAGE))]
        bad = rng.random() < 0.08
        if bad and pages:
            for _ in range(rng.randrange(1, 3)):
                pages[rng.randrange(len(pages))] = self.bad_address(who)
        elif bad:
            return self.bad_address(who), self.bad_address(who)
        if len(pages) < 2:
            return at, pages[0] if pages else 0
        table = self.buffer(len(pages) * 8)
        self.qemu.write(table, struct.pack(f"<{len(pages)}Q", *pages))
        return at, table

    # numbers

    def number(self):
        rng = self.rng
        return rng.choice((rng.choice(NUMBERS), rng.getrandbits(32),
                           rng.getrandbits(8), 1 << rng.randrange(32)))

    def twist(self, value):
        """VALUE itself most of the time."""
        rng = self.rng
        if rng.random() > 0.04:
            return value
        return rng.choice((value ^ 1 << rng.randrange(32), self.number(),
                           value + 1, value - 1)) & 0xffffffff

    def vf(self):
        return self.rng.choice(self.pf.vfs)

    def cntlid(self):
        rng = self.rng
        if rng.random() < 0.95:
            return self.vf().cntlid
        return rng.choice((0, 5, 0x77, 0xffff, rng.getrandbits(16)))

    # commands

    def command(self, opcode, dwords, data=b"", length=0):
        """Start one; all that are in flight are collected together."""
        rng = self.rng
        dwords = [self.twist(value) for value in dwords]
        while len(dwords) < 6:
            dwords.append(self.number() if rng.random() < 0.005 else 0)
        prp1, prp2 = self.prps(self.pf, data, length or len(data))
        nsid = self.number() if rng.random() < 0.01 else 0
        flags = rng.getrandbits(8) if rng.random() < 0.01 else 0
        cid = self.pf.start(0, opcode, nsid=nsid, prp1=prp1, prp2=prp2,
                            flags=flags, dwords=dwords)
        self.pending[cid] = opcode
        self.say(f"{opcode:02x} cid {cid} {[hex(i) for i in dwords]} "
                 f"prps {prp1:#x} {prp2:#x} nsid {nsid:#x} flags {flags:#x}")
        if len(self.pending) >= BATCH or rng.random() < 0.6:
            self.collect()
        return prp1

    def collect(self):
        """Every command is answered once; those held back, as time passes."""
        end = time.monotonic() + TIMEOUT
        step = 1
        while self.pending:
            done = self.pf.queues[0].take()
            if done:
                self.pf.ack(0)
                self.took(done)
                continue
            if time.monotonic() > end or step > 1 << 33:
                self.unanswered()
                return
            self.qemu.step_ms(step)
            if step == 16 and self.property("lm-suspend-waits"):
                self.set_property("lm-suspend-waits", "")
            step *= 2 if step < 32 or time.monotonic() > end - TIMEOUT / 2 \
                else 1
        if self.pf.queues[0].peek():
            raise Wrong("a completion that nobody waits for")

    def took(self, done):
        opcode = self.pending.pop(done.cid, None)
        if opcode is None:
            raise Wrong(f"a completion of cid {done.cid} (queue {done.sqid}, "
                        f"status {done.status:#x}) that is not under way")
        key = opcode, done.status
        self.statuses[key] = self.statuses.get(key, 0) + 1
        self.say(f"  cid {done.cid}: {done.status:#x} {done.dw0:#x}")
        self.last = done

    def unanswered(self):
        if not self.property("lm-hang"):
            raise Wrong("never answered: " + ", ".join(
                f"cid {cid} {opcode:02x}"
                for cid, opcode in self.pending.items()))
        self.set_property("lm-hang", "")
        self.reset()

    def property(self, name):
        return self.qemu.qmp("qom-get", path="/machine/peripheral/pf0",
                             property=name)["return"]

    def set_property(self, name, value):
        reply = self.qemu.qmp("qom-set", path="/machine/peripheral/pf0",
                              property=name, value=value)
        if "error" in reply:
            raise Wrong(f"{name}={value}: {reply}")

    def reset(self):
        self.say("reset of the PF")
        self.pf.disable()
        self.pf.enable(64)
        self.pending = {}

    def restore(self):
        """As it was created, but with both sets and no delay; the PF reset, no VF online."""
        for name, value in (("lm-reset-knobs", "1"), ("lm", "both"), ("lm-suspend-delay-ms", "")):
            self.set_property(name, value)
        self.vfs_on()
        self.reset()

    def vfs_off(self):
        self.say("VF Enable off")
        self.pf.function.writew(self.pf.function.ext_cap(0x10) + 8, 0)

    def vfs_on(self):
        self.say("VF Enable on")
        self.pf.function.writew(self.pf.function.ext_cap(0x10) + 8, 9)

    # what a host does

    def actions(self):
        return [
            (6, self.suspend), (6, self.resume), (5, self.get), (3, self.save),
            (8, self.set_pieces), (3, self.set_piece), (5, self.track),
            (1, self.track_raw), (6, self.track_recv), (2, self.untrack),
            (4, self.vendor), (3, self.vendor_save), (3, self.vendor_load),
            (1, self.queue_of_changes), (2, self.control), (1, self.report),
            (4, self.raw), (4, self.virt), (2, self.online), (2, self.collect),
            (1, self.identify), (0.3, self.reset_sometimes),
            (0.3, self.vfs_sometimes),
        ]

    def suspend(self):
        rng = self.rng
        stype = rng.choices((0, 1, 2), (2, 20, 1))[0]
        self.command(0x41, (0, self.cntlid() | stype << 16 |
                            rng.choice((0, 0, 0, 1)) << 31))

    def resume(self):
        self.command(0x41, (1, self.cntlid()))

    def get(self):
        rng = self.rng
        length = rng.choice((48, 64, 512, 4096, 8192, 65536))
        offset = rng.choice((0, 0, 4, 48, 2048, 4096, self.number()))
        self.command(0x42, (
            rng.choice((1, 1, 0)) << 16,
            self.cntlid() | rng.choice((1, 1, 0)) << 16, offset, 0, 0,
            length // 4 - 1), length=length)

    def save(self):
        """A state that later ones are made from."""
        vf, rng = self.vf(), self.rng
        self.command(0x41, (0, vf.cntlid | 1 << 16))
        csvi, uuid = rng.choice(((1, 1), (1, 1), (1, 0), (0, 1)))
        self.collect()
        at = self.command(0x42, (csvi << 16, vf.cntlid | uuid << 16, 0, 0, 0,
                                 65536 // 4 - 1), length=65536)
        self.collect()
        if self.last.status == 0 and ARENA <= at < ARENA + ARENA_SIZE:
            data = self.qemu.read(at, 65536)
            size = state_size(data) if not any(data[24:32] + data[40:48]) \
                else 0
            if HEADER < size <= len(data):
                self.states = self.states[-9:] + [(data[:size], csvi, uuid)]

    def changed(self, data):
        """A state with some bytes changed that points into the arena."""
        rng = self.rng
        if rng.random() < 0.4:
            return data
        data = bytearray(data)
        for _ in range(rng.randrange(1, 4)):
            state = None
            if rng.random() < 0.7:
                state = self.parsed(data)
            spots = self.spots(state) if state else ()
            if spots:
                at, code = rng.choice(spots)
                size = struct.calcsize(code)
                old = int.from_bytes(data[at:at + size], "little")
                new = rng.choice((old ^ 1 << rng.randrange(size * 8),
                                  rng.choice(NUMBERS), old + 1, old - 1,
                                  rng.getrandbits(size * 8)))
                data[at:at + size] = (new % (1 << size * 8)).to_bytes(
                    size, "little")
            else:
                data[rng.randrange(len(data))] = rng.getrandbits(8)
        self.tame(data)
        if rng.random() < 0.05:
            data = data[:rng.randrange(len(data)) & ~3 or 4]
        return bytes(data)

    @staticmethod
    def parsed(data):
        try:
            state = State(bytes(data))
            return state if state.vendor_at <= len(data) and state.nvme_len == \
                (8 + 24 * (state.nsq + state.ncq) if state.nvme_len else 0) \
                else None
        except struct.error:
            return None

    @staticmethod
    def addresses(state):
        at = [state.sq_at(i) for i in range(state.nsq)]
        at += [state.cq_at(i) for i in range(state.ncq)]
        if state.vendor_len:
            at += [state.vendor_at + VENDOR[name][0]
                   for name in ("asq", "acq", "dbbuf_dbs", "dbbuf_eis")]
        return at

    def spots(self, state):
        """(offset, code) of every field"""
        spots = [(0, "<H"), (2, "<B"), (16, "<Q"), (32, "<Q")]
        if state.nvme_len:
            spots += [(HEADER + i, "<H") for i in (0, 2, 4, 6)]
            for at in [state.sq_at(i) for i in range(state.nsq)] + \
                    [state.cq_at(i) for i in range(state.ncq)]:
                spots += [(at, "<Q"), (at + 16, "<I"), (at + 20, "<I")]
                spots += [(at + i, "<H") for i in (8, 10, 12, 14, 16, 18)]
        if state.vendor_len:
            spots += [(state.vendor_at + at, code)
                      for at, code in VENDOR.values()]
            spots += [(state.vendor_at + at, "<I")
                      for at in range(704, min(1200, state.vendor_len), 4)]
        return [spot for spot in spots
                if spot[0] + struct.calcsize(spot[1]) <= len(state.data)]

    def tame(self, data):
        """
        A VF that accepted a state goes on at the addresses in it: all memory but the
        arena and the VFs' queues belongs to the test.
        """
        state = self.parsed(data)
        for at in self.addresses(state) if state else ():
            if at + 8 > len(data):
                continue
            value = struct.unpack_from("<Q", data, at)[0]
            if value < MEMORY and not ARENA <= value < ARENA + ARENA_SIZE and \
                    not QUEUES <= value < QUEUES + QUEUES_SIZE:
                struct.pack_into("<Q", data, at, self.buffer(32 * PAGE) |
                                 value % PAGE)

    def set_pieces(self):
        """A whole sequence, or one that goes astray."""
        if not self.states:
            return
        rng, vf = self.rng, self.vf()
        data, csvi, uuid = rng.choice(self.states)
        data = self.changed(data)
        if rng.random() < 0.7:
            vf.function.flr()
            vf.function.writew(4, 6)
            self.command(0x41, (0, vf.cntlid | 1 << 16))
        cuts = sorted({0, *(rng.randrange(len(data)) & ~3
                            for _ in range(rng.choice((0, 0, 1, 2, 5))))})
        pieces = [(at, data[at:end])
                  for at, end in zip(cuts, cuts[1:] + [len(data)])]
        if rng.random() < 0.1:
            rng.shuffle(pieces)
        for i, (at, piece) in enumerate(pieces):
            seq = (i == 0) | (i == len(pieces) - 1) << 1
            if rng.random() < 0.02:
                seq = rng.randrange(4)
            if len(piece) > 512 << 10:
                return
            self.command(0x41, (
                2 | seq << 16, vf.cntlid | csvi << 16 | uuid << 24, at, 0, 0,
                len(piece) // 4), data=piece)
            if rng.random() < 0.02:
                vf.function.flr()
        self.command(0x41, (1, vf.cntlid))

    def set_piece(self):
        rng = self.rng
        data = rng.randbytes(rng.randrange(64) * 4)
        if rng.random() < 0.5:
            data = struct.pack("<HB13xQQQQ", 0, rng.randrange(2),
                               self.number(), 0, self.number(), 0) + data
        self.command(0x41, (
            2 | rng.randrange(4) << 16,
            self.cntlid() | rng.randrange(2) << 16 | rng.randrange(2) << 24,
            rng.choice((0, 0, 4, 48, self.number() & ~3)),
            rng.choice((0, 0, 0, self.number())), 0,
            len(data) // 4), data=data)

    def track(self):
        rng = self.rng
        grain = rng.choice((0, 0, 0, 1, 3, 9))
        unit = PAGE << grain
        ranges = []
        for _ in range(rng.choice((1, 1, 2, 5, 17, 400))):
            addr = rng.choice((0, ARENA, ARENA + rng.randrange(999) * PAGE,
                               rng.getrandbits(64))) & -unit
            ranges.append((addr & 2 ** 64 - 1, rng.choice((
                1, 2, 16, 1024, 0x20000, 0x80000000, self.number()))))
        data = struct.pack("<BHBI", rng.random() < 0.02, rng.random() < 0.02,
                           self.twist(grain) & 255, self.twist(len(ranges)))
        data += b"".join(struct.pack("<QI", *item) for item in ranges)
        self.command(0x3d, (0x10001, self.cntlid()), data=data)

    def track_raw(self):
        self.command(0x3d, (self.rng.choice((0x10001, 0x10001, 0, 0x10000)),
                            self.cntlid()), data=self.rng.randbytes(4096))

    def untrack(self):
        self.command(0x3d, (1, self.cntlid()))

    def track_recv(self):
        length = self.rng.choice((16, 32, 48, 512, 4096, 16384, 524288))
        self.command(0x3e, (0, self.cntlid(), length // 4 - 1), length=length)

    def index(self):
        return self.rng.randrange(1, 5) if self.rng.random() < 0.95 else \
            self.rng.choice((0, 5, 0xffff, 0x10001, self.rng.getrandbits(32)))

    def vendor(self):
        self.command(self.rng.choice((0xc4, 0xc8, 0xc8, 0xcc)),
                     (self.index(),), length=4096)

    def vendor_save(self):
        index = self.index()
        self.command(0xc8, (index,))
        self.collect()
        at = self.command(0xd2, (index,), length=512 << 10)
        self.collect()
        if self.last.status == 0 and ARENA <= at < ARENA + ARENA_SIZE:
            size = struct.unpack("<Q", self.qemu.read(at + 16, 8))[0]
            if 80 <= size <= 512 << 10:
                self.blobs = self.blobs[-9:] + [self.qemu.read(at, size)]

    def vendor_load(self):
        rng = self.rng
        index = self.index()
        blob = rng.choice(self.blobs) if self.blobs else rng.randbytes(200)
        blob = blob[:32] + self.changed(blob[32:])
        if rng.random() < 0.1:
            at = rng.randrange(32)
            blob = blob[:at] + rng.randbytes(1) + blob[at + 1:]
        if rng.random() < 0.7 and 0 < index < 5:
            vf = self.pf.vfs[index - 1]
            vf.function.flr()
            vf.function.writew(4, 6)
        if rng.random() < 0.9:
            self.command(0xc8, (index,))
        self.command(0xd5, (index, len(blob)), data=blob)
        self.command(0xcc, (index,))

    def queue_of_changes(self):
        rng = self.rng
        self.command(rng.choice((0x45, 0x45, 0x09, 0x0a)), (
            rng.choice((0, 1, 0xc0, 0x21)), self.cntlid() << 16 | 1, 1024),
            length=4096)

    def control(self):
        rng = self.rng
        lines = []
        for _ in range(rng.randrange(1, 4)):
            name = rng.choice(list(PROPERTIES))
            lines.append(f"{name}={rng.choice(PROPERTIES[name])}")
        data = bytearray("\n".join(lines).encode() + b"\0")
        if rng.random() < 0.3:
            data[rng.randrange(len(data))] = rng.getrandbits(8)
        data += bytes(-len(data) % 4)
        self.say(f"control {bytes(data)}")
        self.command(0xe1, (len(data) // 4,), data=bytes(data))
        if rng.random() < 0.3:      # or the rest would be refused
            self.command(0xe1, (8,), data=b"lm=both\nlm-track=on\nlm-fail=\0\0\0")

    def report(self):
        self.command(0xe2, (self.rng.choice((1, 64, 1024)),), length=4096)

    def raw(self):
        rng = self.rng
        opcode = rng.choice((0x3d, 0x3e, 0x41, 0x42, 0x45, 0xc4, 0xc8, 0xcc,
                             0xd2, 0xd5, 0xe1, 0xe2))
        self.command(opcode, [self.number() for _ in range(6)],
                     data=rng.randbytes(rng.choice((4, 64, 4096))))

    def virt(self):
        rng = self.rng
        action = rng.choice((7, 8, 8, 9, 9, 9, 2, 15))
        self.command(0x1c, (self.cntlid() << 16 | rng.choice((0, 1)) << 8 |
                            action, rng.choice((0, 1, 3, 4, 4, 4, 30))))

    def online(self):
        """The commands that VF drivers need, in the right order."""
        vf = self.vf()
        for dwords in ((vf.cntlid << 16 | 7, 0), (vf.cntlid << 16 | 8, 4),
                       (vf.cntlid << 16 | 0x108, 4)):
            self.command(0x1c, dwords)
        vf.function.flr()
        self.command(0x1c, (vf.cntlid << 16 | 9, 0))
        self.collect()
        vf.function.writew(4, 6)

    def identify(self):
        self.command(0x06, (self.rng.choice((1, 0x14, 0x15, 0x20, 0x21)),),
                     length=4096)

    def reset_sometimes(self):
        if self.rng.random() < 0.5:
            self.collect()
        self.reset()
        for _ in range(3):
            self.online()

    def vfs_sometimes(self):
        self.vfs_off()
        if self.rng.random() < 0.5:
            self.suspend()
            self.collect()
        self.vfs_on()
        for _ in range(2):
            self.online()

# SPDX-License-Identifier: GPL-2.0-only
"""A QEMU without a guest: memory, PCI and time driven over the qtest protocol."""

import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../rig"))
import stall                                            # noqa: E402

TIMEOUT = 20                    # seconds that anything may take, by Qemu.clock()
HANG = 120                      # without any answer, by this machine's
ECAM = 0xb0000000
WINDOW = 0xe0000000             # BARs go here, 16 MiB for each root port
WINDOW_SIZE = 0x1000000


class Dead(Exception):
    """QEMU went away or does not answer."""


class Qemu:
    def __init__(self, directory, *args):
        self.tmp = tempfile.mkdtemp(prefix="nvme-lm-")
        self.listen = {}
        for name in "qtest", "qmp":
            sock = socket.socket(socket.AF_UNIX)
            sock.bind(f"{self.tmp}/{name}")
            sock.listen(1)
            self.listen[name] = sock
        self.log = open(f"{self.tmp}/log", "w+")
        self.process = subprocess.Popen(
            [f"{directory}/qemu-system-x86_64", "-L", f"{directory}/share",
             "-machine", "q35", "-accel", "qtest", "-m", "512", "-nodefaults",
             "-display", "none", "-qtest-log", "/dev/null",
             "-qtest", f"unix:{self.tmp}/qtest",
             "-qmp", f"unix:{self.tmp}/qmp",
             *[a.replace("@TMP@", self.tmp) for a in args]],
            stdout=self.log, stderr=subprocess.STDOUT)
        try:
            self.qtest = self._accept("qtest")
            self.qmp_file = self._accept("qmp")
        except Dead:
            self.close()
            raise
        self.qmp_read()         # the greeting
        self.qmp("qmp_capabilities")
        self.next_free = 0x1000000
        self.slow = False
        self._pci_init()

    def _accept(self, name):
        end = self.clock() + TIMEOUT
        self.listen[name].settimeout(0.2)
        while self.clock() < end:
            try:
                conn = self.listen[name].accept()[0]
                conn.settimeout(HANG)
                return conn.makefile("rwb")
            except socket.timeout:
                if self.process.poll() is not None:
                    break
        raise Dead(self.output())

    def clock(self):
        """Seconds, without those that QEMU waited for a processor."""
        waited = max(stall.waits(self.process.pid).values(), default=0)
        return time.monotonic() - waited / 1e9

    def output(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read().strip()

    def close(self):
        self.process.kill()
        self.process.wait()
        for sock in self.listen.values():
            sock.close()
        self.log.close()
        shutil.rmtree(self.tmp, ignore_errors=True)

    # qtest

    def cmd(self, text):
        try:
            self.qtest.write(text.encode() + b"\n")
            self.qtest.flush()
            while True:
                line = self.qtest.readline().decode().split()
                if not line:
                    raise Dead(self.output())
                if line[0] == "IRQ":
                    continue
                if line[0] != "OK":
                    raise Dead(f"{text}: {line}")
                return line[1:]
        except OSError as error:
            raise Dead(f"{error}: {self.output()}") from error

    def readl(self, addr):
        return int(self.cmd(f"readl {addr:#x}")[0], 16)

    def readq(self, addr):
        return int(self.cmd(f"readq {addr:#x}")[0], 16)

    def writel(self, addr, value):
        self.cmd(f"writel {addr:#x} {value:#x}")

    def writeq(self, addr, value):
        self.cmd(f"writeq {addr:#x} {value:#x}")

    def read(self, addr, size):
        return base64.b64decode(self.cmd(f"b64read {addr:#x} {size:#x}")[0])

    def write(self, addr, data):
        text = base64.b64encode(data).decode()
        self.cmd(f"b64write {addr:#x} {len(data):#x} {text}")

    def step_ms(self, ms):
        self.cmd(f"clock_step {ms * 1000000}")

    def settle(self):
        """Let everything that has begun go as far as it can without the clock: each
        answer comes from the main loop, after whatever was scheduled before it. This
        does not wait for a slow drive; done() does."""
        for _ in range(2):
            for _ in range(3):
                self.readl(0)
            if not self.slow:
                # fast drives have finished all that they were given
                self.hmp("qemu-io d0 aio_flush")

    def slow_down(self, iops):
        """From now on the drive waits for the clock. Not by an option: options are read
        before the accelerator is chosen, and would count this machine's time."""
        reply = self.qmp("block_set_io_throttle", device="d0", bps=0, bps_rd=0,
                         bps_wr=0, iops=iops, iops_rd=0, iops_wr=0)
        if "error" in reply:
            raise Dead(reply["error"]["desc"])
        self.slow = True

    def done(self):
        """How many reads the drive has finished."""
        return sum(drive["stats"]["rd_operations"]
                   for drive in self.qmp("query-blockstats")["return"])

    def await_done(self, number):
        """Wait until this many reads have ended in total, and what follows from it has
        happened. The clock stands still."""
        end = self.clock() + TIMEOUT
        while self.done() < number:
            if self.clock() > end:
                raise Dead(f"{self.done()} reads are done, not {number}")
            time.sleep(0.002)
        self.settle()

    def alloc(self, size):
        addr = self.next_free
        self.next_free += (size + 0xfff) & ~0xfff
        return addr

    # QMP

    def qmp_read(self):
        while True:
            line = self.qmp_file.readline()
            if not line:
                raise Dead(self.output())
            reply = json.loads(line)
            if "event" not in reply:
                return reply

    def qmp(self, command, **arguments):
        message = {"execute": command, "arguments": arguments}
        self.qmp_file.write(json.dumps(message).encode())
        self.qmp_file.flush()
        return self.qmp_read()

    def hmp(self, line):
        answer = self.qmp("human-monitor-command", **{"command-line": line})["return"]
        if answer:
            raise Dead(f"{line}: {answer}")

    # PCI: root ports at 00:10.0, 00:11.0, ..., one device behind each

    def _pci_init(self):
        self.cmd("outl 0xcf8 0x80000060")
        self.cmd(f"outl 0xcfc {ECAM | 1:#x}")
        self.cmd("outl 0xcf8 0x80000064")
        self.cmd("outl 0xcfc 0x0")

    def port(self, index):
        """Route bus INDEX+1 and a memory window to root port INDEX."""
        port = Function(self, 0, 0x10 + index, 0)
        bus = index + 1
        base = (WINDOW + index * WINDOW_SIZE) >> 16
        port.writel(0x18, bus << 8 | bus << 16)
        port.writel(0x20, base | (base + (WINDOW_SIZE >> 16) - 1) << 16)
        port.writel(0x24, 0x0000fff0)
        port.writew(0x04, 0x6)
        return bus


class Function:
    """One PCI function's configuration space, by ECAM."""

    def __init__(self, qemu, bus, dev, fn):
        self.qemu = qemu
        self.base = ECAM + (bus << 20 | dev << 15 | fn << 12)

    def readl(self, offset):
        return self.qemu.readl(self.base + offset)

    def writel(self, offset, value):
        self.qemu.writel(self.base + offset, value)

    def readw(self, offset):
        return int(self.qemu.cmd(f"readw {self.base + offset:#x}")[0], 16)

    def writew(self, offset, value):
        self.qemu.cmd(f"writew {self.base + offset:#x} {value:#x}")

    def cap(self, wanted):
        at = self.readl(0x34) & 0xff
        while at:
            head = self.readl(at)
            if head & 0xff == wanted:
                return at
            at = head >> 8 & 0xff
        raise KeyError(wanted)

    def ext_cap(self, wanted):
        at = 0x100
        while at:
            head = self.readl(at)
            if head & 0xffff == wanted:
                return at
            at = head >> 20
        raise KeyError(wanted)

    def save(self):
        """What VFIO carries over for a VF: command register and MSI-X."""
        msix = self.cap(0x11)
        return self.readw(4), self.readw(msix + 2)

    def restore(self, saved):
        self.writew(4, saved[0])
        self.writew(self.cap(0x11) + 2, saved[1])

    def flr(self):
        at = self.cap(0x10) + 8
        self.writew(at, self.readw(at) | 0x8000)

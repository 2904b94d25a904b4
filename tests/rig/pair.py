# SPDX-License-Identifier: GPL-2.0-only
"""Two hosts with a network between them and one drive that both can reach."""

import os
import shutil
import struct
import sys
import tempfile
import threading
import time

import host as rig
import place

PORT = 4444                     # where a host receives a guest
MTU = 60000                     # emulated machines pay per packet, not per byte


class Pair:
    """with Pair("6.1", "standard") as pair: pair.a, pair.b"""

    def __init__(self, kernel, set, *, log=None, driver=None, seconds=rig.RUN_SECONDS,
                 guest_memory=256, b=None, kind=rig.Host, vmm=True, drives=1, **more):
        """guest_memory: MiB. b: what is different on the second host. kind: of
        hosts. vmm: see Host. drives: with a namespace each, reached by the PF of that
        number."""
        self.log = os.path.abspath(log or rig.new_log())
        os.makedirs(self.log, exist_ok=True)
        self.disks = [os.path.join(self.log, "namespace" + (str(i) if i else "")) for i in range(drives)]
        for disk in self.disks:
            with open(disk, "wb") as f:
                f.truncate(256 << 20)
        self.disk = self.disks[0]
        if drives > 1:
            more = {"pfs": drives, **more}
        self._sockets = tempfile.mkdtemp(prefix="rig")
        wire = os.path.join(self._sockets, "wire")
        self.hosts = []
        for i, name in enumerate("ab"):
            end = "server=on" if i == 0 else "server=off,reconnect-ms=500"
            # One processor each, as two hosts share a small machine. The debug kernel
            # keeps one so busy that nothing else would get done.
            slow = kernel.startswith("debug")
            self.hosts.append(kind(
                kernel, set, name=name, log=self.log, disk=self.disks if drives > 1 else self.disk,
                driver=driver, vmm=vmm,
                cpus=1 + slow, memory=1024 + guest_memory + 1024 * slow, seconds=seconds,
                qemu_args=["-netdev", f"stream,id=net,{end},addr.type=unix,addr.path={wire}",
                           "-device", f"virtio-net-pci,netdev=net,mac=52:54:00:00:00:0{i + 1},"
                                      f"bus=pcie.0,addr=7,romfile=,host_mtu={MTU}"],
                **{**more, **(b or {} if i else {})}))
        self.a, self.b = self.hosts
        self.b.waits = False    # a has its turn already, and needs it

    def stalled(self):
        """Why one of them may have stalled, or None."""
        return next((host.stall.said for host in self.hosts if host.stall.said), None)

    def address(self, host):
        return f"10.9.0.{self.hosts.index(host) + 1}"

    def __enter__(self):
        try:
            for host in self.hosts:
                host.prepare()
            for host in self.hosts:         # both boot at the same time
                host.start()
            for host in self.hosts:
                host.wait_ready()
                host.join(self.address(host))
        except BaseException:
            for host in self.hosts:
                host.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, value, trace):
        errors = []
        for host in self.hosts:
            try:
                host.__exit__(kind, value, trace)
            except rig.Trouble as e:
                errors.append(str(e))
        shutil.rmtree(self._sockets, ignore_errors=True)
        if errors:
            raise rig.Trouble("\n".join(errors))

    def setup_vfs(self, **options):
        """Set up VFs on both hosts, side by side."""
        threads, errors = [], []

        def one(host):
            try:
                host.setup_vfs(**options)
            except rig.Trouble as e:
                errors.append(str(e))

        for host in self.hosts:
            threads.append(threading.Thread(target=one, args=(host,)))
            threads[-1].start()
        for thread in threads:
            thread.join()
        if errors:
            raise rig.Trouble("\n".join(errors))


class Watch(threading.Thread):
    """Watches, from outside, the one block that the guest's checker rewrites all the
    time. A guest's own clocks stand still while it is moved; this machine's do not."""

    STEP = 0.001

    def __init__(self, pair, disk=None, block=0):
        super().__init__(daemon=True)
        self.pair = pair
        self.disk = disk or pair.disk
        self.block = block
        self.gaps = []                  # (when it ended, seconds), the long ones
        self.changes = 0
        self._end = threading.Event()

    def run(self):
        fd = os.open(self.disk, os.O_RDONLY)
        last, since = None, time.monotonic()
        while not self._end.is_set():
            seq = struct.unpack("<Q", os.pread(fd, 8, self.block * 4096 + 16))[0]
            now = time.monotonic()
            if seq != last:
                if self.changes > 1 and now - since > 0.02:
                    self.gaps.append((now, now - since))
                last, since = seq, now
                self.changes += 1
            time.sleep(self.STEP)
        os.close(fd)

    def longest(self, start, end):
        """The longest gap that ended between two moments, in seconds."""
        return max((gap for when, gap in list(self.gaps) if start <= when <= end), default=0.0)

    def around(self, start, end):
        """The gap that most of the time between two moments belongs to, as when it
        began and ended; or None."""
        def shared(gap):
            return min(gap[1], end) - max(gap[0], start)

        best = max(((when - gap, when) for when, gap in list(self.gaps)), key=shared, default=None)
        return best if best and shared(best) > 0 else None

    def moved(self, seconds=200):
        """Wait until the guest has written again."""
        before, limit = self.changes, rig.Limit(seconds, *self.pair.hosts)
        while self.changes < before + 3:
            if limit.over():
                return False
            time.sleep(0.01)
        return True

    def stop(self):
        self._end.set()
        self.join()


def driver_for(kernel):
    return place.driver(place.kernel(kernel))

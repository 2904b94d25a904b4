# SPDX-License-Identifier: GPL-2.0-only
"""What the self-test's cases are built on: checks in TAP, and PFs with VFs."""

import contextlib
import struct
import tempfile

from nvmeq import PAGE, Pf, Stuck
from qtest import Qemu

INVALID_OPCODE = 0x001
INVALID_FIELD = 0x002
INTERNAL_ERROR = 0x006
SEQUENCE = 0x00c
BAD_CNTLID = 0x11f
NO_RESOURCES = 0x138
SUSPENDED = 0x139
NOT_SUSPENDED = 0x13a
PRP_OFFSET = 0x013

AER = 0x0c
WRITE, READ = 1, 2
SMART_LOG = 0x02

SLOW_MS = 100
AT_ONCE = 2                     # commands that a slow drive executes at the same time


class Tap:
    count = failed = 0

    @classmethod
    def ok(cls, good, name):
        cls.count += 1
        if not good:
            cls.failed += 1
        print(f"{'ok' if good else 'not ok'} {cls.count} - {name}", flush=True)
        return good

    @classmethod
    def same(cls, got, want, name):
        if not cls.ok(got == want, name):
            cls.note(f"got  {show(got)}\nwant {show(want)}")

    @staticmethod
    def note(text):
        for line in str(text).splitlines():
            print(f"# {line}", flush=True)


def show(value):
    return f"{value:#x}" if type(value) is int else repr(value)


ok, same, note = Tap.ok, Tap.same, Tap.note
directory = None                # of the QEMU under test


@contextlib.contextmanager
def machine(lm="both", pfs=1, vfs=2, queues=4, slow=False, throttled=False,
            extra="", ns=""):
    """PFs that share one drive, with their first VFS VFs online. A slow drive executes
    two commands at once, then one every SLOW_MS of the emulated machine's clock. A
    throttled one goes by this machine's clock: a reset waits for some commands, and
    meanwhile nobody steps the other clock."""
    args = ["-drive", "if=none,id=d0,format=raw,file=@TMP@/disk,"
            "file.locking=off,cache=unsafe" +
            (f",throttling.iops-total={1000 // SLOW_MS}" if throttled else "")]
    for i in range(pfs):
        args += [
            "-device", f"pcie-root-port,id=rp{i},chassis={i + 1},slot={i + 1},"
            f"addr={0x10 + i:#x}.0",
            "-device", f"nvme-subsys,id=sub{i},nqn=sub{i}",
            "-device", f"nvme,id=pf{i},serial=bed{i},subsys=sub{i},bus=rp{i},"
            "max_ioqpairs=26,msix_qsize=27,sriov_max_vfs=4,"
            "sriov_vq_flexible=24,sriov_vi_flexible=24," + lm_args(lm) + extra]
        if i:
            args += ["-drive", f"if=none,id=d{i},format=raw,file=@TMP@/disk,"
                     "file.locking=off,cache=unsafe"]
        args += ["-device", f"nvme-ns,drive=d{i},bus=pf{i},nsid=1,shared=on" + ns]
    qemu = with_disk(args)
    try:
        if slow:
            qemu.slow_down(1000 // SLOW_MS)
        qemu.slow |= throttled
        found = [Pf(qemu, i) for i in range(pfs)]
        for pf in found:
            pf.bring_up()
            for vf in pf.vfs[:vfs]:
                pf.online(vf, queues, queues)
        yield (qemu, *found)
    except Exception:
        note(qemu.output())
        raise
    finally:
        qemu.close()


def lm_args(lm):
    return f"lm={lm},lm-test=on," if lm else ""


def with_disk(args):
    """QEMU opens the file when it starts, so it has to exist by then."""
    with tempfile.NamedTemporaryFile(prefix="nvme-lm-disk-") as disk:
        disk.truncate(16 << 20)
        return Qemu(directory, *[a.replace("@TMP@/disk", disk.name) for a in args])


def guest(vf, queues=2, depth=16, cq_depth=None):
    """Bring a VF up as a driver would."""
    vf.enable()
    for qid in range(1, queues + 1):
        vf.create_queue(qid, depth, cq_depth, vector=qid)
    return vf


def stopped(pf, vf):
    """A fresh, suspended destination."""
    vf.function.flr()
    vf.function.writew(4, 0x6)
    vf.setup_msix(4)
    same(pf.suspend(vf), 0, "the destination can be suspended")


def move(pf, source, dest, chunk=65536, dest_pf=None, before_resume=None):
    """Stop-and-copy from a suspended SOURCE; VFIO's own part is done here."""
    dest_pf = dest_pf or pf
    data = pf.get_all(source, chunk)
    saved, irqs = source.function.save(), source.irqs
    dest.function.flr()
    status = dest_pf.suspend(dest)
    assert status == 0, f"suspend of the destination: {status:#x}"
    status = dest_pf.set_all(dest, data, chunk)
    assert status == 0, \
        f"set: {status:#x} {dest_pf.report().get(refused(dest))}"
    dest.adopt(source)
    dest.function.restore(saved)        # its BAR answers only from now on
    copy_msix(source, dest)
    dest.irqs = irqs
    if before_resume:
        before_resume()
    status = dest_pf.resume(dest)
    assert status == 0, f"resume: {status:#x}"
    return data


def copy_msix(source, dest):
    qemu = source.qemu
    for i in range(4):
        for word in range(4):
            tables = [vf.bar + (vf.function.readl(
                vf.function.cap(0x11) + 4) & ~7) for vf in (source, dest)]
            at = i * 16 + word * 4
            qemu.writel(tables[1] + at, qemu.readl(tables[0] + at))


def refused(vf):
    return f"vf.{vf.cntlid}.refused"


def pattern(seed, size=PAGE):
    return struct.pack(f"<{size // 4}I", *(
        (seed * 2654435761 + i * 40503) & 0xffffffff
        for i in range(size // 4)))

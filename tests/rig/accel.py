#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Whether hosts use KVM or are emulated.

RIG_ACCEL=tcg or kvm decides. Without it KVM is used if a tiny machine starts with it
and sees that it can have guests of its own. The answer is passed on to processes that
this one starts, in RIG_ACCEL_FOUND, and kept nowhere else, because a machine may lose
its KVM. As a program it prints the answer, for later processes, or nothing as long as
there is no QEMU to try it with.
"""

import glob
import os
import subprocess
import sys
import tempfile
import threading

DEVICE = "/dev/kvm"
NESTED = "/sys/module/kvm_*/parameters/nested"
SECONDS = 5
FOUND = "RIG_ACCEL_FOUND"

# The whole firmware of the tiny machine: it reports on the serial port whether its
# processor has AMD's or Intel's virtualisation, and resets itself.
CODE = bytes.fromhex(
    "66b801000080" "0fa2"       # mov eax, 0x80000001; cpuid
    "6689ce"                    # mov esi, ecx
    "66b801000000" "0fa2"       # mov eax, 1; cpuid
    "baf803"                    # mov dx, 0x3f8
    "66f7c604000000" "750d"     # test esi, 1 << 2 (svm); jnz yes
    "66f7c120000000" "7504"     # test ecx, 1 << 5 (vmx); jnz yes
    "b06e" "eb02"               # mov al, 'n'; jmp out
    "b079"                      # yes: mov al, 'y'
    "ee"                        # out: out dx, al
    "baf90c" "b006" "ee"        # mov dx, 0xcf9; mov al, 6; out dx, al
    "f4" "ebfd")                # hlt, for ever
RESET = bytes.fromhex("e90d00")         # at the reset vector: jmp to the beginning
SIZE = 0x10000

# The emulator's TSC counts nanoseconds (model/qemu-tsc.patch), the same on all
# processors. A kernel that measures its rate on a busy machine may get any result, and
# one that does not rely on it reads the time from HPET: a device, behind one lock.
TSC_HZ = 10 ** 9

_lock = threading.Lock()
_booted = False


def firmware():
    image = bytearray(b"\xf4" * SIZE)
    image[:len(CODE)] = CODE
    image[0xfff0:0xfff0 + len(RESET)] = RESET
    return bytes(image)


def clock(accel, hz):
    """What a kernel with this many ticks per second is told of the clock. lpj: otherwise
    it counts loops for a second for each further processor."""
    return "" if accel == "kvm" else f"tsc_early_khz={TSC_HZ // 1000} tsc=reliable lpj={TSC_HZ // hz} "


def boots(qemu, accel, cpu):
    """The tiny machine's output (y, n, or nothing), and QEMU's."""
    with tempfile.NamedTemporaryFile() as f:
        f.write(firmware())
        f.flush()
        args = [os.path.join(qemu, "qemu-system-x86_64"), "-L", os.path.join(qemu, "share"),
                "-nodefaults", "-no-user-config", "-nographic", "-no-reboot",
                "-machine", "q35,kernel-irqchip=split" if accel == "kvm" else "q35",
                "-accel", accel, "-cpu", cpu, "-m", "16", "-bios", f.name, "-serial", "stdio"]
        try:
            p = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as e:
            return "", str(e)
    return p.stdout.decode(errors="replace").strip(), p.stderr.decode(errors="replace").strip()


def nested(pattern):
    """Whether the module for this machine's processor lets guests have guests."""
    for path in glob.glob(pattern):
        with open(path, encoding="ascii", errors="replace") as f:
            if f.read().strip() in ("1", "Y", "y"):
                return True
    return False


def probe(qemu, device=None, pattern=None):
    """Whether hosts can run by KVM: (answer, reason). qemu(), which may build it, is
    only called if that can matter."""
    device, pattern = device or DEVICE, pattern or NESTED
    try:
        os.close(os.open(device, os.O_RDWR))
    except OSError as e:
        return "tcg", f"{device}: {e.strerror}"
    if not nested(pattern):
        return "tcg", "KVM is there, but its guests may have none: load it with nested=1"
    said, why = boots(qemu(), "kvm", "host")
    if said == "y":
        return "kvm", "a machine starts by KVM, and may have guests"
    if said == "n":
        return "tcg", "a machine that KVM runs sees no virtualisation"
    return "tcg", "no machine starts by KVM: " + (why or said or "it says nothing")


def found(qemu):
    """tcg or kvm; qemu() is the folder of the QEMU that emulates the hosts."""
    with _lock:
        asked = os.environ.get("RIG_ACCEL")
        if asked not in (None, "", "tcg", "kvm"):
            sys.exit(f"RIG_ACCEL={asked}: it is tcg or kvm, or not given")
        if asked:
            return asked
        if os.environ.get(FOUND) not in ("tcg", "kvm"):
            os.environ[FOUND] = probe(qemu)[0]
        return os.environ[FOUND]


def works():
    """A host runs: from now on failures are not KVM's fault."""
    global _booted
    _booted = True


def may_fall_back():
    """Whether KVM was not asked for, and no host has used it yet."""
    return not os.environ.get("RIG_ACCEL") and not _booted


def fall_back(why):
    """Whether a host that KVM did not start should be emulated; if so, all are
    from now on."""
    with _lock:
        if not may_fall_back():
            return False
        if os.environ.get(FOUND) == "kvm":
            os.environ[FOUND] = "tcg"
            print(f"# KVM started no host, hosts are emulated from now on: {why}", file=sys.stderr)
        return True


if __name__ == "__main__":
    import place
    folder = place.qemu_there()
    print(found(lambda: folder) if folder else "")

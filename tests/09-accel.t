#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.12 model
"""When hosts use KVM. No machine with KVM is needed: /dev/kvm, whether the
kernel allows nested guests, and a QEMU with KVM are faked. The tiny machine is real and
emulated, and so is the host that KVM fails to start."""

import os
import subprocess
import sys
import tempfile

RIG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rig")
sys.path.insert(0, RIG)
for variable in ("RIG_ACCEL", "RIG_ACCEL_FOUND"):
    os.environ.pop(variable, None)
import accel                                            # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402

# With KVM it does what SAYS says; of a host it only plays the sockets.
QEMU = """#!/usr/bin/python3
import os, re, socket, sys, time
if "kvm" not in sys.argv:
    os.execv({real!r}, [{real!r}, *sys.argv[1:]])
with open({log!r}, "a") as f:
    f.write(" ".join(sys.argv) + "\\n")
links = [socket.socket(socket.AF_UNIX) for _ in "ab"]
for link, path in zip(links, re.findall(r"(?:qmp|agent),path=(\\S+)", " ".join(sys.argv))):
    link.connect(path)
says = os.environ.get("SAYS", "")
if says == "hang":
    time.sleep(60)
if says == "fail":
    sys.exit("no KVM, whatever /dev/kvm says")
print(says, end="")
"""


def fake(folder):
    """A folder with a QEMU that has KVM, and the file that records how it was called."""
    real, log = place.qemu(), os.path.join(folder, "calls")
    path = os.path.join(folder, "qemu-system-x86_64")
    with open(path, "w", encoding="ascii") as f:
        f.write(QEMU.format(real=os.path.join(real, "qemu-system-x86_64"), log=log))
    os.chmod(path, 0o755)
    os.symlink(os.path.join(real, "share"), os.path.join(folder, "share"))
    return log


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return path


def calls(log):
    try:
        with open(log, encoding="utf-8") as f:
            return len(f.readlines())
    except FileNotFoundError:
        return 0


def tiny(out):
    """The tiny machine, on emulated processors."""
    qemu = place.qemu()
    for cpu, want in (("max", "y"), ("qemu64,-svm", "n"), ("Skylake-Client,-vmx", "n")):
        said = accel.boots(qemu, "tcg", cpu)
        out.ok(said[0] == want, f"the tiny machine on {cpu} says {want}", said)


def answers(out, folder, log):
    device = write(os.path.join(folder, "kvm"), "")
    yes = write(os.path.join(folder, "yes"), "Y\n")
    one = write(os.path.join(folder, "one"), "1\n")
    no = write(os.path.join(folder, "no"), "N\n")
    for name, says, where, word, want, reason in (
            ("all is well", "y", device, yes, "kvm", "may have guests"),
            ("AMD's module says 1", "y", device, one, "kvm", "may have guests"),
            ("no device", "y", device + "none", yes, "tcg", "No such file"),
            ("guests may have no guests", "y", device, no, "tcg", "nested=1"),
            ("the kernel says nothing of them", "y", device, device + "none", "tcg", "nested=1"),
            ("the machine has no virtualisation", "n", device, yes, "tcg", "sees no virtualisation"),
            ("QEMU fails", "fail", device, yes, "tcg", "whatever /dev/kvm says"),
            ("the machine says nothing", "", device, yes, "tcg", "says nothing"),
            ("the machine hangs", "hang", device, yes, "tcg", "timed out")):
        os.environ["SAYS"] = says
        got = accel.probe(lambda: folder, where, word)
        out.ok(got[0] == want and reason in got[1], f"{name}: {want}", got)

    accel.DEVICE, accel.NESTED = device, yes
    os.environ["SAYS"] = "y"
    before = calls(log)
    got = [accel.found(lambda: folder) for _ in range(3)]
    out.ok(got == ["kvm"] * 3 and calls(log) == before + 1 and os.environ["RIG_ACCEL_FOUND"] == "kvm",
           "found once, known to all that is started from here", (got, calls(log) - before))
    os.environ["RIG_ACCEL"] = "tcg"
    out.ok(accel.found(lambda: folder) == "tcg", "RIG_ACCEL=tcg: KVM is not used")
    del os.environ["RIG_ACCEL"], os.environ["RIG_ACCEL_FOUND"]
    os.environ["RIG_ACCEL"] = "kvm"
    before = calls(log)
    out.ok(accel.found(lambda: folder) == "kvm" and calls(log) == before, "RIG_ACCEL=kvm: nothing is tried")
    del os.environ["RIG_ACCEL"]


def asked(out):
    p = subprocess.run([os.path.join(RIG, "accel.py")], env={**os.environ, "RIG_ACCEL": "xen"},
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    out.ok(p.returncode == 1 and p.stdout == "RIG_ACCEL=xen: it is tcg or kvm, or not given\n",
           "RIG_ACCEL=xen is refused", p.stdout)


def host(folder, **environment):
    return subprocess.run([os.path.join(RIG, "host"), "--kernel", "6.12", "--driver", "vfio-pci", "--no-vfs",
                           "--", "echo it runs"], text=True, check=False,
                          env={**os.environ, "RIG_QEMU": folder, "SAYS": "fail", **environment},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def falls_back(out, folder):
    p = host(folder, RIG_ACCEL_FOUND="kvm")
    lines = [line for line in p.stderr.splitlines() if not line.startswith("# logs: ")]
    out.ok(p.returncode == 0 and p.stdout == "it runs\n", "a host that KVM does not start is emulated", p)
    out.ok(len(lines) == 1 and lines[0].startswith("# KVM started no host, hosts are emulated from now on: see "),
           "one line says so", p.stderr)
    p = host(folder, RIG_ACCEL="kvm")
    out.ok(p.returncode == 99 and "did not boot" in p.stderr, "RIG_ACCEL=kvm: then it fails", p)


def main():
    out = tap.Tap()
    with tempfile.TemporaryDirectory() as folder:
        log = fake(folder)
        tiny(out)
        answers(out, folder, log)
        asked(out)
        falls_back(out, folder)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

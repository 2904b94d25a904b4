#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.1 kernel:6.12 model
"""Every deliberate fault in tests/mutants/driver must be caught by a test.

Each patch there breaks the driver in one way. Its head says by which tests it
must be noticed: "By: unit" - those of tests/unit, "By: vf" - the quick run of
tests/vf on two VFs, "By: vf, TEXT" - the cases there with TEXT in their name,
"By: conformance, TEXT" - those of tests/conformance; and "Set:" - with which
command set; and "Kernel:" - on which, where it may not be just any. Those with
"Often: yes" are some of each kind; the others wait for CHECK_FULL=1 (make
check-full). The same tests pass on the unbroken driver, which is the first thing
checked here, or in 42-conformance.t. A device that loses or doubles a completion is not here but
among the cases of tests/vf ("checker notices").
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests/rig"))
import place                                            # noqa: E402

KERNEL = os.environ.get("MUTANT_KERNEL", "6.12")
AT_ONCE = 2 * os.cpu_count()     # hosts wait more than they work


class Failed(Exception):
    pass


def call(*args, **kwargs):
    return subprocess.run([str(a) for a in args], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **kwargs)


def must(*args, **kwargs):
    p = call(*args, **kwargs)
    if p.returncode:
        raise Failed(f"{args[0]} failed:\n{p.stdout[-2000:]}")
    return p.stdout


def bad_points(tap):
    return [line for line in tap.splitlines() if line.startswith("not ok")]


def unit(src, work):
    out = ""
    for name in ("encodings", "stream", "track", "dirty_map", "verdict"):
        must("make", "-s", "-C", TOP / "tests/unit", f"SRC={src}", f"OUT={work}", work / name)
        out += call(work / name).stdout
    return out


def host(src, work, kernel, cmdset, program, command):
    modules = work / "modules"
    must(TOP / "tests/rig/build-modules", kernel, modules, src)
    args = ["--kernel", kernel, "--set", cmdset, "--pfs", "2", "--prop", "lm-test=on",
            "--module-args", "vendor_ids=1b36:0010", "--driver", modules,
            "--allow", "nvme-vfio-pci", "--seconds", "300", "--log", work / "log", "--file", program]
    p = call(TOP / "tests/rig/host", *args, "--", command)
    if not re.search(r"^(not )?ok 1\b", p.stdout, re.M):
        raise Failed(f"no test ran:\n{p.stdout[-2000:]}")
    if p.returncode == 0 and bad_points(p.stdout):
        raise Failed("test points failed, but the run says success")
    return p.stdout


def vf(src, work, kernel, cmdset, only):
    what = f"--only '{only}'" if only else "--quick"
    return host(src, work, kernel, cmdset, VF_TEST, f"vf-test --set {cmdset} {what}")


def conformance(src, work, kernel, cmdset, only):
    return host(src, work, kernel, cmdset, CONFORMANCE,
                f"vfio-mig-conformance --only '{only}' $PF0_VF1 $PF1_VF1")


class Mutant:
    def __init__(self, patch):
        text = patch.read_text()
        self.patch = patch
        self.name = patch.stem
        kernel = re.search(r"^Kernel: (\S+)$", text, re.M)
        self.kernel = kernel.group(1) if kernel else KERNEL
        self.cmdset = re.search(r"^Set: (\w+)$", text, re.M).group(1)
        by = re.search(r"^By: (unit|vf|conformance)(?:, (.+))?$", text, re.M)
        self.by, self.only = by.groups()
        self.often = re.search(r"^Often: yes$", text, re.M) is not None
        self.says = " ".join(text.split("\n\n")[1].split())

    def caught(self):
        work = pathlib.Path(tempfile.mkdtemp(dir=SCRATCH))
        src = work / "src"
        shutil.copytree(TOP / "src", src)
        must("patch", "-s", "-p1", "--fuzz=0", "-d", src, "-i", self.patch)
        if self.by == "unit":
            return bad_points(unit(src, work))
        return bad_points(IN_HOST[self.by](src, work, self.kernel, self.cmdset,
                                          self.only))


IN_HOST = {"vf": vf, "conformance": conformance}


def control(kernel, cmdset, only=None):
    work = pathlib.Path(tempfile.mkdtemp(dir=SCRATCH))
    return bad_points(vf(TOP / "src", work, kernel, cmdset, only))


def main():
    global SCRATCH, VF_TEST, CONFORMANCE
    with tempfile.TemporaryDirectory() as SCRATCH:
        VF_TEST, CONFORMANCE = place.built("vf-test"), place.built("vfio-mig-conformance")

        known = [Mutant(p) for p in sorted((TOP / "tests/mutants/driver").glob("*.patch"))]
        mutants = [m for m in known if m.often or os.environ.get("CHECK_FULL")]
        left = [m for m in known if m not in mutants]
        jobs = [(f"unbroken driver passes, {s} set", lambda s=s: control(KERNEL, s), False)
                for s in ("standard", "vendor")]
        jobs += [(f"unbroken driver passes: {t}", lambda k=k, t=t: control(k, "standard", t), False)
                 for k, t in sorted({(m.kernel, m.only) for m in mutants
                                     if m.only and m.by == "vf"})]
        jobs += [(f"{m.name}: {m.says}", m.caught, True) for m in mutants]

        print(f"1..{len(jobs) + len(left)}", flush=True)
        failed = 0
        with ThreadPoolExecutor(AT_ONCE) as pool:
            runs = [pool.submit(job) for _, job, _ in jobs]
            for n, ((name, _, broken), run) in enumerate(zip(jobs, runs), 1):
                try:
                    bad = run.result()
                    good, notes = bool(bad) == broken, bad[:3]
                    if broken and not bad:
                        notes = ["not caught by any test"]
                except Failed as e:
                    good, notes = False, str(e).splitlines()
                failed += not good
                print(f"{'ok' if good else 'not ok'} {n} - {name}")
                for line in notes:
                    print(f"#   {line}")
                sys.stdout.flush()
        for n, m in enumerate(left, len(jobs) + 1):
            print(f"ok {n} - {m.name} # SKIP CHECK_FULL=1")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())

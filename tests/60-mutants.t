#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.1 kernel:6.12 model
"""Every deliberate fault in tests/mutants/driver must be caught by a test.

Each patch there breaks the driver in one way. Its head says which tests must notice it:
"By: unit" - those of tests/unit, "By: vf" - the quick run of tests/vf on two VFs, "By:
vf, TEXT" - the cases there with TEXT in their name, "By: pf, TEXT" - those of vf-test
--pf, "By: conformance, TEXT" - those of tests/conformance; and "Set:" - with which
command set; "Kernel:" - on which kernel, if not on any; "Drive:" - on which of
tests/model/personalities, if not on the usual one. Those with "Often: yes" are some of
each kind; the others wait for CHECK_FULL=1 (make check-full). MUTANTS="pf-no-limit ..."
selects some. The same tests pass on the unbroken driver, which is the first thing
checked here, or in 40-vf.t and 42-conformance.t where those run them. Devices that lose
or double a completion are not here but among the cases of tests/vf ("checker notices").
"""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests/rig"))
import hostrun                                          # noqa: E402
import personality                                      # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402

KERNEL = os.environ.get("MUTANT_KERNEL", "6.12")
SETS = ("standard", "vendor")
SECONDS = 300
ONLY = os.environ.get("MUTANTS", "").split()
PROGRAMS = {"vf": "vf-test", "pf": "vf-test", "conformance": "vfio-mig-conformance"}
# Unless these are set, 40-vf.t runs on these kernels and drives everything that the
# unbroken driver has to pass: the quick cases, and those with certain names.
ALONE = bool(ONLY or os.environ.get("CHECK_FULL") or KERNEL != "6.12")
ELSEWHERE = {("6.1", "kind"), ("6.12", "kind")}
SHOWN = 3                       # failed points


class Failed(Exception):
    pass


def must(*args):
    p = subprocess.run([str(a) for a in args], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       stdin=subprocess.DEVNULL, check=False)
    if p.returncode:
        raise Failed(f"{args[0]} failed:\n{p.stdout[-2000:]}")


@dataclasses.dataclass(eq=False)
class Check:
    """Tests on a driver with or without a fault: run() returns the points that failed,
    or what interfered as an exception. only: texts, one of which is in the cases'
    names, one after the other."""
    title: str
    by: str
    only: tuple
    kernel: str
    command_set: str
    patch: pathlib.Path = None
    room: int = 1
    drive: str = "kind"

    def run(self):
        with tempfile.TemporaryDirectory() as folder:
            work = pathlib.Path(folder)
            src = work / "src"
            shutil.copytree(TOP / "src", src)
            try:
                if self.patch:
                    must("patch", "-s", "-p1", "--fuzz=0", "-d", src, "-i", self.patch)
                return self.unit(src, work) if self.by == "unit" else self.host(src, work)
            except (Failed, place.NotBuilt) as e:
                return e

    def unit(self, src, work):
        bad = []
        for name in ("encodings", "stream", "track", "dirty_map", "verdict"):
            must("make", "-s", "-C", TOP / "tests/unit", f"SRC={src}", f"OUT={work}", work / name)
            said = subprocess.run([work / name], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  stdin=subprocess.DEVNULL, check=False).stdout
            bad += [point.name for point in tap.read(said)[0] if not point.good]
        return bad

    def host(self, src, work):
        must(TOP / "tests/rig/build-modules", self.kernel, work / "modules", src)
        allow = ("nvme-vfio-pci",) + hostrun.TIMEOUT * (self.by == "pf")
        result = hostrun.Job(self.kernel, self.command_set, self.command(), [place.built(PROGRAMS[self.by])], SECONDS,
                             props=personality.properties(self.drive), allow=allow, more=("--driver", work / "modules"),
                             cpus=2).run()
        if not result.points:
            raise Failed(f"no test ran:\n{result.output[-2000:]}\n{result.errors}")
        if result.status == 0 and result.bad:
            raise Failed("test points failed, but the run says success")
        # trouble in the kernel log is noticed as well
        return result.bad or (result.fault() or "").splitlines()

    def command(self):
        if self.by == "conformance":
            return f"vfio-mig-conformance --only '{self.only[0]}' $PF0_VF1 $PF1_VF1"
        cases = "vf-test --until-failure --set " + self.command_set + " --pf" * (self.by == "pf")
        return " && ".join(f"{cases} --only '{text}'" for text in self.only) or f"{cases} --quick"


def mutant(patch):
    """(name, whether it is part of every run, its check)"""
    text = patch.read_text(encoding="utf-8")
    kernel = re.search(r"^Kernel: (\S+)$", text, re.M)
    drive = re.search(r"^Drive: (\S+)$", text, re.M)
    by, only = re.search(r"^By: (unit|vf|pf|conformance)(?:, (.+))?$", text, re.M).groups()
    says = " ".join(text.split("\n\n")[1].split())
    check = Check(f"{patch.stem}: {says}", by, (only,) if only else (), kernel[1] if kernel else KERNEL,
                  re.search(r"^Set: (\w+)$", text, re.M)[1], patch, drive=drive[1] if drive else "kind")
    return patch.stem, re.search(r"^Often: yes$", text, re.M) is not None, check


def controls(mutants):
    """The unbroken driver passes what the mutants must not pass."""
    for s in SETS if ALONE else ():
        yield Check(f"unbroken driver passes, {s} set", "vf", (), KERNEL, s)
    for kernel, only, drive in sorted({(m.kernel, m.only, m.drive) for m in mutants if m.only and m.by == "vf"}):
        if ALONE or (kernel, drive) not in ELSEWHERE:
            yield Check(f"unbroken driver passes, {drive} drive: {only[0]}", "vf", only, kernel, "standard", drive=drive)
    for kernel in sorted({m.kernel for m in mutants if m.by == "pf"}):
        cases = {m.only[0] for m in mutants if m.by == "pf" and m.kernel == kernel}
        yield Check(f"unbroken driver passes: moments of the PF, of resets and of close, {kernel}", "pf",
                    tuple(sorted(cases)), kernel, "standard")


def report(out, check, bad):
    if isinstance(bad, Exception):
        out.ok(False, check.title, str(bad))
        return
    good = bool(bad) == bool(check.patch)
    out.ok(good, check.title, "" if bad else "not caught by any test")
    out.note("\n".join(f"  not ok: {name}" for name in bad[:SHOWN]))


def main():
    hostrun.by_run_one()
    out = tap.Tap()
    known = [mutant(p) for p in sorted((TOP / "tests/mutants/driver").glob("*.patch")) if not ONLY or p.stem in ONLY]
    chosen = [check for _, often, check in known if often or ONLY or os.environ.get("CHECK_FULL")]
    for check, bad in hostrun.side_by_side([*controls(chosen), *chosen], hostrun.at_once("MUTANT_JOBS")):
        report(out, check, bad)
    if not ALONE:
        out.skip("unbroken driver passes the quick cases", "40-vf.t has them, or CHECK_FULL=1")
    for name, _, check in known:
        if check not in chosen:
            out.skip(name, "CHECK_FULL=1")
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

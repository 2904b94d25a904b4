#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernels debug model
"""The suite of tests/conformance on VFs in hosts, one boot for each kernel,
command set and, where there are two, way to open a VF: some of them, and all with
CHECK_FULL=1. A case may be skipped only where the kernel or the command
set forces it. CONFORMANCE_JOBS hosts run at a time (default: two per
processor); CONFORMANCE_KERNELS="6.12 debug" takes these with both sets, CONFORMANCE_ARGS
goes to the suite, e.g. '--only arc:'."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests/rig"))
import place                                            # noqa: E402
import tap                                              # noqa: E402

JOBS = int(os.environ.get("CONFORMANCE_JOBS") or 2 * os.cpu_count())
ARGS = os.environ.get("CONFORMANCE_ARGS", "")
ONLY = os.environ.get("CONFORMANCE_KERNELS", "").split()
FULL = bool(os.environ.get("CHECK_FULL"))
SECONDS = 1500

# What is not run every time: kernels between the oldest and the newest, and the
# set without tracking where it takes minutes.
SELDOM = {("6.12", "standard"), ("7.2", "standard"), ("7.2", "vendor"), ("debug", "vendor")}

# Some streams are refused on purpose, and of a VF that is reset in the middle
# of a command the PF says that it failed.
ALLOW = r"nvme-vfio-pci .*PF command [0-9a-f]+h .*(failed with status|was aborted)"


def kernels():
    lines = subprocess.run([TOP / "tests/rig/kernels"], check=True, stdout=subprocess.PIPE,
                           text=True).stdout.splitlines()
    series = [line.split("\t")[0] for line in lines]
    unknown = set(ONLY) - set(series)
    if unknown:
        sys.exit(f"CONFORMANCE_KERNELS: no kernel {' '.join(sorted(unknown))}")
    return [place.kernel(s) for s in series if not ONLY or s in ONLY]


def config_of(kernel):
    """The configuration, which is beside the image or among the headers."""
    places = (pathlib.Path(kernel.image).with_name(f"config-{kernel.release}"),
              pathlib.Path(kernel.build, ".config"))
    return next(p for p in places if p.exists()).read_text(encoding="utf-8")


class Forced:
    """What a kernel and a command set leave no choice about."""

    def __init__(self, kernel, command_set):
        version = tuple(int(n) for n in re.findall(r"\d+", kernel.release)[:2])
        config = config_of(kernel)

        def has(option):
            return re.search(rf"^CONFIG_{option}=[ym]$", config, re.M) is not None

        self.ways = ["group"] + ["iommufd"] * (has("VFIO_DEVICE_CDEV") and has("IOMMUFD"))
        self.skips = set()
        if version < (6, 2):
            self.skips.add("device offers no PRE_COPY")
        if version < (7, 1):
            self.skips.add("kernel has no MIG_PRECOPY_INFOv2")
        # iova_bitmap is part of iommufd since 6.7, and a stub without it; the
        # vendor set knows no tracking
        if command_set == "vendor" or (version >= (6, 7) and not has("IOMMUFD")):
            self.skips.add("device offers no DMA_LOGGING")

    def hosts(self):
        """(options, ways that are to be met) of each host."""
        if len(self.ways) == 1:
            return [("", self.ways)]
        return [(f"--{way}", [way]) for way in self.ways]


def alone(program):
    """What is wrong with the copy that stands alone, if anything."""
    with tempfile.TemporaryDirectory() as folder:
        for command in ([TOP / "tests/conformance", "dist", f"DIST={folder}/suite"],
                        [f"{folder}/suite", "CFLAGS=-Werror"]):
            done = subprocess.run(["make", "-s", "-C", *command], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False)
            if done.returncode or done.stdout:
                return f"exit status {done.returncode}\n{done.stdout}"
        cases = {subprocess.run([path, "--list"], stdout=subprocess.PIPE, check=True).stdout
                 for path in (program, f"{folder}/suite/vfio-mig-conformance")}
        return "its cases are others" if len(cases) > 1 else None


def run(program, kernel, command_set, options):
    return subprocess.run(
        [TOP / "tests/rig/host", "--kernel", kernel.release, "--set", command_set, "--pfs", "2",
         "--prop", "lm-test=on", "--module-args", "vendor_ids=1b36:0010", "--allow", ALLOW,
         "--seconds", str(SECONDS), "--file", program, "--",
         f"vfio-mig-conformance {options} {ARGS} $PF0_VF1 $PF1_VF1"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
        check=False)


def report(out, title, forced, expected, done):
    """The points of one run, with its name in front, then what is true of all."""
    ways, points, notes, plan = set(), 0, [], None
    for line in done.stdout.splitlines():
        found = re.match(r"(not )?ok \d+ - ((\w+): .*?)(?: # SKIP (.*))?$", line)
        if found:
            bad, name, way, skipped = found.groups()
            points += 1
            ways.add(way)
            if skipped is None or skipped in forced.skips:
                if skipped is None:
                    out.ok(not bad, f"{title}: {name}", "\n".join(notes))
                else:
                    out.skip(f"{title}: {name}", skipped)
            else:
                out.ok(False, f"{title}: {name}", f"skipped, and nothing forces it: {skipped}")
            notes = []
        elif line.startswith("1.."):
            plan = int(line[3:])
        else:
            notes.append(line.removeprefix("# "))
    # 1: cases failed, which the points above say
    out.ok(done.returncode in (0, 1) and points and points == plan,
           f"{title}: the host ran to its end, its kernel log is clean",
           f"status {done.returncode}, {points} of {plan} points\n" + done.stdout[-1500:])
    out.ok(ways == set(expected), f"{title}: through {' and '.join(expected)}",
           f"it was {' and '.join(sorted(ways)) or 'nothing'}")


def main():
    out = tap.Tap()
    (program,), why = place.all_built("vfio-mig-conformance")
    if not out.ok(not why, "the suite builds without warnings", why):
        return out.done()
    why = alone(program)
    out.ok(not why, "so does a copy of it, by itself", why)
    place.qemu()
    every = [(k, s) for k in kernels() for s in ("standard", "vendor")]
    jobs = [(k, s) for k, s in every if ONLY or FULL or (k.series, s) not in SELDOM]
    jobs.sort(key=lambda job: job[0].series != "debug")     # the slowest first
    with ThreadPoolExecutor(JOBS) as pool:
        runs = []
        for k, s in jobs:
            forced = Forced(k, s)
            for options, ways in forced.hosts():
                done = pool.submit(run, program, k, s, options)
                runs.append((f"{k.series} {s}", forced, ways, done))
        for title, forced, ways, done in runs:
            report(out, title, forced, ways, done.result())
    for k, s in every:
        if (k, s) not in jobs:
            out.skip(f"{k.series} {s}", "CHECK_FULL=1")
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

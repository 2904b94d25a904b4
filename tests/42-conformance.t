#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernels model
# Needs, CHECK_FULL=1: debug
"""The suite of tests/conformance on VFs in hosts, with one boot for each kernel,
command set and, where there are two, way to open a VF: some of them, all with
CHECK_FULL=1. A case may only be skipped if the kernel or the command set requires it.
CONFORMANCE_JOBS hosts run at a time (default: two per processor);
CONFORMANCE_KERNELS="6.12 debug" takes these with both sets, CONFORMANCE_ARGS goes to
the suite, e.g. '--only arc:'."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests/rig"))
import hostrun                                          # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402

ARGS = os.environ.get("CONFORMANCE_ARGS", "")
ONLY = os.environ.get("CONFORMANCE_KERNELS", "").split()
FULL = bool(os.environ.get("CHECK_FULL"))
SECONDS = 1500

# What is not run every time: kernels between the oldest and the newest, except for one
# set on one of them; the set without tracking elsewhere; the debug kernel, which
# 43-soak.t and 48-uapi-fuzz.t run on, and with it the way by IOMMUFD, which 39-iommufd.t
# takes; and, where there are two ways to open a VF, the one that all others have as well.
SELDOM = {("6.1", "vendor"), ("6.12", "standard"), ("7.2", "standard"), ("7.2", "vendor"), ("7.3", "vendor"),
          ("debug", "standard"), ("debug", "vendor")}


def kernels():
    every = place.kernels()
    unknown = set(ONLY) - {kernel.series for kernel in every}
    if unknown:
        sys.exit(f"CONFORMANCE_KERNELS: no kernel {' '.join(sorted(unknown))}")
    return [kernel for kernel in every if not ONLY or kernel.series in ONLY]


def config_of(kernel):
    """The configuration, beside the image or among the headers."""
    places = (pathlib.Path(kernel.image).with_name(f"config-{kernel.release}"),
              pathlib.Path(kernel.build, ".config"))
    return next(p for p in places if p.exists()).read_text(encoding="utf-8")


class Forced:
    """What a kernel and a command set impose."""

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
        # iova_bitmap is part of iommufd since 6.7, and a stub without it; the vendor
        # set has no tracking
        if command_set == "vendor" or (version >= (6, 7) and not has("IOMMUFD")):
            self.skips.add("device offers no DMA_LOGGING")

    def hosts(self):
        """(options, ways that are to be used) of each host."""
        if len(self.ways) == 1:
            return [("", self.ways)]
        return [(f"--{way}", [way]) for way in (self.ways if ONLY or FULL else self.ways[1:])]


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


class Job(hostrun.Job):
    def __init__(self, program, kernel, command_set, forced, options, ways):
        super().__init__(kernel.release, command_set, f"vfio-mig-conformance {options} {ARGS} $PF0_VF1 $PF1_VF1",
                         [program], SECONDS, f"{kernel.series} {command_set}")
        self.forced, self.ways = forced, set(ways)


def report(out, job, result):
    """The points of one run, with its name in front, then what holds for all."""
    for point in result.points:
        if point.skipped is None:
            out.ok(point.good, f"{job.title}: {point.name}", "\n".join(point.notes))
        elif point.skipped in job.forced.skips:
            point.say(out, f"{job.title}: ")
        else:
            out.ok(False, f"{job.title}: {point.name}", f"skipped without need: {point.skipped}")
    why = result.fault()
    out.ok(why is None, f"{job.title}: the host ran to its end, its kernel log is clean", why or "")
    ways = {point.name.partition(":")[0] for point in result.points}
    out.ok(ways == job.ways, f"{job.title}: through {' and '.join(sorted(job.ways))}",
           f"it was {' and '.join(sorted(ways)) or 'nothing'}")


def main():
    hostrun.by_run_one()
    out = tap.Tap()
    (program,), why = place.all_built("vfio-mig-conformance")
    if not out.ok(not why, "the suite builds without warnings", why):
        return out.done()
    why = alone(program)
    out.ok(not why, "so does a self-contained copy of it", why)
    place.qemu()
    every = [(k, s) for k in kernels() for s in ("standard", "vendor")]
    chosen = [(k, s) for k, s in every if ONLY or FULL or (k.series, s) not in SELDOM]
    chosen.sort(key=lambda pair: pair[0].series != "debug")     # the slowest first
    jobs = []
    for k, s in chosen:
        forced = Forced(k, s)
        hosts = forced.hosts()
        jobs += [Job(program, k, s, forced, *host) for host in hosts]
        for way in set(forced.ways).difference(*(ways for _, ways in hosts)):
            out.skip(f"{k.series} {s}, by {way}", "CHECK_FULL=1")
    for job, result in hostrun.side_by_side(jobs, hostrun.at_once("CONFORMANCE_JOBS")):
        report(out, job, result)
    for k, s in every:
        if (k, s) not in chosen:
            out.skip(f"{k.series} {s}", "CHECK_FULL=1")
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:base
# Needs, CHECK_FULL=1: kernels model
"""The previous release and this one accept each other's streams, on each kernel
and with both sets (inside/upgrade). The release is a tag, or the commit next to it in
tests/rig/previous. UPGRADE_KERNELS="6.12" selects some."""

import os
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(TESTS)
sys.path.insert(0, os.path.join(TESTS, "rig"))
import hostrun                                          # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402

SECONDS = 300


def git(*args, **more):
    return subprocess.run(("git", "-C", TOP, *args), check=False, capture_output=True, **more)


def previous():
    """(name, commit) of the previous release; no commit if the clone does not have it."""
    with open(os.path.join(TESTS, "rig", "previous"), encoding="ascii") as f:
        names = [line for line in f if not line.startswith("#")][-1].split()
    for name in names:
        done = git("rev-parse", "--verify", "--quiet", name + "^{commit}", text=True)
        if not done.returncode:
            return names[0], done.stdout.strip()
    return names[0], None


def source(commit, folder):
    archive = git("archive", commit, "src")
    archive.check_returncode()
    subprocess.run(("tar", "-x", "-C", folder), input=archive.stdout, check=True)
    return os.path.join(folder, "src")


def jobs(out, folder, commit, program):
    old = source(commit, folder)
    chosen = os.environ.get("UPGRADE_KERNELS", "").split()
    for kernel in place.kernels():
        series = kernel.series
        if chosen and series not in chosen:
            continue
        built = os.path.join(folder, series)
        try:
            place.run("build-modules", series, built, old)
        except subprocess.CalledProcessError as e:
            out.ok(False, f"{series}: the previous release builds", e.stdout)
            continue
        files = [f"data/old/{name}={built}/{name}" for name in ("nvme-pf-shim.ko", "nvme-vfio-pci.ko")]
        for s in ("standard", "vendor"):
            yield hostrun.Job(series, s, f"sh /share/data/upgrade {s}",
                              [program, f"data/upgrade={TESTS}/inside/upgrade", *files], SECONDS, f"{series} {s}")


def main():
    hostrun.by_run_one()
    out = tap.Tap()
    if not os.environ.get("CHECK_FULL") and not os.environ.get("UPGRADE_KERNELS"):
        out.skip("streams of the release before", "CHECK_FULL=1")
        return out.done()
    name, commit = previous()
    if not commit:
        out.skip(f"streams of {name}", "this clone does not have it")
        return out.done()
    (program,), why = place.all_built("vf-test")
    if why:
        out.ok(False, "build of the programs", why)
        return out.done()
    with tempfile.TemporaryDirectory() as folder:
        for job, result in hostrun.side_by_side(list(jobs(out, folder, commit, program)),
                                                hostrun.at_once("UPGRADE_JOBS")):
            result.say(out)
            why = result.fault()
            out.ok(why is None, f"{job.title}: the host ran to its end, its kernel log is clean", why or "")
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

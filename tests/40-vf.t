#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernels debug model
"""VFs driven from user space inside hosts: several kernels, both command sets. The
oldest two run all cases except the longest, which do not depend on the kernel: one
without PRE_COPY and with tracking, two with PRE_COPY. The newest, and the oldest with
the other set, run the few that find the usual faults. With CHECK_FULL=1 kernels between
these run as well, and the debug kernel runs all cases.

VF_FULL=1 runs all cases everywhere, VF_KERNELS="6.12 debug" only on these. VF_JOBS
hosts run at a time (default: one more than processors). VF_ARGS goes to vf-test, e.g.
VF_ARGS='--only cancel'."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "rig"))
import hostrun                                          # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402

ALL_CASES = bool(os.environ.get("VF_FULL"))
ONLY = os.environ.get("VF_KERNELS", "").split()
ARGS = os.environ.get("VF_ARGS", "")
FULL = ALL_CASES or ONLY or os.environ.get("CHECK_FULL")
SECONDS = {"debug": 2400}           # full of checkers
OTHERWISE = 600
LEVELS = ("", "--brief", "--quick")


def level(number, series, command_set):
    """Which cases run on a kernel, by its position."""
    if ALL_CASES or series == "debug":
        return ""
    seldom = number == 0 and command_set == "vendor" and not FULL
    return "--brief" if number < 2 and not seldom else "--quick"


class Job(hostrun.Job):
    def __init__(self, program, series, command_set, level):
        title = f"{series} {command_set}" + f", {level[2:]}" * bool(level)
        super().__init__(series, command_set, f"vf-test --set {command_set} {level} {ARGS}", [program],
                         SECONDS.get(series, OTHERWISE), title)
        # A kernel full of checkers keeps a processor busy, and reports whatever stands
        # still for 30 s.
        self.room = 2 if series == "debug" else 1
        self.level = level

    def order(self):
        """That one first; then the long runs, so that nothing waits for them at the end."""
        return self.kernel != "debug", LEVELS.index(self.level)


def jobs(out, program):
    every = [kernel.series for kernel in place.kernels()]
    newest = [series for series in every if series != "debug"][-1]
    number = 0
    for series in every:
        if not FULL and (series == "debug" or number > 1 and series != newest):
            out.skip(series, "CHECK_FULL=1")
        elif ONLY and series not in ONLY:
            out.note(f"{series} is left out: VF_KERNELS={' '.join(ONLY)}")
        else:
            for command_set in ("standard", "vendor"):
                yield Job(program, series, command_set, level(number, series, command_set))
        number += series != "debug"


def report(out, title, result):
    result.say(out)
    why = result.fault()
    out.ok(why is None, f"{title}: the host ran to its end, its kernel log is clean", why or "")
    # hosts of this test bed have every VF that the cases need
    if any("VFs bound to" in (point.skipped or "") for point in result.points):
        out.ok(False, f"{title}: all VFs are there")


def main():
    hostrun.by_run_one()
    out = tap.Tap()
    (program,), why = place.all_built("vf-test")
    if why:
        out.ok(False, "build of the programs", why)
        return out.done()
    try:
        place.qemu()
        hosts = list(jobs(out, program))
    except subprocess.CalledProcessError as e:
        out.ok(False, "the device model and kernels are there", str(e))
        return out.done()
    if not hosts:
        out.ok(False, f"kernels: none is {' '.join(ONLY)}")
    for job, result in hostrun.side_by_side(hosts, hostrun.at_once("VF_JOBS"), first=Job.order):
        report(out, job.title, result)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: debug model
"""Random calls on VFs from several threads (fuzz/uapi), for FUZZ_SECONDS (60) with
each command set, on the debug kernel, where any report and any leak fails.
FUZZ_SEED repeats a run, FUZZ_KERNEL selects another kernel, where the bus has errors as
well (--bus); FUZZ_ARGS goes to mig-fuzz."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "rig"))
import hostrun                                          # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402

SECONDS = int(os.environ.get("FUZZ_SECONDS") or 60)
KERNEL = os.environ.get("FUZZ_KERNEL") or "debug"
SEED = os.environ.get("FUZZ_SEED")
# After an error of AER nvme holds, as lockdep sees it, a lock that it never releases.
DEBUG = KERNEL.startswith("debug")
ARGS = os.environ.get("FUZZ_ARGS", "" if DEBUG else "--bus")
# waiting for a call that hangs, the checks afterwards, a boot; by the host's clock
LIMIT = SECONDS + 1200
POINTS = 2


def job(program, command_set):
    seed = f"--seed {SEED}" if SEED else ""
    # What the fuzzer causes: commands fail, a reset of the PF aborts some, and some
    # take longer than the driver waits.
    return hostrun.Job(KERNEL, command_set, f"mig-fuzz --set {command_set} {seed} --seconds {SECONDS} {ARGS}",
                       [program], LIMIT, command_set, allow=(*hostrun.FAILS, *hostrun.GIVEN_UP, *hostrun.FROZEN),
                       more=() if DEBUG else ("--monitor",), cpus=2)


def main():
    hostrun.by_run_one()
    out = tap.Tap()
    (program,), why = place.all_built("mig-fuzz")
    if why:
        out.ok(False, "build of mig-fuzz", why)
        return out.done()
    if not place.has_kernel(KERNEL):
        out.ok(False, f"kernel {KERNEL}")
        return out.done()
    jobs = [job(program, s) for s in ("standard", "vendor")]
    for host, result in hostrun.side_by_side(jobs, len(jobs)):
        result.say(out)
        why = result.fault()
        if len(result.points) != POINTS:
            why = why or f"{len(result.points)} points, not {POINTS}"
        replay = re.search(r"^# replay: (.*)$", result.output, re.M)
        out.ok(why is None and not result.bad,
               f"{host.title}: {replay[1] if replay else ''}, kernel log and memory of the host are clean",
               why or "")
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

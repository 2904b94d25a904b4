#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: debug model
"""Many migrations in a row with verified I/O in flight, after which the kernel holds no
more than before: 40 for each command set, 200 with CHECK_FULL=1, or SOAK=NUMBER, on the
debug kernel (or SOAK_KERNEL=SERIES), which watches memory and locks; each host is searched
for leaks when it ends (leaks in rig/host-lib.sh).

Then a tenth as many that are disturbed at a random moment: the PF of one of the ends is
reset or bound again, or the VF is removed, by itself or by sriov_numvfs=0, after which the
PF may go as well. Guests that must continue do, and the next migration works."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "rig"))
import hostrun                                          # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402

NUMBER = int(os.environ.get("SOAK") or (200 if os.environ.get("CHECK_FULL") else 40))
KERNEL = os.environ.get("SOAK_KERNEL") or ("debug" if place.has_kernel("debug") else "6.12")
SETS = ("standard", "vendor")
SECONDS = 420 + 6 * NUMBER


def main():
    hostrun.by_run_one()
    out = tap.Tap()
    (program,), why = place.all_built("vf-test")
    if not out.ok(why is None, "vf-test builds", why or ""):
        return out.done()
    jobs = [hostrun.Job(KERNEL, s, f"vf-test --set {s} --soak {NUMBER}", [program], SECONDS, f"{KERNEL} {s}",
                        more=("--vfs", 1, "--cmdline", "slab_nomerge")) for s in SETS]
    for job, result in hostrun.side_by_side(jobs, len(jobs)):
        why = result.why()
        if out.ok(why is None, f"{job.title}: {NUMBER} migrations in a row leave nothing behind", why or ""):
            for point in result.points:
                out.note("\n".join(point.notes))
            out.note("\n".join(result.rest))
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

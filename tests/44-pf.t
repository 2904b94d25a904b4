#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.1 kernel:7.3 model
# Needs, CHECK_FULL=1: kernels debug
"""Bad moments of the PF, of resets and of close, and commands that do not end:
the cases of vf-test --pf, on a drive with nine VFs, of which eight do verified I/O
while the ninth is stuck.

PF_HOSTS="6.1/standard 7.3/vendor" chooses kernels and command sets; with
CHECK_FULL=1 there are more. PF_ARGS goes to vf-test, e.g. PF_ARGS='--only stuck'.
PF_JOBS hosts run at a time (2).
"""

import os
import sys

TESTS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(TESTS, "rig"))
import hostrun                                          # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402

HOSTS = "6.1/standard 7.3/vendor"
FULL = "6.1/standard 6.1/vendor 6.12/vendor 7.2/standard 7.3/standard 7.3/vendor debug/standard debug/vendor"
CHOSEN = os.environ.get("PF_HOSTS") or (FULL if os.environ.get("CHECK_FULL") else HOSTS)
ARGS = os.environ.get("PF_ARGS", "")
AT_ONCE = hostrun.at_once("PF_JOBS", 2)
SECONDS = {"debug": 3000}
OTHERWISE = 900

# Nine VFs with three I/O queues each, and the PF's own.
VFS = 9
DRIVE = {"sriov_max_vfs": VFS, "sriov_vq_flexible": 4 * VFS, "sriov_vi_flexible": 4 * VFS,
         "max_ioqpairs": 4 * VFS + 2, "msix_qsize": 4 * VFS + 3}
# The driver ends a Suspend, or nvme does if no reset of the VF ends it.
ALLOW = (*hostrun.FAILS, *hostrun.GIVEN_UP, *hostrun.TIMEOUT)


def job(host, program):
    kernel, command_set = host.split("/")
    return hostrun.Job(kernel, command_set, f"vf-test --set {command_set} --pf {ARGS}", [program],
                       SECONDS.get(kernel, OTHERWISE), host, pfs=1, props=DRIVE, allow=ALLOW, more=("--vfs", VFS), cpus=2)


def main():
    hostrun.by_run_one()
    out = tap.Tap()
    (program,), why = place.all_built("vf-test")
    if not out.ok(why is None, "vf-test builds", why or ""):
        return out.done()
    jobs = [job(host, program) for host in CHOSEN.split()]
    for host, result in hostrun.side_by_side(jobs, AT_ONCE):
        out.note("\n".join(line for line in result.output.splitlines() if line.startswith(("ok", "not ok"))))
        why = result.why()
        out.ok(why is None, f"{host.title}: all cases, and the kernel log is clean", why or "")
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

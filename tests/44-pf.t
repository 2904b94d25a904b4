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
from concurrent.futures import ThreadPoolExecutor

TESTS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(TESTS, "rig"))
import place                                            # noqa: E402
import tap                                              # noqa: E402
import vfrun                                            # noqa: E402

HOSTS = "6.1/standard 7.3/vendor"
FULL = "6.1/standard 6.1/vendor 6.12/vendor 7.2/standard 7.3/standard 7.3/vendor debug/standard debug/vendor"
CHOSEN = os.environ.get("PF_HOSTS") or (FULL if os.environ.get("CHECK_FULL") else HOSTS)
ARGS = os.environ.get("PF_ARGS", "")
AT_ONCE = int(os.environ.get("PF_JOBS", 2))
SECONDS = {"debug": 3000}
OTHERWISE = 900

# Nine VFs with three I/O queues each, and what the PF itself needs.
VFS = 9
DRIVE = {"sriov_max_vfs": VFS, "sriov_vq_flexible": 4 * VFS, "sriov_vi_flexible": 4 * VFS,
         "max_ioqpairs": 4 * VFS + 2, "msix_qsize": 4 * VFS + 3}
ALLOW = (
    # the driver ends a Suspend
    r"nvme-vfio-pci .*Suspend does not end: resetting this VF",
    # and nvme one that no reset of the VF ends
    r"nvme nvme\d+: I/O .*QID 0 timeout, reset controller",
)


def run(host, program):
    kernel, command_set = host.split("/")
    more = ["--vfs", str(VFS)]
    for name, value in DRIVE.items():
        more += ["--prop", f"{name}={value}"]
    return vfrun.run(program, kernel, command_set, ["--pf", ARGS], SECONDS.get(kernel, OTHERWISE),
                     allow=ALLOW, pfs=1, host=more)


def main():
    out = tap.Tap()
    (program,), why = place.all_built("vf-test")
    if not out.ok(why is None, "vf-test builds", why or ""):
        return out.done()
    hosts = CHOSEN.split()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for host, (output, why) in zip(hosts, pool.map(lambda h: run(h, program), hosts)):
            out.note("\n".join(line for line in output.splitlines() if line.startswith(("ok", "not ok"))))
            out.ok(why is None, f"{host}: all cases, and the kernel log is clean", why or "")
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

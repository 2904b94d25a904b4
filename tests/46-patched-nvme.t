#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.12 model
# Needs, CHECK_FULL=1: kernels
"""The driver on a host whose nvme has been patched: the shim is neither built nor
loaded, and VFs still migrate, with both sets (inside/patched-nvme).
PATCHED_KERNELS="6.1 7.2" selects others with a patch, CHECK_FULL=1 all."""

import glob
import os
import re
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(TESTS)
sys.path.insert(0, os.path.join(TESTS, "rig"))
import hostrun                                          # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402

SECONDS = 400


def kernels():
    chosen = os.environ.get("PATCHED_KERNELS", "").split()
    if chosen or not os.environ.get("CHECK_FULL"):
        return chosen or ["6.12"]
    return [re.search("nvme-(.*).patch", path)[1] for path in sorted(glob.glob(TOP + "/patches/nvme-*.patch"))]


def build(out, kernel, nvme, driver):
    for what, command in (("patched nvme", ("build-nvme", kernel, nvme)),
                          ("modules for a patched nvme", ("build-modules", kernel, driver, TOP + "/src",
                                                          f"KBUILD_EXTRA_SYMBOLS={nvme}/Module.symvers"))):
        try:
            place.run(*command)
        except subprocess.CalledProcessError as e:
            return out.ok(False, f"{kernel}: {what}", e.stdout)
    return True


def jobs(out, folder, program):
    """For each kernel and set; None if something does not build."""
    made = []
    for kernel in kernels():
        nvme, driver = f"{folder}/nvme-{kernel}", f"{folder}/driver-{kernel}"
        if not build(out, kernel, nvme, driver):
            return None
        made += [hostrun.Job(kernel, s, f"sh /share/data/patched-nvme {s}",
                             [program, f"data/patched-nvme={TESTS}/inside/patched-nvme"], SECONDS, f"{kernel} {s}",
                             allow=(*hostrun.FAILS, *hostrun.GIVEN_UP), more=("--nvme", nvme, "--driver", driver))
                 for s in ("standard", "vendor")]
    return made


def main():
    hostrun.by_run_one()
    out = tap.Tap()
    (program,), why = place.all_built("vf-test")
    if why:
        out.ok(False, "build of the programs", why)
        return out.done()
    with tempfile.TemporaryDirectory() as folder:
        for job, result in hostrun.side_by_side(jobs(out, folder, program) or (), 2):
            result.say(out)
            why = result.fault()
            out.ok(why is None and not result.bad,
                   f"{job.title}: no shim, modules can go again, the kernel log is clean", why or "")
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

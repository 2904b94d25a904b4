#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.1 kernel:6.12 model packages:tool
"""Finding the PF's admin queue: each of the two ways alone, both at once in a
debug build (where they must agree), and none, which must leave a working plain
passthrough. Also a PF whose command set must not be trusted, and an nvme that is not
what it seems, or not ready.

PROOF_CASES="6.1:held" selects some; what happens in a host is in inside/proof."""

import os
import subprocess
import sys
import tempfile
import threading

TESTS = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(TESTS)
sys.path.insert(0, os.path.join(TESTS, "rig"))
import hostrun                                          # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402

CASES = os.environ.get("PROOF_CASES", "6.1:standard 6.12:standard 6.12:vendor 6.1:held 6.12:moved").split()
SECONDS = 300
BUILDING = threading.Lock()


class Case(hostrun.Job):
    """One host; its modules are built for the kernel's own nvme, or for one that is
    broken on purpose, whose exports have different checksums."""

    def __init__(self, folder, programs, kernel, case):
        self.nvme, self.driver = (os.path.join(folder, f"{what}-{kernel}-{case}") for what in ("nvme", "driver"))
        self.patch = os.path.join(TESTS, "mutants/nvme", case + ".patch")
        more = ["--driver", self.driver, "--no-vfs"]
        if os.path.exists(self.patch):
            more += ["--nvme", self.nvme]
        super().__init__(kernel, "vendor" if case == "vendor" else "standard", f"sh /share/data/proof {case}",
                         [*programs, "data/proof=" + os.path.join(TESTS, "inside/proof")], SECONDS,
                         f"{kernel} {case}", allow=(), more=more)

    def build(self):
        arguments = ["NVME_VFIO_DEBUG=y"]
        if os.path.exists(self.patch):
            place.run("build-nvme", self.kernel, self.nvme, self.patch)
            arguments.append(f"KBUILD_EXTRA_SYMBOLS={self.nvme}/Module.symvers")
        place.run("build-modules", self.kernel, self.driver, os.path.join(TOP, "src"), *arguments)

    def run(self):
        try:
            with BUILDING:              # hosts start when their modules are there
                self.build()
        except subprocess.CalledProcessError as e:
            return hostrun.Result(e.returncode, "", e.stdout, self.title)
        return super().run()


def main():
    hostrun.by_run_one()
    out = tap.Tap()
    programs, why = place.all_built("vf-test", "nvme-vfio", "vfio-mig-conformance")
    if why:
        out.ok(False, "build of the programs", why)
        return out.done()
    with tempfile.TemporaryDirectory() as folder:
        jobs = [Case(folder, programs, *case.split(":")) for case in CASES]
        # hosts wait more than they work: all at once
        for job, result in hostrun.side_by_side(jobs, len(jobs)):
            result.say(out)
            why = result.fault()
            out.ok(why is None, f"{job.title}: host and its kernel log are fine", why or "")
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

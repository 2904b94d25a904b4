#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:base
# Needs, CHECK_FULL=1: kernel:6.12 model
"""Random calls (48-uapi-fuzz.t) and many migrations (43-soak.t) can fail.

Each patch in tests/mutants/fuzz breaks the driver in one way. Its head says which of
the two must find it, "By: fuzz, soak": within FUZZ_SECONDS (60) or SOAK (10)
migrations, one of which is disturbed. Only with CHECK_FULL=1. FAULT=TEXT selects those
with TEXT in their name, FUZZ_KERNEL=SERIES a kernel other than 6.12, FUZZ_SET the
command set."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS / "rig"))
import hostrun                                          # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402

KERNEL = os.environ.get("FUZZ_KERNEL") or "6.12"
SET = os.environ.get("FUZZ_SET") or "standard"
FUZZ_SECONDS = int(os.environ.get("FUZZ_SECONDS") or 60)
SOAK = int(os.environ.get("SOAK") or 10)
# by the host's clock, which also counts waiting for what never comes
SECONDS = 1200

# What each is, and a line with which it begins.
BY = {"fuzz": (f"mig-fuzz --seconds {FUZZ_SECONDS}", r"^# replay: "),
      "soak": (f"vf-test --soak {SOAK}", r"^# \d+ PFs, ")}


def changed(patch, work):
    """The folder with the broken modules."""
    source = os.path.join(work, "src")
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(place.TOP + "/src", source)
    subprocess.run(["patch", "-s", "-p1", "--fuzz=0", "-d", source, "-i", patch], check=True)
    return place.modules(place.kernel(KERNEL), source)


def found(out, name, by, program, modules):
    command, begin = BY[by]
    result = hostrun.Job(KERNEL, SET, f"{command} --set {SET}", [program], SECONDS, allow=("nvme-vfio-pci",),
                         more=("--driver", modules), cpus=2).run()
    said = result.output
    out.ok(re.search(begin, said, re.M) and result.status and result.bad, f"{name}: {by} finds it",
           (said + result.errors)[-3000:])
    # the first that was wrong: what a call returned, or what a case expected
    why = re.search(r"^# (BROKEN: .*)$", said, re.M) or \
        re.search(r"^# *(.*(?:expected|users and not|does not run).*)$", said, re.M)
    out.note(why[1] if why else ", ".join(result.bad) or "nothing")


def main():
    hostrun.by_run_one()
    out = tap.Tap()
    patches = [p for p in sorted((TESTS / "mutants/fuzz").glob("*.patch")) if os.environ.get("FAULT", "") in p.stem]
    if not os.environ.get("CHECK_FULL"):
        for patch in patches:
            out.skip(patch.stem, "CHECK_FULL=1")
        return out.done()
    programs, why = place.all_built("mig-fuzz", "vf-test")
    if not out.ok(why is None, "the programs build", why or ""):
        return out.done()
    program = dict(zip(BY, programs))
    with tempfile.TemporaryDirectory() as work:
        for patch in patches:
            text = patch.read_text()
            says = " ".join(text.split("\n\n")[1].split())
            try:
                modules = changed(patch, work)
            except subprocess.CalledProcessError as e:
                out.ok(False, f"{patch.stem} applies and builds", e)
                continue
            for by in re.search(r"^By: (.+)$", text, re.M)[1].split(", "):
                found(out, f"{patch.stem} ({says})", by, program[by], modules)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

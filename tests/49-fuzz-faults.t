#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:base
# Needs, CHECK_FULL=1: kernel:6.12 model
"""That random calls (48-uapi-fuzz.t) and many migrations (43-soak.t) can fail.

Each patch in tests/mutants/fuzz breaks the driver in one way. Its head says by which
of the two it must be found, "By: fuzz, soak": within FUZZ_SECONDS (60) or SOAK (10)
migrations, of which one is disturbed. With CHECK_FULL=1 only. FAULT=TEXT for those
with TEXT in their name, FUZZ_KERNEL=SERIES for another kernel than 6.12, FUZZ_SET for
the vendor set."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS / "rig"))
import place                                            # noqa: E402
import tap                                              # noqa: E402

KERNEL = os.environ.get("FUZZ_KERNEL") or "6.12"
SET = os.environ.get("FUZZ_SET") or "standard"
FUZZ_SECONDS = int(os.environ.get("FUZZ_SECONDS") or 60)
SOAK = int(os.environ.get("SOAK") or 10)
# by the host's clock: what waits for what never comes, too
SECONDS = 1200

# What each is, and a line that it begins with.
BY = {"fuzz": (("mig-fuzz", "--seconds", str(FUZZ_SECONDS)), r"^# replay: "),
      "soak": (("vf-test", "--soak", str(SOAK)), r"^# \d+ PFs, ")}


def changed(patch, work):
    """The folder with the broken modules."""
    source = os.path.join(work, "src")
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(place.TOP + "/src", source)
    subprocess.run(["patch", "-s", "-p1", "--fuzz=0", "-d", source, "-i", patch], check=True)
    return place.modules(place.kernel(KERNEL), source)


def found(out, name, by, program, modules):
    (command, *arguments), begin = BY[by]
    run = subprocess.run(
        [TESTS / "rig/host", "--kernel", KERNEL, "--set", SET, "--pfs", "2", "--prop", "lm-test=on",
         "--module-args", "vendor_ids=1b36:0010", "--driver", modules, "--allow", "nvme-vfio-pci",
         "--seconds", str(SECONDS), "--file", program, "--", command, "--set", SET, *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        check=False)
    bad = re.search(r"^not ok .*$", run.stdout, re.M)
    out.ok(re.search(begin, run.stdout, re.M) and run.returncode and bad, f"{name}: {by} finds it",
           run.stdout[-3000:])
    # the first that was wrong: what a call gave, or what a case expected
    why = re.search(r"^# (BROKEN: .*)$", run.stdout, re.M) or \
        re.search(r"^# *(.*(?:expected|users and not|does not run).*)$", run.stdout, re.M)
    out.note(why[1] if why else bad[0] if bad else "nothing")


def main():
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

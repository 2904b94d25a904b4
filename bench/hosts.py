# SPDX-License-Identifier: GPL-2.0-only
"""Hosts that measurements run in, and what they print."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "rig"))
import host as rig                                      # noqa: E402
import place                                            # noqa: E402

SECONDS = 1800

# What a distribution's kernel does by default; the rig's other hosts omit it.
MITIGATIONS = "mitigations=auto"


def program():
    """The measuring program, built when it is not there."""
    folders = [os.path.join(HERE, x) for x in (".", "../tests/vf/harness", "../tests/lib", "../lib")]
    path = os.path.join(place.CACHE, "bin", "vf-bench-" + place.digest(folders))
    if not os.path.exists(path):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["make", "-s", "-C", HERE, f"BUILD={folder}"], check=True,
                           stdout=subprocess.DEVNULL)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy(os.path.join(folder, "vf-bench"), path + ".new")
            os.rename(path + ".new", path)
    return path


def driver(kernel, reference=False):
    """The folder with our modules, or with those of the reference driver, for a kernel."""
    if not reference:
        return place.driver(place.kernel(kernel))
    key = place.digest([os.path.join(HERE, "..", "src"), os.path.join(HERE, "reference")],
                       place.kernel(kernel).release)
    out = os.path.join(place.CACHE, "modules", "reference-" + key)
    if not os.path.exists(out):
        subprocess.run([os.path.join(HERE, "reference", "build"), kernel, out + ".new"], check=True,
                       stdout=subprocess.DEVNULL)
        os.rename(out + ".new", out)
    return out


def hurry(pid):
    """At the highest priority on this machine, if allowed: the measurements should
    not show how busy it is."""
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            os.sched_setscheduler(int(thread), os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        pass


class Failed(Exception):
    """A measurement did not finish."""


def lines(output):
    """The records among what was printed."""
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def run(commands, *, kernel="6.12", command_set="standard", reference=False, pfs=2, vfs=4, queues=4, props=None,
        memory=2048, say=None, **options):
    """One host; each command is what vf-bench gets. Returns all records. While costs
    are counted a module counts with it; it would cost the others time."""
    props = {"lm-test": "on", **(props or {})}
    files = {"bin/vf-bench": program()}
    if any(command.startswith("cost") for command in commands):
        folder = place.modules(place.kernel(kernel), os.path.join(HERE, "copies"))
        files["copies.ko"] = os.path.join(folder, "copies.ko")
    records = []
    try:
        with rig.Host(kernel, command_set, pfs=pfs, driver=driver(kernel, reference), props=props,
                      files=files, seconds=SECONDS, memory=memory,
                      cmdline=MITIGATIONS, **options) as host:
            host.setup_vfs(vfs, queues, queues)
            if "icount" not in options:
                hurry(host.process.pid)
            for command in commands:
                if say:
                    say(command)
                line = f"vf-bench --set {command_set} {command}"
                if command.startswith("cost"):
                    line = f"insmod /share/copies.ko && {line} && rmmod copies"
                output = host.run(line, seconds=SECONDS)
                records += lines(output)
    except rig.Trouble as e:
        raise Failed(str(e)) from None
    return records

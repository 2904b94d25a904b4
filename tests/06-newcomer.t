#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.12 model packages:tool
"""A change that a newcomer is likely to make touches the places that
docs/design.md and tests/README.md name for it, at most three, and nothing else.

A patch in tests/newcomer for each row of their tables is applied to a copy of the
checkout, and the files are counted. Then all of them are applied to one copy, and what
they touch is built there: modules, unit tests (which the unchanged driver must not
pass), the objects of the tool and the table, the model's files as in the emulator's
build. Nothing is run in a host."""

import fnmatch
import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(TESTS)
sys.path.insert(0, os.path.join(TESTS, "rig"))
import cells                                            # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402

MOST = 3
KERNEL = "6.12"
EVENTS = "docs/states-and-events.md"
UNITS = ("dirty_map", "verdict")


def call(*command, **kwargs):
    """(whether it succeeded, its output)"""
    p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       check=False, **kwargs)
    return p.returncode == 0, p.stdout


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def places():
    """{change: patterns of files}, of both documents"""
    found = {}
    for name in "docs/design.md", "tests/README.md":
        table = read(os.path.join(TOP, name)).split("| to change | touch |\n|---|---|\n")[1].split("\n\n")[0]
        for change, touch in re.findall(r"^\| (.+?) \| (.+?) \|$", table, re.M):
            found[change] = re.findall(r"`([^`]+)`", touch)
    return found


class Change:
    def __init__(self, path):
        self.path = path
        self.name = re.search(r"^Change: (.+)$", read(path), re.M)[1]
        self.touched = []

    def apply(self, tree):
        return call("patch", "-s", "-p1", "--no-backup-if-mismatch", "-d", tree, "-i", self.path)


def copy(to):
    names = subprocess.run(["git", "-C", TOP, "ls-files", "-z"], check=True, stdout=subprocess.PIPE,
                           text=True).stdout.split("\0")
    for name in filter(None, names):
        if os.path.exists(os.path.join(TOP, name)):
            os.makedirs(os.path.dirname(os.path.join(to, name)), exist_ok=True)
            shutil.copy2(os.path.join(TOP, name), os.path.join(to, name))
    return to


def different(a, b):
    """Names of the files that differ between two trees, or are only in one."""
    def contents(top):
        found = {}
        for folder, _, names in os.walk(top):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    found[os.path.relpath(os.path.join(folder, name), top)] = f.read()
        return found
    a, b = contents(a), contents(b)
    return sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))


def counted(out, change, patterns, plain, work):
    tree = os.path.join(work, "one")
    shutil.copytree(plain, tree)
    good, said = change.apply(tree)
    if out.ok(good, f"{change.name}: the patch applies", said):
        change.touched = touched = different(plain, tree)
        out.ok(0 < len(touched) <= MOST, f"{change.name}: {len(touched)} files, {MOST} at most", "\n".join(touched))
        wrong = [f"not named: {name}" for name in touched if not any(fnmatch.fnmatch(name, p) for p in patterns)]
        wrong += [f"named, and not touched: {p}" for p in patterns if not fnmatch.filter(touched, p)]
        out.ok(not wrong, f"{change.name}: they are those that the documents name", "\n".join(wrong))
    shutil.rmtree(tree)


def units(out, tree, work):
    make = ["make", "-s", "-C", f"{tree}/tests/unit"]
    for name in UNITS:
        for what, source in ("changed", f"{tree}/src"), ("old", f"{TOP}/src"):
            to = os.path.join(work, what)
            os.makedirs(to, exist_ok=True)
            good, said = call(*make, f"SRC={source}", f"OUT={to}", f"{to}/{name}")
            if good:
                good, said = call(f"{to}/{name}")
            good &= "not ok" not in said
            if what == "changed":
                out.ok(good, f"the changed driver passes its unit test {name}", said)
            else:
                out.ok(not good, f"the unchanged driver does not pass it: {name}")


def modules(out, tree, work):
    # under a name of its own: the objects of the checkout's modules stay as they are
    os.rename(f"{tree}/src", f"{work}/newcomer")
    os.symlink(f"{work}/newcomer", f"{tree}/src")
    good, said = call(f"{TESTS}/rig/build-modules", KERNEL, f"{work}/modules", f"{work}/newcomer")
    out.ok(good and len(said.split()) == 2, f"the changed modules build for {KERNEL}", said)


def objects(out, touched, tree, work):
    """Of programs: by the nearest Makefile."""
    for name in touched:
        if not re.match(r"(tools|tests/vf)/.*\.c$", name):
            continue
        folder = os.path.dirname(name)
        while not os.path.exists(f"{tree}/{folder}/Makefile"):
            folder = os.path.dirname(folder)
        target = f"{work}/objects/{os.path.relpath(name, folder)[:-1]}o"
        os.makedirs(os.path.dirname(target), exist_ok=True)
        good, said = call("make", "-s", "-C", f"{tree}/{folder}", f"BUILD={work}/objects", target)
        out.ok(good and not said, f"{name} compiles", said)


def model_command(name, tree):
    """How the emulator's build compiles a file of the model, with our folder first, or None."""
    for database in glob.glob(f"{place.CACHE}/qemu-build/*/b/compile_commands.json"):
        for entry in json.loads(read(database)):
            if os.path.basename(entry["file"]) == name:
                words = shlex.split(entry["command"])
                del words[words.index("-MD"):]
                return [*words, "-iquote", f"{database[:-len('b/compile_commands.json')]}src/hw/nvme", "-Werror",
                        "-fsyntax-only", f"{tree}/tests/model/{name}"], entry["directory"]
    return None


def model(out, touched, tree):
    ours = {os.path.basename(name) for name in touched if fnmatch.fnmatch(name, "tests/model/*.c")}
    # which makes the table from the list
    for name in sorted(ours | {"nvme-lm-test.c"}):
        command = model_command(name, tree)
        if out.ok(command is not None, f"the emulator has been built: {name}"):
            good, said = call(*command[0], cwd=command[1])
            out.ok(good and not said, f"{name} compiles", said)
    for name in touched:
        if name.endswith(".py"):
            good, said = call(sys.executable, "-c", f"compile(open('{tree}/{name}').read(), '{name}', 'exec')")
            out.ok(good, f"{name} compiles", said)


def document(out, tree):
    """One more event, in every state."""
    was, now = (cells.documented(read(f"{top}/{EVENTS}")) for top in (TOP, tree))
    fresh = {event for _, event in now.keys() - was.keys()}
    states = {state for state, _ in was}
    out.ok(len(fresh) == 1 and {state for state, event in now if event in fresh} == states
           and not cells.differences(was, {key: now.get(key) for key in was}),
           f"{EVENTS}: one event more, in every state", f"{sorted(fresh)}")


def main():
    out = tap.Tap()
    named = places()
    changes = [Change(path) for path in sorted(glob.glob(f"{TESTS}/newcomer/*.patch"))]
    out.ok(sorted(named) == sorted(change.name for change in changes), "a patch for each change that is named",
           f"{sorted(named)}\n{[change.name for change in changes]}")
    with tempfile.TemporaryDirectory() as work:
        plain = copy(os.path.join(work, "plain"))
        for change in changes:
            counted(out, change, named.get(change.name, ()), plain, work)
        tree = os.path.join(work, "all")
        shutil.copytree(plain, tree)
        failed = [change.name for change in changes if not change.apply(tree)[0]]
        if out.ok(not failed, "all of them apply together", "\n".join(failed)):
            touched = [name for change in changes for name in change.touched]
            good, said = call(f"{tree}/tests/05-layout.t")
            out.ok(good, "the layout is as the documents say", said)
            document(out, tree)
            units(out, tree, work)
            objects(out, touched, tree, work)
            model(out, touched, tree)
            modules(out, tree, work)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

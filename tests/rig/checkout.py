# SPDX-License-Identifier: GPL-2.0-only
"""What tests must leave alone: the checkout, /dev/null. One record for all files of a
run: each change is reported once, by the first to look."""

import contextlib
import fcntl
import json
import os
import stat
import subprocess

NULL = "/dev/null"
NULL_NUMBER = os.makedev(1, 3)


def null_is_well():
    try:
        s = os.stat(NULL)
    except OSError:
        return False
    return stat.S_ISCHR(s.st_mode) and s.st_rdev == NULL_NUMBER


def look(top):
    """{path: how it differs from the commit; ignored files as well}, or None if
    there is no git to ask."""
    done = subprocess.run(["git", "--no-optional-locks", "-C", top, "status", "--porcelain=v1", "-z",
                           "--no-renames", "--untracked-files=all", "--ignored=traditional"],
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        return None
    found = {}
    for entry in done.stdout.decode(errors="replace").split("\0")[:-1]:
        state, path = entry[:2], entry[3:]
        try:
            s = os.lstat(os.path.join(top, path))
            found[path] = f"{state} {s.st_size} {s.st_mtime_ns}"
        except OSError:
            found[path] = state
    return found


class Record:
    """In the folder of a run."""

    def __init__(self, folder, top):
        self.path = os.path.join(folder, "checkout")
        self.running = os.path.join(folder, "running")
        self.top = top

    @contextlib.contextmanager
    def _locked(self):
        with open(self.path, "a+", encoding="utf-8") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            yield f

    def begin(self):
        """Once a run, before all tests."""
        os.makedirs(self.running)
        self.changes()

    def enter(self, name):
        """A test begins."""
        with open(os.path.join(self.running, name), "w", encoding="ascii"):
            pass

    def leave(self, name):
        """It has ended: (paths that changed since anybody last looked, tests that
        ran beside it)."""
        paths = self.changes()
        os.unlink(os.path.join(self.running, name))
        return paths, sorted(os.listdir(self.running))

    def changes(self):
        with self._locked() as f:
            f.seek(0)
            before, now = json.loads(f.read() or "null"), look(self.top)
            f.truncate(0)
            json.dump(now, f)
        if before is None or now is None:
            return []
        return sorted(p for p in {*before, *now} if before.get(p) != now.get(p))

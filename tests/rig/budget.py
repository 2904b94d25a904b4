# SPDX-License-Identifier: GPL-2.0-only
"""What tests may cost, in CPU seconds, from the tables of tests/README.md."""

import re

FILE = re.compile(r"^\| `([^`|/]+\.t)` \| ([^|]+) \| (\d+) \|$")
WHOLE = re.compile(r"^\| (warm|from nothing) \| (\d+) \|$")
WORK = re.compile(r"^\| the (walk|build) of `rig/speed.py` \| (\d+\.\d+) \|$")

# A set-up that took more than this built something.
BUILT = 60


class Budget:
    """files    {name: CPU seconds}
    whole    the same for "warm" and "from nothing"
    work     what rig/speed.py's "walk" and "build" take on the machine whose seconds these are"""

    def __init__(self, path):
        self.files, self.whole, self.work = {}, {}, {}
        with open(path, encoding="utf-8") as f:
            for line in f:
                if m := FILE.match(line.rstrip()):
                    if m[1] in self.files:
                        raise ValueError(f"{path}: {m[1]} stands there twice")
                    self.files[m[1]] = int(m[3])
                elif m := WHOLE.match(line.rstrip()):
                    self.whole[m[1]] = int(m[2])
                elif m := WORK.match(line.rstrip()):
                    self.work[m[1]] = float(m[2])
        if set(self.whole) != {"warm", "from nothing"} or not self.files or set(self.work) != {"walk", "build"}:
            raise ValueError(f"{path}: no table of files, or none of the whole")

    def limit(self, setup):
        """(CPU seconds of the whole, which limit that is) after a set-up that took this
        many."""
        which = "from nothing" if setup > BUILT else "warm"
        return self.whole[which], which


def setup_seconds(path):
    """What bash's "times" prints: for a shell and its children."""
    try:
        with open(path, encoding="ascii") as f:
            return sum(60 * int(m) + float(s) for m, s in re.findall(r"(\d+)m([\d.]+)s", f.read()))
    except OSError:
        return 0.0

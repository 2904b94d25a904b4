#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""How fast this machine is while tests run: its clock rate, and what it shares with
machines that cannot be seen from here, change the processor time of the same work by a
third and more, and not of all work equally. Two fixed pieces of work measure it now and
then, while the tests run: a walk through memory, which resembles emulation, and a
build, which is mostly new processes and fresh pages.

usage: speed.py     prints what they take at the moment, in ms of a processor
"""

import random
import re
import signal
import subprocess
import sys
import threading
import time

EVERY = 20.0            # seconds
BUILDS = 3              # a build every this many looks
LENGTH = 1 << 19        # of a walk's list: more than a processor's own cache holds
STEPS = 100_000


class Walk:
    """The piece of work: reads of memory in no order, branches, some arithmetic."""

    def __init__(self):
        self.to = list(range(LENGTH))
        random.Random(1).shuffle(self.to)

    def seconds(self):
        """of a processor, of this thread."""
        to, at, odd = self.to, 0, 0
        begun = time.thread_time()
        for _ in range(STEPS):
            at = to[at]
            if at & 1:
                odd += at
        return time.thread_time() - begun


class Build:
    """A compiler at work."""

    SOURCE = "".join(f"unsigned f{i}(unsigned *p, unsigned n) {{ unsigned s = {i}; for (unsigned i = 0; i < n; i++) "
                     f"s = s * {2 * i + 3} + (p[i] ^ (s >> {i % 13})); return s; }}\n" for i in range(120))
    # "times" counts the shell's children, whoever waits for the shell
    COMMAND = "cc -O2 -x c -S -o - - >/dev/null; times"

    def seconds(self):
        """of processors; 0 if there is no compiler."""
        try:
            said = subprocess.run(["sh", "-c", self.COMMAND], input=self.SOURCE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True, check=False).stdout
        except OSError:
            return 0.0
        return sum(60 * int(m) + float(s) for m, s in re.findall(r"(\d+)m([\d.]+)s", said))


class Speed(threading.Thread):
    """Measures until stop(). walk, build: seconds of a processor that the pieces of work take
    on the machine whose seconds are meant."""

    def __init__(self, walk, build):
        super().__init__(daemon=True)
        self.reference = {"walk": walk, "build": build}
        self.looks = {"walk": [], "build": []}
        self._end = threading.Event()

    def look(self, name, seconds):
        if seconds:
            self.looks[name].append(seconds / self.reference[name])

    def run(self):
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        walk, build, n = Walk(), Build(), 0
        while True:
            self.look("walk", walk.seconds())
            if n % BUILDS == 0:
                self.look("build", build.seconds())
            n += 1
            if self._end.wait(EVERY):
                return

    def stop(self):
        """How fast it was compared with the reference, as an average of both."""
        self._end.set()
        self.join()
        means = [sum(x) / len(x) for x in self.looks.values() if x]
        return len(means) / sum(means)


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit("speed.py: takes no arguments")
    for work in (Walk(), Build()):
        print(f"{type(work).__name__.lower():6}", *(f"{work.seconds() * 1000:.1f}" for _ in range(10)), flush=True)

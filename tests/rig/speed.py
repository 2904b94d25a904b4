#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""How fast this machine is while tests run: its clock rate, and what it shares with
machines that nobody here sees, change what the same work takes of a processor by a
third and more. A fixed piece of work tells, done once in a while beside the tests.

usage: speed.py     says what that work takes just now, ms of a processor
"""

import random
import signal
import sys
import threading
import time

EVERY = 20.0            # seconds
LENGTH = 1 << 19        # of a walk's list: what it holds does not fit into a cache of its own
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


class Speed(threading.Thread):
    """Looks until stop(). reference: seconds of a processor that the work takes on the
    machine whose seconds are meant."""

    def __init__(self, reference):
        super().__init__(daemon=True)
        self.reference = reference
        self.looks = []
        self._end = threading.Event()

    def run(self):
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        walk = Walk()
        while True:
            self.looks.append(self.reference / walk.seconds())
            if self._end.wait(EVERY):
                return

    def stop(self):
        """As how fast as the reference it was, on average."""
        self._end.set()
        self.join()
        return sum(self.looks) / len(self.looks)


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit("speed.py: takes no arguments")
    w = Walk()
    for _ in range(10):
        print(f"{w.seconds() * 1000:.1f}", end=" ", flush=True)
    print()

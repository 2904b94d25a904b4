# SPDX-License-Identifier: GPL-2.0-only
"""Whether, and for how long, this machine lets an emulated one run. This is seen from
outside, whatever clock the kernel inside has and whatever it says."""

import collections
import os
import threading
import time

SECONDS = 10            # without a turn of a processor: long enough to be blamed
STEP = 1.0
SPAN = 30               # kernels report who stands still for this long or longer; of these
LEAST = 10              # seconds they have to be let run for so many


def waits(pid):
    """{thread: nanoseconds for which it was ready to run and did not} of a process."""
    found = {}
    folder = f"/proc/{pid}/task"
    try:
        for thread in os.listdir(folder):
            with open(f"{folder}/{thread}/schedstat", encoding="ascii") as f:
                found[thread] = int(f.read().split()[1])
    except (OSError, ValueError):
        pass            # it ends, or this kernel does not count
    return found


class Stall(threading.Thread):
    """Watches a process until stop(). said: what there is to say, or None. ran: the
    seconds for which it was let run or had nothing to do, of the thread that waited
    most for a processor; once they exceed a limit, over() is called."""

    def __init__(self, pid, limit=None, over=None):
        super().__init__(daemon=True)
        self.pid = pid
        self.worst = 0.0
        self.passed = self.late = self.waited = 0.0
        self.limit = limit
        self.over = over
        self.least = (SPAN, SPAN)       # (seconds, of which it was let run for so many)
        self._looks = collections.deque([(0.0, 0.0)])
        self._end = threading.Event()
        self._when = time.monotonic()
        self._waits = self._first = waits(pid)

    @property
    def ran(self):
        # if the whole machine stood still, only our own lateness shows it
        return self.passed - max(self.waited, self.late)

    @property
    def said(self):
        if self.worst >= SECONDS:
            return f"not let run for {self.worst:.0f} s by this machine"
        if self.least[1] < LEAST:
            return f"let run for {self.least[1]:.0f} of {self.least[0]:.0f} s by this machine"
        return None

    def run(self):
        while not self._end.wait(STEP):
            self.look(time.monotonic(), waits(self.pid))

    def look(self, when, now):
        """A wait is counted when it ends: what exceeds the time since the last look
        began before it. Our own turn may come late as well."""
        passed = when - self._when
        self.worst = max(self.worst, passed - STEP,
                         *((ns - self._waits[thread]) / 1e9 - passed
                           for thread, ns in now.items() if thread in self._waits))
        self.passed += passed
        self.late += max(0.0, passed - 2 * STEP)
        self.waited = max(self.waited, *((ns - self._first.get(thread, 0)) / 1e9 for thread, ns in now.items()), 0.0)
        self._when, self._waits = when, now
        self._looks.append((self.passed, self.ran))
        while self.passed - self._looks[0][0] >= SPAN:
            begun, ran = self._looks.popleft()
            self.least = min(self.least, (self.passed - begun, self.ran - ran), key=lambda x: x[1])
        if self.limit and self.ran > self.limit:
            self.limit = None
            self.over()

    def stop(self):
        self._end.set()
        if self.is_alive() and self is not threading.current_thread():
            self.join()

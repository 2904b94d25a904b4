# SPDX-License-Identifier: GPL-2.0-only
"""What a host's time went into: a line for each host in the file RIG_TIMES,
tab-separated: the test, kernel, then for boot (and of that: firmware, kernel),
VFs, test and power-off the seconds by the clock and of processor time.
tests/rig/times adds them up."""

import os
import re
import time

TICK = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid):
    """Of a process that is there; None of one that has gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / TICK


def test_name(pid=None):
    """The test on whose behalf a process runs, or "-"."""
    pid = pid or os.getpid()
    while pid > 1:
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as f:
                found = re.search(r"tests/(\d\d-[\w-]+)\.t", f.read())
            if found:
                return found.group(1)
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
                pid = int(f.read().rpartition(")")[2].split()[1])
        except OSError:
            break
    return "-"


class Times:
    """Marks on the way of one host."""

    def __init__(self):
        self.pid = None
        self.marks = []
        self.kernel = self.init = 0.0

    def begin(self, pid):
        self.pid = pid
        self.mark("start")

    def mark(self, name):
        """That what goes by this name is over now."""
        cpu = processor_seconds(self.pid)
        if cpu is None and self.marks:
            cpu = self.marks[-1][2]
        self.marks.append((name, time.monotonic(), cpu))

    def booted(self, init, kernel=0.0):
        """The kernel's clock when the first program was ready, and when it began."""
        self.kernel, self.init = kernel, init
        self.mark("boot")

    def save(self, kernel):
        """Append the line, if somebody wants it."""
        path = os.environ.get("RIG_TIMES")
        if not path or not self.marks:
            return
        spans = {b[0]: (b[1] - a[1], b[2] - a[2]) for a, b in zip(self.marks, self.marks[1:])}
        words = [test_name(), kernel]
        for name in ("boot", "vfs", "test", "off"):
            words += [f"{x:.2f}" for x in spans.get(name, (0, 0))]
        words += [f"{self.kernel:.2f}", f"{self.init:.2f}"]
        with open(path, "a", encoding="utf-8") as f:
            f.write("\t".join(words) + "\n")

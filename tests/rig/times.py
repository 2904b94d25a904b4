# SPDX-License-Identifier: GPL-2.0-only
"""What the hosts' time was spent on: a line for each host in the file hosts.times of a
run's folder (tests/run) or in the file RIG_TIMES, tab-separated: the test, the kernel,
then for boot, VFs, test and power-off the seconds by the clock and of processors, and
the kernel's own clock when its first program began and when the host was ready. As a
program it adds them up by test: times.py FILE"""

import collections
import os
import re
import sys
import time

SPANS = ("boot", "vfs", "test", "off")
TICK = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid):
    """Of a process; None if it is gone."""
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
    """Marks in the life of one host."""

    def __init__(self):
        self.pid = None
        self.marks = []
        self.kernel = self.init = 0.0

    def begin(self, pid):
        self.pid = pid
        self.mark("start")

    def mark(self, name):
        """The phase with this name ends now."""
        cpu = processor_seconds(self.pid)
        if cpu is None and self.marks:
            cpu = self.marks[-1][2]
        self.marks.append((name, time.monotonic(), cpu))

    def booted(self, init, kernel=0.0):
        """The kernel's clock when the first program was ready, and when it began."""
        self.kernel, self.init = kernel, init
        self.mark("boot")

    def save(self, kernel):
        """Append the line, if anybody wants it."""
        path = os.environ.get("RIG_TIMES")
        if not path and os.environ.get("RIG_RUN"):
            path = os.path.join(os.environ["RIG_RUN"], "hosts.times")
        if not path or not self.marks:
            return
        spans = {b[0]: (b[1] - a[1], b[2] - a[2]) for a, b in zip(self.marks, self.marks[1:])}
        words = [test_name(), kernel]
        for name in SPANS:
            words += [f"{x:.2f}" for x in spans.get(name, (0, 0))]
        words += [f"{self.kernel:.2f}", f"{self.init:.2f}"]
        with open(path, "a", encoding="utf-8") as f:
            f.write("\t".join(words) + "\n")


def table(path):
    """Lines of Markdown: for each test its hosts, and the seconds of all of them by the
    clock and of processors."""
    sums = collections.defaultdict(lambda: [0] + [0.0] * 2 * len(SPANS))
    with open(path, encoding="utf-8") as f:
        for line in f:
            words = line.split("\t")
            row = sums[words[0]]
            row[0] += 1
            for i in range(2 * len(SPANS)):
                row[1 + i] += float(words[2 + i])
    yield "| test | hosts | " + " | ".join(f"{name}, clock / CPU s" for name in SPANS) + " |"
    yield "|---" * (2 + len(SPANS)) + "|"
    for test, (hosts, *rest) in sorted(sums.items()):
        pairs = [f"{rest[i]:.0f} / {rest[i + 1]:.0f}" for i in range(0, len(rest), 2)]
        yield f"| {test} | {hosts} | " + " | ".join(pairs) + " |"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: times.py FILE")
    print(*table(sys.argv[1]), sep="\n")

# SPDX-License-Identifier: GPL-2.0-only
"""Test Anything Protocol, as prove reads it."""

import collections
import re
import sys

_POINT = re.compile(r"(not )?ok \d+(?: -)? ?(.*?)(?: # SKIP ?(.*))?")
_PLAN = re.compile(r"1\.\.(\d+)\b.*")


class Point(collections.namedtuple("Point", "good name skipped notes")):
    """skipped: why, or None. notes: the lines before it."""

    def say(self, out, prefix=""):
        if self.skipped is None or not self.good:
            out.ok(self.good, prefix + self.name)
        else:
            out.skip(prefix + self.name, self.skipped)


def read(text):
    """([Point...], how many were planned, lines after the last one) of the output of
    one program, or of several, one after the other."""
    points, planned, notes = [], 0, []
    for line in text.splitlines():
        if point := _POINT.fullmatch(line):
            bad, name, skipped = point.groups()
            points.append(Point(not bad, name, skipped, notes))
            notes = []
        elif plan := _PLAN.fullmatch(line):
            planned += int(plan[1])
        else:
            notes.append(re.sub("^Bail out!", "gave up:", line.removeprefix("# ")))
    return points, planned, notes


class Later:
    """Results of something that runs beside others, to be printed in turn."""

    def __init__(self):
        self.said = []

    def ok(self, good, name, why=""):
        self.said.append(("ok", good, name, why))
        return bool(good)

    def skip(self, name, why):
        self.said.append(("skip", name, why))

    def note(self, text):
        self.said.append(("note", text))

    def say(self, tap):
        for method, *arguments in self.said:
            getattr(tap, method)(*arguments)


class Tap:
    def __init__(self, out=sys.stdout):
        self.out = out
        self.count = 0
        self.failed = 0

    def _print(self, text):
        print(text, file=self.out, flush=True)

    def ok(self, good, name, why=""):
        """One result; why is shown when it is a failure."""
        self.count += 1
        self.failed += not good
        self._print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        if not good and why:
            self.note(why)
        return bool(good)

    def skip(self, name, why):
        self.count += 1
        self._print(f"ok {self.count} - {name} # SKIP {why}")

    def note(self, text):
        for line in str(text).splitlines():
            self._print("# " + line)

    def done(self):
        """The plan, and the exit status for the whole."""
        self._print(f"1..{self.count}")
        return 1 if self.failed or not self.count else 0

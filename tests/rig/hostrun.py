# SPDX-License-Identifier: GPL-2.0-only
"""Commands that print TAP, each in a host of its own, several at a time: what each
printed, how it ended, and its points as part of the test's.

    job = hostrun.Job("6.12", "vendor", "vf-test --set vendor --quick", [program], 600, title="6.12 vendor")
    for job, result in hostrun.side_by_side([job, ...], hostrun.at_once("VF_JOBS")):
        result.say(out)
        why = result.fault()
        out.ok(why is None, f"{job.title}: the host ran to its end", why)
"""

import contextlib
import dataclasses
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import place
import tap

# Lines of the kernel log that tests cause on purpose. Commands fail, or are cut short
# by a reset; programs allow these only in the cases that cause them.
FAILS = (
    r"nvme-vfio-pci .*PF command [0-9a-f]+h .*failed with status",
    r"nvme-vfio-pci .*PF command [0-9a-f]+h was aborted",
)
# The driver gives up a command that does not end.
GIVEN_UP = (r"nvme-vfio-pci .*Suspend does not end: resetting this VF",)
# Or nvme does, and resets the PF.
TIMEOUT = (r"nvme nvme\d+: I/O .*QID 0 timeout, reset controller",)
# nvme is told about a fatal error of the bus.
FROZEN = (r"nvme .*frozen state error detected, reset controller",)

TAIL = 1500             # characters of what a host printed last


def by_run_one():
    """Whether run by hand or by tests/run, a signal leaves no host behind. Comes first
    in main()."""
    if "RIG_ONE" not in os.environ:
        run_one = os.path.join(place.RIG, "run-one")
        os.execv(run_one, [run_one, *sys.argv])


def at_once(variable, default=None):
    """How many hosts at a time: they wait more than they work. Two files that boot
    some run side by side, and hosts that wait for each other cost more."""
    return int(os.environ.get(variable) or default or 1 + len(os.sched_getaffinity(0)))


@dataclasses.dataclass(eq=False)
class Job:
    """A command in a host whose VFs are bound to our driver.

    kernel         series or release
    command_set    the model's lm property
    files          programs, or NAME=PATH
    seconds        its limit, in seconds for which this machine lets it run
    props          properties of the PFs besides lm-test=on
    allow          lines of the kernel log that are expected
    more           further arguments of rig/host
    room           how many it counts as among those that run at a time
    cpus           of the host; by default two with the standard set, where what goes wrong
                   between processors is looked for, and one with the vendor set, where it is
                   a thread in the place of another; with CHECK_FULL=1 always two
    """
    kernel: str
    command_set: str
    command: str
    files: list
    seconds: int
    title: str = ""
    pfs: int = 2
    props: dict = dataclasses.field(default_factory=dict)
    module_args: str = "vendor_ids=1b36:0010"
    allow: tuple = FAILS
    more: tuple = ()
    room: int = 1
    cpus: int = None

    def processors(self):
        return self.cpus or (2 if self.command_set == "standard" or os.environ.get("CHECK_FULL") else 1)

    def arguments(self):
        yield from ("--cpus", str(self.processors()))
        yield from ("--kernel", self.kernel, "--set", self.command_set, "--pfs", str(self.pfs),
                    "--module-args", self.module_args, "--seconds", str(self.seconds))
        for name, value in {"lm-test": "on", **self.props}.items():
            yield from ("--prop", f"{name}={value}")
        for line in self.allow:
            yield from ("--allow", line)
        for file in self.files:
            yield from ("--file", str(file))
        yield from map(str, self.more)

    def run(self):
        done = subprocess.run([os.path.join(place.RIG, "host"), *self.arguments(), "--", self.command],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
        return Result(done.returncode, done.stdout, done.stderr, self.title)


class Result:
    """What a job printed and how it ended. points, planned, rest: see tap.read()."""

    def __init__(self, status, output, errors, title=""):
        self.status, self.output, self.errors, self.title = status, output, errors, title
        self.points, self.planned, self.rest = tap.read(output)

    @property
    def bad(self):
        """Names of points that failed."""
        return [point.name for point in self.points if not point.good]

    def say(self, out):
        """Report all points, what was printed between them, and where the logs are if one
        failed."""
        for point in self.points:
            out.note("\n".join(point.notes))
            point.say(out, f"{self.title}: ")
        out.note("\n".join(self.rest))
        if self.bad:
            out.note(self.errors)

    def _end(self):
        # with 1 programs say that points failed
        if self.status == (1 if self.bad else 0) and self.points and self.planned == len(self.points):
            return None
        return f"exit status {self.status}, {len(self.points)} of {self.planned} points"

    def fault(self):
        """What is wrong besides failed points, or None: with the host, its kernel log,
        or how the command ended."""
        return self._end() and f"{self._end()}\n{self.output[-TAIL:]}\n{self.errors}"

    def why(self):
        """What is wrong, failed points included, or None."""
        if not self._end() and not self.bad:
            return None
        return f"{self._end() or 'failed: ' + ', '.join(self.bad)}\n{self.output}{self.errors}"


def side_by_side(jobs, room, first=None):
    """(job, job.run()) of all, in their order. They are started in this order, or by
    the key "first", as soon as those that run leave room (Job.room)."""
    left, change = room, threading.Condition()

    @contextlib.contextmanager
    def taken(some):
        nonlocal left
        with change:
            change.wait_for(lambda: left >= some)
            left -= some
        try:
            yield
        finally:
            with change:
                left += some
                change.notify_all()

    def run(job):
        with taken(min(job.room, room)):
            return job.run()

    jobs = list(jobs)
    pool = ThreadPoolExecutor(room)
    try:
        runs = {job: pool.submit(run, job) for job in (sorted(jobs, key=first) if first else jobs)}
        for job in jobs:
            yield job, runs[job].result()
    finally:
        pool.shutdown(cancel_futures=True)

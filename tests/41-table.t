#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.12 model
# Needs, CHECK_FULL=1: kernel:6.1 kernel:7.3 debug
"""The table of states and events (docs/states-and-events.md): every cell is acted out
in a host, with both command sets, and ends as the document says.

With CHECK_FULL=1 and --write the cells that were seen on the first kernel are written
to the document. TABLE_KERNELS="6.12 debug" chooses the kernels, TABLE_JOBS hosts run at
a time. Allocations fail on demand only on the debug kernel: that event happens there,
whatever kernel the others use, and only with CHECK_FULL=1.
"""

import os
import re
import sys

TESTS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(TESTS, "rig"))
import cells                                            # noqa: E402
import hostrun                                          # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402

DOCUMENT = os.path.join(TESTS, "..", "docs", "states-and-events.md")
FULL = bool(os.environ.get("CHECK_FULL"))
KERNELS = os.environ.get("TABLE_KERNELS", "6.12 6.1 7.3" if FULL else "6.12").split()
SETS = ("standard", "vendor")
SECONDS = 1200
AT_ONCE = hostrun.at_once("TABLE_JOBS")

# Kernels without PRE_COPY, and the states that others have for it.
SHORT = ("6.1",)
PRE_COPY = re.compile(r"to PRE_COPY\w*: \w+, \w+, ")

# What each kind of host needs: the port above the PF reports errors, and the PF is removed.
# Two processors matter to races with our own events.
ONE = {"cpus": None if FULL else 1}
BUS = {"more": ("--monitor",), "allow": (*hostrun.FAILS, *hostrun.FROZEN), **ONE}
HOSTS = {
    "--table": {"allow": (*hostrun.FAILS, *hostrun.GIVEN_UP)},
    "--table-timeout": {"allow": (*hostrun.FAILS, *hostrun.TIMEOUT), **ONE},
    "--table-bus": BUS,
}

# What comes from outside the drive is the same with both sets: one of them waits for
# CHECK_FULL=1.
ALIKE = () if FULL else ("--table-bus",)

FAULTS_KERNEL = "debug"
FAULTS_EVENT = "allocation fails"
KINDS = {
    "--table": "all other events",
    "--table-timeout": "commands that nvme gives up",
    "--table-bus": "errors of the bus, a PF pulled out",
    "--table-faults": "allocations that fail",
}


class Job(hostrun.Job):
    def __init__(self, program, kernel, kind, command_set):
        super().__init__(kernel, command_set, f"vf-test --set {command_set} {kind}", [program], SECONDS,
                         f"{kernel} {command_set}: {KINDS[kind]}", **HOSTS.get(kind, {}))
        self.kind = kind


def run_all(out):
    """[(job, result)], or None."""
    (program,), why = place.all_built("vf-test")
    if not out.ok(why is None, "vf-test builds", why or ""):
        return None
    jobs = [Job(program, FAULTS_KERNEL, "--table-faults", s) for s in SETS if FULL]
    jobs += [Job(program, k, kind, s) for k in KERNELS for kind in HOSTS
             for s in SETS[:1 if kind in ALIKE else None]]
    return list(hostrun.side_by_side(jobs, AT_ONCE))


def seen_on(out, kernel, results):
    """(the cells of a kernel, whether all of them are well)."""
    by_set = {name: {} for name in SETS}
    good = True
    for job, result in sorted(results, key=lambda r: r[0].kind == "--table-faults"):
        if job.kernel != kernel and job.kind != "--table-faults":
            continue
        for name in SETS if job.kind in ALIKE else (job.command_set,):
            by_set[name].update(cells.printed(result.output))
        why = result.why()
        good &= out.ok(why is None, job.title, why or "")
    seen = cells.merged(by_set)
    holes = cells.holes(seen)
    good &= out.ok(seen and not holes, f"{kernel}: none of {len(seen)} cells is empty",
                   "\n".join(" | ".join(key) for key in holes))
    return seen, good


def expected(text, kernel):
    """The document's cells, as far as they apply to this run and kernel."""
    known = {key: cell for key, cell in cells.documented(text).items() if FULL or key[1] != FAULTS_EVENT}
    if kernel in SHORT:
        known = {(state, event): PRE_COPY.sub("", cell) for (state, event), cell in known.items()
                 if not state.startswith("PRE_COPY")}
    return known


def main():
    hostrun.by_run_one()
    write = "--write" in sys.argv[1:]
    if write and not FULL:
        sys.exit("41-table.t: --write needs all cells: CHECK_FULL=1")
    out = tap.Tap()
    results = run_all(out)
    if results is None:
        return out.done()
    with open(DOCUMENT, encoding="utf-8") as f:
        text = f.read()
    for kernel in KERNELS:
        seen, good = seen_on(out, kernel, results)
        if write and good:
            write = False
            text = cells.rewritten(text, seen)
            with open(DOCUMENT, "w", encoding="utf-8") as f:
                f.write(text)
            out.note(f"{os.path.relpath(DOCUMENT)} has what was seen on {kernel}")
        different = cells.differences(expected(text, kernel), seen)
        out.ok(not different, f"{kernel}: the document says the same", "\n".join(different))
    if not FULL:
        out.skip(f"{FAULTS_KERNEL}: {FAULTS_EVENT}", "CHECK_FULL=1")
        out.skip(f"{SETS[1]}: {KINDS['--table-bus']}", "CHECK_FULL=1")
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

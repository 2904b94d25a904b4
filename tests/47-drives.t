#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.1 kernel:6.12 model
# Needs, CHECK_FULL=1: kernels debug
"""Drives of other kinds than the model's usual one: tests/model/personalities.

Each that conforms passes the quick cases of vf-test, which also run on the usual
one in 40-vf.t. With each that breaks the standard, what happens to the guest is what
docs/command-sets.md says. And guests move between drives that were drawn by chance:
they arrive with all data right, or stay with all data right and the kernel log says
why. 10 draws, 200 with CHECK_FULL=1, or DRAWS=NUMBER; the seed is printed, and
DRAWS_SEED=SEED repeats them, DRAW=NAME one of them.

DRIVES="hostile lies draws" selects parts. With CHECK_FULL=1 there are more
kernels, and hostile runs all cases. DRIVES_JOBS hosts run at a time.
"""

import os
import random
import re
import sys
import tempfile

TESTS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(TESTS, "rig"))
import hostrun                                          # noqa: E402
import personality                                      # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402

FULL = bool(os.environ.get("CHECK_FULL"))
ONLY = os.environ.get("DRIVES", "").split()
DRAWS = int(os.environ.get("DRAWS") or (200 if FULL else 10))
SEED = os.environ.get("DRAWS_SEED") or str(random.SystemRandom().randrange(1 << 32))
DRAW = os.environ.get("DRAW", "")
# One has a log of writes, the other PRE_COPY.
KERNELS = ("6.1", "6.12")
MORE_KERNELS = ("6.1", "6.12", "7.3", "debug")
SETS = ("standard", "vendor")
SECONDS = {"debug": 3000}
OTHERWISE = 900
DRAWS_A_HOST = 25
SMALL = 4096                    # padding of a state that fits into any command
# Some drives have to be refused, with a message.
ALLOW = (*hostrun.FAILS, *hostrun.GIVEN_UP, r"nvme-vfio-pci ")


def wanted(name):
    return not ONLY or name in ONLY


def job(title, kernel, command_set, command, files, properties, **more):
    return hostrun.Job(kernel, command_set, command, files, SECONDS.get(kernel, OTHERWISE), title, props=properties,
                       allow=ALLOW, **more)


def kinds(program):
    """Cases on each kind of drive that conforms."""
    for name in personality.conforming():
        if name == "kind" or not wanted(name):
            continue
        hostile = name.startswith("hostile")
        for kernel, command_set in ((k, s) for k in (MORE_KERNELS if FULL else KERNELS[1:]) for s in personality.sets(name)):
            if not FULL and not hostile:
                yield f"{name}, {kernel} {command_set}"
                continue
            level = "" if FULL and hostile else "--quick"
            yield job(f"{name}, {kernel} {command_set}", kernel, command_set, f"vf-test --set {command_set} {level}",
                      [program], personality.properties(name))


def lies(program):
    for kernel, command_set in ((k, s) for k in (MORE_KERNELS if FULL else KERNELS[:1]) for s in SETS):
        title = f"lies, {kernel} {command_set}"
        if not wanted("lies") or (not FULL and command_set != "standard"):
            yield title
            continue
        yield job(title, kernel, command_set, f"vf-test --set {command_set} --lies",
                  [program, f"personalities={personality.FILE}"], {}, more=("--vfs", 1))


def drawn(chance, name, command_set):
    """A line for vf-test: the properties of a pair of drives, the same in half of the
    cases, and whether a guest has no reason to stay."""
    pair = [(personality.draw(chance, machines=False), personality.draw_reasons(chance)) for _ in range(2)]
    if chance.random() < 0.5:
        pair[1] = pair[0]
    source, other = ({**drive, **reasons} for drive, reasons in pair)
    reasons = any(reasons for _, reasons in pair)
    # one command has to carry a state of the vendor set
    fits = command_set == "standard" or int(source.get("lm-pad", 0)) <= SMALL
    sure = "" if reasons or not fits else " sure"
    return f"{name}{sure}:{personality.text(source)}|{personality.text(other)}\n"


def draws(program, folder):
    """Some draws in each host, whose drives' properties are drawn as well."""
    if not wanted("draws"):
        return
    hosts = [(k, s) for k in MORE_KERNELS for s in SETS] if FULL else [(k, SETS[0]) for k in KERNELS]
    number = max(len(hosts), -(-DRAWS // DRAWS_A_HOST))
    for i in range(number):
        kernel, command_set = hosts[i % len(hosts)]
        chance = random.Random(f"{SEED}/{i}")
        machine = personality.draw(chance, machines=True)
        # both must have the same MDTS
        lines = [drawn(chance, f"{i}.{n}", command_set) for n in range(DRAWS // number + (i < DRAWS % number))]
        if DRAW:
            lines = [line for line in lines if re.split("[ :]", line)[0] == DRAW]
        if not lines:
            continue
        path = os.path.join(folder, f"draws-{i}")
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(lines)
        yield job(f"draws, {kernel} {command_set} [{personality.text(machine)}]", kernel, command_set,
                  f"vf-test --set {command_set} --draws /share/draws", [program, f"draws={path}"], machine,
                  more=("--vfs", 1))


def each_lie_is_told(out, program):
    """The case of a lie has the name of the personality, and so has its row in the document."""
    told = set(re.findall(r"^(lie-[\w-]+)", os.popen(f"{program} --lies --list").read(), re.M))
    with open(os.path.join(TESTS, "../docs/command-sets.md"), encoding="utf-8") as f:
        rows = set(re.findall(r"^\| `(lie-[\w-]+)` \|", f.read(), re.M))
    known = set(personality.lies())
    out.ok(known == told == rows, "each drive that breaks the standard has a case, and a row in docs/command-sets.md",
           f"in one place only: {sorted((known | told | rows) - (known & told & rows))}")


def main():
    hostrun.by_run_one()
    out = tap.Tap()
    (program,), why = place.all_built("vf-test")
    if not out.ok(why is None, "vf-test builds", why or ""):
        return out.done()
    each_lie_is_told(out, program)
    out.note(f"DRAWS_SEED={SEED}")
    with tempfile.TemporaryDirectory() as folder:
        planned = [*kinds(program), *lies(program), *draws(program, folder)]
        for title in (p for p in planned if isinstance(p, str)):
            out.skip(title, "CHECK_FULL=1")
        jobs = [p for p in planned if not isinstance(p, str)]
        for a_job, result in hostrun.side_by_side(jobs, hostrun.at_once("DRIVES_JOBS")):
            result.say(out)
            why = result.fault()
            out.ok(why is None, f"{a_job.title}: the host ran to its end, its kernel log is clean", why or "")
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:base
"""What tests in hosts rely on (rig/hostrun.py, rig/tap.py), with made-up hosts: all
points are reported, and no bad end of a host passes for a good one."""

import io
import os
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "rig"))
import frozen                                           # noqa: E402
import hostrun                                          # noqa: E402
import tap                                              # noqa: E402
import turns                                            # noqa: E402

GOOD = "# first\nok 1 - one (3 ms)\nok 2 - two # SKIP not here\n# last\n1..2\n"
BAD = "ok 1 - one\n# why\nnot ok 2 - two\n1..2\n"
ERRORS = "# logs: /some/where\n"


def said(output, status=0):
    """(what a test prints about it, its exit status)"""
    stream = io.StringIO()
    out = tap.Tap(stream)
    hostrun.Result(status, output, ERRORS, "6.1 vendor").say(out)
    return stream.getvalue(), out.done()


def merging(out):
    text, status = said(GOOD)
    out.ok(text == "# first\nok 1 - 6.1 vendor: one (3 ms)\nok 2 - 6.1 vendor: two # SKIP not here\n# last\n"
           and status == 0, "points get a word in front, and what is between stays there", text)
    text, status = said(BAD, 1)
    out.ok(text == "ok 1 - 6.1 vendor: one\n# why\nnot ok 2 - 6.1 vendor: two\n# # logs: /some/where\n"
           and status == 1, "a point that failed fails the test, and logs are told", text)
    text, _ = said("ok 1 - one\nBail out! no VFs\nnot a point\nok, then\n")
    out.ok(text == "ok 1 - 6.1 vendor: one\n# gave up: no VFs\n# not a point\n# ok, then\n",
           "what is no point is a note: nothing of it ends the whole", text)
    text, status = said("not ok 1 - one # SKIP not here\n1..1\n", 1)
    out.ok(text.startswith("not ok 1 - 6.1 vendor: one\n") and status == 1, "a case that fails is not skipped", text)


# output, exit status, whether the host is well, and all of it
ENDS = {
    "all is well": (GOOD, 0, True, True),
    "a point failed": (BAD, 1, True, False),
    "a point failed, and the exit status is 0": (BAD, 0, False, False),
    "no point failed, and the exit status is 1": (GOOD, 1, False, False),
    "the kernel log has trouble": (GOOD, 99, False, False),
    "a point failed and the kernel log has trouble": (BAD, 99, False, False),
    "no plan": ("ok 1 - one\n", 0, False, False),
    "a point is missing": ("ok 1 - one\n1..2\n", 0, False, False),
    "a point too many": ("ok 1 - one\nok 2 - two\n1..1\n", 0, False, False),
    "nothing ran": ("1..0\n", 0, False, False),
    "nothing was said": ("", 0, False, False),
    "two programs, one after the other": (GOOD + "ok 1 - three\n1..1\n", 0, True, True),
    "the second gave up": (GOOD + "ok 1 - three\nBail out! why\n", 1, False, False),
}


def ends(out):
    for name, (output, status, host, whole) in ENDS.items():
        result = hostrun.Result(status, output, ERRORS)
        fault, why = result.fault(), result.why()
        out.ok((fault is None, why is None) == (host, whole) and all(ERRORS in x for x in (fault, why) if x),
               f"{name}: {'good' if whole else 'a failed point' if host else 'bad'}", f"{fault}\n{why}")


class Job:
    """Runs until others do what it expects."""
    now, most, began, change = 0, 0, [], threading.Condition()

    def __init__(self, name, room=1, awaits=1):
        self.name, self.room, self.awaits = name, room, awaits

    def run(self):
        with Job.change:
            Job.now += self.room
            Job.most = max(Job.most, Job.now)
            Job.began.append(self.name)
            Job.change.notify_all()
            there = Job.change.wait_for(lambda: len(Job.began) >= self.awaits, 60)
            Job.now -= self.room
        return there


def together(jobs, room, **more):
    """(results by name, most of the room in use, order of the starts)"""
    Job.now, Job.most, Job.began = 0, 0, []
    seen = [(job.name, result) for job, result in hostrun.side_by_side(jobs, room, **more)]
    return seen, Job.most, "".join(Job.began)


def several(out):
    seen, most, _ = together([Job("a", awaits=2), Job("b", awaits=2), Job("c")], 2)
    out.ok(seen == [("a", True), ("b", True), ("c", True)] and most == 2,
           "two at a time, results in the order of the jobs", f"{seen} {most}")
    seen, most, began = together([Job(name) for name in "abc"], 1, first=lambda job: -ord(job.name))
    out.ok([name for name, _ in seen] == list("abc") and began == "cba" and most == 1,
           "started in another order, results in theirs", f"{seen} {began}")
    seen, most, began = together([Job("a", room=2, awaits=2), Job("b", room=2), Job("c")], 3)
    out.ok(began == "acb" and most == 3, "a job that counts as two gets room for two", f"{seen} {began} {most}")
    seen, most, _ = together([Job("a", room=2), Job("b", room=2)], 1)
    out.ok(len(seen) == 2, "and no more room than there is", str(seen))


def arguments(out):
    job = hostrun.Job("6.1", "vendor", "true", ["/x/prog"], 60, props={"lm-pad": 1}, more=("--vfs", 9))
    words = list(job.arguments())
    pairs = list(zip(words, words[1:]))
    out.ok({("--kernel", "6.1"), ("--set", "vendor"), ("--seconds", "60"), ("--prop", "lm-pad=1"),
            ("--prop", "lm-test=on"), ("--vfs", "9"), ("--cpus", "2" if os.environ.get("CHECK_FULL") else "1"), ("--file", "/x/prog"),
            ("--allow", hostrun.FAILS[0])} <= set(pairs), "a job's host gets what the job says", str(words))
    got = [hostrun.Job("6.1", *rest, [], 60, **more).processors()
           for *rest, more in (("standard", "true", {}), ("vendor", "true", {"cpus": 2}), ("standard", "true", {"cpus": 1}))]
    out.ok(got == [2, 2, 1], "and as many processors", str(got))
    words = list(hostrun.Job("6.1", "vendor", "true", [], 60, allow=()).arguments())
    out.ok("--allow" not in words, "and allows nothing else", str(words))


class Monitor:
    """Answers each line with itself, as often as it may."""

    def __init__(self, path, answers):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.thread = threading.Thread(target=self.serve, args=(answers,), daemon=True)
        self.thread.start()

    def serve(self, answers):
        link = self.listener.accept()[0]
        link.sendall(b"greeting\n")
        while True:
            data = link.recv(4096)
            if not data:
                return
            if answers:
                link.sendall(b"of " + data)
                answers -= 1


def frozen_ones(out):
    """a host that does not go on is looked at, however much of it hangs"""
    frozen.QUIET, frozen.PAUSE = 0.2, 0.0
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(["sleep", "600"]) as sleeper:
        def look(name):
            frozen.look(sleeper.pid, f"{folder}/{name}", f"{folder}/text")
            with open(f"{folder}/text", encoding="utf-8") as f:
                return f.read()

        Monitor(f"{folder}/well", 99)
        text = look("well")
        out.ok(all(text.count(f"of {line}\n") == 2 for line in frozen.ASK) and f"thread {sleeper.pid} " in text
               and "(sleep) S" in text, "what a host was doing: processors twice, and threads", text)
        Monitor(f"{folder}/hangs", 0)
        text = look("hangs")
        out.ok("greeting" in text and "of info" not in text and f"thread {sleeper.pid} " in text,
               "the emulator's monitor hangs: threads", text)
        text = look("nothing")
        out.ok("does not answer" in text and f"thread {sleeper.pid} " in text, "there is no monitor: threads", text)
        sleeper.kill()
        sleeper.wait()
        out.ok("thread" not in look("nothing"), "the process has ended", look("nothing"))


def in_turn(out):
    run = os.environ.pop("RIG_RUN", None)
    out.ok(turns.take() is None, "by hand no host waits for its turn")
    with tempfile.TemporaryDirectory() as os.environ["RIG_RUN"]:
        held = [turns.take() for _ in range(turns.most())]
        waits = threading.Thread(target=lambda: held.append(turns.take()))
        waits.start()
        waits.join(1)
        early = not waits.is_alive()
        held[0].close()
        waits.join(30)
        out.ok(all(held) and not early and not waits.is_alive(), "in a run it waits until another has ended its own",
               f"{held} {early}")
        for turn in held:
            turn.close()
    del os.environ["RIG_RUN"]
    if run:
        os.environ["RIG_RUN"] = run


def main():
    out = tap.Tap()
    merging(out)
    ends(out)
    several(out)
    arguments(out)
    frozen_ones(out)
    in_turn(out)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

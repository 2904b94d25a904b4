#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:base
"""tests/run and tests/rig/run-one, on small files in a checkout made for that: what
files leave running is ended and reported, no signal to any process leaves anything
behind, and the total cost is judged. Every test file is listed in tests/README.md.
RUNNER_ONLY=signals,costs selects parts."""

import contextlib
import fcntl
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

TESTS = os.path.dirname(os.path.abspath(__file__))
RIG = os.path.join(TESTS, "rig")
sys.path.insert(0, RIG)
import budget                                           # noqa: E402
import tap                                              # noqa: E402

PARTS = ("run", "rig/run-one", "rig/offspring.py", "rig/checkout.py", "rig/budget.py", "rig/speed.py", "rig/place.py",
         "rig/needs", "rig/parts", "rig/common.sh")
PASSED = re.compile(r"^All tests successful\.\nFiles=\d+, Tests=\d+, .*\nResult: PASS\n", re.M)
# In the command lines of everything that is started here and might stay.
TOKEN = f"token-{os.getpid()}-{time.monotonic_ns()}"
# As a shell would start it.
PLAIN = ("env", "--default-signal=INT,HUP,TERM")
# How long a process that gets a signal may take to end everything, on a busy machine.
SECONDS = 40
ALL_OF_IT = 4           # processes of "stays" with its word in their command

# Each starts something that is named @TOKEN@ in lists of processes.
FILES = {
    "good": "echo 1..2; echo ok 1; echo ok 2; echo said >&2",
    "made": "echo 1..1; env | grep -q ^MAKE && echo not ok 1 || echo ok 1",
    "shared": "echo 1..1; [ \"$(ps -o sid= -p $$)\" -eq \"$SESSION\" ] || echo -n \"not \"; echo ok 1",
    "bad": "echo ok 1; echo not ok 2; echo 1..2; echo why >&2; exit 1",
    "silent": "echo ok 1; echo not ok 2; echo 1..2",
    "sleeper": "bash -c 'exec -a @TOKEN@ sleep 1000' & echo ok 1; echo 1..1",
    "daemon": "echo ok 1; echo 1..1\n"
              "(setsid bash -c 'exec -a @TOKEN@ sleep 1000' </dev/null >/dev/null 2>&1 & )\nsleep 0.3",
    "stubborn": "(trap '' TERM INT HUP; exec -a @TOKEN@ bash -c 'while :; do sleep 0.2; done') &\n"
                "sleep 0.3; echo ok 1; echo 1..1",
    "new": "touch new; echo ok 1; echo 1..1",
    "ignored": "touch tests/ignored.o; echo ok 1; echo 1..1",
    "changed": "echo >>known; echo ok 1; echo 1..1",
    # each is there while the other is; the file is late's
    "beside": "touch $RIG_RUN/begun; until [ -e new ]; do sleep 0.1; done; sleep 3; echo ok 1; echo 1..1",
    "late": "until [ -e $RIG_RUN/begun ]; do sleep 0.1; done; touch new; echo ok 1; echo 1..1",
    "litter": "echo x >$(mktemp -d)/x; echo ok 1; echo 1..1",
    "folder": "echo ok 1; echo \"# $TMPDIR $RIG_LOG\"; echo 1..1; mkdir -p \"$RIG_LOG/a\"\n"
              "head -c 2000000 /dev/zero >\"$RIG_LOG/a/disk\"; echo x >\"$RIG_LOG/a/dmesg\"",
    # its cost is not its own, nor its child's
    "costly": "(python3 -c 'import time\nwhile time.process_time() < 3: pass\n"
              "open(\"'$TMPDIR'/done\", \"w\")' & )\n"
              "until rm $TMPDIR/done 2>/dev/null; do sleep 0.1; done; sleep 0.3; echo ok 1; echo 1..1",
    "null": "[ \"$(readlink /proc/self/ns/mnt)\" != \"$OUTSIDE\" ] && mount --bind known /dev/null\n"
            "echo ok 1; echo 1..1",
    "mount": "[ \"$(readlink /proc/self/ns/mnt)\" != \"$OUTSIDE\" ] && mkdir $TMPDIR/m &&\n"
             "mount --bind tests $TMPDIR/m\n"
             "echo ok 1; echo 1..1",
    # all that may be left, and then it waits; also when run by hand
    "stays": "[ -n \"${RIG_ONE-}\" ] || exec \"$(dirname \"$0\")/rig/run-one\" \"$0\" \"$@\"\n"
             "(setsid bash -c 'exec -a @TOKEN@ sleep 1000' </dev/null >/dev/null 2>&1 & )\n"
             "bash -c 'trap \"\" TERM INT HUP; exec -a @TOKEN@ bash -c \"while :; do sleep 0.2; done\"' &\n"
             "timeout 999 bash -c 'exec -a @TOKEN@ sleep 1000' &\n"
             "sleep 0.3; touch $READY/@TOKEN@; wait",
}
TABLE = """
| `good.t` | nothing | {good} |
| `costly.t` | nothing | {costly} |
| warm | {warm} |
| from nothing | {nothing} |
| the walk of `rig/speed.py` | {work} |
| the build of `rig/speed.py` | {build} |
"""


def running(token):
    """Command lines with a word in them."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError), open(path, "rb") as f:
            line = f.read().replace(b"\0", b" ").decode(errors="replace")
            if token in line:
                found.append(f"{path.split('/')[2]} {line}")
    return found


def wait_for(what, seconds=SECONDS):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


class Points(list):
    """Results of a part, in its order."""

    def ok(self, *arguments):
        self.append(("ok", arguments))

    def skip(self, *arguments):
        self.append(("skip", arguments))

    def of(self, part, top):
        try:
            part(self, top)
        except Exception:               # a defect here is one more failure
            self.ok(False, f"{part.__name__} runs to its end", traceback.format_exc())
        return self


class Checkout:
    """With the runner and files for it."""

    def __init__(self, top, **table):
        folder = tempfile.mkdtemp(dir=top)
        self.top, self.cache, self.ready = (os.path.join(folder, name) for name in ("top", "cache", "ready"))
        os.makedirs(self.ready)
        os.makedirs(self.cache)
        os.makedirs(os.path.join(self.top, "tests/rig"))
        for name in PARTS:
            shutil.copy(os.path.join(TESTS, name), os.path.join(self.top, "tests", name))
        self.write(".gitignore", "*.o\n__pycache__/\n")
        self.write("known", "known\n")
        table = {"good": 10, "costly": 1, "warm": 1000, "nothing": 2000, "work": "0.050", "build": "0.500", **table}
        self.write("tests/README.md", TABLE.format(**table))
        ours = ("RIG_", "CHECK_", "PYTHON", "HARNESS_")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.env.update(NVME_VFIO_CACHE=self.cache, READY=self.ready, OUTSIDE=os.readlink("/proc/self/ns/mnt"))
        for command in (["init", "-q"], ["add", "."],
                        ["-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", "t"]):
            subprocess.run(["git", "-C", self.top, *command], check=True, stdout=subprocess.DEVNULL)

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.top, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def file(self, name):
        """(path, word in what it starts)"""
        token = f"{TOKEN}-{os.path.basename(os.path.dirname(self.top))}-{name}"
        path = self.write(f"tests/{name}.t", "#!/bin/bash\n" + FILES[name].replace("@TOKEN@", token) + "\n", 0o755)
        return path, token

    def start(self, names, *options, before=(), prefix=(), **env):
        paths = [self.file(name)[0] for name in names]
        return subprocess.Popen([*PLAIN, *prefix, os.path.join(self.top, "tests/run"), *options, *before, *paths],
                                cwd=self.top, env={**self.env, **env}, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *names, options=(), **more):
        """(exit status, output, output of errors, {file: what the runner wrote})"""
        process = self.start(names, *options, **more)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err, self.results(out)

    def results(self, out):
        where = re.findall(r"^logs: (.*)$", out, re.M)
        if not where:
            return {}
        with open(os.path.join(where[0], "results"), encoding="utf-8") as f:
            return {os.path.basename(r["file"])[:-2]: r for r in map(json.loads, f)}


def text(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except OSError as e:
        return str(e)


def endings(out, top):
    c = Checkout(top)
    status, said, err, results = c.run("good")
    out.ok(status == 0 and PASSED.search(said) and "good.t failed" not in said and results["good"]["status"] == 0
           and "said" in err, "a good file passes, in prove's words", f"{status}\n{said}{err}")
    status, said, err, results = c.run("good", "bad", "silent")
    bad = results.get("bad", {"folder": ""})
    out.ok(status == 1 and "Result: FAIL" in said and "good.t failed" not in said
           and all(f"tests/{n}.t failed: {results[n]['folder']}\n" in said for n in ("bad", "silent")),
           "a bad one fails with prove's status, and where its logs are is told", f"{status}\n{said}{err}")
    out.ok("not ok 2" in said.partition("bad.t failed: ")[2], "and at the end which of its points failed", said)
    out.ok("not ok 2" in text(f"{bad['folder']}/tap") and "why" in text(f"{bad['folder']}/stderr"),
           "what it said is there", bad["folder"])
    status, said, err, _ = c.run("made", MAKEFLAGS=" -- TESTS=tests/made.t", MAKELEVEL="1")
    out.ok(status == 0, "variables of make are not passed on to builds of tests", f"{status}\n{said}{err}")
    status, said, err, _ = c.run("shared", SESSION=str(os.getsid(0)))
    out.ok(status == 0, "all files are in one session, and share the processors thread by thread",
           f"{status}\n{said}{err}")
    process = c.start([], before=["tests/no-such.t"])
    said, err = process.communicate(timeout=60)
    out.ok(process.returncode == 2 and err.count("\n") == 1 and "no-such.t" in err and not said,
           "a file that is not there: one line, exit status 2", f"{process.returncode} {said}{err}")
    status, said, err, results = c.run("folder")
    tmp, log = re.findall(r"^# (\S+) (\S+)$", text(results["folder"]["folder"] + "/tap"), re.M)[0]
    out.ok(status == 0 and len(tmp) <= 80 and not os.path.exists(tmp) and text(f"{log}/a/dmesg") == "x\n"
           and not os.path.exists(f"{log}/a/disk"),
           "its temporary files have a short path and go; logs stay, what is large does not",
           f"{tmp} {log}\n{said}{err}")
    status, said, err, _ = c.run("litter")
    out.ok(status == 0 and "left temporary files, now removed: tmp." in err,
           "temporary files that are left: a note", f"{status}\n{said}{err}")


def leftovers(out, top):
    for name in ("sleeper", "daemon", "stubborn"):
        c = Checkout(top)
        status, said, err, results = c.run(name)
        left = running(c.file(name)[1])
        out.ok(status == 1 and results[name]["status"] == 0 and not left and "test returned 3" in said + err
               and f"# tests/{name}.t: left running, now ended: " in err and "failed: " in said,
               f"a process is left ({name}): the file fails, it is named and ended",
               f"{status} {left}\n{said}{err}")


def checkouts(out, top):
    for name, path in (("new", "new"), ("ignored", "tests/ignored.o"), ("changed", "known")):
        c = Checkout(top)
        status, said, err, _ = c.run(name, "good", options=["--jobs", "1"])
        out.ok(status == 1 and f"tests/{name}.t: changed in the checkout by it: {path}\n" in err
               and "good.t failed" not in said, f"a file of the checkout is {name}: it is named",
               f"{status}\n{said}{err}")
    c = Checkout(top)
    status, said, err, _ = c.run("beside", "late", options=["--jobs", "2"])
    out.ok(status == 1 and "tests/late.t: changed in the checkout by one of late, beside: new\n" in err
           and "beside.t failed" not in said, "two side by side: it was one of them, told once",
           f"{status}\n{said}{err}")


def machine(out, top):
    """Mounts, in a namespace of their own."""
    apart = ["unshare", "--mount", "--propagation", "private"] + ["--map-root-user"] * bool(os.getuid())
    if subprocess.run([*apart, "true"], check=False, stderr=subprocess.DEVNULL).returncode:
        for name in ("/dev/null", "mounted"):
            out.skip(f"{name} is seen", "no name spaces for mounts here")
        return
    c = Checkout(top)
    status, said, err, _ = c.run("null", prefix=apart)
    out.ok(status == 1 and "tests/null.t: /dev/null is no longer" in err, "a different /dev/null is noticed",
           f"{status}\n{said}{err}")
    status, said, err, _ = c.run("mount", prefix=apart)
    out.ok(status == 1 and "tests/mount.t: left mounted: " in err and os.path.exists(f"{c.top}/tests/run"),
           "what is left mounted is seen, and not removed", f"{status}\n{said}{err}")
    bind = 'mount --bind known /dev/null && exec "$@"'
    process = c.start(["good"], prefix=[*apart, "bash", "-c", bind, "sh"])
    said, err = process.communicate(timeout=60)
    out.ok(process.returncode == 2 and not said and err.count("\n") == 1 and "mknod" in err,
           "with another /dev/null nothing is begun", f"{process.returncode}\n{said}{err}")


def find(process, word):
    """The process below another that runs the script with this name."""
    out = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in out.splitlines()]
    parents, match = {process}, None
    for _ in range(6):
        for pid, parent, line in (r for r in rows if len(r) == 3):
            if int(parent) in parents:
                parents.add(int(pid))
                if word in line.split()[1:2]:
                    match = int(pid)
    return match


# who gets which signal, and the runner's exit status if that is defined
SIGNALS = [("run", "TERM", -15), ("run", "INT", -2), ("run", "HUP", -1), ("run", "KILL", -9),
           ("/usr/bin/prove", "TERM", 143), ("/usr/bin/prove", "KILL", 137),
           ("tests/rig/run-one", "TERM", 1), ("tests/rig/run-one", "KILL", 1),
           ("by hand", "TERM", 143), ("by hand", "INT", 130),
           ("by hand", "KILL", -9)]


def signalled(case, c):
    who, name, expected = case
    path, token = c.file("stays")
    if who == "by hand":
        process = subprocess.Popen([*PLAIN, path], cwd=c.top, env={**c.env, "TMPDIR": c.ready}, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    else:
        process = c.start(["stays"], TMPDIR=c.ready)     # a killed run-one does not remove its own
    if not wait_for(lambda: os.path.exists(f"{c.ready}/{token}") and len(running(token)) >= ALL_OF_IT):
        before = running(token)
        process.kill()
        return f"only these had been started: {before} {process.communicate()}"
    pid = process.pid if who in ("run", "by hand") else find(process.pid, who)
    begun = time.monotonic()
    os.kill(pid, signal.Signals["SIG" + name])
    process.wait(SECONDS)
    if not wait_for(lambda: not running(token)):
        return f"left: {running(token)}"
    took = time.monotonic() - begun
    process.stdout.close()
    if who == "by hand" and not wait_for(lambda: not glob.glob(c.ready + "/nv*"), 5):
        return f"temporary files are left: {glob.glob(c.ready + '/nv*')}"
    if expected is not None and process.returncode != expected:
        return f"exit status {process.returncode}, not {expected}"
    return "" if took < SECONDS / 2 else f"took {took:.1f} s"


def signals(out, top):
    checkouts_ = [Checkout(top) for _ in SIGNALS]
    with ThreadPoolExecutor(5) as pool:
        for (who, name, _), why in zip(SIGNALS, pool.map(signalled, SIGNALS, checkouts_)):
            out.ok(not why, f"SIG{name} to {who}: nothing is left running", why)


def costs(out, top):
    c = Checkout(top, warm=1)
    status, said, err, results = c.run("good", "costly", options=["--whole"])
    out.ok(results["costly"]["cpu"] > 2, "the cost of detached processes is counted", str(results["costly"]))
    out.ok(status == 1 and PASSED.search(said) and "over its budget: tests/costly.t" in said
           and "over its budget: tests/good.t" not in said and "\nFAIL: over the budget" in said,
           "over the budget of the whole: it fails, and the file is named", f"{status}\n{said}{err}")
    out.ok(re.search(r"^slowest of 2 files .*\ntests/costly\.t +\d+\.\d +\d+\.\d +\d\.\d\d +1\n"
                     r"tests/good\.t +\d+\.\d +\d+\.\d +\d\.\d\d +10\n", said, re.M),
           "the slowest are told with what they took", said)
    status, said, err, _ = c.run("costly")
    out.ok(status == 0 and "FAIL" not in said and "over its" not in said, "a part is not judged",
           f"{status}\n{said}{err}")
    status, said, err, _ = c.run("costly", options=["--whole"], CHECK_FULL="1")
    out.ok(status == 0 and "FAIL" not in said, "nor is CHECK_FULL=1", f"{status}\n{said}{err}")
    with open(f"{c.cache}/setup.times", "w", encoding="ascii") as f:
        f.write("0m1.000s 0m0.500s\n2m0.000s 0m30.250s\n")
    status, said, err, _ = c.run("costly", options=["--whole"])
    whole = r"^the whole: 15\d CPU s, 152 of them for set-up, .* times as fast .*; 2000 are allowed from nothing"
    out.ok(status == 0 and re.search(whole, said, re.M), "after a set-up that built, more is allowed",
           f"{status}\n{said}{err}")
    for work, warm, fails in (("0.0001", 2, False), ("9.0000", 20, True)):
        c = Checkout(top, warm=warm, work=work, build=work)
        status, said, err, _ = c.run("costly", options=["--whole"])
        out.ok(status == int(fails) and ("FAIL" in said) == fails and ("over its budget" in said) == fails,
               "a machine that is " + ("faster is allowed less" if fails else "slower is allowed more"), f"{status}\n{said}{err}")
    c = Checkout(top, warm="?")
    process = c.start(["good"])
    said, err = process.communicate(timeout=60)
    out.ok(process.returncode == 2 and err.count("\n") == 1 and "README.md" in err,
           "no table: one line, exit status 2", f"{process.returncode}\n{said}{err}")


def logs(out, top):
    c = Checkout(top)
    old = [os.path.join(c.cache, "log", f"check-old{n}") for n in range(11)]
    for n, path in enumerate(old):
        os.makedirs(path)
        os.utime(path, (n, n))
    with open(old[0] + "/lock", "w", encoding="ascii") as lock:
        os.utime(old[0], (0, 0))
        fcntl.flock(lock, fcntl.LOCK_EX)
        c.run("good")
    left = sorted(os.listdir(os.path.join(c.cache, "log")))
    out.ok(len(left) == 9 and "check-old0" in left and "check-old10" in left and "check-old3" not in left,
           "old runs are removed, but none that goes on", " ".join(left))
    ask = [sys.executable, "-c", "import host; host.LOGS = 1; print(host.new_log()); print(host.new_log())"]
    env = {**c.env, "PYTHONPATH": RIG, "PYTHONDONTWRITEBYTECODE": "1"}
    alone = subprocess.run(ask, env=env, capture_output=True, text=True, check=False).stdout.split()
    within = subprocess.run(ask, env={**env, "RIG_LOG": c.top + "/hosts"}, capture_output=True, text=True,
                            check=False).stdout.split()
    out.ok(len(within) == 2 and all(p.startswith(c.top + "/hosts/") for p in within)
           and len(alone) == 2 and all(p.startswith(c.cache + "/log/") for p in alone)
           and set(left) <= set(os.listdir(os.path.join(c.cache, "log"))),
           "hosts' logs are below those of their test; alone they leave those of runs", f"{within} {alone}")


def hosts(out, top):
    """A host whose QEMU only waits."""
    token = f"{TOKEN}-qemu"
    folder = os.path.join(top, "qemu")
    os.makedirs(folder)
    with open(f"{folder}/qemu-system-x86_64", "w", encoding="ascii") as f:
        f.write(f"#!/bin/bash\nexec -a {token} sleep 1000\n")
    os.chmod(f.name, 0o755)
    env = {**os.environ, "RIG_QEMU": folder, "RIG_LOG": os.path.join(top, "hosts")}
    command = f"{RIG}/host --kernel 6.12 --driver vfio-pci -- true; :"
    parent = subprocess.Popen([*PLAIN, "bash", "-c", command], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    there = wait_for(lambda: running(token) or parent.poll() is not None, 120) and parent.poll() is None
    parent.kill()
    parent.wait()
    gone = wait_for(lambda: not running(token), 10)
    out.ok(there and gone, "a host ends with its starter, and its QEMU with it",
           f"{running(token)} {'' if there else parent.stdout.read()}")
    for sockets in glob.glob(tempfile.gettempdir() + "/rig*"):
        shutil.rmtree(sockets)          # of the killed host; everything there is ours


def table(out):
    stands = set(budget.Budget(os.path.join(TESTS, "README.md")).files)
    there = {os.path.basename(path) for path in glob.glob(TESTS + "/*.t")}
    out.ok(stands == there, "every test file is listed in tests/README.md, and nothing else",
           f"not there: {sorted(there - stands)}, no file: {sorted(stands - there)}")


def main():
    if "RIG_ONE" not in os.environ:
        os.execv(RIG + "/run-one", [RIG + "/run-one", *sys.argv])
    out = tap.Tap()
    table(out)
    # the long ones first
    parts = (signals, costs, leftovers, endings, checkouts, machine, logs, hosts)
    only = os.environ.get("RUNNER_ONLY", "").split(",")
    parts = [part for part in parts if part.__name__ in only or not only[0]]
    with tempfile.TemporaryDirectory() as top, ThreadPoolExecutor(3) as pool:
        for points in pool.map(lambda part: Points().of(part, top), parts):
            for kind, arguments in points:
                getattr(out, kind)(*arguments)
        # it has been told, and must not stay because the runner is wrong
        while left := running(TOKEN):
            for line in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(line.split()[0]), signal.SIGKILL)
            time.sleep(0.1)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

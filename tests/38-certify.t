#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.1 kernel:6.12 model packages:tool
# Needs, CHECK_FULL=1: kernel:7.3
"""nvme-vfio certify: the model passes all rules where it conforms; each way in which
it can break the standard breaks exactly the rules about it. It refuses a drive that
is in use, leaves nothing suspended or tracked however it ends, and --recover restores
what it could not. docs/certify.md lists all rules.

CERTIFY="kinds lies ways others" selects parts. CHECK_FULL=1 adds all kinds of drives that
conform, on 6.1 and 7.3, and all rules for each lie. CERTIFY_KERNELS="7.3" selects
kernels, CERTIFY_DRIVES="hostile" kinds of drives, with both command sets.
"""

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys

TESTS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(TESTS, "rig"))
import host as rig                                      # noqa: E402
import hostrun                                          # noqa: E402
import personality                                      # noqa: E402
import place                                            # noqa: E402
import tap as tapfile                                   # noqa: E402

FULL = bool(os.environ.get("CHECK_FULL"))
ONLY = os.environ.get("CERTIFY", "").split()
KERNELS = os.environ.get("CERTIFY_KERNELS", "6.1 7.3" if FULL else "6.1").split()
DRIVES = os.environ.get("CERTIFY_DRIVES", "").split()
SECONDS = 3000
OK, USAGE, NODEV, INUSE, BROKEN, UNFIT = 0, 2, 3, 4, 10, 11
# What many moves would also show.
ROUNDS = "--rounds 2"

MOVES = {"state-own", "state-moves", "state-moves-full", "endure-rounds", "speed-loaded"}
READS = {"state-stable", "state-pieces", "state-get-operands", "state-stays", "state-own", "state-moves",
         "state-moves-full", "state-small-pieces", "state-order", "state-gap", "state-half", "state-half-reset",
         "state-corrupt", "state-set-operands", "iso-others", "fault-disabled", "fault-loaded", "endure-rounds",
         "speed-idle", "speed-loaded"}
REPORTS = {"track-all", "track-cleared", "track-parts", "track-suspended", "track-twice"}

# The rules that each lie breaks. A drive that does not answer is not asked any further.
LIES = {
    "lie-lose-cqe": MOVES | {"state-small-pieces"},
    "lie-double-cqe": MOVES | {"fault-disabled", "speed-idle"},
    "lie-forget-page": {"track-all", "track-parts", "track-suspended"},
    "lie-csup-clear": READS,
    "lie-report-without-end": REPORTS,
    "lie-huge-state": READS,
    "lie-report-overflow": REPORTS,
}
# What it loses may be an event request, which not all of these rules miss.
CHANCE = "lie-lose-cqe"
# Each breaks the same rules as another lie, or is found by the same rule.
ALIKE = {"lie-double-cqe", "lie-huge-state", "lie-report-without-end", "lie-report-overflow"}
# And of the ways in which a drive may be worse than it has to be; and rules that also
# find it if a completion comes at the right moment.
WORSE = {
    "lm-resume-irq=off": ({"susp-interrupts"}, {"susp-basic", "susp-in-flight", "susp-full-queues"}),
    "lm-suspend-waits=cq": ({"susp-full-at-once"}, set()),
}


class Bed:
    def __init__(self, host):
        self.host = host

    def tool(self, words):
        """(exit status, standard output, lines of standard error)"""
        status, _ = self.host.finish(self.host.begin(f"nvme-vfio {words} >/share/o 2>/share/e"), 1200)
        text = []
        for name in "oe":
            with open(os.path.join(self.host.share, name), encoding="utf-8", errors="replace") as f:
                text.append(f.read())
        return status, text[0], text[1].splitlines()

    def sh(self, command):
        return self.host.run(command, 300)

    def model(self, text):
        self.sh(f"nvadm $PF0_DEV model-set '{text}'")

    def report(self):
        return self.sh("nvadm $PF0_DEV model-get")

    def broken(self, words):
        """({broken rules}, the report, why there is none)"""
        status, out, err = self.tool(f"certify --json {words} $PF0")
        try:
            report = json.loads(out)
            rules = {r["rule"]: r for r in report["rules"]}
        except (ValueError, KeyError) as e:
            return set(), {}, f"{status} {out} {err}: {e}"
        return {name for name, r in rules.items() if r["result"] == "fail"}, report, ""


def host_of(program, kernel, command_set, props, allow=(), cmdline=""):
    kern = place.kernel(kernel)
    driver = None if kernel == "6.1" else place.driver(kern)
    return rig.Host(kernel, command_set, cpus=1, pfs=1, driver=driver, files={"bin/nvme-vfio": program},
                    props={"lm-test": "on", **props}, seconds=SECONDS, allow=allow, cmdline=cmdline)


def whole(tap, bed, title, words, want, set_name, may=frozenset()):
    broken, report, why = bed.broken(words)
    if title.startswith(CHANCE) and broken:
        may = may | want - broken
        want = want & broken
    if not tap.ok(not why and broken - may == want, f"{title}: broken rules: {', '.join(sorted(want)) or 'none'}",
                  why or "\n".join(f"{r['rule']}: {r['reason']}" for r in report["rules"]
                                   if (r["result"] == "fail") != (r["rule"] in want) and r["rule"] not in may)):
        return
    results = {r["result"] for r in report["rules"]}
    # a drive that can do everything is asked about everything
    odd = [(r["rule"], r["reason"]) for r in report["rules"]
           if r["result"] != "pass" and (not r["reason"] or r["result"] == "skip" and title.startswith("kind")
                                         and r["reason"] != "for the other command set")]
    tap.ok(report["complete"] and report["command_set"] == set_name and results <= {"pass", "fail", "skip"}
           and not odd, f"{title}: whole, and each skip has a reason", odd or report)
    left = [line for line in bed.report().splitlines()
            if re.search(r"^vf\.\d+=(?!running|offline)|\.tracked=|\.sequence=open", line)]
    tap.ok(not left, f"{title}: nothing is left suspended, tracked or half loaded", left)


def kinds(tap, program):
    for kernel in KERNELS:
        for name in personality.conforming():
            if name not in DRIVES if DRIVES else name.startswith("hostile") and not FULL:
                continue
            for set_name in personality.sets(name):
                if name == "minimal" and set_name == "vendor" and not FULL and not DRIVES:
                    continue
                props = {k: v for k, v in personality.properties(name).items() if k != "lm"}
                with host_of(program, kernel, set_name, props) as host:
                    host.setup_vfs(2)
                    bed = Bed(host)
                    want = set() if name == "kind" else {"disc-transfer"}
                    if name.startswith("hostile"):
                        want |= {"susp-full-at-once", "disc-track-pages"} if set_name == "standard" else {"susp-full-at-once"}
                    words = f"{ROUNDS} --destroy-data 1" if name == "kind" else ROUNDS
                    whole(tap, bed, f"{name}, {kernel} {set_name}", words, want, set_name)


def lies(tap, program):
    """The last two are drives that no longer do what they say, or nothing at all, and
    are not asked any further."""
    with host_of(program, "6.1", "standard", {}, hostrun.TIMEOUT, " nvme_core.admin_timeout=20") as host:
        host.setup_vfs(2)
        bed = Bed(host)
        for name, want in LIES.items():
            if name in ALIKE and not FULL:
                continue
            for line in (f"{k}={v}" for k, v in personality.properties(name).items()):
                bed.model(line)
            only = "track-*" if want <= REPORTS else "state-*"
            if FULL:
                whole(tap, bed, name, ROUNDS, want, "standard")
            else:
                whole(tap, bed, f"{name}, {only}", f"--only '{only}'", set(fnmatch.filter(want, only)), "standard")
            bed.model("lm-reset-knobs=1")
        for line, (want, may) in WORSE.items():
            bed.model(line)
            whole(tap, bed, line, f"{ROUNDS} --only 'susp-*'", want, "standard", may)
            bed.model("lm-reset-knobs=1")
        bed.model("lm-lie=deaf")
        status, _, err = bed.tool("certify --tap --only 'susp-basic' $PF0")
        tap.ok(status in (UNFIT, BROKEN) and err, "lie-deaf: found by susp-basic", f"{status} {err}")
        bed.model("lm-reset-knobs=1")
        bed.model("lm-suspend-waits=ever")
        status, out, err = bed.tool("certify --tap --only 'susp-*' $PF0")
        tap.ok(status == BROKEN and "not ok 1 - susp-basic" in out and "ok 2" not in out
               and re.search("^Bail out!", out, re.M) and len(err) == 1 and "Suspend" in err[0] and "reset_controller" in err[0] and "--recover" in err[0],
               "lie-suspend-ever: found by the first rule that suspends, nothing more is asked, and it is said what helps",
               f"{status} {out} {err}")
        bed.model("lm-reset-knobs=1")


def ways(tap, program):
    """Ways to call it, and how it ends."""
    with host_of(program, "6.12", "standard", {}) as host:
        host.setup_vfs(2)
        bed = Bed(host)

        def refused(name, words, code, text):
            status, out, err = bed.tool(f"certify {words}")
            tap.ok(status == code and text in "\n".join(err), f"{name}: {code}", f"{status} {out} {err}")

        refused("no PF", "", USAGE, "which PF?")
        refused("a VF", "$PF0_VF1", NODEV, "")
        refused("no such rule", "--only nonsense $PF0", USAGE, "--rules")
        refused("one VF twice", "--vf $PF0_VF1 --vf $PF0_VF1 $PF0", USAGE, "twice")
        refused("a PF as a VF", "--vf $PF0 $PF0", NODEV, "not a VF")
        bed.sh("mkdir -p /mnt; (sleep 1000 <$(ls /dev/nvme*n1 | head -n 1) & echo $! >/tmp/user) >/dev/null 2>&1; sleep 0.3;"
               "mkfs.ext4 -q $(ls /dev/nvme*n1 | head -n 1) 2>/dev/null; true")
        bed.sh("(sleep 1000 </dev/vfio/$(basename $(readlink /sys/bus/pci/devices/$PF0_VF2/iommu_group)) &"
               "echo $! >/tmp/other) >/dev/null 2>&1; sleep 0.3")
        refused("a drive of which a VF is in use", "$PF0", INUSE, "--shared")
        status, out, err = bed.tool("certify --shared --only susp-basic --tap $PF0")
        tap.ok(status == OK and "ok 1 - susp-basic" in out and any("in use" in line for line in err),
               "--shared goes on, with a warning", f"{status} {out} {err}")
        bed.sh("kill $(cat /tmp/user) $(cat /tmp/other); sleep 0.3")

        # killed while a VF is suspended and tracked
        bed.model("lm-command-us=300000")
        bed.sh("(nvme-vfio certify --only track-suspended $PF0 & echo $! >/tmp/tool) >/dev/null 2>&1;"
               "while ! nvadm $PF0_DEV model-get | grep -q '^vf.[0-9]*=suspended'; do sleep 0.05; done;"
               "kill -9 $(cat /tmp/tool); sleep 1")
        bed.model("lm-command-us=0")
        status, _, err = bed.tool("certify --recover $PF0")
        left = [line for line in bed.report().splitlines() if re.search(r"^vf\.\d+=suspend|\.tracked=", line)]
        tap.ok(status == OK and not err and not left, "--recover after a SIGKILL", f"{status} {err} {left}")
        status, out, err = bed.tool("certify --only 'susp-*' --tap $PF0")
        tap.ok(status == OK and "not ok" not in out, "and the drive is a good one", f"{status} {out} {err}")

        # interrupted, it restores everything by itself
        bed.sh("(nvme-vfio certify --only 'endure-*' --rounds 1000 $PF0 & echo $! >/tmp/tool) >/tmp/o 2>&1; sleep 3;"
               "kill -INT $(cat /tmp/tool); for i in $(seq 600); do grep -q nvme-vfio: /tmp/o && break; sleep 0.1; done")
        left = [line for line in bed.report().splitlines() if re.search(r"^vf\.\d+=suspend|\.tracked=", line)]
        tap.ok(not left and "interrupted" in bed.sh("cat /tmp/o"), "an interrupt leaves nothing suspended",
               f"{left} {bed.sh('cat /tmp/o')}")
        tap.ok("certify" not in bed.sh("ls /run/nvme-vfio"), "and no record", bed.sh("ls /run/nvme-vfio"))
        status, out, err = bed.tool("certify --only 'susp-basic' $PF0")
        tap.ok(status == OK and re.search(r"^susp-basic +pass", out, re.M), "a table", f"{status} {out} {err}")


# nvme-cli's commands and their statuses that a rule is about. @ is a VF's controller
# identifier. It has no command for the tracking of memory.
SEND, RECEIVE = "migration-send", "migration-recv"
SUSPEND, RESUME = f"{SEND} --sel=0 --stype=1 --cntlid=", f"{SEND} --sel=1 --cntlid="
GET = f"{RECEIVE} --sel=0 --numd=11 --output-format=binary --output-file=/tmp/state --cntlid="
BY_NVME_CLI = {
    "susp-basic": ((SUSPEND + "@", 0), (RESUME + "@", 0)),
    "susp-running": ((RESUME + "@", 0x13a),),
    "susp-twice": ((SUSPEND + "@", 0), (SUSPEND + "@", 0), (RESUME + "@", 0), (RESUME + "@", 0x13a)),
    "susp-operands": ((SUSPEND + "0xfff0", 0x11f), (RESUME + "0xfff0", 0x11f)),
    "susp-reserved": ((f"{SEND} --sel=0 --stype=5 --cntlid=@", 0x002), (RESUME + "@", 0x13a)),
    "susp-notify": ((f"{SEND} --sel=0 --stype=0 --cntlid=@", 0), (RESUME + "@", 0x13a)),
    "state-running": ((GET + "@", 0),),
    "state-get-operands": ((GET + "0xfff0", 0x11f), (GET + "@ --csvi=200", 0x002), (GET + "@ --csuuidi=200", 0x002),
                           (GET + "@ --offset=0x100000000", 0x002)),
}


def independent(tap, program):
    """A program by others gets the same answers, where it can ask."""
    asked = subprocess.run([os.path.join(place.RIG, "nvme-cli")], capture_output=True, text=True, check=False)
    if not tap.ok(not asked.returncode, "an nvme-cli with migration commands is available", asked.stderr[-2000:]):
        return
    with host_of(program, "6.12", "standard", {}) as host:
        host.setup_vfs(2)
        bed = Bed(host)
        shutil.copytree(asked.stdout.strip(), os.path.join(host.share, "nvme-cli"))
        vf = 1
        for rule, commands in BY_NVME_CLI.items():
            wrong = []
            for words, want in commands:
                verb, _, more = words.replace("@", str(vf)).partition(" ")
                said = bed.sh(f"/share/nvme-cli/nvme lm {verb} $PF0_DEV {more} 2>&1; echo exit $?")
                got = re.search(r"NVMe status: .*\((0x[0-9a-f]+)\)", said)
                got = int(got[1], 16) & 0x7ff if got else 0 if "exit 0" in said else said
                if got != want:
                    wrong.append(f"{verb} {more}: {got:#x}, not {want:#x}" if isinstance(got, int) else got)
            broken, report, why = bed.broken(f"--only {rule}")
            told = not why and not broken and [r["result"] for r in report["rules"] if r["rule"] == rule] == ["pass"]
            tap.ok(not wrong and told, f"{rule}: nvme-cli's answers are those of the rule", f"{wrong} {report} {why}")


def rules_are_told(tap, program):
    run = subprocess.run([program, "certify", "--rules", "--json"], capture_output=True, text=True, check=False)
    told = {r["rule"]: (r["severity"], r["title"], r["section"]) for r in json.loads(run.stdout)["rules"]}
    with open(os.path.join(TESTS, "../docs/certify.md"), encoding="utf-8") as f:
        rows = {m[1]: (m[2], m[3], m[5]) for m in
                re.finditer(r"^\| `([\w-]+)` \| (\w+) \| (.*?) \| (.*?) \| (.*?) \|$", f.read(), re.M)}
    tap.ok(told == rows, "docs/certify.md has each rule, its severity, title and section",
           sorted(set(told.items()) ^ set(rows.items())))
    named = set().union(*LIES.values(), *(a | b for a, b in WORSE.values()))
    tap.ok(named <= set(told), "the rules that this test names exist", named - set(told))


PARTS = {"kinds": (kinds,), "lies": (lies,), "ways": (ways,), "others": (independent,)}


def main():
    tap = tapfile.Tap()
    (program,), why = place.all_built("nvme-vfio-checked")
    if not tap.ok(not why, "the tool builds", why):
        return tap.done()
    rules_are_told(tap, program)
    if not FULL:
        tap.skip("hostile drives, minimal with the vendor set, 7.3, four lies, and all rules for each lie", "CHECK_FULL=1")
    for name, runs in PARTS.items():
        if ONLY and name not in ONLY:
            continue
        for run in runs:
            try:
                run(tap, program)
            except rig.Trouble as e:
                tap.ok(False, f"{run.__name__}: the host", e)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())

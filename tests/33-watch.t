#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.12 model packages:tool
"""What "nvme-vfio watch" shows of a migration from one VF to another in a host, in each
of its three forms. It leaves nothing behind, however it ends."""

import json
import os
import sys

TESTS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(TESTS, "rig"))
import host as rig                                      # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402

KERNEL = os.environ.get("WATCH_KERNEL", "6.12")
MIGRATE = "vf-test --set standard --only 'one migration'"
INSTANCES = "ls /sys/kernel/tracing/instances"


class Watch:
    """The tool at work in the host, and what it has printed."""

    def __init__(self, host, words):
        self.host = host
        self.words = words

    def __enter__(self):
        host = self.host
        host.run("rm -f /tmp/pid")
        self.job = host.begin(f"echo $$ >/tmp/pid; exec {self.words}")
        host.run("wait_for 60 sh -c 'grep -q 1 "
                 "/sys/kernel/tracing/instances/nvme-vfio-$(cat /tmp/pid)/events/nvme_vfio/enable'")
        return self

    def end(self, signal):
        self.host.run(f"kill -{signal} $(cat /tmp/pid)")
        self.status, self.text = self.host.finish(self.job, 60)
        self.job = None

    def __exit__(self, kind, value, trace):
        if self.job and not kind:
            self.end("TERM")


def as_json(out, host):
    with Watch(host, "nvme-vfio watch --json") as w:
        host.run(MIGRATE, 300)
    why = ""
    try:
        events = [json.loads(line) for line in w.text.splitlines()]
    except ValueError as e:
        return out.ok(False, "json: one object per line", f"{e}: {w.text}")
    vfs = {}
    for e in events:
        vfs.setdefault(e["vf"], []).append(e)
    last = {e["role"]: e for v in vfs.values() for e in v if e["role"]}
    arcs = {r: [e["to"] for e in vfs[last[r]["vf"]] if e["event"] == "arc"] for r in last}
    if w.status or set(last) != {"source", "destination"} or len(vfs) != 2:
        why += f"exit status {w.status}, roles {last}\n"
    elif arcs["source"][:3] != ["RUNNING_P2P", "STOP", "STOP_COPY"] or \
            arcs["destination"][-2:] != ["RUNNING_P2P", "RUNNING"] or \
            "RESUMING" not in arcs["destination"]:
        why += f"arcs: {arcs}\n"
    elif not 1000 < last["destination"]["bytes"] <= last["source"]["bytes"] or \
            last["source"]["bytes_exact"] or not last["destination"]["bytes_exact"]:
        why += f"bytes: {last}\n"
    elif not all(last[r]["blackout_us"] > 0 for r in last):
        why += f"blackout: {last}\n"
    elif any(a["blackout_us"] > b["blackout_us"] for v in vfs.values() for a, b in zip(v, v[1:])
             if a["role"] == b["role"] and a["state"] not in ("RUNNING", None)):
        why += "the blackout shrinks\n"
    return out.ok(not why, "json: source and destination, their steps, bytes, a blackout",
                  why + w.text)


def as_lines(out, host):
    with Watch(host, "nvme-vfio watch") as w:
        host.run(MIGRATE, 300)
    lines = w.text.splitlines()
    why = [line for line in lines if ", blackout " not in line or " ms" not in line]
    out.ok(w.status == 0 and not why and any("STOP -> STOP_COPY" in x and "source" in x for x in lines)
           and any("RUNNING_P2P -> RUNNING" in x and "destination" in x for x in lines),
           "no terminal: a line for each event", f"exit status {w.status}: {why}\n{w.text}")


def as_table(out, host):
    with Watch(host, "script -q -c 'echo $$ >/tmp/pid; exec nvme-vfio watch' /dev/null") as w:
        host.run(MIGRATE, 300)
        host.run("sleep 1")
    screens = w.text.split("\033[H\033[J")
    head = [s.split() for s in screens if s.strip()]
    end = screens[-1] if len(screens) > 1 else ""
    out.ok(len(screens) > 5 and head and head[0][:6] == ["VF", "STATE", "ROLE", "BYTES", "BLACKOUT", "FAILED"]
           and head[0][7] == "RUNNING"
           and "source" in end and "destination" in end and "RUNNING" in end,
           "a terminal: a table that is drawn anew", repr(w.text[-2000:]))


def ends(out, host):
    for signal in ("INT", "HUP", "TERM"):
        with Watch(host, "nvme-vfio watch") as w:
            w.end(signal)
        left = host.run(INSTANCES)
        out.ok(w.status == 0 and not left, f"SIG{signal}: ends well, nothing is left", f"{w.status} {left}")
    with Watch(host, "nvme-vfio watch") as w:
        w.end("KILL")
    before = host.run(INSTANCES).split()
    with Watch(host, "nvme-vfio watch") as w:
        between = host.run(INSTANCES).split()
    left = host.run(INSTANCES)
    out.ok(len(before) == 1 and len(between) == 1 and between != before and not left,
           "what a killed one left is removed", f"{before} {between} {left}")
    status, text = host.finish(host.begin("rmmod nvme-vfio-pci; nvme-vfio watch"), 60)
    out.ok(status == 7 and text.count("\n") == 1 and "not loaded" in text,
           "no module: one line, exit status 7", f"{status}: {text}")


def main():
    out = tap.Tap()
    (tool, program), why = place.all_built("nvme-vfio-checked", "vf-test")
    if not out.ok(not why, "tool and vf-test build", why):
        return out.done()
    try:
        with rig.Host(KERNEL, cpus=1, pfs=2, props={"lm-test": "on"}, driver=place.driver(place.kernel(KERNEL)),
                      files={"bin/nvme-vfio": tool, "bin/vf-test": program,
                             "bin/script": "/usr/bin/script"}) as host:
            host.setup_vfs(2)
            as_json(out, host)
            as_lines(out, host)
            as_table(out, host)
            ends(out, host)
        out.ok(True, "host and its kernel log are fine")
    except rig.Trouble as e:
        out.ok(False, "host and its kernel log are fine", str(e))
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

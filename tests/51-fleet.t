#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:base
# Needs, CHECK_FULL=1: kernel:6.1 kernel:6.12 vmm model
"""Guests with 1, 2 and 4 VFs of two drives, with states of 64 KiB and 16 MiB, moved
there and back with verified I/O on each VF: with and without QEMU's channels for the
states of VFs (x-migration-multifd-transfer), switchover-ack, TLS and a limit of
bandwidth, of which any two meet (rig/fleet.py, which says what QEMU 10.0 cannot do). Then 50 round trips of one with 4 VFs,
and 1000 by vf-test.

FLEET="ways trips together" selects parts, FLEET_KERNELS="6.12 standard,..." hosts,
FLEET_TRIPS=NUMBER and FLEET_TOGETHER=NUMBER round trips."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "rig"))
import fleet                                            # noqa: E402
import host as rig                                      # noqa: E402
import hostrun                                          # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402
import verdict                                          # noqa: E402

PARTS = os.environ.get("FLEET", "ways trips together" if os.environ.get("CHECK_FULL") else "").split()
# The first tracks what drives write, and has no PRE_COPY; the second the other way round.
HOSTS = [tuple(x.split()) for x in os.environ.get(
    "FLEET_KERNELS", "6.1 standard,6.12 standard,6.12 vendor").split(",")]
TRIPS = int(os.environ.get("FLEET_TRIPS") or 50)
TOGETHER = int(os.environ.get("FLEET_TOGETHER") or 1000)
MOST = max(fleet.NUMBERS)


def check_trip(out, label, way, r):
    n = r["vfs"]
    bad = [c for c in r["commands"] if verdict.failed(c)] + [a for a in r["arcs"] if a["ret"]]
    moved = [c["vf"] for c in r["commands"] if c["name"] == "Suspend" and c["host"] == r["source"]]
    by_channels = n if way.transfer in ("on", "auto") else 0
    gaps = {name: "/".join(f"{x:.0f}" for x in r.get(name, ())) for name in ("gap_ms", "before_ms", "after_ms")}
    out.ok(r["status"] == "completed" and not bad and len(set(moved)) == n and r["loaded"] == by_channels,
           f"{label}, host {r['source']} to {r['target']}, {r['way']}: {r['state_bytes']} bytes of state, "
           f"{r['loaded']} of {n} by channels, {r['downtime_ms']} ms down by QEMU, {gaps['gap_ms']} ms without I/O: "
           f"{gaps['before_ms']} before Suspend, {r.get('stopped_ms', 0):.0f} to Resume, {gaps['after_ms']} after it",
           f"failed: {bad}\nsuspended: {moved}\n{ {k: v for k, v in r.items() if k not in ('commands', 'arcs')} }")


def check_end(out, label, results):
    for i, r in enumerate(results):
        out.ok(r.totals.get("errors") == 0 and r.clean_end and (r.read_back or 0) > 0
               and r.totals.get("dma_pages") and not r.totals["dma_moved"] and not r.copied,
               f"{label}, VF {i}: {r.totals.get('writes')} writes, {r.totals.get('verified')} blocks and "
               f"{r.totals.get('dma_compared')} pages that only the drive writes: nothing wrong or left in flight",
               r.totals)
    trouble = results[0].guest_trouble + [x for r in results[1:] for x in r.guest_trouble if "ERROR" in x]
    out.ok(not trouble, f"{label}: no timeout, reset, abort or I/O error in the guest", "\n".join(trouble))


def moved(out, kernel, command_set, plan):
    """Guests in a pair of hosts; plan: numbers of VFs and the ways of each one's trips."""
    label, why, log = f"{kernel} {command_set}", "", ""
    try:
        with fleet.Fleet(kernel, command_set, seconds=1200 + 60 * sum(len(ways) for _, ways in plan)) as hosts:
            log = hosts.log
            for number, ways in plan:
                guest = hosts.start(number)
                for way in ways:
                    check_trip(out, f"{label}, {number} VFs", way, hosts.trip(guest, way))
                check_end(out, f"{label}, {number} VFs", hosts.end(guest))
            out.note(f"{hosts.torn} migrations came to nothing in QEMU's channels, and were made again")
    except rig.Trouble as e:
        why = str(e)
    out.ok(not why, f"{label}: hosts ended well, nothing in their kernel logs", why)
    out.note(f"logs in {log}")


def together(out):
    (program,), why = place.all_built("vf-test")
    if not out.ok(why is None, "vf-test builds", why or ""):
        return
    # the first of several is for trips of guests
    for kernel, command_set in HOSTS[1:] or HOSTS:
        job = hostrun.Job(kernel, command_set, f"vf-test --set {command_set} --together {TOGETHER}", [program],
                          600 + 20 * TOGETHER, f"{kernel} {command_set}",
                          more=("--vfs", 4, "--cmdline", "slab_nomerge"), cpus=2)
        (_, result), = hostrun.side_by_side([job], 1)
        result.say(out)
        why = result.fault()
        out.ok(why is None, f"{job.title}: the host ran to its end, its kernel log is clean", why or "")


def main():
    hostrun.by_run_one()
    out = tap.Tap()
    for part in ("ways", "trips", "together"):
        if part not in PARTS:
            out.skip(f"guests with several VFs: {part}", "CHECK_FULL=1")
    if "ways" in PARTS:
        for kernel, command_set in HOSTS:
            moved(out, kernel, command_set, [(number, fleet.ways(number)) for number in fleet.NUMBERS])
    if "trips" in PARTS:
        kernel, command_set = HOSTS[0]
        ways = fleet.ways(MOST)
        moved(out, kernel, command_set, [(MOST, [ways[i % len(ways)] for i in range(2 * TRIPS)])])
    if "together" in PARTS:
        together(out)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

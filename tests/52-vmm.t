#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:base
# Needs, CHECK_FULL=1: kernel:6.1 kernel:6.12 kernel:7.3 vmm vmm:newest model
"""Guests with a VF, and QEMU of two versions: that of the test bed and the newest that
Debian has for a release. They move from one to the other and back, and stay while QEMU
is replaced on their host (CPR), with I/O in flight; what QEMU's CPR cannot do is shown
by its message. With CHECK_FULL=1; or VMM_CASES="move cpr refused" for some of it."""

import os
import subprocess
import sys
from contextlib import contextmanager

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "rig"))
import cpr                                              # noqa: E402
import guest as guests                                  # noqa: E402
import host as rig                                      # noqa: E402
import hostrun                                          # noqa: E402
import pair as pairs                                    # noqa: E402
import place                                            # noqa: E402
import scenario                                         # noqa: E402
import tap                                              # noqa: E402
import verdict                                          # noqa: E402

OLD, NEW = "qemu", "qemu-newest"
VMMS = ("current", "newest")
SECONDS = 1800
# that both versions know
PC, Q35 = "pc-i440fx-10.0", "pc-q35-10.0"
CORE = "7.3" + place.REBUILT    # with VFIO and iommufd of the kernel's source

# kernel, command set, QEMU of host a and b, trips, what the guest is
MOVES = [
    ("6.1", "standard", (OLD, NEW), 3, {"tracked": True, "machine": PC}),
    ("6.12", "vendor", (NEW, OLD), 2, {"tracked": False, "machine": Q35}),
    (CORE, "standard", (OLD, NEW), 2, {"tracked": True, "machine": PC, "mode": "both"}),
]
# kernel, command set
CPRS = [("6.1", "standard"), ("6.12", "vendor")]
STEPS = ("transfer", "exec", "transfer")

# kernel, mode, QEMU, enable-migration, what it is asked for, what it says, whether the
# guest goes on. By IOMMUFD the kernel wants every memory of the guest to be a file, and
# BARs are none. In the last two QEMU moves the VF's state from the VF to itself: by two
# processes at a time, or by one, but without the reset that a drive wants before it
# takes a state.
REFUSALS = [
    ("6.1", "group", OLD, "off", "transfer", "Could not open '/dev/vfio/", True),
    (CORE, "iommufd", NEW, "off", "transfer", "some memory regions do not support IOMMU_IOAS_CHANGE_PROCESS", True),
    ("6.1", "group", NEW, "auto", "transfer", "Failed setting device state to STOP_COPY", False),
    ("6.1", "group", NEW, "auto", "exec", "load of migration failed", False),
]
# what the driver then says of the VF
LOST = (r"nvme-vfio-pci .*PF command 41h .*failed with status 002h",)

out = tap.Tap()


def move(kernel, command_set, qemus, trips, more):
    result = scenario.run(kernel, command_set, trips, seconds=SECONDS, vmm=VMMS, qemus=qemus, **more)
    verdict.check(out, result, trips)
    out.ok(len(set(result.qemus)) == 2, f"{result.label}: by QEMU {' and '.join(result.qemus)}, {more['machine']}")


@contextmanager
def guest_on(kernel, command_set, mode, qemu, migration, allow=()):
    with rig.Host(kernel, command_set, vmm=VMMS, memory=1536, cpus=1, seconds=SECONDS, allow=allow,
                  root=guests.files(kernel), driver=pairs.driver_for(kernel)) as host:
        host.setup_vfs(2)
        host.run("echo 1 >/sys/kernel/tracing/events/nvme_vfio/enable")
        yield cpr.Guest(cpr.Single(host), {host: "PF0_VF1"}, machine=PC, mode=mode, migration=migration,
                        qemus={host: qemu})


def replaced(name, guest, step):
    """By the other process or program, and what the VF and the guest saw of it."""
    before = scenario.await_totals(guest)
    scenario.trace(guest.host)
    info = getattr(guest, f"cpr_{step}")(NEW)
    after = scenario.await_pass(guest)
    commands, arcs = scenario.trace(guest.host)
    out.note(f"{name}: cpr-{step}: {info}")
    out.ok(after["errors"] == 0 and after["verified"] > before["verified"],
           f"{name}: cpr-{step}: the I/O goes on, and is right", f"{before} {after}")
    out.ok(not commands and not arcs, f"{name}: cpr-{step}: the VF runs all the time", f"{commands} {arcs}")


def stays(kernel, command_set):
    name = f"{kernel} {command_set}"
    with guest_on(kernel, command_set, "group", NEW, "off") as guest:
        guest.start(guest.pair.hosts[0])
        for step in STEPS:
            replaced(name, guest, step)
        out.ok(guest.opened() == "group", f"{name}: the VF is open as before", guest.opened())
        result = scenario.Result(kernel, command_set)
        scenario.judge(result, guest.finish(), guest.pair.stalled())
        totals = result.totals
        out.ok(result.clean_end and result.read_back and not result.guest_trouble and totals.get("errors") == 0,
               f"{name}: {totals.get('writes')} writes, {totals.get('verified')} blocks verified, nothing wrong or left "
               "in flight", f"{totals} {result.guest_trouble}")


def refused(kernel, mode, qemu, migration, step, words, goes_on):
    name = f"{kernel}, {mode}, {qemu}, enable-migration={migration}: cpr-{step}"
    with guest_on(kernel, "standard", mode, qemu, migration, LOST) as guest:
        guest.start(guest.pair.hosts[0])
        before = scenario.await_totals(guest)
        try:
            getattr(guest, f"cpr_{step}")(qemu)
            out.ok(False, f"{name} fails", "it does not")
        except rig.Trouble as e:
            out.ok(words in str(e), f"{name} fails: {words}", str(e))
        if goes_on:
            after = scenario.await_pass(guest)
            out.ok(after["errors"] == 0 and after["verified"] > before["verified"], f"{name}: the guest goes on",
                   f"{before} {after}")
        else:
            out.note("\n".join(guest.console().splitlines()[-12:]))
        for life in set(range(len(guest.lives))):
            guest.end(life)


CASES = {"move": (move, MOVES), "cpr": (stays, CPRS), "refused": (refused, REFUSALS)}


def main():
    hostrun.by_run_one()
    chosen = os.environ.get("VMM_CASES", "").split() or (list(CASES) if os.environ.get("CHECK_FULL") else [])
    unknown = set(chosen) - set(CASES)
    if unknown:
        sys.exit(f"VMM_CASES: no such cases: {' '.join(sorted(unknown))}")
    for name, (function, cases) in CASES.items():
        if name not in chosen:
            out.skip(name, "CHECK_FULL=1")
            continue
        for case in cases:
            try:
                function(*case)
            except (rig.Trouble, subprocess.CalledProcessError) as e:
                out.ok(False, f"{name} {case}", f"{e}\n{getattr(e, 'stdout', '')}")
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

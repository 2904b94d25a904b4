#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.1 kernel:6.12 vmm model
# Needs, CHECK_FULL=1: kernels debug-guest
"""Migrations of guests that are cancelled, lose one of their QEMUs, are refused
by the target, or whose guest resets its drive or itself; a guest whose drive's
PF is reset. With CHECK_FULL=1 every act on every kernel with every command set. Some
acts come at random moments: UPSET_SEED=N repeats those of a run.
PF_EVENTS=MIGRATIONS/RESETS only does that many of each, with two guests on 6.1, one for
each command set."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "rig"))
import tap                                              # noqa: E402
import upset                                            # noqa: E402

RESETS = (upset.function_reset, upset.controller_reset, upset.pf_reset, upset.reboot)
KILLS = (upset.kill_target, upset.kill_source)
ALL = (upset.cancel, *KILLS, upset.refuse, *RESETS)
TRACKED = {"tracked": True}

# kernel, command set, arguments of Guest, acts
CASES = [
    ("6.1", "standard", TRACKED, (upset.kill_source, upset.function_reset)),
    ("6.12", "vendor", {}, (upset.acknowledge, upset.cancel, upset.refuse, upset.kill_target)),
]
EVERYTHING = [
    ("7.3+iommufd", "standard", {**TRACKED, "mode": "both"}, (upset.acknowledge, *ALL)),
    ("debug-guest", "standard", TRACKED, (upset.acknowledge, *ALL)),
    ("debug-guest", "vendor", {}, (upset.acknowledge, *ALL)),
    ("6.1", "standard", TRACKED, ALL),
    ("6.1", "vendor", {}, ALL),
    ("6.12", "standard", {}, (upset.acknowledge, *ALL)),
    ("6.12", "vendor", {}, (upset.acknowledge, *ALL)),
]

MANY = os.environ.get("PF_EVENTS")
if MANY:
    CASES = [("6.1", command_set, guest, (upset.pf_events(*(int(n) for n in MANY.split("/"))),))
             for command_set, guest in (("standard", TRACKED), ("vendor", {}))]

ALLOW = (
    # some acts need a device that refuses
    r"nvme-vfio-pci .*PF command [0-9a-f]+h .*failed with status",
)


def one(case):
    kernel, command_set, guest, acts = case
    seed = os.environ.get("UPSET_SEED")
    stage = upset.Stage(kernel, command_set, seed=seed and int(seed), seconds=6000 if MANY else 3000, allow=ALLOW,
                        b=upset.unlike(command_set) if upset.refuse in acts else None,
                        may_reset=True, trace=upset.ACK_EVENTS, **guest)
    return stage.play(*acts)


full = bool(os.environ.get("CHECK_FULL")) and not MANY
out = tap.Tap()
with ThreadPoolExecutor(2) as pool:
    for stage in pool.map(one, EVERYTHING if full else CASES):
        for good, name, why in stage.points:
            out.ok(good, name, why)
for kernel, command_set, _, acts in [] if full or MANY else EVERYTHING:
    played = [c[3] for c in CASES if c[:2] == (kernel, command_set)]
    for act in acts:
        if act not in sum(played, ()):
            out.skip(f"{kernel} {command_set}: {act.__name__.replace('_', ' ')}", "CHECK_FULL=1")
sys.exit(out.done())

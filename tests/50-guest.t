#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.1 kernel:6.12 vmm model
# Needs, CHECK_FULL=1: kernels debug-guest
"""Guests with a passed-through VF, moved between two hosts and back, for each
set of migration commands, with and without tracking of the memory that the
drive writes. CHECK_FULL=1 for more kernels and ways.

GUESTS=live only compares the downtime on a kernel without IOMMUFD with that on the same
one with VFIO built again, at one bandwidth (also with CHECK_FULL=1).

Some drives are drawn by chance from what conforms: one, 20 with CHECK_FULL=1 or, and
nothing else, with GUESTS=drawn. The seed is printed, and GUEST_SEED=SEED repeats
them."""

import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from importlib import machinery, util
from io import StringIO

RIG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rig")
sys.path.insert(0, RIG)
import personality                                      # noqa: E402
import place                                            # noqa: E402
import scenario                                         # noqa: E402
import tap                                              # noqa: E402
import verdict                                          # noqa: E402

# Where QEMU's defaults are enough.
BIG = {"tracked": True, "memory": 1024}
# A guest with less in flight leaves a slow host time to move it.
SLOW = {**BIG, "workers": 2}
PLAIN = {"tracked": False}
# A state that no single command can carry: it is read while being transferred.
LARGE = {**PLAIN, "props": {"lm-pad": 1 << 20}}

SEED = os.environ.get("GUEST_SEED") or str(random.SystemRandom().randrange(1 << 32))
# Statuses with which a command may be refused and is sent again; verdict allows none.
REFUSING = {"lm-fail", "lm-sequences", "lm-track-grain", "lm-track-room"}
FEW_RANGES = {"1", "2/3"}


def drawn(number):
    """Properties of both hosts' drives."""
    chance = random.Random(f"{SEED}/{number}")
    values = {**personality.draw(chance, machines=True), **personality.draw(chance, machines=False)}
    # QEMU asks for more ranges, and begins no migration without them
    if values.get("lm-track-ranges") in FEW_RANGES:
        del values["lm-track-ranges"]
    return {name: value for name, value in values.items() if name not in REFUSING}


def by_chance(number, kernel, guest):
    props = {**drawn(number), **guest.get("props", {})}
    tracked = guest["tracked"] and props.get("lm-track") != "off"
    return kernel, "standard", 2, {**guest, "tracked": tracked, "props": props}


# kernel, command set, trips, and arguments of Guest; the long ones first
CASES = [
    ("6.1", "standard", 3 if os.environ.get("CHECK_FULL") else 2, {**BIG, "cpus": 2}),
    ("6.12", "vendor", 2, {**PLAIN, "machine": "q35"}),
    by_chance(0, "6.12", LARGE),
]
FORGETFUL = ("6.1", "standard", 1, {"tracked": True, "props": {"lm-lie": "forget-page"}})
MORE = [
    ("7.3+iommufd", "standard", 2, {**BIG, "mode": "both"}),
    ("7.3+iommufd", "standard", 2, {**BIG, "mode": "group"}),
    ("7.3+iommufd", "standard", 2, {**BIG, "mode": "iommufd"}),
    ("7.3+iommufd", "vendor", 2, {**PLAIN, "mode": "iommufd"}),
    ("debug-guest", "standard", 2, {**SLOW, "mode": "both"}),
    ("debug-guest", "vendor", 2, PLAIN),
    ("6.1", "vendor", 2, PLAIN),
    ("7.2", "standard", 2, PLAIN),
    ("7.2", "vendor", 2, PLAIN),
    ("7.3", "standard", 2, PLAIN),
]
BY_CHANCE = [by_chance(i, "6.1" if i % 2 else "7.3", {"tracked": bool(i % 2)}) for i in range(1, 20)]

# The same guest, which changes 5 MB each second, without and with IOMMUFD. A limit of
# its downtime would never be kept without.
BANDWIDTH = {"max-bandwidth": 16 << 20}
LIVE = [
    ("7.3", "standard", 2, {"tracked": False, "memory": 1024, "parameters": {**BANDWIDTH, "downtime-limit": 600000}}),
    ("7.3+iommufd", "standard", 2, {**BIG, "parameters": BANDWIDTH}),
]
DOWNTIME_RATIO = 0.15

# Of two hosts one at a time has much to do: two pairs fill two processors.
AT_ONCE = 2


def one(case):
    kernel, command_set, trips, more = case
    return scenario.run(kernel, command_set, trips, seconds=2400, **more), trips


def check_demo(result, trips):
    """What the demo would have said about a case."""
    text = StringIO()
    with redirect_stdout(text):
        print(demo.foreword(place.kernel(result.kernel), result.set))
        status = demo.report(result, trips)
    text = text.getvalue()
    out.ok(status == 0 and "PASS" in text and ("with its defaults" in text) == result.tracked
           and ("enable-migration=on" in text) != result.tracked,
           f"{result.label}: the demo says so, and how QEMU was used", f"exit status {status}\n{text}")


def check_live(plain, rebuilt):
    """that the guest stands still for a fraction of the time"""
    name = f"{rebuilt.label}: downtime at most {DOWNTIME_RATIO} of that on the kernel's own VFIO"
    if plain.error or rebuilt.error:
        out.ok(False, name, f"{plain.error}\n{rebuilt.error}")
        return
    with_it, without = (sum(trip["downtime_ms"] for trip in result.trips) for result in (rebuilt, plain))
    out.note(f"downtime in {len(plain.trips)} trips without IOMMUFD {without} ms, with it {with_it} ms: "
             f"{with_it / without:.3f}")
    out.ok(with_it <= DOWNTIME_RATIO * without, name, f"{with_it} of {without} ms")


sys.dont_write_bytecode = True
demo = util.module_from_spec(util.spec_from_loader(
    "demo", machinery.SourceFileLoader("demo", os.path.join(RIG, "demo"))))
demo.__loader__.exec_module(demo)
full = bool(os.environ.get("CHECK_FULL"))
only = os.environ.get("GUESTS")
only_drawn = only == "drawn"
chosen = CASES[2:] + BY_CHANCE if only_drawn else LIVE if only == "live" else CASES + (LIVE + MORE + BY_CHANCE) * full
out = tap.Tap()
out.note(f"GUEST_SEED={SEED}; at first [{personality.text(drawn(0))}]")
with ThreadPoolExecutor(AT_ONCE) as pool:
    results = [pool.submit(one, case) for case in chosen]
    forgetful = None if only else pool.submit(one, FORGETFUL)
    for case, result in zip(chosen, results):
        verdict.check(out, *result.result())
        # which knows no drive that does not track on a kernel that could
        if "lm-track" not in case[3].get("props", {}):
            check_demo(*result.result())
    if forgetful:
        verdict.check_forgetful(out, forgetful.result()[0])
if LIVE[0] in chosen:
    check_live(*(results[chosen.index(case)].result()[0] for case in LIVE))
if only:
    out.skip("all other guests", f"GUESTS={only}")
    sys.exit(out.done())
for kernel, command_set, _, more in [] if full else LIVE + MORE:
    out.skip(f"{kernel} {command_set}, {more.get('memory', 256)} MiB, {more.get('mode', 'group')} mode",
             "CHECK_FULL=1")
if not full:
    out.skip(f"{len(BY_CHANCE)} more drives by chance", "CHECK_FULL=1")
sys.exit(out.done())

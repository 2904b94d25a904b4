#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Guests with a passed-through VF, moved between two hosts there and back, for
each kernel and each set of migration commands."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "rig"))
import scenario                                         # noqa: E402
import tap                                              # noqa: E402
import verdict                                          # noqa: E402

# kernel, command set, trips, and what the guest is
CASES = (
    ("6.1", "standard", 4, {"cpus": 2}),
    ("6.12", "vendor", 2, {"machine": "q35"}),
    ("6.12", "standard", 2, {}),
    ("6.1", "vendor", 2, {}),
)

# Of two hosts one at a time has much to do: two pairs fill two processors.
AT_ONCE = 2


def one(case):
    kernel, command_set, trips, guest = case
    return scenario.run(kernel, command_set, trips, seconds=500, **guest), trips


out = tap.Tap()
with ThreadPoolExecutor(AT_ONCE) as pool:
    for result, trips in pool.map(one, CASES):
        verdict.check(out, result, trips)
sys.exit(out.done())

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Guests with a passed-through VF, moved between two hosts there and back, for
each kernel and each set of migration commands."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "rig"))
import scenario                                         # noqa: E402
import tap                                              # noqa: E402
import verdict                                          # noqa: E402

TRIPS = {("6.1", "standard"): 4, ("6.1", "vendor"): 2,
         ("6.12", "standard"): 2, ("6.12", "vendor"): 4}

out = tap.Tap()
for (kernel, command_set), trips in TRIPS.items():
    verdict.check(out, scenario.run(kernel, command_set, trips, seconds=400), trips)
sys.exit(out.done())

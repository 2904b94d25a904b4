#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.1 kernel:6.12 vmm model
# Needs, CHECK_FULL=1: kernels debug-guest iommufd
"""Guests with a passed-through VF, moved between two hosts there and back, for
each set of migration commands, with and without somebody who tracks which
memory the drive writes. CHECK_FULL=1 for more kernels and ways."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from importlib import machinery, util
from io import StringIO

RIG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rig")
sys.path.insert(0, RIG)
import place                                            # noqa: E402
import scenario                                         # noqa: E402
import tap                                              # noqa: E402
import verdict                                          # noqa: E402

# What QEMU is given nothing but its defaults for.
BIG = {"tracked": True, "memory": 1024}
# A guest with less in flight leaves a slow host the time to move it.
SLOW = {**BIG, "workers": 2}
PLAIN = {"tracked": False}
# A state that no single command carries: read while it is on its way.
LARGE = {**PLAIN, "props": {"lm-pad": 1 << 20}}

# kernel, command set, trips, and what the guest is; the long ones first
CASES = [
    ("6.1", "standard", 3, {**BIG, "cpus": 2}),
    ("6.12", "vendor", 2, {**PLAIN, "machine": "q35"}),
    ("6.12", "standard", 2, LARGE),
]
FORGETFUL = ("6.1", "standard", 1, {"tracked": True, "props": {"lm-lie": "forget-page"}})
MORE = [
    ("iommufd", "standard", 2, {**BIG, "mode": "both"}),
    ("iommufd", "standard", 2, {**BIG, "mode": "group"}),
    ("iommufd", "standard", 2, {**BIG, "mode": "iommufd"}),
    ("iommufd", "vendor", 2, {**PLAIN, "mode": "iommufd"}),
    ("debug-guest", "standard", 2, {**SLOW, "mode": "both"}),
    ("debug-guest", "vendor", 2, PLAIN),
    ("6.1", "vendor", 2, PLAIN),
    ("7.2", "standard", 2, PLAIN),
    ("7.2", "vendor", 2, PLAIN),
    ("7.3", "standard", 2, PLAIN),
]

# Of two hosts one at a time has much to do: two pairs fill two processors.
AT_ONCE = 2


def one(case):
    kernel, command_set, trips, more = case
    return scenario.run(kernel, command_set, trips, seconds=2400, **more), trips


def check_demo(result, trips):
    """What the demo would have said of a case."""
    text = StringIO()
    with redirect_stdout(text):
        print(demo.foreword(place.kernel(result.kernel), result.set))
        status = demo.report(result, trips)
    text = text.getvalue()
    out.ok(status == 0 and "PASS" in text and ("with its defaults" in text) == result.tracked
           and ("enable-migration=on" in text) != result.tracked,
           f"{result.label}: the demo says so, and how QEMU was used", f"exit status {status}\n{text}")


sys.dont_write_bytecode = True
demo = util.module_from_spec(util.spec_from_loader(
    "demo", machinery.SourceFileLoader("demo", os.path.join(RIG, "demo"))))
demo.__loader__.exec_module(demo)
full = bool(os.environ.get("CHECK_FULL"))
out = tap.Tap()
with ThreadPoolExecutor(AT_ONCE) as pool:
    results = [pool.submit(one, case) for case in CASES + MORE * full]
    forgetful = pool.submit(one, FORGETFUL)
    for result in results:
        verdict.check(out, *result.result())
        check_demo(*result.result())
    verdict.check_forgetful(out, forgetful.result()[0])
for kernel, command_set, _, more in [] if full else MORE:
    out.skip(f"{kernel} {command_set}, {more.get('memory', 256)} MiB, {more.get('mode', 'group')} mode",
             "CHECK_FULL=1")
sys.exit(out.done())

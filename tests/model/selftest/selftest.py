#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Self-test of the device model: selftest.py QEMU-DIRECTORY [CASE...]

Drives the model over qtest, without a guest, and prints TAP.
"""

import sys
import traceback

import bed
import cases_any
import cases_fault
import cases_move
import cases_ns
import cases_off
import cases_rules
import cases_track
import cases_vendor

MODULES = (cases_off, cases_rules, cases_move, cases_vendor, cases_fault,
           cases_track, cases_any, cases_ns)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    bed.directory = sys.argv[1]
    wanted = sys.argv[2:]
    for module in MODULES:
        for name, case in vars(module).items():
            if not name.startswith("case_") or (wanted and name not in wanted):
                continue
            bed.note(f"{name}: {case.__doc__}")
            try:
                case()
            except Exception:   # pylint: disable=broad-except
                bed.ok(False, f"{name} runs to its end")
                bed.note(traceback.format_exc())
    print(f"1..{bed.Tap.count}")
    sys.exit(bed.Tap.failed > 0)


main()

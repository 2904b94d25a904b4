#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.12 model packages:tool
"""The command line tool in a host with two drives (tests/tool): what it shows
compared with nvme-cli, what it sets up and restores, bad input, and a fault at
each step. TOOL_KERNEL=SERIES uses a kernel other than 6.12, TOOL_ONLY=list,apply
selects cases."""

import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "tool"))
import bed                                              # noqa: E402
import cases_apply                                      # noqa: E402
import cases_bad                                        # noqa: E402
import cases_fault                                      # noqa: E402
import cases_list                                       # noqa: E402
import cases_memory                                     # noqa: E402
import tap as tapfile                                   # noqa: E402

KERNEL = os.environ.get("TOOL_KERNEL", "6.12")
SECONDS = 2400
CASES = {"list": cases_list.run, "apply": cases_apply.run, "bad": cases_bad.run,
         "fault": cases_fault.run, "memory": cases_memory.run}


def main():
    tap = tapfile.Tap()
    only = os.environ.get("TOOL_ONLY", "").split(",")
    folder = tempfile.mkdtemp(prefix="nvme-vfio-tool-")
    try:
        why = bed.build(folder)
        if not tap.ok(why is None, "the tool builds without warnings, plain and with checks", why or ""):
            return tap.done()
        with bed.Bed(folder, KERNEL, SECONDS) as host:
            tap.note(f"logs: {host.host.path()}")
            clean = host.snapshot()
            if only == [""] or "list" in only:
                cases_list.no_ids(tap, host)
            cases_bad.no_module(tap, host)
            for name, run in CASES.items():
                if only != [""] and name not in only:
                    continue
                host.model_back()
                run(tap, host)
                now = host.snapshot()
                tap.ok(now == clean, f"{name}: the drives are as they were in the beginning",
                       f"{clean}--\n{now}")
        tap.ok(True, "the kernel's log is clean")
    except bed.rig.Trouble as e:
        tap.ok(False, "the host", e)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())

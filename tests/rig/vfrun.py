# SPDX-License-Identifier: GPL-2.0-only
"""One run of vf-test in a host of its own, for tests that look at its output."""

import os
import subprocess


RIG = os.path.dirname(os.path.abspath(__file__))

# Commands that tests let fail; which cases may do so is vf-test's business.
ALLOW = (
    r"nvme-vfio-pci .*PF command [0-9a-f]+h .*failed with status",
    r"nvme-vfio-pci .*PF command [0-9a-f]+h was aborted",
)


def run(program, kernel, command_set, arguments, seconds, *, allow=(), cmdline="", pfs=2, host=()):
    """(output, None), or (output, why it is no good). seconds: by the host's clock.
    host: more arguments of rig/host."""
    command = [os.path.join(RIG, "host"), "--kernel", kernel, "--set", command_set, "--pfs", str(pfs),
               "--prop", "lm-test=on", "--module-args", "vendor_ids=1b36:0010",
               "--seconds", str(seconds), "--file", program]
    for line in (*ALLOW, *allow):
        command += ["--allow", line]
    if cmdline:
        command += ["--cmdline", cmdline]
    command += [*host, "--", "vf-test", "--set", command_set, *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", check=False)
    points = [line for line in done.stdout.splitlines() if line.startswith(("ok ", "not ok "))]
    if done.returncode or f"1..{len(points)}" not in done.stdout.splitlines() or \
            any(line.startswith("not ok") for line in points):
        return done.stdout, f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout, None


def has(kernel):
    """Whether the test bed has a kernel."""
    return not subprocess.run([os.path.join(RIG, "kernels"), kernel], capture_output=True,
                              check=False).returncode

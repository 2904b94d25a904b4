#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.1 kernel:6.12 model packages:tool
"""nvme-vfio selftest: good VFs of both command sets pass, with plausible figures; a
device that loses a completion, denies the suspend or forgets a page fails; nothing is
written unless requested, and the VFs are usable afterwards."""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

TESTS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(TESTS, "rig"))
import host as rig                                      # noqa: E402
import place                                            # noqa: E402
import tap as tapfile                                   # noqa: E402

SECONDS = 900
IOPS = 200
VF, OTHER, FAR = "0000:01:00.1", "0000:01:00.2", "0000:02:00.1"

# 6.1 has VFIO's log of writes to memory, 6.12 does not.
HOSTS = (("6.1", "standard"), ("6.12", "vendor"))


class Bed:
    def __init__(self, host):
        self.host = host

    def sh(self, command):
        return self.host.run(command, 120)

    def tool(self, words):
        """(exit status, standard output, lines of standard error)"""
        status, _ = self.host.finish(self.host.begin(f"nvme-vfio selftest {words} >/share/o 2>/share/e"), 400)
        text = []
        for name in "oe":
            with open(os.path.join(self.host.share, name), encoding="utf-8", errors="replace") as f:
                text.append(f.read())
        return status, text[0], text[1].splitlines()

    def model(self, text):
        self.sh(f"nvadm $PF0_DEV model-set '{text}'")

    def iops(self, most):
        """0: as fast as it can."""
        self.host.monitor("block_set_io_throttle", device="drive0", bps=0, bps_rd=0, bps_wr=0,
                          iops=most, iops_rd=0, iops_wr=0)

    def sum(self):
        with open(self.host.disk, "rb") as f:
            return hash(f.read(4 << 20))


def figures(output):
    """{what: value} of JSON."""
    return {m["name"]: m["value"] for m in output["measured"]}


def good(tap, bed, name, words, set_name, tracks):
    status, out, err = bed.tool(f"{words} --json")
    if not tap.ok(status == 0 and not err, f"{name}: good", f"{status} {out} {err}"):
        return
    answer = json.loads(out)
    m = figures(answer)
    steps = sum(v for k, v in m.items() if k.startswith(("source_", "destination_")))
    tap.ok(answer["good"] is True and answer["command_set"] == set_name and m["migrations"] == 6
           and m["blackout_min"] <= m["blackout_mean"] <= m["blackout_max"]
           and abs(steps - m["blackout_mean"]) <= 9 and m["state_size"] > 48 and m["reads"] > 0
           and m["compared"] > 1000,
           f"{name}: the blackout is the sum of its steps", answer)
    commands = ("41", "42") if set_name == "standard" else ("c8", "cc", "d2", "d5")
    tap.ok(all(0 < m[f"command_{c}_mean"] <= m[f"command_{c}_max"] and m[f"command_{c}_failed"] == 0
               for c in commands), f"{name}: each command's time", m)
    tap.ok(m["dirty_tracking"] is tracks and
           (not tracks or (m["dirty_unit"] == 4096 and m["dirty_units"] > 0 and m["dirty_reads"] > 0)),
           f"{name}: dirty tracking {'has 4 KiB units' if tracks else 'is not there'}", m)


def bad(tap, bed, name, words, code, text):
    status, _, err = bed.tool(words)
    tap.ok(status == code and len(err) == 1 and text in err[0], f"{name}: one line, {code}", f"{status} {err}")


def run(tap, kernel, set_name, program):
    kern = place.kernel(kernel)
    host = rig.Host(kernel, set_name, cpus=1, pfs=2, driver=place.driver(kern), files={"bin/nvme-vfio": program},
                    props={"lm-test": "on"}, seconds=SECONDS,
                    allow=(r"nvme-vfio-pci .*PF command [0-9a-f]+h .*failed with status",
                           r"nvme-vfio-pci .*the VF is not suspended"))
    with host:
        host.setup_vfs(2)
        bed = Bed(host)
        tracks = kernel == "6.1" and set_name == "standard"
        title = f"{kernel} {set_name}"
        before = bed.sum()
        good(tap, bed, f"{title}, onto itself", VF, set_name, tracks)
        good(tap, bed, f"{title}, to a VF of the same drive", f"{VF} {OTHER}", set_name, tracks)
        good(tap, bed, f"{title}, to a VF of another drive", f"{VF} {FAR}", set_name, tracks)
        tap.ok(bed.sum() == before, f"{title}: nothing was written")
        status, out, err = bed.tool(f"--write --yes {VF} {FAR}")
        tap.ok(status == 0 and not err and "blackout, mean" in out and bed.sum() != before,
               f"{title}: --write writes", f"{status} {out} {err}")

        # slow, so that commands are in flight at the suspend on any machine
        bed.iops(IOPS)
        bed.model("lm-lie=lose-cqe")
        bad(tap, bed, f"{title}: a device that loses a completion", f"{VF} {OTHER}", 11, VF)
        bed.model("lm-lie=double-cqe")
        bad(tap, bed, f"{title}: a device that completes twice", f"{VF} {OTHER}", 11, VF)
        bed.iops(0)
        bed.model("lm-reset-knobs=1")
        bed.model("lm-resume-irq=off")
        bad(tap, bed, f"{title}: a device that loses interrupts", f"{VF} {OTHER}", 11, "without an interrupt")
        bed.model("lm-reset-knobs=1")
        opcode = "0x42" if set_name == "standard" else "0xd2"
        bed.model(f"lm-fail={opcode}@2=0x4006")
        bad(tap, bed, f"{title}: a device that fails to give its state", VF, 11, VF)
        bed.model("lm-reset-knobs=1")
        bed.sh("(while :; do dd if=/dev/urandom of=$(ls /dev/nvme*n1 | head -n 1) bs=1M count=2 conv=fsync; done &"
               "echo $! >/tmp/user) >/dev/null 2>&1; sleep 0.3")
        bad(tap, bed, f"{title}: data that changes", VF, 11, "differs from the first read")
        bed.sh("kill $(cat /tmp/user); sleep 1")
        bed.sh(f"nvme-vfio bind -d vfio-pci {VF}")
        bad(tap, bed, f"{title}: a VF under vfio-pci", VF, 11, "VFIO does not offer migration for it")
        bed.sh(f"nvme-vfio unbind {VF}")
        bad(tap, bed, f"{title}: a VF without a driver", VF, 3, f"nvme-vfio bind {VF}")
        bed.sh(f"nvme-vfio bind {VF}")
        bad(tap, bed, f"{title}: a PF", "$PF0", 3, "not a VF")
        bad(tap, bed, f"{title}: one VF twice", f"{VF} {VF}", 2, "named twice")
        bed.sh("(sleep 1000 </dev/vfio/$(basename $(readlink /sys/bus/pci/devices/$PF0_VF2/iommu_group)) &"
               "echo $! >/tmp/user) >/dev/null 2>&1; sleep 0.3")
        bad(tap, bed, f"{title}: a VF in use", f"{VF} {OTHER}", 4, f"{OTHER}: in use")
        bed.sh("kill $(cat /tmp/user); sleep 0.2")
        good(tap, bed, f"{title}, after all that", f"{VF} {OTHER}", set_name, tracks)
    tap.ok(True, f"{title}: the kernel's log is clean")


def main():
    tap = tapfile.Tap()
    (program,), why = place.all_built("nvme-vfio-checked")
    if not tap.ok(not why, "the tool builds", why):
        return tap.done()

    def one(job):
        results = tapfile.Later()
        try:
            run(results, *job, program)
        except rig.Trouble as e:
            results.ok(False, f"{' '.join(job)}: the host", e)
        return results

    with ThreadPoolExecutor(len(HOSTS)) as pool:
        for results in pool.map(one, HOSTS):
            results.say(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())

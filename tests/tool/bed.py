# SPDX-License-Identifier: GPL-2.0-only
"""A host for the tool: two drives, one with each command set, and what tests do there.
Namespace 2 of the first drive is not attached to any controller."""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tests", "rig"))
import host as rig                                      # noqa: E402
import place                                            # noqa: E402

PF = "0000:01:00.0"
PF2 = "0000:02:00.0"

# put before the tool's name
AS_USER = "as-user --reuid=1000 --clear-groups nvme-vfio-plain"

VALGRIND = "/usr/libexec/valgrind"
VALGRIND_FILES = ("memcheck-amd64-linux", "vgpreload_core-amd64-linux.so",
                  "vgpreload_memcheck-amd64-linux.so", "default.supp")

# The device as everybody except the tool sees it: the kernel's files, and the drive's
# own list. Nothing may differ after a failure.
SNAPSHOT = r"""
snapshot() { # often done: hardly a program is started
	local d f text
	for d in /sys/bus/pci/devices/*; do
		read -r text <$d/class
		case $text in 0x0108*) ;; *) continue ;; esac
		text=none
		! cd -P $d/driver 2>/dev/null || text=${PWD##*/}
		echo "${d##*/}: driver $text"
		for f in driver_override sriov_numvfs sriov_drivers_autoprobe; do
			[ ! -e $d/$f ] || { read -r text <$d/$f; echo "${d##*/}: $f $text"; }
		done
		[ -e $d/sriov_totalvfs ] || continue
		for f in $d/nvme/nvme*; do
			[ -e $f ] || continue
			read -r text <$f/state
			echo "${d##*/}: $text"
			nvadm /dev/${f##*/} vfs
			[ ${d##*/} != 0000:01:00.0 ] || nvme list-ctrl /dev/${f##*/} -n 2 2>&1
		done
	done
	cd /
	for f in /var/lib/nvme-vfio/*; do
		[ ! -e $f ] || cat $f
	done
}
"""


def build(folder):
    """The tool, and meddle.so in a folder: None, or what went wrong."""
    why = place.all_built("nvme-vfio", "nvme-vfio-checked")[1]
    if why:
        return why
    run = subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-shared",
                          "-fPIC", "-o", f"{folder}/meddle.so", os.path.join(HERE, "meddle.c")],
                         capture_output=True, text=True, check=False)
    return run.stdout + run.stderr if run.returncode else None


def loader_symbols():
    """The debug file of the dynamic loader, without which valgrind does not work."""
    run = subprocess.run(["readelf", "-n", "/lib64/ld-linux-x86-64.so.2"], capture_output=True,
                         text=True, check=True)
    number = run.stdout.split("Build ID:")[1].split()[0]
    return f"/usr/lib/debug/.build-id/{number[:2]}/{number[2:]}.debug"


class Result:
    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err

    @property
    def lines(self):
        return self.err.splitlines()

    def __str__(self):
        return f"exit status {self.status}\n{self.out}{self.err}"

    def json(self):
        return json.loads(self.out)


class Bed:
    """With Bed(folder of build(), kernel) as bed: bed.tool("list")"""

    def __init__(self, folder, kernel, seconds):
        kern = place.kernel(kernel)
        disk = os.path.join(folder, "namespace2")
        with open(disk, "wb") as f:
            f.truncate(16 << 20)
        files = {
            "bin/nvme-vfio": place.built("nvme-vfio-checked"),
            "bin/nvme-vfio-plain": place.built("nvme-vfio"),
            "bin/nvme": "/usr/sbin/nvme",
            "bin/as-user": "/usr/bin/setpriv",
            "bin/valgrind": "/usr/bin/valgrind.bin",
            "meddle.so": f"{folder}/meddle.so",
            "debug" + loader_symbols(): loader_symbols(),
        }
        files.update({f"valgrind/{name}": f"{VALGRIND}/{name}" for name in VALGRIND_FILES})
        self.host = rig.Host(
            kernel, "standard", cpus=1, pfs=2, driver=place.driver(kern), files=files, seconds=seconds,
            props=[{"lm-test": "on"}, {"lm": "vendor", "lm-test": "on"}],
            qemu_args=["-drive", f"if=none,id=second,format=raw,file={disk},cache=unsafe",
                       "-device", "nvme-ns,drive=second,bus=pf0,nsid=2,shared=on,detached=on"],
            allow=(r"nvme nvme\d+: (I/O|Identify|failed|Removing)",))
        self.dev = {}

    def __enter__(self):
        self.host.__enter__()
        self.sh(f"mkdir -p /etc/nvme-vfio; wait_for 60 pf_dev {PF}; wait_for 60 pf_dev {PF2}")
        self.find()
        return self

    def __exit__(self, *what):
        return self.host.__exit__(*what)

    def find(self):
        """Controllers of the PFs: their names change when a PF comes back."""
        for pf in (PF, PF2):
            self.dev[pf] = self.sh(f"wait_for 60 pf_dev {pf}; pf_dev {pf}").strip()

    def sh(self, command, seconds=120):
        return self.host.run(command, seconds)

    def try_sh(self, command, seconds=600):
        return self.host.finish(self.host.begin(command), seconds)

    def share(self, name):
        with open(os.path.join(self.host.share, name), encoding="utf-8", errors="replace") as f:
            return f.read()

    def tool(self, arguments, *, env="", program="nvme-vfio", before="", after=""):
        """Run the tool: a Result."""
        status, _ = self.try_sh(f"{before}{env} {program} {arguments} >/share/o 2>/share/e{after}")
        return Result(status, self.share("o"), self.share("e"))

    def meddle(self, arguments, at=0, run=""):
        """Run the tool with a failure at a call."""
        env = "LD_PRELOAD=/share/meddle.so MEDDLE_COUNT=/share/count"
        if at:
            env += f" MEDDLE_AT={at}"
        if run:
            env += f" MEDDLE_RUN='{run}'"
        return self.tool(arguments, env=env, program="nvme-vfio-plain")

    def count(self):
        """Calls of the last meddle() that change a device."""
        return int(self.share("count"))

    def snapshot(self):
        return self.sh(SNAPSHOT + "snapshot")

    def config(self, text, name="test.conf"):
        """Make this the only configuration."""
        with open(os.path.join(self.host.share, "config"), "w", encoding="utf-8") as f:
            f.write(text)
        self.sh(f"rm -f /etc/nvme-vfio/*; cp /share/config /etc/nvme-vfio/{name}")

    def model(self, pf, text):
        """Set properties of the device model."""
        self.sh(f"nvadm {self.dev[pf]} model-set '{text}'")

    def model_back(self):
        """Reset both models to what they were started with."""
        self.sh(" && ".join(f"nvadm $(pf_dev {pf}) model-set lm-reset-knobs=1" for pf in (PF, PF2)))

    def has_driver(self, name):
        return self.try_sh(f"test -e /sys/bus/pci/drivers/{name}")[0] == 0

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.12 model packages:tool packages:system
"""A system with systemd on which the tool, its udev rule and its unit are
installed: nothing changes until it is configured; then its VFs are there after
every boot, before libvirt; and everything can be undone.

BOOT_FOLDER=FOLDER is laid over what "make install" installs."""

import json
import os
import re
import sys
import tempfile

TESTS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(TESTS, "rig"))
import full                                             # noqa: E402
import host as rig                                      # noqa: E402
import tap                                              # noqa: E402

KERNEL = "6.12"
PF = "0000:01:00.0"
BOOT_UNIT = "nvme-vfio.service"
PF_UNIT = f"nvme-vfio@{PF}.service"
UNITS = (BOOT_UNIT, PF_UNIT)
EXPOSURE = 3.0                  # of 10, as systemd-analyze security says
SYS = f"/sys/bus/pci/devices/{PF}"
CONFIG = """[drive]
serial = rig0
num_vfs = 2
queues = 3
interrupts = 3
vf2.queues = 4
vf2.interrupts = 4
"""
# Takes libvirt's place in the boot order, and records what it found.
LIBVIRT = """[Unit]
Description=What libvirt finds when it starts
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'nvme-vfio list --json >/run/libvirt-found'
[Install]
WantedBy=multi-user.target
"""

out = tap.Tap()


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def libvirt(work):
    """A folder with the service in libvirt's place."""
    folder = os.path.join(work, "libvirt")
    write(folder, "etc/systemd/system/libvirtd.service", LIBVIRT)
    wants = os.path.join(folder, "etc/systemd/system/multi-user.target.wants")
    os.makedirs(wants)
    os.symlink("../libvirtd.service", os.path.join(wants, "libvirtd.service"))
    return folder


def state(host):
    """Everything that must be as before once nothing is configured."""
    host.run("wait_for 100 nvadm /dev/nvme0 vfs", 200)
    return host.run(f"cd {SYS}; grep . sriov_numvfs sriov_drivers_autoprobe; basename $(readlink driver);"
                    "nvadm /dev/nvme0 vfs; grep -oE '^(nvme_vfio_pci|nvme_pf_shim|vfio_pci) ' /proc/modules;"
                    "find /var/lib/nvme-vfio -type f 2>/dev/null || :")


def show(host, unit, *properties):
    text = host.run(f"systemctl show '{unit}' " + " ".join(f"-p {p}" for p in properties))
    return dict(line.split("=", 1) for line in text.splitlines())


def exposure(host, unit):
    text = host.run(f"systemd-analyze security --no-pager '{unit}'")
    return float(re.search(r"Overall exposure level for .*: ([0-9.]+) ", text)[1])


def vfs(listing):
    return [f for f in json.loads(listing)["functions"] if f["role"] == "vf"]


def check_vfs(host, when, listing=None):
    """The VFs are as CONFIG says."""
    listing = listing or host.run("nvme-vfio list --json")
    found = [(f["vf"], f["driver"], f["queues"], f["interrupts"], f["online"], f["migratable"])
             for f in vfs(listing)]
    out.ok(found == [(1, "nvme-vfio-pci", 3, 3, True, True), (2, "nvme-vfio-pci", 4, 4, True, True)],
           f"{when}: two VFs with queues and interrupts, online, bound, able to migrate", listing)


def untouched(host):
    """The first start: installed, but not configured."""
    before = state(host)
    out.ok(before.startswith("sriov_numvfs:0\nsriov_drivers_autoprobe:1\nnvme\n"), "installed only: no VFs", before)
    for name in UNITS:
        unit = show(host, name, "ConditionResult", "ConditionTimestampMonotonic", "ExecMainStartTimestampMonotonic")
        # that of the drive was asked for by udev: a drive that was at work before udev was
        out.ok(unit["ConditionTimestampMonotonic"] != "0" and unit["ConditionResult"] == "no"
               and unit["ExecMainStartTimestampMonotonic"] == "0",
               f"installed only: {name} finds no configuration and starts nothing", unit)
        unit = show(host, name, "Before", "After", "Type", "RemainAfterExit")
        out.ok(exposure(host, name) <= EXPOSURE, f"{name} is exposed no more than {EXPOSURE}", exposure(host, name))
        out.ok({"libvirtd.service", "virtqemud.service", "libvirt-guests.service"} <= set(unit["Before"].split())
               and "systemd-udev-settle.service" not in unit["After"]
               and (unit["Type"], unit["RemainAfterExit"]) == ("oneshot", "no"),
               f"{name} comes before libvirt, waits for no udev-settle, and can start again", unit)
    log = host.run("systemd-analyze verify --man=no /usr/lib/systemd/system/nvme-vfio*.service;"
                   "udevadm verify --no-summary /usr/lib/udev/rules.d/60-nvme-vfio.rules")
    out.ok(not log, "systemd and udev have no complaint about units and rule", log)

    log = host.run("modprobe nvme-vfio-pci; cut -d' ' -f1 /proc/modules; modprobe -r nvme-vfio-pci")
    out.ok({"nvme_vfio_pci", "nvme_pf_shim", "vfio_pci_core"} <= set(log.split()),
           "modprobe nvme-vfio-pci brings along all it needs", log)
    return before


def configured(host):
    host.run(f"cat >/etc/nvme-vfio/drive.conf <<'END'\n{CONFIG}END\nsync /etc/nvme-vfio/drive.conf /etc/nvme-vfio")
    host.run("nvme-vfio apply")
    check_vfs(host, "apply")
    out.ok("nvme_pf_shim" in host.run("cat /proc/modules"), "apply: loads the modules itself")


def came_back(host):
    check_vfs(host, "after a power cut, when libvirt starts", host.run("cat /run/libvirt-found"))
    for name in UNITS:
        unit = show(host, name, "Result", "ExecMainStatus", "ExecMainStartTimestampMonotonic", "Description")
        out.ok(unit["Result"] == "success" and unit["ExecMainStatus"] == "0"
               and unit["ExecMainStartTimestampMonotonic"] != "0", f"{name} has done its work", unit)
        log = host.run(f"journalctl -b -q -o cat -t nvme-vfio _SYSTEMD_UNIT='{name}'")
        out.ok(not log, f"{name} printed nothing", log)
    log = host.run("journalctl -b -q -p warning --no-pager -t systemd -t systemd-udevd -t '(udev-worker)' -t nvme-vfio;"
                   "systemctl --failed --no-legend; systemctl is-active systemd-udev-settle.service || :")
    out.ok(log.split() == ["inactive"], "systemd and udev have no complaint, and nothing waited for udev-settle", log)
    log = host.run("dmesg | grep -c 'can migrate'; readlink /sys/bus/pci/devices/0000:01:00.?/driver | xargs -n1 basename")
    out.ok(log.split() == ["2", "nvme", "nvme-vfio-pci", "nvme-vfio-pci"], "both VFs can migrate, says the driver", log)


def settled(host):
    """Wait until both VFs can migrate and nobody is at work."""
    host.run("ready() { nvme-vfio list --json | grep -c '\"migratable\":true' | grep -qx 2 &&"
             f" ! systemctl -q is-active {' '.join(UNITS)}; }}; wait_for 100 ready", 200)


def comes_back(host):
    """The nvme driver loses the drive and gets it again, while the host runs: its VFs
    are there, but all their resources are lost."""
    drive = "/sys/bus/pci/drivers/nvme"
    host.run(f"echo {PF} >{drive}/unbind; sleep 1; echo {PF} >{drive}/bind")
    settled(host)
    check_vfs(host, "after the nvme driver let go of the drive and took it again")

    host.run(f"echo {PF} >{drive}/unbind; sleep 1")
    status, log = host.finish(host.begin("nvme-vfio apply --wait=1"))
    out.ok(status == 3 and "serial = rig0" in log, "a drive that does not come is waited for and reported", log)
    waits = host.begin("nvme-vfio apply --wait=100")
    host.run(f"sleep 1; echo {PF} >{drive}/bind")
    status, log = host.finish(waits, 200)
    settled(host)
    unit = show(host, PF_UNIT, "Result")
    out.ok(status == 0 and not log and unit["Result"] == "success",
           "a drive that comes is set up by who waited for it and who was started for it, in turn", f"{log}{unit}")
    check_vfs(host, "after that")


def pf_reset(host):
    """A reset of the PF takes its VFs offline, one of them from its user."""
    vf = "0000:01:00.1"
    group = host.run(f"readlink /sys/bus/pci/devices/{vf}/iommu_group").split("/")[-1].strip()
    user = host.begin(f"exec 3<>/dev/vfio/{group} && exec sleep 1000")
    host.run(f"open() {{ readlink /proc/[0-9]*/fd/3 | grep -qx /dev/vfio/{group}; }}; wait_for 60 open", 100)
    host.run("cd /sys/class/nvme/nvme0; echo 1 >reset_controller")
    settled(host)
    check_vfs(host, "after a reset of the PF, with one in use")
    unit = show(host, PF_UNIT, "Result")
    log = host.run(f"readlink /proc/[0-9]*/fd/3 | grep -cx /dev/vfio/{group}; pkill -x sleep; true")
    out.ok(log.split() == ["1"] and unit["Result"] == "success", "the one in use stays in use", f"{log}{unit}")
    host.finish(user)


def left_over(host):
    """A drive that is removed while it has VFs leaves them behind, and the kernel does
    not create new ones beside them."""
    host.run(f"echo 1 >{SYS}/remove; sleep 1; echo 1 >/sys/bus/pci/rescan;"
             f"wait_for 60 systemctl is-failed {PF_UNIT}", 100)
    log = host.run(f"cat {SYS}/sriov_numvfs; systemctl show -p ExecMainStatus {PF_UNIT};"
                   "journalctl -b -q -o cat -t nvme-vfio -n 1")
    out.ok(log.startswith("0\nExecMainStatus=9\n") and "0000:01:00.1 is left over" in log,
           "a drive that comes back to VFs that are left over gets no others, and that is told", log)


def disabled(host):
    """What keeps the next boot from creating VFs, with the configuration unchanged."""
    status, log = host.finish(host.begin("nvme-vfio teardown"))
    out.ok(status == 0 and "drive.conf:1" in log and f"nvme-vfio teardown --disable {PF}" in log,
           "teardown: it is said that the next boot makes the VFs again, and what keeps it from that", log)
    log = host.run("nvme-vfio teardown --disable")
    host.power_cycle()
    after = host.run(f"cat {SYS}/sriov_numvfs")
    skipped = host.run(f"journalctl -b -q -o cat _SYSTEMD_UNIT={PF_UNIT}; systemctl show -p Result {PF_UNIT}")
    out.ok(not log and after == "0\n" and "Result=success" in skipped,
           "teardown --disable: no VFs at the next boot, and no failure", f"{log}{after}{skipped}")

    host.run("nvme-vfio apply")
    check_vfs(host, "apply: enabled again")
    host.run(f"nvme-vfio teardown --quiet; systemctl disable nvme-vfio.service; systemctl start '{PF_UNIT}'")
    unit = show(host, PF_UNIT, "Result", "ActiveState")
    log = host.run(f"cat {SYS}/sriov_numvfs; systemctl show -p Wants multi-user.target; nvme-vfio teardown")
    out.ok(log.startswith("0\n") and BOOT_UNIT not in log and "next boot" not in log
           and unit == {"Result": "exec-condition", "ActiveState": "inactive"},
           "systemctl disable: neither at boot nor for a drive that comes, which teardown knows", f"{log}{unit}")
    host.run("systemctl enable nvme-vfio.service")


def undone(host, before):
    host.run("nvme-vfio teardown --quiet; modprobe -r nvme-vfio-pci")
    after = state(host)
    out.ok(after == before, "teardown: everything as in the beginning", f"before:\n{before}after:\n{after}")


def story(work):
    folders = [full.installed(work, KERNEL), libvirt(work)]
    if os.environ.get("BOOT_FOLDER"):
        folders.append(os.environ["BOOT_FOLDER"])
    with full.FullHost(KERNEL, folders=folders, early=["nvme"]) as host:
        out.note(f"logs: {host.path()}")
        before = untouched(host)
        configured(host)
        host.early = ()
        host.power_cycle(hard=True)
        came_back(host)
        comes_back(host)
        pf_reset(host)
        undone(host, before)
        disabled(host)
        host.run("nvme-vfio apply")
        left_over(host)
        host.run("nvme-vfio teardown --quiet; rm /etc/nvme-vfio/drive.conf")
        host.power_cycle()
        after = state(host)
        out.ok(after == before, "without configuration, after the next start: everything as in the beginning",
               f"before:\n{before}after:\n{after}")


with tempfile.TemporaryDirectory() as scratch:
    try:
        story(scratch)
        out.ok(True, "nothing in the kernel logs")
    except rig.Trouble as e:
        out.ok(False, "the host works, and nothing is in its kernel logs", str(e))
sys.exit(out.done())

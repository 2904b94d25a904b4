# SPDX-License-Identifier: GPL-2.0-only
"""apply, bind, unbind, teardown as they are meant to be used."""

from bed import PF, PF2
from cases_list import functions, same

BOTH = """
[standard]
serial = rig0
num_vfs = 3
queues = 4
interrupts = 3
vf2.queues = 3
vf2.namespaces = 2
vf3.driver = none

[vendor]
nqn = nqn.2019-08.org.qemu:sub1
num_vfs = 1
queues = 2
interrupts = 2
"""


def quiet(result):
    return result.status == 0 and not result.out and not result.err


def wanted(f):
    """What of BOTH is not there."""
    bad = []
    for address, queues, driver, namespaces in (
            ("0000:01:00.1", 4, "nvme-vfio-pci", []), ("0000:01:00.2", 3, "nvme-vfio-pci", [2]),
            ("0000:01:00.3", 4, None, []), ("0000:02:00.1", 2, "nvme-vfio-pci", [])):
        vf = f.get(address)
        if not vf or vf["queues"] != queues or vf["driver"] != driver or vf["driver_override"] != driver \
                or not vf["online"] or not set(namespaces) <= set(vf["namespaces"]) \
                or vf["migratable"] != (driver is not None):
            bad.append(f"{address}: {vf}")
    if f[PF]["vfs"] != 3 or f[PF2]["vfs"] != 1:
        bad.append("number of VFs")
    return "\n".join(bad)


def run(tap, bed):
    before = bed.snapshot()
    bed.config(BOTH)
    dry = bed.tool("apply --dry-run")
    tap.ok(dry.status == 0 and "set sriov_numvfs to 3" in dry.out and not dry.err
           and bed.snapshot() == before, "apply --dry-run: prints the steps, touches nothing", dry)

    r = bed.tool("apply")
    f = functions(bed)
    tap.ok(quiet(r) and not wanted(f), "apply: two PFs, by serial number and NQN; no word", f"{r}{wanted(f)}")
    tap.ok(f["0000:01:00.1"]["command_set"] == "standard" and f["0000:02:00.1"]["command_set"] == "vendor",
           "apply: each VF can migrate by the set of its PF", f)
    why = same(bed)
    tap.ok(not why, "list agrees with nvme-cli on what apply made", why)
    log = bed.sh("dmesg")
    tap.ok(all(f"{vf}: can migrate: {name} command set" in log for vf, name in
               (("0000:01:00.1", "standard"), ("0000:01:00.2", "standard"), ("0000:02:00.1", "vendor 2022"))),
           "the driver says the same of each VF")

    done = bed.snapshot()
    r = bed.meddle("apply")
    tap.ok(quiet(r) and bed.count() == 0 and bed.snapshot() == done, "apply again: nothing is touched", r)
    r = bed.tool("apply --if-configured nvme99")
    tap.ok(r.status == 3, "apply --if-configured: a PF that is not there is an error still", r)

    # what libvirt may leave behind: a VF without its driver
    bed.sh("echo 0000:01:00.1 >/sys/bus/pci/drivers/nvme-vfio-pci/unbind;"
           "echo >/sys/bus/pci/devices/0000:01:00.1/driver_override")
    group = f["0000:01:00.2"]["iommu_group"]
    bed.sh(f"(sleep 1000 </dev/vfio/{group} & echo $! >/tmp/user) >/dev/null 2>&1; sleep 0.3")
    r = bed.tool(f"apply {PF}")
    tap.ok(quiet(r) and bed.snapshot() == done, "apply: one VF is mended while another is in use", r)
    bed.sh("kill $(cat /tmp/user); sleep 0.2")

    bed.config(BOTH.replace("queues = 3", "queues = 2").replace("vf3.driver = none", "vf3.driver = vfio-pci"))
    r = bed.tool("apply rig0 --json")
    f = functions(bed)
    tap.ok(r.status == 0 and f["0000:01:00.2"]["queues"] == 2 and f["0000:01:00.3"]["driver"] == "vfio-pci"
           and {s["state"] for s in r.json()["steps"]} == {"done"} and not
           [s for s in r.json()["steps"] if s["vf"] == 1],
           "apply: a change touches only the VFs it is about", r)

    bind(tap, bed)

    r = bed.tool("teardown")
    tap.ok(quiet(r) and bed.snapshot() == before, "teardown: all is as before the first apply",
           f"{r}{before}--\n{bed.snapshot()}")
    r = bed.tool("teardown")
    tap.ok(quiet(r), "teardown again: nothing to do", r)
    not_from_nothing(tap, bed)


def bind(tap, bed):
    vf = "0000:01:00.1"
    r = bed.tool(f"bind -d vfio-pci {vf}")
    f = functions(bed)[vf]
    tap.ok(quiet(r) and f["driver"] == f["driver_override"] == "vfio-pci", "bind: to another driver", f"{r}{f}")
    r = bed.tool(f"unbind {vf}")
    f = functions(bed)[vf]
    tap.ok(quiet(r) and f["driver"] is None and f["driver_override"] is None, "unbind: no driver, no override",
           f"{r}{f}")
    tap.ok(quiet(bed.tool(f"unbind {vf}")), "unbind again: nothing to do")
    bed.sh(f"mkdir -p /etc/driverctl.d; echo vfio-pci >/etc/driverctl.d/pci-{vf}")
    r = bed.tool(f"bind {vf}")
    tap.ok(r.status == 0 and len(r.lines) == 1 and "driverctl" in r.err and functions(bed)[vf]["migratable"],
           "bind: what driverctl will do against it is said", r)
    bed.sh(f"echo nvme-vfio-pci >/etc/driverctl.d/pci-{vf}")
    r = bed.tool(f"bind {vf}")
    tap.ok(quiet(r), "bind: driverctl with the same driver is fine", r)
    bed.sh("rm -r /etc/driverctl.d")
    was = bed.snapshot()
    r = bed.tool(f"bind -d e1000 {vf}")
    tap.ok(r.status == 7 and len(r.lines) == 1 and bed.snapshot() == was,
           "bind: a driver that is not there: one line, 7, as before", r)
    for at in (1, 2, 3):
        r = bed.meddle(f"bind -d vfio-pci {vf}", at)
        tap.ok(r.status == 1 and len(r.lines) == 1 and bed.snapshot() == was,
               f"bind: call {at} fails: one line, 1, as before", r)


def not_from_nothing(tap, bed):
    """What somebody had set up by hand comes back, drivers of VFs included."""
    bed.sh(f"cd /sys/bus/pci/devices/{PF2}; echo 0 >sriov_drivers_autoprobe; echo 2 >sriov_numvfs")
    bed.sh(f"nvadm {bed.dev[PF2]} assign 1 3 2; echo 1 >/sys/bus/pci/devices/0000:02:00.1/reset;"
           f"nvadm {bed.dev[PF2]} online 1; bind 0000:02:00.1 nvme; bind 0000:02:00.2 vfio-pci;"
           "echo >/sys/bus/pci/devices/0000:02:00.2/driver_override;"
           f"wait_for 60 test -e /sys/bus/pci/devices/0000:02:00.1/nvme;"
           f"echo 1 >/sys/bus/pci/devices/{PF2}/sriov_drivers_autoprobe")
    before = bed.snapshot()
    bed.config(f"[x]\naddress = {PF2}\nnum_vfs = 4\nqueues = 4\ninterrupts = 4\n")
    r = bed.tool("apply")
    f = functions(bed)
    tap.ok(quiet(r) and f[PF2]["vfs"] == 4 and all(f[f"0000:02:00.{n}"]["migratable"] for n in (1, 2, 3, 4)),
           "apply: over VFs that were there, with drivers", r)
    r = bed.tool(f"teardown {PF2}")
    tap.ok(quiet(r) and bed.snapshot() == before, "teardown: those VFs, their resources and drivers are back",
           f"{r}{before}--\n{bed.snapshot()}")
    bed.sh(f"cd /sys/bus/pci/devices/{PF2}; echo 0 >sriov_numvfs")

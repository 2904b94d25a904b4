# SPDX-License-Identifier: GPL-2.0-only
"""What "list" shows is what an independent client sees: nvme-cli."""

import json

from bed import AS_USER, PF, PF2


def functions(bed):
    return {f["address"]: f for f in bed.tool("list --json").json()["functions"]}


def by_nvme_cli(bed, pf):
    """{VF number: (controller id, online, queues, interrupts)} of a PF's VFs."""
    text = bed.sh(f"nvme list-secondary {bed.dev[pf]} -o json")
    found = {}
    for e in json.loads(text)["secondary-controllers"]:
        found[e["virtual-function-number"]] = (
            e["secondary-controller-identifier"],
            e["secondary-controller-state"] in (1, "Online"),
            e["num-virtual-queues"], e["num-virtual-interrupts"])
    return found


def same(bed):
    """What differs between the two; empty: nothing."""
    listed = functions(bed)
    bad = []
    for pf in (PF, PF2):
        cli = by_nvme_cli(bed, pf)
        mine = {f["vf"]: (f["controller_id"], f["online"], f["queues"], f["interrupts"])
                for f in listed.values() if f["pf"] == pf}
        bad += [f"{pf} VF {n}: {mine[n]}, by nvme-cli {cli.get(n)}" for n in mine if mine[n] != cli.get(n)]
        if len(mine) != listed[pf]["vfs"]:
            bad.append(f"{pf}: {listed[pf]['vfs']} VFs, {len(mine)} listed")
    for nsid in (1, 2):
        text = bed.sh(f"nvme list-ctrl {bed.dev[PF]} -n {nsid}")
        cli = {int(line.split(":")[1], 16) for line in text.splitlines() if line.startswith("[")}
        mine = {f["controller_id"] for f in listed.values()
                if PF in (f["address"], f["pf"]) and nsid in f["namespaces"]}
        if cli != mine:
            bad.append(f"namespace {nsid}: attached to {mine}, by nvme-cli {cli}")
    return "\n".join(bad)


def no_ids(tap, bed):
    """Before the driver is loaded, with the ids that it shall take."""
    f = functions(bed)[PF2]
    tap.ok(f["command_set"] is None and "vendor_ids" in f["reason"],
           "list: why a PF with the vendor set has none: its id is not listed", f)


def run(tap, bed):
    """On VFs that nvme-cli has set up, the tool having no part in it."""
    dev = bed.dev[PF]
    bed.sh(f"cd /sys/bus/pci/devices/{PF}; echo 0 >sriov_drivers_autoprobe; echo 3 >sriov_numvfs")
    for vf, queues, interrupts in ((1, 4, 2), (2, 3, 4)):
        bed.sh(f"nvme virt-mgmt {dev} -c {vf} -r 0 -a 8 -n {queues};"
               f"nvme virt-mgmt {dev} -c {vf} -r 1 -a 8 -n {interrupts};"
               f"echo 1 >/sys/bus/pci/devices/0000:01:00.{vf}/reset")
    bed.sh(f"nvme virt-mgmt {dev} -c 1 -a 9; nvme attach-ns {dev} -n 2 -c 2;"
           "echo vfio-pci >/sys/bus/pci/devices/0000:01:00.1/driver_override;"
           "echo 0000:01:00.1 >/sys/bus/pci/drivers_probe")
    why = same(bed)
    tap.ok(not why, "list agrees with nvme-cli: ids, queues, interrupts, online, namespaces", why)

    f = functions(bed)
    vf = f["0000:01:00.1"]
    tap.ok(vf["role"] == "vf" and vf["pf"] == PF and vf["driver"] == "vfio-pci" and vf["driver_override"] == "vfio-pci"
           and vf["queues"] == 4 and vf["online"] is True and vf["iommu_group"] is not None,
           "list: a VF, its PF, driver, override, group", vf)
    tap.ok(vf["command_set"] == "standard" and vf["migratable"] is False and "vfio-pci" in vf["reason"],
           "list: why a VF under vfio-pci cannot migrate", vf)
    tap.ok("offline" in f["0000:01:00.2"]["reason"], "list: why a VF that is offline cannot migrate",
           f["0000:01:00.2"])
    tap.ok(f[PF2]["command_set"] == "vendor" and "a PF" in f[PF2]["reason"], "list: a PF and the set of its VFs",
           f[PF2])
    tap.ok(f[PF]["serial"] == "rig0" and f[PF]["vfs"] == 3 and f[PF]["vfs_max"] == 4,
           "list: serial number, VFs there are and could be", f[PF])

    group = vf["iommu_group"]
    bed.sh(f"(sleep 1000 </dev/vfio/{group} & echo $! >/tmp/user) >/dev/null 2>&1; sleep 0.3")
    user = bed.sh("cat /tmp/user").strip()
    vf = functions(bed)["0000:01:00.1"]
    tap.ok(vf["users"] == [{"pid": int(user), "name": "sleep"}], "list: who has a VF open", vf)
    table = bed.tool("list 01:00.1")
    tap.ok(f"sleep({user})" in table.out and len(table.out.splitlines()) == 2 and not table.err,
           "list: a table of one function, by a short address", table)
    bed.sh(f"kill {user}; sleep 0.2")

    bad = bed.tool("list nvme77")
    tap.ok(bad.status == 3 and len(bad.lines) == 1, "list: an unknown function: one line, 3", bad)
    bad = bed.tool("list", program=AS_USER)
    tap.ok(bad.status == 6 and len(bad.lines) == 1 and PF in bad.out,
           "list: without root, what is known, one line, 6", bad)
    bad = bed.tool("list", after="; nvme-vfio list >/dev/full 2>/share/e")
    tap.ok(bad.status == 1 and len(bad.lines) == 1, "list: an output that is full: one line, 1", bad)

    bed.sh(f"echo 0000:01:00.1 >/sys/bus/pci/drivers/vfio-pci/unbind; nvme detach-ns {dev} -n 2 -c 2;"
           f"cd /sys/bus/pci/devices/{PF}; echo 0 >sriov_numvfs; echo 1 >sriov_drivers_autoprobe")

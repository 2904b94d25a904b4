# SPDX-License-Identifier: GPL-2.0-only
"""What "list" shows is what an independent client sees: nvme-cli."""

import json

import openmetrics
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
        there = [f for f in listed.values() if PF in (f["address"], f["pf"])]
        mine = {f["controller_id"] for f in there if nsid in f["namespaces"]}
        # it may also be attached to controllers of VFs that do not exist
        cli &= {f["controller_id"] for f in there}
        if cli != mine:
            bad.append(f"namespace {nsid}: attached to {mine}, by nvme-cli {cli}")
    return "\n".join(bad)


def no_ids(tap, bed):
    """Before the driver is loaded, with the ids that it will accept."""
    f = functions(bed)[PF2]
    tap.ok(f["command_set"] is None and "vendor_ids" in f["reason"],
           "list: why a PF with the vendor set has none: its id is not listed", f)


def classes(tap, bed):
    """The driver is loaded, so its limit and policy count; VFs differ in their number of queues."""
    want = {a: f["class"] for a, f in functions(bed).items()}
    report = {f["address"]: f["class"] for f in bed.tool("doctor --json").json()["functions"]}
    rows = dict(line.split() for line in bed.tool("list -n -r -o ADDRESS,CLASS").out.splitlines())
    named = [c for a, c in want.items() if a.startswith("0000:01:00.") and a != PF]
    tap.ok(len(named) == len(set(named)) == 3 and None not in named and want[PF] is want[PF2] is None
           and rows == {a: c or "-" for a, c in want.items()} and want.items() <= report.items(),
           "list: classes of VFs, and doctor has the same", f"{want}\n{rows}\n{report}")


def chosen(tap, bed, user):
    """Columns and forms that are asked for."""
    vf = "0000:01:00.1"
    r = bed.tool("list -o address,VFS,Migratable")
    rows = [line.split() for line in r.out.splitlines()]
    tap.ok(rows[0] == ["ADDRESS", "VFS", "MIGRATABLE"] and rows[1] == [PF, "3/4", "-"] and rows[2] == [vf, "-", "no"]
           and len(rows) == 6 and not r.err, "list -o: one table, a PF and its VFs, with these columns", r)
    r = bed.tool(f"list -n -r -o ADDRESS,USERS,REASON,NQN {vf}")
    cells = [cell.encode().decode("unicode_escape") for cell in r.out.split()]
    tap.ok(cells == [vf, f"sleep({user})", functions(bed)[vf]["reason"], "-"], "list -n -r: a word a cell", r)
    r = bed.tool(f"list -P -o ADDRESS,DRIVER,SERIAL,PF {PF}")
    tap.ok(r.out == f'ADDRESS="{PF}" DRIVER="nvme" SERIAL="rig0" PF=""\n', "list -P: names and values", r)
    r = bed.tool("list -o +GROUP")
    heads = [line.split() for line in r.out.splitlines() if line.startswith("ADDRESS")]
    tap.ok(len(heads) == 2 and heads[0][-2:] == ["COMMANDS", "GROUP"] and heads[1][-2:] == ["MIGRATABLE", "GROUP"]
           and "bound to vfio-pci" in r.out, "list -o +COL: both tables, and one column more", r)
    plain, other = bed.tool("list --json"), bed.tool("list --json -n -r -o ADDRESS")
    tap.ok(plain.json() == other.json() and plain.json()["errors"] == [], "list --json: columns change nothing", other)


def busy(tap, bed, group):
    """A process with a long name, and many namespaces: the table of VFs is not wider than 80 columns."""
    vf = "0000:01:00.2"
    bed.sh(f"echo nvme-vfio-pci >/sys/bus/pci/devices/{vf}/driver_override; echo {vf} >/sys/bus/pci/drivers_probe")
    bed.sh(f"mkfifo /tmp/wait; (exec 8</dev/vfio/{group} 9<>/tmp/wait; printf qemu-system-x86_64 >/proc/self/comm;"
           "read -t 1000 <&9) >/dev/null 2>&1 & echo $! >/tmp/user; sleep 0.3")
    user = bed.sh("cat /tmp/user").strip()
    whole = f"qemu-system-x86({user})"
    table, named = bed.tool("list"), bed.tool("list -n -r -o USERS 01:00.1")
    rows = [line for line in table.out.splitlines() if f"({user})" in line]
    # a process id has 7 digits at most
    tap.ok(len(rows) == 1 and len(rows[0]) + 7 - len(user) <= 80 and f" qemu({user}) " in rows[0]
           and named.out == whole + "\n", "list: with a VF in a QEMU: 80 columns; -o has the whole name", f"{table}{named}")
    bed.sh(f"kill {user}; rm /tmp/wait; sleep 0.2")
    bed.sh(f"echo {vf} >/sys/bus/pci/drivers/nvme-vfio-pci/unbind; echo >/sys/bus/pci/devices/{vf}/driver_override")


def metrics(tap, bed):
    """Of a VF on our driver, to anybody: a reset of it is one more."""
    vf = "0000:01:00.2"
    bed.sh(f"echo nvme-vfio-pci >/sys/bus/pci/devices/{vf}/driver_override; echo {vf} >/sys/bus/pci/drivers_probe")
    try:
        resets = []
        for _ in range(2):
            r = bed.tool("metrics", program=AS_USER)
            f = openmetrics.read(r.out)
            resets.append([openmetrics.value(f, f"nvme_vfio_{name}resets", pf=PF) for name in ("", "pf_")])
            bed.sh(f"echo 1 >/sys/bus/pci/devices/{vf}/reset")
        tap.ok(resets[1] == [n + 1 for n in resets[0]] and not r.err and r.status == 0
               and openmetrics.value(f, "nvme_vfio_pf_info", pf=PF, serial="rig0") == 1,
               "metrics: a reset of a VF is counted, of it and of its PF", f"{resets}\n{r}")
        r = bed.tool("metrics --output=/tmp/x.prom; cat /tmp/x.prom")
        tap.ok(openmetrics.read(r.out) and not r.err, "metrics --output: a file", r)
    except (openmetrics.Wrong, TypeError) as e:
        tap.ok(False, "metrics", f"{e}\n{r}")
    quarantine(tap, bed, vf)
    bed.sh(f"echo {vf} >/sys/bus/pci/drivers/nvme-vfio-pci/unbind; echo >/sys/bus/pci/devices/{vf}/driver_override")


def quarantine(tap, bed, vf):
    """Of a VF and its PF: it is seen, respected, recorded and ended."""
    bed.sh(f"cd /sys/bus/pci/drivers/nvme-vfio-pci; echo {vf} error >quarantine; echo {PF} reset >quarantine")
    f = functions(bed)
    r = bed.tool("list")
    tap.ok(f[vf]["quarantine"] == "error" and f[PF]["quarantine"] == "reset" and f[PF2]["quarantine"] is None
           and f"{vf}: in quarantine: " in r.out, "list: what is in quarantine", r)
    r = bed.tool("quarantine --json")
    tap.ok({q["address"]: q["quarantine"] for q in r.json()["functions"]} == {vf: "error", PF: "reset"},
           "quarantine: both", r)
    kept = bed.sh("cat /run/nvme-vfio/quarantine").split()[1:]
    tap.ok(sorted(kept) == sorted([vf, "error", PF, "reset"]), "it is recorded", kept)
    bed.sh("printf '[pf]\\nserial = rig0\\nnum_vfs = 2\\n' >/tmp/quarantine.conf")
    before = bed.snapshot()
    r = bed.tool("apply --config /tmp/quarantine.conf")
    tap.ok(r.status == 0 and len(r.lines) == 1 and "in quarantine" in r.err and bed.snapshot() == before,
           "apply: a PF in quarantine stays as it is", r)
    r = bed.tool("quarantine --end 01:00.0")
    bed.sh("printf '[pf]\\nserial = rig0\\nnum_vfs = 3\\nqueues = 2\\ninterrupts = 2\\n' >/tmp/quarantine.conf")
    dry = bed.tool("apply --dry-run --json --config /tmp/quarantine.conf")
    vfs = {step["vf"] for step in dry.json()["steps"]}
    tap.ok(1 in vfs and 2 not in vfs and vf in dry.err, "apply: so does a VF, and the others do not", dry)
    r = bed.tool("quarantine -e 01:00.2") if r.status == 0 else r
    tap.ok(r.status == 0 and not r.err and bed.sh("cat /sys/bus/pci/drivers/nvme-vfio-pci/quarantine") == ""
           and bed.tool("quarantine --json").json()["functions"] == [], "quarantine --end: both are out of it", r)
    r = bed.tool("quarantine --end 01:00.0", program=AS_USER)
    tap.ok(r.status == 6 and len(r.lines) == 1, "quarantine --end: without root: one line, 6", r)


def run(tap, bed):
    """On VFs that nvme-cli has set up, without the tool."""
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
    tap.ok(vf["driver_says"] is None, "list: vfio-pci says nothing of a VF", vf)
    tap.ok("offline" in f["0000:01:00.2"]["reason"], "list: why a VF that is offline cannot migrate",
           f["0000:01:00.2"])
    tap.ok(f[PF2]["command_set"] == "vendor" and "a PF" in f[PF2]["reason"], "list: a PF and the set of its VFs",
           f[PF2])
    tap.ok(f[PF]["serial"] == "rig0" and f[PF]["vfs"] == 3 and f[PF]["vfs_max"] == 4,
           "list: serial number, VFs there are and could be", f[PF])

    classes(tap, bed)
    metrics(tap, bed)
    group = vf["iommu_group"]
    bed.sh(f"(sleep 1000 </dev/vfio/{group} & echo $! >/tmp/user) >/dev/null 2>&1; sleep 0.3")
    user = bed.sh("cat /tmp/user").strip()
    vf = functions(bed)["0000:01:00.1"]
    tap.ok(vf["users"] == [{"pid": int(user), "name": "sleep"}], "list: who has a VF open", vf)
    table = bed.tool("list 01:00.1")
    lines = table.out.splitlines()
    tap.ok(f"sleep({user})" in table.out and len(lines) == 4 and lines[1].endswith(" no") and "vfio-pci" in lines[3]
           and not table.err, "list: a table of one VF, by a short address, and below it why not", table)
    table = bed.tool(f"list {PF}")
    tap.ok("rig0" in table.out and "3/4" in table.out and "standard" in table.out and len(table.out.splitlines()) == 2,
           "list: of a PF serial number, VFs there are and could be, command set", table)
    wide = [line for line in bed.tool("list").out.splitlines() if len(line) > 80 and ": " not in line]
    tap.ok(not wide, "list: fits 80 columns", "\n".join(wide))
    chosen(tap, bed, user)
    bed.sh(f"kill {user}; sleep 0.2")
    busy(tap, bed, group)

    bad = bed.tool("list nvme77")
    tap.ok(bad.status == 3 and len(bad.lines) == 1, "list: an unknown function: one line, 3", bad)
    bad = bed.tool("list", program=AS_USER)
    tap.ok(bad.status == 6 and len(bad.lines) == 1 and PF in bad.out,
           "list: without root, what is known, one line, 6", bad)
    bad = bed.tool("list --json", program=AS_USER).json()
    tap.ok(bad["errors"] == ["not root: what only the drives know is not shown"],
           "list: without root, JSON has that as well", bad["errors"])
    bad = bad["functions"]
    tap.ok(all(f["migratable"] is None for f in bad if f["role"] == "vf") and any(f["role"] == "vf" for f in bad),
           "list: without root, whether a VF can migrate is null", bad)
    bad = bed.tool("list", after="; nvme-vfio list >/dev/full 2>/share/e")
    tap.ok(bad.status == 1 and len(bad.lines) == 1, "list: a full output: one line, 1", bad)

    bed.sh(f"echo 0000:01:00.1 >/sys/bus/pci/drivers/vfio-pci/unbind; nvme detach-ns {dev} -n 2 -c 2;"
           f"cd /sys/bus/pci/devices/{PF}; echo 0 >sriov_numvfs; echo 1 >sriov_drivers_autoprobe")

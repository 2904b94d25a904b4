# SPDX-License-Identifier: GPL-2.0-only
"""apply, bind, unbind and teardown, used as intended."""

import time

from bed import AS_USER, PF, PF2
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
    """What is missing of BOTH."""
    bad = []
    for address, queues, driver, namespaces in (
            ("0000:01:00.1", 4, "nvme-vfio-pci", []), ("0000:01:00.2", 3, "nvme-vfio-pci", [2]),
            ("0000:01:00.3", 4, None, []), ("0000:02:00.1", 2, "nvme-vfio-pci", [])):
        vf = f.get(address)
        if not vf or vf["queues"] != queues or vf["driver"] != driver or vf["driver_override"] != driver \
                or not vf["online"] or not set(namespaces) <= set(vf["namespaces"]) \
                or vf["migratable"] != (driver is not None) \
                or (vf["driver_says"] or {}).get("controller_id") != (vf["controller_id"] if driver else None):
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
    tap.ok(quiet(r) and not wanted(f), "apply: two PFs, by serial number and NQN; no message", f"{r}{wanted(f)}")
    tap.ok(f["0000:01:00.1"]["command_set"] == "standard" and f["0000:02:00.1"]["command_set"] == "vendor",
           "apply: each VF can migrate by the set of its PF", f)
    why = same(bed)
    tap.ok(not why, "list agrees with nvme-cli about what apply created", why)
    log = bed.sh("dmesg")
    tap.ok(all(f"{vf}: can migrate: {name} command set" in log for vf, name in
               (("0000:01:00.1", "standard"), ("0000:01:00.2", "standard"), ("0000:02:00.1", "vendor 2022"))),
           "the driver says the same of each VF")

    done = bed.snapshot()
    r = bed.meddle("apply")
    tap.ok(quiet(r) and bed.count() == 0 and bed.snapshot() == done, "apply again: nothing is touched", r)
    r = bed.tool("apply --if-configured nvme99")
    tap.ok(r.status == 3, "apply --if-configured: a PF that is not there is still an error", r)

    policy = "/sys/bus/pci/drivers/nvme-vfio-pci/policy"
    bed.config(BOTH.replace("num_vfs = 3", "num_vfs = 3\npolicy = media=copied match=format # both"))
    r = bed.tool("apply")
    tap.ok(quiet(r) and bed.sh(f"cat {policy}") == f"{PF} media=copied match=format\n",
           "apply: a policy of the PF", f"{r}{bed.sh('cat ' + policy)}")
    r = bed.meddle("apply")
    tap.ok(quiet(r) and bed.count() == 0, "apply again: it stays", r)
    bed.config(BOTH.replace("num_vfs = 3", "num_vfs = 3\npolicy ="))
    r = bed.tool("apply")
    tap.ok(quiet(r) and not bed.sh(f"cat {policy}"), "apply: the defaults again", r)
    bed.config(BOTH)

    # what libvirt may leave behind: a VF without its driver
    bed.sh("echo 0000:01:00.1 >/sys/bus/pci/drivers/nvme-vfio-pci/unbind;"
           "echo >/sys/bus/pci/devices/0000:01:00.1/driver_override")
    group = f["0000:01:00.2"]["iommu_group"]
    bed.sh(f"(sleep 1000 </dev/vfio/{group} & echo $! >/tmp/user) >/dev/null 2>&1; sleep 0.3")
    r = bed.tool(f"apply {PF}")
    tap.ok(quiet(r) and bed.snapshot() == done, "apply: one VF is repaired while another is in use", r)
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
    tap.ok(quiet(r) and bed.snapshot() == before, "teardown: everything is as before the first apply",
           f"{r}{before}--\n{bed.snapshot()}")
    r = bed.tool("teardown")
    tap.ok(quiet(r), "teardown again: nothing to do", r)
    outlasts(tap, bed, before)
    not_from_nothing(tap, bed)
    alike(tap, bed)


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


def vfs(bed):
    f = functions(bed)
    return f[PF]["vfs"], f[PF2]["vfs"]


def outlasts(tap, bed, before):
    """What the next boot does with a PF that was torn down. "apply --boot" is the
    boot."""
    def warned(r):
        return r.status == 0 and not r.out and len(r.lines) == 1 and "next boot" in r.err \
            and "/etc/nvme-vfio/test.conf:2" in r.err and f"teardown --disable {PF}" in r.err

    bed.tool(f"apply {PF}")
    tap.ok(quiet(bed.tool(f"teardown {PF}")), "teardown: does not mention boots without systemd")
    bed.sh("printf '#!/bin/sh\\n[ \"$*\" = \"--quiet is-enabled nvme-vfio.service\" ]\\n' >/programs/systemctl;"
           "chmod +x /programs/systemctl; mkdir -p /run/systemd/system")
    bed.tool(f"apply {PF}")
    r = bed.tool(f"teardown {PF} --dry-run")
    tap.ok(r.status == 0 and "next boot" in r.err and vfs(bed) == (3, 0),
           "teardown --dry-run: says that the next boot would make it again", r)
    r = bed.tool(f"teardown {PF}")
    tap.ok(warned(r), "teardown: says that the next boot creates it again, by which line, and what prevents that", r)
    r = bed.tool(f"apply --boot {PF}")
    tap.ok(quiet(r) and vfs(bed) == (3, 0), "and so it does", r)
    r = bed.tool(f"teardown {PF} --json")
    tap.ok(r.status == 0 and r.json()["remade_at_boot"] == [PF], "teardown --json: the same", r)

    bed.tool(f"apply {PF}")
    r = bed.tool(f"teardown --disable {PF} --json")
    tap.ok(r.status == 0 and not r.err and r.json()["remade_at_boot"] == [] and vfs(bed) == (0, 0),
           "teardown --disable: no warning", r)
    r = bed.tool("apply --boot")
    tap.ok(quiet(r) and vfs(bed) == (0, 1), "the next boot leaves that PF alone, and creates the other's VFs", r)
    r = bed.tool(f"apply --boot --if-configured -v {PF}")
    tap.ok(r.status == 0 and "teardown --disable" in r.err and vfs(bed) == (0, 1), "also if the drive comes later", r)
    r = bed.tool(f"teardown {PF}")
    tap.ok(quiet(r), "teardown again: it stays disabled", r)
    bed.tool(f"apply --dry-run {PF}")
    r = bed.tool(f"apply --boot {PF}")
    tap.ok(quiet(r) and vfs(bed) == (0, 1), "apply --dry-run enables nothing", r)
    r = bed.meddle(f"apply {PF}", 2)
    again = bed.tool(f"apply --boot {PF}")
    tap.ok(r.status == 1 and quiet(again) and vfs(bed) == (0, 1), "nor does an apply that fails", f"{r}{again}")
    r = bed.tool(f"apply {PF}")
    tap.ok(quiet(r) and vfs(bed) == (3, 1), "apply: sets it up again", r)
    r = bed.tool(f"teardown {PF}")
    tap.ok(warned(r), "and it is no longer disabled", r)
    tap.ok(quiet(bed.tool(f"teardown --disable {PF}")) and quiet(bed.tool(f"apply --boot {PF}")) and vfs(bed) == (0, 1),
           "teardown --disable of a PF that is back already")
    bed.sh("rm -r /programs/systemctl /run/systemd")
    bed.tool("apply")
    r = bed.tool("teardown")
    tap.ok(quiet(r) and bed.snapshot() == before, "after apply and teardown nothing is on file", r)


def not_from_nothing(tap, bed):
    """What was set up by hand is restored, including drivers of VFs."""
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


ALIKE = "[all]\nmodel = QEMU NVMe*\nnum_vfs = 2\nqueues = 2\ninterrupts = 2\n"
LAYER = {"etc": "/etc/nvme-vfio", "run": "/run/nvme-vfio", "lib": "/usr/lib/nvme-vfio"}


def layer(bed, where, name, text):
    folder = LAYER[where]
    bed.sh(f"mkdir -p {folder}; cat >{folder}/{name} <<'END'\n{text}END\n")


def vfs(bed):
    f = functions(bed)
    return f[PF]["vfs"], f[PF2]["vfs"]


def alike(tap, bed):
    """Sections about all PFs of a model, files in three folders, and what differs from them."""
    before = bed.snapshot()
    bed.sh("rm -f /etc/nvme-vfio/*")
    layer(bed, "lib", "50-all.conf", ALIKE)
    r = bed.tool("diff")
    rows = [line.split() for line in r.out.splitlines()]
    tap.ok(r.status == 12 and [PF2, "-", "num_vfs", "2", "0", "2", "yes"] in rows and not r.err and bed.snapshot() == before,
           "diff, before apply: 12, both PFs, nothing touched", r)
    r = bed.tool("apply")
    f = functions(bed)
    tap.ok(quiet(r) and vfs(bed) == (2, 2) and all(f[vf]["queues"] == 2 and f[vf]["migratable"] for vf in
                                                 ("0000:01:00.1", "0000:01:00.2", "0000:02:00.1", "0000:02:00.2")),
           "apply: both PFs of a model, from /usr/lib", r)
    applied = bed.snapshot()
    r = bed.tool("diff --quiet")
    tap.ok(quiet(r), "diff: nothing differs", r)
    diff(tap, bed)

    layer(bed, "run", "60-own.conf", "[own]\nserial = rig0\nnum_vfs = 1\nqueues = 2\ninterrupts = 2\npolicy = media=copied\n")
    r = bed.tool("diff --json")
    rows = {(s["pf"], s["vf"], s["setting"]): s for s in r.json()["settings"]}
    own = rows.get((PF, None, "num_vfs"), {})
    tap.ok(r.status == 12 and (own.get("configured"), own.get("now"), own.get("next_boot"), own.get("differs")) == (1, 2, 2, True)
           and rows[PF2, None, "num_vfs"]["differs"] is False and rows[PF2, 2, "queues"]["now"] == 2
           and rows[PF, None, "policy"]["configured"] == "media=copied",
           "diff: a section of its own in /run, which the next boot has not", r)
    r = bed.tool(f"apply {PF2}")
    tap.ok(quiet(r) and bed.snapshot() == applied, "apply: one PF of those alike: nothing to do", r)
    r = bed.tool("apply")
    tap.ok(quiet(r) and vfs(bed) == (1, 2), "apply: a PF's own section comes before one for many", r)
    r = bed.tool("teardown")
    tap.ok(quiet(r) and bed.snapshot() == before, "teardown: both PFs are as before", f"{r}{before}--\n{bed.snapshot()}")

    bed.sh("ln -s /dev/null /run/nvme-vfio/50-all.conf; rm /run/nvme-vfio/60-own.conf")
    r = bed.tool("apply")
    tap.ok(r.status == 0 and len(r.lines) == 1 and "no PF is configured" in r.err and bed.snapshot() == before,
           "apply: a file that is masked does not count", r)
    layer(bed, "etc", "50-all.conf", ALIKE.replace("QEMU NVMe*", "Other ?"))
    r = bed.tool("apply --verbose")
    tap.ok(r.status == 0 and "/etc/nvme-vfio/50-all.conf:1: no PF here with model = Other ?: nothing to do" in r.err
           and "no PF here fits the configuration" in r.err and bed.snapshot() == before,
           "apply: a model that this host has not: a warning, 0", r)
    r = bed.tool("apply --quiet")
    tap.ok(quiet(r), "apply --quiet: not even that", r)
    layer(bed, "lib", "70-pci.conf", ALIKE.replace("model = QEMU NVMe*", "pci = 1b36:0010").replace("all", "pci"))
    layer(bed, "etc", "50-all.conf", ALIKE)
    r = bed.tool("apply")
    tap.ok(r.status == 5 and len(r.lines) == 1 and bed.snapshot() == before and all(word in r.err for word in (
        "/etc/nvme-vfio/50-all.conf:1", "/usr/lib/nvme-vfio/70-pci.conf:1", PF, "serial = rig0")),
           "apply: two that fit one PF: one line, 5, nothing touched", r)
    bed.sh("rm -r /usr/lib/nvme-vfio /run/nvme-vfio/*.conf")
    late(tap, bed)


def late(tap, bed):
    """One of those alike does not have a driver yet."""
    before = bed.snapshot()
    bed.sh(f"echo {PF2} >/sys/bus/pci/drivers/nvme/unbind")
    bed.config(ALIKE)
    waiting = bed.host.begin("nvme-vfio apply --wait=200 2>&1")
    bed.sh(f"wait_for 60 test -e /sys/bus/pci/devices/0000:01:00.2/driver")
    bed.sh(f"echo {PF2} >/sys/bus/pci/drivers/nvme/bind")
    begun = time.monotonic()
    status, output = bed.host.finish(waiting, 120)
    took = time.monotonic() - begun
    bed.find()
    tap.ok(status == 0 and not output and vfs(bed) == (2, 2) and took < 60,
           f"apply --wait: each of those alike when it works, done {took:.0f} s after the last",
           f"{status} {vfs(bed)} {output}")
    bed.tool("teardown")
    bed.sh(f"echo {PF2} >/sys/bus/pci/drivers/nvme/unbind")
    r = bed.tool("apply --wait=1")
    tap.ok(quiet(r), "apply --wait: one whose model stays unknown is none of them", r)
    bed.tool("teardown")
    bed.config(ALIKE.replace("model = QEMU NVMe*", "pci = 1b36:0010"))
    r = bed.tool("apply --wait=1")
    tap.ok(r.status == 3 and len(r.lines) == 1 and f"{PF2}: bound to no driver" in r.err and functions(bed)[PF]["vfs"] == 2,
           "apply --wait: by its PCI id it is: one line, 3, the other is done", r)
    bed.tool("teardown")
    bed.sh(f"echo {PF2} >/sys/bus/pci/drivers/nvme/bind")
    bed.find()
    tap.ok(bed.snapshot() == before, "teardown: all is as before", f"{before}--\n{bed.snapshot()}")


def diff(tap, bed):
    """With both PFs as ALIKE has them."""
    done = bed.snapshot()
    bed.sh("echo 0000:01:00.1 >/sys/bus/pci/drivers/nvme-vfio-pci/unbind")
    r = bed.tool(f"diff -q {PF}")
    rows = [line.split() for line in r.out.splitlines()]
    tap.ok(r.status == 12 and rows[1:] == [[PF, "1", "driver", "nvme-vfio-pci", "none", "nvme-vfio-pci", "yes"]],
           "diff: a driver that is gone, and nothing else", r)
    r = bed.tool(f"diff {PF}", program=AS_USER)
    rows = [line.split() for line in r.out.splitlines()]
    tap.ok(r.status == 12 and [PF, "1", "queues", "2", "?", "?", "?"] in rows and "sudo" in r.err
           and [PF, "1", "driver", "nvme-vfio-pci", "none", "nvme-vfio-pci", "yes"] in rows,
           "diff, not root: what sysfs tells, and what it could not find out", r)
    bed.tool("apply")
    r = bed.tool("diff", program=AS_USER)
    tap.ok(r.status == 6 and PF in r.err and PF2 in r.err and bed.snapshot() == done,
           "diff, not root, nothing differs as far as is known: 6", r)
    r = bed.tool("diff --config /nowhere")
    tap.ok(r.status == 5 and len(r.lines) == 1 and not r.out, "diff: a configuration that is not there: one line, 5", r)
    r = bed.tool("diff 0000:7f:00.0")
    tap.ok(r.status == 3 and len(r.lines) == 1, "diff: an unknown PF: one line, 3", r)

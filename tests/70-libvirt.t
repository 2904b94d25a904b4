#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.1 model packages:tool packages:system
"""What administrators do with VFs in virsh, on two Debian systems with libvirt:
who binds which driver when, the life of a guest that owns a VF, migration there
and back, VFs that come and go while it runs, and what is refused with which
message.

LIBVIRT_KERNEL, LIBVIRT_SET: of the hosts, 6.1 and standard unless given; there
memory is tracked, and QEMU's defaults do, as with 7.3+iommufd, where VFIO is what
nvme-vfio-iommufd-dkms puts in place of the kernel's. LIBVIRT_PARTS: some of PARTS instead
of all. LIBVIRT_BACKPORTS=1: libvirt and QEMU of the suite's backports."""

import json
import os
import re
import sys
import tempfile
import time
from contextlib import contextmanager

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "rig"))
import host as rig                                      # noqa: E402
import pair as pairs                                    # noqa: E402
import place                                            # noqa: E402
import scenario                                         # noqa: E402
import tap                                              # noqa: E402
import virt                                             # noqa: E402

KERNEL = os.environ.get("LIBVIRT_KERNEL", "6.1")
SET = os.environ.get("LIBVIRT_SET", "standard")
TRACKED = (KERNEL == "6.1" or KERNEL.endswith(place.REBUILT)) and SET == "standard"
PF, VF1, VF2, SMALL, MISSING = (virt.VF.format(i) for i in range(5))
DRIVE = "0000:02:00.0"          # without SR-IOV
# the third VF has less than a guest of another needs, a fourth is not created
CONFIG = "vf3.queues = 2\nvf3.interrupts = 2\n"
PLAIN = {"sriov_max_vfs": 0, "sriov_vq_flexible": 0, "sriov_vi_flexible": 0, "lm": "off"}
# What guests can do is tested by 50-guest.t; these have to be quick to move.
CHANGE = 512
OURS, VFIO = virt.DRIVER, "vfio-pci"

# What users read when something is refused; docs/troubleshooting.md has the fixes.
NO_VF = "not found: could not access /sys/bus/pci/devices/"
UNMANAGED = "must be manually detached from the host"
REFUSED = "job 'migration in' failed: load of migration failed: Invalid argument"
POSTCOPY = "VFIO migration is not supported with postcopy migration"
NO_MIGRATION = "VFIO migration is not supported in kernel"
UNTRACKED = "VFIO device doesn't support device and IOMMU dirty tracking"
VIOMMU = "Migration is currently not supported with vIOMMU enabled"

out = tap.Tap()


@contextmanager
def chapter(pair, name):
    """A part of the test, timed; if one goes wrong it leaves no guest for the next."""
    begun = time.monotonic()
    try:
        yield
    except rig.Trouble as e:
        out.ok(False, f"{name}: runs to its end", str(e))
        for host in pair.hosts:
            host.finish(host.begin(f"virsh -q destroy {virt.NAME}"), virt.guests.PATIENCE)
    out.note(f"{name}: {time.monotonic() - begun:.0f} s")


def bound(host, address):
    """Driver and driver override of a function."""
    return host.run(f"cd /sys/bus/pci/devices/{address}; basename $(readlink driver || echo none);"
                    "tr -d '\\n' <driver_override | sed 's/^(null)$//'").split("\n")[:2]


def is_bound(host, address, driver, name, override=None):
    found = bound(host, address)
    return out.ok(found[0] == driver and (override is None or found[1] == override), name, found)


def kernel_said(host, pattern, since):
    """Matching lines of the kernel log, from a number on."""
    return [line for line in host.run("dmesg").splitlines()[since:] if re.search(pattern, line)]


def lines(host):
    return len(host.run("dmesg").splitlines())


def node(address):
    return "pci_" + re.sub("[:.]", "_", address)


# -- who binds what ----------------------------------------------------------------


def chosen(guest, host):
    """libvirt's choice from modules.alias, without a guest."""
    is_bound(host, VF1, "none", "a VF that is configured with driver = none has no driver", "")
    guest.must(host, f"nodedev-detach {node(VF1)}")
    is_bound(host, VF1, OURS, "nodedev-detach of a VF: libvirt takes our driver by itself")
    guest.must(host, f"nodedev-reattach {node(VF1)}")
    is_bound(host, VF1, "none", "nodedev-reattach: no driver, as before", "")
    guest.must(host, f"nodedev-detach {node(VF1)} --driver {VFIO}")
    is_bound(host, VF1, VFIO, f"nodedev-detach --driver {VFIO}: that")
    guest.must(host, f"nodedev-reattach {node(VF1)}")
    before = lines(host)
    guest.must(host, f"nodedev-detach {node(DRIVE)}")
    is_bound(host, DRIVE, OURS, "a drive without SR-IOV: our driver")
    said = kernel_said(host, f"{OURS} {DRIVE}: cannot migrate, plain passthrough: ", before)
    out.ok(len(said) == 1, "as plain passthrough, and the kernel log says why in one line", said)
    guest.must(host, f"nodedev-reattach {node(DRIVE)}")
    host.run(f"wait_for 60 bound_to {DRIVE} nvme", 100)
    is_bound(host, DRIVE, "nvme", "nodedev-reattach: nvme has it again", "")


def starts(guest, host, name, before, want, after, prepare=None, **device):
    """A guest that is started and ended without having run; drivers of its VF before,
    meanwhile, and afterwards."""
    vf = device.get("vf", VF1)
    if prepare:
        host.run(prepare)
    is_bound(host, vf, before, f"{name}: {before} before")
    status, text = guest.create(host, paused=True, **device)
    if not out.ok(status == 0, f"{name}: starts", text):
        return
    is_bound(host, vf, want, f"{name}: {want} while the guest is there")
    guest.destroy()
    is_bound(host, vf, after, f"{name}: {after} afterwards")


def prebound(guest, host):
    """VFs with and without a driver, managed or not, with a model or none."""
    starts(guest, host, "no driver, managed", "none", OURS, "none")
    starts(guest, host, f"no driver, managed, model {OURS}", "none", OURS, "none", model=OURS)
    starts(guest, host, f"no driver, managed, model {VFIO}", "none", VFIO, "none", model=VFIO)
    starts(guest, host, f"{VFIO}, managed", VFIO, OURS, "none", f"nvme-vfio bind --driver={VFIO} {VF1}")

    status, text = guest.create(host, paused=True, managed=False)
    out.ok(status != 0 and f"Unmanaged PCI device {VF1} {UNMANAGED}" in text,
           "no driver, unmanaged: refused, with the reason", text)

    bind = f"nvme-vfio bind {VF1}"
    starts(guest, host, "nvme-vfio bind, managed", OURS, OURS, OURS, bind)
    starts(guest, host, "nvme-vfio bind, unmanaged", OURS, OURS, OURS, bind, managed=False)
    starts(guest, host, f"nvme-vfio bind, managed, model {OURS}", OURS, OURS, OURS, bind, model=OURS)
    host.run(f"nvme-vfio unbind {VF1}")

    override = f"driverctl --nosave set-override {VF1} {OURS}"
    starts(guest, host, "driverctl, managed", OURS, OURS, OURS, override)
    starts(guest, host, "driverctl, unmanaged", OURS, OURS, OURS, managed=False)
    host.run(f"driverctl --nosave unset-override {VF1}; nvme-vfio unbind {VF1} || :")
    is_bound(host, VF1, "none", "driverctl unset-override, nvme-vfio unbind: no driver", "")


def configured(guest, host):
    """driver = nvme-vfio-pci in the configuration, the default."""
    host.run("sed -i /^driver/d /etc/nvme-vfio/drive.conf; nvme-vfio apply")
    starts(guest, host, "nvme-vfio apply, managed", OURS, OURS, OURS)
    starts(guest, host, "nvme-vfio apply, unmanaged", OURS, OURS, OURS, managed=False)


def whole_drive(pair, _):
    """A drive that is not a VF: it works in a guest as under vfio-pci, and does not migrate."""
    guest = virt.Domain(pair, {pair.a: DRIVE, pair.b: DRIVE}, tracked=True)
    guest.start(pair.a)
    is_bound(pair.a, DRIVE, OURS, "a whole drive in a guest: our driver")
    out.ok(True, "a whole drive in a guest: its I/O works")
    status, text = guest.try_to_migrate(pair.b)
    out.ok(status != 0 and NO_MIGRATION in text,
           "a whole drive in a guest: migration is refused, with the reason", text)
    result = scenario.Result(KERNEL, SET)
    scenario.judge(result, guest.finish(), guest.pair.stalled())
    out.ok(result.clean_end and not result.guest_trouble, "a whole drive in a guest: everything that it wrote is there",
           f"{result.totals} {result.guest_trouble}")
    pair.a.run(f"wait_for 60 bound_to {DRIVE} nvme", 100)
    is_bound(pair.a, DRIVE, "nvme", "a whole drive in a guest: nvme has it afterwards")


# -- a guest's life -------------------------------------------------------------------


def goes_on(guest, watch, name):
    """The guest runs where it is and does I/O."""
    status, state = guest.virsh(guest.host, f"domstate {virt.NAME}")
    return out.ok(status == 0 and state == "running" and watch.moved(), f"{name}: the guest goes on", state)


def lifecycle(guest, watch, host):
    guest.start(host)
    is_bound(host, VF1, OURS, "create: our driver, chosen by libvirt")
    guest.must(host, f"suspend {virt.NAME}")
    state = guest.must(host, f"domstate {virt.NAME}")
    time.sleep(1)                   # where the drive was
    before = watch.changes
    time.sleep(2)
    out.ok(state == "paused" and watch.changes == before, "suspend: the guest and its I/O stop",
           f"{state} {before} {watch.changes}")
    guest.must(host, f"resume {virt.NAME}")
    goes_on(guest, watch, "resume")
    guest.must(host, f"reset {virt.NAME}")
    guest.await_text("^guest: nvme cntlid(?s:.*)^guest: nvme cntlid(?s:.*)^iocheck: so far")
    goes_on(guest, watch, "reset")


def moves(guest, watch, target):
    """By virsh migrate, and what it leaves behind."""
    source, vf = guest.host, guest.vfs[guest.host]
    trip = virt.trip(guest, watch, target)
    after = trip["after"]
    out.note(f"from {trip['source']} to {trip['target']}: {trip['seconds']:.1f} s, "
             f"{trip['gap_ms']:.0f} ms without I/O, libvirt says {trip['job'].get('downtime')} ms")
    name = f"migrate {trip['source']} to {trip['target']}"
    out.ok(after.get("errors") == 0 and after["verified"] > trip["before"]["verified"],
           f"{name}: the guest's I/O goes on there and is right", trip)
    is_bound(target, guest.vfs[target], OURS, f"{name}: our driver there, chosen by libvirt")
    is_bound(source, vf, "none", f"{name}: no driver here any more", "")
    status, text = guest.virsh(source, f"domstate {virt.NAME}")
    out.ok(status != 0, f"{name}: no guest here any more", text)


def its_end(guest, host):
    end = scenario.Result(KERNEL, SET)
    scenario.judge(end, guest.finish(), guest.pair.stalled())
    out.ok(end.clean_end and end.read_back and not end.guest_trouble and end.totals.get("errors") == 0,
           "after all that: every block is right, and the guest has no complaint", f"{end.totals} {end.guest_trouble}")
    is_bound(host, VF1, "none", "the guest powers off: no driver", "")


def comes_and_goes(pair, watch):
    """A VF is attached to a running guest, moves with it, and is detached."""
    guest = virt.Domain(pair, {pair.a: VF1, pair.b: VF2}, tracked=TRACKED, change=CHANGE)
    guest.start(pair.a, device=False)
    guest.await_text("^guest: nvme cntlid")
    path = guest.put(pair.a, "device.xml", guest.device(pair.a))
    guest.must(pair.a, f"attach-device {virt.NAME} {path} --live")
    is_bound(pair.a, VF1, OURS, "attach-device: our driver, chosen by libvirt")
    guest.type("until [ -b /dev/nvme0n1 ]; do sleep 1; done; echo guest: attached")
    guest.await_text("^guest: attached")
    guest.type(f"iocheck -p 32 -c {CHANGE} /dev/nvme0n1 {virt.guests.WORKERS} <>/run/iocheck &")
    guest.await_io()
    if TRACKED:
        moves(guest, watch, pair.b)
    else:
        status, text = guest.try_to_migrate(pair.b)
        out.ok(status != 0 and UNTRACKED in text,
               "a VF that was attached: does not migrate where nobody tracks memory, and that is said", text)
    host = guest.host
    guest.type("echo stop >/run/iocheck; wait; echo guest: stopped")
    guest.await_text("^guest: stopped")
    path = guest.put(host, "device.xml", guest.device(host))
    guest.must(host, f"detach-device {virt.NAME} {path} --live")
    host.run(f"wait_for 100 test ! -e /sys/bus/pci/devices/{guest.vfs[host]}/driver", 200)
    is_bound(host, guest.vfs[host], "none", "detach-device: no driver, as before", "")
    text = guest.console()
    out.ok(re.search("^iocheck: end .*errors=0", text, re.M), "a VF that came and went: all data right", text[-1000:])
    guest.destroy()


# -- what is refused -----------------------------------------------------------------


@contextmanager
def other(host, **names):
    """The drive of one host has a different model or firmware."""
    for name, value in names.items():
        host.monitor("qom-set", path="/machine/peripheral/pf0", property=f"lm-{name}", value=value)
    try:
        yield
    finally:
        host.monitor("qom-set", path="/machine/peripheral/pf0", property="lm-reset-knobs", value="1")


def refused(guest, watch, name, words, log=None, options="", **device):
    """A migration that must not happen, and the words with which it is refused."""
    target = next(h for h in guest.pair.hosts if h is not guest.host)
    before = lines(target)
    begun = time.monotonic()
    status, text = guest.try_to_migrate(target, options, guest.xml(target, **device))
    out.note(f"{name}: {text} ({time.monotonic() - begun:.0f} s)")
    out.ok(status != 0 and words in text, f"{name}: refused, with the reason", text)
    if log:
        said = kernel_said(target, f"{OURS} .*: {log}", before)
        out.ok(len(said) == 1, f"{name}: the kernel log there says why", said or guest.log(target))
        out.note("\n".join(said))
    goes_on(guest, watch, name)
    status, text = guest.virsh(target, f"domstate {virt.NAME}")
    out.ok(status != 0, f"{name}: no guest is left there", text)


def refusals(pair, guest, watch):
    b = pair.b if guest.host is pair.a else pair.a
    refused(guest, watch, "a VF that the other host does not have", f"{MISSING} {NO_VF}", vf=MISSING)
    refused(guest, watch, "an unmanaged VF without a driver", UNMANAGED, managed=False)
    refused(guest, watch, f"model {VFIO} there", REFUSED, model=VFIO)
    refused(guest, watch, "postcopy", POSTCOPY, options="--postcopy")
    refused(guest, watch, "a VF with fewer queues", REFUSED, "state refused: this VF has fewer queues", vf=SMALL)
    with other(b, model="Another Drive"):
        refused(guest, watch, "a drive of another model", REFUSED, "state refused: the state is from another model")
    with other(b, firmware="9.99"):
        refused(guest, watch, "a drive with another firmware", REFUSED,
                "state refused: the state is from another firmware revision")


def no_driver_for_it(pair):
    """A guest whose VF has vfio-pci at the source."""
    guest = virt.Domain(pair, {pair.a: VF1, pair.b: VF2}, tracked=True, model=VFIO)
    guest.create(pair.a, paused=True)
    status, text = guest.try_to_migrate(pair.b)
    out.ok(status != 0 and NO_MIGRATION in text,
           f"model {VFIO} here: migration is refused, with the reason", text)
    out.note(text)
    guest.destroy()


def viommu(pair):
    guest = virt.Domain(pair, {pair.a: VF1, pair.b: VF2}, tracked=TRACKED, machine="q35", more={
        "features": "<ioapic driver='qemu'/>",
        "devices": "<iommu model='intel'><driver intremap='on' caching_mode='on'/></iommu>"})
    status, text = guest.create(pair.a, paused=True)
    if status == 0:
        status, text = guest.try_to_migrate(pair.b)
    out.ok(status != 0 and VIOMMU in text,
           "a guest with a virtual IOMMU: refused, with the reason", text)
    out.note(text)
    guest.destroy()


def documented():
    with open(os.path.join(place.TOP, "docs/troubleshooting.md"), encoding="utf-8") as f:
        text = f.read()
    for words in (NO_VF, UNMANAGED, REFUSED, POSTCOPY, NO_MIGRATION, UNTRACKED, VIOMMU):
        out.ok(words in text, f"docs/troubleshooting.md has: {words}")


def life(pair, watch):
    guest = virt.Domain(pair, {pair.a: VF1, pair.b: VF2}, tracked=TRACKED, restarts=True, change=CHANGE)
    lifecycle(guest, watch, pair.a)
    moves(guest, watch, pair.b)
    refusals(pair, guest, watch)
    moves(guest, watch, pair.a)
    its_end(guest, pair.a)


def choice(pair, _):
    chosen(virt.Domain(pair, {pair.a: VF1}, tracked=TRACKED), pair.a)


def before(pair, _):
    guest = virt.Domain(pair, {pair.a: VF1}, tracked=TRACKED)
    prebound(guest, pair.a)
    configured(guest, pair.a)
    pair.a.run(f"nvme-vfio unbind {VF1}")


def here(pair, _):
    no_driver_for_it(pair)
    viommu(pair)


def core(pair, _):
    """VFIO as nvme-vfio-iommufd-dkms replaces it, in the eyes of a whole system."""
    if not KERNEL.endswith(place.REBUILT):
        out.skip("VFIO built again: its files, and what doctor says", f"LIBVIRT_KERNEL={KERNEL}")
        return
    for module in ("vfio", "vfio-pci", "vfio_iommu_type1", "iommufd", OURS):
        path = pair.a.run(f"modinfo -F filename {module}")
        out.ok("/updates/dkms/" in path, f"{module}: modprobe takes the rebuilt one", path)

    def tracking():
        text = pair.a.run("nvme-vfio doctor --json || :")
        return next(c for c in json.loads(text)["checks"] if c["id"] == "kernel-dirty-tracking")

    pair.a.run("modprobe -r nvme-vfio-pci vfio-pci vfio_iommu_type1 iommufd vfio 2>&1 || :")
    out.ok(tracking()["status"] == "ok", "doctor: dirty tracking is possible before VFIO is loaded", tracking())
    pair.a.run(f"nvme-vfio bind {VF1} && udevadm settle")
    out.ok(tracking()["status"] == "ok", "and with a VF that is bound", tracking())
    files = pair.a.run("stat -c '%n %F %a' /dev/iommu /dev/vfio/devices/vfio*")
    out.ok(re.search(r"^/dev/iommu character special file 6", files, re.M) and "/dev/vfio/devices/vfio" in files,
           "there are /dev/iommu and the VF's own device", files)
    out.note(files.strip())
    said = pair.a.run("modprobe kvmgt && modinfo -F filename kvmgt && lsmod | grep -E '^(kvmgt|vfio) '")
    out.ok("/updates/dkms/" in said and re.search(r"^vfio .*kvmgt", said, re.M),
           "Intel's graphics for guests load, on this VFIO", said)
    pair.a.run("modprobe -r kvmgt i915 || :")
    pair.a.run(f"nvme-vfio unbind {VF1}")


# Run in this order; what a part leaves behind does not matter to those after it.
PARTS = {"core": ("VFIO built again", core), "choice": ("libvirt's choice", choice), "life": ("a guest's life", life),
         "attach": ("attach, detach", comes_and_goes), "bound": ("bound before", before),
         "here": ("refused here", here), "drive": ("a whole drive", whole_drive)}


def chosen_parts():
    names = os.environ.get("LIBVIRT_PARTS", "").replace(",", " ").split()
    unknown = sorted(set(names) - set(PARTS))
    if unknown:
        sys.exit(f"LIBVIRT_PARTS: no such part: {' '.join(unknown)}; there are {' '.join(PARTS)}")
    if names:
        left = [name for name in PARTS if name not in names]
        if left:
            out.skip(f"parts: {' '.join(left)}", "not among LIBVIRT_PARTS")
    return [part for name, part in PARTS.items() if not names or name in names]


def story(work, parts):
    begun = time.monotonic()
    pair = virt.hosts(KERNEL, SET, work, vfs=3, backports=bool(os.environ.get("LIBVIRT_BACKPORTS")), config=CONFIG, pfs=2, props=[{}, PLAIN], seconds=5400)
    out.note(f"logs: {pair.log}")
    with pair:
        out.note(f"two hosts up: {time.monotonic() - begun:.0f} s")
        out.note(pair.a.run("virsh version"))
        watch = pairs.Watch(pair)
        watch.start()
        try:
            for name, part in parts:
                with chapter(pair, name):
                    part(pair, watch)
        finally:
            watch.stop()
    out.note(f"all of it: {time.monotonic() - begun:.0f} s")


wanted = chosen_parts()
documented()
with tempfile.TemporaryDirectory() as scratch:
    try:
        story(scratch, wanted)
        out.ok(True, "nothing in the kernel logs")
    except rig.Trouble as e:
        out.ok(False, "the hosts work, and nothing is in their kernel logs", str(e))
sys.exit(out.done())

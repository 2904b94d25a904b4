#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.1 kernel:6.12 debug model packages:tool
"""What "nvme-vfio doctor" finds: nothing in a host without problems, and in each
of many hosts with one, exactly that problem.

A good host is set up, then broken in one way after the other. Its answers must differ
from the good host's exactly as listed here.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

TESTS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(TESTS, "rig"))
import host as rig                                      # noqa: E402
import initramfs                                        # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402

SECONDS = 900
PERM = 6
UNFIT = 11
CONFIG = 5

# What a host of the rig does not have; the tool reads it like that of real ones.
QEMU = "#!/bin/sh\necho 'QEMU emulator version {} (Debian 1:10)'\n"
LIBVIRT = "#!/bin/sh\necho 'libvirtd (libvirt) {}'\n"


def program(name, text):
    """Shell command that puts a program in place."""
    return f"printf '%s' \"{text}\" >/bin/{name} && chmod +x /bin/{name}"


def each(ids, status, *functions):
    return {(i, f): status for i in ids.split() for f in functions or (None,)}


# (name, what breaks the host, {(check, function): status}, what repairs it).
# Functions are PF, VF1, VF2 or None; a dict is added to the answers of the good
# host. The drive's namespace is 1.
BROKEN = (
    ("a VF is offline", "nvadm $PF0_DEV offline 1",
     each("vf-online", "fail", "VF1"),
     "nvadm $PF0_DEV assign 1 4 4 && echo 1 >/sys/bus/pci/devices/$PF0_VF1/reset && nvadm $PF0_DEV online 1"),
    ("a VF has no namespace", "nvme detach-ns $PF0_DEV -n 1 -c $PF0_VF1_CNTLID",
     each("vf-namespace", "warn", "VF1"),
     "nvme attach-ns $PF0_DEV -n 1 -c $PF0_VF1_CNTLID"),
    ("a VF is bound to vfio-pci", "bind $PF0_VF1 vfio-pci",
     {**each("vf-binding", "fail", "VF1"), **each("vfio-offers", "unknown", "VF1")},
     "bind $PF0_VF1 nvme-vfio-pci"),
    ("a VF is bound to nvme", "bind $PF0_VF2 nvme",
     {**each("vf-binding", "fail", "VF2"), **each("vfio-offers", "unknown", "VF2")},
     "wait_for 60 grep -q live /sys/bus/pci/devices/$PF0_VF2/nvme/*/state; bind $PF0_VF2 nvme-vfio-pci"),
    ("a VF is bound to nothing",
     "echo $PF0_VF1 >/sys/bus/pci/drivers/nvme-vfio-pci/unbind",
     {**each("vf-binding", "warn", "VF1"), **each("vfio-offers", "unknown", "VF1")},
     "echo $PF0_VF1 >/sys/bus/pci/drivers/nvme-vfio-pci/bind"),
    ("vfio-pci has taken a VF by new_id",
     "echo $PF0_VF1 >/sys/bus/pci/drivers/nvme-vfio-pci/unbind; "
     "echo >/sys/bus/pci/devices/$PF0_VF1/driver_override; "
     "echo 1 >/sys/bus/pci/devices/$PF0/sriov_drivers_autoprobe; "
     "echo 1b36 0010 >/sys/bus/pci/drivers/vfio-pci/new_id; "
     "echo 0 >/sys/bus/pci/devices/$PF0/sriov_drivers_autoprobe; "
     "[ -e /sys/bus/pci/drivers/vfio-pci/$PF0_VF1 ]",
     {**each("vf-binding", "fail", "VF1"), **each("claims", "warn", "VF1"),
      **each("vfio-offers", "unknown", "VF1")},
     "echo 1b36 0010 >/sys/bus/pci/drivers/vfio-pci/remove_id; bind $PF0_VF1 nvme-vfio-pci"),
    ("an override is in wait", "echo vfio-pci >/sys/bus/pci/devices/$PF0_VF2/driver_override",
     each("claims", "warn", "VF2"),
     "echo nvme-vfio-pci >/sys/bus/pci/devices/$PF0_VF2/driver_override"),
    ("modprobe.d gives the ids to vfio-pci",
     "mkdir -p /etc/modprobe.d; echo 'options vfio-pci disable_vga=1 ids=8086:0001,1b36:0010' >/etc/modprobe.d/x.conf",
     each("claims", "warn", "PF", "VF1", "VF2"),
     "rm /etc/modprobe.d/x.conf"),
    ("driverctl gives a VF to another driver",
     "mkdir -p /etc/driverctl.d; echo vfio-pci >/etc/driverctl.d/pci-$PF0_VF2",
     each("claims", "warn", "VF2"),
     "rm /etc/driverctl.d/pci-$PF0_VF2"),
    ("modules.alias does not have the module",
     "cp $LIB/modules.alias /tmp; sed -i /nvme_vfio_pci/d $LIB/modules.alias",
     each("alias", "fail", "VF1", "VF2"),
     "cp /tmp/modules.alias $LIB"),
    ("an alias that fits no better, and later",
     "echo 'alias vfio_pci:v*d*sv*sd*bc01sc08i* some_vfio_pci' >>$LIB/modules.alias", {},
     "cp /tmp/modules.alias $LIB"),
    ("an alias of another driver fits better",
     "sed -i '1i alias vfio_pci:v00001B36d00000010sv*sd*bc01sc08i* some_vfio_pci' $LIB/modules.alias",
     each("alias", "fail", "VF1", "VF2"),
     "cp /tmp/modules.alias $LIB"),
    ("the module is blacklisted", "echo blacklist nvme-vfio-pci >/etc/modprobe.d/y.conf",
     each("module-loaded", "fail"), "rm /etc/modprobe.d/y.conf"),
    ("the module is loaded but not installed", "mv $LIB/modules.dep.bin /tmp",
     {**each("module-built", "warn"), **each("module-signed", "unknown")},
     "mv /tmp/modules.dep.bin $LIB"),
    ("the module's file is gone", "mv $LIB/updates/dkms/nvme-vfio-pci.ko /tmp",
     {**each("module-built", "fail"), **each("module-signed", "unknown")},
     "mv /tmp/nvme-vfio-pci.ko $LIB/updates/dkms"),
    ("Secure Boot is on and the module is not signed",
     "mount -t tmpfs none /sys/firmware; mkdir -p /sys/firmware/efi/efivars; "
     "printf '\\6\\0\\0\\0\\1' >/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
     each("module-signed", "fail"), "umount /sys/firmware"),
    ("drivers take new VFs", "echo 1 >/sys/bus/pci/devices/$PF0/sriov_drivers_autoprobe",
     each("sriov", "warn", "PF"), "echo 0 >/sys/bus/pci/devices/$PF0/sriov_drivers_autoprobe"),
    ("old QEMU", program("qemu-system-x86_64", QEMU.format("7.2.22")), each("qemu", "fail"),
     program("qemu-system-x86_64", QEMU.format("10.0.2"))),
    ("QEMU for one device", program("qemu-system-x86_64", QEMU.format("8.1.0")),
     each("qemu", "warn"), program("qemu-system-x86_64", QEMU.format("10.0.2"))),
    ("QEMU that says nothing", program("qemu-system-x86_64", "#!/bin/sh\nexit 1\n"),
     each("qemu", "unknown"), program("qemu-system-x86_64", QEMU.format("10.0.2"))),
    ("old libvirt", program("libvirtd", LIBVIRT.format("9.0.0")), each("libvirt", "fail"),
     program("libvirtd", LIBVIRT.format("11.3.0"))),
    ("libvirt that chooses no driver", program("libvirtd", LIBVIRT.format("9.7.0")),
     each("libvirt", "warn"), program("libvirtd", LIBVIRT.format("11.3.0"))),
    ("no libvirt, but Proxmox VE", "mv /bin/libvirtd /tmp; mkdir -p /usr/sbin; printf x >/usr/sbin/qm; chmod +x /usr/sbin/qm", {},
     "rm /usr/sbin/qm; mv /tmp/libvirtd /bin"),
    ("no QEMU, no libvirt, little memory to lock",
     "mv /bin/qemu-system-x86_64 /bin/libvirtd /tmp; echo 64 >/tmp/memlock",
     each("qemu libvirt memlock", "warn"),
     "mv /tmp/qemu-system-x86_64 /tmp/libvirtd /bin; echo unlimited >/tmp/memlock"),
    ("the shim was told to prove nothing",
     "rmmod nvme-vfio-pci nvme-pf-shim; insmod /share/mod/nvme-pf-shim.ko proof=none; "
     "insmod /share/mod/nvme-vfio-pci.ko; bind $PF0_VF1 nvme-vfio-pci; bind $PF0_VF2 nvme-vfio-pci",
     {**each("pf-proof", "fail", "PF"), **each("vfio-offers", "fail", "VF1", "VF2")},
     "rmmod nvme-vfio-pci nvme-pf-shim; load_driver; "
     "bind $PF0_VF1 nvme-vfio-pci; bind $PF0_VF2 nvme-vfio-pci"),
    ("the PF was taken from nvme", "nvme=$PF0; echo $PF0 >/sys/bus/pci/drivers/nvme/unbind",
     {**each("pf-driver", "fail", "PF"), **each("pf-capability pf-tracking pf-resources", "unknown", "PF"),
      **each("vf-online vf-namespace", "unknown", "VF1", "VF2")},
     "echo $PF0 >/sys/bus/pci/drivers/nvme/bind; wait_for 60 pf_dev $PF0; setup_again"),
    ("there is no module",
     "rmmod nvme-vfio-pci nvme-pf-shim; mv $LIB /tmp/lib",
     {**each("module-built", "fail"), **each("module-signed", "unknown"),
      **each("module-loaded", "warn"), **each("pf-proof", "unknown", "PF"),
      **each("vf-binding", "warn", "VF1", "VF2"), **each("alias", "fail", "VF1", "VF2"),
      **each("vfio-offers", "unknown", "VF1", "VF2")},
     ""),
    ("there is no module, and Secure Boot wants a key",
     "mount -t tmpfs none /sys/firmware; mkdir -p /sys/firmware/efi/efivars; "
     "printf '\\6\\0\\0\\0\\1' >/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c; "
     "mkdir -p /var/lib/dkms; echo certificate >/var/lib/dkms/mok.pub",
     {"and": "there is no module", **each("secure-boot", "warn")},
     ""),
    ("there is no module, but the key is enrolled",
     "echo 'list of certificate\n' >/sys/firmware/efi/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23",
     {"and": "there is no module"},
     "umount /sys/firmware; mv /tmp/lib $LIB; load_driver; "
     "bind $PF0_VF1 nvme-vfio-pci; bind $PF0_VF2 nvme-vfio-pci"),
    ("there are no VFs", "echo 0 >/sys/bus/pci/devices/$PF0/sriov_numvfs",
     {**each("sriov", "fail", "PF"), **each("pf-proof", "unknown", "PF"), "gone": ("VF1", "VF2")},
     None),
)

PREPARE = f"""
. /rig/lib.sh
name LIB /lib/modules/$(uname -r)
{program("qemu-system-x86_64", QEMU.format("10.0.2"))}
{program("libvirtd", LIBVIRT.format("11.3.0"))}
echo unlimited >/tmp/memlock
cat >>/rig/lib.sh <<'END'
doctor() {{ ulimit -l "$(cat /tmp/memlock)"; nvme-vfio doctor "$@"; }}
setup_again() {{
	for i in 1 2; do
		nvadm $PF0_DEV assign $i 4 4
		echo 1 >/sys/bus/pci/devices/$(eval echo \\$PF0_VF$i)/reset
		nvadm $PF0_DEV online $i
		bind $(eval echo \\$PF0_VF$i) nvme-vfio-pci
	done
}}
END
"""


def module_tree(kernel, driver, top):
    """{name in the host: file} of /lib/modules with our modules installed."""
    root = os.path.join(top, f"root-{kernel.series}")
    lib = os.path.join(root, "lib/modules", kernel.release)
    ours = os.path.join(lib, "updates/dkms")
    os.makedirs(ours)
    for path in initramfs.module_closure(kernel, ("nvme", "vfio-pci", "vfio_iommu_type1")):
        target = os.path.join(lib, os.path.relpath(path, kernel.modules))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(path, target)
    for name in rig.OURS:
        shutil.copy(os.path.join(driver, name), ours)
    for name in ("modules.builtin", "modules.order", "modules.builtin.modinfo"):
        shutil.copy(os.path.join(kernel.modules, name), lib)
    subprocess.run(["/sbin/depmod", "-b", root, kernel.release], check=True)
    return {"/" + os.path.relpath(os.path.join(d, f), root): os.path.join(d, f)
            for d, _, names in os.walk(root) for f in names}


class Bed:
    """A host with the tool, drives and modules."""

    def __init__(self, series, tool, top, vfs=2, **options):
        kernel = place.kernel(series)
        driver = place.driver(kernel)
        self.vfs = vfs
        self.host = rig.Host(series, driver=driver, cpus=1, seconds=SECONDS,
                             files={"bin/nvme-vfio": tool, "bin/nvme": "/usr/sbin/nvme",
                                    "bin/flock": "/usr/bin/flock", "bin/setpriv": "/usr/bin/setpriv"},
                             root=module_tree(kernel, driver, top), **options)

    def __enter__(self):
        self.host.__enter__()
        self.host.run(PREPARE)
        if self.vfs:
            self.host.run("load_driver")
            self.host.run(f"setup_vfs nvme-vfio-pci {self.vfs} 4 4", 120)
            # where the model attaches it to the PF only
            self.host.run("for pf in $PF0_DEV ${PF1_DEV:-}; do for id in 1 2; do "
                          "nvme attach-ns $pf -n 1 -c $id >/dev/null 2>&1 || :; done; done")
        return self

    def __exit__(self, *args):
        self.host.__exit__(*args)

    def names(self, pf=0):
        text = self.host.run(f"echo $PF{pf} $PF{pf}_VF1 $PF{pf}_VF2").split()
        return dict(zip(text, ("PF", "VF1", "VF2")))

    def report(self, words="", pf=0, command="doctor", probe="--probe"):
        """(exit status, report, {(check, function): status}, why it is no good)."""
        status, text = self.host.finish(self.host.begin(f"{command} {probe} --json {words} 2>/tmp/errors"), 240)
        errors = self.host.run("cat /tmp/errors")
        try:
            report = json.loads(text)
        except ValueError:
            return status, {}, {}, f"exit status {status}: {text}{errors}"
        names = self.names(pf)
        answers = {(c["id"], names.get(c["function"], c["function"])): c["status"]
                   for c in report["checks"]}
        why = ""
        for c in report["checks"]:
            if not c["text"] or (c["status"] in ("warn", "fail")) != bool(c["cure"]):
                why += f"no text, no cure, or too much of it: {c}\n"
        fails = "fail" in answers.values()
        if errors and status != PERM:
            why += errors
        if status != (UNFIT if fails else PERM if command != "doctor" else 0):
            why += f"exit status {status}, though {'something' if fails else 'nothing'} fails\n"
        return status, report, answers, why


def difference(good, expected, answers):
    """How the answers differ from what they should be."""
    gone = expected.pop("gone", ())
    want = {k: v for k, v in {**good, **expected}.items() if k[1] not in gone}
    return "\n".join(f"{key}: {answers.get(key)}, expected {want.get(key)}"
                     for key in sorted({*want, *answers}, key=str)
                     if want.get(key) != answers.get(key))


def texts(report):
    return "\n".join(f"{c['status']} {c['id']} {c['function']}: {c['text']}"
                     for c in report.get("checks", []) if c["status"] != "ok")


def break_all(bed, good, results):
    seen = {}
    for name, how, expected, mend in BROKEN:
        expected = dict(expected)
        expected = {**seen.get(expected.pop("and", None), {}), **expected}
        seen[name] = dict(expected)
        try:
            bed.host.run(how, 240)
        except rig.Trouble as e:
            results.append((False, name, str(e)))
            return
        _, report, answers, why = bed.report("$PF0")
        why += difference(good, expected, answers)
        results.append((not why, f"found: {name}", f"{why}\n{texts(report)}"))
        if mend:
            bed.host.run(mend, 240)
    status, report, answers, why = bed.report("$PF1", 1)
    results.append((why == "" and status == UNFIT and answers.get(("pf-capability", "PF")) == "fail"
                    and answers.get(("vfio-offers", "VF1")) == "fail"
                    and [k[0] for k, v in answers.items() if v == "fail"] ==
                    ["pf-capability", "vfio-offers", "vfio-offers"],
                    "found: a PF without migration commands", f"{why}\n{texts(report)}"))


def not_root(bed, good, results):
    status, report, answers, why = bed.report(
        "$PF0", command="ulimit -l unlimited; /share/bin/setpriv --reuid=65534 --regid=65534 --clear-groups nvme-vfio doctor")
    why += difference(good, {**each("pf-capability pf-tracking pf-resources", "unknown", "PF"),
                             **each("vf-online vf-namespace", "unknown", "VF1", "VF2")}, answers)
    results.append((not why, "without root, what cannot be known is said to be unknown",
                    f"{why}\n{texts(report)}"))


def not_opened(bed, results, name, how, begins):
    """A VF that is not opened, as something holds what we must not take."""
    hold = bed.host.begin(f"rm -f /tmp/let-go; {how}; echo held; while [ ! -e /tmp/let-go ]; do sleep 0.2; done")
    bed.host.run(f"wait_for 30 grep -q held /share/out/{hold}")
    status, text = bed.host.finish(bed.host.begin("nvme-vfio doctor --probe --json $PF0_VF1 2>/dev/null"), 240)
    bed.host.run("touch /tmp/let-go")
    bed.host.finish(hold)
    offers = [c["text"] for c in json.loads(text)["checks"] if c["id"] == "vfio-offers"]
    results.append((status == 0 and len(offers) == 1 and offers[0].startswith(begins)
                    and "can migrate" in offers[0], name, f"exit status {status}: {offers}"))


def read_only(bed, good, results):
    """Without --probe: just as good, from the driver's messages, and nothing is opened."""
    opened = "cat /sys/bus/pci/drivers/nvme-vfio-pci/module/refcnt; ls -l --full-time /run/nvme-vfio 2>&1 || true"
    before = bed.host.run(opened)
    _, report, answers, why = bed.report("$PF0", probe="")
    offers = [c["text"] for c in report["checks"] if c["id"] == "vfio-offers"]
    why += difference(good, {}, answers)
    if not offers or not all(t.startswith("not opened: --probe") and "can migrate" in t for t in offers):
        why += f"vfio-offers: {offers}"
    says = {f["address"]: f["driver_says"] for f in report["functions"]}
    for vf in bed.host.run("echo $PF0_VF1 $PF0_VF2").split():
        files = bed.host.run(f"cd /sys/bus/pci/devices/{vf}/nvme_vfio && cat migratable cntlid state tracking").split("\n")
        if not says[vf] or [str(says[vf][k]) for k in ("migratable", "controller_id", "state", "tracking")] != files[:4]:
            why += f"driver_says: {says[vf]}, files: {files}\n"
    if [vf for vf in says if says[vf]] != sorted(bed.host.run("echo $PF0_VF1 $PF0_VF2").split()):
        why += f"driver_says: {says}\n"
    text = bed.host.run("doctor $PF0")
    rows = [line.lstrip("|`-").split(maxsplit=2) for line in text.splitlines() if "-vf-" in line]
    if ["vf-binding", "ok", "on 2 VFs: nvme-vfio-pci"] not in rows or ["vf-group", "ok", "on 2 VFs"] not in rows or \
            len(rows) != len({r[0] for r in rows}) or not text.startswith("All ") or "\033" in text:
        why += f"two VFs that are equal are not one line, or there is no sum:\n{text}"
    if [line.split()[0] for line in text.splitlines()[3:] if line[0] not in "|`"] != ["Host", "PF", "2"]:
        why += f"these are not the groups:\n{text}"
    if bed.host.run(opened) != before:
        why += "a lock was taken"
    results.append((not why, "without --probe no VF is opened, and nothing is wrong with a good host", why))


def in_use(bed, results):
    not_opened(bed, results, "a VF in use is not opened",
               "exec 5<>/dev/vfio/$(basename $(readlink /sys/bus/pci/devices/$PF0_VF1/iommu_group))",
               "in use by sh(")
    not_opened(bed, results, "a VF that is being set up is not opened",
               "mkdir -p /run/nvme-vfio; exec 5>/run/nvme-vfio/$PF0.lock; flock 5", "not opened: another")


def peers(bed, results):
    """Two hosts compared: the host's own report, changed in one point at a time."""
    _, mine, _, why = bed.report("$PF0_VF1")
    share = bed.host.share
    vf = [f for f in mine["functions"] if f["role"] == "vf"][0]
    firm = {**vf, "firmware": "9.9"}

    def compare(name, report, want):
        with open(os.path.join(share, "peer.json"), "w", encoding="utf-8") as f:
            json.dump(report, f)
        status, got, answers, why = bed.report("--peer /share/peer.json $PF0_VF1")
        have = {k[0]: v for k, v in answers.items() if k[0].startswith("peer") and v != "ok"}
        results.append((not why and have == want, f"peer: {name}",
                        f"{why}exit status {status}: {have}, expected {want}\n{texts(got)}"))

    def changed(**values):
        return {**mine, "functions": [{**vf, **values}]}

    def host(**values):
        return {**mine, "host": {**mine["host"], **values}}

    compare("the same", mine, {})
    for key, value, check in (("firmware", "9.9", "peer-firmware"), ("model", "other", "peer-model"),
                              ("pci_id", "8086:1457", "peer-pci-id"),
                              ("command_set", "vendor", "peer-command-set"),
                              ("nvme_version", "2.1.0", "peer-nvme-version"),
                              ("state_formats", {"versions": [7], "uuids": vf["state_formats"]["uuids"]}, "peer-format"),
                              ("state_formats", {**vf["state_formats"], "uuids": ["00" * 16]}, "peer-format"),
                              ("namespace_digest", "0" * 16, "peer-namespaces"),
                              ("queues", 2, "peer-queues"), ("interrupts", 1, "peer-interrupts")):
        compare(f"another {key}", changed(**{key: value}), {check: "fail", "peer": "fail"})
    compare("a version of an older report", changed(state_version=7, state_formats=None),
            {"peer-format": "fail", "peer": "fail"})
    other = [{**ns, "blocks": ns["blocks"] + 1} for ns in vf["namespaces"]]
    compare("a namespace of another size, of another digest", changed(namespaces=other, namespace_digest="0" * 16),
            {"peer-namespaces": "fail", "peer": "fail"})
    compare("another firmware that the policy there lets in",
            changed(firmware="9.9", policy="match=format"), {})
    compare("more queues", changed(queues=5), {"peer-queues": "warn"})
    compare("firmware not known", changed(firmware=None),
            {"peer-firmware": "unknown", "peer": "unknown"})
    compare("the nearest of many", {**mine, "functions": [firm, {**vf, "queues": 9}, firm]},
            {"peer-queues": "warn"})
    compare("no VFs", {**mine, "functions": []}, {"peer": "fail"})
    compare("a small limit", host(max_state_mb=0), {"peer-state-size": "fail", "peer": "fail"})
    compare("another machine", host(machine="aarch64"), {"peer-machine": "fail"})
    compare("an older QEMU", host(qemu="8.2.0"), {"peer-qemu": "warn"})
    compare("a kernel without tracking", host(dirty_tracking=False), {"peer-dirty-tracking": "warn"})
    compare("something fails over there",
            {**mine, "checks": [*mine["checks"], {"id": "iommu", "function": None, "status": "fail"}]},
            {"peer-checks": "fail", "peer": "fail"})


def many(tool, top, results):
    """6.1: everything that can be broken in a running host."""
    with Bed("6.1", tool, top, pfs=2, props=[{}, {"lm": "off"}], allow=(
            r"nvme nvme\d+: failed to mark controller live", r"nvme .*Removing",
            r"nvme.*Device not ready", r"nvme.*: failed")) as bed:
        _, report, good, why = bed.report("$PF0")
        results.append((not why and set(good.values()) == {"ok"}, "6.1: nothing is wrong with a good host",
                        f"{why}\n{texts(report)}"))
        read_only(bed, good, results)
        in_use(bed, results)
        not_root(bed, good, results)
        peers(bed, results)
        break_all(bed, good, results)


def two_sets(tool, top, results):
    """6.12: no IOMMUFD, and a drive with the vendor set whose id is not listed."""
    with Bed("6.12", tool, top, set="vendor") as bed:
        _, report, answers, why = bed.report("$PF0")
        want = {("kernel-dirty-tracking", None): "warn", ("pf-capability", "PF"): "fail",
                ("pf-tracking", "PF"): "unknown", ("vfio-offers", "VF1"): "fail",
                ("vfio-offers", "VF2"): "fail"}
        have = {k: v for k, v in answers.items() if v != "ok"}
        results.append((not why and have == want, "6.12: no IOMMUFD, id not in vendor_ids",
                        f"{why}{have}\n{texts(report)}"))
        cures = [check.get("cure") or "" for check in report["checks"] if check["id"] == "kernel-dirty-tracking"]
        results.append((len(cures) == 1 and "nvme-vfio-iommufd-dkms" in cures[0],
                        "6.12: a kernel of Debian is told what gives it IOMMUFD", str(cures)))


def iommu_off(tool, top, results):
    with Bed("6.1", tool, top, vfs=0, cmdline="intel_iommu=off") as bed:
        bed.host.run("load_driver; (setup_vfs vfio-pci 2 4 4); true", 120)
        _, report, answers, why = bed.report("$PF0")
        have = {k: v for k, v in answers.items() if v != "ok"}
        want = {("iommu", None): "fail", ("pf-proof", "PF"): "unknown"}
        results.append((not why and want.items() <= have.items(), "6.1: no IOMMU",
                        f"{why}{have}\n{texts(report)}"))


def by_cdev(tool, top, results):
    """debug: VFIO's character devices and IOMMUFD."""
    with Bed("debug", tool, top) as bed:
        _, report, answers, why = bed.report("$PF0")
        results.append((not why and set(answers.values()) == {"ok"},
                        "debug: nothing is wrong with a good host, by group and by character device",
                        f"{why}\n{texts(report)}"))


FULL = {
    "version": 1, "command": "doctor",
    "host": {"name": "b", "machine": "x86_64", "kernel": "6.12", "dirty_tracking": False,
             "qemu": "10.0.2", "libvirt": None, "max_state_mb": 1024},
    "functions": [{"address": f"0000:01:00.{n}", "role": "vf" if n else "pf", "pf": "0000:01:00.0" if n else None,
                   "pci_id": "1b36:0010", "model": "M", "firmware": "1", "command_set": "standard",
                   "nvme_version": "1.4.0", "state_version": 0, "state_uuid": "00", "queues": 4,
                   "interrupts": 4, "state_bytes": 1272} for n in range(3)],
    "checks": [{"id": "iommu", "function": None, "status": "ok"},
               {"id": "vf-online", "function": "0000:01:00.1", "status": "fail"}],
}


def damaged(out, checked, text, top):
    """Reports with bytes changed at random: accepted or refused, nothing else."""
    seed = int(os.environ.get("DOCTOR_SEED", time.time()))
    dice = random.Random(seed)
    path = os.path.join(top, "damaged.json")
    why = []
    for _ in range(60):
        data = bytearray(text.encode())
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(data))
            data[at:at + dice.randint(0, 3)] = dice.choice((b"", b"-1", b"[", b"null", b'"', b"{}", b"9" * 30, b"\xff"))
        with open(path, "wb") as f:
            f.write(data)
        run = subprocess.run([checked, "doctor", "--peer", path], capture_output=True, check=False)
        if run.returncode not in (CONFIG, UNFIT) or run.stderr.count(b"\n") != (run.returncode == CONFIG):
            why.append(f"{bytes(data)}: {run.returncode}: {run.stderr}")
    out.ok(not why, f"peer: damaged at random (DOCTOR_SEED={seed})", "\n".join(why))


def refusals(out, tool, checked, top):
    """Files that are not reports; here, without a host."""
    report = {"version": 1, "command": "doctor",
              "host": dict.fromkeys(("name", "machine", "kernel", "dirty_tracking", "qemu",
                                     "libvirt", "max_state_mb")),
              "functions": [], "checks": []}
    bad = {"nothing": "", "text": "hello", "another command": json.dumps({**report, "command": "list"}),
           "another version": json.dumps({**report, "version": 2}),
           "a list": "[]", "half of it": json.dumps(report)[:100],
           "more than it": json.dumps(report) + "{}", "no host": json.dumps({**report, "host": None}),
           "a wrong type": json.dumps({**report, "functions": [7]}),
           "too deep": "[" * 100000, "a check without a name": json.dumps({**report, "checks": [{"id": None}]})}
    for name, text in bad.items():
        path = os.path.join(top, "bad.json")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        run = subprocess.run([tool, "doctor", "--peer", path], capture_output=True, text=True, check=False)
        out.ok(run.returncode == CONFIG and not run.stdout and run.stderr.count("\n") == 1 and path in run.stderr,
               f"peer: {name} is refused", f"{run.returncode}: {run.stdout}{run.stderr}")
    damaged(out, checked, json.dumps(FULL), top)
    run = subprocess.run([tool, "doctor", "--json", "--peer", "-"], input=json.dumps(report),
                         capture_output=True, text=True, check=False)
    out.ok(run.returncode == UNFIT and "peer-machine" in run.stdout, "peer: from standard input",
           f"{run.returncode}: {run.stderr}")
    run = subprocess.run([tool, "doctor", "0000:ff:1f.7"], capture_output=True, text=True, check=False)
    out.ok(run.returncode == 3 and run.stderr.count("\n") == 1, "an unknown function is refused", run.stderr)
    run = subprocess.run(["valgrind", "-q", "--leak-check=full", "--error-exitcode=99", tool, "doctor", "--peer", "-"],
                         input=json.dumps(report), capture_output=True, text=True, check=False)
    out.ok(run.returncode == UNFIT and not run.stderr, "valgrind is content", run.stderr)


def run_host(name, tool, top):
    """[(good, name, why)] of one host, including its kernel log."""
    results = []
    try:
        HOSTS[name](tool, tempfile.mkdtemp(dir=top), results)
        results.append((True, f"{name}: host and its kernel log are fine", ""))
    except rig.Trouble as e:
        results.append((False, f"{name}: host and its kernel log are fine", str(e)))
    return results


HOSTS = {"many": many, "two_sets": two_sets, "iommu_off": iommu_off, "by_cdev": by_cdev}


def main():
    out = tap.Tap()
    top = tempfile.mkdtemp(prefix="doctor-")
    try:
        (tool, checked), why = place.all_built("nvme-vfio", "nvme-vfio-checked")
        if not out.ok(not why, "the tool builds", why):
            return out.done()
        refusals(out, tool, checked, top)
        wanted = os.environ.get("DOCTOR_HOSTS", " ".join(HOSTS)).split()
        with ThreadPoolExecutor(4) as pool:
            for results in pool.map(lambda name: run_host(name, checked if name == "many" else tool, top), wanted):
                for good, text, why in results:
                    out.ok(good, text, why)
    finally:
        shutil.rmtree(top)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

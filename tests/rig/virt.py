# SPDX-License-Identifier: GPL-2.0-only
"""Two full hosts with libvirt, as administrators run them, and a guest that libvirt
runs and moves.

    with tempfile.TemporaryDirectory() as work:
        with hosts("6.12", "standard", work) as pair:
            guest = Domain(pair, {pair.a: VF.format(1), pair.b: VF.format(2)})
            guest.start(pair.a)
            guest.migrate(pair.b)
"""

import os
import re
import shutil
import time

import full
import guest as guests
import host as rig
import pair as pairs

PACKAGES = ("libvirt-daemon-system", "libvirt-clients", "qemu-system-x86", "iproute2",
            "driverctl")
VF = "0000:01:00.{}"            # by its number
DRIVER = "nvme-vfio-pci"
NAME = "guest"
FOLDER = "/var/lib/libvirt/boot"            # the guest's kernel and image, on both hosts
CONSOLE = "/var/log/libvirt/qemu/console"   # what the guest says; virtlogd writes it
SOCKET = "/var/lib/libvirt/qemu/console.sock"

HOSTS = "127.0.0.1 localhost\n10.9.0.1 a\n10.9.0.2 b\n"      # etc/hosts

# Nothing takes new VFs: libvirt chooses who gets them.
CONFIG = """[drive]
serial = rig0
num_vfs = {vfs}
queues = 3
interrupts = 3
driver = {driver}
{more}"""


def _write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


# A drive of a busy emulated machine is slow, like everything there.
PATIENT = """[Service]
ExecStart=
ExecStart=/usr/sbin/nvme-vfio apply --wait=600
TimeoutStartSec=700
"""


def settings(work, kernel, driver="none", vfs=2, config=""):
    """A folder with what an administrator would have configured on such hosts."""
    folder = os.path.join(work, "settings")
    _write(folder, "etc/nvme-vfio/drive.conf", CONFIG.format(driver=driver, vfs=vfs, more=config))
    _write(folder, "etc/hosts", HOSTS)
    _write(folder, "etc/systemd/system/nvme-vfio.service.d/patient.conf", PATIENT)
    # a network of two, on which migrations may be asked for without a password
    _write(folder, "etc/libvirt/libvirtd.conf", 'auth_tcp = "none"\n')
    sockets = os.path.join(folder, "etc/systemd/system/sockets.target.wants")
    os.makedirs(sockets)
    os.symlink("/usr/lib/systemd/system/libvirtd-tcp.socket", os.path.join(sockets, "libvirtd-tcp.socket"))
    guest_files(folder, kernel)
    return folder


def guest_files(folder, kernel):
    """What guests are booted from in hosts with this kernel."""
    os.makedirs(folder + FOLDER)
    for name, source in guests.files(kernel).items():
        shutil.copy(source, os.path.join(folder + FOLDER, os.path.basename(name)))


def hosts(kernel, command_set, work, *, driver="none", vfs=2, config="", by_apt=False, backports=False,
          **more):
    """A pair of hosts on which all is installed and configured. config: further
    lines about the drive. by_apt: our packages are, not what "make install" makes.
    backports: libvirt and QEMU are those of the suite's backports."""
    if command_set in ("vendor", "both"):
        # the emulated VF's id is on no list of devices with that set
        more["cmdline"] = "nvme_vfio_pci.vendor_ids=1b36:0010"
    packages = PACKAGES
    if by_apt:
        packages += ("dkms", full.compiler(kernel), "pahole")
    if backports:
        packages = ("--backports", *packages)
    ours = full.by_apt(work, kernel, *packages) if by_apt else [full.installed(work, kernel)]
    folders = [*ours, settings(work, kernel, driver, vfs, config)]
    pair = pairs.Pair(kernel, command_set, kind=full.FullHost, packages=packages, folders=folders, **more)
    pair.b.like = pair.a
    return pair


def driver_of(host, address):
    """What a function is bound to."""
    return host.run(f"basename $(readlink /sys/bus/pci/devices/{address}/driver || echo none)").strip()


class Domain:
    """A guest of libvirt.

    vfs      {host: address of the VF there}
    tracked  something tracks which pages the drive writes: QEMU's defaults are enough
    model    of the driver, named explicitly; else libvirt chooses
    managed  libvirt binds the VF and releases it
    more     further XML: {"features": ..., "devices": ...}
    machine  pc or q35
    restarts a reboot of the guest does not end it
    change   KiB of memory that its processor changes each second
    """

    def __init__(self, pair, vfs, *, tracked=False, model=None, managed=True, more=None, machine="pc",
                 restarts=False, change=guests.CHANGE):
        self.pair = pair
        self.vfs = dict(vfs)
        self.tracked = tracked
        self.model = model
        self.managed = managed
        self.more = dict(more or {})
        self.machine = machine
        self.restarts = restarts
        self.change = change
        self.host = None

    # -- what it is -------------------------------------------------------------

    def device(self, host, **other):
        """The XML of its VF on a host, or of a device that differs in vf, model,
        managed."""
        domain, bus, slot, function = re.split("[:.]", other.get("vf", self.vfs[host]))
        model = other.get("model", self.model)
        model = f"<driver name='vfio' model='{model}'/>" if model else ""
        managed = "yes" if other.get("managed", self.managed) else "no"
        return (f"<hostdev mode='subsystem' type='pci' managed='{managed}'>{model}"
                f"<source><address domain='0x{domain}' bus='0x{bus}' slot='0x{slot}' function='0x{function}'/>"
                "</source><alias name='ua-vf'/></hostdev>")

    def xml(self, host, device=True, **other):
        cmdline = f"{guests.CMDLINE} pool={guests.POOL} change={self.change} workers={guests.WORKERS}"
        # libvirt has no setting for this: see README
        override = "" if self.tracked or not device else (
            "<qemu:override><qemu:device alias='ua-vf'><qemu:frontend>"
            "<qemu:property name='enable-migration' type='string' value='on'/>"
            "</qemu:frontend></qemu:device></qemu:override>")
        return (
            "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
            f"<name>{NAME}</name><uuid>6e766d65-7666-696f-0000-000000000001</uuid>"
            f"<memory unit='MiB'>{guests.MEMORY}</memory><vcpu>1</vcpu>"
            f"<os><type arch='x86_64' machine='{self.machine}'>hvm</type><kernel>{FOLDER}/kernel</kernel>"
            f"<initrd>{FOLDER}/initrd</initrd><cmdline>{cmdline}</cmdline></os>"
            f"<features><acpi/>{self.more.get('features', '')}</features>"
            "<cpu mode='host-passthrough' check='none'/>"
            f"<on_reboot>{'restart' if self.restarts else 'destroy'}</on_reboot><devices>"
            "<controller type='usb' model='none'/><memballoon model='none'/>"
            f"<serial type='unix'><source mode='bind' path='{SOCKET}'/><log file='{CONSOLE}' append='on'/>"
            "<target port='0'/></serial>"
            + (self.device(host, **other) if device else "") + self.more.get("devices", "")
            + f"</devices>{override}</domain>")

    # -- what is done with it ---------------------------------------------------------

    def put(self, host, name, text):
        """A file for virsh, by its name there."""
        _write(host.share, f"xml/{name}", text)
        return f"/share/xml/{name}"

    def virsh(self, host, command, seconds=guests.PATIENCE):
        """(exit status, what it said)"""
        status, text = host.finish(host.begin(f"virsh -q {command}"), seconds)
        return status, text.strip()

    def must(self, host, command, seconds=guests.PATIENCE):
        status, text = self.virsh(host, command, seconds)
        if status:
            raise rig.Trouble(f"{host.name}: virsh {command}: {text}\n" + self.log(host))
        return text

    def create(self, host, device=True, paused=False, **other):
        """Let libvirt start it; (exit status, what it said)."""
        path = self.put(host, "guest.xml", self.xml(host, device, **other))
        status, text = self.virsh(host, f"create {'--paused' * paused} {path}", 600)
        if not status:
            self.host = host
        return status, text

    def start(self, host, device=True):
        """Start it and wait for its I/O."""
        self.forget()
        status, text = self.create(host, device)
        if status:
            raise rig.Trouble(f"{host.name}: libvirt does not start the guest: {text}\n" + self.log(host))
        if device:
            self.await_io()

    def await_text(self, pattern, seconds=400):
        limit = rig.Limit(seconds, *self.pair.hosts)
        while True:
            text = self.console()
            if re.search(pattern, text, re.M):
                return text
            if limit.over():
                raise rig.Trouble(f"{self.host.name}: the guest did not say \"{pattern}\" within {seconds} s\n"
                                  + text[-2000:] + self.log(self.host))
            time.sleep(guests.POLL)

    def await_io(self, seconds=400):
        self.await_text("^iocheck: so far", seconds)

    def try_to_migrate(self, target, options="", xml=None, seconds=900):
        """(exit status, what virsh said)"""
        if not self.tracked:
            self.virsh(self.host, f"migrate-setmaxdowntime {NAME} {guests.UNTRACKED['downtime-limit']}")
        path = self.put(self.host, "target.xml", xml or self.xml(target))
        return self.virsh(self.host, f"migrate --live {options} --xml {path} {NAME} "
                                     f"qemu+tcp://{target.name}/system", seconds)

    def migrate(self, target):
        status, text = self.try_to_migrate(target)
        if status:
            raise rig.Trouble(f"migration from {self.host.name} to {target.name}: {text}\n"
                              + self.log(self.host) + self.log(target))
        self.host = target

    def destroy(self):
        if self.host:
            self.virsh(self.host, f"destroy {NAME}")
            self.host = None

    def type(self, line):
        """Give the guest's shell a line."""
        self.host.run(f"qmp -t {SOCKET} '{line}'", guests.PATIENCE)

    def finish(self, seconds=400):
        """Stop the I/O, let the guest verify everything and power off; returns
        all it ever said."""
        self.type("stop")
        self.await_text("^guest: end", seconds)
        limit = rig.Limit(seconds, *self.pair.hosts)
        while self.virsh(self.host, f"domstate {NAME}")[0] == 0:
            if limit.over():
                raise rig.Trouble("the guest does not power off")
            time.sleep(guests.POLL)
        self.host = None
        return self.all_consoles()

    # -- what is seen of it ------------------------------------------------------------

    def console(self, host=None):
        """What the guest said on the host where it is."""
        host = host or self.host
        return host.finish(host.begin(f"cat {CONSOLE} 2>/dev/null"), guests.PATIENCE)[1].replace("\r", "")

    def forget(self):
        """What earlier guests said."""
        for host in self.pair.hosts:
            host.run(f"rm -f {CONSOLE}")

    def all_consoles(self):
        return "".join(self.console(host) for host in self.pair.hosts)

    def log(self, host):
        """The messages of QEMU and our driver there, to be shown."""
        return host.finish(host.begin(f"tail -n 8 /var/log/libvirt/qemu/{NAME}.log; dmesg | grep {DRIVER} | tail -n 5"))[1]

    def totals(self):
        """The checker's last totals, as a dict of numbers."""
        lines = re.findall(r"^iocheck: .* writes=.* errors=[0-9]+;.*$", self.console(), re.M)
        return {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", lines[-1])} if lines else {}

    def job(self, host):
        """libvirt's account of the migration that ended on a host."""
        text = self.must(host, f"domjobinfo {NAME} --completed --rawstats")
        return dict(re.findall(r"^(\S+):\s*(\S+)$", text, re.M))


def trip(guest, watch, target):
    """Move a guest by virsh, and wait until its I/O is verified there; returns what was
    observed."""
    source, before = guest.host, guest.totals()
    begun = time.monotonic()
    guest.migrate(target)
    if not watch.moved():
        raise rig.Trouble("the guest wrote nothing more after migration")
    ended = time.monotonic()
    guest.await_text("^iocheck: .* errors=")
    job = guest.job(target)
    return {"source": source.name, "target": target.name, "seconds": ended - begun,
            "gap_ms": watch.longest(begun, ended) * 1000, "job": job, "before": before,
            "after": guest.totals(), "driver": driver_of(target, guest.vfs[target])}

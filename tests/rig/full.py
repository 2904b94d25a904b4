# SPDX-License-Identifier: GPL-2.0-only
"""A full host: a Debian system with systemd and udev, on a disk that outlives
the machine, so that it can be power-cycled.

    with FullHost("6.12", folders=[installed(work)]) as host:
        host.run("nvme-vfio apply")
        host.power_cycle()
        host.run("nvme-vfio list")

The disk is created for each FullHost, and removed with it. Logs of earlier
boots get a number when the next one begins: serial-1, dmesg-1.
"""

import glob
import os
import re
import shutil
import subprocess
import tempfile
import uuid

import host as rig
import initramfs
import place

HERE = os.path.join(place.RIG, "full")
SUITE = "trixie"                # as full/tree calls it
FRESH = ("systemd-sysv", "udev", "dbus", "libpam-systemd", "kmod", "procps", "iproute2", "sudo", "openssh-server",
         "linux-image-amd64")

# To reach the disk; udev finds everything else.
MODULES = ("virtio_pci", "virtio_blk", "ext4")

# How long a system may take to boot and to shut down, and a service in it to take its
# next step: a busy machine only lets it run now and then. A system that stood still for
# a second must not consider its clock broken: all others are slow to read.
BOOT_SECONDS = 1200
DOWN_SECONDS = 300
PATIENCE = ("systemd.default_timeout_start_sec=600 systemd.default_device_timeout_sec=600 udev.event_timeout=600 "
            "watchdog_thresh=60 tsc=reliable")


def tree(*packages):
    """The folder of a Debian system that has these packages as well."""
    return _script("tree", *packages)


def _script(name, *arguments):
    run = subprocess.run([os.path.join(HERE, name), *arguments], stdout=subprocess.PIPE,
                         text=True, check=False)
    if run.returncode:
        raise rig.Trouble(f"tests/rig/full/{name} failed, see above")
    return run.stdout.strip()


def installed(work, kernel, log=None):
    """A folder with what "make install" puts into a system, the unit enabled, and the
    modules built for a kernel, where dkms puts them; VFIO and iommufd as well if that is
    built again for it."""
    folder = os.path.join(work, "installed")
    source = os.path.join(work, "source")
    files = subprocess.run(["git", "-C", place.TOP, "ls-files", "-z"], check=True,
                           stdout=subprocess.PIPE).stdout
    # the checkout stays as it is: the build goes elsewhere
    os.makedirs(source)
    subprocess.run(["xargs", "-0", "cp", "--parents", "-t", source], check=True,
                   cwd=place.TOP, input=files)
    run = subprocess.run(["make", "-C", source, "install", f"DESTDIR={folder}", "prefix=/usr"],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if run.returncode:
        raise rig.Trouble("make install failed:\n" + run.stdout[-4000:])
    wants = os.path.join(folder, "etc/systemd/system/multi-user.target.wants")
    os.makedirs(wants)
    os.symlink("/usr/lib/systemd/system/nvme-vfio.service", os.path.join(wants, "nvme-vfio.service"))
    kern = place.kernel(kernel)
    modules = os.path.join(folder, "usr/lib/modules", kern.release, "updates/dkms")
    os.makedirs(modules)
    for name in rig.OURS:
        shutil.copy(os.path.join(place.driver(kern), name), modules)
    for path in glob.glob(f"{kern.core}/**/*.ko", recursive=True) if kern.core else ():
        shutil.copy(path, modules)
    shutil.rmtree(source)
    return folder


def headers(work, kernel):
    """A folder with a kernel's headers, where their own package puts them."""
    kern = place.kernel(kernel)
    folder = os.path.join(work, "headers")
    modules = os.path.join(folder, "usr/lib/modules", kern.release)
    os.makedirs(modules)
    os.symlink("/usr/src/" + os.path.basename(kern.build), os.path.join(modules, "build"))
    root = os.path.dirname(os.path.dirname(kern.build))
    for part in ("src", "lib"):             # what they link to is in lib
        os.makedirs(os.path.join(folder, "usr", part), exist_ok=True)
        subprocess.run(["cp", "-a", *glob.glob(os.path.join(root, part, "linux-*")),
                        os.path.join(folder, "usr", part)], check=True)
    return folder


# In /work. Whatever is new afterwards is taken along, with any date.
CHANGES = """set -e
{before}
touch begun
sleep 1
{script}
find / -xdev -cnewer begun ! -path "/work*" ! -path "/var/cache/apt/*" ! -path /tmp -print0 >changed
tar --no-recursion --null -T changed -cf changed.tar
"""
BY_APT = """apt-get -q -y --no-install-recommends install ./*.deb
dkms status"""


def changes(system, work, script, before=":"):
    """An archive of all that changes in a copy of a system when a shell script runs
    there, as root, in the folder /work, which is work. This is done in the system
    itself, but before it is a machine: compilers are slow in emulated ones. before:
    what is done first and does not count as a change."""
    run = subprocess.run([os.path.join(HERE, "inside"), system, work, "sh", "-c",
                          CHANGES.format(before=before, script=script)],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if run.returncode:
        raise rig.Trouble(run.stdout[-4000:])
    return os.path.join(work, "changed.tar")


def by_apt(work, kernel, *packages):
    """Folders with all that changes in the tree of these packages when apt installs the
    Debian packages of this checkout there, and dkms builds the modules."""
    system, ours, base = tree(*packages), place.packages(SUITE), headers(work, kernel)
    names = sorted(name for name in os.listdir(ours) if name.endswith(".deb") and not re.search("-(dbgsym|iommufd-dkms)_", name))

    def build(path):
        with tempfile.TemporaryDirectory(dir=place.CACHE) as scratch:
            subprocess.run(["cp", "-a", base, *(os.path.join(ours, name) for name in names), scratch], check=True)
            try:
                archive = changes(system, scratch, BY_APT, "cp -a headers/. /")
            except rig.Trouble as e:
                raise rig.Trouble(f"apt does not install our packages:\n{e}") from None
            shutil.rmtree(path + ".new", ignore_errors=True)
            os.makedirs(path + ".new")
            subprocess.run(["tar", "-xpf", archive, "-C", path + ".new"], check=True)
        os.rename(path + ".new", path)

    release = place.kernel(kernel).release
    key = place.digest([os.path.join(HERE, "inside")], system, ours, release, CHANGES, BY_APT)
    return [base, place.made(os.path.join(place.CACHE, "packages", f"installed-{release}-{key}"), build)]


def fresh(*packages):
    """The folder of a freshly installed Debian system, with these packages and a kernel
    of its own."""
    return tree("--minimal", SUITE, *FRESH, *packages)


def own_kernel(system):
    """That kernel."""
    release, = os.listdir(os.path.join(system, "usr/lib/modules"))
    return place.Kernel(SUITE, release, "", os.path.join(system, "boot", f"vmlinuz-{release}"))


def archive(system, *packages):
    """The folder of a mirror with these packages and what they need."""
    return _script("archive", system, *packages)


def compiler(kernel):
    """The package with the compiler that a kernel's modules must be built with."""
    with open(os.path.join(place.kernel(kernel).build, ".kernelvariables"), encoding="ascii") as f:
        return re.search(r"gcc-\d+", f.read())[0]


class FullHost(rig.Host):
    """A host with a whole system. As Host, and:

    packages  that the system has besides the usual ones
    system    a tree instead, whose own kernel it uses: see fresh()
    folders   that are laid over its root; also archives, which name the files' owners
    early     modules that are loaded before there is a udev
    like      a host whose disk is the same until it starts
    """

    def __init__(self, kernel, *more, packages=(), system=None, folders=(), early=(), like=None, **named):
        super().__init__(kernel, *more, **{"seconds": 3 * rig.RUN_SECONDS, "memory": 2048, **named})
        self.packages = tuple(packages)
        self.system = system
        if system:
            self.kernel = own_kernel(system)
        self.folders = list(folders)
        self.early = tuple(early)
        self.like = like
        self.boots = 0
        self.root_disk = None
        self.cmdline += f" systemd.hostname={self.name} net.ifnames=0 {PATIENCE}"
        self.files.update({"rig/agent": os.path.join(HERE, "agent"),
                           "rig/lib.sh": os.path.join(place.RIG, "host-lib.sh"),
                           "bin/nvadm": place.program("nvadm.c"),
                           "bin/qmp": place.program("qmp.c")})

    def prepare(self):
        if self.root_disk:
            return
        os.makedirs(self.path(), exist_ok=True)
        self.root_disk = self.path("disk")
        if self.like and self.like.root_disk and not self.like.boots:
            subprocess.run(["cp", "--sparse=always", self.like.root_disk, self.root_disk], check=True)
        else:
            self.make_disk()

    def start(self):
        self.prepare()
        super().start()
        self.boots += 1

    def make_disk(self):
        _script("image", self.root_disk, self.system or tree(*self.packages), self.kernel.modules,
                os.path.join(HERE, "root"), *self.folders)

    def __exit__(self, kind, value, trace):
        try:
            super().__exit__(kind, value, trace)
        finally:
            self.drop_disk()

    def __enter__(self):
        try:
            return super().__enter__()
        except BaseException:
            self.drop_disk()
            raise

    def drop_disk(self):
        if self.root_disk and os.path.exists(self.root_disk):
            os.unlink(self.root_disk)

    def image(self):
        return initramfs.image([initramfs.base(self.kernel, (*MODULES, *self.early),
                                               os.path.join(HERE, "init"), rig.IF_THERE)])

    def arguments(self):
        # libvirt considers hosts with the same id one host
        return super().arguments() + [
            "-uuid", str(uuid.uuid5(uuid.NAMESPACE_DNS, self.name)),
            "-drive", f"if=none,id=root,format=raw,file={self.root_disk},cache=unsafe",
            "-device", "virtio-blk-pci,drive=root,bus=pcie.0,addr=6"]

    def wait_ready(self):
        super().wait_ready(BOOT_SECONDS)
        state = self.finish(self.begin("systemctl is-system-running --wait"), BOOT_SECONDS)[1].strip()
        if state != "running":
            raise rig.Trouble(f"{self.name}: the system is {state}\n"
                              + self.run("systemctl --failed --no-legend; systemctl list-jobs; "
                                         "journalctl -b -q --no-pager -o short-monotonic -p warning -n 40"))

    def join(self, address):
        # a booted system need not have all its devices yet
        self.run("udevadm settle --timeout=600", 700)
        self.run(f"ip address add {address}/24 dev eth0; ip link set eth0 up")

    def power_off(self):
        """The way an administrator does it."""
        self.check_stuck()
        self.save_log()
        self.begin("systemctl poweroff")
        self.wait_off(DOWN_SECONDS)
        self._release()
        self.check_log()

    stop = power_off

    def power_cut(self):
        """As if the power failed."""
        self.save_log()
        self.kill()
        self.check_log()

    def power_cycle(self, hard=False):
        """Off and on again."""
        if hard:
            self.power_cut()
        else:
            self.power_off()
        for name in ("serial", "dmesg", "qemu.log"):
            os.rename(self.path(name), self.path(f"{name}-{self.boots}"))
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.kill()
            raise

# SPDX-License-Identifier: GPL-2.0-only
"""A guest inside a host: the distribution's kernel with its stock nvme driver,
run by the distribution's QEMU, with a VF passed through. It moves between
hosts by QEMU's own migration."""

import json
import os
import re
import time

import host as rig
import initramfs
import pair
import place

# The drives that guests may have, with their names and modules.
VF, EMULATED = "vf", "virtio"
DISKS = {VF: "nvme0n1", EMULATED: "vda"}
MODULES = {VF: ("nvme",), EMULATED: ("virtio_pci", "virtio_blk")}
MEMORY = 256                    # MiB
POOL = 32                       # MiB of pages that only the drive writes
WORKERS = 5
CHANGE = 5120                   # KiB of memory changed each second by the processor
# Blocks of a drive for each worker of a checker, and beside them: see iocheck/
BLOCKS, POOL_BLOCKS = 512, 2048
TRANSFER = "x-migration-multifd-transfer"
FIRST_SLOT = 16                 # on the guest's bus, of several VFs
POLL = 0.7                      # seconds; every look costs the host's one processor much
CMDLINE = ("console=ttyS0 loglevel=5 panic=-1 tsc=reliable no_timer_check mitigations=off "
           "random.trust_cpu=on")
# Seconds that each thing may take on a slow machine with the debug kernel.
PATIENCE = 300
ENDED = ("completed", "failed", "cancelled")

# How the VF is opened on the two hosts, and which files QEMU has open then.
MODES = {"group": ("group", "group"), "iommufd": ("iommufd", "iommufd"), "both": ("group", "iommufd")}
OPENED = {"group": r"/dev/vfio/(vfio|\d+)", "iommufd": r"/dev/(iommu|vfio/devices/vfio\d+)"}

# What QEMU has to be told if nothing tracks which pages the drive writes: it only
# migrates such a device when told to, and sends all memory while the guest is stopped.
UNTRACKED = {"downtime-limit": 60000, "max-bandwidth": 10 << 30}


def kernel_of(host_kernel):
    """The kernel of guests in hosts with this kernel: the same if it is the
    distribution's."""
    kern = place.kernel(host_kernel)
    return place.kernel("6.12") if kern.series == "debug-guest" else place.kernel(kern.release)


def files(host_kernel, drive=VF):
    """What such a host needs to run guests with a drive."""
    kern = kernel_of(host_kernel)
    parts = [initramfs.base(kern, MODULES[drive], os.path.join(place.RIG, "guest-init")),
             initramfs.files("guest", [("/bin/iocheck", place.program("iocheck"))])]
    return {"/guest/kernel": kern.image, "/guest/initrd": initramfs.image(parts)}


def checker(number):
    """What the lines of a checker begin with."""
    return f"iocheck {number}" if number else "iocheck"


# How "timeout" says that it ended a command, or that a signal did.
TIMED_OUT = (124, 128 + 15)
DEAF = "QEMU does not answer"


class Stayed(rig.Trouble):
    """A migration came to nothing, and the guest continues where it was."""


class Guest:
    """
    vfs           {host: shell name of the VF there, such as PF0_VF1}; or of several
    cpus          thus its I/O queues
    machine       pc boots in two thirds of q35's time
    memory        MiB
    mode          how QEMU opens the VF: group, iommufd, or both: by its group on
                  one host and by IOMMUFD on the other
    workers       of the checker, each with one command in flight
    pool          MiB of pages that only the drive writes
    tracked       something tracks which pages the drive writes: QEMU's defaults
                  are enough
    capabilities  of migration, on both sides
    parameters    of each migration, beside what a VF needs that nobody tracks
    hold          the target waits until the source is known to be done
    may_reset     a reboot of the guest does not end it
    trace         patterns of QEMU's trace events; see traced()
    drive         VF, or one that QEMU emulates, with the same namespace behind it
    qemus         {host: another command than qemu}
    objects       of QEMU, as on its command line

    Of several VFs each has a checker of its own; QEMU is told of them in one order and
    the other, by turns. Before a migration these may be set:

    transfer      whether VFs' states go by channels of multifd: on, off, auto; None:
                  as QEMU has it
    ends          parameters of migration, {name: (at the source, at the target)}
    """

    def __init__(self, pair_, vfs, *, cpus=1, machine="pc", memory=MEMORY, mode="group",
                 workers=WORKERS, pool=POOL, tracked=False, capabilities=(), parameters=None, hold=False,
                 may_reset=False, trace=(), drive=VF, qemus=None, objects=()):
        self.pair = pair_
        self.vfs = dict(vfs)
        self.drives = next(1 if isinstance(x, str) else len(x) for x in self.vfs.values())
        self.objects = tuple(objects)
        self.transfer = None
        self.ends = {}
        self.cpus = cpus
        self.machine = machine
        self.memory = memory
        self.modes = dict(zip(pair_.hosts, MODES[mode]))
        self.workers = workers
        self.pool = pool
        self.tracked = tracked
        self.capabilities = tuple(capabilities)
        self.parameters = dict(parameters or {})
        self.hold = hold
        self.may_reset = may_reset
        self.trace = tuple(trace)
        self.drive = drive
        self.qemus = dict(qemus or {})
        self.host = None                # where it is
        self.life = None                # which of its lives this is
        self.lives = []                 # the host of every QEMU there was
        self.commands = 0               # given to its shell
        self.moving = None              # (host, life) that is to take it in
        self.lost = None                # why the last target did not take it in
        self._commands = []             # of each life, as Host.begin() gave it
        self._ended = set()
        self._capabilities = {}         # that are on, of each life

    @property
    def checked(self):
        """Blocks of a drive that one checker uses."""
        return self.workers * BLOCKS + POOL_BLOCKS

    def devices(self, host, life):
        """QEMU's arguments for the drives."""
        if self.drive == EMULATED:
            return ("-drive if=none,id=disk,format=raw,cache=none,file=/dev/nvme0n1 "
                    "-device virtio-blk-pci,drive=disk")
        more = "" if self.tracked else ",enable-migration=on"
        before = ""
        if self.modes[host] == "iommufd":
            before, more = "-object iommufd,id=iommufd0 ", ",iommufd=iommufd0" + more
        if self.drives == 1:
            return f"{before}-device vfio-pci,host=${self.vfs[host]},id=vf{more}"
        every = [f"-device vfio-pci,host=${name},id=vf{i},addr={FIRST_SLOT + i:#x}{more}"
                 for i, name in enumerate(self.vfs[host])]
        return before + " ".join(every[::-1] if life % 2 else every)

    def arguments(self, host, life, incoming):
        return (
            f"{self.qemus.get(host, 'qemu')} -name guest -nodefaults -no-user-config -nographic -machine {self.machine} "
            f"-accel kvm -cpu host -smp {self.cpus} -m {self.memory} "
            f"-kernel /guest/kernel -initrd /guest/initrd "
            f"-append '{CMDLINE} pool={self.pool} change={CHANGE} workers={self.workers} "
            f"disk={DISKS[self.drive]}" + (f" drives={self.drives}" if self.drives > 1 else "") + "' "
            + ("" if self.may_reset else "-no-reboot ")
            + "".join(f"-object {text} " for text in self.objects)
            + f"{self.devices(host, life)} -pidfile /run/pid-{life} "
            f"-chardev socket,id=console,path=/run/console.sock,server=on,wait=off,"
            f"logfile=/run/console-{life} -serial chardev:console "
            f"-chardev socket,id=qmp,path=/run/qmp.sock,server=on,wait=off "
            f"-mon chardev=qmp,mode=control"
            + "".join(f" -trace '{pattern}'" for pattern in self.trace)
            + (f" -D /run/trace-{life}" if self.trace else "")
            + (" -incoming defer" if incoming else "")
            + (" -S" if incoming and self.hold else ""))

    def limit(self, seconds):
        """How long it may take: time in which a host waits for the other, or this
        machine for other work, does not count."""
        return rig.Limit(seconds, *self.pair.hosts)

    def launch(self, host, incoming=False):
        life = len(self.lives)
        self.lives.append(host)
        host.run("rm -f /run/qmp.sock /run/console.sock", PATIENCE)
        self._commands.append(host.begin("exec " + self.arguments(host, life, incoming)))
        self._wait(host, life, "test -S /run/qmp.sock", PATIENCE)
        return life

    def _wait(self, host, life, test, seconds):
        """Wait until a shell test inside succeeds, or QEMU is gone."""
        limit = self.limit(seconds)
        while True:
            status, _ = host.finish(host.begin(test), PATIENCE)
            if not status:
                return
            if host.finished(self._commands[life]):
                self._ended.add(life)
                status, output = host.finish(self._commands[life])
                raise rig.Trouble(f"QEMU in host {host.name} ended with {status}:\n{output}"
                                  + self.console(life)[-2000:])
            if limit.over():
                raise rig.Trouble(f"host {host.name}: not within {seconds} s: {test}\n"
                                  + self.console(life)[-2000:])
            time.sleep(POLL)

    def start(self, host, seconds=400):
        """Boot the guest on a host and wait until its I/O runs."""
        self.host = host
        self.life = self.launch(host)
        self.await_io(seconds)

    def await_io(self, seconds=400):
        for i in range(self.drives):
            self._wait(self.host, self.life,
                       f"grep -aqE '^{checker(i)}: so far' /run/console-{self.life}", seconds)

    def qmp(self, host, command, *, seconds=None, **arguments):
        """seconds: that QEMU may take to answer"""
        text = json.dumps({"execute": command, "arguments": arguments})
        within = f"timeout {seconds} " if seconds else ""
        status, output = host.finish(host.begin(f"{within}qmp /run/qmp.sock '{text}'"), PATIENCE)
        if seconds and status in TIMED_OUT:
            raise rig.Trouble(f"{command}: {DEAF}")
        if status:
            raise rig.Trouble(f"{command}: {output.strip()}")
        return json.loads(output)["return"]

    def _capable(self, host, life):
        """Switch capabilities on, and those of an earlier migration off."""
        wanted, on = set(self.capabilities), self._capabilities.setdefault(life, set())
        if wanted ^ on:
            self.qmp(host, "migrate-set-capabilities", capabilities=[
                {"capability": c, "state": c in wanted} for c in sorted(wanted ^ on)])
        self._capabilities[life] = wanted

    def _end_is(self, host, end):
        """Give the source, 0, or the target, 1, what is set for it."""
        if self.ends:
            self.qmp(host, "migrate-set-parameters", **{name: both[end] for name, both in self.ends.items()})
        for i in range(self.drives if self.transfer else 0):
            self.qmp(host, "qom-set", path="/machine/peripheral/vf" + (str(i) if self.drives > 1 else ""),
                     property=TRANSFER, value=self.transfer)

    def begin(self, target, **parameters):
        """Start a migration to another host; await_end(), then settle()."""
        self.moving = (target, self.launch(target, incoming=True))
        self._capable(*self.moving)
        self._end_is(target, 1)
        self.qmp(target, "migrate-incoming", uri=f"tcp:0.0.0.0:{pair.PORT}")
        self._capable(self.host, self.life)
        self._end_is(self.host, 0)
        parameters = {**({} if self.tracked else UNTRACKED), **self.parameters, **parameters}
        if parameters:
            self.qmp(self.host, "migrate-set-parameters", **parameters)
        self.qmp(self.host, "migrate", uri=f"tcp:{self.pair.address(target)}:{pair.PORT}")

    def progress(self):
        """QEMU's account of the migration, on the source."""
        return self.qmp(self.host, "query-migrate")

    def await_status(self, *statuses, seconds=900):
        """Wait until the migration has one of these; returns QEMU's account of it."""
        limit = self.limit(seconds)
        while True:
            info = self.progress()
            if info.get("status") in statuses:
                return info
            if info.get("status") in ENDED or limit.over():
                raise rig.Trouble(f"migration not {' or '.join(statuses)} within {seconds} s: {info}\n"
                                  + self.output(self.life) + self.output(self.moving[1]))
            time.sleep(POLL)

    def await_end(self, seconds=900):
        return self.await_status(*ENDED, seconds=seconds)

    def settle(self, info):
        """The guest continues in one place, QEMU ends in the other; returns
        whether it has moved."""
        target, new = self.moving
        self.lost = None
        moved = info["status"] == "completed" and self._arrived(target)
        if moved:
            if self.hold:
                self.qmp(target, "cont")
            self.qmp(self.host, "quit")
            self._gone(self.life)
            self.host, self.life = target, new
        else:
            self.end(new)
            if info["status"] == "completed":
                # nobody told the source that the target failed
                self.qmp(self.host, "cont")
        self.moving = None
        return moved

    def _arrived(self, target, seconds=200):
        """Whether everything was loaded on the target."""
        limit = self.limit(seconds)
        while not limit.over():
            try:
                if self.qmp(target, "query-status", seconds=seconds)["status"] != "inmigrate":
                    return True
            except rig.Trouble as e:
                self.lost = str(e)
                return False
            time.sleep(POLL)
        raise rig.Trouble(f"the target waits for the rest after {seconds} s")

    def end(self, life):
        """End a QEMU if it has not ended yet."""
        host = self.lives[life]
        host.finish(host.begin(f"kill -9 $(cat /run/pid-{life})"), PATIENCE)
        self._gone(life)

    def _gone(self, life, seconds=PATIENCE):
        """Wait until a QEMU has ended; may be called more than once."""
        if life not in self._ended:
            self.lives[life].finish(self._commands[life], seconds)
            self._ended.add(life)

    def migrate(self, target, seconds=900, **parameters):
        """To another host; returns QEMU's own account of it."""
        old = self.life
        self.begin(target, **parameters)
        new = self.moving[1]
        info = self.await_end(seconds)
        if not self.settle(info):
            raise Stayed(f"migration {info['status']}: {info.get('error-desc') or self.lost}\n"
                         + self.output(old) + self.output(new))
        state = self.qmp(target, "query-status")["status"]
        if state != "running":
            raise rig.Trouble(f"guest is {state} after migration\n" + self.output(new))
        return info

    def opened(self):
        """How QEMU has opened the VF, by what it has open of VFIO and IOMMUFD."""
        text = self.host.run(f"ls -l /proc/$(cat /run/pid-{self.life})/fd", PATIENCE)
        names = sorted(set(re.findall(r"-> (/dev/(?:vfio/\S+|iommu))$", text, re.M)))
        return next((mode for mode, pattern in OPENED.items()
                     if names and all(re.fullmatch(pattern, n) for n in names)), str(names))

    def output(self, life):
        """What a QEMU said."""
        return self.lives[life].output(self._commands[life])

    def traced(self, life):
        """The trace events of a QEMU so far."""
        host = self.lives[life]
        return host.finish(host.begin(f"cat /run/trace-{life}"), PATIENCE)[1]

    def console(self, life=None):
        """What the guest said in one life, or in all of them."""
        text = ""
        for number in range(len(self.lives)) if life is None else [life]:
            host = self.lives[number]
            text += host.finish(host.begin(f"cat /run/console-{number}"), PATIENCE)[1]
        return text.replace("\r", "")

    def totals(self, number=0):
        """A checker's last line of totals, as a dict of numbers."""
        _, output = self.host.finish(self.host.begin(
            # whole lines only: one may be on its way
            f"grep -aE '^{checker(number)}: .* writes=.* errors=[0-9]+;' /run/console-{self.life} | tail -n 1"),
            PATIENCE)
        return {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", output)}

    def type(self, line):
        """Give the guest's shell a line."""
        self.host.run(f"qmp -t /run/console.sock '{line}'", PATIENCE)

    def run(self, command):
        """Have the guest's shell run a command, besides its I/O; returns its exit
        status. What is typed is lost if the guest moves before it has read it."""
        self.commands += 1
        mark = f"guest: command {self.commands} gave"
        self.type(f"{command}; echo {mark} $?")
        self._wait(self.host, self.life, f"grep -aq '^{mark}' /run/console-{self.life}", PATIENCE)
        return int(re.search(rf"^{mark} (\d+)$", self.console(self.life), re.M)[1])

    def finish(self, seconds=400):
        """Stop the I/O, let the guest verify everything and power off; returns
        all it ever said."""
        self.type("stop")
        self._wait(self.host, self.life, f"grep -aq '^guest: end' /run/console-{self.life}", seconds)
        self._gone(self.life)
        text = self.console()
        with open(os.path.join(self.pair.log, "guest-console"), "w", encoding="utf-8") as f:
            f.write(text)
        return text

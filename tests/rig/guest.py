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

MODULES = ("nvme",)
MEMORY = 256                    # MiB
POOL = 32                       # MiB of pages that only the drive writes
CHANGE = 5120                   # KiB of memory changed each second by the processor
POLL = 0.7                      # seconds; every look costs the host's one processor much
CMDLINE = ("console=ttyS0 loglevel=5 panic=-1 tsc=reliable no_timer_check mitigations=off "
           "random.trust_cpu=on")
ENDED = ("completed", "failed", "cancelled")

# What to tell QEMU where nothing tracks which pages the drive writes: it
# migrates such a device only when told to, and then sends all memory while the
# guest stands still.
UNTRACKED = {"downtime-limit": 60000, "max-bandwidth": 10 << 30}


def files(kernel):
    """What a host needs to run guests with a kernel."""
    kern = place.kernel(kernel)
    parts = [initramfs.base(kern, MODULES, os.path.join(place.RIG, "guest-init")),
             initramfs.files("guest", [("/bin/iocheck", place.program("iocheck"))])]
    return {"/guest/kernel": kern.image, "/guest/initrd": initramfs.image(parts)}


class Guest:
    """
    vfs           {host: shell name of the VF there, such as PF0_VF1}
    cpus          thus its I/O queues
    machine       pc boots in two thirds of q35's time
    memory        MiB
    mode          how QEMU opens the VF: group, iommufd
    tracked       somebody tracks which pages the drive writes: QEMU's defaults
                  will do, nothing is set
    capabilities  of migration, on both sides
    trace         patterns of QEMU's trace events; see traced()
    """

    def __init__(self, pair_, vfs, *, cpus=1, machine="pc", memory=MEMORY, mode="group",
                 tracked=False, capabilities=(), trace=()):
        self.pair = pair_
        self.vfs = vfs
        self.cpus = cpus
        self.machine = machine
        self.memory = memory
        self.mode = mode
        self.tracked = tracked
        self.capabilities = tuple(capabilities)
        self.trace = tuple(trace)
        self.host = None
        self.lives = []                 # (host, number): every QEMU there was
        self._commands = {}

    def arguments(self, host, life, incoming):
        vf = f"vfio-pci,host=${self.vfs[host]},id=vf"
        if self.mode == "iommufd":
            vf += ",iommufd=iommufd0"
        if not self.tracked:
            vf += ",enable-migration=on"
        return (
            f"qemu -name guest -nodefaults -no-user-config -nographic -no-reboot -machine {self.machine} "
            f"-accel kvm -cpu host -smp {self.cpus} -m {self.memory} "
            f"-kernel /guest/kernel -initrd /guest/initrd "
            f"-append '{CMDLINE} pool={POOL} change={CHANGE}' "
            + ("-object iommufd,id=iommufd0 " if self.mode == "iommufd" else "")
            + f"-device {vf} "
            f"-chardev socket,id=console,path=/run/console.sock,server=on,wait=off,"
            f"logfile=/run/console-{life} -serial chardev:console "
            f"-chardev socket,id=qmp,path=/run/qmp.sock,server=on,wait=off "
            f"-mon chardev=qmp,mode=control"
            + "".join(f" -trace '{pattern}'" for pattern in self.trace)
            + (f" -D /run/trace-{life}" if self.trace else "")
            + (" -incoming defer" if incoming else ""))

    def launch(self, host, incoming=False):
        life = len(self.lives)
        self.lives.append((host, life))
        host.run("rm -f /run/qmp.sock /run/console.sock")
        self._commands[life] = host.begin("exec " + self.arguments(host, life, incoming))
        self._wait(host, life, "test -S /run/qmp.sock", 60)
        return life

    def _wait(self, host, life, test, seconds):
        """Until a shell test inside holds; a QEMU that is gone ends the wait."""
        end = time.monotonic() + seconds
        while True:
            status, _ = host.finish(host.begin(test))
            if not status:
                return
            if host.finished(self._commands[life]):
                status, output = host.finish(self._commands[life])
                raise rig.Trouble(f"QEMU in host {host.name} ended with {status}:\n{output}"
                                  + self.console(life)[-2000:])
            if time.monotonic() > end:
                raise rig.Trouble(f"host {host.name}: not within {seconds} s: {test}\n"
                                  + self.console(life)[-2000:])
            time.sleep(POLL)

    def start(self, host, seconds=120):
        """Boot the guest on a host, wait until its I/O runs."""
        self.host = host
        life = self.launch(host)
        self._wait(host, life, f"grep -aqE '^iocheck: so far' /run/console-{life}", seconds)

    def qmp(self, host, command, **arguments):
        text = json.dumps({"execute": command, "arguments": arguments})
        status, output = host.finish(host.begin(f"qmp /run/qmp.sock '{text}'"), 60)
        if status:
            raise rig.Trouble(f"{command}: {output.strip()}")
        return json.loads(output)["return"]

    def _capable(self, host):
        if self.capabilities:
            self.qmp(host, "migrate-set-capabilities",
                     capabilities=[{"capability": c, "state": True} for c in self.capabilities])

    def begin(self, target):
        """Start a migration to another host; await_end() or abandon it."""
        source = self.host
        self.launch(target, incoming=True)
        self._capable(target)
        self.qmp(target, "migrate-incoming", uri=f"tcp:0.0.0.0:{pair.PORT}")
        self._capable(source)
        if not self.tracked:
            self.qmp(source, "migrate-set-parameters", **UNTRACKED)
        self.qmp(source, "migrate", uri=f"tcp:{self.pair.address(target)}:{pair.PORT}")

    def progress(self):
        """QEMU's account of the migration, on the source."""
        return self.qmp(self.host, "query-migrate")

    def await_end(self, seconds=180):
        """Until it is over, one way or the other; QEMU's account of it."""
        begun = time.monotonic()
        while True:
            info = self.progress()
            if info.get("status") in ENDED:
                return info
            if time.monotonic() - begun > seconds:
                raise rig.Trouble(f"migration not done after {seconds} s: {info}")
            time.sleep(POLL)

    def migrate(self, target, seconds=180):
        """To another host; returns QEMU's own account of it."""
        source, old = self.host, self.lives[-1][1]
        self.begin(target)
        new = self.lives[-1][1]
        info = self.await_end(seconds)
        if info["status"] != "completed":
            raise rig.Trouble(f"migration {info['status']}: {info.get('error-desc')}\n"
                              + self.output(old) + self.output(new))
        self.qmp(source, "quit")
        source.finish(self._commands[old], 30)
        state = self.qmp(target, "query-status")["status"]
        if state != "running":
            raise rig.Trouble(f"guest is {state} after migration\n" + self.output(new))
        self.host = target
        return info

    def output(self, life):
        """What a QEMU said."""
        return self.lives[life][0].output(self._commands[life])

    def traced(self, life):
        """The trace events of a QEMU so far."""
        host, number = self.lives[life]
        return host.finish(host.begin(f"cat /run/trace-{number}"), 30)[1]

    def console(self, life=None):
        """What the guest said in one life, or in all of them."""
        lives = self.lives if life is None else [self.lives[life]]
        text = ""
        for host, number in lives:
            _, output = host.finish(host.begin(f"cat /run/console-{number}"), 30)
            text += output
        return text.replace("\r", "")

    def totals(self):
        """The checker's last line of totals, as a dict of numbers."""
        host, life = self.lives[-1]
        _, output = host.finish(host.begin(
            # whole lines only: one may be on its way
            f"grep -aE '^iocheck: .* writes=.* gap_at_ms=[0-9]+.$' /run/console-{life} | tail -n 1"), 30)
        return {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", output)}

    def finish(self, seconds=120):
        """Stop the I/O, let the guest verify everything and power off; returns
        all it ever said."""
        host, life = self.lives[-1]
        host.run("qmp -t /run/console.sock stop")
        self._wait(host, life, f"grep -aq '^guest: end' /run/console-{life}", seconds)
        host.finish(self._commands[life], 60)
        text = self.console()
        with open(os.path.join(self.pair.log, "guest-console"), "w", encoding="utf-8") as f:
            f.write(text)
        return text

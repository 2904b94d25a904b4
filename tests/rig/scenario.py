# SPDX-License-Identifier: GPL-2.0-only
"""The main use: a guest that does verified I/O on a passed-through VF is live
migrated from one host to another and back, several times. Used by the tests,
which judge the result, and by the demo, which shows it."""

import os
import re
import subprocess
import sys
import time

import guest as guests
import host as rig
import klog
import pair as pairs
import place

# The VF of each host; different ones, as nothing may depend on the number.
VFS = ("PF0_VF1", "PF0_VF2")

# How long the guest is left alone between trips, in seconds.
SETTLE = 1.0

STANDARD = {(0x3d, 1): "Track Send", (0x3e, 0): "Track Receive", (0x41, 0): "Suspend",
            (0x41, 1): "Resume", (0x41, 2): "Set Controller State", (0x42, 0): "Get Controller State"}
VENDOR = {0xc4: "Query data size", 0xc8: "Suspend", 0xcc: "Resume", 0xd2: "Save data",
          0xd5: "Load data"}
# What is done while the guest is stopped: everything that changes or moves state.
BLACKOUT = {"Suspend", "Resume", "Set Controller State", "Get Controller State", "Save data",
            "Load data"}

COMMAND = re.compile(r"(\d+\.\d+): \w*admin_cmd: vf=(\S+) opcode=0x(\w+) cdw10=0x(\w+) cdw11=0x(\w+) "
                     r"len=(\d+) usecs=(-?\d+) status=(-?\d+)")
ARC = re.compile(r"(\d+\.\d+): \w*state_arc: vf=(\S+) from=(\w+) to=(\w+) now=(\w+) usecs=(-?\d+) ret=(-?\d+)")


class Result:
    """What happened, in plain values; filled in as far as it got."""

    def __init__(self, kernel, set):
        self.kernel = place.kernel(kernel).release
        self.guest_kernel = guests.kernel_of(kernel).release
        self.set = set
        self.versions = {}
        self.qemus = []             # versions on the two hosts
        self.label = f"{kernel} {set}"
        self.tracked = None         # something tracks which memory the drive writes
        self.trips = []
        self.totals = {}            # the checker's last totals
        self.read_back = None       # blocks
        self.clean_end = False      # the checker found nothing, and nothing was left in flight
        self.copied = None          # by the guest's kernel, on the way from the drive
        self.guest_trouble = None   # lines of the guest's console
        self.error = None           # why it ended early, or trouble in a host's log
        self.seconds = 0.0
        self.log = None


def name_of(opcode, cdw10):
    if opcode in VENDOR:
        return VENDOR[opcode]
    if opcode == 0x06:
        return f"Identify (CNS {cdw10 & 0xff:02X}h)"
    return STANDARD.get((opcode, cdw10 & 0xff), f"opcode {opcode:02X}h")


def trace(host):
    """Commands and state changes since the last call, from the driver's trace events. at:
    when each ended, in seconds of that host's clock."""
    text = host.run("cat /sys/kernel/tracing/trace; echo >/sys/kernel/tracing/trace", guests.PATIENCE)
    commands = [{"host": host.name, "at": float(at), "vf": vf, "name": name_of(int(op, 16), int(c10, 16)),
                 "bytes": int(size), "usecs": int(us), "status": int(status)}
                for at, vf, op, c10, _, size, us, status in COMMAND.findall(text)]
    arcs = [{"host": host.name, "at": float(at), "vf": vf, "from": a, "to": b, "now": now, "usecs": int(us),
             "ret": int(ret)} for at, vf, a, b, now, us, ret in ARC.findall(text)]
    return commands, arcs


def await_totals(guest, seconds=120):
    """The checker's first totals in this life of the guest."""
    limit = guest.limit(seconds)
    while True:
        totals = guest.totals()
        if totals:
            return totals
        if limit.over():
            raise rig.Trouble("the guest's I/O does not go on\n" + guest.console()[-1000:])
        time.sleep(0.3)


def await_pass(guest, seconds=400):
    """Wait until every page that only the drive writes has been compared, from first to
    last, on this host."""
    passes, limit = await_totals(guest)["dma_passes"], guest.limit(seconds)
    while True:
        totals = guest.totals()
        if totals["dma_passes"] > passes + 1:
            return totals
        if limit.over():
            raise rig.Trouble(f"not all memory was compared within {seconds} s: {totals}")
        time.sleep(guests.POLL)


def trip(guest, watch, target, say):
    source = guest.host
    before = await_totals(guest)
    opened = [guest.opened()]
    for host in (source, target):
        trace(host)
    say(f"moving the guest from host {source.name} to host {target.name}")
    begun = time.monotonic()
    info = guest.migrate(target)
    if not watch.moved():
        raise rig.Trouble("the guest wrote nothing more after migration")
    ended = time.monotonic()
    after = await_pass(guest)
    result = {"source": source.name, "target": target.name, "status": info["status"],
              "total_ms": info["total-time"], "downtime_ms": info["downtime"],
              "state_bytes": info.get("vfio", {}).get("transferred"),
              "memory_bytes": info.get("ram", {}).get("transferred"),
              "rounds": info.get("ram", {}).get("dirty-sync-count"),
              "gap_ms": watch.longest(begun, ended) * 1000, "before": before, "after": after,
              "modes": [guest.modes[source], guest.modes[target]],
              "opened": opened + [guest.opened()], "commands": [], "arcs": []}
    for host in (source, target):
        commands, arcs = trace(host)
        result["commands"] += commands
        result["arcs"] += arcs
    return result


def run(kernel, set, trips, *, log=None, driver=None, say=lambda text: None,
        props=None, tracked=None, seconds=rig.RUN_SECONDS, qemus=("qemu", "qemu"), vmm=True, **more):
    """more: what the guest is, see Guest. tracked: as the driver says, if not
    given. qemus: commands of the two hosts, which have those of vmm. Never raises for
    what the hosts or the driver did: see Result.error."""
    result = Result(kernel, set)
    result.log = log or rig.new_log()
    begun = time.monotonic()
    watch = None
    try:
        driver = driver or pairs.driver_for(kernel)
        say(f"booting two hosts with kernel {result.kernel}")
        with pairs.Pair(kernel, set, log=result.log, driver=driver, props=props, seconds=seconds,
                        guest_memory=more.get("memory", guests.MEMORY), vmm=vmm,
                        root=guests.files(kernel, more.get("drive", guests.VF))) as pair:
            say("creating VFs, giving them queues and interrupts, binding them to nvme-vfio-pci")
            pair.setup_vfs(count=2)
            result.versions = versions(pair.a, driver)
            result.qemus = [version(host, qemu) for host, qemu in zip(pair.hosts, qemus)]
            for host in pair.hosts:
                host.run("echo 1 >/sys/kernel/tracing/events/nvme_vfio/enable")
            result.tracked = "with dirty tracking" in result.versions["set"]
            if tracked is not None and tracked != result.tracked:
                raise rig.Trouble(f"not as it should be: {result.versions['set']}")
            result.label += f", {more.get('memory', guests.MEMORY)} MiB"
            result.label += ", QEMU's defaults" if result.tracked else ", enable-migration=on"
            guest = guests.Guest(pair, dict(zip(pair.hosts, VFS)), qemus=dict(zip(pair.hosts, qemus)),
                                 tracked=result.tracked, **more)
            watch = pairs.Watch(pair)
            watch.start()
            say(f"starting a guest with a VF on host {pair.a.name}")
            guest.start(pair.a)
            say("the guest's own nvme driver works; reads and writes are verified from now on")
            for _ in range(trips):
                time.sleep(SETTLE)
                target = pair.b if guest.host is pair.a else pair.a
                result.trips.append(trip(guest, watch, target, say))
            time.sleep(SETTLE)
            say("stopping the I/O; the guest reads everything back once more")
            judge(result, guest.finish(), pair.stalled())
    except rig.Trouble as e:
        result.error = str(e)
    finally:
        if watch:
            watch.stop()
    result.seconds = time.monotonic() - begun
    return result


def version(host, qemu="qemu"):
    return host.run(f"{qemu} --version | head -n 1").strip().removeprefix("QEMU emulator version ")


def versions(host, driver):
    text = host.run("cat /sys/class/nvme/nvme0/model;"
                    "dmesg | grep -m 1 'can migrate'")
    model, line = (text.splitlines() + [""] * 2)[:2]
    git = subprocess.run(["git", "-C", place.TOP, "describe", "--always", "--dirty"],
                         capture_output=True, text=True, check=False).stdout.strip()
    return {"qemu": version(host), "drive": model.strip(),
            "set": line.partition("can migrate: ")[2],
            "driver": (git and f"git {git}, ") + f"sources {os.path.basename(driver).split('-')[-1]}"}


def judge(result, console, stalled=None):
    """Parse the guest's last output. stalled: what is known about hosts that were not
    let run; a guest does not run more than its host."""
    last = re.findall(r"^iocheck: end (.*)$", console, re.M)
    if last:
        result.totals = {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", last[-1])}
    back = re.findall(r"^iocheck: read back (\d+)$", console, re.M)
    result.read_back = int(back[-1]) if back else None
    result.clean_end = bool(re.search(r"^guest: iocheck exit 0$", console, re.M)
                            and re.search(r"^guest: in flight\s+0\s+0$", console, re.M))
    result.copied = not re.search(r"^guest: reads are copied: 0$", console, re.M)
    trouble = klog.trouble(console, stalled=stalled)
    if trouble != klog.trouble(console):
        print(f"# guest: reports of what stood still are set aside, its host did: {stalled}", file=sys.stderr)
    result.guest_trouble = trouble + re.findall(r"^iocheck: ERROR.*$", console, re.M)

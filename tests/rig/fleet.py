# SPDX-License-Identifier: GPL-2.0-only
"""Guests with several VFs of two drives, moved between two hosts in each way that QEMU
has for the states of VFs, and where the time without I/O goes."""

import re
import tempfile
import time
from collections import namedtuple

import guest as guests
import host as rig
import pair as pairs
import scenario
import tlscerts

# Properties of the two drives, whose VFs have states of 64 KiB, and of 16 MiB.
SMALL, LARGE = {"lm-pad": 64000}, {"lm-pad": 16 << 20}
NUMBERS = (1, 2, 4)
# In turn of both drives. No VF has the same number at both ends.
VFS = (("PF0_VF1", "PF1_VF1", "PF0_VF2", "PF1_VF2"), ("PF0_VF2", "PF1_VF2", "PF0_VF1", "PF1_VF1"))
# Of each VF there is a checker: what all do should be what a small host can do.
QUIET = {"workers": 2, "pool": 8}

# transfer: of states by channels of multifd, or None where memory goes by none either
Way = namedtuple("Way", "transfer acknowledged tls limited")
# Any two of the choices meet.
WAYS = (
    Way(None, False, False, False),
    Way("auto", True, False, True),
    Way("on", False, True, True),
    Way("off", True, True, False),
    Way("on", True, False, False),
    Way("auto", False, True, False),
    Way("off", False, False, True),
    Way(None, True, True, True),
)
# With channels, and not for states: QEMU 10.0 begins a thread for each VF that ends at once, and
# aborts if the second one does so before it has counted the threads (thread_pool_set_max_threads).
ABORTS = "off"
CHANNELS = 5                    # one more than VFs
LIMIT = 48 << 20                # bytes a second
UNLIMITED = 10 << 30
# ms; large states do not fit QEMU's own limit at that bandwidth: the guest would never be stopped
PATIENT = 5000
LOADED = "vfio_load_bufs_thread_start"  # QEMU loads a VF's state that came by channels

# What a target's QEMU 10.0 may end with if states came by channels: its source ends them, and TLS
# with them, without waiting for what the channels' threads still have to send
# (multifd_send_shutdown). On a busy machine that was seen once in a dozen migrations with TLS.
# Where a channel ends between two packets the target waits for the rest, and for nothing else.
TORN = ("Unexpected end-of-file before all data were read", "Cannot read from TLS channel", guests.DEAF)
TORN_MOST = 10

MARK = "rig: clock"
MARKS = 6
MARKED = re.compile(r"(\d+\.\d+): tracing_mark_write: " + MARK + r" (\d+)")


def ways(number):
    """That a guest with so many VFs may take."""
    return [way for way in WAYS if number == 1 or way.transfer != ABORTS]


def describe(way):
    return ", ".join(([f"{guests.TRANSFER}={way.transfer}"] if way.transfer else ["no multifd"])
                     + ["switchover-ack"] * way.acknowledged + ["TLS"] * way.tls + ["limited bandwidth"] * way.limited)


class Fleet:
    """with Fleet("6.1", "standard") as fleet: guest = fleet.start(4); fleet.trip(guest, way);
    fleet.end(guest)

    props: further ones of the two drives"""

    def __init__(self, kernel, set, *, driver=None, seconds=3000, tls=True, props=None, files=None,
                 say=lambda text: None, **more):
        self.kernel = kernel
        self.set = set
        self.say = say
        self.torn = 0                   # trips that ended so, and were made again
        self.folder = tempfile.TemporaryDirectory()
        files = dict(files or {})
        if tls:
            made = tlscerts.make(self.folder.name, ["10.9.0.1", "10.9.0.2"])
            files.update({f"tls/{name}": path for name, path in made.items()})
        self.objects = tlscerts.objects("/share/tls") if tls else ()
        # one command has to carry a state of the vendor set
        own = [SMALL, LARGE] if set == "standard" else [{}, {}]
        props = [{**usual, **(other or {})} for usual, other in zip(own, props or (None, None))]
        self.pair = pairs.Pair(kernel, set, driver=driver or pairs.driver_for(kernel), seconds=seconds, drives=2,
                               props=props, files=files, root=guests.files(kernel), **more)
        self.log = self.pair.log
        self.functions = {}             # {(host, shell name): address}

    def __enter__(self):
        self.say(f"booting two hosts with kernel {self.kernel}, {self.set} set")
        self.pair.__enter__()
        try:
            self.pair.setup_vfs(count=2)
            for host in self.pair.hosts:
                self.trace(host)
                names = host.run("set | sed -n 's/^\\(PF[01]_VF[12]\\)=/\\1 /p'").replace("'", "")
                self.functions.update({(host, line.split()[0]): line.split()[1] for line in names.splitlines()})
            self.tracked = "with dirty tracking" in self.pair.a.run("dmesg | grep -m 1 'can migrate'")
        except BaseException:
            self.__exit__(rig.Trouble, None, None)
            raise
        return self

    def trace(self, host):
        """From now on, and again when the driver has been loaded anew."""
        host.run("echo 1 >/sys/kernel/tracing/events/nvme_vfio/enable")

    def __exit__(self, *why):
        self.folder.cleanup()
        return self.pair.__exit__(*why)

    def start(self, number, **more):
        """A guest with so many VFs, at work on the first host."""
        pair = self.pair
        vfs = {host: names[:number] if number > 1 else names[0] for host, names in zip(pair.hosts, VFS)}
        guest = guests.Guest(pair, vfs, tracked=self.tracked, objects=self.objects, trace=(LOADED,), **{**QUIET, **more})
        self.say(f"starting a guest with {number} VFs")
        guest.start(pair.a)
        guest.watches = [pairs.Watch(pair, pair.disks[i % 2], guest.checked * i) for i in range(number)]
        for watch in guest.watches:
            watch.start()
        return guest

    def end(self, guest):
        """What the guest's checkers found, a scenario's result for each."""
        for watch in guest.watches:
            watch.stop()
        text = guest.finish()
        return [judged(self, text, i, guest.drives) for i in range(guest.drives)]

    def trip(self, guest, way):
        """There or back, in a way. What was seen."""
        source, target = guest.host, self.pair.b if guest.host is self.pair.a else self.pair.a
        guest.capabilities = (["multifd"] * (way.transfer is not None)
                              + ["return-path", "switchover-ack"] * way.acknowledged)
        guest.transfer = way.transfer or "auto"
        guest.ends = {"multifd-channels": (CHANNELS, CHANNELS)}
        if self.objects:
            guest.ends["tls-creds"] = ("tls-client", "tls-server") if way.tls else ("", "")
        for host in self.pair.hosts:
            scenario.trace(host)
        self.say(f"{guest.drives} VFs, host {source.name} to {target.name}: {describe(way)}")
        parameters = {"max-bandwidth": LIMIT if way.limited else UNLIMITED}
        if self.tracked and guest.drives > 1:
            parameters["downtime-limit"] = PATIENT
        try:
            info = guest.migrate(target, **parameters)
        except guests.Stayed as e:
            if way.transfer in (None, ABORTS) or not any(t in str(e) for t in TORN) or self.torn == TORN_MOST:
                raise
            self.torn += 1
            self.continues(guest)
            return self.trip(guest, way)
        self.continues(guest)
        return self.seen(guest, source, target, way, info)

    @staticmethod
    def continues(guest):
        """Every drive is written to."""
        for i, watch in enumerate(guest.watches):
            if not watch.moved():
                raise rig.Trouble(f"the guest wrote nothing more to drive {i} after migration")

    def seen(self, guest, source, target, way, info):
        """What a trip was like."""
        record = {"vfs": guest.drives, "source": source.name, "target": target.name, "way": describe(way),
                  "downtime_ms": info["downtime"], "total_ms": info["total-time"], "status": info["status"],
                  "state_bytes": info.get("vfio", {}).get("transferred"),
                  "loaded": guest.traced(guest.life).count(LOADED), "commands": [], "arcs": []}
        for host in (source, target):
            clock = self.clock(host)
            commands, arcs = scenario.trace(host)
            record["commands"] += [{**c, "at": c["at"] + clock} for c in commands]
            record["arcs"] += [{**a, "at": a["at"] + clock} for a in arcs]
        account(self, guest, source, target, record)
        return record

    def clock(self, host):
        """What to add to the times of a host's trace to have those of this machine: by marks
        in the trace, of which the one counts that was soonest acknowledged."""
        asked = []
        for i in range(MARKS):
            before = time.monotonic()
            host.run(f"echo {MARK} {i} >/sys/kernel/tracing/trace_marker")
            asked.append((time.monotonic() - before, before))
        times = {int(n): float(at) for at, n in
                 MARKED.findall(host.run("grep tracing_mark_write /sys/kernel/tracing/trace", guests.PATIENCE))}
        took, before, at = min((took, before, times[i]) for i, (took, before) in enumerate(asked))
        return before + took / 2 - at


def account(fleet, guest, source, target, record):
    """Where the time went, in ms: before the first VF is suspended, until the last one is
    resumed, after that; and what each VF's own commands took in between."""
    names = {host: [guest.vfs[host]] if guest.drives == 1 else guest.vfs[host] for host in (source, target)}
    at = {host: [fleet.functions[host, name] for name in names[host]] for host in names}
    stops = [c["at"] - c["usecs"] / 1e6 for c in record["commands"]
             if c["name"] == "Suspend" and c["host"] == source.name]
    runs = [c["at"] for c in record["commands"] if c["name"] == "Resume" and c["host"] == target.name]
    if len(stops) < guest.drives or len(runs) < guest.drives:
        return
    stop, run = min(stops), max(runs)
    record["stopped_ms"] = 1000 * (run - stop)
    gaps = [watch.around(stop, run) or (stop, run) for watch in guest.watches]
    record["gap_ms"] = [1000 * (end - begin) for begin, end in gaps]
    record["before_ms"] = [1000 * (stop - begin) for begin, _ in gaps]
    record["after_ms"] = [1000 * (end - run) for _, end in gaps]
    record["own_ms"] = [sum(c["usecs"] for c in record["commands"]
                            if (c["host"], c["vf"]) in ((source.name, at[source][i]), (target.name, at[target][i]))
                            and stop <= c["at"] <= run) / 1000 for i in range(guest.drives)]


def judged(fleet, console, number, drives):
    """The result of one checker of several; trouble of the guest is in each."""
    result = scenario.Result(fleet.kernel, fleet.set)
    name = guests.checker(number)
    last = re.findall(rf"^{name}: end (.*)$", console, re.M)
    if last:
        result.totals = {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", last[-1])}
    back = re.findall(rf"^{name}: read back (\d+)$", console, re.M)
    whole = scenario.Result(fleet.kernel, fleet.set)
    scenario.judge(whole, console, fleet.pair.stalled())
    result.read_back = int(back[-1]) if back else None
    result.clean_end = (len(re.findall(r"^guest: iocheck exit 0$", console, re.M)) == drives
                        and len(re.findall(r"^guest: in flight\s+0\s+0$", console, re.M)) == drives)
    result.copied = whole.copied
    result.guest_trouble = whole.guest_trouble + re.findall(r"^iocheck \d+: ERROR.*$", console, re.M)
    return result

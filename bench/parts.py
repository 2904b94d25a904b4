# SPDX-License-Identifier: GPL-2.0-only
"""What is measured: for each part the hosts, and what runs in them."""

import time

import hosts                            # finds the test bed's modules
import fleet
import guest
import pair
import scenario

# KiB of state; with the vendor set one command must carry it, 128 KiB behind an
# IOMMU
SIZES = {
    "standard": (4, 16, 64, 256, 1024, 4096, 16384, 65536),
    "vendor": (4, 16, 64),
}
COST_SIZES = {"standard": (64, 1024, 16384, 65536), "vendor": (64,)}

NO_PACE = "0 0"         # commands take what the emulator needs
REPETITIONS = 5
EACH = 5                # short times are measured so often for one repetition
EXIT_SECONDS = 5        # in which a guest's exits are counted
ICOUNT = 3              # an instruction takes 2^3 ns

# Of a device whose commands take time: of how many instructions of the host, for
# each and for each byte of data. 33 µs and 3 GB/s where it does three in a
# nanosecond.
COMMAND, BYTE = 100_000, 1


def tagged(records, **tags):
    return [{**r, **tags} for r in records]


def words(numbers):
    return " ".join(str(n) for n in numbers)


def pace():
    """Microseconds a command, MiB of data a second: of a device as above."""
    instruction = 2 ** ICOUNT
    return words((COMMAND * instruction // 1000, 10 ** 9 // (BYTE * instruction) >> 20))


def device(o):
    """Downtime and its baseline where time is instructions and commands take time:
    all runs give the same."""
    records = []
    for reference in (False, True):
        for command_set, sizes in SIZES.items():
            got = hosts.run([f"downtime {REPETITIONS} {pace()} {words(sizes)}"], kernel=o.kernel,
                            command_set=command_set, reference=reference, icount=ICOUNT, cpus=1, say=o.say)
            records += tagged(got, driver="reference" if reference else "ours", figure="device")
    return records


def downtime(o):
    """The same in the emulator's own time, and what can be counted of a migration."""
    records = []
    for reference in (False, True):
        for command_set, sizes in SIZES.items():
            commands = [f"downtime {REPETITIONS * (EACH if kib <= 1024 else 2)} {NO_PACE} {kib}" for kib in sizes]
            commands.append(f"cost {words(COST_SIZES[command_set])}")
            got = hosts.run(commands, kernel=o.kernel, command_set=command_set, reference=reference, say=o.say)
            records += tagged(got, driver="reference" if reference else "ours")
    return records


def instructions(o):
    """The same where time is instructions, so that all runs give the same."""
    records = []
    for command_set, sizes in (("standard", "4 64 4096"), ("vendor", "4 64")):
        records += hosts.run([f"downtime {REPETITIONS} {NO_PACE} {sizes}"], kernel=o.kernel,
                             command_set=command_set, icount=ICOUNT, cpus=1, say=o.say)
    return [{**r, "figure": "instructions"} for r in records]


def scale(o):
    """VFs that migrate at once."""
    props = {"sriov_max_vfs": 64, "max_ioqpairs": 200, "msix_qsize": 201,
             "sriov_vq_flexible": 128, "sriov_vi_flexible": 128}
    return hosts.run([f"scale {REPETITIONS} 256 1 4 16 64"], kernel=o.kernel, vfs=64, queues=2,
                     props=props, memory=4096, say=o.say)


def dirty(o):
    """Reports of written memory: 0.01 %, 1 % and 50 % of it. Needs 6.1, or a
    later kernel with IOMMUFD."""
    return hosts.run([f"dirty {REPETITIONS} 10000 100 2"], kernel="6.1", say=o.say)


REPORTS = 12            # sections of a guest's memory, of which each is asked about


def tracked(o):
    """Downtime without PRE_COPY, without and with the last reports of written memory.
    6.1 has the one not, and the other."""
    paced = [f"tracked {REPETITIONS} {pace()} {reports} 4 64 1024" for reports in (0, REPORTS)]
    return hosts.run(paced, kernel="6.1", icount=ICOUNT, cpus=1, say=o.say)


def io(o):
    """I/O of a VF under our driver and under vfio-pci."""
    return hosts.run([f"io {REPETITIONS} 3200"], kernel=o.kernel, say=o.say)


def exits(o):
    """How often QEMU has to act for a guest to reach its drive, under our
    driver and under vfio-pci. Timers and interrupts end a guest's run as well; how
    often for each block goes with the time it takes, so only the former is judged."""
    records = []
    for name, driver in (("nvme-vfio-pci", pair.driver_for(o.kernel)), ("vfio-pci", None)):
        o.say(f"a guest's exits under {name}")
        try:
            with pair.Pair(o.kernel, "standard", driver=driver, guest_memory=guest.MEMORY, seconds=hosts.SECONDS,
                           root=guest.files(o.kernel)) as both:
                both.setup_vfs(count=2)
                one = guest.Guest(both, dict(zip(both.hosts, scenario.VFS)), tracked=True)
                one.start(both.a)
                samples = [exits_so_far(one)]
                for _ in range(REPETITIONS):
                    time.sleep(EXIT_SECONDS)
                    samples.append(exits_so_far(one))
                one.finish()
        except hosts.rig.Trouble as e:
            raise hosts.Failed(str(e)) from None
        records += [{"figure": "exits", "driver": name, **{k: b[k] - a[k] for k in a}}
                    for a, b in zip(samples, samples[1:])]
    return records


def exits_so_far(one):
    """For a guest, with the blocks that its checker wrote and read, just after it
    has updated its totals."""
    before = scenario.await_totals(one)["ms"]
    while True:
        totals = one.totals()
        if totals["ms"] != before:
            text = one.host.run("cd /sys/kernel/debug/kvm && cat exits mmio_exits")
            every, mmio = (int(n) for n in text.split())
            return {"exits": every, "mmio": mmio, "blocks": totals["writes"] + totals["verified"]}
        time.sleep(guest.POLL)


def timeline(o):
    """One migration in detail."""
    return hosts.run(["timeline 1024"], kernel=o.kernel, say=o.say)


# What a guest has, and what tracks the memory that its drive writes.
GUESTS = {
    "tracked": {},
    "untracked": {"props": {"lm-track": "off"}},
    "emulated": {"drive": guest.EMULATED},
}


def vm(o):
    """Guests moved by QEMU: with a VF, with one whose memory nothing tracks, and
    with a drive that QEMU emulates. On 6.1, which tracks memory."""
    records = []
    for kind, more in GUESTS.items():
        o.say(f"a guest, {kind}")
        r = scenario.run("6.1", "standard", REPETITIONS, seconds=hosts.SECONDS, **more)
        if r.error or not r.clean_end or len(r.trips) != REPETITIONS:
            raise hosts.Failed(f"a guest, {kind}: {r.error or r.totals}")
        records += [{"figure": "vm", "kind": kind, "downtime": t["downtime_ms"], "gap": t["gap_ms"],
                     "total": t["total_ms"], "bytes": t["memory_bytes"], "state": t["state_bytes"]} for t in r.trips]
    return records


TOGETHER = 8            # migrations of each kind, of which few are unlike the others


def together(o):
    """VFs of one guest, where time is instructions and commands take time; two drives at
    each end, whose VFs have states of 64 KiB, or of the second one 16 MiB. While such a
    host waits for this machine's disk its time runs on, by seconds: it has none."""
    records = []
    for reference in (False, True):
        some = [f"together {TOGETHER} {pace()} 64 {large} 1 2 4" for large in (64, 16384)]
        got = hosts.run(some, kernel=o.kernel, reference=reference,
                        pfs=4, vfs=2, icount=ICOUNT, cpus=1, disk=hosts.rig.NOTHING, say=o.say)
        records += tagged(got, driver="reference" if reference else "ours")
    return records


# Drives whose commands take time, by which the machine's other work shows less: for a
# small state and for a large one.
PACED = [{"lm-command-us": 30000}, {"lm-command-us": 2000}]
# VFs' states one after the other, and by channels of their own.
CARRIED = {"in turn": fleet.Way(None, False, False, False), "at once": fleet.Way("on", False, False, False)}
VF_TRIPS = 8


def by_qemu(o, numbers, carried, *, reference=False, props=None):
    """Guests with so many VFs of two drives, moved by QEMU. On 6.1, which tracks memory."""
    records = []
    try:
        with fleet.Fleet("6.1", "standard", driver=hosts.driver("6.1", reference), seconds=2 * hosts.SECONDS,
                         tls=False, props=props, say=o.say) as both:
            for number in numbers:
                one = both.start(number)
                for i in range(VF_TRIPS * len(carried)):
                    # each way there and back
                    name = carried[i // 2 % len(carried)]
                    t = both.trip(one, CARRIED[name])
                    if t["status"] != "completed" or "own_ms" not in t:
                        raise hosts.Failed(f"{number} VFs, {name}: {t}")
                    records.append({"carried": name, "n": number, **{k: t[k] for k in (
                        "downtime_ms", "stopped_ms", "gap_ms", "before_ms", "after_ms", "own_ms")}})
                if any(r.totals.get("errors") != 0 or not r.clean_end for r in both.end(one)):
                    raise hosts.Failed(f"{number} VFs: the guest has found something")
    except hosts.rig.Trouble as e:
        raise hosts.Failed(str(e)) from None
    return records


def gap(o):
    """Where the time goes in which a guest has no I/O."""
    return tagged(by_qemu(o, (1,), ("in turn",)), figure="gap")


def vfs(o):
    """What further VFs add where QEMU moves the guest, in the emulator's time."""
    return [r for reference in (False, True) for r in tagged(
        by_qemu(o, fleet.NUMBERS, tuple(CARRIED), reference=reference, props=PACED),
        figure="vfs", driver="reference" if reference else "ours")]


PARTS = {f.__name__: f for f in (device, downtime, instructions, scale, dirty, tracked, io, exits, vm, gap, vfs, together, timeline)}

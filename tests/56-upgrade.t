#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:base
# Needs, CHECK_FULL=1: kernels model vmm
"""The previous release and this one accept each other's streams, on each kernel
and with both sets (inside/upgrade). The release is a tag, or the commit beside
it in tests/rig/previous. UPGRADE_KERNELS="6.12" selects some.

Then hosts are upgraded while a guest with two VFs is at work: the empty one first;
the other's modules stay loaded as long as they are in use, and are replaced once the
guest has left. It moves to the new version and back to the old, there again, and back
to what has become new. Its VFs are never reset, no stream is refused. What the
packages' scripts do to a host with VFs in use is in 36-packages.t.
UPGRADE_GUESTS="6.1 standard,..." selects some, or none."""

import os
import re
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(TESTS)
sys.path.insert(0, os.path.join(TESTS, "rig"))
import fleet                                            # noqa: E402
import guest as guests                                  # noqa: E402
import host as rig                                      # noqa: E402
import hostrun                                          # noqa: E402
import place                                            # noqa: E402
import scenario                                         # noqa: E402
import tap                                              # noqa: E402
import verdict                                          # noqa: E402

SECONDS = 300
GUESTS = [tuple(x.split()) for x in os.environ.get(
    "UPGRADE_GUESTS", "6.1 standard,6.12 standard,6.12 vendor").split(",") if x]
WAY = fleet.WAYS[0]
# In a host: the new modules in the place of those that are loaded.
REPLACE = """set -e
for vf in {vfs}; do echo $vf >/sys/bus/pci/drivers/nvme-vfio-pci/unbind; done
rmmod nvme_vfio_pci nvme_pf_shim
cp /share/data/new/*.ko /share/mod
load_driver {args}
for vf in {vfs}; do echo $vf >/sys/bus/pci/drivers_probe; done
"""
IN_USE = "! rmmod nvme_vfio_pci 2>/dev/null && lsmod | grep -q nvme_vfio_pci"
RESET = re.compile(r"vf_reset: vf=(\S+)")


def git(*args, **more):
    return subprocess.run(("git", "-C", TOP, *args), check=False, capture_output=True, **more)


def previous():
    """(name, commit) of the previous release; no commit if the clone does not have it."""
    with open(os.path.join(TESTS, "rig", "previous"), encoding="ascii") as f:
        names = [line for line in f if not line.startswith("#")][-1].split()
    for name in names:
        done = git("rev-parse", "--verify", "--quiet", name + "^{commit}", text=True)
        if not done.returncode:
            return names[0], done.stdout.strip()
    return names[0], None


def source(commit, folder):
    archive = git("archive", commit, "src")
    archive.check_returncode()
    subprocess.run(("tar", "-x", "-C", folder), input=archive.stdout, check=True)


class Hosts(fleet.Fleet):
    """Two, with the driver of the release before; this one is in /share/data/new."""

    def __init__(self, kernel, command_set, old):
        new = place.driver(place.kernel(kernel))
        files = {f"data/new/{name}": os.path.join(new, name) for name in rig.OURS}
        # the one before did not leave out of what is tracked the VF's own BARs
        super().__init__(kernel, command_set, driver=old, tls=False, files=files, seconds=1800,
                         props=[{"lm-track-bars": "off"}] * 2)

    def upgrade(self, host):
        args = "vendor_ids=1b36:0010" if self.set == "vendor" else ""
        vfs = " ".join(address for (at, _), address in self.functions.items() if at is host)
        host.run(REPLACE.format(vfs=vfs, args=args), guests.PATIENCE)
        self.trace(host)

    def version(self, host):
        """new: has what the one before has not"""
        return host.run("[ -e /sys/bus/pci/drivers/nvme-vfio-pci/policy ] && echo new || echo old").strip()


def check_trip(out, label, hosts, guest, resets):
    """One to the other host."""
    versions = {host.name: hosts.version(host) for host in hosts.pair.hosts}
    for host in hosts.pair.hosts:
        resets[host] += own_resets(hosts, guest, host)
    r = hosts.trip(guest, WAY)
    bad = [c for c in r["commands"] if verdict.failed(c)] + [a for a in r["arcs"] if a["ret"]]
    out.ok(r["status"] == "completed" and not bad,
           f"{label}: from the {versions[r['source']]} version to the {versions[r['target']]}, "
           f"{r['state_bytes']} bytes of state, {max(r.get('gap_ms', [0])):.0f} ms without I/O", bad)


def own_resets(hosts, guest, host):
    """Of the VFs that the guest has, while it is there; those of a VF that is opened are
    none of them."""
    text = host.run("cat /sys/kernel/tracing/trace")
    mine = [hosts.functions[host, name] for name in guest.vfs[host]] if guest.host is host else []
    return [vf for vf in RESET.findall(text) if vf in mine]


def guest_stays(out, kernel, command_set, old):
    """A guest on hosts that are upgraded."""
    label, why = f"{kernel} {command_set}, a guest", ""
    try:
        with Hosts(kernel, command_set, old) as hosts:
            a, b = hosts.pair.hosts
            resets = {a: [], b: []}
            guest = hosts.start(2)
            for host in (a, b):
                scenario.trace(host)
            hosts.upgrade(b)
            status, text = a.finish(a.begin(IN_USE))
            out.ok(not status and [hosts.version(x) for x in (a, b)] == ["old", "new"],
                   f"{label}: the empty host is upgraded, modules that are in use stay", text)
            check_trip(out, label, hosts, guest, resets)
            check_trip(out, label, hosts, guest, resets)
            check_trip(out, label, hosts, guest, resets)
            hosts.upgrade(a)
            out.ok(hosts.version(a) == "new", f"{label}: the host that it has left is upgraded")
            check_trip(out, label, hosts, guest, resets)
            ends = hosts.end(guest)
            refused = [x for host in (a, b) for x in host.run("dmesg | grep refused || :").splitlines()]
            out.ok(not any(resets.values()) and not refused, f"{label}: no VF was reset under it, no stream refused",
                   f"{list(resets.values())} {refused}")
            out.ok(all(r.totals.get("errors") == 0 and r.clean_end and r.read_back and not r.guest_trouble for r in ends),
                   f"{label}: {sum(r.totals.get('verified', 0) for r in ends)} blocks verified, nothing wrong, left in "
                   "flight or reported", [(r.totals, r.guest_trouble) for r in ends])
    except rig.Trouble as e:
        why = str(e)
    out.ok(not why, f"{label}: hosts ended well, nothing in their kernel logs", why)


def before(out, folder, series):
    """The folder with its modules for a kernel, or None."""
    built = os.path.join(folder, series)
    try:
        place.run("build-modules", series, built, os.path.join(folder, "src"))
    except subprocess.CalledProcessError as e:
        out.ok(False, f"{series}: the release before builds", e.stdout)
        return None
    return built


def jobs(out, folder, program):
    chosen = os.environ.get("UPGRADE_KERNELS", "").split()
    for kernel in place.kernels():
        series = kernel.series
        if chosen and series not in chosen:
            continue
        built = before(out, folder, series)
        if not built:
            continue
        files = [f"data/old/{name}={built}/{name}" for name in ("nvme-pf-shim.ko", "nvme-vfio-pci.ko")]
        for s in ("standard", "vendor"):
            yield hostrun.Job(series, s, f"sh /share/data/upgrade {s}",
                              [program, f"data/upgrade={TESTS}/inside/upgrade", *files], SECONDS, f"{series} {s}")


def main():
    hostrun.by_run_one()
    out = tap.Tap()
    if not os.environ.get("CHECK_FULL") and not os.environ.get("UPGRADE_KERNELS"):
        out.skip("streams of the release before", "CHECK_FULL=1")
        return out.done()
    name, commit = previous()
    if not commit:
        out.skip(f"streams of {name}", "this clone does not have it")
        return out.done()
    (program,), why = place.all_built("vf-test")
    if why:
        out.ok(False, "build of the programs", why)
        return out.done()
    with tempfile.TemporaryDirectory() as folder:
        source(commit, folder)
        for job, result in hostrun.side_by_side(list(jobs(out, folder, program)),
                                                hostrun.at_once("UPGRADE_JOBS")):
            result.say(out)
            why = result.fault()
            out.ok(why is None, f"{job.title}: the host ran to its end, its kernel log is clean", why or "")
        for kernel, command_set in GUESTS:
            old = before(out, folder, kernel)
            if old:
                guest_stays(out, kernel, command_set, old)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

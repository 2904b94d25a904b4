#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.12 model lists packages:system
"""Whoever copies README and manual page line by line ends up with a guest that
migrates.

Two fresh Debian systems, each with its own distribution's kernel. What is typed into
them is the text of the documents, found in their blocks: into host a that of
README.md, into host b that of docs/install.md and of nvme-vfio(8). Then the guest is
on b. Each command must succeed, and print what its sample shows, if it has one.

What concerns this test bed and is not in the documents is in the tables below, and
nowhere else: what is left out and why, what a reader has to fill in, what is typed into
an editor, and in which folder. The page for readers whose VFs have different addresses
is not read: here they have the same.

Installation happens in the system itself, before it is a machine: compilers are slow in
emulated ones. Of Debian's packages only those that are named, and their dependencies,
are available there. README_INSTALLED=FOLDER keeps the result, and uses it the next
time."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "rig"))
import documents                                        # noqa: E402
import full                                             # noqa: E402
import host as rig                                      # noqa: E402
import pair as pairs                                    # noqa: E402
import place                                            # noqa: E402
import scenario                                         # noqa: E402
import tap                                              # noqa: E402
import virt                                             # noqa: E402

README, INSTALL, MANUAL = "README.md", "docs/install.md", "docs/man/nvme-vfio.8"
# What is read, by host and in this order.
READ = {"a": ((README, "Install"), (README, "Use")),
        "b": ((INSTALL, "Debian 12, 13, sid"), (MANUAL, "EXAMPLES"))}

# What is not typed, by its beginning, and why.
LEFT = {
    README: {
        "qemu-system-x86_64 ... -device vfio-pci,": "has an elision; a VM without libvirt, which 50-guest.t has",
        "migrate_set_parameter ": "QEMU's monitor, of the same",
    },
    MANUAL: {
        "for h in $(cat hosts)": "needs many hosts",
        "nvme-vfio doctor --fleet ": "of the same; 04-tool.t has their reports",
    },
}

# What readers have to fill in: everything else is typed as it is.
FILLED = {MANUAL: {"ssh other ": "ssh a "}}

# What they type into an editor: the words of the file, and what replaces them there.
# The serial number is the one that "nvme-vfio list" has shown, the rest as in README's samples.
EDITED = {"/etc/nvme-vfio/drive.conf": {"serial = S6XYNX0T000001": "serial = rig0", "num_vfs = 4": "num_vfs = 2",
                                        "queues = 5": "queues = 4", "interrupts = 5": "interrupts = 4"}}

# Where they are: in the source, except for what is done "on the host", where the
# packages are.
BESIDE = {INSTALL: ("sudo apt install ./", )}
# README has this done on "the other" host.
ELSEWHERE = {"sudo nvme-vfio doctor --probe --peer a.json": "b"}
# The other host has to be ready by then.
TOGETHER = ("sudo nvme-vfio doctor --probe", "ssh other ")

# What is done before there is a machine.
BEFORE = re.compile(r"sudo (?:apt|dkms) |dpkg-buildpackage")
# What a command must print, where a comment says so instead of a sample.
COMMENTED = {"sudo dkms status nvme-vfio": ": installed"}
# Exit statuses that are an answer, as in nvme-vfio(8): before there are VFs, doctor
# says just that.
ANSWERS = {(INSTALL, "sudo nvme-vfio doctor"): (11, r"^Checks: 1 fail(?s:.*)\bfail +no VFs"),
           (MANUAL, "nvme-vfio doctor"): (11, r"^Checks: 1 fail(?s:.*)\bfail +no VFs")}

USER = "reader"
HOME = f"/home/{USER}"
EDITOR = """#!/bin/sh
# what a reader types into an editor, as the test has written it down
sed -f /share/typed/edit "$1" >"/tmp/edited.$$" && cat "/tmp/edited.$$" >"$1" && rm "/tmp/edited.$$"
"""
# As on a system that was just installed: somebody who may use sudo, and who answers
# "yes" when apt asks whether to go on.
FRESH = f"""useradd -m -s /bin/bash -G sudo {USER}
echo '%sudo ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/{USER}
echo 'debconf debconf/frontend select Noninteractive' | debconf-set-selections
echo 'APT::Get::Assume-Yes "true";' >/etc/apt/apt.conf.d/90{USER}
rm -f /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/work/archive ./' >/etc/apt/sources.list
printf '127.0.0.1 localhost %s\\n' "$(hostname)" >/etc/hosts
apt-get -q update
cp -r source {HOME}/nvme-vfio
chown -R {USER}: {HOME}
"""
# Each by itself; the last one that ran is the last with a status.
TYPED = """status=0
runuser -l {user} -c '{command}' >said/{n} 2>&1 </dev/null || status=$?
echo $status >status/{n}
[ $status = 0 ] || exit 0
"""

SECONDS = 900           # for a command in a host
MOST = 1200             # how many characters of the output are shown

out = tap.Tap()


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


def all_items():
    """{host: what there is to type}; reports what is left out."""
    todo, unused = {}, {(document, start) for document, starts in LEFT.items() for start in starts}
    for name, sections in READ.items():
        todo[name] = []
        for item in (i for section in sections for i in documents.items(*section)):
            start = next((s for s in LEFT.get(item.document, ()) if item.text.startswith(s)), None)
            if start:
                unused.discard((item.document, start))
                out.note(f"not typed: {item} ({LEFT[item.document][start]})")
            else:
                todo[name].append(item)
    out.ok(not unused, "what is left out is in the documents", unused)
    return todo


def filled(item):
    text = item.text
    for word, value in FILLED.get(item.document, {}).items():
        text = text.replace(word, value)
    return text


def judge(item, name, status, said):
    """One point for a command: it succeeds, and prints what it should."""
    want, pattern = ANSWERS.get((item.document, item.text.split("#")[0].strip()), (0, ""))
    wrong = ""
    if status != want or not re.search(pattern, said, re.M):
        wrong = f"exit status {status}\n{said[-MOST:]}"
    elif item.sample:
        wrong = documents.differs(item.sample, said)
    for start, word in COMMENTED.items():
        if not wrong and item.text.startswith(start) and word not in said:
            wrong = f"has no \"{word}\": {said[-MOST:]}"
    out.ok(not wrong, f"{name}: {item}", wrong)
    if status != want:
        raise rig.Trouble(f"{name}: a document does not go on here: {item}")


# -- before there is a machine ---------------------------------------------------------


def wanted(todo):
    """Names of packages that are asked for by name, and what is needed to build ours."""
    names = {word for items in todo.values() for item in items for command in re.split(r"&&|#", item.text)
             if re.match(r" *sudo apt install ", command)
             for word in command.split()[3:] if word[0] not in "./-"}
    with open(os.path.join(place.TOP, "debian/control"), encoding="utf-8") as f:
        fields = re.findall(r"^Build-Depends[\w-]*: (.*(?:\n .*)*)", f.read(), re.M)
    return sorted(names | {re.match(r"\s*([\w.+-]+)", need)[1] for field in fields for need in field.split(",")
                           if need.strip()} | {"dkms"})


def folder_of(item):
    beside = any(item.text.startswith(s) for s in BESIDE.get(item.document, ()))
    return HOME if beside else f"{HOME}/nvme-vfio"


def install(system, archive, name, items, work):
    """Type what builds and installs; returns the archive of what that has changed."""
    for folder in ("source", "said", "status"):
        os.makedirs(os.path.join(work, folder))
    os.chmod(work, 0o755)
    files = subprocess.run(["git", "-C", place.TOP, "ls-files", "-z"], check=True, stdout=subprocess.PIPE).stdout
    subprocess.run(["xargs", "-0", "cp", "--parents", "-t", os.path.join(work, "source")], check=True,
                   cwd=place.TOP, input=files)
    shutil.copytree(archive, os.path.join(work, "archive"))
    script = FRESH
    for n, item in enumerate(items):
        typed = f"cd {folder_of(item)} && . /work/typed/{n}"
        write(os.path.join(work, "typed", str(n)), filled(item) + "\n")
        script += TYPED.format(user="root" if item.prompt == "# " else USER, command=typed, n=n)
    # "exit" is the reader's, and must not end what takes changes along
    changed = full.changes(system, work, f"({script})")
    for n, item in enumerate(items):
        with open(os.path.join(work, "said", str(n)), encoding="utf-8", errors="replace") as f:
            said = f.read()
        with open(os.path.join(work, "status", str(n)), encoding="ascii") as f:
            judge(item, name, int(f.read()), said)
    return changed


def network(work, system, kernel):
    """What such hosts have, whatever is installed: a network, access for the other's root,
    an editor with somebody using it, and what guests are booted from."""
    folder = os.path.join(work, "network")
    write(os.path.join(folder, "etc/hosts"), virt.HOSTS)
    write(os.path.join(folder, "usr/bin/editor"), EDITOR, 0o755)
    ssh = os.path.join(folder, "root/.ssh")
    write(os.path.join(ssh, "config"), "StrictHostKeyChecking accept-new\n", 0o600)
    subprocess.run([os.path.join(full.HERE, "inside"), system, ssh, "ssh-keygen", "-q", "-t", "ed25519", "-N", "",
                    "-C", "root", "-f", "/work/id_ed25519"], check=True)
    shutil.copy(os.path.join(ssh, "id_ed25519.pub"), os.path.join(ssh, "authorized_keys"))
    os.chmod(ssh, 0o700)
    os.chmod(os.path.join(folder, "root"), 0o700)
    virt.guest_files(folder, kernel)
    return folder


# -- in the machines ------------------------------------------------------------------------


def quoted(text):
    """For sed: the text, as a pattern and as its replacement."""
    return re.sub(r"([\\/.*\[\]^$&])", r"\\\1", text)


def inserted(xml):
    """A sed script that types what a document shows of a domain into a domain."""
    lines = xml.split("\n")
    cut, last = (next(i for i, line in enumerate(lines) if line.strip() == end) for end in ("</devices>", "</domain>"))
    begin = lines.index(next(line for line in lines if line.strip() == documents.ELISION))

    def added(command, some):
        return f"{command}\\\n" + "\\\n".join(some) + "\n"

    return (f"s/^<domain type='kvm'.*>$/{quoted(lines[0])}/\n/^  <\\/devices>$/{{\n"
            + added("i", lines[begin + 1:cut]) + added("a", lines[cut + 1:last]) + "}\n")


class Reader:
    """Somebody at a host with the documents."""

    def __init__(self, pair, host, items):
        self.pair = pair
        self.host = host
        self.items = list(items)
        self.typed = 0

    def type(self, item, host=None):
        host = host or self.host
        self.typed += 1
        name = f"typed/{self.host.name}{self.typed}"
        write(os.path.join(host.share, name), filled(item) + "\n")
        user, home = ("root", "/root") if item.prompt == "# " else (USER, HOME)
        command = f"cd {home} && . /share/{name}"
        begun = time.monotonic()
        status, said = host.finish(host.begin(f"runuser -l {user} -c '{command}'"), SECONDS)
        out.note(f"{host.name}, {time.monotonic() - begun:.0f} s: {filled(item)}")
        for line in said.splitlines():
            out.note("    " + line)
        judge(item, host.name, status, said)

    def edit(self, item):
        """What belongs to an item that opens an editor, if it does."""
        script = None
        for path, words in EDITED.items():
            if re.search(rf"\b(?:sudoedit|editor) {re.escape(path)}$", item.text):
                script = "".join(f"s/^{quoted(word)}$/{quoted(value)}/\n" for word, value in words.items())
        if " virsh edit " in item.text:
            script = inserted(self.items.pop(0).text)
        if script:
            write(os.path.join(self.host.share, "typed/edit"), script)

    def step(self):
        item = self.items.pop(0)
        if not item.is_command:
            raise rig.Trouble(f"nobody knows where this goes: {item}")
        self.edit(item)
        other = next((h for h in self.pair.hosts if h.name == ELSEWHERE.get(item.text)), None)
        if other:
            self.carry(item.text.split()[-1], other)
        self.type(item, other)

    def carry(self, name, other):
        """Copy a file to another host."""
        self.host.run(f"cp {HOME}/{name} /share/")
        shutil.copy(os.path.join(self.host.share, name), other.share)
        other.run(f"cp /share/{name} {HOME}/")

    def read_to(self, *starts):
        """Everything up to what begins like this, or everything."""
        while self.items and not self.items[0].text.startswith(starts):
            self.step()
        if starts and not self.items:
            raise rig.Trouble(f"{self.host.name}: nothing begins with {' or '.join(starts)}")


class Domain(virt.Domain):
    """The guest that a reader has and moves."""

    reader = None

    def define(self, host):
        self.forget()
        self.must(host, "define " + self.put(host, "guest.xml", self.xml(host, device=False)))

    def migrate(self, target):
        self.reader.read_to("sudo virsh migrate --live ")
        self.reader.step()
        self.host = target


def moves(guest, watch, reader, target):
    """From "virsh start" to "virsh migrate", and the outcome: as in 70-libvirt.t."""
    source = reader.host
    reader.step()
    guest.host, guest.reader = source, reader
    guest.await_io()
    found = virt.driver_of(source, guest.vfs[source])
    out.ok(found == virt.DRIVER, "the guest runs, its VF has our driver, its I/O is verified", found)
    trip = virt.trip(guest, watch, target)
    after = trip["after"]
    out.note(f"from {trip['source']} to {trip['target']}: {trip['seconds']:.1f} s, "
             f"{trip['gap_ms']:.0f} ms without I/O, libvirt says {trip['job'].get('downtime')} ms")
    out.ok(after.get("errors") == 0 and after["verified"] > trip["before"]["verified"],
           "the guest runs on the other host, its I/O goes on there and is right", trip)
    out.ok(trip["driver"] == virt.DRIVER, "its VF there has our driver", trip["driver"])
    status, text = guest.virsh(target, f"domstate {virt.NAME}")
    gone = guest.virsh(source, f"domstate {virt.NAME}")[1]
    out.ok(status == 0 and text == "running" and gone == "shut off", "libvirt says so too", f"{text} {gone}")


def its_end(guest):
    end = scenario.Result("6.12", "standard")
    scenario.judge(end, guest.finish(), guest.pair.stalled())
    out.ok(end.clean_end and end.read_back and not end.guest_trouble and end.totals.get("errors") == 0,
           "in the end every block is right, and the guest has no complaint", f"{end.totals} {end.guest_trouble}")


def in_machines(pair, todo):
    a, b = (Reader(pair, host, todo[host.name]) for host in pair.hosts)
    guest = Domain(pair, {host: virt.VF.format(1) for host in pair.hosts})
    guest.define(pair.a)
    for reader in (b, a):
        reader.read_to(*TOGETHER)
    b.read_to()
    path = pair.b.run("modinfo -F filename vfio iommufd vfio-pci")
    out.ok(path.count("/updates/dkms/") == 3, "b: VFIO with IOMMUFD is what the system takes", path)
    path = pair.b.run("ls /dev/iommu /dev/vfio/devices")
    out.ok("vfio0" in path, "b: and its VFs have devices of their own", path)
    a.read_to("sudo virsh start ")
    watch = pairs.Watch(pair)
    watch.start()
    try:
        moves(guest, watch, a, pair.b)
        a.read_to()
        its_end(guest)
    finally:
        watch.stop()
    left = pair.a.run("cat /sys/bus/pci/devices/0000:01:00.0/sriov_numvfs").strip()
    out.ok(left == "0", "the end of README restores everything", left)


def story(work):
    begun = time.monotonic()
    todo = all_items()
    system = full.fresh()
    archive = full.archive(system, *wanted(todo))
    installed = {}
    for name, items in todo.items():
        kept = os.path.join(os.environ.get("README_INSTALLED", work), f"{name}.tar")
        first = next(i for i, item in enumerate(items) if not BEFORE.match(item.text))
        if not os.path.exists(kept):
            scratch = os.path.join(work, name)
            os.makedirs(scratch)
            shutil.move(install(system, archive, name, items[:first], scratch), kept)
        else:
            out.skip(f"{name}: what is installed", "README_INSTALLED has it")
        installed[name] = kept
        todo[name] = items[first:]
        out.note(f"host {name} is installed: {time.monotonic() - begun:.0f} s")
    known = network(work, system, "6.12")
    pair = pairs.Pair("6.12", "standard", kind=full.FullHost, system=system, folders=[installed["a"], known],
                      b={"folders": [installed["b"], known]}, seconds=5400)
    out.note(f"logs: {pair.log}")
    with pair:
        out.note(f"two hosts up: {time.monotonic() - begun:.0f} s")
        in_machines(pair, todo)
    out.note(f"all of it: {time.monotonic() - begun:.0f} s")


with tempfile.TemporaryDirectory() as scratch_folder:
    try:
        story(scratch_folder)
        out.ok(True, "nothing in the kernel logs")
    except (rig.Trouble, LookupError) as e:
        out.ok(False, "the documents can be followed to their end, and nothing is in the kernel logs", str(e))
sys.exit(out.done())

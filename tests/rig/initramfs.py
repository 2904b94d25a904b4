# SPDX-License-Identifier: GPL-2.0-only
"""Initial RAM disks for hosts and guests.

An image is a concatenation of parts, each a cpio archive of its own that is kept in the
cache under the hash of all that went in. Nothing is compressed: an emulated processor
would have to unpack it.
"""

import contextlib
import glob
import hashlib
import lzma
import os
import re
import stat
import struct
import subprocess

import place

# The end of a module that is signed.
SIGNED = b"~Module signature appended~\n"


class Part:
    """The files of one part of an image; names are absolute."""

    def __init__(self):
        self.entries = {}

    def _parents(self, name):
        parent = os.path.dirname(name)
        if parent not in ("", "/") and parent not in self.entries:
            self._parents(parent)
            self.entries[parent] = (stat.S_IFDIR | 0o755, b"")

    def directory(self, name):
        self._parents(name)
        self.entries[name] = (stat.S_IFDIR | 0o755, b"")

    def data(self, name, data, mode=0o644):
        self._parents(name)
        self.entries[name] = (stat.S_IFREG | mode, data)

    def file(self, name, source, mode=None):
        with open(source, "rb") as f:
            self.data(name, f.read(), stat.S_IMODE(os.stat(source).st_mode) if mode is None else mode)

    def link(self, name, target):
        self._parents(name)
        self.entries[name] = (stat.S_IFLNK | 0o777, target.encode())

    def archive(self):
        """The part as cpio, "newc" format, padded so that another may follow."""
        out = []
        for ino, (name, (mode, data)) in enumerate([*sorted(self.entries.items()), ("TRAILER!!!", (0, b""))]):
            raw = name.lstrip("/").encode() + b"\0"
            fields = (ino + 1 if mode else 0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
            head = b"070701" + b"".join(b"%08X" % f for f in fields) + raw
            out += [head, bytes(-len(head) % 4), data, bytes(-len(data) % 4)]
        size = sum(map(len, out))
        return b"".join([*out, bytes(-size % 512)])


def busybox():
    for path in ("/bin/busybox", "/usr/bin/busybox"):
        if os.path.exists(path):
            return path
    raise FileNotFoundError("busybox: run tests/rig/setup")


def applets():
    """Names of the programs that busybox contains."""
    run = subprocess.run([busybox(), "--list"], check=True, stdout=subprocess.PIPE, text=True)
    return sorted({*run.stdout.split()} - {"busybox"})


def unsigned(module):
    """A module without its signature: checking one takes an emulated processor longer
    than everything else about it."""
    if not module.endswith(SIGNED):
        return module
    # before the mark: lengths, of which the last is the signature's
    size, = struct.unpack(">I", module[-len(SIGNED) - 4:-len(SIGNED)])
    return module[:-len(SIGNED) - 12 - size]


def module_closure(kernel, names, if_there=()):
    """Paths of the named modules and all they depend on, in order of loading.
    Names that are built into the kernel are left out. if_there: names of modules that
    come first, which the kernel need not have."""
    top = kernel.modules
    depends = {}
    with open(os.path.join(top, "modules.dep"), encoding="ascii") as f:
        for line in f:
            path, _, rest = line.partition(":")
            depends[path] = rest.split()
    with open(os.path.join(top, "modules.builtin"), encoding="ascii") as f:
        builtin = {plain(line) for line in f}
    by_name = {plain(path): path for path in depends}
    order = []

    def add(path):
        if path not in order:
            for other in reversed(depends[path]):
                add(other)
            order.append(path)

    for name in (*if_there, *names):
        name = name.replace("-", "_")
        if name in by_name:
            add(by_name[name])
        elif name not in builtin and name not in if_there:
            raise LookupError(f"kernel {kernel.release} has no module {name}")
    return [os.path.join(top, path) for path in order]


def depends(modules):
    """Names of the kernel's modules that the given ones of ours need."""
    names = set()
    for module in modules:
        run = subprocess.run(["/sbin/modinfo", "-F", "depends", module], check=True,
                             stdout=subprocess.PIPE, text=True)
        names.update(n.replace("-", "_") for n in run.stdout.strip().split(",") if n)
    return sorted(names - {plain(m) for m in modules})


def needed(module, added, other):
    """Paths of those of the added modules that a module needs."""
    if not module:
        return []
    names = [name for name in depends([module]) if name in added]
    added.difference_update(names)
    return [other[name] for name in names]


def plain(path):
    return re.sub(r"\.ko.*", "", os.path.basename(path.strip())).replace("-", "_")


def base(kernel, modules, init, if_there=(), instead=None):
    """busybox, modules for a kernel, and the first program. The folder instead has
    modules that replace the kernel's of the same name, and what these need that the
    kernel does not have."""
    other = {plain(path): path for path in glob.glob(os.path.join(instead, "*.ko"))} if instead else {}
    added = {name for path in other.values() for name in depends([path]) if name in other}
    closure = module_closure(kernel, [m for m in modules if plain(m) not in added], if_there)
    added -= {plain(path) for path in closure}
    closure = [p for path in closure for p in (*needed(other.get(plain(path)), added, other), path)]
    unused = sorted(set(other) - {plain(path) for path in closure})
    if unused:
        raise LookupError(f"{instead}: the image has no {', '.join(unused)} to replace")

    def make(part):
        for name in ("/proc", "/sys", "/dev", "/tmp", "/run", "/root", "/etc", "/share"):
            part.directory(name)
        part.file("/bin/busybox", busybox(), 0o755)
        for name in applets():
            part.link(f"/bin/{name}", "busybox")
        part.file("/init", init, 0o755)
        names = []
        for path in closure:
            path = other.get(plain(path), path)
            with open(path, "rb") as f:
                data = f.read()
            if path.endswith(".xz"):
                data = lzma.decompress(data)
            names.append(plain(path) + ".ko")
            part.data("/mod/" + names[-1], unsigned(data))
        part.data("/mod/order", "".join(n + "\n" for n in names).encode())

    return cached(f"base-{kernel.release}", make, [kernel.release, *modules, *if_there],
                  [busybox(), init, *(other[name] for name in sorted(other))])


def files(label, pairs):
    """A part with the given (name, source) files and the libraries they need."""
    def make(part):
        for name, source in pairs:
            part.file(name, source)
            for library in libraries(source):
                part.file(library, os.path.realpath(library), 0o755)

    return cached(label, make, [name for name, _ in pairs], [source for _, source in pairs])


def vmm(name="current"):
    """A QEMU of the distribution's with its own loader and libraries, as a command
    in the path: qemu, or qemu-NAME."""
    top = os.path.realpath(os.path.join(place.CACHE, "vmm", name))
    folder, command = ("/vmm", "/bin/qemu") if name == "current" else (f"/vmm-{name}", f"/bin/qemu-{name}")

    def make(part):
        for path in glob.glob(top + "/*/*"):
            part.file(folder + path[len(top):], path, 0o755)
        part.data(command, f"#!/bin/sh\nexec {folder}/lib/ld-linux-x86-64.so.2 --library-path {folder}/lib"
                  f' {folder}/bin/qemu-system-x86_64 -L {folder}/share "$@"\n'.encode(), 0o755)

    return cached("vmm-" + os.path.basename(top), make, [top, command], [])


def libraries(program):
    """What the dynamic loader would load for a program, itself included."""
    run = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return [w for line in run.stdout.splitlines() for w in line.split() if w.startswith("/")]


def cached(label, make, words, sources):
    """The path of a part's archive, made by make(part) unless the cache has it."""
    digest = hashlib.sha256()
    for word in words:
        digest.update(word.encode() + b"\0")
    for source in [__file__, *sources]:
        with open(source, "rb") as f:
            digest.update(hashlib.sha256(f.read()).digest())
    path = os.path.join(place.CACHE, "image", f"{label}-{digest.hexdigest()[:12]}.cpio")
    if not os.path.exists(path):
        part = Part()
        make(part)
        place.write(path, part.archive())
    return path


def image(parts):
    """One file with all parts, as a boot loader expects it."""
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
    path = os.path.join(place.CACHE, "image", f"image-{digest}")
    if not os.path.exists(path):
        data = []
        for part in parts:
            with open(part, "rb") as f:
                data.append(f.read())
        place.write(path, b"".join(data))
        drop_unused()
    os.utime(path)
    return path


def drop_unused(keep=40):
    """Remove the least recently used images."""
    for path in place.oldest(os.path.join(place.CACHE, "image"), keep, "image-"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)         # another run may clean up as well

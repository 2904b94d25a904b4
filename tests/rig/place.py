# SPDX-License-Identifier: GPL-2.0-only
"""Where things are: the checkout, the cache, the kernels, tools built on demand."""

import collections
import contextlib
import fcntl
import glob
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

RIG = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(RIG))
CACHE = os.environ.get("NVME_VFIO_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "nvme-vfio")

# What the tests' C programs have in common.
SHARED = [os.path.join(TOP, "tests/lib"), os.path.join(TOP, "lib")]

_Kernel = collections.namedtuple("Kernel", "series release build image tools", defaults=("",))


# With VFIO and iommufd built again for it: 7.3+iommufd, see iommufd-core.
REBUILT = "+iommufd"


class Kernel(_Kernel):
    """A kernel of the test bed, by series or release. core: the folder of what VFIO and
    iommufd have been built into again, or None for the kernel's own VFIO."""

    core = None

    @property
    def modules(self):
        return os.path.join(os.path.dirname(os.path.dirname(self.image)), "lib/modules", self.release)

    @property
    def hz(self):
        """Ticks of its timer per second."""
        path = os.path.join(self.build, "include/config/auto.conf") if self.build else \
            os.path.join(os.path.dirname(self.image), f"config-{self.release}")
        with open(path, encoding="utf-8") as f:
            return int(re.search(r"^CONFIG_HZ=(\d+)$", f.read(), re.M).group(1))


def run(command, *arguments):
    """Run a command of the rig; if it fails, its output is in the exception."""
    subprocess.run([os.path.join(RIG, command), *map(str, arguments)], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def kernels(*name):
    """All kernels of the test bed, except those that only guests need; or any single
    one."""
    lines = subprocess.run([os.path.join(RIG, "kernels"), *name], check=True,
                           stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return [Kernel(*line.split("\t")[:4]) for line in lines]


def kernel(name):
    found = kernels(name.removesuffix(REBUILT))[0]
    if name.endswith(REBUILT):
        found = found._replace(series=found.series + REBUILT)
        found.core = rebuilt_core(found)
    return found


def has_kernel(name):
    return not subprocess.run([os.path.join(RIG, "kernels"), name], capture_output=True, check=False).returncode


def write(path, data):
    """Write a file so that nobody ever sees half of it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(path), delete=False) as f:
        f.write(data)
    os.chmod(f.name, 0o644)
    os.replace(f.name, path)


def once(name, find):
    """The path that find() gives, which takes a second for the packages' versions and the
    sources: in a run of tests only the first time, as neither changes while it lasts."""
    if not os.environ.get("RIG_RUN"):
        return find()
    known = os.path.join(os.environ["RIG_RUN"], "known", f"{name}-{digest((), TOP)}")
    with open(made(known, lambda path: write(path, find().encode())), encoding="utf-8") as f:
        return f.read()


def qemu():
    """The folder of the QEMU that emulates the hosts: RIG_QEMU, or our own build."""
    if os.environ.get("RIG_QEMU"):
        return os.environ["RIG_QEMU"]
    return once("qemu", lambda: subprocess.run([os.path.join(TOP, "tests/model/build")], check=True,
                                               stdout=subprocess.PIPE, text=True).stdout.strip())


def qemu_there():
    """The same if it has been built, or None."""
    if os.environ.get("RIG_QEMU"):
        return os.environ["RIG_QEMU"]
    p = subprocess.run([os.path.join(TOP, "tests/model/build"), "--look"], check=False,
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return p.stdout.strip() if p.returncode == 0 else None


def digest(paths, *words):
    """A short hash of files, of the sources in folders, and of words."""
    h = hashlib.sha256("\0".join(words).encode())
    for path in paths:
        inside = [path]
        if os.path.isdir(path):
            inside = sorted(os.path.join(d, f) for d, _, names in os.walk(path) for f in names
                            if f.endswith((".c", ".h", ".mk")) or f in ("Kbuild", "Makefile"))
        for name in inside:
            h.update(os.path.relpath(name, path).encode())
            with open(name, "rb") as f:
                h.update(hashlib.sha256(f.read()).digest())
    return h.hexdigest()[:12]


def made(path, command):
    """path, made by command(path) unless it exists; one maker at a time."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            command(path)
    return path


def oldest(folder, keep, prefix=""):
    """The least recently used paths in a folder, all except this many. Others may
    remove some at the same time."""
    old = []
    for entry in os.scandir(folder):
        with contextlib.suppress(FileNotFoundError):
            if entry.name.startswith(prefix):
                old.append((entry.stat().st_mtime, entry.path))
    return [path for _, path in sorted(old)[:-keep]]


def taken(sources):
    """What C files use of tests/lib and lib: each header that is included, and the file
    that belongs to it."""
    found, todo = [], list(sources)
    while todo:
        with open(todo.pop(), encoding="utf-8") as f:
            names = re.findall(r'^#include "(.+)\.h"$', f.read(), re.M)
        new = [path for folder in SHARED for name in names for path in glob.glob(f"{folder}/{name}.[ch]")
               if path not in found and path not in todo]
        found += new
        todo += new
    return sorted(set(found))


def program(source):
    """A program of the rig, from one C file or all of a folder, and what they share
    with tests, linked statically: it must run in any root."""
    source = os.path.join(RIG, source)
    files = sorted(glob.glob(source + "/*.c")) or [source]
    more = taken(files)

    def build(path):
        subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-static",
                        "-pthread", *(f"-I{folder}" for folder in SHARED), "-o", path + ".new",
                        *files, *(name for name in more if name.endswith(".c"))], check=True)
        os.rename(path + ".new", path)

    name = os.path.basename(source).removesuffix(".c")
    return made(os.path.join(CACHE, "bin", f"{name}-{digest([source, *more])}"), build)


# Test programs and the tool: where they are built, and make's further arguments.
PROGRAMS = {
    "vf-test": ("tests/vf",),
    "cid-tracker-test": ("tests/vf",),
    "tap-test": ("tests/vf",),
    "mig-fuzz": ("tests/fuzz/uapi",),
    "vfio-mig-conformance": ("tests/conformance", "LDFLAGS=-static", "CFLAGS=-O2 -g -Werror"),
    "nvme-vfio": ("tools/nvme-vfio",),
    "nvme-vfio-checked": ("tools/nvme-vfio",
                          "CFLAGS=-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"),
}


class NotBuilt(Exception):
    """With the compiler's whole output."""


def built(name):
    """One of PROGRAMS. It is built again whenever any source of this checkout changes:
    what includes what need not be known here."""
    folder, *more = PROGRAMS[name]
    sources = [os.path.join(TOP, d) for d in ("src", "lib", "tests", "tools")]
    key = digest([*sources, os.path.join(TOP, "dkms.conf")], name, *more)
    file = name.removesuffix("-checked")

    def build(path):
        done = subprocess.run(["make", "-s", "-C", os.path.join(TOP, folder), f"BUILD={path}.new", *more,
                               f"{path}.new/{file}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if done.returncode or done.stdout:
            raise NotBuilt(done.stdout)
        for old in oldest(os.path.dirname(path), 60):
            shutil.rmtree(old, ignore_errors=True)
        os.rename(path + ".new", path)

    path = made(os.path.join(CACHE, "programs", f"{name}-{key}"), build)
    os.utime(path)
    return os.path.join(path, file)


def all_built(*names):
    """(their paths, None), or (Nones, why one does not build)."""
    try:
        return [built(name) for name in names], None
    except NotBuilt as e:
        return [None] * len(names), str(e)


def modules(kern, source):
    """The folder with the modules of a source folder built for a kernel."""
    more = [f"NVME_VFIO_CORE={kern.core}"] if kern.core else []
    return subprocess.run([os.path.join(RIG, "build-modules"), kern.release, "-", source, *more], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()


def driver(kern):
    """The folder with our modules built for a kernel."""
    return once(f"driver-{kern.series}", lambda: modules(kern, os.path.join(TOP, "src")))


def rebuilt_core(kern):
    """The folder with VFIO and iommufd built for a kernel."""
    def build(path):
        subprocess.run([os.path.join(RIG, "iommufd-core"), kern.release, path + ".new"], check=True,
                       stdout=subprocess.DEVNULL)
        os.rename(path + ".new", path)

    how = [os.path.join(TOP, "iommufd"), os.path.join(RIG, "iommufd-core")]
    names = sorted(os.path.join(how[0], name) for name in os.listdir(how[0]))
    return made(os.path.join(CACHE, "built", f"core-{digest([*names, how[1]], kern.release)}"), build)


def packages(suite):
    """The folder with this checkout's Debian packages, built in a clean system of
    a suite."""
    def build(path):
        subprocess.run([os.path.join(TOP, "tests/packages/build-deb"), suite, path + ".new"],
                       check=True, stdout=subprocess.DEVNULL)
        os.rename(path + ".new", path)

    # the tests are not part of them
    names = subprocess.run(["git", "-C", TOP, "ls-files", "--", ":!tests"], check=True,
                           stdout=subprocess.PIPE, text=True).stdout.splitlines()
    files = sorted(os.path.join(TOP, name) for name in names)
    key = digest(files, suite, *names)
    return made(os.path.join(CACHE, "packages", f"{suite}-{key}"), build)

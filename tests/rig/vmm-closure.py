#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Gather in OUT what a QEMU unpacked under ROOT needs: bin, lib, share.

The packages' own dynamic loader says which libraries it would load, so the result does
not depend on this machine's libraries.

usage: vmm-closure.py ROOT OUT
"""

import glob
import os
import shutil
import subprocess
import sys

# Firmware of a PC that boots a given kernel without display or network boot.
FIRMWARE = ("bios-256k.bin", "linuxboot_dma.bin", "kvmvapic.bin", "pvh.bin")


def one(root, *patterns):
    for pattern in patterns:
        found = glob.glob(os.path.join(root, pattern), recursive=True)
        if found:
            return found[0]
    sys.exit(f"vmm-closure: no {patterns[0]} in the packages")


def main():
    root, out = sys.argv[1:3]
    for name in ("bin", "lib", "share"):
        os.makedirs(os.path.join(out, name))
    loader = one(root, "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
                 "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
    binary = one(root, "usr/bin/qemu-system-x86_64")
    dirs = [d for d in (os.path.join(root, p, "x86_64-linux-gnu") for p in ("lib", "usr/lib"))
            if os.path.isdir(d)]
    listing = subprocess.run([loader, "--library-path", ":".join(dirs), "--list", binary],
                             check=True, capture_output=True, text=True).stdout
    for line in listing.splitlines():
        words = line.split()
        if "=>" not in words:
            continue
        path = words[2]
        if not path.startswith(root):
            sys.exit(f"vmm-closure: {words[0]} is not in the packages")
        # the loader's own line has an absolute path, which must not be joined
        shutil.copy(os.path.realpath(path), os.path.join(out, "lib", os.path.basename(words[0])))
    shutil.copy(os.path.realpath(loader), os.path.join(out, "lib", "ld-linux-x86-64.so.2"))
    shutil.copy(binary, os.path.join(out, "bin"))
    for name in FIRMWARE:
        source = one(root, f"usr/share/seabios/{name}", f"usr/share/qemu/{name}")
        shutil.copy(os.path.realpath(source), os.path.join(out, "share", name))


if __name__ == "__main__":
    main()

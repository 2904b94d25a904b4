#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make the programs of a newer suite, unpacked under ROOT, run on this machine:
each is started by the suite's own loader with the suite's own libraries. That needs
neither root nor a namespace, and does not use this machine's libraries.

usage: wrap-tools.py ROOT [FINAL]      FINAL: where ROOT will be in the end
"""

import glob
import os
import sys

PLACES = ("usr/bin", "usr/libexec", "usr/lib/linux-kbuild-*")

SCRIPT = """#!/bin/sh
exec '{root}/{loader}' --argv0 "$0" --library-path '{root}/{libraries}' '{root}/{program}' "$@"
"""


def dynamic(path):
    """Whether a file is a program that needs a loader."""
    with open(path, "rb") as f:
        head = f.read(4096)
    return head.startswith(b"\x7fELF") and b"/ld-linux-x86-64.so" in head


def main():
    root = sys.argv[1]
    final = sys.argv[2] if len(sys.argv) > 2 else root
    found = glob.glob(os.path.join(root, "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"))
    if not found:
        sys.exit(f"wrap-tools: no loader under {root}")
    loader = os.path.relpath(found[0], root)
    wrapped = 0
    for place in PLACES:
        for top in glob.glob(os.path.join(root, place)):
            for folder, _, names in os.walk(top):
                for name in names:
                    path = os.path.join(folder, name)
                    if os.path.islink(path) or not os.access(path, os.X_OK) or not dynamic(path):
                        continue
                    os.rename(path, path + ".elf")
                    with open(path, "w", encoding="utf-8") as f:
                        f.write(SCRIPT.format(root=final, loader=loader,
                                              libraries=os.path.dirname(loader),
                                              program=os.path.relpath(path, root) + ".elf"))
                    os.chmod(path, 0o755)
                    wrapped += 1
    if not wrapped:
        sys.exit(f"wrap-tools: no program under {root}")


if __name__ == "__main__":
    main()

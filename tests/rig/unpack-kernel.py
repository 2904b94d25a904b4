#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Extract the kernel proper from a bzImage. Nothing in it is changed: it is only
unpacked once, here, and not at every boot by an emulated processor.

usage: unpack-kernel.py BZIMAGE OUT
"""

import lzma
import os
import struct
import subprocess
import sys

XZ = b"\xfd7zXZ\0"
ZSTD = b"\x28\xb5\x2f\xfd"


def main():
    with open(sys.argv[1], "rb") as f:
        image = f.read()
    # the boot protocol's header: where the payload is
    setup = (image[0x1f1] or 4) + 1
    offset, length = struct.unpack_from("<II", image, 0x248)
    payload = image[setup * 512 + offset:][:length]
    if payload.startswith(XZ):
        kernel = lzma.LZMADecompressor().decompress(payload)
    elif payload.startswith(ZSTD):
        # the size follows the packed data; zstd complains about that at the end
        size, = struct.unpack("<I", payload[-4:])
        kernel = subprocess.run(["zstd", "-dcq"], input=payload[:-4], check=True,
                                stdout=subprocess.PIPE).stdout
        if len(kernel) != size:
            sys.exit(f"unpack-kernel: {len(kernel)} bytes, not {size}")
    else:
        sys.exit(f"unpack-kernel: {sys.argv[1]} is packed in an unknown way")
    if not kernel.startswith(b"\x7fELF"):
        sys.exit("unpack-kernel: what came out is no kernel")
    with open(sys.argv[2] + ".new", "wb") as f:
        f.write(kernel)
    os.rename(sys.argv[2] + ".new", sys.argv[2])


if __name__ == "__main__":
    main()

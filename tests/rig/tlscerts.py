# SPDX-License-Identifier: GPL-2.0-only
"""Certificates with which two QEMUs know each other: an authority, one that takes
guests in, one that sends them."""

import os
import subprocess

CONFIG = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth
subjectAltName = {addresses}
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = clientAuth
"""
DAYS = "30"
NAMES = ("ca", "server", "client")


def make(folder, addresses):
    """In a folder, under the names by which QEMU looks for them; addresses: of hosts."""
    config = os.path.join(folder, "config")
    for name in NAMES:
        with open(config, "w", encoding="ascii") as f:
            f.write(CONFIG.format(name=f"rig {name}", addresses=", ".join(f"IP:{a}" for a in addresses)))
        signer = () if name == "ca" else ("-CA", "ca-cert.pem", "-CAkey", "ca-key.pem")
        subprocess.run(("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-noenc", "-days", DAYS, "-config", config, "-extensions", name, *signer,
                        "-keyout", f"{name}-key.pem", "-out", f"{name}-cert.pem"),
                       cwd=folder, check=True, capture_output=True)
    return {name: os.path.join(folder, name) for name in
            ("ca-cert.pem", *(f"{n}-{x}.pem" for n in NAMES[1:] for x in ("cert", "key")))}


def objects(folder):
    """QEMU's, of a host that has them in a folder. No configuration of GnuTLS is there."""
    return tuple(f"tls-creds-x509,id=tls-{end},dir={folder},endpoint={end},priority=NORMAL" for end in NAMES[1:])

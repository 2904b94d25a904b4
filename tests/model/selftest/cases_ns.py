# SPDX-License-Identifier: GPL-2.0-only
"""What a PF reports about namespaces, its own and those of VFs, and formats of states."""

from bed import machine, ok, same

NGUID = "nguid=000102030405060708090a0b0c0d0e0f"


def owners(pf, nsid=1):
    data = pf.identify(0x12, nsid=nsid)[1]
    return [int.from_bytes(data[2 * i:2 * i + 2], "little")
            for i in range(1, 1 + int.from_bytes(data[:2], "little"))]


def case_ns_attached():
    """CNS 12h lists VFs that nobody has enabled yet"""
    with machine() as (_, pf):
        same(owners(pf), [0] + [vf.cntlid for vf in pf.vfs],
             "the namespace is attached to the PF and all VFs")


def case_ns_knobs():
    """lm-ns-*: a different NGUID, a different size, nobody's, no need to ask"""
    with machine(ns="," + NGUID) as (_, pf):
        def seen():
            data = pf.identify(0x11, nsid=1)[1]
            return int.from_bytes(data[:8], "little"), data[104:120]
        size, nguid = seen()
        same(nguid, bytes(range(16)), "the NGUID is what the device was given")
        pf.control("lm-ns-other=255")
        same(seen(), (size, bytes(range(15)) + b"\xf0"), "another NGUID")
        ok(b"\x0d\x0e\xf0" in pf.identify(3, nsid=1)[1], "in the descriptors as well")
        pf.control("lm-ns-other=1")
        pf.control("lm-ns-more=8")
        same(seen(), (size + 8, bytes(range(15)) + b"\x0e"), "and a larger size")
        pf.control("lm-reset-knobs=1")
        same(seen(), (size, nguid), "all as it was")
        pf.control("lm-ns-hide=1")
        same(owners(pf), [], "nobody has the namespace")
        pf.control("lm-ns-hide=2")
        ok(owners(pf), "another one is nobody's")
        pf.control("lm-ns-manage=off")
        same(pf.identify(1)[1][256] & 8, 0, "no namespace management")
        pf.control("lm-ns-manage=on")
        same(pf.identify(1)[1][256] & 8, 8, "and again")


def case_formats_listed():
    """lm-formats: which versions and UUIDs are listed, in which order"""
    with machine() as (_, pf):
        one = pf.identify(0x20)[1]
        own, other = one[4:20], bytes([one[4] ^ 0x80]) + one[5:20]
        pf.control("lm-formats=two")
        same(pf.identify(0x20)[1][:38], b"\2\2\7\0\0\0" + other + own, "two")
        pf.control("lm-formats=turned")
        same(pf.identify(0x20)[1][:38], b"\2\2\0\0\7\0" + own + other, "turned")
        pf.control("lm-formats=one")
        same(pf.identify(0x20)[1], one, "one again")

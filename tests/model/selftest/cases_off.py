# SPDX-License-Identifier: GPL-2.0-only
"""Switched off, the model is not there; the test control; what it counts."""

from bed import INVALID_FIELD, INVALID_OPCODE, machine, ok, same
from nvmeq import PAGE

OURS = 0x3d, 0x3e, 0x41, 0x42, 0xc4, 0xc8, 0xcc, 0xd2, 0xd5, 0xe1, 0xe2
QUEUE = 0x45                    # of user data, which nobody has
PF0 = "/machine/peripheral/pf0"
# Each property accepts some of these, at least one of which is not its default.
VALUES = ("1", "two", "4096", "3/2", "on", "off", "cq", "end", "down", "vendor", "csup-clear",
          "uuid", "0x41@7=0x6", "0x41@7")
COMMANDS = {"lm-reset-counters", "lm-reset-knobs"}


def views(pf):
    """Everything that Identify and the effects log say about the PF and a VF."""
    vf = pf.vfs[0]
    vf.enable()
    seen = {}
    for name, ctrl in ("PF", pf), ("VF", vf):
        for cns in range(0x24):
            done, data = ctrl.identify(cns, nsid=1)
            seen[name, cns] = done.status, data
        seen[name, "effects"] = ctrl.read_data(
            0x02, PAGE, dwords=(5 | 1023 << 16,))[1]
    return seen


def case_off():
    """a device with lm=off is the same as one without any of our properties"""
    with machine(lm=None) as (_, pf):
        stock = views(pf)
        for opcode in OURS + (QUEUE,):
            same(pf.admin(opcode).status, INVALID_OPCODE,
                 f"default: {opcode:#x} is an invalid opcode")
    with machine(lm=None, extra="lm=off") as (_, pf):
        off = views(pf)
    same(off, stock, "lm=off shows what the default shows")

    with machine() as (_, pf):
        on = views(pf)
    changed = {key for key in stock if stock[key] != on[key]}
    same(changed, {("PF", 1), ("PF", 0x20), ("PF", "effects")},
         "lm=both changes only the PF's Identify, CNS 20h and effects")
    was, now = stock["PF", 1][1], on["PF", 1][1]
    same([i for i in range(PAGE) if was[i] != now[i]],
         [257, 570, 572, 575, 576, 3072],
         "in Identify only OACS, tracking and byte 3072 change")
    same(now[257] ^ was[257], 8, "OACS: only bit 11")
    same(now[3072], 1, "byte 3072 says that the vendor set is there")
    was, now = stock["PF", "effects"], on["PF", "effects"]
    same([i // 4 for i in range(0, PAGE, 4) if was[i:i + 4] != now[i:i + 4]],
         sorted(OURS), "the effects log has our commands and nothing else")


def case_sets():
    """lm= selects the set; a VF never has either"""
    for lm, std, vendor in (("standard", True, False), ("vendor", False, True),
                            ("both", True, True)):
        with machine(lm=lm) as (_, pf):
            ident = pf.identify(1)[1]
            same(bool(ident[257] & 8), std, f"{lm}: OACS bit 11")
            same(ident[3072], int(vendor), f"{lm}: byte 3072")
            status = pf.identify(0x20)[0].status
            same(status, 0 if std else INVALID_FIELD, f"{lm}: CNS 20h")
            for opcode in 0x3d, 0x3e, 0x41, 0x42:
                same(pf.admin(opcode).status == INVALID_OPCODE, not std,
                     f"{lm}: {opcode:#x}")
            for opcode in 0xc4, 0xc8, 0xcc, 0xd2, 0xd5:
                same(pf.admin(opcode).status == INVALID_OPCODE, not vendor,
                     f"{lm}: {opcode:#x}")
            vf = pf.vfs[0]
            vf.enable()
            for opcode in OURS:
                same(vf.admin(opcode).status, INVALID_OPCODE,
                     f"{lm}: the VF knows no {opcode:#x}")
            same(vf.identify(0x20)[0].status, INVALID_FIELD,
                 f"{lm}: the VF knows no CNS 20h")
            same(vf.identify(1)[1][257] & 8, 0, f"{lm}: the VF's OACS")


def case_formats():
    """CNS 20h lists one version and one UUID"""
    with machine(lm="standard") as (_, pf):
        data = pf.identify(0x20)[1]
        same(data[:4], bytes((1, 1, 0, 0)), "one version, one UUID, version 0")
        ok(any(data[4:20]) and data[10] >> 4 == 4 and data[12] >> 6 == 2,
           "the UUID is one")
        ok(not any(data[20:]), "and nothing follows")


def case_control():
    """properties by admin command and by QOM, all or none"""
    with machine() as (qemu, pf):
        same(pf.control("lm-pad=4096\nlm-suspend-delay-ms=5\n"), 0, "two lines")
        report = pf.report()
        same((report["lm-pad"], report["lm-suspend-delay-ms"], report["lm"]),
             ("4096", "5", "both"), "the report has them")
        for text in ("lm-pad=3", "lm-pad=x", "nothing=1", "lm-pad", "lm=maybe",
                     "lm-fail=0x41", "lm-fail=0x41@0=2", "lm-fail=@1=2",
                     "lm-fail=0x41@1=0x8000", "lm-hang=0x41@1=2",
                     "lm-fail=0x141@1=2", "lm-lie=truth", "lm-test=maybe",
                     "lm-pad=999999999999", "lm-reset-counters=2",
                     "lm-suspend-waits=no", "lm-suspend-reset=maybe",
                     "lm-track=maybe", "lm-track-ranges=0",
                     "lm-track-ranges=1/", "lm-track-ranges=1/65536",
                     "lm-track-min=40", "lm-track-max=-1",
                     "lm-track-pow2=1", "lm-track-grain=x",
                     "lm-track-room=65536", "lm-ids=0", "lm-ids=65520",
                     "lm-ids=1/0", "lm-ids=1/2/up", "lm-list-more=1025",
                     "lm-list-order=any", "lm-model=" + "x" * 41, "lm-firmware=" + "x" * 9):
            same(pf.control("lm-pad=8\n" + text), INVALID_FIELD,
                 f"refused: {text[:30]}")
        same(pf.report()["lm-pad"], "4096", "and nothing of it was taken")
        for dwords in 0, 1025:
            same(pf.admin(0xe1, prp1=0x1000000, dwords=(dwords,)).status,
                 INVALID_FIELD, f"set with {dwords} dwords")
            same(pf.admin(0xe2, prp1=0x1000000, dwords=(dwords,)).status,
                 INVALID_FIELD, f"get with {dwords} dwords")
        same(pf.write_data(0xe1, b"lm-pad=0", dwords=(2,)).status,
             INVALID_FIELD, "text without an end")
        same(pf.control("lm-pad="), 0, "an empty value clears")
        same(pf.report()["lm-pad"], "0", "it is the default again")

        reply = qemu.qmp("qom-set", path=PF0, property="lm-fail",
                         value="0x41/0@1=0x6+0x42@2=0x11f")
        same(reply, {"return": {}}, "qom-set")
        same(pf.report()["lm-fail"], "0x41/0@1=0x6+0x42@2=0x11f",
             "reaches the report")
        ok("error" in qemu.qmp("qom-set", path=PF0, property="lm-pad",
                               value="5"), "qom-set refuses a bad value")
        same(pf.control("lm-reset-counters=1"), 0, "counters reset")
        pf.suspend(pf.vfs[0])
        text = qemu.qmp("qom-get", path=PF0, property="lm-counters")["return"]
        ok("count.41=1\nstatus.41=0x006\ncount.41.0=1\nstatus.41.0=0x006\n"
           in text, "lm-counters has count and status")
        same(pf.control("lm=vendor"), 0, "lm itself may change")
        same(pf.admin(0x41).status, INVALID_OPCODE, "the standard set is gone")
        same(pf.identify(1)[1][257] & 8, 0, "and its bit")
        same(pf.control("lm-test=off"), 0, "the control turns itself off")
        same(pf.control("lm=both"), INVALID_OPCODE, "and is gone")
    with machine(lm=None, extra="lm=both") as (_, pf):
        same(pf.control("lm-pad=0"), INVALID_OPCODE, "off unless asked for")


def ours(qemu):
    """({name: value} of the properties that the model says it has, names of those
    that cannot be read)"""
    values, mute = {}, set()
    for item in qemu.qmp("qom-list", path=PF0)["return"]:
        name = item["name"]
        if name.split("-")[0] == "lm" and name != "lm-counters":
            reply = qemu.qmp("qom-get", path=PF0, property=name)
            if "error" in reply:
                mute.add(name)
            else:
                values[name] = reply["return"]
    return values, mute


def put(qemu, name, value):
    return "error" not in qemu.qmp("qom-set", path=PF0, property=name, value=value)


def other(qemu, name, value):
    """Give a property a different value; return that."""
    for new in VALUES:
        if put(qemu, name, new):
            now = qemu.qmp("qom-get", path=PF0, property=name)["return"]
            if now != value:
                return now
    raise KeyError(f"none of VALUES is another value for {name} than {value!r}")


def identify_late(qemu, pf):
    """Identify, on a device that takes time for it."""
    page = qemu.alloc(PAGE)
    pf.start(0, 0x06, prp1=page, dwords=(1,))
    qemu.settle()
    qemu.step_ms(100)
    same(pf.wait(0).status, 0, "Identify that takes its time")
    return qemu.read(page, PAGE)


def case_reset_knobs():
    """lm-reset-knobs resets every property that there is"""
    with machine() as (qemu, pf):
        begun, mute = ours(qemu)
        same(mute, COMMANDS, "all can be read but for commands")
        ok({"lm", "lm-pad", "lm-fail", "lm-track"} <= begun.keys(), f"{len(begun)} properties")
        was = pf.identify(1)[1]
        changed = {name: other(qemu, name, value) for name, value in begun.items()}
        same(ours(qemu)[0], changed, "each is set to another value")
        ok(identify_late(qemu, pf) != was, "and shows")
        ok(put(qemu, "lm-reset-knobs", "1"), "lm-reset-knobs")
        same(ours(qemu)[0], begun, "all are what the device was started with: nothing given")
        same(pf.identify(1)[1], was, "and so are its commands and names")
        same(pf.control("lm-pad=4096\nlm-track-min=3"), 0, "two by the test control")
        same(pf.control("lm-reset-knobs=1\nlm-pad=8"), 0, "back, and then another")
        same(ours(qemu)[0], {**begun, "lm-pad": "8"}, "in the order of the lines")
        same(pf.control("lm-reset-knobs=0"), INVALID_FIELD, "lm-reset-knobs=0 is refused")
    # with which it could not be set up
    changed["lm-identify-ms"] = begun["lm-identify-ms"]
    line = ",".join(f"{name}={value}" for name, value in changed.items())
    with machine(lm=None, extra=line) as (qemu, pf):
        same(ours(qemu)[0], changed, "a device that was started with all other values")
        was = pf.identify(1)[1]
        good = [put(qemu, name, begun[name]) for name in changed]
        ok(all(good) and ours(qemu)[0] == begun, "each is set to what was the default")
        put(qemu, "lm-reset-knobs", "1")
        same(ours(qemu)[0], changed, "all are what the device was started with: its own")
        same(pf.identify(1)[1], was, "and show")


def case_counters():
    """every command of the sets is counted, refused ones too"""
    with machine(lm="standard") as (_, pf):
        vf = pf.vfs[0]
        for opcode in 0x3d, 0x3e, QUEUE, 0xc8:
            pf.admin(opcode, dwords=(1,))
        pf.suspend(vf)
        pf.get(vf, 0, 48)
        pf.get(vf, 2, 48)
        report = pf.report()
        for key, want in (("count.3d", "1"), ("count.3d.1", "1"),
                          ("count.3e", "1"), ("count.45", "1"),
                          ("count.c8", "1"), ("count.41", "1"),
                          ("count.41.0", "1"), ("count.42.0", "2"),
                          ("status.3d.1", "0x11f"), ("status.41.0", "0x000"),
                          ("status.42.0", "0x002"), ("status.c8", "0x001"),
                          (f"vf.{vf.cntlid}", "suspended"),
                          (f"vf.{pf.vfs[1].cntlid}", "running"),
                          (f"vf.{pf.vfs[2].cntlid}", "offline")):
            same(report.get(key), want, key)
        pf.control("lm-reset-counters=1")
        ok(not any(key.startswith("count") for key in pf.report()),
           "counters are gone after a reset")


def case_names():
    """model and firmware names, for the VFs too"""
    with machine(extra="lm-model=Model M,lm-firmware=F1") as (_, pf):
        pf.vfs[0].enable()
        for name, ctrl in ("PF", pf), ("VF", pf.vfs[0]):
            data = ctrl.identify(1)[1]
            same((data[24:64].decode().rstrip(), data[64:72].decode().rstrip()),
                 ("Model M", "F1"), name)
        pf.control("lm-model=Other")
        for name, ctrl in ("PF", pf), ("VF", pf.vfs[0]):
            same(ctrl.identify(1)[1][24:64].decode().rstrip(), "Other",
                 f"{name} after a change")

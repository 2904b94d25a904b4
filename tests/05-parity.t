#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernels packages:dkms
"""What cannot migrate has to work as it does under vfio-pci: whatever each kernel's
vfio-pci provides to the PCI core, VFIO and vfio-pci-core, this driver provides as well,
or docs/compatibility.md says why not."""

import os
import re
import subprocess
import sys

TESTS = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(TESTS)
sys.path.insert(0, os.path.join(TESTS, "rig"))
import tap                                              # noqa: E402

DOCUMENT = "docs/compatibility.md"
HEADING = "## What vfio-pci has that this driver lacks"


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return f.read()


def call(*args, stdin=None):
    p = subprocess.run(args, input=stdin, stdout=subprocess.PIPE, text=True, check=False)
    return p.returncode, p.stdout


# --- sources -----------------------------------------------------------------

def kernels():
    """(series, folder of its source) of Debian's kernels; the others are made from these."""
    lines = call(os.path.join(TESTS, "rig/kernels"))[1].splitlines()
    for series in (line.split("\t")[0] for line in lines):
        if re.fullmatch(r"[\d.]+", series):
            status, out = call(os.path.join(TESTS, "rig/kernel-source"), series)
            yield series, out.strip() if status == 0 else None


def ours(source):
    """main.c as preprocessed with that kernel's headers."""
    asks = "include %s/src/features.mk\nprint:\n\t@echo $(ccflags-y)\n" % TOP
    asked, have = call("make", "-s", "-f", "-", f"srctree={source}", "print", stdin=asks)
    have = have.split()
    text = read(TOP, "src/main.c")
    args = have + ["-U" + name for name in set(re.findall(r"\bHAVE_\w+", text)) if "-D" + name not in have]
    status, text = call("unifdef", *args, stdin=text)
    assert not asked and status < 2 and "HAVE_" not in text, source
    return text


# --- what is in them ----------------------------------------------------------

def code(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def tables(text):
    """{type of struct: {member: value}} of everything initialised by name"""
    out = {}
    for kind, body in re.findall(r"^(?:static )?(?:const )?struct (\w+) \w+ = \{\n(.*?)^\};", text, re.M | re.S):
        out.setdefault(kind, {}).update(re.findall(r"^\t\.(\w+)\s*=\s*&?([^,\n]+)", body, re.M))
    return out


def defined(text):
    return set(re.findall(r"^\w[\w \t*]*?\b(\w+)\([^;]*?\)\n\{", text, re.M))


def called(text):
    return set(re.findall(r"\b(vfio_\w+)\s*\(", text)) - defined(text)


def stored(text):
    return set(re.findall(r"\w(?:->|\.)(\w+)\s*=[^=]", text))


def parameters(text):
    return set(re.findall(r"\bmodule_param(?:_\w+)?\(\s*(\w+)", text))


def lacking(theirs, core, mine):
    """What a vfio-pci has and this main.c lacks, by name."""
    theirs, mine = code(theirs), code(mine)
    want, have = tables(theirs), tables(mine)
    for kind, members in tables(code(core)).items():
        if kind == "pci_error_handlers":
            want.setdefault(kind, {}).update(members)
    out = (called(theirs) - called(mine)) | (stored(theirs) - stored(mine)) | (parameters(theirs) - parameters(mine))
    for kind, members in want.items():
        for member, value in members.items():
            got = have.get(kind, {}).get(member)
            if got is None:
                out.add(member)
            elif value == "true" and got != value:
                out.add(member)
            elif value.startswith("vfio_") and value not in defined(theirs) | {got} | called(mine) \
                    and kind != "pci_driver":
                # neither the core's function nor one of ours that calls it
                out.add(value)
    return out


# --- what is said of them ------------------------------------------------------

def table(text):
    """[(names, kernels)] of the document's table"""
    part = text.partition(HEADING + "\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| .+ \|$", part, re.M)
    return [(set(re.findall(r"`(\w+)`", names)), where) for names, where in rows[1:]]


def covers(where, series):
    def number(s):
        return tuple(int(x) for x in s.split("."))
    if where == "all":
        return True
    word, _, bound = where.rpartition(" ")
    return {"up to": number(series) <= number(bound), "from": number(series) >= number(bound)}[word]


def wrong(series, lacks, rows):
    said = set().union(*(names for names, where in rows if covers(where, series)))
    return [f"{name}: not here, and no reason is given" for name in sorted(lacks - said)] + \
           [f"{name}: a reason is given, and nothing is missing" for name in sorted(said - lacks)]


def without(text, kind, member):
    new, count = re.subn(rf"(struct {kind} \w+ = {{\n(?:\t.*\n)*?)\t\.{member}\s*=.*\n", r"\1", text)
    assert count == 1, (kind, member)
    return new


def notices(out, series, theirs, core, mine, rows):
    """Anything that goes missing is noticed."""
    before = lacking(theirs, core, mine)
    want = tables(code(theirs) + code(core))
    missed = []
    tried = 0
    for kind, members in tables(code(mine)).items():
        for member in set(members) & set(want.get(kind, {})):
            tried += 1
            if before == lacking(theirs, core, without(mine, kind, member)):
                missed.append(f"{kind}.{member}")
    out.ok(tried > 15 and not missed, f"{series}: each op that is removed is missed ({tried})", "\n".join(missed))
    other = mine.replace("= vfio_pci_core_mmap", "= vfio_pci_core_read")
    out.ok(lacking(theirs, core, other) - before == {"vfio_pci_core_mmap"}, f"{series}: so is one that differs")
    spare = rows + [({"read"}, "all")]
    out.ok(before and wrong(series, before, rows[1:]) and wrong(series, before, spare),
           f"{series}: so is a reason, and one too many")


def main():
    out = tap.Tap()
    rows = table(read(TOP, DOCUMENT))
    out.ok(rows, f"{DOCUMENT} has the table")
    last = None
    for series, source in kernels():
        if not out.ok(source, f"{series}: its source is available"):
            continue
        theirs, core = (read(source, "drivers/vfio/pci", name) for name in ("vfio_pci.c", "vfio_pci_core.c"))
        mine = ours(source)
        lacks = lacking(theirs, core, mine)
        bad = wrong(series, lacks, rows)
        out.ok(len(tables(theirs).get("vfio_device_ops", ())) > 10 and not bad,
               f"{series}: what vfio-pci has is here, or it is said why not", "\n".join(bad))
        last = series, theirs, core, mine, rows
    if last:
        notices(out, *last)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-2.0-only
"""The table of all figures: as text, as JSON, as a part of a document."""

import json

from figures import Figure, Kept, best, distinct, mean, of, ratios, size
from parts import ICOUNT, REPETITIONS

BEGIN, END = "<!-- table: bench/bench --write -->", "<!-- end of table -->"


# Memory beside one command's worth of state, bytes: files, records.
SLACK = 16384

# What page tables of the IOMMU may need; a piece of state is 32.
FEW_PAGES = 4

# Copies a side beyond the DMA, with what surrounds the state in the stream.
COPIES = 1.02

# VFs that migrate at once only wait for each other's commands.
QUEUED, CONSTANT = 1.10, 1.10


def downtime_limit(want):
    """Times its commands, for a state of so many bytes."""
    return 1.10 if want >= 65536 else 1.25


def row(area, what, target, ours, reference=None, holds=None):
    return {"area": area, "what": what, "target": target, "ours": ours, "reference": reference, "holds": holds}


def per_driver(records, make):
    """(ours, reference) from what make() does with the records of each driver."""
    both = []
    for name in ("ours", "reference"):
        some = [r for r in records if r["driver"] == name]
        both.append(make(some) if some else None)
    return both


def by_size(records, figure):
    """(set, size, records of it) of a figure that is measured for states of sizes."""
    for name in ("standard", "vendor"):
        some = of(records, figure, set=name)
        for want in distinct(some, "want"):
            yield name, want, [r for r in some if r["want"] == want]


def device(records):
    out = []
    for name, want, at in by_size(records, "device"):
        ours, reference = per_driver(at, ratios)
        limit = downtime_limit(want)
        out.append(row("downtime ÷ baseline", f"{name} set, state of {size(want)}", f"≤ {limit:.2f}", ours, reference,
                       ours and ours.middle <= limit))
    return out


def downtime(records):
    out = []
    for name, want, at in by_size(records, "downtime"):
        ours, reference = per_driver(at, lambda x: best(x, REPETITIONS))
        out.append(row("downtime ÷ baseline, emulator's time", f"{name} set, state of {size(want)}", "", ours, reference))
    return out


def expected_commands(r):
    if r["set"] == "vendor":
        return 5
    chunks = -(-r["size"] // r["step"])
    return 2 + 2 * chunks


def cost(records):
    out = []
    for name, want, at in by_size(records, "cost"):
        what = f"{name} set, {size(want)}"
        ours, reference = per_driver(at, lambda x: mean(x, "commands"))
        limit = expected_commands(at[0])
        out.append(row("commands in downtime", what, f"≤ {limit}", ours, reference, ours and ours.middle <= limit))
        ours, reference = per_driver(at, lambda x: Figure([r["source"]["ours"] + r["dest"]["ours"] for r in x]))
        out.append(row("allocations by the driver in downtime", what, "0", ours, reference,
                       ours and ours.middle == 0))
        ours, reference = per_driver(at, lambda x: Figure([r["source"]["taken"] + r["dest"]["taken"] for r in x]))
        out.append(row("pages allocated in downtime", what, f"≤ {FEW_PAGES}", ours, reference,
                       ours and ours.middle <= FEW_PAGES))
        for side in ("source", "dest"):
            ours, reference = per_driver(at, lambda x: Figure([r[side]["copied"] / r["size"] for r in x]))
            out.append(row(f"bytes copied by the CPU ÷ state, {side}", what, f"≤ {COPIES:.2f}", ours, reference,
                           ours and ours.middle <= COPIES))
            ours, reference = per_driver(at, lambda x: Figure([r[side]["peak"] * 4096 / r["size"] for r in x]))
            limit = max(1.1, (at[0]["step"] + SLACK) / at[0]["size"])
            out.append(row(f"peak memory ÷ state, {side}", what, f"≤ {limit:.2f}", ours, reference,
                           ours and ours.middle <= limit))
    return out


def instructions(records):
    out = []
    for name, want, at in by_size(records, "instructions"):
        what = f"{name} set, {size(want)}"
        out.append(row("CPU instructions in downtime ÷ baseline's", what, "", ratios(at, "cpu", "baseline_cpu")))
        if want >= 65536:
            out.append(row("CPU instructions beyond the baseline's, per byte of state", what, "",
                           Figure([(r["cpu"] - r["baseline_cpu"]) * 1000 / 2 ** ICOUNT / r["size"] for r in at])))
    return out


def scale(records):
    out = []
    some = of(records, "scale")
    alone = [r["cpu"] for r in some if r["n"] == 1]
    for n in distinct(some, "n"):
        at = [r for r in some if r["n"] == n]
        total, longest = ratios(at), ratios(at, "longest")
        # one alone is what the rows of the downtime are about
        limit = QUEUED if n > 1 else None
        for what, figure in (("total", total), ("longest downtime", longest)):
            out.append(row("VFs at once", f"{n}: {what} ÷ baseline of all commands", f"≤ {limit:.2f}" if limit else "", figure,
                           holds=limit and figure.middle <= limit))
        if alone and n > 1:
            cpu = Figure([r["cpu"] / n / one for r, one in zip(at, alone)])
            out.append(row("VFs at once", f"{n}: CPU time of each ÷ of one alone", f"≤ {CONSTANT:.2f}", cpu,
                           holds=cpu.middle <= CONSTANT))
    return out


def dirty(records):
    out = []
    some = of(records, "dirty")
    for n in distinct(some, "pages"):
        at = [r for r in some if r["pages"] == n]
        share = 100 * n / at[0]["of"]
        out.append(row("dirty tracking", f"report ÷ its commands, {share:.2g} % dirty, {at[0]['commands']} command(s)",
                       "", ratios(at)))
    return out


def tracked(records):
    out = []
    for name, want, some in by_size(records, "tracked"):
        for n in distinct(some, "reports"):
            at = [r for r in some if r["reports"] == n]
            what = f"{name} set, state of {size(want)}, " + (f"{n} reports" if n else "not tracked")
            limit = expected_commands(at[0]) + (2 if n else 0)
            figure = Figure([r["commands"] - r["identify"] for r in at])
            out.append(row("without PRE_COPY", f"downtime ÷ baseline without reports: {what}", "", ratios(at)))
            out.append(row("without PRE_COPY", f"commands in downtime but Identify: {what}", f"≤ {limit}", figure,
                           holds=figure.middle <= limit))
            out.append(row("without PRE_COPY", f"Identify in downtime: {what}", "", mean(at, "identify")))
    return out


def io(records):
    out = []
    ours, plain = (of(records, "io", driver=d) for d in ("nvme-vfio-pci", "vfio-pci"))
    for name, what in (("latency", "latency"), ("through", "time for as much data"), ("interrupts", "interrupts")):
        if ours:
            both = Figure([a[name] / b[name] for a, b in zip(ours, plain)])
            out.append(row("I/O path", f"{what} ÷ that under vfio-pci", "1.00", both))
    return out


def exits(records):
    out = []
    for driver in ("nvme-vfio-pci", "vfio-pci"):
        at = of(records, "exits", driver=driver)
        if at:
            each = Figure([1000 * r["mmio"] / r["blocks"] for r in at])
            out.append(row("I/O path", f"exits to reach the drive, for 1000 blocks of a guest under {driver}",
                           "0" if driver != "vfio-pci" else "", each,
                           holds=each.middle == 0 if driver != "vfio-pci" else None))
    return out


def vm(records):
    out = []
    kinds = {kind: of(records, "vm", kind=kind) for kind in ("tracked", "untracked", "emulated")}
    if not all(kinds.values()):
        return out
    for name, what in (("downtime", "QEMU's downtime"), ("gap", "longest time without the guest's I/O")):
        for kind, other, text in (("tracked", "emulated", "with a VF ÷ with an emulated drive"),
                                  ("tracked", "untracked", "with tracking ÷ without")):
            # each is a run of its own: no trip of one belongs to a trip of the other
            beside = mean(kinds[other], name).middle
            out.append(row("a guest", f"{what}, {text}", "", Figure([r[name] / beside for r in kinds[kind]])))
    return out


# Of a further VF, times its own commands.
FURTHER = 1.30
SHARES = (("median", 0.5), ("90th percentile", 0.9), ("maximum", 1))


def further(records, name, time, own):
    """What further VFs add to a guest's time, for each of their commands' microseconds.
    own: of a record, which is taken where no two VFs have commands at a time."""
    values = []
    for n in [n for n in distinct(records, "n") if n > 1]:
        alone, apart = ([r for r in records if (r["carried"], r["n"]) == at] for at in ((name, 1), ("in turn", n)))
        if alone and apart:
            base, commands = Figure(map(time, alone)).middle, Figure(map(own, apart)).middle
            values += [(time(r) - base) / commands for r in records if (r["carried"], r["n"]) == (name, n)]
    return Figure(values) if values else None


def further_rows(area, records, time, own, judged, states=""):
    out = []
    for name in distinct(records, "carried"):
        ours, reference = per_driver(records, lambda x, name=name: further(x, name, time, own))
        for what, share in SHARES:
            both = [one and Figure([one.at(share)]) for one in (ours, reference)]
            limit = judged and share == 0.5
            out.append(row(area, f"downtime of each further VF ÷ its commands, {states}carried {name}: {what}",
                           f"≤ {FURTHER:.2f}" if limit else "", *both,
                           holds=both[0].middle <= FURTHER if limit and both[0] else None))
    return out


def together(records):
    some = of(records, "together")
    return [r for want in distinct(some, "want") for r in further_rows(
        "several VFs", [r for r in some if r["want"] == want], lambda r: r["us"], lambda r: r["own"], True,
        f"states of 64 KiB and {size(want)}, " if want > 65536 else "states of 64 KiB, ")]


def vfs(records):
    return further_rows("several VFs, by QEMU in the emulator's time", of(records, "vfs"), lambda r: r["stopped_ms"],
                        lambda r: sum(r["own_ms"][1:]), False)


def gap(records):
    some = of(records, "gap")
    parts = (("before the VF is suspended", lambda r: r["before_ms"][0]),
             ("from Suspend to Resume", lambda r: r["stopped_ms"]),
             ("after Resume", lambda r: r["after_ms"][0]),
             ("the VF's commands", lambda r: r["own_ms"][0]),
             ("QEMU's downtime", lambda r: r["downtime_ms"]))
    return [row("a guest's time without I/O", f"{what} ÷ the whole", "",
                Figure([part(r) / r["gap_ms"][0] for r in some])) for what, part in parts if some]


def rows(records):
    """All rows, those of one area together."""
    some = [r for make in (device, downtime, cost, instructions, scale, dirty, tracked, io, exits, vm, gap, vfs, together) for r in make(records)]
    areas = list(dict.fromkeys(r["area"] for r in some))
    return sorted(some, key=lambda r: areas.index(r["area"]))


def with_earlier(table, path):
    """These rows, and all others of an earlier run, whose as_json() is there."""
    with open(path, encoding="utf-8") as f:
        earlier = [{**r, **{who: r[who] and Kept(r[who]) for who in ("ours", "reference")}} for r in json.load(f)]
    new = {(r["area"], r["what"]): r for r in table}
    both = [new.pop((r["area"], r["what"]), r) for r in earlier]
    both += new.values()
    areas = list(dict.fromkeys(r["area"] for r in both))
    return sorted(both, key=lambda r: areas.index(r["area"]))


def text(table):
    lines, area = [], None
    for r in table:
        if r["area"] != area:
            area = r["area"]
            lines += ["", area]
        mark = {True: "", False: "  <-- target missed", None: ""}[r["holds"]]
        reference = f"   reference {r['reference']}" if r["reference"] else ""
        lines.append(f"  {r['what']:52} {r['target']:8} {str(r['ours'] or '-'):22}{reference}{mark}")
    return "\n".join(lines)


def as_json(table):
    return [{**r, "ours": r["ours"] and r["ours"].json(), "reference": r["reference"] and r["reference"].json()}
            for r in table]


def markdown(table):
    lines = ["| what | target | driver | reference |", "|---|---|---|---|"]
    for r in table:
        lines.append(f"| {r['area']}: {r['what']} | {r['target'] or '-'} | "
                     f"{'**' if r['holds'] is False else ''}{r['ours'] or '-'}{'**' if r['holds'] is False else ''}"
                     f" | {r['reference'] or '-'} |")
    return "\n".join(lines)


def rewrite(path, table):
    with open(path, encoding="utf-8") as f:
        before, rest = f.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"{before}{BEGIN}\n{markdown(table)}\n{END}{after}")

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.1 kernel:6.12 model
"""The countable costs of a migration do not grow: commands, copies,
allocations, memory, instructions, and the downtime where only instructions and
commands take time. Other times are for `make bench`.

If a figure has improved, its limit here has to be tightened. With --show the
figures are printed and nothing is judged.
"""

import os
import statistics
import sys

TESTS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(TESTS, "rig"))
sys.path.insert(0, os.path.join(TESTS, "..", "bench"))
import hosts                                            # noqa: E402
import parts                                            # noqa: E402
import table                                            # noqa: E402
import tap                                              # noqa: E402

KERNEL = "6.12"
TRACKS = "6.1"          # and has no PRE_COPY
PAGE = 4096
SIZES = {"standard": (64, 4096), "vendor": (64,)}

# Allocations of the block layer and nvme for a command with data, which we cannot
# avoid: the bio, the list of its pages, and now and then an IOVA.
PER_DATA_COMMAND = 3

# Of both ends together, beyond the pieces of the state: two files, their records, and
# page tables of the IOMMU.
FEW_PAGES = 4

# Bytes copied for each byte of state: itself, and what surrounds it in the stream.
COPIES = 1.02

# Instructions: of the driver, compared with those of its commands alone, for a state of
# 4 KiB; and per byte of state, for two copies and two checksums.
TIMES_BASELINE = {"standard": 1.2, "vendor": 1.3}
PER_BYTE = 0.7

# Times the commands' time by the clock: a sleep of a millisecond would be more.
ASLEEP = 1.20


def judge_cost(out, r):
    name = f"{r['set']} set, state of {r['size']} bytes"
    want = table.expected_commands(r)
    data = want - (3 if r["set"] == "vendor" else 2)
    out.ok(r["commands"] == want, f"{name}: {want} commands in the downtime", f"there were {r['commands']}")
    sites = {side: r[side]["sites"] for side in ("source", "dest")}
    for side in ("source", "dest"):
        out.ok(r[side]["ours"] == 0, f"{name}, {side}: the driver allocates nothing in the downtime",
               sites[side])
    total = r["source"]["allocs"] + r["dest"]["allocs"]
    out.ok(total <= PER_DATA_COMMAND * data, f"{name}: at most {PER_DATA_COMMAND} allocations for a command with data",
           f"{total} for {data} commands: {sites}")
    taken = r["source"]["taken"] + r["dest"]["taken"]
    out.ok(taken <= FEW_PAGES, f"{name}: no pages are allocated in the downtime", f"there were {taken}")
    for side in ("source", "dest"):
        ratio = r[side]["copied"] / r["size"]
        out.ok(1 <= ratio <= COPIES, f"{name}, {side}: each byte is copied once, from or to user space", ratio)
        most = r["step"] // PAGE + FEW_PAGES
        out.ok(0 < r[side]["peak"] <= most, f"{name}, {side}: holds at most one command's worth of state",
               f"{r[side]['peak']} pages, not {most}")


def judge_instructions(out, command_set, records):
    small = [r for r in records if r["size"] <= PAGE]
    large = [r for r in records if r["size"] > PAGE]
    # the median: of the kernel's own work in the background some falls into one of them
    ratio = statistics.median(r["cpu"] / r["baseline_cpu"] for r in small)
    out.note(f"{command_set}: {ratio:.2f} times the instructions of the commands alone")
    most = TIMES_BASELINE[command_set]
    out.ok(ratio <= most, f"{command_set} set, small state: at most {most} times the instructions of its commands", ratio)
    per_byte = statistics.median((r["cpu"] - r["baseline_cpu"]) * 1000 / 2 ** parts.ICOUNT / r["size"] for r in large)
    out.note(f"{command_set}: {per_byte:.2f} instructions for a byte of state")
    out.ok(per_byte <= PER_BYTE, f"{command_set} set: at most {PER_BYTE} instructions per byte of state", per_byte)


def judge_downtime(out, command_set, records):
    """By what is counted: the time that the commands alone wait for the device, and the
    instructions in both; unless these overlap, as with large states: the clock shows
    that. The clock's ratio also holds how quickly the emulator's threads wake each other,
    which is this machine's (1.06 and 1.12 of the same driver)."""
    for want in dict.fromkeys(r["want"] for r in records):
        at = [r for r in records if r["want"] == want]
        name = f"{command_set} set, state of {want} bytes"
        most = table.downtime_limit(want)
        ratio = statistics.median((r["baseline"] - r["baseline_cpu"] + r["cpu"]) / r["baseline"] for r in at)
        clock = statistics.median(r["us"] / r["baseline"] for r in at)
        out.note(f"{name}: downtime {ratio:.2f} times its commands, {clock:.2f} by the clock")
        out.ok(min(ratio, clock) <= most, f"{name}: downtime at most {most:.2f} times its commands",
               f"{ratio}, {clock} by the clock")
        out.ok(clock <= ASLEEP, f"{name}: nothing sleeps in the downtime", clock)


def judge(out, command_set, records, show):
    if show:
        print(*records, sep="\n")
        return
    costs = [r for r in records if r["figure"] == "cost"]
    for r in costs:
        judge_cost(out, r)
    times = [r for r in records if r["figure"] == "downtime"]
    judge_instructions(out, command_set, [r for r in times if not r["paced"]])
    judge_downtime(out, command_set, [r for r in times if r["paced"]])
    out.ok(len(costs) == len(SIZES[command_set]), f"{command_set} set: everything was measured", len(costs))


def judge_tracked(out, records):
    """However many parts of memory are asked for, the VF has been quiet since the first.
    That it is still tracked was confirmed before the Suspend."""
    for r in records:
        want = table.expected_commands(r) + 2
        name = f"without PRE_COPY, {r['reports']} reports, state of {r['size']} bytes"
        had = r["commands"] - r["identify"]
        out.ok(had == want, f"{name}: {want} commands in the downtime, and Identify", f"there were {had}")
        out.note(f"Identify at the destination: {r['identify']}")
    out.ok(len(records) == len(SIZES["standard"]), "without PRE_COPY: everything was measured", len(records))


def judge_documents(out):
    """bench --write of a few parts leaves the other rows as they were; so would one of no
    part at all."""
    docs = os.path.join(TESTS, "..", "docs")
    rows = table.with_earlier([], os.path.join(docs, "performance.json"))
    with open(os.path.join(docs, "performance.md"), encoding="utf-8") as f:
        written = f.read().split(table.BEGIN)[1].split(table.END)[0]
    out.ok(len(rows) > 50 and table.markdown(rows) == written.strip(),
           "the table of docs/performance.md is that of performance.json")
    new = {**rows[3], "ours": rows[0]["ours"]}
    got = table.with_earlier([new, {**new, "what": "news"}], os.path.join(docs, "performance.json"))
    at = [i for i, (a, b) in enumerate(zip(table.as_json(rows), table.as_json(got))) if a != b]
    out.ok(len(got) == len(rows) + 1 and at[0] == 3, "rows that are measured again take their place")


def main():
    out = tap.Tap()
    show = "--show" in sys.argv[1:]
    if not show:
        judge_documents(out)
    try:
        for command_set, sizes in SIZES.items():
            judge(out, command_set, hosts.run(
                [f"cost {parts.words(sizes)}", f"downtime 5 {parts.NO_PACE} 4 {sizes[-1]}",
                 f"downtime {parts.REPETITIONS} {parts.pace()} 4 {parts.words(sizes)}"], kernel=KERNEL,
                command_set=command_set, icount=parts.ICOUNT, cpus=1), show)
        tracked = hosts.run([f"tracked 1 {parts.NO_PACE} {parts.REPORTS} {parts.words(SIZES['standard'])}"], kernel=TRACKS)
        if show:
            print(*tracked, sep="\n")
        else:
            judge_tracked(out, tracked)
            moved = hosts.run([f"downtime 1 {parts.NO_PACE} 64"], kernel=KERNEL, reference=True)
            out.ok(any(r["figure"] == "downtime" and r["us"] > 0 for r in moved),
                   "the reference driver moves a VF", str(moved))
    except hosts.Failed as e:
        out.ok(False, "the hosts ran to their end", str(e))
    return 0 if show else out.done()


if __name__ == "__main__":
    sys.exit(main())

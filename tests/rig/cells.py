# SPDX-License-Identifier: GPL-2.0-only
"""The table of states and events: cells as the hosts' programs print them, and
as docs/states-and-events.md has them.

There each event is a section, "## EVENT", with some text and a table of two
columns, state and outcome. If the command sets differ, the outcome has both.
"""

import re

CELL = re.compile(r"# cell (.+?) \| (.+?) \| (.+)")
ROW = re.compile(r"\| (.+?) \| (.*?) \|$")
HEAD = "| state | outcome |\n|---|---|\n"


def printed(output):
    """{(state, event): outcome} of a program's output, in its order."""
    return {(m[1], m[2]): m[3] for m in map(CELL.fullmatch, output.splitlines()) if m}


def merged(by_set):
    """One outcome per cell from {set: cells}; None for a cell that a set lacks."""
    keys = dict.fromkeys(key for cells in by_set.values() for key in cells)
    result = {}
    for key in keys:
        seen = {name: cells.get(key) for name, cells in by_set.items()}
        texts = set(seen.values())
        if None in texts:
            result[key] = None
        elif len(texts) == 1:
            result[key] = texts.pop()
        else:
            result[key] = "; ".join(f"{name}: {text}" for name, text in seen.items())
    return result


def documented(text):
    """The cells of the document, in its order."""
    result = {}
    event = None
    for line in text.splitlines():
        row = ROW.fullmatch(line)
        if line.startswith("## "):
            event = line[3:].strip()
        elif event and row and row[1] != "state":
            result[(row[1], event)] = row[2].strip()
    return result


def rewritten(text, cells):
    """The document with these cells; its text stays."""
    out, last = [], []
    events = dict.fromkeys(event for _, event in cells)
    sections = re.split(r"^(?=## )", text, flags=re.M)
    known = {}
    for section in sections:
        title = section.splitlines()[0] if section else ""
        if title.startswith("## ") and title[3:].strip() in events:
            known[title[3:].strip()] = section
        elif not re.search(r"^\| state \| outcome \|$", section, flags=re.M):
            # an event that no longer exists is removed; text stays
            (last if known else out).append(section.rstrip() + "\n\n")
    for event in events:
        section = known.get(event, f"## {event}\n")
        words = "\n".join(x for x in section.splitlines() if not x.startswith("|")).rstrip()
        rows = "".join(f"| {s} | {outcome} |\n" for (s, e), outcome in cells.items() if e == event)
        out.append(f"{words}\n\n{HEAD}{rows}\n")
    return "".join(out + last).rstrip() + "\n"


def holes(cells):
    """Cells of the whole table, states by events, that are missing or empty."""
    states = dict.fromkeys(state for state, _ in cells)
    events = dict.fromkeys(event for _, event in cells)
    return [(s, e) for e in events for s in states if not (cells.get((s, e)) or "").strip()]


def differences(want, got):
    """Lines that say where two tables differ."""
    lines = []
    for state, event in dict.fromkeys([*want, *got]):
        a, b = want.get((state, event)), got.get((state, event))
        if a != b:
            lines.append(f"{state} | {event}\n    document: {a}\n    seen:     {b}")
    return lines

# SPDX-License-Identifier: GPL-2.0-only
"""Kinds of drives that the model can be: tests/model/personalities.

    for name in personality.conforming():
        machines, others = personality.split(personality.properties(name))
"""

import os

import place

FILE = os.path.join(os.path.dirname(place.RIG), "model", "personalities")
LIE = "lie-"
CHOICES, REASONS = "choices", "reasons"     # the latter may force a guest to stay
USUAL = "-"


class BadFile(Exception):
    pass


def _sections():
    sections, here = {}, None
    with open(FILE, encoding="utf-8") as f:
        for number, line in enumerate(map(str.strip, f), 1):
            if not line or line.startswith("#"):
                continue
            name, equals, value = map(str.strip, line.partition("="))
            if line.startswith("[") and line.endswith("]") and line[1:-1] not in sections:
                here = sections[line[1:-1]] = {}
            elif here is None or not equals or name in here:
                raise BadFile(f"{FILE}:{number}: {line}")
            else:
                here[name] = value
    return sections


def names():
    return [name for name in _sections() if name not in (CHOICES, REASONS)]


def conforming():
    return [name for name in names() if not name.startswith(LIE)]


def lies():
    return [name for name in names() if name.startswith(LIE)]


def properties(name):
    """{property of a PF: value}"""
    return _sections()[name]


def sets(name):
    """Command sets that it can have: that of "lm", or else any."""
    return [_sections()[name].get("lm")] if "lm" in _sections()[name] else ["standard", "vendor"]


def is_machines(name):
    """Whether a property is fixed when the machine starts."""
    return not name.startswith("lm-") or name == "lm-ids"


def split(values):
    """(those of the machine, all others)"""
    return ({n: v for n, v in values.items() if is_machines(n)},
            {n: v for n, v in values.items() if not is_machines(n)})


def text(values):
    return " ".join(f"{name}={value}" for name, value in values.items())


def draw(random, machines, section=CHOICES):
    """Properties drawn by chance: those of the machine, or all others."""
    drawn = {name: random.choice(values.split()) for name, values in _sections()[section].items()
             if is_machines(name) == machines}
    return {name: value for name, value in drawn.items() if value != USUAL}


def draw_reasons(random):
    """Properties drawn by chance that may force a guest to stay: often none."""
    return draw(random, machines=False, section=REASONS)

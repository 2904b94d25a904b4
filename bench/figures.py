# SPDX-License-Identifier: GPL-2.0-only
"""Figures computed from records: ratios, each with its spread."""

import math
import statistics


class Figure:
    """Values of one figure over its repetitions: middle, least, most."""

    def __init__(self, values):
        self.values = sorted(values)

    @property
    def middle(self):
        return statistics.median(self.values)

    def at(self, share):
        """What so many of the values do not exceed."""
        if share == 0.5:
            return self.middle
        return self.values[max(0, math.ceil(share * len(self.values)) - 1)]

    def __str__(self):
        if len(self.values) == 1:
            return str(self.middle) if isinstance(self.middle, int) else f"{self.middle:.3g}"
        # adding 0 makes 0 of what is rounded to -0
        middle, least, most = (f"{round(x, 2) + 0:.2f}" for x in (self.middle, self.values[0], self.values[-1]))
        return f"{middle} ({least}-{most})"

    def json(self):
        return {"median": self.middle, "min": self.values[0], "max": self.values[-1],
                "repetitions": len(self.values)}


class Kept(Figure):
    """A figure of an earlier run, from what its json() was."""

    def __init__(self, kept):
        names = ("min", "median", "max") if kept["repetitions"] > 1 else ("median",)
        super().__init__(kept[name] for name in names)
        self.kept = kept

    def json(self):
        return self.kept


def of(records, figure, **wanted):
    return [r for r in records if r["figure"] == figure
            and all(r[k] == v for k, v in wanted.items())]


def ratios(records, a="us", b="baseline"):
    return Figure([r[a] / r[b] for r in records])


def best(records, groups, a="us", b="baseline"):
    """The records in groups, in the order in which they came; from each group
    the least of both, as whatever else this machine does only adds to a
    time."""
    n = max(1, len(records) // groups)
    some = [records[i:i + n] for i in range(0, n * min(groups, len(records)), n)]
    return Figure([min(r[a] for r in g) / min(r[b] for r in g) for g in some])


def mean(records, name):
    return Figure([r[name] for r in records])


def distinct(records, name):
    """Values of a field, in the order in which they came."""
    return list(dict.fromkeys(r[name] for r in records))


def size(n):
    for unit in ("B", "KiB", "MiB", "GiB"):
        if n < 1024 or unit == "GiB":
            return f"{n:g} {unit}"
        n /= 1024

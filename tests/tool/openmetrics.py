# SPDX-License-Identifier: GPL-2.0-only
"""A strict reader of OpenMetrics text: what is wrong with it, or what it says. What the
older text format of Prometheus does not allow is wrong as well: types that it does not
know."""

import re

NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
LABEL = re.compile(rf'({NAME})="((?:[^"\\\n]|\\["\\n])*)"')
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
UNESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


class Wrong(Exception):
    pass


def labels(text):
    """{name: value} of what is between the braces."""
    found = {}
    while text:
        m = LABEL.match(text)
        if not m:
            raise Wrong(f"no label: {text}")
        if m[1] in found:
            raise Wrong(f"twice a label: {m[1]}")
        found[m[1]] = re.sub(r'\\["\\n]', lambda e: UNESCAPED[e[0]], m[2])
        text = text[m.end():]
        if text and not re.match(r",[a-zA-Z_]", text):
            raise Wrong(f"after a label: {text}")
        text = text[1:]
    return found


class Family:
    def __init__(self, name):
        self.name = name
        self.type = self.unit = self.help = None
        self.samples = []           # (suffix, labels, number)

    def describe(self, key, text):
        attribute = key.lower()
        if self.samples or getattr(self, attribute) is not None:
            raise Wrong(f"{self.name}: {key} out of place")
        if key == "TYPE" and text not in SUFFIXES:
            raise Wrong(f"{self.name}: type {text}")
        if key == "UNIT" and not self.name.endswith(f"_{text}"):
            raise Wrong(f"{self.name}: does not end in its unit, {text}")
        if not text or re.search(r"\\(?![\\n\"])", text):
            raise Wrong(f"{self.name}: {key} {text!r}")
        setattr(self, attribute, text)

    def check_histogram(self):
        """Of each set of labels: buckets rise and end in +Inf, which is the count."""
        series = {}
        for suffix, label, value in self.samples:
            key = tuple(sorted((k, v) for k, v in label.items() if k != "le"))
            series.setdefault(key, []).append((suffix, label.get("le"), value))
        for key, rows in series.items():
            buckets = [(le, value) for suffix, le, value in rows if suffix == "_bucket"]
            limits = [float(le) for le, _ in buckets]
            values = [value for _, value in buckets]
            rest = {suffix: value for suffix, _, value in rows if suffix != "_bucket"}
            if (limits != sorted(set(limits)) or not limits or buckets[-1][0] != "+Inf" or values != sorted(values)
                    or set(rest) != {"_count", "_sum"} or rest["_count"] != values[-1]
                    or len(rows) != len(buckets) + 2):
                raise Wrong(f"{self.name}: no histogram of {key}: {rows}")
            for le, _ in buckets[:-1]:
                if le != repr(float(le)):
                    raise Wrong(f"{self.name}: le={le} has another form than {float(le)!r}")

    def check(self):
        if not self.type or not self.help:
            raise Wrong(f"{self.name}: no TYPE or no HELP")
        if not self.samples:
            raise Wrong(f"{self.name}: no sample")
        seen = {(suffix, tuple(sorted(label.items()))) for suffix, label, _ in self.samples}
        if len(seen) != len(self.samples):
            raise Wrong(f"{self.name}: a sample is there twice")
        names = {tuple(sorted(label)) for suffix, label, _ in self.samples if suffix != "_bucket"}
        if len(names) != 1:
            raise Wrong(f"{self.name}: samples differ in their labels: {names}")
        if self.type == "histogram":
            self.check_histogram()


def read(text):
    """{family: Family}; Wrong"""
    if not text.endswith("# EOF\n") or text.count("# EOF") != 1:
        raise Wrong("does not end in one # EOF")
    families = {}
    now = None
    for line in text.splitlines()[:-1]:
        m = re.fullmatch(rf"# (TYPE|UNIT|HELP) ({NAME}) (.*)", line)
        if m:
            if now is None or now.name != m[2]:
                if m[2] in families:
                    raise Wrong(f"{m[2]}: is in two places")
                now = families[m[2]] = Family(m[2])
            now.describe(m[1], m[3])
            continue
        m = re.fullmatch(rf"({NAME})(\{{(.*)\}})? (\S+)", line)
        if not m or m[2] == "{}" or not NUMBER.fullmatch(m[4]):
            raise Wrong(f"no sample: {line}")
        if now is None or not now.type or m[1] not in [now.name + s for s in SUFFIXES[now.type]]:
            raise Wrong(f"of no family, or of another: {line}")
        label = labels(m[3] or "")
        suffix = m[1][len(now.name):]
        if (suffix == "_bucket") != ("le" in label):
            raise Wrong(f"le= and no bucket, or the other way round: {line}")
        now.samples.append((suffix, label, float(m[4])))
    for family in families.values():
        family.check()
    return families


def value(families, name, **label):
    """The one sample with these labels, and perhaps others; of a histogram the count."""
    family = families.get(name)
    found = [v for suffix, has, v in family.samples if family and suffix in ("", "_total", "_count")
             and label.items() <= has.items()] if family else []
    return found[0] if len(found) == 1 else None

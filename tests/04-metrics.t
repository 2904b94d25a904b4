#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:tool
# Needs, CHECK_FULL=1: lists
"""What "nvme-vfio metrics" prints of hosts that are made of files: strictly as
OpenMetrics wants it, and what the files say. That FILE is replaced at once. The alert
rules in the manual ask for metrics that there are. With CHECK_FULL=1 Prometheus' own
programs read both."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import urllib.request

TESTS = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(TESTS)
sys.path[:0] = [os.path.join(TESTS, "rig"), os.path.join(TESTS, "tool")]
import openmetrics                                      # noqa: E402
import tap                                              # noqa: E402

PF = "0000:01:00.0"
VF = "0000:01:00.1"
GONE = "0000:05:00.0"
MODEL = 'A "drive" \\ of\ttabs'


def names():
    """Of all figures, as the driver has them."""
    with open(os.path.join(TOP, "src/figures.c"), encoding="utf-8") as f:
        return re.findall(r'^\t\[FIGURE_.*= "(\w+)",$', f.read(), re.M)


def columns():
    """Those of PFs, in their order."""
    with open(os.path.join(TOP, "src/figures.c"), encoding="utf-8") as f:
        text = f.read()
    known = dict(re.findall(r'^\t\[(FIGURE_\w+)\]\s+= "(\w+)",$', text, re.M))
    listed = re.search(r"nvme_vfio_pf_columns\[\] = \{(.*?)\}", text, re.S)[1]
    return [known[name] for name in re.findall(r"FIGURE_\w+", listed)]


class Host:
    def __init__(self, folder):
        self.folder = folder

    def put(self, path, text):
        path = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def link(self, path, to):
        os.symlink(to, os.path.join(self.folder, path))

    def drive(self):
        self.put(f"pci/{PF}/class", "0x010802\n")
        self.put(f"pci/{PF}/sriov_totalvfs", "8\n")
        self.put(f"pci/{PF}/sriov_numvfs", "2\n")
        os.makedirs(os.path.join(self.folder, f"pci/{PF}/nvme/nvme0"))
        for name, text in ("model", MODEL), ("serial", "S1 "), ("firmware_rev", "1.0"), ("state", "live"):
            self.put(f"nvme/nvme0/{name}", f"{text}\n")
        for n in 1, 2:
            self.put(f"pci/{PF[:-1]}{n}/class", "0x010802\n")
            self.link(f"pci/{PF[:-1]}{n}/physfn", f"../{PF}")
            self.link(f"pci/{PF}/virtfn{n - 1}", f"../{PF[:-1]}{n}")

    def bound(self, figures):
        for name, text in ("migratable", "not now"), ("state", "ERROR"), ("figures", figures):
            self.put(f"pci/{VF}/nvme_vfio/{name}", text)

    def run(self, *args):
        return subprocess.run([os.path.join(self.folder, "metrics"), self.folder, *args], capture_output=True,
                              text=True, check=False)


def text_of(run):
    """Families of what a run has printed."""
    if run.returncode or run.stderr:
        raise openmetrics.Wrong(f"exit status {run.returncode}\n{run.stderr}")
    return openmetrics.read(run.stdout)


def reader_is_strict(out):
    good = '# TYPE a counter\n# HELP a B.\na_total{x="1"} 1\n# EOF\n'
    openmetrics.read(good)
    bad = [good.replace("# EOF\n", ""), good + "a 1\n", good.replace("a_total", "a"), good.replace('"1"', '"\\t"'),
           good.replace('"1"', '"1'), good.replace(" 1\n", " one\n"), good.replace("counter", "info"),
           good.replace("# HELP a B.\n", ""), good.replace("# HELP", "# UNIT a seconds\n# HELP"),
           good.replace("# EOF", 'a_total{x="1"} 2\n# EOF'), good.replace("# EOF", "# TYPE b gauge\n# HELP b B.\n# EOF"),
           good.replace('x="1"', 'x="1",x="2"')]
    passed = []
    for text in bad:
        try:
            openmetrics.read(text)
            passed.append(text)
        except openmetrics.Wrong:
            pass
    out.ok(not passed, "the reader refuses what is wrong", "\n--\n".join(passed))


def what_it_says(out, host):
    figures = names()
    value = {name: 1000 + n for n, name in enumerate(figures)}
    # the largest that there is, lines that nobody knows, and some that are none
    value["bytes_out"] = 2 ** 64 - 1
    lines = [f"{name} {n}" for name, n in value.items()]
    host.bound("\n".join(lines + ["of_later 7", "bad", "bad x", "bad -1", "bad 18446744073709551616"]) + "\n")
    cols = columns()
    host.put("driver/pf_figures", "\n".join([" ".join(["pf", *cols]), " ".join([PF, *map(str, range(len(cols)))]),
                                             " ".join([GONE, *["9"] * len(cols)]), f"{VF} 1"]) + "\n")
    run = host.run()
    f = text_of(run)
    out.ok(True, f"{len(f)} families are as they have to be")
    out.ok("0000:01:00.2" not in run.stdout, "a VF that the driver does not have is not there", run.stdout)

    def says(name, want, **label):
        have = openmetrics.value(f, name, **label)
        out.ok(have == want, f"{name} {label or ''}", f"{have}, not {want}")

    says("nvme_vfio_migrations", value["migrations_out"], vf=VF, pf=PF, direction="out")
    says("nvme_vfio_migrations_cancelled", value["cancelled_in"], vf=VF, direction="in")
    says("nvme_vfio_stream_bytes", float(2 ** 64 - 1), vf=VF, direction="out")
    says("nvme_vfio_longest_downtime_seconds", value["downtime_in_longest_us"] / 1e6, vf=VF, direction="in")
    says("nvme_vfio_in_error", 1, vf=VF)
    says("nvme_vfio_migratable", 0, vf=VF)
    says("nvme_vfio_pf_info", 1, pf=PF, model=MODEL.replace("\t", "?"), serial="S1")
    says("nvme_vfio_pf_info", 1, pf=GONE, model="")
    says("nvme_vfio_pf_errors", cols.index("errors"), pf=PF)
    commands = [name for name in figures if re.fullmatch(r"commands_(\d+m?u?s|longer)", name)]
    says("nvme_vfio_command_seconds", sum(value[name] for name in commands), vf=VF)
    total = [v for suffix, _, v in f["nvme_vfio_command_seconds"].samples if suffix == "_sum"]
    out.ok(total == [value["commands_us"] / 1e6], "the time of all commands", total)

    # each figure is somewhere: another value of it makes another text
    lost = []
    for name in figures:
        host.bound("\n".join(f"{n} {v + (n == name)}" if v < 2 ** 63 else f"{n} {v - (n == name)}"
                             for n, v in value.items()) + "\n")
        if host.run().stdout == run.stdout:
            lost.append(name)
    out.ok(not lost, "each figure of a VF is told", " ".join(lost))
    out.ok(all(f"nvme_vfio_pf_{name}" in f for name in ("migrations", "errors", "resets", "stream_bytes")),
           "and those of PFs", " ".join(f))

    host.bound("\n".join(lines) + "\n")
    report = json.loads(host.run("--json").stdout)
    rows = {row["address"]: row for row in report["functions"]}
    out.ok(report["command"] == "metrics" and report["version"] == 1 and rows[VF]["figures"] == value
           and rows[VF]["state"] == "ERROR" and rows[VF]["pf"] == PF and rows[VF]["role"] == "vf"
           and rows[PF]["figures"] == {name: n for n, name in enumerate(cols)} and set(rows) == {PF, VF, GONE},
           "JSON has each figure by the name that it has in sysfs", report)
    return f


def file_is_replaced(out, host):
    path = os.path.join(host.folder, "out", "nvme-vfio.prom")
    os.mkdir(os.path.dirname(path))
    host.put("out/nvme-vfio.prom", "old\n")
    before = os.stat(path).st_ino
    with open(path, encoding="utf-8") as old:
        run = host.run("--output", path)
        kept = old.read()
    with open(path, encoding="utf-8") as f:
        new = f.read()
    out.ok(not run.returncode and not run.stdout and kept == "old\n" and new == host.run().stdout
           and os.stat(path).st_ino != before, "whoever has the old file open reads all of it", run)
    out.ok(stat.S_IMODE(os.stat(path).st_mode) == 0o644, "others may read the new one")
    out.ok(os.listdir(os.path.dirname(path)) == ["nvme-vfio.prom"], "nothing else is left")
    run = host.run("--output", os.path.join(host.folder, "nowhere", "x.prom"))
    out.ok(run.returncode == 1 and run.stderr.count("\n") == 1, "no folder: one line, 1", run.stderr)
    os.mkdir(os.path.join(host.folder, "out", "folder.prom"))
    run = host.run("--output", os.path.join(host.folder, "out", "folder.prom"))
    out.ok(run.returncode == 1 and sorted(os.listdir(os.path.dirname(path))) == ["folder.prom", "nvme-vfio.prom"],
           "what cannot be replaced: 1, and nothing is left", run.stderr)
    run = host.run("--json", "--output", path)
    out.ok(run.returncode and "exclude each other" in run.stderr, "JSON does not go there", run.stderr)


def rules():
    """The YAML of alert rules in the manual."""
    with open(os.path.join(TOP, "docs/monitoring.md"), encoding="utf-8") as f:
        text = f.read()
    return re.sub("^    ", "", re.search(r"^    groups:\n(?:    .*\n|\n)+", text, re.M)[0], flags=re.M)


def exported(exporter, folder):
    """What a node exporter on a free port of loopback makes of FOLDER's texts."""
    with subprocess.Popen([exporter, "--web.listen-address=127.0.0.1:0", "--collector.disable-defaults",
                           "--collector.textfile", f"--collector.textfile.directory={folder}"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as program:
        try:
            said = ""
            for line in program.stderr:
                said += line
                port = re.search(r'msg="Listening on" address=127\.0\.0\.1:(\d+)', line)
                if port:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port[1]}/metrics", timeout=60) as answer:
                        return answer.read().decode()
            return said
        finally:
            program.kill()


def samples(text):
    """Ours in a text: {name and labels in any order: number}. 1 is what 1.0 is."""
    found = {}
    for name, labels, number in re.findall(r"^(nvme_vfio_\w+)\{(.*)\} (\S+)$", text, re.M):
        labels = openmetrics.labels(labels)
        if "le" in labels:
            labels["le"] = float(labels["le"])
        found[name, frozenset(labels.items())] = float(number)
    return found


def by_prometheus(out, host):
    asked = subprocess.run([os.path.join(TESTS, "rig/prometheus")], capture_output=True, text=True, check=False)
    if not out.ok(not asked.returncode, "Prometheus' programs are available", asked.stderr[-2000:]):
        return
    programs = asked.stdout.strip()
    path = os.path.join(host.folder, "rules.yml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(rules())
    run = subprocess.run([os.path.join(programs, "promtool"), "check", "rules", path], capture_output=True,
                         text=True, check=False)
    out.ok(not run.returncode and f"{rules().count('- alert:')} rules found" in run.stdout, "promtool takes the rules",
           run.stdout + run.stderr)
    ours = samples(host.run().stdout)
    text = exported(os.path.join(programs, "prometheus-node-exporter"), os.path.join(host.folder, "out"))
    theirs = samples(text)
    out.ok("node_textfile_scrape_error 0" in text.splitlines() and len(ours) > 50 and theirs == ours,
           f"the node exporter shows each of {len(ours)} samples, and no other",
           f"{set(ours.items()) ^ set(theirs.items())}\n{text[-2000:]}")


def alerts(out, families):
    """They are lines of few forms, which are read here without a library."""
    text = rules()
    forms = (r"groups:", r"- name: [a-z-]+", r"  rules:", r"  - alert: [A-Z]\w+", r"    expr: \S.*",
             r"    for: \d+[smh]", r"    labels: \{ severity: (warning|critical) \}",
             r"    annotations:", r'      summary: "[^"\\]+"')
    wrong = [line for line in text.splitlines() if line and not any(re.fullmatch(form, line) for form in forms)]
    alert = text.split("  - alert: ")[1:]
    wrong += [a for a in alert if not re.search(r"^    expr: .*\n(    for: .*\n)?    labels: .*\n    annotations:\n      summary: ",
                                                a, re.M)]
    out.ok(len(alert) >= 5 and not wrong, f"{len(alert)} alert rules are in order", "\n".join(wrong))
    # a counter is asked for by the name of its samples
    known = {name + suffix for name, family in families.items() for suffix in openmetrics.SUFFIXES[family.type]}
    asked = set(re.findall(r"\bnvme_vfio_\w+", "\n".join(re.findall(r"expr: .*", text))))
    out.ok(asked and asked <= known, "and ask for metrics that there are", " ".join(sorted(asked - known)))
    named = set()
    for expr in re.findall(r"expr: (.*)", text):
        named |= set(re.findall(r"(\w+)=\"", expr)) | {w for by in re.findall(r"by \(([^)]*)\)", expr)
                                                       for w in re.split(r",\s*", by)}
    there = {name for family in families.values() for _, label, _ in family.samples for name in label}
    out.ok(named <= there, "and for labels", " ".join(sorted(named - there)))
    with open(os.path.join(TOP, "docs/monitoring.md"), encoding="utf-8") as f:
        rows = set(re.findall(r"`(nvme_vfio_\w+)`", "".join(re.findall(r"^\| `nvme_vfio.*", f.read(), re.M))))
    # those of PFs are told of together
    want = {name + "_total" * (family.type == "counter") for name, family in families.items()
            if not name.startswith("nvme_vfio_pf_") or name == "nvme_vfio_pf_info"}
    out.ok(rows == want, "the page lists each metric, and no other",
           f"not there: {sorted(want - rows)}\nunknown: {sorted(rows - want)}")


def main():
    out = tap.Tap()
    folder = tempfile.mkdtemp(prefix="nvme-vfio-metrics-")
    try:
        run = subprocess.run(["make", "-s", "-C", os.path.join(TESTS, "unit/tool"), f"OUT={folder}",
                              f"{folder}/metrics"], capture_output=True, text=True, check=False)
        if out.ok(not run.returncode, "it builds", run.stdout + run.stderr):
            host = Host(folder)
            reader_is_strict(out)
            os.mkdir(os.path.join(folder, "pci"))
            f = text_of(host.run())
            out.ok(list(f) == ["nvme_vfio_tool_info"], "a host without the driver: nothing but who says so", f)
            host.drive()
            f = text_of(host.run())
            out.ok(list(f) == ["nvme_vfio_tool_info"], "VFs on another driver: the same", f)
            families = what_it_says(out, host)
            file_is_replaced(out, host)
            alerts(out, families)
            if os.environ.get("CHECK_FULL"):
                by_prometheus(out, host)
            else:
                out.skip("by promtool and the node exporter", "CHECK_FULL=1")
    except openmetrics.Wrong as e:
        out.ok(False, "what it prints", str(e))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())

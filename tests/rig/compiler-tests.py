#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Repeats the compiler tests that kbuild made for a kernel's configuration. Prints in
one line the tests whose result differs now, and those that fail and keep the given
options out of the configuration, with the compiler's messages.

usage: compiler-tests.py SOURCE CONFIG [OPTION...]      CC in the environment (gcc)

Exit status 0: nothing to report.
"""

import glob
import os
import re
import subprocess
import sys
import tempfile

CC = os.environ.get("CC", "gcc")
HEAD = re.compile(r"^\s*(?:menu)?config\s+(\w+)")
END = re.compile(r"^\s*(?:choice|endchoice|comment|menu|endmenu|source|mainmenu|if|endif)\b")
PLAIN = re.compile(r"^\s*def_bool\s+\$\(cc-option,([^$()]+)\)\s*$")
ASKED = re.compile(r"\$\(cc-option,([^$()]+)\)")
SYMBOL = re.compile(r"\b[A-Z][A-Z0-9_]+\b")


class Block:
    """One definition of an option."""

    def __init__(self, inside):
        self.inside = inside            # of an "if"
        self.lines = []

    def clauses(self):
        """The alternatives of its dependencies."""
        for line in self.lines:
            words = line.strip()
            if words.startswith("depends on "):
                yield from words[len("depends on "):].split("||")
            elif words.startswith(("def_bool ", "select ")):
                yield words

    def plain(self):
        """The flags, if it is nothing but the test of these; or None."""
        found = [PLAIN.match(line) for line in self.lines]
        if self.inside or any("depends on" in line for line in self.lines):
            return None
        return next((m.group(1).strip() for m in found if m), None)


def read(source):
    """{option: [Block]} of a source's Kconfig files, for x86."""
    options = {}
    for path in glob.glob(os.path.join(source, "**/Kconfig*"), recursive=True):
        parts = os.path.relpath(path, source).split(os.sep)
        if parts[0] in ("scripts", "Documentation"):
            continue
        if parts[0] == "arch" and parts[1] not in ("x86", "Kconfig"):
            continue
        block, depth = None, 0
        with open(path, encoding="utf-8", errors="replace") as f:
            text = f.read().replace("\\\n", " ")
        for line in text.splitlines():
            head = HEAD.match(line)
            if head:
                block = Block(depth > 0)
                options.setdefault(head.group(1), []).append(block)
            elif END.match(line):
                depth += bool(re.match(r"\s*if\b", line)) - bool(re.match(r"\s*endif\b", line))
                block = None
            elif block:
                block.lines.append(line)
    return options


class Compiler:
    def __init__(self, folder):
        self.folder = folder
        self.empty = os.path.join(folder, "empty.c")
        with open(self.empty, "w", encoding="ascii"):
            pass
        self.known = {}

    def refuses(self, flags):
        """Its complaint about flags; empty if it accepts them."""
        if flags not in self.known:
            p = subprocess.run([CC, "-Werror", *flags.split(), "-S", "-x", "c", self.empty,
                                "-o", os.path.join(self.folder, "out")],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace", check=False)
            said = [line for line in p.stdout.splitlines() if "error" in line] or p.stdout.splitlines()
            self.known[flags] = (said or [f"exit status {p.returncode}"])[0] if p.returncode else ""
        return self.known[flags]


def behind(options, on, wanted):
    """The blocks of a wanted option, and of those that it depends on and that are off.
    Alternatives for other machines do not count."""
    seen, queue = set(), [wanted]
    while queue:
        name = queue.pop(0)
        if name in seen or name in on:
            continue
        seen.add(name)
        for block in options.get(name, ()):
            yield name, block
            for clause in block.clauses():
                names = SYMBOL.findall(clause)
                if all(n in on for n in names if n.startswith(("HAVE_", "ARCH_"))):
                    queue += [n for n in names if n.startswith("CC_HAS_") or name == wanted]


def main():
    source, config, *wanted = sys.argv[1:]
    options = read(source)
    with open(config, encoding="utf-8") as f:
        on = set(re.findall(r"^CONFIG_(\w+)=[ym]$", f.read(), re.M))
    said = []
    with tempfile.TemporaryDirectory() as folder:
        cc = Compiler(folder)
        for name, blocks in sorted(options.items()):
            flags = len(blocks) == 1 and name.startswith("CC_HAS_") and blocks[0].plain()
            if flags and (name in on) == bool(cc.refuses(flags)):
                now = cc.refuses(flags) or "takes it"
                said.append(f"{name} is {'on' if name in on else 'off'}, but {CC} {flags} now: {now} "
                            "(the compiler's answers differ: look at /dev/null and the room in /tmp)")
        for option in wanted:
            for name, block in behind(options, on, option):
                for flags in ASKED.findall("\n".join(block.lines)):
                    why = cc.refuses(flags.strip())
                    text = f"{option} wants {name}: {CC} {flags.strip()}: {why}"
                    if why and text not in said:
                        said.append(text)
    print("; ".join(said))
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-2.0-only
"""What documents tell their readers to type, and which output they show for it."""

import collections
import difflib
import os
import re

import place

ELISION = "..."
PROMPTS = ("$ ", "# ", "(qemu) ")
# A sample can only show what these look like.
VERSIONS = re.compile(r"\b\d+(?:\.\d+){2,}(?![\d:])")


class Item(collections.namedtuple("Item", "document section text prompt sample")):
    """Something to type, or a block that is not a command.

    text    as it is there
    prompt  one of PROMPTS, or none
    sample  lines that follow it, without empty ones at the end; none for a block that
            is not a command
    """

    @property
    def is_command(self):
        return not self.text.startswith("<")

    def __str__(self):
        return f"{self.document}, {self.section}: {self.text.splitlines()[0]}"


def _read(document):
    with open(os.path.join(place.TOP, document), encoding="utf-8") as f:
        return f.read()


def items(document, section):
    """Everything of a section, in order: blocks, and commands in the text that begin
    with sudo."""
    text = _read(document)
    found = list((_mdoc if re.search(r"\.\d$", document) else _markdown)(text, section))
    if not found:
        raise LookupError(f"{document} has no section {section} with something to type")
    return [Item(document, section, *rest) for rest in found]


def _markdown(text, section):
    level, lines = 0, []
    for line in text.splitlines():
        if head := re.match(r"(#+) +(.*)", line):
            if level and len(head[1]) <= level:
                break
            level = level or (len(head[1]) if head[2] == section else 0)
        elif level:
            lines.append(line)
    # a block has empty lines in it, but none at its ends
    for part in re.split(r"((?:(?<=\n\n)|\A)    .*\n(?:(?:    .*)?\n)*)", "\n".join(lines) + "\n"):
        if part.startswith("    "):
            yield from _block([line[4:] for line in part.rstrip("\n").split("\n")])
        else:
            for code in re.findall(r"`(sudo [^`]+)`", part):
                yield " ".join(code.split()), "", ()


def _mdoc(text, section):
    part = re.search(rf"^\.Sh {re.escape(section)}\n(.*?)(?=^\.Sh |\Z)", text, re.M | re.S)
    for block in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", part[1] if part else "", re.M | re.S):
        plain = re.sub(r"\\&", "", block).replace(r"\-", "-").replace(r"\e", "\\")
        yield from _block(plain.rstrip("\n").split("\n"))


def _block(lines):
    """What is not behind a prompt, in a block or at its beginning, is a command as
    well, or text as a whole."""
    if lines[0].startswith("<"):
        yield "\n".join(lines), "", ()
        return
    command, sample, prompted = None, [], False
    for line in [*lines, None]:
        prompt = next((p for p in PROMPTS if line and line.startswith(p)), "")
        continued = command and not sample and command[0].endswith("\\")
        if line is not None and (prompted and not prompt or not prompted and not line) and not continued:
            sample.append(line)
            continue
        if continued and line is not None:
            command = (command[0] + "\n" + line, command[1])
            continue
        if command:
            while sample and not sample[-1]:
                sample.pop()
            yield *command, tuple(sample)
        if line is not None:
            command, sample, prompted = (line[len(prompt):], prompt), [], prompted or bool(prompt)


def _plain(line):
    """The width of columns does not matter."""
    return VERSIONS.sub("VERSION", " ".join(line.split()))


def differs(sample, said):
    """How the output differs from a sample, or nothing. An elision is any number of
    lines."""
    want, have = ([_plain(line) for line in lines] for lines in (sample, said.rstrip("\n").split("\n")))
    pattern = "".join(r"(?:.*\n)*" if line == ELISION else re.escape(line) + r"\n" for line in want)
    if re.fullmatch(pattern, "".join(line + "\n" for line in have)):
        return ""
    return "\n".join(difflib.unified_diff(want, have, "the sample", "what is said", lineterm=""))

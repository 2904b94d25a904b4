# SPDX-License-Identifier: GPL-2.0-only
"""What a host that does not go on is doing: seen from outside, its processors by the
emulator's own monitor, twice, and the threads of the emulator itself, which may be what
hangs; and what the kernel's tasks wait for. For its log folder: a limit alone tells
nothing about a hang that comes once in a thousand boots."""

import os
import shutil
import socket
import subprocess
import time

ASK = ("info registers -a", "info lapic 0", "info lapic 1", "info status")
# What a kernel needs for let_tell().
PANICS = "sysctl.kernel.unknown_nmi_panic=1 panic_print=1"
PAUSE = 1.0             # between the two looks
QUIET = 2.0             # a monitor that says nothing for so long has said all, or hangs
DEBUGGER_SECONDS = 60


def _said(link):
    text = b""
    try:
        while True:
            data = link.recv(65536)
            if not data:
                break
            text += data
    except socket.timeout:
        pass
    return text.decode(errors="replace").replace("\r", "")


def processors(path):
    """What the monitor at this socket says; why nothing, if it does not answer."""
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(QUIET)
            link.connect(path)
            parts = [_said(link)]
            for _ in range(2):
                for line in ASK:
                    link.sendall(line.encode() + b"\n")
                    parts.append(_said(link))
                time.sleep(PAUSE)
    except OSError as e:
        return f"the monitor does not answer: {e}\n"
    return "".join(parts)


def _read(path):
    try:
        with open(path, encoding="ascii", errors="replace") as f:
            return f.read().strip()
    except OSError as e:
        return e.strerror


def threads(pid):
    """State and place in the kernel of each thread of a process, and where a debugger
    finds them."""
    lines = []
    try:
        names = sorted(os.listdir(f"/proc/{pid}/task"), key=int)
    except OSError as e:
        return f"{e}\n"
    for name in names:
        task = f"/proc/{pid}/task/{name}"
        lines += [f"thread {name} {_read(task + '/stat')}", _read(task + "/stack")]
    if shutil.which("gdb"):
        try:
            done = subprocess.run(["gdb", "-nx", "-batch", "-p", str(pid), "-ex", "thread apply all bt 40"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, errors="replace", timeout=DEBUGGER_SECONDS, check=False)
            lines.append(done.stdout)
        except (OSError, subprocess.TimeoutExpired) as e:
            lines.append(str(e))
    else:
        lines.append("no debugger here (gdb)")
    return "\n".join(lines) + "\n"


def let_tell(path, ended, seconds=30):
    """The kernel panics by an NMI, and tells on its console what each task does
    (PANICS). ended(seconds): waits for the emulator's end so long."""
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(QUIET)
            link.connect(path)
            _said(link)
            link.sendall(b"nmi\n")
            _said(link)
    except OSError:
        return
    ended(seconds)


def look(pid, monitor, path):
    """Write both to a file; whatever goes wrong is in it."""
    with open(path, "w", encoding="utf-8") as f:
        f.write(processors(monitor))
        f.flush()
        f.write(threads(pid))

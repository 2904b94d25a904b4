# SPDX-License-Identifier: GPL-2.0-only
"""What is started must end: processes that die with their parent, and
everything that a process has started, however far it detached itself."""

import collections
import ctypes
import os
import signal
import subprocess
import time

# include/uapi/linux/prctl.h
SET_PDEATHSIG = 1
SET_CHILD_SUBREAPER = 36

TERM_SECONDS = 2.0
KILL_SECONDS = 10.0             # an emulated machine has much memory to free
STEP = 0.1

_libc = ctypes.CDLL(None, use_errno=True)


class Process(collections.namedtuple("Process", "pid born")):
    """Identified by its number and its start time, as numbers are reused."""

    def command(self):
        """Its command line, or what is left of it."""
        try:
            with open(f"/proc/{self.pid}/cmdline", "rb") as f:
                words = f.read().rstrip(b"\0").split(b"\0")
        except OSError:
            words = []
        return b" ".join(words).decode(errors="replace") or f"process {self.pid}"

    def send(self, number):
        try:
            fd = os.pidfd_open(self.pid)
        except OSError:
            return
        try:
            if _stat(self.pid)[2] == self.born:         # so fd is the right one
                signal.pidfd_send_signal(fd, number)
        except PermissionError:         # of sudo's
            subprocess.run(["sudo", "-n", "kill", f"-{int(number)}", str(self.pid)], stdin=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False)
        except OSError:
            pass
        finally:
            os.close(fd)


def _stat(pid):
    """(state, parent, start time); (None, 0, 0) if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            words = f.read().rpartition(b")")[2].split()
        return words[0].decode(), int(words[1]), int(words[19])
    except (OSError, IndexError):
        return None, 0, 0


def _control(option, value):
    if _libc.prctl(option, *(ctypes.c_ulong(v) for v in (value, 0, 0, 0))):
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def tie(number=signal.SIGKILL):
    """Get a signal when the thread that started us ends."""
    parent = os.getppid()
    _control(SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def die_with_parent(number=signal.SIGKILL):
    """The same for programs that people start: those that are to stay are started with nohup."""
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        tie(number)


def keep():
    """From now on processes below us whose parent ends become our children."""
    _control(SET_CHILD_SUBREAPER, 1)


def below():
    """The processes below us that have not ended."""
    children, found, look = {}, [], [os.getpid()]
    for name in os.listdir("/proc"):
        if name.isdigit():
            state, parent, born = _stat(name)
            children.setdefault(parent, []).append((Process(int(name), born), state))
    while look:
        for process, state in children.get(look.pop(), ()):
            look.append(process.pid)
            if state not in ("Z", "X", None):
                found.append(process)
    return found


def await_none(turn, seconds):
    """Wait until nothing runs below us; returns what still does. turn(seconds) waits
    and reaps."""
    end = time.monotonic() + seconds
    while True:
        left = below()
        if not left or time.monotonic() > end:
            return left
        turn(STEP)


def end(turn):
    """End what runs below us, asking first. Returns what does not end."""
    left = below()
    for number, seconds in ((signal.SIGTERM, TERM_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        told, limit = set(), time.monotonic() + seconds
        while left and time.monotonic() < limit:
            for process in left:
                if process not in told:
                    process.send(number)
                    told.add(process)
            turn(STEP)
            left = below()
    return left

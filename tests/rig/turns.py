# SPDX-License-Identifier: GPL-2.0-only
"""How many hosts run at a time in a run of many files. A host waits for most of its
time, for resets mostly, hence there are more of them than processors; but with many
more, the same test was seen to take half as much again of processors' time."""

import contextlib
import fcntl
import os
import time

PER_PROCESSOR = 2
LOOK_SECONDS = 0.2


def most():
    return PER_PROCESSOR * len(os.sched_getaffinity(0))


def _free(folder):
    """An open file that stands for a turn, or None; it is free again when it is closed, or
    its process has ended."""
    for i in range(most()):
        turn = open(os.path.join(folder, str(i)), "w", encoding="ascii")
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return turn
        turn.close()
    return None


def take():
    """One host's turn, after a wait for it; close() ends it. None if nobody counts."""
    if not os.environ.get("RIG_RUN"):
        return None
    folder = os.path.join(os.environ["RIG_RUN"], "turns")
    os.makedirs(folder, exist_ok=True)
    while True:
        turn = _free(folder)
        if turn:
            return turn
        time.sleep(LOOK_SECONDS)

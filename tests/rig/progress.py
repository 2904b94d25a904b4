# SPDX-License-Identifier: GPL-2.0-only
"""What a demo is doing, for people to watch."""

import time


class Progress:
    """Lines with the time since the start; how long a step took when it is over."""

    def __init__(self):
        self.start = self.step = time.monotonic()
        self.open = False

    def say(self, text):
        self.close()
        print(f"{time.monotonic() - self.start:6.1f} s  {text} ...", end="", flush=True)
        self.step = time.monotonic()
        self.open = True

    def close(self):
        if self.open:
            print(f" {time.monotonic() - self.step:.1f} s", flush=True)
        self.open = False

    def seconds(self):
        """Since the start."""
        return time.monotonic() - self.start

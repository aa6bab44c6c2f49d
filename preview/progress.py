"""How far the work is, on standard error: one line that moves on a terminal, a line per step elsewhere."""

from __future__ import annotations

import sys
import time

_WIDE = 24


class Progress:
    """Says what is being done; knows when it began."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._moving = sys.stderr.isatty()

    def step(self, line: str) -> None:
        """Something begins or is done."""
        start = "\r\033[K" if self._moving else ""
        print(f"{start}[{time.monotonic() - self._began:5.1f} s] {line}", file=sys.stderr, flush=True)

    def part(self, done: int, of: int) -> None:
        """So much of the present step is done."""
        if self._moving:
            full = _WIDE * done // max(of, 1)
            bar = "█" * full + "░" * (_WIDE - full)
            print(f"\r\033[K{bar} {done} of {of} queries", end="", file=sys.stderr, flush=True)

"""Where the demo tells what it does: one line per step, with the time since it began."""

from __future__ import annotations

import textwrap
import time
from dataclasses import dataclass

_WIDTH = 110
_INDENT = " " * 10


@dataclass(frozen=True)
class Screen:
    """The terminal; `began` is when the program did, on the monotonic clock."""

    began: float

    @property
    def elapsed(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self.began

    def step(self, line: str) -> None:
        """What has just been done, or has happened."""
        print(f"[{self.elapsed:5.1f} s] {line}", flush=True)

    def note(self, *paragraphs: str) -> None:
        """More about it, below it."""
        for text in paragraphs:
            lines = textwrap.wrap(text, _WIDTH - len(_INDENT), break_long_words=False, break_on_hyphens=False)
            self.lines(lines)

    def lines(self, lines: list[str]) -> None:
        """The same for what has lines already."""
        print("\n".join(_INDENT + line for line in lines), flush=True)

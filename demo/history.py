"""Days of samples, written as the blocks that Prometheus keeps on disk.

promtool imports them from OpenMetrics text.
"""

from __future__ import annotations

import subprocess
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

from checks import tools
from checks.cluster import Labels
from checks.promtool import PromtoolError
from checks.timeline import Gone, Line, Timeline

LIVE = 10  # seconds between two live scrapes
# How far back how densely. The last stretch is as dense as what is scraped after it, or a rate over the border between
# them would be wrong; none is as thin as five minutes, when Prometheus would take a series for ended.
_HOURS = ((3 * 3600, 60), (1200, LIVE), (0, 0))
_COARSE = 240
_CLOSE = 15
_MOST = 500_000  # samples, roughly, of all that a story changes: they are taken less closely in a story of days
_SHORTEST, _LONGEST = 2 * 86_400, 9 * 86_400  # the longest range that a rule looks back is eight days
_BLOCK = 6 * 3600  # promtool cuts blocks of three times two hours where six hours begin in UTC
_NAME = "__name__"


@dataclass(frozen=True)
class Placed:
    """A series in unix time; `closely` where the story changes it."""

    labels: Labels
    values: Timeline
    closely: bool = False


@dataclass(frozen=True)
class Times:
    """The times of the samples: as a rule, and of what the story changes."""

    all: Sequence[int]
    close: Sequence[int]

    def blocks(self) -> Iterator[tuple[int, Times]]:
        """The same, cut where promtool cuts; numbered."""
        for number in range(self.all[0] // _BLOCK, self.all[-1] // _BLOCK + 1):
            begin, end = number * _BLOCK, (number + 1) * _BLOCK
            yield number, Times(_between(self.all, begin, end), _between(self.close, begin, end))


def past(seconds: int) -> int:
    """How much history a story needs that is that old."""
    return min(max(_SHORTEST, seconds), _LONGEST)


def grid(now: int, length: int, story: int = 0, changed: int = 0) -> Times:
    """The times of samples from `length` seconds ago to now, in the course of which the story changes so many series.

    An alert over the last six hours ends when a moment six hours ago leaves them: there, too, seconds count.
    """
    stretches = pairwise(((length, _COARSE), *_HOURS))
    times = [*(time for (back, step), (then, _) in stretches for time in range(now - back, now - then, step)), now]
    step = max(_CLOSE, story * changed // _MOST)
    begun = now - story  # in step with the story, whose edges are then where the rehearsal had them
    close = range(begun + -(-max(0, story - length) // step) * step, now - _HOURS[1][0], step)
    return Times(times, sorted({*times, *close}))


def write(folder: Path, series: Sequence[Placed], times: Times) -> None:
    """Write blocks into `folder`. Raises PromtoolError and ToolMissing.

    One text per block: each names every series for every sample, and the whole would be most of a gigabyte.
    """
    tool = tools.find("promtool")

    def block(number: int, mine: Times) -> None:
        text = folder.parent / f"{number}.openmetrics"
        with text.open("w", encoding="utf-8") as file:
            file.writelines(exposition(series, mine))
            file.write("# EOF\n")
        _import(tool.path, text, folder)
        text.unlink()

    pool = ThreadPoolExecutor(2)
    try:
        for one in [pool.submit(block, number, mine) for number, mine in times.blocks()]:
            one.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _import(promtool: Path, text: Path, folder: Path) -> None:
    largest = f"--max-block-duration={_BLOCK // 3600}h"
    command = ["tsdb", "create-blocks-from", largest, "openmetrics", str(text), str(folder)]
    done = subprocess.run([promtool, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PromtoolError(f"promtool cannot import {text.name}: {(done.stderr or done.stdout).strip()}")


def exposition(series: Iterable[Placed], times: Times) -> Iterator[str]:
    """The samples as OpenMetrics text, without its last line. The lines of one name stand together, as they must."""
    for name, group in groupby(sorted(series, key=_name), key=_name):
        yield f"# TYPE {name} unknown\n"
        for one in group:
            yield from _samples(spell(one.labels), one.values, times.close if one.closely else times.all)


def _name(series: Placed) -> str:
    return dict(series.labels)[_NAME]


def _samples(name: str, values: Timeline, times: Sequence[int]) -> Iterator[str]:
    for part in values.parts:
        mine = _between(times, part.begin, part.end)
        if isinstance(part.value, Line) and not part.value.per_minute:  # most are, and this is five times faster
            head = f"{name} {part.value.start!r} "
            yield "".join([f"{head}{time}\n" for time in mine])
        elif not isinstance(part.value, Gone):
            yield "".join([f"{name} {part.value.at(time, part.origin, LIVE)!r} {time}\n" for time in mine])


def _between(times: Sequence[int], begin: int, end: float) -> Sequence[int]:
    return times[bisect_left(times, begin) : bisect_left(times, end)]


def spell(labels: Labels) -> str:
    """The full name of a series as the exposition formats write it."""
    rest = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels if label != _NAME)
    return f"{dict(labels)[_NAME]}{{{rest}}}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

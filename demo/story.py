"""Story time to wall time: what every series holds, as a pure function of unix time, days before the story included.

A story counts seconds from its start. One offset places it on the clock: counters and gauges keep their values, while a
value that is itself a time moves along. What the story does not tell, the days before its start, is told here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from checks.cluster import Labels, Series
from checks.timeline import Baseline, Clock, Cycle, Gone, Latest, Line, Part, Stairs, Timeline, Value
from homelab import contract

_DAY = 86_400
_LONG_AGO = 60  # the words for values call this unix time "before the story"
_NEVER = (0, -1)  # a time that is none: no backup yet, no failure yet


@dataclass(frozen=True)
class Kinds:
    """What the contract says about values: names whose value is a unix time, and names of counters."""

    dated: Collection[str]
    counters: Collection[str]


@dataclass(frozen=True)
class Held(Cycle):
    """The same samples over and over, each of them for as long as the story's own scrapes are apart."""

    seconds: int = 60

    def at(self, seconds: int, begin: int, step: int) -> float | None:  # noqa: ARG002
        """The value, however often it is scraped."""
        return super().at(seconds, begin, self.seconds)


def kinds(folder: Path) -> Kinds:
    """Read them from metrics/. Raises Invalid."""
    known = contract.load(folder).series
    return Kinds(
        {name for name, found in known.items() if any(one.metric.value == "timestamp" for one in found)},
        {name for name, found in known.items() if any(one.type == "counter" for one in found)},
    )


def held(values: Timeline, interval: int) -> Timeline:
    """The same, but a part ends on what the story's own scrapes saw last, and keeps it until the next part begins.

    Scraped more often than its author thought, `1 +1/m until 1h, 60` would pass 60 just before 1h, then drop to it:
    a counter reset that never was.
    """
    return Timeline(tuple(part for one in values.parts for part in _held(one, interval)))


def _held(part: Part, interval: int) -> Iterator[Part]:
    if isinstance(part.value, Cycle):
        part = dataclasses.replace(part, value=Held(part.value.samples, interval))
    if math.isinf(part.end) or not isinstance(part.value, Line | Clock):
        yield part
        return
    last = max(part.begin, (math.ceil(part.end / interval) - 1) * interval)
    if part.begin < last:
        yield dataclasses.replace(part, end=last)
    yield Part(last, part.end, Line(part.value.at(last, part.origin, interval) or 0.0), last)


def repaired(cluster: Sequence[Series], healthy: Sequence[Series], at: int) -> list[Series]:
    """The same cluster, in which everything is healthy again from then on. What the healthy cluster lacks ends."""
    normal = {series.labels: series.values for series in healthy}
    return [
        series
        if series.values is normal.get(series.labels)
        else dataclasses.replace(series, values=_until(series.values, at, normal, series.labels))
        for series in cluster
    ]


def _until(values: Timeline, at: int, normal: dict[Labels, Timeline], labels: Labels) -> Timeline:
    cut = (dataclasses.replace(part, end=min(part.end, at)) for part in values.parts if part.begin < at)
    after: Value = Baseline() if labels in normal else Gone()
    whole = Timeline((*cut, Part(at, math.inf, after, at)))
    return whole.over(normal[labels]) if labels in normal else whole


def placed(series: Series, offset: int, past: int, kinds: Kinds) -> Timeline:
    """The series in unix time: story time plus `offset`, and `past` seconds of an uneventful time before its start."""
    name = series.named["__name__"]
    parts = [part for one in series.values.parts for part in _moved(one, offset, dated=name in kinds.dated)]
    first = series.values.parts[0].value
    if name in kinds.counters and isinstance(first, Line):
        parts = _lifted(parts, math.ceil(first.per_minute * past / 60 - first.start))
    before = _before(first, parts[0].value, offset, dated=name in kinds.dated)
    return Timeline((Part(offset - past, offset, before, offset), *parts))


def _moved(part: Part, offset: int, *, dated: bool) -> Iterator[Part]:
    begin, end, value, origin = part.begin + offset, part.end + offset, part.value, part.origin + offset
    if isinstance(value, Latest):
        first = value.first + offset
        if begin < first:
            yield Part(begin, min(end, first), Line(_LONG_AGO + offset), begin)
        if first < end:
            yield Part(max(begin, first), end, Latest(first, value.period), origin)
        return
    if dated and isinstance(value, Line | Stairs) and (value.start not in _NEVER or value != Line(value.start)):
        value = dataclasses.replace(value, start=value.start + offset)
    yield Part(begin, end, value, origin)


def _before(first: Value, moved: Value, offset: int, *, dated: bool) -> Value:
    """What a series held before the story, by what it holds when the story begins: as a rule the same, going on."""
    if isinstance(first, Latest):
        return Latest(first.first + offset - 1000 * first.period, first.period)
    if dated and isinstance(first, Line) and first.start not in _NEVER and first.start <= _LONG_AGO:
        return Gone()  # it happened "long ago", yet no earlier time than the story's start is known for it
    return moved


def _lifted(parts: Sequence[Part], by: float) -> list[Part]:
    """A counter that starts higher, so that it never was below zero; where it is reset, it goes on as told."""
    found: list[Part] = []
    last = -math.inf
    for number, part in enumerate(parts):
        start = part.value.at(part.begin, part.origin, 60)
        if by <= 0 or (start is not None and start < last):
            return [*found, *parts[number:]]
        if start is not None:
            last = part.value.at(int(min(part.end, part.begin + _DAY)) - 1, part.origin, 60) or start
        value = part.value
        found.append(
            dataclasses.replace(part, value=dataclasses.replace(value, start=value.start + by))
            if isinstance(value, Line | Stairs)
            else part
        )
    return found

"""What one series holds over time, in words: `1 until 10m, 0 until 1h10m, 1`.

An outage is told by a person and read by a person, so it is written in the times and values that a person would say.
The same words are a pure function of time, which the demo serves live, and samples for promtool.
All times are whole seconds from the start of the story, which are also unix times: promtool starts at 0.

    3.5                  that value
    100 +5/m             100 where this part begins, then 5 more every minute
    1 +1 every 5m        1 where this part begins, then 1 more after every five minutes
    clock, clock -45     unix time, and 45 seconds before it
    at 2h5m every 24h    unix time of the latest run of a nightly job; 60 before its first
    cycle 1 0 0          these samples over and over, one per scrape
    gone                 no sample: the series has ended
    baseline             what the healthy cluster has at that moment

Parts are separated by commas; each but the last ends with `until <time>`, when the next value is already there.
"""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass
from itertools import groupby

UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_UNSIGNED = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_NUMBER = rf"-?{_UNSIGNED}"
_TIME = r"(?=[0-9])(?:[0-9]{1,9}d)?(?:[0-9]{1,9}h)?(?:[0-9]{1,9}m)?(?:[0-9]{1,9}s)?"
_ALLOWED = "3.5, 100 +5/m, 1 +1 every 5m, clock -45, at 2h5m every 24h, cycle 1 0 0, gone, baseline"


class BadWords(ValueError):
    """No time or no value; the message says what was found and what is allowed."""


@dataclass(frozen=True)
class Line:
    """`start` where the part begins, then `per_minute` more every minute."""

    start: float
    per_minute: float = 0.0

    def at(self, seconds: int, begin: int, step: int) -> float | None:  # noqa: ARG002
        """The value, `begin` being where the part begins and `step` the time between two scrapes."""
        return self.start + self.per_minute * (seconds - begin) / 60 if self.per_minute else self.start


@dataclass(frozen=True)
class Stairs:
    """`start` where the part begins, and `height` more after every full `period`."""

    start: float
    height: float
    period: int

    def at(self, seconds: int, begin: int, step: int) -> float | None:  # noqa: ARG002
        """The value."""
        return self.start + self.height * ((seconds - begin) // self.period)


@dataclass(frozen=True)
class Clock:
    """Unix time plus `offset` seconds."""

    offset: float = 0.0

    def at(self, seconds: int, begin: int, step: int) -> float | None:  # noqa: ARG002
        """The value."""
        return seconds + self.offset


@dataclass(frozen=True)
class Latest:
    """Unix time of the latest run of a job that ran at `first` and then every `period`; 60 before the first."""

    first: int
    period: int

    def at(self, seconds: int, begin: int, step: int) -> float | None:  # noqa: ARG002
        """The value."""
        return float(seconds - (seconds - self.first) % self.period) if seconds >= self.first else 60.0


@dataclass(frozen=True)
class Cycle:
    """The same samples over and over."""

    samples: tuple[float, ...]

    def at(self, seconds: int, begin: int, step: int) -> float | None:
        """The value."""
        return self.samples[(seconds - begin) // step % len(self.samples)]


@dataclass(frozen=True)
class Gone:
    """No sample."""

    def at(self, seconds: int, begin: int, step: int) -> float | None:  # noqa: ARG002
        """None."""
        return None


@dataclass(frozen=True)
class Baseline:
    """What the healthy cluster has at that moment; Timeline.over puts it there."""

    def at(self, seconds: int, begin: int, step: int) -> float | None:  # noqa: ARG002
        """Not known here."""
        raise LookupError("`baseline` is not resolved: Timeline.over comes first")


Value = Line | Stairs | Clock | Latest | Cycle | Gone | Baseline


@dataclass(frozen=True)
class Part:
    """A value that holds from `begin` to just before `end`; its own time begins at `origin`, as a rule the same."""

    begin: int
    end: float
    value: Value
    origin: int


@dataclass(frozen=True)
class Timeline:
    """What one series holds at any time: parts without gaps, from 0 to infinity."""

    parts: tuple[Part, ...]

    def at(self, seconds: int, step: int = 60) -> float | None:
        """The value at that time, or None where there is no sample; `step` is the time between two scrapes."""
        part = next(part for part in self.parts if seconds < part.end)
        return part.value.at(seconds, part.origin, step)

    @property
    def needs_another(self) -> bool:
        """Whether a part of it is `baseline`."""
        return any(isinstance(part.value, Baseline) for part in self.parts)

    def over(self, healthy: Timeline) -> Timeline:
        """The same with `baseline` replaced by what `healthy` has at those times."""
        parts: list[Part] = []
        for part in self.parts:
            if not isinstance(part.value, Baseline):
                parts.append(part)
                continue
            parts += (
                dataclasses.replace(base, begin=max(base.begin, part.begin), end=min(base.end, part.end))
                for base in healthy.parts
                if base.begin < part.end and part.begin < base.end
            )
        return Timeline(tuple(parts))


def always(value: float) -> Timeline:
    """That value at any time."""
    return Timeline((Part(0, math.inf, Line(value), 0),))


def read(text: str) -> Timeline:
    """Read the words, or raise BadWords."""
    parts: list[Part] = []
    begin = 0
    *before, last = text.split(",")
    for said in before:
        value, until, time = said.partition("until")
        if not until:
            raise BadWords(f'"{said.strip()}" is followed by another value and needs `until <time>`')
        end = read_time(time)
        if end <= begin:
            raise BadWords(f"until-times must ascend from above 0, found {spell_time(end)}")
        parts.append(Part(begin, end, _value(value), begin))
        begin = end
    if "until" in last:
        raise BadWords(f'"{last.strip()}" is the last value: nothing follows its `until`')
    return Timeline((*parts, Part(begin, math.inf, _value(last), begin)))


def _value(text: str) -> Value:
    said = " ".join(text.split())
    bare: dict[str, Value] = {"gone": Gone(), "baseline": Baseline(), "clock": Clock()}
    if said in bare:
        return bare[said]
    if found := re.fullmatch(rf"({_NUMBER})(?: ([-+]{_UNSIGNED})/m)?", said):
        return Line(_number(found[1]), _number(found[2] or "0"))
    if found := re.fullmatch(rf"({_NUMBER}) ([-+]{_UNSIGNED}) every ({_TIME})", said):
        return Stairs(_number(found[1]), _number(found[2]), _period(found[3]))
    if found := re.fullmatch(rf"clock ([-+]{_UNSIGNED})", said):
        return Clock(_number(found[1]))
    if found := re.fullmatch(rf"at ({_TIME}) every ({_TIME})", said):
        return Latest(read_time(found[1]), _period(found[2]))
    if found := re.fullmatch(rf"cycle((?: {_NUMBER})+)", said):
        return Cycle(tuple(_number(sample) for sample in found[1].split()))
    raise BadWords(f'no value "{said}"; there is {_ALLOWED}')


def _period(text: str) -> int:
    if not (period := read_time(text)):
        raise BadWords("`every` needs a time above 0")
    return period


def _number(text: str) -> float:
    if math.isinf(value := float(text)):
        raise BadWords(f"{text} is too large for a number")
    return value


def read_time(text: str) -> int:
    """Seconds of `1h30m`, `45m`, `2d` or `0m`, or raise BadWords."""
    if not re.fullmatch(_TIME, text.strip()):
        raise BadWords(f'no time "{text.strip()}"; there is 45m, 1h30m, 2d and so on')
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"([0-9]+)([dhms])", text))


def spell_time(seconds: float) -> str:
    """5400 is 1h30m. Hours may pass 24: they are counted from the start of the story."""
    whole = int(seconds)
    parts = ((whole // 3600, "h"), (whole % 3600 // 60, "m"), (whole % 60, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0m"


def samples(timeline: Timeline, step: int, end: int, *, shifted: bool = False) -> str:
    """The series in promtool's notation: a sample every `step` seconds from 0 to `end`.

    Shifted, every sample is taken half a step later, and the notation's own step is the half.
    """
    delay = step // 2 if shifted else 0
    runs: list[str] = []
    alive = False
    for part in timeline.parts:
        first = -(-max(part.begin - delay, 0) // step)
        last = min(part.end, end + 1) - delay
        times = [delay + step * number for number in range(first, math.ceil(max(last, 0) / step))]
        if not times:
            continue
        if isinstance(part.value, Gone):
            runs += _gone(len(times), was_alive=alive, shifted=shifted)
            alive = False
            continue
        alive = True
        if shifted:
            runs += (
                f"_ {_spell(value)}" for time in times if (value := part.value.at(time, part.origin, step)) is not None
            )
        elif isinstance(part.value, Line | Clock):
            start = part.value.at(times[0], part.origin, step) or 0.0
            slope = (part.value.per_minute if isinstance(part.value, Line) else 60.0) * step / 60
            runs.append(_run(start, slope, len(times)))
        else:
            values = [part.value.at(time, part.origin, step) or 0.0 for time in times]
            runs += (_run(value, 0, len(list(same))) for value, same in groupby(values))
    return " ".join(runs)


def _gone(count: int, *, was_alive: bool, shifted: bool) -> list[str]:
    blank = 2 if shifted else 1
    if not was_alive:
        return [f"_x{count * blank}"]
    rest = (count - 1) * blank
    return [*(["_"] if shifted else []), "stale", *([f"_x{rest}"] if rest else [])]


def _run(start: float, slope: float, count: int) -> str:
    sign = "-" if slope < 0 else "+"
    return f"{_spell(start)}{sign}{_spell(abs(slope))}x{count - 1}" if count > 1 else _spell(start)


def _spell(value: float) -> str:
    return repr(float(value)).removesuffix(".0")

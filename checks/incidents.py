"""incidents/*.yaml -> what every series of the cluster did during an outage, as functions of time.

`_baseline.yaml` is a whole healthy cluster, grouped by scrape target. An incident says only what differed from it, in
value words (see `words`), and what the alerts had to do. Every mistake is reported at once, as homelab.parse.Invalid.
All times are whole seconds from the start of the story, which are also unix times: promtool starts at 0.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NewType

import promql_parser
import yaml

from homelab.inventory import Severity
from homelab.parse import Invalid, Problem, Reader, describe

BASELINE = "_baseline.yaml"
Labels = tuple[tuple[str, str], ...]  # sorted by name, `__name__` among them
Time = NewType("Time", int)  # seconds from the start

_UNSIGNED = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_NUMBER = rf"-?{_UNSIGNED}"
_TIME = r"(?=[0-9])(?:[0-9]{1,9}d)?(?:[0-9]{1,9}h)?(?:[0-9]{1,9}m)?(?:[0-9]{1,9}s)?"
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_ALLOWED = (
    "3.5, 100 +5/m, 1 +1 every 5m, clock, clock -45, gone, cycle 1 0 0, baseline, at 2h5m every 24h; "
    "each but the last with `until <time>`, separated by commas"
)


class BadWords(ValueError):
    """Text that is no time, no selector or no value words. The message says what was found and what is allowed."""


@dataclass(frozen=True)
class Line:
    """`start` where the segment begins, then `per_minute` more every minute."""

    start: float
    per_minute: float = 0.0


@dataclass(frozen=True)
class Stairs:
    """`start` where the segment begins, and `height` more after every full `period` (seconds)."""

    start: float
    height: float
    period: Time


@dataclass(frozen=True)
class Clock:
    """Unix time plus `offset` seconds."""

    offset: float = 0.0


@dataclass(frozen=True)
class Latest:
    """Unix time of the latest run of a job that ran `first` and then every `period` (seconds); 60 before the first."""

    first: Time
    period: Time


@dataclass(frozen=True)
class Cycle:
    """The same samples over and over, one per step of the sample grid."""

    samples: tuple[float, ...]


@dataclass(frozen=True)
class Gone:
    """No sample: the series has ended."""


@dataclass(frozen=True)
class Baseline:
    """What the healthy cluster has at that moment; `compose` puts it there."""


Word = Line | Stairs | Clock | Latest | Cycle | Gone | Baseline


@dataclass(frozen=True)
class Segment:
    """A word that holds from `begin` to just before `end`; its own time begins at `origin`, as a rule the same."""

    begin: float
    end: float
    origin: float
    word: Word


@dataclass(frozen=True)
class Values:
    """What one series holds at any time: segments without gaps from 0 on; `step` is its sample grid in seconds."""

    segments: tuple[Segment, ...]
    step: int = 60

    def at(self, seconds: float) -> float | None:
        """The value at that time, or None where there is no sample."""
        segment = next(segment for segment in self.segments if seconds < segment.end)
        since = seconds - segment.origin
        match segment.word:
            case Line(start, per_minute):
                return start + per_minute * since / 60 if per_minute else start
            case Stairs(start, height, period):
                return start + height * (since // period)
            case Clock(offset):
                return seconds + offset
            case Latest(first, period):
                return first + (seconds - first) // period * period if seconds >= first else 60.0
            case Cycle(samples):
                return samples[int(since // self.step) % len(samples)]
            case Gone():
                return None
            case Baseline():
                raise LookupError("the words say `baseline`: compose the incident first")

    def over(self, healthy: Values) -> Values:
        """The same with `baseline` replaced by what `healthy` has at those times."""
        segments = [
            dataclasses.replace(base, begin=max(base.begin, own.begin), end=min(base.end, own.end))
            if isinstance(own.word, Baseline)
            else own
            for own in self.segments
            for base in (healthy.segments if isinstance(own.word, Baseline) else (own,))
            if base.begin < own.end and own.begin < base.end
        ]
        return Values(tuple(segments), self.step)

    def __str__(self) -> str:
        said = [f"{_spell(segment.word)} until {spell_time(int(segment.end))}" for segment in self.segments[:-1]]
        return ", ".join([*said, _spell(self.segments[-1].word)])


def words(text: str, step: int = 60) -> Values:
    """Read value words, `1 until 10m, 0 until 1h10m, 1`, or raise BadWords.

    The sample at an `until` time already has the next value. `step` is the sample grid in seconds, for `cycle`.
    """
    *parts, last = text.split(",")
    segments: list[Segment] = []
    begin = 0.0
    for part in parts:
        word, until, time = part.partition("until")
        if not until:
            raise BadWords(f'"{part.strip()}" is followed by another value and needs `until <time>`')
        end = float(read_time(time))
        if end <= begin:
            raise BadWords(f"until-times must ascend from above 0, found {spell_time(int(end))}")
        segments.append(Segment(begin, end, begin, _word(word)))
        begin = end
    if "until" in last:
        raise BadWords(f'"{last.strip()}" is the last value: nothing follows its `until`')
    return Values((*segments, Segment(begin, math.inf, begin, _word(last))), step)


def _word(text: str) -> Word:
    said = " ".join(text.split())
    if said in ("gone", "baseline", "clock"):
        return {"gone": Gone(), "baseline": Baseline(), "clock": Clock()}[said]
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


def _spell(word: Word) -> str:
    match word:
        case Line(start, per_minute):
            return spell_number(start) + (f" {_signed(per_minute)}/m" if per_minute else "")
        case Stairs(start, height, period):
            return f"{spell_number(start)} {_signed(height)} every {spell_time(period)}"
        case Clock(offset):
            return f"clock {_signed(offset)}" if offset else "clock"
        case Latest(first, period):
            return f"at {spell_time(first)} every {spell_time(period)}"
        case Cycle(samples):
            return " ".join(["cycle", *map(spell_number, samples)])
        case Gone() | Baseline():
            return type(word).__name__.lower()


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise BadWords(f"{text} is too large for a number")
    return value + 0.0  # -0 becomes 0, which is written without a sign


def _period(text: str) -> Time:
    seconds = read_time(text)
    if not seconds:
        raise BadWords("`every` needs a time above 0")
    return seconds


def spell_number(value: float) -> str:
    """3, 0.25, 1e+300: the shortest text that is read as the same number."""
    return repr(float(value)).removesuffix(".0")


def _signed(value: float) -> str:
    return f"{'-' if value < 0 else '+'}{spell_number(abs(value))}"


def read_time(text: str) -> Time:
    """Seconds of `1h30m`, `45m`, `2d` or `0m`, or raise BadWords."""
    if not re.fullmatch(_TIME, text.strip()):
        raise BadWords(f'no time "{text.strip()}"; there is 45m, 1h30m, 2d and so on')
    return Time(sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9]+)([dhms])", text)))


def spell_time(seconds: int) -> str:
    """5400 is 1h30m. Hours may pass 24: they are counted from the start of the story."""
    parts = ((seconds // 3600, "h"), (seconds % 3600 // 60, "m"), (seconds % 60, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0m"


@dataclass(frozen=True)
class Selector:
    """Label matchers as PromQL writes them: (label, operator, value)."""

    matchers: tuple[tuple[str, str, str], ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a series with these labels (`__name__` among them) is selected; a missing label is an empty one."""
        return all(_matches(labels.get(name, ""), operator, value) for name, operator, value in self.matchers)


def _matches(found: str, operator: str, value: str) -> bool:
    same = found == value if operator in ("=", "!=") else _pattern(value).fullmatch(found) is not None
    return same == operator.startswith("=")


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


def selector(text: str) -> Selector:
    """Read `name{label="value", other=~"a|b"}`, or raise BadWords."""
    try:
        found = promql_parser.parse(text)
    except ValueError as error:
        raise BadWords(f'no selector "{text}": {error}') from None
    if not isinstance(found, promql_parser.VectorSelector) or found.offset or found.at or found.matchers.or_matchers:
        raise BadWords(f'no plain selector "{text}"; there is name{{label="value", other=~"a|b"}}')
    matchers = [(m.name, _OPERATORS[str(m.op).removeprefix("MatchOp.")], m.value) for m in found.matchers.matchers]
    for _, operator, value in matchers:
        if operator.endswith("~"):
            _compile(value)
    return Selector(tuple([("__name__", "=", found.name)] if found.name else []) + tuple(matchers))


def _compile(text: str) -> re.Pattern[str]:
    try:
        return _pattern(text)
    except re.error as error:
        raise BadWords(f'no regular expression "{text}": {error}') from None


def series_labels(text: str) -> Labels:
    """Read the full name of one series, `name{label="value"}`, or raise BadWords."""
    found = selector(text)
    if any(operator != "=" for _, operator, _ in found.matchers):
        raise BadWords(f'"{text}" must name one series: labels with = only')
    labels = dict((name, value) for name, _, value in found.matchers)
    if "__name__" not in labels or len(labels) != len(found.matchers):
        raise BadWords(f'"{text}" must name one series: a metric, and each label once')
    return tuple(sorted((name, value) for name, value in labels.items() if value))


def spell_series(labels: Labels) -> str:
    """The full name of a series, as promtool reads it."""
    rest = dict(labels)
    name = rest.pop("__name__", "")
    return f"{name}{{{', '.join(f'{label}={_quoted(value)}' for label, value in rest.items())}}}" if rest else name


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


@dataclass(frozen=True)
class Series:
    """One series of the cluster; `target` holds those of its labels that the scrape attaches."""

    labels: Labels
    target: Labels
    values: Values
    subsystem: str

    @property
    def name(self) -> str:
        """The metric."""
        return dict(self.labels)["__name__"]


@dataclass(frozen=True)
class Expect:
    """What has to fire, at the latest `by`; `names` are regexes, one of which a label value of that alert must match."""

    by: Time
    severity: Severity
    names: tuple[re.Pattern[str], ...] = ()
    cleared: Time | None = None


@dataclass(frozen=True)
class Limit:
    """How many alerts of a kind may fire `at` these times (without: at no time from the first minute on), and why."""

    alerts: Selector
    why: str
    at: tuple[Time, ...] = ()
    count: int = 0


@dataclass(frozen=True)
class Change:
    """Other values for the baseline series that `select` names, or a series that the baseline does not have."""

    values: Values
    select: Selector | None = None
    new: Labels | None = None


@dataclass(frozen=True)
class Incident:
    """One outage, or one odd but healthy situation: then `expect` is None. Field names are the keys of the YAML."""

    id: str
    title: str
    story: str
    interval: Time
    end: Time
    series: tuple[Change, ...] = ()
    subsystem: str = ""
    fault: Time | None = None
    recovery: Time | None = None
    expect: Expect | None = None
    quiet: tuple[Limit, ...] = ()
    at_most: tuple[Limit, ...] = ()
    at_least: tuple[Limit, ...] = ()
    without: tuple[str, ...] = ()

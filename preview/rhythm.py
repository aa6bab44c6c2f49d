"""A daily rhythm for measured quantities: a healthy cluster whose lines are all flat looks dead.

Only what is measured swings, by a few percent. States, sizes, limits and counts of things keep the value that the
catalogue gives them, since there every number means something.
"""

from __future__ import annotations

import dataclasses
import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from checks.cluster import Labels
from checks.timeline import Line, Timeline, Value
from demo.story import Held

_DAY = 1440  # minutes; every wave below divides it, so that a day ends where it began
_WAVES = ((1440, 0.5), (240, 0.25), (80, 0.15), (24, 0.1))  # minutes, share of the swing
_SWING = 0.08  # of the value, at most
_JITTER = 0.006  # of the value, from one minute to the next
# What is measured in a unit, and what is counted as it comes and goes.
_MEASURED = re.compile(
    r".*_(celsius|temp|rpm|volts|watts|duty_ratio|throughput|iops|latency|probe_duration_seconds|last_duration_seconds"
    r"|(offset|error|maxerror)_seconds)|probe_duration_seconds|node_load(1|5|15)"
    r"|node_memory_(MemAvailable|MemFree|Cached|Buffers)_bytes"
)
_COUNTED = re.compile(
    r"node_nf_conntrack_entries|node_filefd_allocated|os_fd_used|prometheus_tsdb_head_series|loki_ingester_memory_\w+"
)
_LIMIT = re.compile(r".*_(l?crit|max|min|limit|threshold)_\w+")
_OF_HISTOGRAM = re.compile(r"_(bucket|count)$")
_TAIL = 3.0  # how much more what is slow swings than what is


@dataclass(frozen=True)
class Pulsing(Line):
    """A counter that grows now faster, now slower; `ahead` is by how many minutes of growth, for every minute."""

    ahead: tuple[float, ...] = (0.0,)

    def at(self, seconds: int, begin: int, step: int) -> float | None:
        """The value. It never falls, since nothing grows backwards."""
        ahead = self.ahead[seconds // 60 % len(self.ahead)]
        return (super().at(seconds, begin, step) or 0.0) + self.per_minute * ahead


def swings(name: str, *, counter: bool) -> bool:
    """Whether a metric has a rhythm: counters, if they grow, and measured gauges."""
    return counter or bool((_MEASURED.fullmatch(name) or _COUNTED.fullmatch(name)) and not _LIMIT.fullmatch(name))


def alive(labels: Labels, values: Timeline, *, counter: bool, share: float = 1.0) -> Timeline:
    """The same in unix time, with a rhythm of its own where it is constant or grows steadily.

    It depends on the labels alone. The buckets of one histogram have it in common, so that none passes the next;
    `share` is the part of all observations that a bucket holds, which is a little more when there is little to do.
    """
    named = dict(labels)
    name = named.pop("__name__")
    if not swings(name, counter=counter):
        return values
    named.pop("le", None)
    seed = f"{_OF_HISTOGRAM.sub('', name)} {sorted(named.items())}"
    parts = (
        dataclasses.replace(part, value=value, origin=part.origin if isinstance(value, Pulsing) else 0)
        if (value := _moved(part.value, name, seed, share, counter=counter)) is not part.value
        else part
        for part in values.parts
    )
    return Timeline(tuple(parts))


def _moved(value: Value, name: str, seed: str, share: float, *, counter: bool) -> Value:
    if not isinstance(value, Line):
        return value
    if counter:
        if value.per_minute <= 0:
            return value
        # What it is ahead at a minute is what its faster minutes before brought; the waves end the day at zero.
        ahead = accumulate(_faster(seed, share), initial=0.0)
        return Pulsing(value.start, value.per_minute, tuple(ahead)[:-1])
    if value.per_minute or not value.start:
        return value
    chance = random.Random(seed)  # noqa: S311, nothing secret
    levels = (value.start * (1 + swing + chance.uniform(-_JITTER, _JITTER)) for swing in _swing(seed))
    digits = 0 if _COUNTED.fullmatch(name) else 9
    return Held(tuple(float(round(level, digits)) for level in levels), 60)


def _faster(seed: str, share: float) -> Sequence[float]:
    """By which share a counter grows faster than its mean at every minute of a day."""
    swing = _swing(seed)
    if not 0 < share < 1:
        return swing
    slow = _swing(f"{seed} slow")
    # A power of a share is a share: the order of the buckets stays, and so do none and all.
    faster = [(1 + more) * share ** (_TAIL * slower) - 1 for more, slower in zip(swing, slow, strict=True)]
    mean = sum(faster) / len(faster)
    return [more - mean for more in faster]


@cache
def _swing(seed: str) -> tuple[float, ...]:
    """By which share a value is above its mean at every minute of a day."""
    chance = random.Random(seed)  # noqa: S311, nothing secret
    waves = [(math.tau / minutes, _SWING * share, chance.uniform(0, math.tau)) for minutes, share in _WAVES]
    return tuple(
        sum(height * math.sin(pace * minute + phase) for pace, height, phase in waves) for minute in range(_DAY)
    )

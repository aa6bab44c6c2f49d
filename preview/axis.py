"""The scale beside a graph: from where to where, and round numbers to read off, in the unit of the field."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from preview import units
from preview.fields import Field

_DECIMAL = (1.0, 2.0, 2.5, 5.0, 10.0)
_BINARY = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)
_TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800)
_WEEK = 604_800.0
_NUMBER = re.compile(r"-?[0-9.]+")


@dataclass(frozen=True)
class Scale:
    """The ends of the axis, and its ticks with their texts."""

    low: float
    high: float
    ticks: Sequence[float]
    texts: Sequence[str]


def scale(values: Iterable[float], field: Field, count: int, now: float) -> Scale:
    """An axis for these values with about `count` ticks; its ends are the field's, if it says them."""
    low, high = _ends(list(values) or [0.0, 1.0], field)
    step = _step((high - low) / max(count, 1), field.unit)
    first = low if field.least is not None else math.floor(low / step + 1e-9) * step
    last = high if field.most is not None else math.ceil(high / step - 1e-9) * step
    begin = math.ceil(first / step - 1e-9)
    ticks = [round(number * step, 12) for number in range(begin, math.floor(last / step + 1e-9) + 1)]
    return Scale(first, last, ticks, [_text(tick, field, now) for tick in ticks])


def _ends(values: Sequence[float], field: Field) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low == high:  # a flat line lies in the middle, above zero
        low, high = (min(0.0, 2 * low), max(0.0, 2 * high)) if low else (0.0, 1.0)
    else:
        room = (high - low) * 0.1
        low, high = (0.0 if 0 <= low < (high - low) else low - room), high + room
        low = max(low, 0.0) if min(values) >= 0 else low
    low = low if field.least is None else field.least
    high = high if field.most is None else field.most
    return (low, high) if high > low else (low, low + (abs(low) or 1.0))


def _step(rough: float, unit: str) -> float:
    if unit in ("s", "dtdurations") and rough > 1:
        return next((float(size) for size in _TIMES if size >= rough), math.ceil(rough / _WEEK) * _WEEK)
    base, sizes = (1024.0, _BINARY) if unit in ("bytes", "bits", "binBps") and rough > 1 else (10.0, _DECIMAL)
    magnitude = base ** math.floor(math.log(rough, base))
    return next((size * magnitude for size in sizes if size * magnitude >= rough * (1 - 1e-9)), rough)


def _text(tick: float, field: Field, now: float) -> str:
    """With as few decimals as say all of it."""
    if field.decimals is not None:
        return field.write(tick, now)
    exact = _digits(units.text(tick, field.unit, decimals=4, now=now))
    texts = (units.text(tick, field.unit, decimals=decimals, now=now) for decimals in range(4))
    return next((text for text in texts if _digits(text) == exact), field.write(tick, now))


def _digits(text: str) -> float | str:
    return float(found[0]) if (found := _NUMBER.match(text)) and found[0].strip(".-") else text

"""Seconds as Grafana writes them: how long something takes, how long ago it was, and when."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from preview.digits import fixed

# Seconds, from which on the next larger size is used, and the size and name of each.
_SIZES = (
    (1e-6, 1e-9, "ns"),
    (1e-3, 1e-6, "µs"),
    (1, 1e-3, "ms"),
    (60, 1, "s"),
    (3600, 60, "min"),
    (86_400, 3600, "hour"),
    (604_800, 86_400, "day"),
    (31_536_000, 604_800, "week"),
    (math.inf, 3.15569e7, "year"),
)


def scaled(value: float, decimals: int | None, per_second: float = 1) -> str:
    seconds = value / per_second
    if not seconds:
        return "0 s" if per_second == 1 else f"0 {'ms' if per_second == 1e3 else 'ns'}"
    size, name = next((size, name) for limit, size, name in _SIZES if abs(seconds) < limit)
    return f"{fixed(round(seconds / size, 9), decimals)} {name}"


_LONG = (
    ("year", 31_536_000),
    ("month", 2_592_000),
    ("week", 604_800),
    ("day", 86_400),
    ("hour", 3600),
    ("minute", 60),
    ("second", 1),
)


def worded(value: float, decimals: int | None) -> str:
    """In words, rounded down: the largest size, and as many smaller ones as `decimals` says."""
    if value < 0:
        return f"{worded(-value, decimals)} ago"
    whole, found = int(value), list[str]()
    for name, seconds in _LONG:
        count, rest = divmod(whole, seconds)
        if count or found:
            found.append(f"{count} {name}{'' if count == 1 else 's'}")
            whole = rest
    return ", ".join(found[: (decimals or 0) + 1]) or "0 seconds"


def clock(value: float, _: int | None) -> str:
    if value < 0:
        return f"{clock(-value, None)} ago"
    hours, rest = divmod(int(value), 3600)
    return f"{hours:02}:{rest // 60:02}:{rest % 60:02}"


def iso(seconds: float, _: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return "Invalid date"


# Up to how many seconds away a time is told in which words, as moment.js tells it.
_AWAY = (
    (44.5, 0, "a few seconds"),
    (90, 0, "a minute"),
    (2670, 60, "minutes"),
    (5400, 0, "an hour"),
    (77_400, 3600, "hours"),
    (129_600, 0, "a day"),
    (2_203_200, 86_400, "days"),
    (3_944_619, 0, "a month"),
    (27_612_333, 2_629_746, "months"),
    (47_335_428, 0, "a year"),
    (math.inf, 31_556_952, "years"),
)


def from_now(seconds: float, now: float) -> str:
    away = seconds - now
    size, words = next((size, words) for limit, size, words in _AWAY if abs(away) < limit)
    told = f"{math.floor(abs(away) / size + 0.5)} {words}" if size else words
    return f"in {told}" if away > 0 else f"{told} ago"

"""Numbers as Grafana writes them: three digits that mean something, and the unit in a size that fits.

The names of units are Grafana's; an unknown one is a mistake, since Grafana would show its name behind the number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from preview import spans
from preview.digits import fixed

Format = Callable[[float, int | None], str]


class NoUnit(Exception):
    """There is no unit of that name; the message is a sentence."""


def text(value: float, unit: str, *, decimals: int | None = None, now: float = 0) -> str:
    """The value in its unit; `now`, in unix time, is for the units that say how far away a time is. Raises NoUnit."""
    if unit not in _FORMATS and unit not in _DATES:
        raise NoUnit(f"no unit {unit}; the preview knows {', '.join(sorted((*_FORMATS, *_DATES)))}")
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}∞"
    if unit in _DATES:
        return _DATES[unit](value / 1000, now)
    return _FORMATS[unit](value, decimals)


def known() -> list[str]:
    """The names of all units."""
    return sorted((*_FORMATS, *_DATES))


def _suffixed(suffix: str) -> Format:
    return lambda value, decimals: fixed(value, decimals) + suffix


def _percent(value: float, decimals: int | None) -> str:
    return f"{fixed(value * 100, decimals)}%"


def _scaled(base: int, suffixes: Sequence[str], before: int = 0) -> Format:
    """In the largest size of which there is at least one; `before` is how many of the sizes are below the unit."""

    def write(value: float, decimals: int | None) -> str:
        size = math.floor(math.log(abs(value), base) + 1e-12) if value else 0
        size = min(max(size, -before), len(suffixes) - before - 1)
        return fixed(value / base**size, decimals) + suffixes[size + before]

    return write


def _binary(unit: str) -> Format:
    return _scaled(1024, [f" {prefix}{unit}" for prefix in ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")])


def _metric(unit: str) -> Format:
    prefixes = ("f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E")
    return _scaled(1000, [f" {prefix}{unit}" for prefix in prefixes], 5)


def _counted(unit: str) -> Format:
    return _scaled(1000, [f"{prefix} {unit}" for prefix in ("", "K", "M", "B", "T")])


def _boolean(yes: str, no: str) -> Format:
    return lambda value, _: yes if value else no


_FORMATS: Mapping[str, Format] = {
    "none": _suffixed(""),
    "short": _scaled(1000, ["", " K", " Mil", " Bil", " Tri", " Quadr", " Quint", " Sext", " Sept"]),
    "percent": _suffixed("%"),
    "percentunit": _percent,
    "bytes": _binary("B"),
    "decbytes": _metric("B"),
    "bits": _binary("b"),
    "Bps": _metric("B/s"),
    "binBps": _binary("B/s"),
    "bps": _metric("b/s"),
    "pps": _metric("p/s"),
    "s": spans.scaled,
    "ms": partial(spans.scaled, per_second=1e3),
    "ns": partial(spans.scaled, per_second=1e9),
    "dtdurations": spans.worded,
    "dthms": spans.clock,
    "celsius": _suffixed(" °C"),
    "rotrpm": _suffixed(" rpm"),
    "hertz": _metric("Hz"),
    "volt": _metric("V"),
    "watt": _metric("W"),
    "amp": _metric("A"),
    "iops": _counted("io/s"),
    "ops": _counted("ops/s"),
    "reqps": _counted("req/s"),
    "cps": _counted("c/s"),
    "rps": _counted("rd/s"),
    "wps": _counted("wr/s"),
    "opm": _counted("ops/m"),
    "cpm": _counted("c/m"),
    "bool": _boolean("True", "False"),
    "bool_yes_no": _boolean("Yes", "No"),
    "bool_on_off": _boolean("On", "Off"),
}
_DATES: Mapping[str, Callable[[float, float], str]] = {  # unix time in milliseconds
    "dateTimeAsIso": spans.iso,
    "dateTimeFromNow": spans.from_now,
}
